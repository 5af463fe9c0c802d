#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Names and symbol tables: lib/symbol through the small programs in
# tests/unit.

setup() {
	load helper
	load symbol
	cd "$BATS_TEST_TMPDIR" || return
}

@test "answers do not depend on the order of questions" {
	local file
	file=$(build_program cxxstacks -O2 -g)
	some_addresses "$file" 500 >addresses
	lookup "$file" <addresses | sort >forwards
	tac addresses | lookup "$file" | sort >backwards
	awk '{ print NR * 7919 % 1009, $1 }' addresses | sort -n | cut -d' ' -f2 |
		lookup "$file" | sort >mixed
	cmp forwards backwards
	cmp forwards mixed
}

@test "when there are more frames than room, the outer ones are kept" {
	local file
	file=$(build_program cxxstacks -O2 -g)
	some_addresses "$file" 300 >addresses
	lookup "$file" <addresses |
		awk -F'\t' '$2 == "-" { last[NR] = $0 } NF == 4 { prev = $0 }
			$2 == "-" { print }' >outermost
	lookup -m 1 "$file" <addresses >one
	diff <(cut -f1,3 outermost) <(grep -v ^problem one | cut -f1,3)
	[ "$(grep -c "^[0-9a-f]*	i" one)" -eq 0 ]
}

@test "without inlined calls an address has one frame, with its own line" {
	local file
	file=$(build_program cxxstacks -O2 -g)
	some_addresses "$file" 300 >addresses
	lookup "$file" <addresses >with
	lookup -I "$file" <addresses >without
	[ "$(grep -vc ^problem without)" -eq "$(wc -l <addresses)" ]
	diff <(grep -v ^problem with | sort -s -u -k1,1 | cut -f1,4) \
		<(grep -v ^problem without | sort -s -k1,1 | cut -f1,4)
}

@test "an address as file offset is the same as the virtual address" {
	cat >o.c <<-'EOF'
	int puts(const char *);
	int main(void) { return puts("x"); }
	EOF
	$CC -g o.c -o o
	addr=$(address_of o main)
	read -r offset vaddr < <(readelf -lW o |
		awk '$1 == "LOAD" && / R E / { print $2, $3 }')
	printf '%x\n' $((0x$addr - vaddr + offset)) >offsets
	lookup -o "$PWD/o" <offsets >out
	[ "$(cut -f3,4 out | head -1)" = "main	$PWD/o.c:2" ]
	# one that differs, so that the offset cannot pass for the address
	$CC -g o.c -o o2 -no-pie
	addr=$(address_of o2 main)
	printf '%x\n' $((0x$addr - 0x400000)) >offsets
	lookup -o "$PWD/o2" <offsets >out
	[ "$(cut -f3 out | head -1)" = main ]
}

# plt_names FILE: names ending in @plt, by address, as objdump has them and
# as we have.
plt_names() {
	objdump -d "$1" | sed -n 's/^0*\([0-9a-f]*\) <\(.*@plt\)>:$/\1 \2/p' |
		grep -v ABS | sort >theirs
	cut -d' ' -f1 theirs | lookup "$PWD/$1" |
		awk -F'\t' 'NF == 4 { print $1, $3 }' | sort >ours
	[ -s theirs ]
	diff theirs ours
}

@test "entries of procedure linkage tables are called name@plt" {
	cat >plt.c <<-'EOF'
	#include <stdio.h>
	#include <stdlib.h>
	int main(int argc, char **argv)
	{
		return printf("%s", argv[0]) + atoi(argv[argc - 1]) +
		       (getenv("X") != NULL);
	}
	EOF
	for flags in "-fcf-protection=none -Wl,-z,lazy" \
		"-fcf-protection=full -Wl,-z,ibtplt,-z,lazy" \
		"-Wl,-z,now" "-no-pie"; do
		# shellcheck disable=SC2086
		$CC -O1 $flags plt.c -o plt
		plt_names plt
		strip plt
		cut -d' ' -f1 theirs | lookup "$PWD/plt" |
			awk -F'\t' 'NF == 4 { print $1, $3 }' | sort | diff theirs -
	done
}

