#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# lib/unwind: rules against libdw's, walks against stacks known otherwise.

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
	unit=$PK_BUILDDIR/tests/unit
}

# library NAME FLAG...: builds tests/programs/NAME.c as a shared object whose
# calls are bound when first made, and prints its path.
library() {
	local name=$1
	shift
	build_program "$name" "$@" -g -fPIC -shared -Wl,-z,lazy
}

# in_order WORD...: the output has these lines, in this order, perhaps with
# others between (a sanitizer's).
in_order() {
	local line
	for line in "${lines[@]}"; do
		[ $# -eq 0 ] || [ "$line" != "$1" ] || shift
	done
	[ $# -eq 0 ] || { echo "missing: $1"; return 1; }
}

# walk_odd NAME FLAG...: the walk through that odd frame.
walk_odd() {
	local lib
	lib=$(library oddframes -DODD="$@")
	run -0 "$unit/unwind_self" plain "$lib"
	echo "$output"
}

whole=(main __libc_start_main _start "end: complete")

# same_rows FLAG... MODULE...: libdw agrees on every row of every module, and
# hardly any is left to be evaluated.
same_rows() {
	run -0 timeout 300 "$unit/unwind_rows" "$@"
	sed 's/^/# /' <<<"$output" >&3
	awk -F '\t' 'NR > 1 { n++
		if (!$2 || $2 != $3 + $4 || $5 || $4 >= $2 * 0.005) exit bad = 1 }
		END { exit bad || !n }' <<<"$output"
}

# compared: how many rows the last module had.
compared() {
	cut -f2 <<<"${lines[-1]}"
}

# rows_of MODULE [SECTION]: how many rows readelf counts in .eh_frame, or in
# SECTION. Addresses are compared as text: 00e0158 is no number.
rows_of() {
	readelf --debug-dump=frames "$1" 2>/dev/null |
		awk -v wanted="${2:-.eh_frame}" '
		/^Contents of the / { here = $4 == wanted }
		/ (CIE|FDE) / { fde = 0 }
		here && / FDE / {
			fde = 1
			n++
			at = end = $NF
			sub(/.*pc=/, "", at)
			sub(/\.\..*/, "", at)
			sub(/.*\.\./, "", end)
		}
		fde && /DW_CFA_(advance_loc|set_loc)/ && $NF "" != at "" &&
			$NF "" < end "" { n++; at = $NF }
		END { print n + 0 }'
}

# system_module NAME: where that library or program of the system lies.
system_module() {
	local path
	case $1 in
	*.so.*) path=$(PATH=$PATH:/sbin ldconfig -p | sed -n "/x86-64/!d
		s/^[[:space:]]*$1 (.*=> //p" | head -n 1) ;;
	*) path=$(PATH=/usr/bin:/bin command -v "$1") ;;
	esac
	[ -n "$path" ] || { echo "no $1 here" >&2; return 1; }
	readlink -f "$path"
}

# steps OUTPUT-FIELD: the number after that word in unwind_step's last line.
steps() {
	awk -v name="$1" '{ for (i = 1; i < NF; i++)
		if ($i == name) print $(i + 1) }' <<<"${lines[-1]}"
}

@test "the archive is freestanding" {
	need nm binutils
	nm -u "$PK_BUILDDIR/lib/libunwind.a" |
		awk '/ U /{ print $2 }' | sort -u |
		grep -vE '^(unwind_|__(asan|ubsan)_)' >needed || true
	cat needed
	run grep -vxE 'memcpy|memmove|memset' needed
	[ -z "$output" ]
}

@test "the archive writes no variables" {
	need nm binutils
	[ -z "$PK_SANITIZE" ] || return 0 # theirs
	run -0 nm "$PK_BUILDDIR/lib/libunwind.a"
	[ -z "$(grep -E ' [bBdDcC] ' <<<"$output")" ]
}

