#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Where names and debug information are found, and what is said where not.

setup() {
	load helper
	load symbol
	cd "$BATS_TEST_TMPDIR" || return
}

# reader [FLAG...]: a library in C with many inlined calls, as $PWD/reader.so.
reader() {
	$CC -O2 -shared -fPIC -include "$PK_BUILDDIR/config.h" \
		-I "$PK_SRCDIR/lib" "$@" -o reader.so \
		"$PK_SRCDIR/lib/capture/read.c"
	echo "$PWD/reader.so"
}

# llvm-symbolizer 14 misses calls in gcc's split DWARF 5 that it finds where the
# same code has its DWARF in one file.
@test "split DWARF gives the same as DWARF in one file" {
	local version
	need llvm-symbolizer llvm
	for version in 4 5; do
		same_as llvm "$(reader -gdwarf-$version)"
		mv ours whole
		reader -gdwarf-$version -gsplit-dwarf
		[ -n "$(ls ./*.dwo)" ]
		lookup "$PWD/reader.so" <addresses | our_frames | diff whole -
		rm ./*.dwo
	done
}

@test "compressed debug sections are read" {
	need llvm-symbolizer llvm
	same_as llvm "$(reader -g -gz)"
	readelf -tW reader.so | grep -q ZLIB
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

@test "a sysroot's module and debug files are used" {
	split_debug
	mkdir -p "root$PWD"
	mv prog "root$PWD/"
	[ "$(named prog)" = "" ]
	grep -q '^problem 1 ' out
	install_debug root/usr/lib/debug
	[ "$(named prog -r "$PWD/root")" = twice ]
}

@test "a sysroot has its modules at their paths or by their names" {
	echo 'int main(void) { return 0; }' | $CC -g -x c - -o prog
	addr=$(address_of prog main)
	id=$(readelf -n prog | sed -n 's/.*Build ID: //p')
	mkdir -p keep "root$PWD"
	cp prog keep/
	mv prog "root$PWD/"
	[ "$(named prog -r "$PWD/root" -b "$id")" = main ]
	[ "$(named prog -r "$PWD/keep" -b "$id")" = main ]
	echo 'int other(void) { return 1; } int main(void) { return 0; }' |
		$CC -g -x c - -o prog
	[ "$(named prog -r "$PWD/keep" -b "$id")" = main ]
	# the one in front is another build
	cp prog "root$PWD/"
	cp keep/prog root/
	[ "$(named prog -r "$PWD/root" -b "$id")" = main ]
	rm root/prog
	[ "$(named prog -r "$PWD/root" -b "$id")" = "" ]
	grep -q '^problem 2 ' out
}

@test "beside a sysroot this machine's files need the build id" {
	echo 'int main(void) { return 0; }' | $CC -g -x c - -o prog
	addr=$(address_of prog main)
	id=$(readelf -n prog | sed -n 's/.*Build ID: //p')
	mkdir empty
	[ "$(named prog -r "$PWD/empty" -b "$id")" = main ]
	[ "$(named prog -r "$PWD/empty" -b "00$id")" = "" ]
	[ "$(named prog -r "$PWD/empty")" = "" ]
	grep -q '^problem 1 ' out
	[ "$(named prog -r "$PWD/empty" \
		-b "$(stat -c %s:%Y prog)")" = "" ]
}

@test "a debug link is followed beside a module that was kept" {
	split_debug
	objcopy --add-gnu-debuglink=prog.debug prog linked
	mkdir keep
	mv linked prog.debug keep/
	[ "$(named linked)" = "" ]
	[ "$(named linked -r "$PWD/keep" -b "$id")" = twice ]
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
	run --separate-stderr -0 timeout 20 pk-fold a.pkc
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

# mini_debug [TAIL-BYTES]: mini, stripped but for a function's symbol in
# .gnu_debugdata, with zeros behind that file; $addr is in the function.
mini_debug() {
	cat >mini.c <<-'EOF'
	__attribute__((noinline)) static int hidden(int x) { return x * 3; }
	int main(int argc, char **argv) { (void)argv; return hidden(argc); }
	EOF
	$CC -O1 mini.c -o mini
	addr=$(address_of mini hidden)
	objcopy -S --remove-section .comment --keep-symbol=hidden mini table
	head -c "${1:-0}" /dev/zero >>table
	strip mini
	xz -c table >table.xz
	objcopy --add-section .gnu_debugdata=table.xz mini
}

@test "the symbols of mini debug information are found" {
	mini_debug
	readelf -SW mini | grep -q 'gnu_debugdata'
	[ -z "$(nm mini 2>/dev/null)" ]
	[ "$(named mini)" = hidden ]
	grep -q '^problem 0 dwarf 0' out
	objcopy --remove-section .gnu_debugdata mini without
	[ "$(named without)" = "" ]
	grep -q '^problem 4 ' out
}

@test "mini debug information that unpacks without end is left alone" {
	mini_debug 500000
	[ "$(named mini)" = hidden ]
	mini_debug 50000000
	[ "$(stat -c %s table.xz)" -lt 20000 ]
	[ "$(named mini)" = "" ]
	mini_debug
	head -c 300 table.xz >cut.xz
	objcopy --update-section .gnu_debugdata=cut.xz mini
	[ "$(named mini)" = "" ]
}

# A megabyte of it must be real, or so much that unpacks to 100 MB is forged.
@test "mini debug information of all modules unpacks to 256 MB at most" {
	local i
	need python3
	mini_debug
	python3 -c 'import random, sys
random.seed(1)
sys.stdout.buffer.write(open("table", "rb").read() +
    random.randbytes(1200000) + bytes(100 << 20))' >large
	xz -0 -c large >table.xz
	objcopy --update-section .gnu_debugdata=table.xz mini
	printf '%s\n' 'pk-capture 1' 'event 1 ns 1 c' \
		'proc 0 1 0 start p' >a.pkc
	for i in 1 2 3 4; do
		cp mini "mini$i"
		printf '%s\n' "mod $i - v $PWD/mini$i" "f $i 0 $i $addr" \
			"s 0 1 1 0 1 1 $i" >>a.pkc
	done
	echo end >>a.pkc
	run -0 --separate-stderr pk-fold a.pkc
	[ "$output" = $'p;[mini3] 1\np;[mini4] 1\np;hidden 2' ]
	[[ $stderr == *"mini3: stripped"* ]]
}

# version_is N: all units of reader.so are DWARF N.
version_is() {
	readelf --debug-dump=info reader.so | sed -n 's/^ *Version: *//p' |
		sort -u >versions
	[ "$(cat versions)" = "$1" ]
}

