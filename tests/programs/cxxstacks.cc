// SPDX-License-Identifier: MIT
// A target for the profiler: C++ with recursion, inlining, templates, virtual
// calls and threads, whose stacks are spread over 1 to 48 KB in bytes.
// The work is fixed by the argument, so two runs do the same, and a unit of it
// is about one second of processor time on a 3 GHz machine.
//
//   cxxstacks SECONDS [FILE]    FILE receives the wall time of main in seconds
#include <alloca.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr unsigned n_threads = 4;
constexpr unsigned journeys_per_second = 52000; // of all threads together

struct Random {
	uint64_t state;
	uint32_t next()
	{
		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		return static_cast<uint32_t>(state >> 33);
	}
	uint32_t between(uint32_t low, uint32_t high)
	{
		return low + next() % (high - low + 1);
	}
};

// ---- leaves: what is done at the end of each descent ----

inline uint64_t mix(uint64_t x)
{
	x ^= x >> 31;
	x *= 0x9e3779b97f4a7c15ULL;
	return x ^ (x >> 29);
}

template <typename T> inline T mix_many(T x, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		x = static_cast<T>(mix(x + i));
	return x;
}

struct Task {
	virtual ~Task() = default;
	virtual uint64_t run(Random &random) = 0;
};

struct Sorting : Task {
	__attribute__((noinline)) uint64_t run(Random &random) override
	{
		std::array<uint32_t, 700> values;
		for (auto &v : values)
			v = random.next();
		std::sort(values.begin(), values.end(),
			  [](uint32_t a, uint32_t b) {
				  return mix(a) < mix(b);
			  });
		return values[values.size() / 2];
	}
};

struct Counting : Task {
	__attribute__((noinline)) uint64_t run(Random &random) override
	{
		std::map<std::string, unsigned> words;
		for (unsigned i = 0; i < 250; i++)
			words["word number " +
			      std::to_string(random.next() % 97)]++;
		uint64_t sum = 0;
		for (auto &w : words)
			sum += w.first.size() * w.second;
		return sum;
	}
};

template <unsigned N> struct Matrix {
	std::array<std::array<uint64_t, N>, N> cell;

	explicit Matrix(Random &random)
	{
		for (auto &row : cell)
			for (auto &c : row)
				c = random.next();
	}
	__attribute__((noinline)) uint64_t trace_of_square() const
	{
		uint64_t sum = 0;
		for (unsigned i = 0; i < N; i++)
			for (unsigned j = 0; j < N; j++)
				sum += mix_many(cell[i][j] * cell[j][i], 12);
		return sum;
	}
};

template <unsigned N> struct Multiplying : Task {
	__attribute__((noinline)) uint64_t run(Random &random) override
	{
		Matrix<N> m(random);
		return m.trace_of_square();
	}
};

// ---- descents: recursion that spends stack bytes ----

using Leaf = std::function<uint64_t(Random &)>;

// Frames of a size only known at run time need a CFA in another register.
__attribute__((noinline)) uint64_t descend_alloca(size_t bytes, Random &random,
						  const Leaf &leaf)
{
	size_t step = random.between(64, 1500);
	if (bytes < step)
		return leaf(random);
	auto *room = static_cast<volatile unsigned char *>(alloca(step));
	room[0] = static_cast<unsigned char>(step);
	room[step - 1] = 1;
	uint64_t below = descend_alloca(bytes - step, random, leaf);
	return below + room[0] + room[step - 1];
}

// Frames of a fixed size, each instance calling the next; constant offsets
// from the stack pointer.
template <unsigned SIZE>
__attribute__((noinline)) uint64_t descend_fixed(size_t bytes, Random &random,
						 const Leaf &leaf)
{
	volatile unsigned char room[SIZE];
	room[0] = static_cast<unsigned char>(bytes);
	room[SIZE - 1] = 1;
	uint64_t below;
	if (bytes < SIZE + 64)
		below = leaf(random);
	else
		below = descend_fixed<SIZE == 96	 ? 320
				      : SIZE == 320 ? 1100
						    : 96>(bytes - SIZE - 64,
							  random, leaf);
	return below + room[0] + room[SIZE - 1];
}

// A tree walked recursively, with work on the way down and on the way up.
struct Node {
	std::unique_ptr<Node> left, right;
	uint64_t key;
};

std::unique_ptr<Node> plant(unsigned depth, Random &random)
{
	if (depth == 0)
		return nullptr;
	auto node = std::make_unique<Node>();
	node->left = plant(depth - 1, random);
	node->key = random.next();
	node->right = plant(depth - 1, random);
	return node;
}

uint64_t gather(const Node *node)
{
	if (!node)
		return 0;
	uint64_t left = gather(node->left.get());
	return mix_many(left + node->key, 8) + gather(node->right.get());
}

struct Planting : Task {
	__attribute__((noinline)) uint64_t run(Random &random) override
	{
		return gather(plant(8, random).get());
	}
};

// ---- threads ----

uint64_t journey(Random &random,
		 const std::vector<std::unique_ptr<Task>> &tasks)
{
	Task *task = tasks[random.next() % tasks.size()].get();
	Leaf leaf = [task](Random &r) { return task->run(r); };
	size_t bytes = random.between(512, 47 * 1024);
	if (random.next() & 1)
		return descend_alloca(bytes, random, leaf);
	return descend_fixed<96>(bytes, random, leaf);
}

uint64_t travel(unsigned thread, unsigned journeys)
{
	std::vector<std::unique_ptr<Task>> tasks;
	tasks.push_back(std::make_unique<Sorting>());
	tasks.push_back(std::make_unique<Counting>());
	tasks.push_back(std::make_unique<Multiplying<24>>());
	tasks.push_back(std::make_unique<Multiplying<32>>());
	tasks.push_back(std::make_unique<Planting>());
	Random random{ thread + 1 };
	uint64_t sum = 0;
	for (unsigned i = 0; i < journeys; i++)
		sum = mix(sum + journey(random, tasks));
	return sum;
}

void write_elapsed(const char *path, double seconds)
{
	FILE *f = std::fopen(path, "w");
	if (!f) {
		std::perror(path);
		std::exit(1);
	}
	std::fprintf(f, "%.6f\n", seconds);
	std::fclose(f);
}

} // namespace

int main(int argc, char **argv)
{
	auto start = std::chrono::steady_clock::now();
	double seconds = argc > 1 ? std::strtod(argv[1], nullptr) : 1.0;
	auto journeys = static_cast<unsigned>(
		seconds * journeys_per_second / n_threads);
	std::array<uint64_t, n_threads> sums{};
	std::vector<std::thread> threads;
	for (unsigned t = 1; t < n_threads; t++)
		threads.emplace_back(
			[&sums, t, journeys] { sums[t] = travel(t, journeys); });
	sums[0] = travel(0, journeys);
	for (auto &thread : threads)
		thread.join();
	uint64_t sum = 0;
	for (auto s : sums)
		sum = mix(sum + s);
	std::printf("cxxstacks %016llx\n",
		    static_cast<unsigned long long>(sum));
	if (argc > 2) {
		std::chrono::duration<double> d =
			std::chrono::steady_clock::now() - start;
		write_elapsed(argv[2], d.count());
	}
	return 0;
}