@test "every rule of the system's libraries and of large programs is libdw's" {
	need perf linux-perf
	need /usr/bin/python3 python3
	local name modules=()
	for name in libc.so.6 ld-linux-x86-64.so.2 libstdc++.so.6 libcrypto.so.3 \
		libdw.so.1 python3 perf bash; do
		modules+=("$(system_module $name)")
	done
	# Where python3 is all in its library.
	modules+=($(ldd "$(system_module python3)" | grep -oE '/[^ ]+libpython[^ ]+' || true))
	same_rows "${modules[@]}"
}

@test "the rows compared are all there are" {
	need readelf binutils
	local name module lib
	for name in libc.so.6 libcrypto.so.3 bash; do
		module=$(system_module $name)
		same_rows "$module"
		[ "$(compared)" = "$(rows_of "$module")" ]
	done
	lib=$(library stepped -O2 -fno-asynchronous-unwind-tables -fno-exceptions)
	same_rows -d "$lib"
	[ "$(compared)" = "$(rows_of "$lib" .debug_frame)" ]
}

@test "every rule of gcc's, clang's and musl-gcc's code is libdw's" {
	need clang
	need musl-gcc musl-tools
	local cc flags modules=()
	for cc in gcc clang musl-gcc; do
		for flags in -O0 -O1 -O2 -O3 "-O3 -fomit-frame-pointer" \
			"-O2 -fno-omit-frame-pointer -mavx2" \
			"-Os -fcf-protection" "-O2 -fcf-protection=none"; do
			# shellcheck disable=SC2086 # several flags
			modules+=("$(CC=$cc library stepped $flags -D"BY_${cc%-*}")")
		done
		modules+=("$(CC=$cc build_program sleepy -O2 -g -D"BY_${cc%-*}")")
	done
	modules+=("$(CC=musl-gcc build_program sleepy -O2 -g -static)")
	modules+=("$(CXX=g++ build_program cxxstacks -DBY_gcc -O3)")
	modules+=("$(CXX=clang++ build_program cxxstacks -DBY_clang -O0)")
	same_rows "${modules[@]}"
}

@test "rules come from .debug_frame where there is no .eh_frame" {
	local lib
	lib=$(library stepped -O2 -fno-asynchronous-unwind-tables \
		-fno-exceptions)
	same_rows -d "$lib"
	[ "$(compared)" -gt 50 ]
	run -0 "$unit/unwind_self" plain "$lib"
	[ "${lines[*]:0:5}" = "walk_here inner middle outer call_back" ]
	in_order "${whole[@]}"
}

# split FILE: stripped.so, and what was cut off, as objcopy and eu-strip do it.
split() {
	objcopy --only-keep-debug "$1" cut-off.so
	strip -g -o stripped.so "$1"
	objcopy --add-gnu-debuglink=cut-off.so stripped.so
	eu-strip -f cut-off-by-eu.so -o stripped-by-eu.so "$1"
}

# elf_facts FILE: what unwind_elf should print, by readelf.
elf_facts() {
	readelf -lW "$1" | awk '$1 == "GNU_EH_FRAME" {
		print "hdr", $2, $5, $3 }'
	readelf -SW "$1" | sed 's/^ *\[ *[0-9]*\] *//' | awk '
		BEGIN { name[".eh_frame"] = "frame"
			name[".debug_frame"] = "debug_frame"
			name[".gnu_debuglink"] = "debug_link" }
		$1 in name { print $7 ~ /C/ ? "packed" : name[$1], $4, $5, $3 }'
	readelf -lW "$1" | awk '$1 == "LOAD" {
		flags = 0
		for (i = 7; i < NF; i++)
			flags += ($i ~ /R/) * 4 + ($i ~ /W/) * 2 + ($i ~ /E/)
		print "load", $2, $3, $5, $6, flags }'
	readelf -nW "$1" | sed -n 's/.*Build ID: /build-id /p'
}