@test "code between sized symbols has no name, assembler code runs on" {
	cat >asm.s <<-'EOF'
		.text
		.globl sized, labelled, main
		.type sized, @function
	sized:	nop
		nop
		.size sized, 1
		.balign 16
	labelled:
		nop
		nop
	.Llocal: nop
	main:	nop
		ret
	EOF
	$CC -nostdlib -Wl,-e,main asm.s -o asm -static
	base=0x$(address_of asm sized)
	for offset in 0 1 16 17 18 19 20; do
		printf '%x\n' $((base + offset))
	done | lookup "$PWD/asm" | awk -F'\t' 'NF == 4 { print $3 }' >names
	diff - names <<-'EOF'
	sized

	labelled
	labelled
	labelled
	main
	main
	EOF
}

@test "of several names for one address the public and plain one is shown" {
	cat >alias.s <<-'EOF'
		.text
		.globl main, __name, name, longer_name
		.weak awk
		.type aaa, @function
		.type awk, @function
		.type __name, @function
		.type name, @function
		.type longer_name, @function
	aaa: awk: __name: name: longer_name: nop
	label:	nop
	.set end, .
		.size aaa, 2
		.size awk, 2
		.size __name, 2
		.size name, 2
		.size longer_name, 2
	main:	ret
	EOF
	$CC -nostdlib -Wl,-e,main alias.s -o alias -static
	addr=$(address_of alias name)
	[ "$(named alias)" = name ]
	addr=$(printf '%x' $((0x$addr + 1)))
	[ "$(named alias)" = name ]
}

@test "a split-off cold part is told from its function" {
	local file cold
	file=$(build_program cxxstacks -O2 -g)
	cold=$(nm "$file" | awk '$3 ~ /\.cold$/ { print $1, $3; exit }')
	[ -n "$cold" ]
	echo "${cold%% *}" | lookup "$file" >out
	[ "$(grep "	-	" out | cut -f3)" = "${cold#* }" ]
	echo "${cold%% *}" | lookup -n short "$file" >out
	[[ $(grep "	-	" out | cut -f3) != *cold* ]]
}

@test "a function has one name, inlined or not" {
	local file
	file=$(build_program cxxstacks -O2 -g)
	some_addresses "$file" 2000 | lookup -n short "$file" >out
	grep -q "	i	(anonymous namespace)::" out
	# nothing of the program itself is shown without its namespace
	run ! grep -E "	i	(journey|travel|work|spend)	" out
}

@test "short and full names" {
	local name short full
	while IFS='|' read -r name short full; do
		run -0 "$unit/symbol_demangle" <<<"$name"
		echo "$name: ${lines[0]} | ${lines[1]}"
		[ "${lines[0]#? }" = "$short" ]
		[ "${lines[1]#? }" = "${full:-$short}" ]
	done <"$(data symbol/names)"
}

@test "raw names are shown as they are" {
	cat >raw.cc <<-'EOF'
	namespace a { int f(int x) { return x; } }
	int main() { return a::f(0); }
	EOF
	$CXX -g raw.cc -o raw
	addr=$(address_of raw _ZN1a1fEi)
	[ "$(named raw)" = _ZN1a1fEi ]
	[ "$(named raw -n short)" = a::f ]
	[ "$(named raw -n full)" = "a::f(int)" ]
}

@test "a mangled name of 1 MB stays as it is" {
	{
		printf _Z1f
		head -c 1000000 /dev/zero | tr '\0' P
		echo i
	} >huge
	run -0 timeout 10 "$unit/symbol_demangle" <huge
	diff <(printf '0 %s\n' "$(cat huge)" "$(cat huge)") <(echo "$output")
}