@test "DWARF 2 is read" {
	need llvm-symbolizer llvm
	same_as llvm "$(reader -gdwarf-2)"
	version_is 2
}

@test "DWARF 3 is read" {
	need llvm-symbolizer llvm
	same_as llvm "$(reader -gdwarf-3)"
	version_is 3
}

@test "DWARF 4 is read" {
	need llvm-symbolizer llvm
	same_as llvm "$(reader -gdwarf-4)"
	version_is 4
}

@test "DWARF 5 is read" {
	need llvm-symbolizer llvm
	same_as llvm "$(reader -gdwarf-5)"
	version_is 5
}

@test "debug sections compressed the old way of GNU are read" {
	need llvm-symbolizer llvm
	same_as llvm "$(reader -g)"
	mv ours whole
	objcopy --compress-debug-sections=zlib-gnu reader.so
	readelf -SW reader.so | grep -q zdebug_info
	lookup "$PWD/reader.so" <addresses | our_frames | diff whole -
}

@test "debug sections compressed by zstd are read, or the cure is said" {
	reader -g
	addr=$(address_of reader.so capture_read)
	objcopy --compress-debug-sections=zstd reader.so ||
		skip "objcopy has no zstd: install binutils 2.40"
	readelf -tW reader.so | grep -q ZSTD
	capture_of "$PWD/reader.so" "$addr" >a.pkc
	run --separate-stderr -0 pk-fold --lines a.pkc
	[[ $output == "p;capture_read"* ]]
	# elfutils reads them from 0.189 on
	[[ $output == *":read.c:"* ]] || {
		[ "$output" = "p;capture_read 1" ]
		[[ $stderr == *"1 samples pass through $PWD/reader.so"* ]]
		[[ $stderr == *"objcopy --decompress-debug-sections"* ]]
	}
}

# split_program: split, with two units in .dwo files; $addr is in the second,
# in a call inlined there.
split_program() {
	echo 'int second(int); int main(void) { return second(1); }' >first.c
	cat >second.c <<-'EOF'
	static inline int twice(int x) { return x * 2; }
	int second(int x) { return twice(x); }
	EOF
	$CC -O1 -g -gsplit-dwarf -c first.c second.c
	$CC first.o second.o -o split
	addr=$(address_of split second)
	capture_of "$PWD/split" "$addr" >a.pkc
}

