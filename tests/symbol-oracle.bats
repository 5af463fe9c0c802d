#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Inlined calls and lines of real programs, at 1,000 addresses each: those at
# which they were sampled, and others of their code up to that number.

setup() {
	load helper
	load symbol
	cd "$BATS_TEST_TMPDIR" || return
	need_profiling
}

# own PROGRAM COMPILER: tools/PROGRAM.c of this project, built with it.
own() {
	local layers='base profile svg' libraries='-lz -lm'
	if [ "$1" = pk-fold ]; then
		layers='base unwind profile capture symbol process
			import import/text import/machine fold'
		libraries='-ldw -lelf -llzma -liberty -lzstd -lz -lm'
	fi
	# shellcheck disable=SC2086,SC2046 # lists of words
	"$2" -O2 -g -pthread -include "$PK_BUILDDIR/config.h" \
		-I "$PK_SRCDIR/lib" -I "$PK_BUILDDIR/lib" -I "$PK_BUILDDIR" \
		-o "$1" "$PK_SRCDIR/tools/$1.c" \
		$(printf "$PK_SRCDIR/lib/%s/*.c " $layers) \
		$([ "$1" = pk-fold ] || echo "$PK_BUILDDIR/lib/svg/assets.c") \
		$libraries
	echo "$PWD/$1"
}

# What pk-flamesvg is given to draw.
stacks() {
	awk 'BEGIN { for (i = 0; i < 60000; i++) {
		for (k = 0; k < 12; k++)
			printf "function_%d;", (i * 31 + k * k * 7) % (50 + 9 * k)
		print "leaf" i % 997, i + 1 } }'
}

# record COMMAND...: a.pkc, at several thousand samples a second.
record() {
	pk-sample -F 4999 -o a.pkc "$@" >/dev/null 2>said
}

# choose FILE: `addresses`, 1,000 of FILE's code: those in a.pkc first.
choose() {
	awk -v path="$1" '
		$1 == "mod" && $5 == path { mod[$2] }
		$1 == "f" && $4 in mod { print $5 }' a.pkc | sort -u |
		head -n 1000 >sampled
	some_addresses "$1" 4000 | cat sampled - | awk '!seen[$1]++' |
		head -n 1000 >addresses
	[ "$(wc -l <addresses)" -eq 1000 ]
	echo "${1##*/}: $(wc -l <sampled) sampled addresses of 1000"
	[ "$(wc -l <sampled)" -ge 50 ]
}

# ask FILE: what we and three others say at these addresses. Debian's libc has
# only relative paths, which each puts together in its own way: of those what
# counts is the file's name.
ask() {
	local who
	sed 's/^/0x/' addresses >hex
	lookup "$1" <addresses | our_frames >ours
	eu-addr2line -e "$1" -a -i -f <hex | their_frames >eu
	llvm-symbolizer -e "$1" -a -i -f --no-demangle --output-style=GNU \
		<hex | their_frames >llvm
	addr2line -e "$1" -a -i -f <hex | their_frames >bfd
	for who in ours eu llvm bfd; do
		sed -E 's, [^/ ][^ ]*/([^/ ]*)$, \1,' $who >cut
		mv cut $who
	done
	[ "$(grep -vc ' = ' ours)" -gt 150 ]
}

# differing A B: the addresses at which they differ.
differing() {
	diff "$1" "$2" | sed -n 's/^[<>] \([0-9a-f]*\) .*/\1/p' | sort -u
}

# places WHO ADDRESSES: without names. addr2line calls an inlined function
# like the one around it where that has a symbol and it has not.
places() {
	grep -wFf "$2" "$1" | awk '{ print $1, $NF }'
}

# What eu-addr2line 0.188 says is accepted as a mistake of its own only where
# both llvm-symbolizer and binutils' addr2line say what we say. It leaves out
# a caller, or repeats one, where a function was inlined into itself or a
# destructor into its deleting twin, it takes one of several calls on one
# line of a macro for another, and it gives the C library's start files, which
# have no lines, those of the code before them.
equal_eu_addr2line() {
	ask "$1"
	differing eu ours >mistakes
	echo "$(wc -l <mistakes) of 1000 by eu-addr2line's own mistakes:"
	grep -wFf mistakes eu || true
	differing llvm ours >against
	[ -z "$(grep -xFf mistakes against)" ]
	diff <(places bfd mistakes) <(places ours mistakes)
	[ "$(wc -l <mistakes)" -le 20 ]
}

equal_llvm_symbolizer() {
	ask "$1"
	diff llvm ours
	echo "0 of 1000 differ"
}

@test "1,000 addresses of a C++ program by gcc are eu-addr2line's" {
	local program
	need eu-addr2line elfutils
	need llvm-symbolizer llvm
	CXX=g++
	program=$(build_program cxxstacks -O2 -g)
	record "$program" 0.5
	choose "$program"
	equal_eu_addr2line "$program"
}

@test "1,000 addresses of a C program by gcc are eu-addr2line's" {
	local program
	need eu-addr2line elfutils
	need llvm-symbolizer llvm
	program=$(own pk-flamesvg gcc)
	stacks >stacks.folded
	record "$program" -o x.svg stacks.folded
	choose "$program"
	equal_eu_addr2line "$program"
}

@test "1,000 addresses of the C library are eu-addr2line's" {
	local libc
	need eu-addr2line elfutils
	need llvm-symbolizer llvm
	libc=$(ldd /bin/sort | awk '/libc\.so/ { print $3 }')
	libc=$(realpath "$libc")
	[ -e "/usr/lib/debug/.build-id/$(readelf -n "$libc" |
		sed -n 's/.*Build ID: \(..\)/\1\//p').debug" ] ||
		skip "the C library's debug information: install libc6-dbg"
	stacks >stacks.folded
	record sh -c 'sort -R stacks.folded | cut -d" " -f2 | sort -g |
		awk "{ n[\$1 % 77] += sin(\$1) } END { print length(n) }"
		for i in 1 2 3 4 5 6 7 8 9; do ls -lR /usr/lib | head -9999; done'
	choose "$libc"
	equal_eu_addr2line "$libc"
}

@test "1,000 addresses of a C++ program by clang are llvm-symbolizer's" {
	local program
	need clang++ clang
	need llvm-symbolizer llvm
	CXX=clang++
	program=$(build_program cxxstacks -O2 -g)
	record "$program" 0.5
	choose "$program"
	equal_llvm_symbolizer "$program"
}

@test "1,000 addresses of a C program by clang are llvm-symbolizer's" {
	local program
	need clang
	need llvm-symbolizer llvm
	program=$(own pk-flamesvg clang)
	stacks >stacks.folded
	record "$program" -o x.svg stacks.folded
	choose "$program"
	equal_llvm_symbolizer "$program"
}

@test "1,000 addresses of a larger C program by clang are llvm-symbolizer's" {
	local program
	need clang
	need llvm-symbolizer llvm
	program=$(own pk-fold clang)
	stacks >stacks.folded
	record "$BATS_TEST_TMPDIR/pk-fold" stacks.folded stacks.folded
	choose "$program"
	equal_llvm_symbolizer "$program"
}