@test "an ELF file's segments, frames and build id are readelf's" {
	need readelf binutils
	local lib file
	need eu-strip elfutils
	lib=$(library stepped -O2 -fno-asynchronous-unwind-tables)
	split "$lib"
	objcopy --compress-debug-sections=zlib "$lib" packed.so
	for file in "$lib" stripped.so packed.so "$unit/unwind_self" /bin/bash \
		$(ldd "$unit/unwind_rows" | grep -oE '/[^ ]+'); do
		echo "--- $file"
		elf_facts "$file" | sed -E '/^build-id/!s/(^| )(0x)?0*([0-9a-f])/\1\3/g' \
			>expected
		run -0 "$unit/unwind_elf" "$file"
		diff expected - <<<"$output"
	done
	run -0 "$unit/unwind_elf" stripped.so
	[[ $output == *debug_link* ]]
	run -0 "$unit/unwind_elf" packed.so
	[[ $output == *packed* ]]
	# What eu-strip cuts off of a program has its notes elsewhere than its
	# segments say.
	file=$(build_program sleepy)
	split "$file"
	for lib in cut-off.so cut-off-by-eu.so; do
		run -0 "$unit/unwind_elf" $lib
		[ "$(grep build-id <<<"$output")" = \
			"build-id $(readelf -nW "$file" |
				sed -n 's/.*Build ID: //p')" ]
	done
}

@test "without section headers .eh_frame is found all the same" {
	local lib
	lib=$(library stepped -O2)
	run -0 "$unit/unwind_elf" "$lib"
	grep '^frame' <<<"$output" >with
	cp "$lib" bare.so
	# e_shoff, then e_shnum and e_shstrndx
	dd if=/dev/zero of=bare.so bs=1 seek=40 count=8 conv=notrunc status=none
	dd if=/dev/zero of=bare.so bs=1 seek=60 count=4 conv=notrunc status=none
	run -0 "$unit/unwind_elf" bare.so
	grep '^frame' <<<"$output" >without
	# As far as the segment goes, which may be further.
	[ "$(cut -d' ' -f2,4 with)" = "$(cut -d' ' -f2,4 without)" ]
	[ $((0x$(cut -d' ' -f3 without))) -ge $((0x$(cut -d' ' -f3 with))) ]
}

@test "what is no x86-64 program is refused" {
	local lib offset
	lib=$(library stepped -O2)
	echo text >text
	run -1 "$unit/unwind_elf" text
	: >empty
	run -1 "$unit/unwind_elf" empty
	# the magic number, 32 bits, big-endian, another machine, an object file
	for offset in 1 4 5 18 16; do
		cp "$lib" other.so
		printf '\001' | dd of=other.so bs=1 seek=$offset conv=notrunc \
			status=none
		[ $offset != 5 ] || printf '\002' |
			dd of=other.so bs=1 seek=5 conv=notrunc status=none
		run -1 "$unit/unwind_elf" other.so
	done
}

@test "a walk from every instruction gives the frames that were called" {
	need clang
	local cc flags lib
	for cc in gcc clang; do
		for flags in -O0 -O2 "-O3 -fomit-frame-pointer" \
			"-O2 -fno-omit-frame-pointer -mavx2" \
			"-Os -fcf-protection"; do
			# shellcheck disable=SC2086 # several flags
			lib=$(CC=$cc library stepped $flags -D"BY_$cc")
			run -0 timeout 120 "$unit/unwind_step" "$lib"
			echo "$cc $flags: $output"
			[ "$(steps steps)" -gt 8000 ]
			[ "$(steps vdso)" -gt 20 ]
			[ "$(steps plt)" -gt 10 ]
			[ "$(steps wrong) $(steps cut)" = "0 0" ]
		done
	done
}

@test "with three registers a walk may be cut, never wrong" {
	local lib
	lib=$(library stepped -O2)
	run -0 timeout 120 "$unit/unwind_step" -3 "$lib"
	[ "$(steps wrong)" = 0 ]
	[ "$(steps cut)" -lt $(($(steps steps) * 4 / 100)) ]
}

@test "a stack is whole from a nested call to _start" {
	local lib
	lib=$(library stepped -O2)
	run -0 "$unit/unwind_self" plain "$lib"
	[ "${lines[*]:0:5}" = "walk_here inner middle outer call_back" ]
	in_order "${whole[@]}"
}

@test "a thread's stack is whole" {
	run -0 "$unit/unwind_self" thread
	in_order thread_routine "[libc.so.6]" "end: complete"
}

