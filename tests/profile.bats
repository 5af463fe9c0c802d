#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# lib/profile: folded stacks in, merged and sorted folded stacks or a call
# tree out, by way of tests/unit/profile_show.

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
	show=$PK_BUILDDIR/tests/unit/profile_show
}

# merged: the merged form of standard input, for whole values and names
# without spaces at their ends, computed with awk and sort.
merged() {
	awk '{ v = $NF; sub(/ [^ ]*$/, ""); n[$0] += v }
		END { for (s in n) if (n[s]) print s "\001" n[s] }' |
		sort | tr '\001' ' '
}

# stacks SEED LINES: few names, so that many stacks are equal or begin alike.
stacks() {
	awk -v seed="$1" -v lines="$2" 'BEGIN {
		srand(seed)
		n = split("a ab a:b abcdefgh abcdefghi ! ~ " \
			"std::vector<int,std::allocator<int>>::push_back(int&&) " \
			"0123456789012345678901234567890123456789012345678901234567890123 " \
			"01234567890123456789012345678901234567890123456789012345678901234 " \
			"0123456789012345678901234567890123456789012345678901234567890123_x",
			name, " ")
		for (; lines; lines--) {
			stack = name[int(rand() * 3) + 1]
			for (d = int(rand() * 6); d; d--)
				stack = stack ";" name[int(rand() * n) + 1]
			print stack, int(rand() * 20)
		}
	}'
}

@test "equal stacks are added up, and the output is sorted bytewise" {
	local seed
	for seed in 1 2 3 4 5; do
		stacks $seed $((seed * seed * 40)) >in
		"$show" write in >out
		merged <in >expected
		cmp out expected
	done
}

@test "a name that ends where another goes on sorts as text does" {
	printf 'a;b 1\na b 2\na!;b 3\na 4\naa 5\na;b;c 6\na;b c 7\n' >in
	run -0 "$show" write in
	[ "$output" = $'a 4\na b 2\na!;b 3\na;b 1\na;b c 7\na;b;c 6\naa 5' ]
}

@test "names may hold any byte but newline and semicolon" {
	printf 'a\0b 1\na 2\na\0 3\n\377\200;x 4\na\0b 5\n\1 6\n' >in
	"$show" write in >out
	printf '\1 6\na 2\na\0 3\na\0b 6\n\377\200;x 4\n' >expected
	cmp out expected
}

@test "blank lines, line ends of other systems and a missing last newline are fine" {
	printf 'a;b 1\r\n\n   \na;b 2  \t\n\r\na;c 3' >in
	run --separate-stderr -0 "$show" write in
	[ "$output" = $'a;b 3\na;c 3' ]
	[ -z "$stderr" ]
}

@test "names keep their spaces, and only the last field is the value" {
	printf 'void f(int, char) ;  g 1\nx 2 y 3\n' >in
	run -0 "$show" write in
	[ "$output" = $'void f(int, char) ;  g 1\nx 2 y 3' ]
}

@test "empty names are names" {
	printf ';a 1\na; 2\n; 3\n 4\n' >in
	run -0 "$show" write in
	[ "$output" = $' 4\n; 3\n;a 1\na; 2' ]
}

@test "lines without a value are skipped and counted" {
	printf 'a\nb x\nc 1e999\nd nan\ne 0x10\nf 1 \ng 2\n' >in
	run --separate-stderr -0 "$show" write in
	[ "$output" = $'f 1\ng 2' ]
	[[ $stderr == *'5 lines without a value skipped'* ]]
}

@test "fractions add up to what people expect" {
	for i in 1 2 3 4 5 6 7 8 9 10; do echo 'a 0.1'; done >in
	printf 'b 1e3\nb .5\nc 1.25e-3\nd 9007199254740992\ne 3.000\n' >>in
	run -0 "$show" write in
	[ "$output" = $'a 1\nb 1000.5\nc 0.00125\nd 9007199254740992\ne 3' ]
}

@test "values that add up to nothing are left out" {
	printf 'a 1\na -1\nb 2\nc 0\n' >in
	run -0 "$show" write in
	[ "$output" = 'b 2' ]
}

@test "a file is two-column only when all its lines are" {
	printf 'a 1 2\nb 3 4\na 5 6\n' >two
	printf 'a 1 2\nb 3\n' >one
	run -0 "$show" write two
	[ "$output" = $'a 6 8\nb 3 4' ]
	run -0 "$show" write one
	[ "$output" = $'a 1 2\nb 3' ]
}

