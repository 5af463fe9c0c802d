// SPDX-License-Identifier: MIT
// Leaks of every class, through names that are hard to cut, beside an error
// that is none. Without an argument in two processes.
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

// What the compiler must not see through.
template <typename T>
static T
seen(T p)
{
	asm volatile("" : "+r"(p) : : "memory");
	return p;
}

namespace shop
{
struct Node {
	Node *next = nullptr;
	char payload[1000];
};

template <typename T> struct Pool {
	__attribute__((noinline)) T *operator()(int n)
	{
		T *head = nullptr;

		for (int i = 0; i < n; i++) {
			T *t = seen(new T);

			t->next = head;
			head = t;
		}
		return seen(head);
	}
};
} // namespace shop

static shop::Node *volatile kept;
static char *volatile inside;

static __attribute__((noinline)) void *
recurse(int n, size_t size)
{
	void *p = n ? recurse(n - 1, size) : malloc(size);

	return seen(p);
}

static inline __attribute__((always_inline)) void *
inlined(size_t size)
{
	return seen(malloc(size));
}

static __attribute__((noinline)) void
lose(std::vector<std::string> const &names)
{
	auto lambda = [&names](size_t n) __attribute__((noinline))
	{
		return seen(calloc(n + names.size(), 10));
	};

	shop::Pool<shop::Node>()(3);
	recurse(4, 123456);
	lambda(77);
	inlined(33);
}

static __attribute__((noinline)) void
hold()
{
	kept = shop::Pool<shop::Node>()(2);
	inside = static_cast<char *>(seen(malloc(5000))) + 100;
}

static __attribute__((noinline)) void
err()
{
	char *p = static_cast<char *>(seen(malloc(10)));
	volatile char *q = p;

	free(p);
	(void)q[3];
}

// Overwrites old frames and the pointers in them.
static __attribute__((noinline)) void
scrub()
{
	char room[8192];

	memset(seen(room), 0, sizeof room);
	seen(room);
}

int
main(int argc, char **)
{
	pid_t child = argc > 1 ? 0 : fork();

	lose({});
	hold();
	if (argc <= 1)
		err();
	scrub();
	if (child)
		waitpid(child, nullptr, 0);
	return 0;
}
