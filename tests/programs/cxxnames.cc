// SPDX-License-Identifier: MIT
// A target for the profiler whose functions have the names that C++ makes
// hard to read: operators, lambdas, templates, unnamed namespaces.
//
//   cxxnames SECONDS    of processor time
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>

#define OUT_OF_LINE __attribute__((noinline))
#define INLINE inline __attribute__((always_inline))

static volatile unsigned sink;

// Each function adds to it behind its call, which then is no jump.
static OUT_OF_LINE void burn(unsigned n)
{
	for (unsigned i = 0; i < n * 1000; i++)
		sink = sink + i * i;
}

namespace {

struct Hidden {
	OUT_OF_LINE void work(const std::string &name, int n)
	{
		burn(n + name.size());
		sink = sink + 1;
	}
};

} // namespace

namespace app {

template <class F> OUT_OF_LINE void apply(F f, int n)
{
	f(n);
	sink = sink + 1;
}

template <class T> struct Box {
	T value;

	OUT_OF_LINE void operator()(T n) const
	{
		burn(n);
		sink = sink + 1;
	}
	OUT_OF_LINE bool operator<(const Box &other) const
	{
		burn(2);
		sink = sink + 1;
		return value < other.value;
	}
	OUT_OF_LINE Box *operator->()
	{
		burn(2);
		sink = sink + 1;
		return this;
	}
};

OUT_OF_LINE void visit(std::function<void(int)> f, int n)
{
	f(n);
	sink = sink + 1;
}

} // namespace app

static INLINE void inner(int n)
{
	burn(n);
	sink = sink + 1;
}

static INLINE void middle(int n)
{
	inner(n);
	sink = sink + 1;
}

static OUT_OF_LINE void outer(int n)
{
	middle(n);
	sink = sink + 1;
}

static void all()
{
	app::Box<int> x{ 1 }, y{ 2 };

	Hidden().work("name", 3);
	app::apply(
		[](int n) {
			burn(n);
			sink = sink + 1;
		},
		4);
	app::apply(x, 2);
	app::visit(
		[&](int n) {
			burn(n);
			sink = sink + 1;
		},
		3);
	if (x < y)
		x->value = 3;
	outer(3);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 0.5;

	while (clock() < seconds * CLOCKS_PER_SEC)
		all();
	return 0;
}