@test "a name that would explode when demangled stays as it is" {
	# f<pair<int,int>, pair<previous,previous>, ...>: doubles each time
	digits=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ
	args=
	for ((i = 1; i < 33; i++)); do
		args+=S0_IS${digits:i:1}_S${digits:i:1}_E
	done
	bomb=_Z1fISt4pairIiiE${args}EvT_
	small=_Z1fISt4pairIiiES0_IS1_S1_EEvT_
	run -0 timeout 10 "$unit/symbol_demangle" <<<"$small"
	[ "${lines[0]}" = "1 f<std::pair<int, int>, std::pair<std::pair<int, int>, std::pair<int, int> > >" ]
	run -0 timeout 10 "$unit/symbol_demangle" <<<"$bomb"
	[ "${lines[0]}" = "0 $bomb" ]
	[ "${lines[1]}" = "0 $bomb" ]
	run -0 "$unit/symbol_demangle" 20 <<<"$small"
	[ "${lines[0]}" = "0 $small" ]
	# deep rather than wide, and longer than libiberty itself accepts
	deep=_Z1f$(printf 'P%.0s' {1..3000})i
	run -0 timeout 10 "$unit/symbol_demangle" <<<"$deep"
	[ "${#lines[@]}" -eq 2 ]
	# D's demangler cannot be stopped, so it is not started
	d=_D1fFHiiHQeQg
	run -0 "$unit/symbol_demangle" <<<"${d}Zv"
	[ "${lines[1]}" = "1 f(int[int], int[int][int[int]])" ]
	d+=$(printf 'HQgQi%.0s' {1..30})Zv
	run -0 timeout 10 "$unit/symbol_demangle" <<<"$d"
	[ "${lines[0]}" = "0 $d" ]
	# Rust's refers to itself
	rust=_RNvB_1100$(printf 'a%.0s' {1..1100})
	run -0 timeout 10 "$unit/symbol_demangle" <<<"$rust"
	[ "${lines[0]}" = "0 $rust" ]
}

@test "kernel symbols: text only, by module, hidden ones refused" {
	printf '%s\n' "ffffffff81000000 T _text" "ffffffff81000100 T _stext" \
		"ffffffff81000100 t local_alias" "ffffffff81000200 W weak" \
		"ffffffff81000300 D data" "ffffffff81000400 t last" \
		"0000000000000000 A cpu" garbage "ffffffffc0002000 t b	[ext4]" \
		"ffffffffc0001000 T a	[ext4]" "ffffffffc0003ff0 t c	[kvm]" \
		>kallsyms
	run -0 "$unit/symbol_table" kallsyms kallsyms
	diff - <(echo "$output") <<-'EOF'
	ffffffff81000000 100 0 _text
	ffffffff81000100 100 0 _stext
	ffffffff81000200 200 0 weak
	ffffffff81000400 1c00 0 last
	ffffffffc0001000 1000 1 a
	ffffffffc0002000 1ff0 1 b
	ffffffffc0003ff0 1010 2 c
	start ffffffff81000100 [kernel]
	start ffffffffc0001000 [ext4]
	start ffffffffc0003ff0 [kvm]
	EOF
	for step in 1 2 3; do
		run -0 "$unit/symbol_table" pick kallsyms $step
	done
	sed 's/^[0-9a-f]*/0000000000000000/' kallsyms >hidden
	run -1 "$unit/symbol_table" kallsyms hidden
	[ "$output" = "refused: the addresses are hidden" ]
	run -1 "$unit/symbol_table" kallsyms missing
	[ "$output" = "refused: it cannot be read" ]
}

@test "a few symbols picked from kallsyms are those of the whole table" {
	awk 'BEGIN {
		for (i = 0; i < 20000; i++) {
			addr = 4096 + int(i / 3) * 48 + i * 16 % 112
			printf "%016x %s f%d%s\n", addr, substr("tTwWD", i % 5 + 1, 1), i,
				(i % 4000 > 3900 ? "\t[m" int(i / 4000) "]" : "")
		} }' >kallsyms
	for step in 1 7 500; do
		run -0 "$unit/symbol_table" pick kallsyms $step
		[[ $output == *" 0 differ" ]]
	done
	sort -r kallsyms >descending
	run -0 "$unit/symbol_table" pick descending 40
	grep -q "^ffff.* [tT] _stext" /proc/kallsyms || return 0
	run -0 "$unit/symbol_table" pick /proc/kallsyms 900
	[[ $output == *" 0 differ" ]]
}

perf_map() {
	"$unit/symbol_table" perf-map "$1" "${2:-$(id -u)}"
}

@test "a perf map: names with spaces, later lines win" {
	printf '%s\n' "1000 100 old function" "2000 10 LazyCompile:*f /a b.js:3" \
		"1040 20 newer" "no line" "3000 0 empty" \
		"fffffffffffffff0 ffff end" "12345678123456781 1 long" >map
	printf '2010 8 last without newline' >>map
	run -0 perf_map map
	diff - <(echo "$output") <<-'EOF'
	1000 40 0 old function
	1040 20 0 newer
	1060 a0 0 old function
	2000 10 0 LazyCompile:*f /a b.js:3
	2010 8 0 last without newline
	fffffffffffffff0 f 0 end
	EOF
}