@test "missing .dwo files are said, with the cure" {
	split_program
	run --separate-stderr -0 pk-fold a.pkc
	[ "$output" = "p;second;twice 1" ]
	[ -z "$stderr" ]
	rm second.dwo
	run --separate-stderr -0 pk-fold a.pkc
	[ "$output" = "p;second 1" ]
	[ "${#stderr_lines[@]}" -eq 1 ]
	[[ $stderr == *"1 samples pass through $PWD/split"* ]]
	[[ $stderr == *"1 of its .dwo files are not here, such as second.dwo: put them back where they were built, or beside it" ]]
	# ... and only where they are needed
	capture_of "$PWD/split" "$(address_of split main)" >b.pkc
	run --separate-stderr -0 pk-fold b.pkc
	[ -z "$stderr" ]
}

@test ".dwo files are found beside a program that was moved" {
	split_program
	mkdir moved
	mv split ./*.dwo moved/
	[ "$(named moved/split)" = twice ]
}

@test "a .dwp file is read, or it is said which libdw can" {
	local tool
	tool=$(command -v llvm-dwp || command -v dwp) ||
		skip "llvm-dwp is missing: install llvm"
	split_program
	"$tool" -e split -o split.dwp
	rm ./*.dwo
	run --separate-stderr -0 pk-fold a.pkc
	# elfutils reads them from 0.191 on
	[ "$output" = "p;second;twice 1" ] || {
		[ "$output" = "p;second 1" ]
		[[ $stderr == *"this version of libdw cannot read its .dwp file (0.191 and later can): put the .dwo files back, such as second.dwo" ]]
	}
}

# shared_by_dwz: a and b, of whose debug information dwz moved what they share
# into common.
shared_by_dwz() {
	cp "$(reader -g)" a
	cp "$(reader -g -O1)" b
	some_addresses a 500 >addresses
	lookup "$PWD/a" <addresses >whole
	dwz -m common a b
	readelf -SW a | grep -q gnu_debugaltlink
}

@test "what dwz moved into a shared file is read" {
	need dwz
	shared_by_dwz
	grep -q '	i	' whole
	lookup "$PWD/a" <addresses | diff whole -
}

@test "what dwz moved is found by build id, and said when it is missing" {
	need dwz
	shared_by_dwz
	id=$(readelf -n common | sed -n 's/.*Build ID: //p')
	mkdir -p "dbg/.build-id/${id:0:2}"
	mv common "dbg/.build-id/${id:0:2}/${id:2}.debug"
	lookup -d "$PWD/dbg" "$PWD/a" <addresses | diff whole -
	capture_of "$PWD/a" "$(head -1 addresses)" >a.pkc
	run --separate-stderr -0 pk-fold --debug-dir dbg a.pkc
	[ -z "$stderr" ]
	run --separate-stderr -0 pk-fold a.pkc
	[[ $stderr == *"the file that dwz moved a part of its debug information to is not here (common): install it"* ]]
}

# zeros SECTION FILE: adds to FILE such a section, compressed the standard way or
# the old one of GNU, that unpacks to 24 MB of zeros.
zeros() {
	local forge='
import struct, sys, zlib
packer, size = zlib.compressobj(9), 24 << 20
data = b"".join(packer.compress(bytes(1 << 20)) for i in range(size >> 20))
head = b"ZLIB" + struct.pack(">Q", size) if "zdebug" in sys.argv[1] else \
    struct.pack("<IIQQ", 1, 0, size, 1)
sys.stdout.buffer.write(head + data + packer.flush())'
	need python3
	python3 -c "$forge" "$1" >zeros
	objcopy --remove-section "$1" --add-section "$1=zeros" "$2"
	[[ $1 == *zdebug* ]] || python3 - "$1" "$2" <<-'END'
		import struct, sys
		# SHF_COMPRESSED, which objcopy cannot set
		data = bytearray(open(sys.argv[2], 'rb').read())
		at, n, names = struct.unpack_from('<Q10xHH', data, 0x28)[0], \
		    *struct.unpack_from('<HH', data, 0x3c)
		names = struct.unpack_from('<Q', data, at + 64 * names + 24)[0]
		for i in range(n):
		    name = names + struct.unpack_from('<I', data, at + 64 * i)[0]
		    if data[name:data.index(0, name)] == sys.argv[1].encode():
		        struct.pack_into('<Q', data, at + 64 * i + 8, 0x800)
		open(sys.argv[2], 'wb').write(data)
	END
}

# left_alone SENTENCE: pk-fold finds nothing inlined in a.pkc, and says so.
left_alone() {
	run --separate-stderr -0 timeout 20 pk-fold a.pkc
	[[ $output != *twice* ]]
	[[ $stderr == *"$1"* ]]
	[[ $stderr == *"far more than any does"* ]]
}

@test "compressed sections that unpack to far more than any are left alone" {
	local section
	split_debug
	for section in .zdebug_line .debug_line; do
		cp prog.debug bomb
		[ "$section" = .debug_line ] ||
			objcopy --compress-debug-sections=zlib-gnu bomb
		zeros "$section" bomb
		readelf -SW bomb | grep -q "$section"
		capture_of "$PWD/bomb" "$addr" >a.pkc
		left_alone 'its debug information claims to unpack'
	done
}

@test "a .dwo file that unpacks to far more than any is left alone" {
	local section
	for section in .zdebug_str.dwo .debug_str.dwo; do
		split_program
		zeros "$section" second.dwo
		left_alone 'second.dwo or its .dwp file is no file, or claims'
	done
}

@test "what dwz moved is left alone when it unpacks to far more than any" {
	local section
	need dwz
	shared_by_dwz
	capture_of "$PWD/a" "$(head -1 addresses)" >a.pkc
	mv common whole
	for section in .zdebug_line .debug_line; do
		cp whole common
		zeros "$section" common
		left_alone "information to ($PWD/common) claims to unpack"
	done
	# Nor does libdw open by itself what was not accepted.
	rm common
	mkfifo common
	run --separate-stderr -0 timeout 10 pk-fold a.pkc
	[[ $stderr == *'is not here (common)'* ]]
}

@test "debug information that libdw cannot read is said" {
	reader -g
	capture_of "$PWD/reader.so" "$(address_of reader.so capture_read)" \
		>a.pkc
	objcopy --dump-section .debug_abbrev=abbrev reader.so
	objcopy --remove-section .debug_abbrev reader.so
	run --separate-stderr -0 pk-fold --lines a.pkc
	[ "$output" = "p;capture_read 1" ]
	[[ $stderr == *"its debug information is damaged: "* ]]
}

@test "a module that is another build than the recorded one is said" {
	split_debug
	capture_of "$PWD/prog" "$addr" 00112233445566778899 >a.pkc
	run --separate-stderr -0 pk-fold a.pkc
	[ "$output" = 'p;[prog] 1' ]
	[[ $stderr == *"$PWD/prog: the file here is another build than the one recorded"* ]]
}

# recorded PATH BASE NAME...: a capture of a sample each at the symbols 10, 20,
# ... that were recorded with it.
recorded() {
	local path=$1 base=$2 i=0 name
	shift 2
	printf '%s\n' 'pk-capture 1' 'event 1 ns 1 c' 'proc 0 1 0 start p' \
		"mod 1 - $base $path"
	for name; do
		i=$((i + 1))
		printf '%s\n' "sym 0 1 ${i}0 16 $name" "f $i 0 1 ${i}8" \
			"s 0 1 1 0 1 1 $i"
	done
	echo end
}

@test "symbols recorded with a capture name code of files that are gone" {
	local base
	for base in v o; do
		recorded /gone/lib.so $base _ZN3foo3barEi main >a.pkc
		run -0 pk-fold a.pkc
		[ "$output" = $'p;foo::bar 1\np;main 1' ]
		run -0 pk-fold --names full a.pkc
		[ "$output" = $'p;foo::bar(int) 1\np;main 1' ]
		run -0 pk-fold --names raw a.pkc
		[ "$output" = $'p;_ZN3foo3barEi 1\np;main 1' ]
	done
}

@test "recorded symbols of the kernel and of JIT code are not demangled" {
	recorded '[kernel]' k _ZN3foo3barEi >a.pkc
	recorded '[jit 1]' a _ZN3foo3barEi >>a.pkc
	recorded '[vdso]' v __vdso_time >>a.pkc
	run -0 pk-fold a.pkc
	[ "$output" = $'p;_ZN3foo3barEi 2\np;__vdso_time 1' ]
}

@test "the file's own name wins over a recorded one, where it has one" {
	cat >lib.c <<-'EOF'
	__attribute__((noinline)) static int hidden(int x) { return x * 3; }
	int visible(int x) { return hidden(x) + hidden(x + 1); }
	EOF
	$CC -O1 -shared -fPIC lib.c -o lib.so
	hidden=$(address_of lib.so hidden)
	addr=$(address_of lib.so visible)
	strip lib.so
	printf '%s\n' 'pk-capture 1' 'event 1 ns 1 c' 'proc 0 1 0 start p' \
		"mod 1 - v $PWD/lib.so" "f 1 0 1 $addr" "f 2 0 1 $hidden" \
		"sym 0 1 $addr 1 wrong" "sym 0 1 $hidden 1 _ZL6hiddeni" \
		's 0 1 1 0 1 1 1' 's 0 1 1 0 1 1 2' end >a.pkc
	run --separate-stderr -0 pk-fold a.pkc
	[ "$output" = $'p;hidden 1\np;visible 1' ]
	[ -z "$stderr" ]
}