@test "one column that follows two counts in both" {
	printf 'a 1 2\n' >two
	printf 'a 3\nb 4\n' >one
	run -0 "$show" write two one
	[ "$output" = $'a 4 5\nb 4 4' ]
}

@test "lines and stacks of any length are read" {
	awk 'BEGIN {
		for (i = 0; i < 100000; i++)
			printf "%sframe_%d", i ? ";" : "", i % 1000
		print " 7"
		for (i = 0; i < 1500000; i++)
			printf "x"
		print ";y 1"
		print "a 1"
	}' >in
	"$show" write in >out
	sort in >expected
	cmp out expected
	"$show" write out >again
	cmp out again
}

# Some 9 MB: enough to be read by two threads.
large() {
	awk -v fraction="$1" 'BEGIN {
		srand(7)
		for (i = 0; i < 60000; i++) {
			printf "main"
			for (d = 0; d < 12; d++)
				printf ";name_space::function_%d", int(rand() * rand() * 40)
			print "", 1 + i % 7 (i == 50000 ? fraction : "")
		}
	}'
}

# alone COMMAND...: on one processor only.
alone() {
	taskset -c "$(sed -nE 's/^Cpus_allowed_list:[[:space:]]*([0-9]+).*/\1/p' \
		/proc/self/status)" "$@"
}

@test "a large file gives the same as its lines added up one by one" {
	large '' >in
	[ "$(wc -c <in)" -gt 9000000 ]
	"$show" write in >out
	merged <in >expected
	cmp out expected
	alone "$show" write in >out
	cmp out expected
	"$show" write - <in >out
	cmp out expected
	cat in | "$show" write - >out
	cmp out expected
	gzip -1 in
	"$show" write in.gz >out
	cmp out expected
}

# Sums that differ by how they are bracketed: a value so large that those after
# it are lost, and which is taken away again at the end.
lossy() {
	printf 'x %s\n' "$1"
	large ''
	for i in 1 2 3 4 5 6 7 8 9; do printf 'x %s\n' "$2"; done
	printf 'x -%s\n' "$1"
}

@test "a large file whose sums are not exact gives the same on one processor and many" {
	for values in '1e17 1' '4503599627370496 .3'; do
		lossy $values >in
		[ "$(wc -c <in)" -gt 9000000 ]
		"$show" write in >many
		alone "$show" write in >one
		cmp one many
		cat in | "$show" write - >one
		cmp one many
		! grep '^x' many
	done
	{ large ''; for i in 1 2 3; do echo 'x 1'; done; } >in
	for first in 'x 9007199254740992' 'x 0.5'; do
		echo "$first" >before
		"$show" write before in >many
		alone "$show" write before in >one
		cmp one many
	done
}

@test "a large file of which the first part was read as lines is not lost" {
	{ printf 'main;first 1000\n'; large ''; printf 'main;last 2000'; } >in
	"$show" write in >out
	grep -qx 'main;first 1000' out
	grep -qx 'main;last 2000' out
	merged <in >expected
	cmp out expected
}

@test "a tree has a node for every parent and name, children in order" {
	printf 'main;b;c 1\nmain;a 2\nmain;b 4\nmain;b;a 8\nother 16\n' >in
	run -0 "$show" tree 0 0 99 in
	[ "$output" = "0 0 31 0 (root)
1 0 15 0 main
2 0 2 2 a
2 2 13 4 b
3 6 8 8 a
3 14 1 1 c
1 15 16 16 other
7 nodes, 3 deep; 3 kept" ]
}

@test "a tree keeps what weighs enough and lies not too deep" {
	printf 'main;b;c 1\nmain;a 2\nmain;b 4\nmain;b;a 8\nother 16\n' >in
	run -0 "$show" tree 0 8 2 in
	[ "$output" = "0 0 31 0 (root)
1 0 15 0 main
2 2 13 4 b
1 15 16 16 other
7 nodes, 3 deep; 2 kept" ]
}

@test "a tree of two columns has both, and the widths of the one asked for" {
	printf 'm;a 1 10\nm;b 2 0\nm;c 3 30\n' >in
	run -0 "$show" tree 1 0 99 in
	[ "$output" = "0 0 6/40 0/0 (root)
1 0 6/40 0/0 m
2 0 1/10 1/10 a
2 10 3/30 3/30 c
5 nodes, 2 deep; 2 kept" ]
	run -0 "$show" tree 0 0 99 in
	[ "${lines[3]}" = '2 1 2/0 2/0 b' ]
	[ "${lines[4]}" = '2 3 3/30 3/30 c' ]
}