@test "a copy shorter than the stack cuts it, and keeps what it holds" {
	local lib n before=0
	lib=$(library stepped -O0)
	for n in 0 7 8 $(seq 50 50 3000); do
		run -0 "$unit/unwind_self" part "$n" "$lib"
		echo "$n: ${lines[*]}"
		[ "${lines[0]}" = walk_here ]
		[ "${lines[-1]}" = "end: truncated" ] || break
		[ ${#lines[@]} -ge $before ]
		before=${#lines[@]}
	done
	[ "$before" -gt 4 ]
	in_order "${whole[@]}"
}

@test "a walk with room for fewer frames says so" {
	local lib
	lib=$(library stepped -O2)
	run -0 "$unit/unwind_self" limit 3 "$lib"
	[ "${lines[*]}" = "walk_here inner middle end: limit" ]
	run -0 "$unit/unwind_self" limit 1 "$lib"
	[ "${lines[*]}" = "walk_here end: limit" ]
}

@test "cached rules are kept within an address space only" {
	local lib
	lib=$(library stepped -O2)
	run -0 "$unit/unwind_self" spaces "$lib"
	[ "${lines[*]}" = "0 0 200" ]
}

@test "a handler's stack goes on in the interrupted function" {
	run -0 "$unit/unwind_self" signal
	in_order handler raise_signal "${whole[@]}"
}

@test "a function interrupted at its first instruction is not the one before" {
	run -0 "$unit/unwind_self" first
	in_order fault_walk first_insn call_first "${whole[@]}"
}

@test "a signal frame without CFI is known by its contents" {
	run -0 "$unit/unwind_self" restorer
	in_order handler bare_restorer raise_signal "${whole[@]}"
}

@test "another stack that is not in the copy ends the walk as truncated" {
	run -0 "$unit/unwind_self" altstack
	# The frame it came upon is known: its registers are in the copy.
	[ "${lines[*]:0:3}" = "other_handler [libc.so.6] [libc.so.6]" ]
	[ "${lines[-1]}" = "end: truncated" ]
}

@test "a handler's stack may lie above the one it interrupted" {
	run -0 "$unit/unwind_self" altabove
	echo "$output"
	in_order above_handler raise_signal "${whole[@]}"
}

@test "a call through a null pointer shows its caller" {
	run -0 "$unit/unwind_self" null
	[ "${lines[*]:0:2}" = "[unmapped] call_null" ]
	in_order "${whole[@]}"
}

@test "code without CFI is walked by its frame pointer" {
	local lib
	walk_odd no_cfi
	[ "${lines[*]:0:3}" = "walk_here no_cfi call_back" ]
	in_order "${whole[@]}"
	lib=$(library stepped -O2 -fno-asynchronous-unwind-tables \
		-fno-exceptions -fno-omit-frame-pointer -s)
	run -0 "$unit/unwind_self" plain "$lib"
	[ "${lines[*]:0:5}" = "walk_here inner middle outer call_back" ]
	in_order "${whole[@]}"
}

@test "code that no file has is walked by its frame pointer" {
	run -0 "$unit/unwind_self" jit
	[ "${lines[*]:0:2}" = "walk_here [jit]" ]
	in_order "${whole[@]}"
}

@test "without CFI and frame pointer the walk says so" {
	walk_odd no_cfi_no_fp
	[ "${lines[*]}" = "walk_here no_cfi_no_fp end: no-cfi" ]
	walk_odd no_cfi_bad_fp
	[ "${lines[*]}" = "walk_here no_cfi_bad_fp end: no-cfi" ]
	walk_odd no_cfi_low_fp
	[ "${lines[*]}" = "walk_here no_cfi_low_fp end: no-cfi" ]
}

@test "a frame pointer of 0 without CFI is the end of the stack" {
	walk_odd no_cfi_zero
	[ "${lines[*]}" = "walk_here no_cfi_zero end: complete" ]
	# In the innermost frame it may be a variable.
	run -0 "$unit/unwind_self" jit0
	[ "${lines[*]}" = "[jit] end: no-cfi" ]
}

@test "a program's first instruction, all registers 0, is the end of the stack" {
	local lib
	lib=$(library oddframes -DODD=no_cfi_zero)
	run -0 "$unit/unwind_self" start "$lib" no_cfi_zero
	[ "${lines[*]}" = "no_cfi_zero end: complete" ]
	run -0 "$unit/unwind_self" no-start "$lib" no_cfi_zero
	[ "${lines[0]}" = no_cfi_zero ]
	[ "${lines[-1]}" != "end: complete" ]
}

@test "unknown opcodes fall back to the frame pointer" {
	local odd
	for odd in unknown_op window_save nested; do
		walk_odd $odd -DUNKNOWN_OPS
		[ "${lines[*]:0:3}" = "walk_here $odd call_back" ]
		in_order "${whole[@]}"
	done
}

@test "without a search table FDEs may be in any order" {
	walk_odd early -DUNKNOWN_OPS
	[ "${lines[*]:0:3}" = "walk_here early call_back" ]
	in_order "${whole[@]}"
}

@test "DW_CFA_GNU_args_size changes nothing" {
	walk_odd args_size
	[ "${lines[*]:0:3}" = "walk_here args_size call_back" ]
	in_order "${whole[@]}"
}

@test "a frame found through another register restarts the walk with all" {
	local odd
	for odd in cfa_in_r12 return_in_rbx; do
		walk_odd $odd
		[ "${lines[*]:0:3}" = "walk_here $odd call_back" ]
		in_order "${whole[@]}"
	done
}

@test "an unusual CFA expression is evaluated" {
	walk_odd expression
	[ "${lines[*]:0:3}" = "walk_here expression call_back" ]
	in_order "${whole[@]}"
}

@test "an undefined return address, or 0, is the end of the stack" {
	local odd
	for odd in outermost return_to_0; do
		walk_odd $odd
		[ "${lines[*]}" = "walk_here $odd end: complete" ]
	done
}

@test "a frame that does not move up ends the walk as lost" {
	walk_odd standing
	[ "${lines[*]}" = "walk_here standing end: lost" ]
}

# same_stacks COMMAND...: 2,000 stacks of it are libdwfl's; adds the line of
# numbers to ./stacks.
same_stacks() {
	run -0 --separate-stderr timeout 200 "$unit/unwind_stacks" 2000 "$@"
	sed 's/^/# /' <<<"$output" >&3
	echo "${lines[-1]}" >>stacks
}

@test "10,000 stacks of five programs are those libdwfl finds" {
	need xz xz-utils
	need /usr/bin/python3 python3
	need perl perl-base
	need_profiling
	same_stacks "$(build_program cxxstacks)" 20
	cat >work.py <<-'END'
		import json, re
		def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
		for i in range(300):
		    fib(22)
		    json.dumps([str(x) for x in range(60000)])
		    re.findall(r'(\d+)5', ' '.join(map(str, range(60000))))
	END
	same_stacks /usr/bin/python3 work.py
	seq 2000000 >numbers
	same_stacks xz -6 -c numbers
	cat >work.pl <<-'END'
		sub fib { my $n = shift; $n < 2 ? $n : fib($n - 1) + fib($n - 2) }
		for (1 .. 4000) {
			fib(16);
			my %h;
			$h{$_ % 977} .= "$_," for 1 .. 30000;
			my @s = sort { $h{$a} cmp $h{$b} } keys %h;
			join("", @s) =~ s/(\d+)5/$1/gr;
		}
	END
	same_stacks perl work.pl
	same_stacks "$(build_program signals -O2 -g -Wl,-z,lazy \
		"$PK_SRCDIR/tests/programs/stepped.c")" 20
	# All there, and hardly any of the stacks that libdwfl gets wrong.
	awk -F '\t' '{ n += $2; told += $5 + $6 + $7; wrong += $8; cut += $4 }
		$3 + $4 < 0.9 * $2 { exit bad = 1 }
		END { exit bad || n != 10000 || wrong || !cut || told > 500 }' \
		stacks
}
