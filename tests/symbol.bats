#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Names, lines and inlined calls of addresses: lib/symbol through the small
# programs in tests/unit, against eu-addr2line and llvm-symbolizer.

setup() {
	load helper
	unit=$PK_BUILDDIR/tests/unit
	cd "$BATS_TEST_TMPDIR" || return
}

lookup() {
	"$unit/symbol_lookup" "$@"
}

# some_addresses FILE N: about N addresses spread over FILE's code, without
# the padding and the C library's start files: they have no lines, but
# eu-addr2line gives them those of the code before.
some_addresses() {
	objdump -d --no-show-raw-insn -j .text "$1" |
		awk -v n="$2" '
			/^[0-9a-f]+ <.*>:$/ {
				start = $2 ~ /^<(_start|(de)?register_tm_clones|__do_global_dtors_aux|frame_dummy)>/
			}
			/^ *[0-9a-f]+:\t/ && !start && !/nop|xchg   %ax,%ax/ {
				sub(":", "", $1)
				a[c++] = $1
			}
			END { step = int(c / n) + 1
			      for (i = 0; i < c; i += step) print a[i] }'
}

# address_of FILE SYMBOL: in hexadecimal, without leading zeros.
address_of() {
	nm "$1" | awk -v name="$2" '$3 == name { sub("^0+", "", $1); print $1 }'
}

# Frames as `ADDRESS NAME FILE:LINE`, the outermost one's name as `=`: there
# the symbol table's is shown, which differs from DWARF's on purpose. Without
# a line, no file either.
shorten='
function path(p) {
	gsub("/\\./", "/", p)
	while (sub("/[^/.]+/\\.\\./", "/", p)) {}
	return p
}
function show(address, name, where) {
	if (where ~ /:[0?]+$/ || where == "") where = "-"
	print address, name, path(where)
}'

our_frames() {
	awk -F'\t' "$shorten"' NF == 4 {
		show($1, $2 == "i" ? $3 : "=", $4) }'
}

# eu-addr2line and llvm-symbolizer print the address, then for each frame
# the name and the place.
their_frames() {
	awk "$shorten"'
	function flush(i) {
		for (i = 1; i <= n; i++)
			show(address, i < n ? name[i] : "=", where[i])
		n = 0
	}
	/^0x/ { flush(); address = $1; sub("^0x0*", "", address); next }
	$0 == "" { next }
	!half { sub(" inlined at .*", ""); name[n + 1] = $0; half = 1; next }
	{
		sub(" .discriminator.*", "")
		if (/:[0-9]+:[0-9]+$/) # eu-addr2line has the column, too
			sub(":[0-9]+$", "")
		where[++n] = $0
		half = 0
	}
	END { flush() }'
}

# frames_of ORACLE FILE: ours and theirs at 500 addresses.
frames_of() {
	some_addresses "$2" 500 >addresses
	[ "$(wc -l <addresses)" -gt 300 ]
	lookup "$2" <addresses | our_frames >ours
	sed 's/^/0x/' addresses >hex
	case $1 in
	eu) eu-addr2line -e "$2" -a -i -f <hex ;;
	llvm) llvm-symbolizer -e "$2" -a -i -f --no-demangle \
		--output-style=GNU <hex ;;
	esac | their_frames >theirs
	[ "$(grep -vc ' = ' theirs)" -gt 200 ]
}

same_as() {
	frames_of "$@"
	diff theirs ours
}

# eu-addr2line leaves out a caller, or repeats one, at some addresses of a
# call inlined twice into itself, where llvm-symbolizer says what we say.
nearly_same_as() {
	frames_of "$@"
	diff theirs ours | sed -n 's/^[<>] \([0-9a-f]*\) .*/\1/p' |
		sort -u >different
	cat different
	[ "$(wc -l <different)" -le 4 ]
}

@test "inlined calls and lines of a gcc program are eu-addr2line's" {
	need eu-addr2line elfutils
	need llvm-symbolizer llvm
	nearly_same_as eu "$(build_program cxxstacks -O2 -g)"
	same_as llvm "$(build_program cxxstacks -O2 -g)"
	nearly_same_as eu "$(build_program cxxstacks -O3 -gdwarf-4)"
	same_as llvm "$(build_program cxxstacks -O3 -gdwarf-4)"
}

@test "inlined calls and lines of a clang program are llvm-symbolizer's" {
	need clang++ clang
	need llvm-symbolizer llvm
	CXX=clang++
	same_as llvm "$(build_program cxxstacks -O2 -g)"
	same_as llvm "$(build_program cxxstacks -O2 -gdwarf-4)"
}