@test "of a perf map over 64 MB the whole lines of the first 64 MB are read" {
	{
		echo "1000 10 first"
		head -c $((64 * 1024 * 1024 - 20)) /dev/zero | tr '\0' x
		printf '\n2000 10 cut_in_here\n3000 10 behind\n'
	} >map
	run -0 perf_map map
	[ "$output" = 'incomplete: it is larger than 64 MB
1000 10 0 first' ]
	{
		echo "1000 10 first"
		head -c $((64 * 1024 * 1024 - 30)) /dev/zero | tr '\0' x
		printf '\n2000 10 end\n'
	} >map
	run -0 perf_map map
	[ "$output" = $'1000 10 0 first\n2000 10 0 end' ]
}

@test "a perf map of millions of lines that overlap takes little memory" {
	awk 'BEGIN {
		for (i = 0; i < 1048575; i++)
			printf "%x %x n\n", 1048576 - i, 1000000 + 2 * i
		print "1 1 last\n1 1 more"
		while (i++ < 4000000) print "1 1 x" }' >map
	limited=(bash -c 'ulimit -v 250000; exec "$@"' -)
	[ -z "${PK_SANITIZE:-}" ] || limited=()
	run -0 "${limited[@]}" "$unit/symbol_table" perf-map map "$(id -u)"
	[ "$output" = 'incomplete: it has more than 1,048,576 lines
1 1 0 last
2 2f423c 0 n' ]
}

@test "a perf map that is a link, a fifo or another user's is refused" {
	echo "1000 10 f" >map
	ln -s map link
	mkfifo fifo
	run -1 perf_map link
	[ "$output" = "refused: it is a symbolic link" ]
	run -1 timeout 5 "$unit/symbol_table" perf-map fifo "$(id -u)"
	[ "$output" = "refused: it is no regular file" ]
	run -1 perf_map .
	[[ $output == "refused: it is no regular file" ]]
	run -1 perf_map missing
	[ "$output" = "refused: not there" ]
	[ "$(id -u)" -ne 0 ] || chown 12345 map
	run -1 perf_map map 54321
	[ "$output" = "refused: it belongs to another user" ]
	run -0 perf_map map "$(stat -c %u map)"
}

@test "root's perf map is read for everybody" {
	[ "$(id -u)" -eq 0 ] || skip "needs a file of root's: run as root"
	echo "1000 10 f" >map
	run -0 perf_map map 54321
}

@test "the vdso's functions are read from memory" {
	run -0 "$unit/symbol_table" vdso
	grep -q '__vdso_clock_gettime$' <<<"$output"
	echo no >file
	run -1 "$unit/symbol_table" image file
	[ "$output" = "refused: it is no ELF file" ]
}

# functions FILE: `NAME ADDR` of what nm finds defined in code, lower case and
# without the marks of versions.
functions() {
	nm "$@" 2>/dev/null | awk '$2 ~ /^[tTi]$/ && $3 !~ /^[.$]/ {
		sub(/@.*/, "", $3); sub(/^0+/, "", $1); print $3, $1 }' | sort -u
}

@test "a recorder finds in a file, stripped or not, what nm does" {
	need nm binutils
	twelve=$(build_program twelve)
	objcopy --only-keep-debug "$twelve" debug
	strip -o stripped "$twelve"
	run -0 "$unit/symbol_table" file "$twelve"
	# Of several names at one address there is one; nm's others lie there.
	awk 'NR == FNR { at[$1] = $4; next }
		{ n++; if (!($2 in at)) { print; bad = 1 } }
		END { exit bad || n < 15 }' <(cat <<<"$output") \
		<(functions "$twelve")
	grep -q ' printf@plt$' <<<"$output"
	run -0 "$unit/symbol_table" file stripped debug
	diff <("$unit/symbol_table" file "$twelve") <(cat <<<"$output")
	run -0 "$unit/symbol_table" file stripped
	[[ $output != *busy_155* ]]
	# A library has its dynamic symbols left.
	libz=$(ldd "$PK_BUILDDIR/tools/pk-fold" | awk '/libz\.so/ { print $3 }')
	run -0 "$unit/symbol_table" file "$libz"
	awk 'NR == FNR { at[$1] = $4; next }
		{ n++; if (!($2 in at)) { print; bad = 1 } }
		END { exit bad || n < 50 }' <(cat <<<"$output") \
		<(functions -D "$libz")
}