@test "split DWARF gives the same as DWARF in one file" {
	need llvm-symbolizer llvm
	$CXX -O2 -g -gsplit-dwarf -c "$PK_SRCDIR/tests/programs/cxxstacks.cc" \
		-o split.o
	$CXX split.o -o split -pthread
	[ -e split.dwo ]
	same_as llvm "$PWD/split"
}

@test "compressed debug sections are read" {
	local file
	need llvm-symbolizer llvm
	file=$(build_program cxxstacks -O2 -g -gz)
	readelf -tW "$file" | grep -q ZLIB
	same_as llvm "$file"
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

# split_debug [FLAG...]: prog, stripped, and prog.debug; $addr is in main.
split_debug() {
	cat >prog.c <<-'EOF'
	static inline int twice(int x) { return x * 2; }
	int main(int argc, char **argv)
	{
		(void)argv;
		return twice(argc);
	}
	EOF
	$CC -O1 -g prog.c -o prog "$@"
	addr=$(address_of prog main)
	id=$(readelf -n prog | sed -n 's/.*Build ID: //p')
	objcopy --only-keep-debug prog prog.debug
	strip prog
}

# named FILE [OPTION...]: the function at $addr in the module FILE.
named() {
	local file=$1
	shift
	echo "$addr" | lookup "$@" "$PWD/$file" >out
	head -1 out | cut -f3
}

@test "a debug link is followed beside the module and into .debug" {
	split_debug
	[ "$(named prog)" = "" ]
	grep -q '^problem 4 dwarf 0' out
	objcopy --add-gnu-debuglink=prog.debug prog linked
	[ "$(named linked)" = twice ]
	[ "$(sed -n 2p out | cut -f3,4)" = "main	$PWD/prog.c:5" ]
	grep -q '^problem 0 dwarf 1' out
	mkdir .debug
	mv prog.debug .debug/
	[ "$(named linked)" = twice ]
	mkdir -p "debug$PWD"
	mv .debug/prog.debug "debug$PWD/"
	[ "$(named linked)" = "" ]
	[ "$(named linked -d "$PWD/debug")" = twice ]
}

@test "a debug link's file with another checksum is refused" {
	split_debug -Wl,--build-id=none
	objcopy --add-gnu-debuglink=prog.debug prog linked
	[ "$(named linked)" = twice ]
	printf x >>prog.debug
	[ "$(named linked)" = "" ]
}

@test "a debug link's file with another build id is refused" {
	split_debug
	objcopy --add-gnu-debuglink=prog.debug prog linked
	echo 'int main(void) { return 0; }' | $CC -g -x c - -o other
	objcopy --only-keep-debug other prog.debug
	[ "$(named linked)" = "" ]
}

# Puts prog.debug under DIR as a package of debug symbols would.
install_debug() {
	mkdir -p "$1/.build-id/${id:0:2}"
	cp prog.debug "$1/.build-id/${id:0:2}/${id:2}.debug"
}

@test "a debug file is found by build id, even when the module is gone" {
	split_debug
	install_debug dbg
	[ "$(named prog)" = "" ]
	[ "$(named prog -d "$PWD/none" -d "$PWD/dbg")" = twice ]
	[ "$(named prog -d "$PWD/dbg" -b "$id")" = twice ]
	rm prog
	[ "$(named prog -d "$PWD/dbg" -b "$id")" = twice ]
	grep -q '^problem 0 dwarf 1' out
}

@test "a debug file that lies about its build id is not used" {
	split_debug
	echo 'int main(void) { return 0; }' | $CC -g -x c - -o prog.debug
	install_debug dbg
	[ "$(named prog -d "$PWD/dbg")" = "" ]
}

@test "a sysroot's module and debug files are used, and only those" {
	split_debug
	mkdir -p "root$PWD"
	mv prog "root$PWD/"
	[ "$(named prog)" = "" ]
	grep -q '^problem 1 ' out
	install_debug root/usr/lib/debug
	[ "$(named prog -r "$PWD/root")" = twice ]
	cp "root$PWD/prog" prog
	rm -r root
	[ "$(named prog -r "$PWD/root")" = "" ]
	grep -q '^problem 1 ' out
}

@test "a module with another build id is said and not used" {
	echo 'int main(void) { return 0; }' | $CC -g -x c - -o prog
	addr=$(address_of prog main)
	[ "$(named prog -b 00112233445566778899aabbccddeeff00112233)" = "" ]
	grep -q '^problem 2 dwarf 0' out
	id=$(readelf -n prog | sed -n 's/.*Build ID: //p')
	[ "$(named prog -b "$id")" = main ]
}

@test "a module without build id is told by size and time" {
	echo 'int main(void) { return 0; }' |
		$CC -g -x c - -o prog -Wl,--build-id=none
	addr=$(address_of prog main)
	size=$(stat -c %s prog)
	[ "$(named prog -b "$size:$(stat -c %Y prog)")" = main ]
	touch -d @1500000000.25 prog
	[ "$(named prog -b "$size:1500000000250000000")" = main ]
	[ "$(named prog -b "$size:1500000001")" = "" ]
	grep -q '^problem 2 ' out
	[ "$(named prog -b "$((size + 1)):1500000000")" = "" ]
}

@test "what is missing or no ELF file is said" {
	addr=10
	[ "$(named missing)" = "" ]
	grep -q '^problem 1 ' out
	echo text >text
	[ "$(named text)" = "" ]
	grep -q '^problem 3 ' out
	mkfifo fifo
	run -0 timeout 5 "$unit/symbol_lookup" "$PWD/fifo" <<<10
	[[ $output == *"problem 3 "* ]]
}

@test "a stripped library has its dynamic symbols, and lacks the rest" {
	cat >lib.c <<-'EOF'
	__attribute__((noinline)) static int hidden(int x) { return x * 3; }
	int visible(int x) { return hidden(x) + hidden(x + 1); }
	EOF
	$CC -O1 -shared -fPIC lib.c -o lib.so
	hidden=$(address_of lib.so hidden)
	addr=$(address_of lib.so visible)
	strip lib.so
	[ "$(named lib.so)" = visible ]
	grep -q '^problem 4 dwarf 0' out
	addr=$hidden
	[ "$(named lib.so)" = "" ]
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
	sed 's/^[0-9a-f]*/0000000000000000/' kallsyms >hidden
	run -1 "$unit/symbol_table" kallsyms hidden
	[ "$output" = "refused: the addresses are hidden" ]
	run -1 "$unit/symbol_table" kallsyms missing
	[ "$output" = "refused: it cannot be read" ]
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
	libz=$(ldd "$PK_BUILDDIR/tools/pk-fold" | awk '/libz/ { print $3 }')
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
	# More than there is memory for.
	cp "$twelve" sparse
	truncate -s 1T sparse
	run -1 limited sparse
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
	for ((round = 0; round < 16; round++)); do
		cp whole damaged
		for ((i = 0; i < 16; i++)); do
			printf '%b' "\\x$(printf %x $((RANDOM % 256)))" |
				dd of=damaged bs=1 conv=notrunc status=none \
					seek=$(((RANDOM << 15 | RANDOM) % size))
		done
		timeout 20 "$unit/symbol_lookup" -n short "$PWD/damaged" \
			<addresses >out || {
			echo "round $round: status $?"
			return 1
		}
		head -c $((size * round / 16)) whole >cut
		timeout 20 "$unit/symbol_lookup" "$PWD/cut" <addresses >out
	done
}

@test "the network is never asked" {
	split_debug
	addr=$(printf '%x' $((0x$addr)))
	echo "$addr" | DEBUGINFOD_URLS=http://127.0.0.1:9 LD_DEBUG=files \
		"$unit/symbol_lookup" "$PWD/prog" >out 2>loads
	grep -q libdw loads
	run ! grep -q debuginfod loads
}

@test "a unit that names a fifo is not followed" {
	local addr dwo
	cat >d.c <<-'END'
		int third(int x) { return x / 3; }
	END
	$CC -g -O1 -gsplit-dwarf -shared -fPIC -o d.so d.c
	dwo=$(ls ./*.dwo)
	rm "$dwo"
	mkfifo "$dwo"
	addr=$(nm d.so | sed -n 's/ T third$//p' | sed 's/^0*//')
	printf '%s\n' 'pk-capture 1' 'event 1 ns 1 c' 'proc 0 1 0 start p' \
		"mod 1 - v $PWD/d.so" "f 1 0 1 $addr" 's 0 1 1 0 1 1 1' end \
		>a.pkc
	run -0 timeout 20 pk-fold a.pkc
	[ "$output" = 'p;third 1' ]
}

@test "modules that are fifos, devices or folders are no files" {
	local path
	mkfifo fifo
	for path in "$PWD/fifo" /dev/zero /proc/self/mem "$PWD"; do
		printf '%s\n' 'pk-capture 1' 'event 1 ns 1 c' \
			'proc 0 1 0 start p' "mod 1 - v $path" 'f 1 0 1 10' \
			's 0 1 1 0 1 1 1' end >a.pkc
		run --separate-stderr -0 timeout 20 pk-fold a.pkc
		[ "$output" = "p;[${path##*/}] 1" ]
	done
}