@test "a recorder is not hurt by files that are cut, huge or forged" {
	twelve=$(build_program twelve)
	limited() {
		(ulimit -v 4000000; timeout 20 "$unit/symbol_table" file "$@")
	}
	[ -z "${PK_SANITIZE:-}" ] || limited() {
		timeout 20 "$unit/symbol_table" file "$@"
	}
	for size in 0 10 63 64 1000 10000; do
		head -c $size "$twelve" >cut
		run -1 limited cut
	done
	echo no >text
	run -1 limited text
	# Its tables cut off, its section headers left.
	cp "$twelve" holes
	read -r offset length < <(readelf -SW "$twelve" |
		sed 's/^ *\[ *[0-9]*\] *//' | awk '$1 == ".strtab" { print $4, $5 }')
	dd if=/dev/zero of=holes bs=1 seek=$((16#$offset)) \
		count=$((16#$length)) conv=notrunc status=none
	run -0 limited holes
	[[ $output != *busy_155* ]]
	# Sparse, with four million section headers: the first one's size says
	# how many they are.
	cp "$twelve" huge
	truncate -s 1G huge
	headers=$(readelf -hW "$twelve" |
		awk '/Start of section headers/ { print $5 }')
	printf '\0\0' | dd of=huge bs=1 seek=60 conv=notrunc status=none
	printf '\0\0\100\0' | dd of=huge bs=1 seek=$((headers + 32)) \
		conv=notrunc status=none
	run -1 limited huge
	# Its symbol table said to reach to the end of a file full of holes.
	cp "$twelve" reaching
	truncate -s 3G reaching
	index=$(readelf -SW "$twelve" | sed -n 's/^ *\[ *\([0-9]*\)\] .symtab .*/\1/p')
	perl -e 'print pack "Q", 3 << 30' |
		dd of=reaching bs=1 seek=$((headers + index * 64 + 32)) \
			conv=notrunc status=none
	timeout 10 "$unit/symbol_table" file reaching >out || [ $? -eq 1 ]
	# More than there may be memory for.
	cp "$twelve" sparse
	truncate -s 1T sparse
	limited sparse >/dev/null || [ $? -eq 1 ]
	need python3
	cat >damage.py <<-'END'
		import random, subprocess, sys

		# In the headers, where it hurts most.
		whole = open(sys.argv[2], 'rb').read()
		random.seed(21)
		for round in range(40):
		    damaged = bytearray(whole)
		    for i in range(4):
		        damaged[-1 - random.randrange(2000)] = random.randrange(256)
		    open('damaged', 'wb').write(damaged)
		    status = subprocess.run([sys.argv[1], 'file', 'damaged'],
		                            capture_output=True, timeout=20).returncode
		    if status not in (0, 1):
		        sys.exit('round %d: %d' % (round, status))
	END
	python3 damage.py "$unit/symbol_table" "$twelve"
}

@test "damaged files give no crash and no endless loop" {
	cat >d.cc <<-'EOF'
	#include <vector>
	#include <algorithm>
	int main(int argc, char **) {
		std::vector<int> v(argc, 3);
		std::sort(v.begin(), v.end(), [](int a, int b) { return a > b; });
		return v[0];
	}
	EOF
	$CXX -O2 -g d.cc -o whole
	some_addresses whole 60 >addresses
	size=$(stat -c %s whole)
	RANDOM=20
	for ((round = 0; round < 6; round++)); do
		cp whole damaged
		for ((i = 0; i < 8; i++)); do
			printf '%b' "\\x$(printf %x $((RANDOM % 256)))" |
				dd of=damaged bs=1 conv=notrunc status=none \
					seek=$(((RANDOM << 15 | RANDOM) % size))
		done
		timeout 20 "$unit/symbol_lookup" -n short "$PWD/damaged" \
			<addresses >out || {
			echo "round $round: status $?"
			return 1
		}
		head -c $((size * round / 6)) whole >cut
		timeout 20 "$unit/symbol_lookup" "$PWD/cut" <addresses >out
	done
}
