#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Stacks that debuggers, tracers and other systems' profilers print:
# lib/import/text. tests/data/ORIGIN.tsv has where the files come from.

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
	imports=$(data import)
}

# The formats of this file; a fixture is FORMAT[-VARIANT].txt, - for _.
formats="bpftrace dtrace stap gdb eu-stack macos-sample pmcstat procstack ljp
	wall-clock"

# total FILE: what folded stacks add up to.
total() {
	awk '{ n += $NF } END { printf "%.0f\n", n }' "$1"
}

@test "each file folds to what is expected of it" {
	local format file
	for format in $formats; do
		for file in "$imports/$format"*.txt; do
			echo "$file"
			pk-fold -o out "$file"
			diff "${file%.txt}.folded" out
		done
	done
}

@test "what a file counts is what its stacks add up to" {
	local file want
	cd "$imports"
	[ "$(total bpftrace.folded)" = "$(awk '/^@two/ { exit }
		/^[],].*\]: / || /^@\[.*\]: / { n += $NF }
		END { print n }' bpftrace.txt)" ]
	[ "$(total bpftrace-kernel.folded)" = \
		"$(awk '/\]: [0-9]+$/ { n += $NF } END { print n }' \
			bpftrace-kernel.txt)" ]
	[ "$(total dtrace.folded)" = \
		"$(awk 'NF == 1 && /^ +[0-9]+$/ { n += $1 } END { print n }' \
			dtrace.txt)" ]
	[ "$(total stap.folded)" = \
		"$(awk 'NF == 1 { n += $1 } END { print n }' stap.txt)" ]
	[ "$(total macos-sample.folded)" = "$(awk '/^    [0-9]+ Thread_/ {
		n += $1 } END { print n }' macos-sample.txt)" ]
	[ "$(total macos-sample-old.folded)" = 868 ]
	[ "$(total pmcstat.folded)" = 554 ] # @ unhalted-cycles [554 samples]
	[ "$(total ljp.folded)" = 57 ]	    # Total trace count = 57
	[ "$(total wall-clock.folded)" = \
		"$(awk -F '[( ]' '/^Full/ { full = 1 }
			full && / samples\)/ { n += $(NF - 1) }
			END { print n }' wall-clock.txt)" ]
	[ "$(total wall-clock-old.folded)" = 313 ] # 313 stack samples taken
	for file in gdb gdb-cxx gdb-stripped; do
		want=$(grep -c '^Thread' $file.txt)
		[ "$(total $file.folded)" = "$want" ]
	done
	for file in eu-stack eu-stack-v eu-stack-m eu-stack-stripped; do
		want=$(grep -c '^TID' $file.txt)
		[ "$(total $file.folded)" = "$want" ]
	done
}

@test "carriage returns change nothing" {
	local format
	for format in $formats; do
		echo "$format"
		sed 's/$/\r/' "$imports/$format.txt" >crlf
		pk-fold -o out crlf
		diff "$imports/$format.folded" out
	done
}

@test "a file that breaks off in a stack keeps the stack, or says that it is lost" {
	local format
	# Their values come behind the stack, which is of no use without.
	head -n 25 "$imports/bpftrace.txt" | sed '$d' >bpftrace
	printf '\n              a`b+0x1\n                 3\n\n a`c+0x1\n' >dtrace
	sed '$d' "$imports/stap.txt" >stap
	for format in bpftrace dtrace stap; do
		run -0 pk-fold $format
		[[ $output == *"could not be read as "* ]]
	done
	[ "$(pk-fold dtrace 2>/dev/null)" = 'a`b 3' ]
	# Others' last stack counts as far as it goes.
	head -c -300 "$imports/gdb.txt" >gdb
	head -c -20 "$imports/eu-stack.txt" >eu_stack
	sed '/^Total/,$d' "$imports/macos-sample.txt" >macos_sample
	sed '/^@ llc/,$d' "$imports/pmcstat.txt" >pmcstat
	sed '/^7012644/,$d' "$imports/procstack.txt" | head -c -9 >procstack
	sed '/^Total/,$d' "$imports/ljp.txt" >ljp
	sed '$d' "$imports/wall-clock.txt" >wall_clock
	for format in gdb:6 eu_stack:6 macos_sample:1840 pmcstat:554 \
		procstack:3 ljp:57 wall_clock:313; do
		echo $format
		pk-fold -o out "${format%:*}"
		[ "$(total out)" = "${format#*:}" ]
	done
}

# a_stack_of FORMAT NAME: one stack of main and NAME, counted 5 times, or once.
a_stack_of() {
	case $1 in
	bpftrace) printf '@[\n    %s+1\n    main+2\n]: 5\n' "$2" ;;
	dtrace) printf '\n              a`%s+0x1\n              a`main+0x2\n                5\n' "$2" ;;
	stap) printf ' 0x1 : %s+0x1/0x2 [a]\n 0x2 : main+0x2/0x3 [a]\n5\n' "$2" ;;
	gdb) printf 'Thread 1 (LWP 5):\n#0  0x1 in %s () from a\n#1  main () at a:1\n' "$2" ;;
	eu_stack) printf 'TID 5:\n#0  0x1 %s\n#1  0x2 main\n' "$2" ;;
	macos_sample) printf 'Call graph:\n    5 main  (in a)\n      5 %s  (in a)\n' "$2" ;;
	pmcstat) printf '100.0%%  [5]    %s @ a\n 100.0%%  [5]    main\n' "$2" ;;
	procstack) printf '5: a\n0x00000001  %s(1) + 0x1\n0x00000002  main(1) + 0x2\n' "$2" ;;
	ljp) printf '5 2 %s(a:1)\n\tmain(a:2)\n' "$2" ;;
	wall_clock) printf 'Full stacks with more:\n5.0%% == (5 samples)\n1: %s   (at a:1)\n2: main   (at a:2)\n' "$2" ;;
	esac
}

@test "a name of a megabyte is a name" {
	local format name
	name=$(head -c 1048576 /dev/zero | tr '\0' n)
	for format in $formats; do
		format=${format/-/_}
		echo "$format"
		a_stack_of "$format" f >in
		a_stack_of "$format" "$name" >>in
		pk-fold in | awk '{ print (length > 1048576), $NF }' >out
		[ "$(sort -r out | tr ' \n' '::')" = 1:1:0:1: ] ||
			[ "$(sort -r out | tr ' \n' '::')" = 1:5:0:5: ]
	done
}

@test "what is no line of the format is skipped and said, and the stacks stay" {
	local format
	for format in $formats; do
		format=${format/-/_}
		echo "$format"
		a_stack_of "$format" f >in
		printf '#\1\2 @ %%s\n]]\n' >>in
		a_stack_of "$format" f >>in
		run -0 --separate-stderr pk-fold in
		[ "${#lines[@]}" = 1 ]
		[[ $output == *main*f\ 10 || $output == *main*f\ 2 ]]
		[[ $stderr == *"could not be read as "* ]]
	done
}

@test "one stack is enough to recognise each" {
	local format
	for format in $formats; do
		a_stack_of "${format/-/_}" f >in
		run -0 pk-fold in
		echo "$format: $output"
		[[ $output =~ ^(a;)?(a\`)?main\;(a\`)?f\ [15]$ ]]
	done
}

# ---- bpftrace

@test "a map of bpftrace is an event, and the first one with stacks counts" {
	run -0 --separate-stderr pk-fold -e @two "$imports/bpftrace.txt"
	[ "$(total <(printf '%s\n' "${lines[@]}"))" = \
		"$(awk '/^@two/ { on = 1 } on && /^, .*\]: / { n += $NF }
			END { print n }' "$imports/bpftrace.txt")" ]
	run -0 pk-fold "$imports/bpftrace.txt"
	[[ $output == *"only what it has of '@' is counted"*"@two (28)"* ]]
	run -2 pk-fold -e @seen "$imports/bpftrace.txt"
	[[ $output == *"has no event @seen"* ]]
}

@test "--names raw keeps bpftrace's offsets" {
	cat >in <<-'END'
		@[
		    read_zero+121
		    vfs_read+187
		, 
		    ns::f(int)+13
		, dd, 42]: 1
		@[
		    read_zero+124
		    vfs_read+187
		, 
		    ns::f(int)+13
		, dd, 42]: 2
	END
	[ "$(pk-fold in)" = 'dd, 42;ns::f(int);vfs_read;read_zero 3' ]
	run -0 pk-fold --names raw in
	[ "$output" = 'dd, 42;ns::f(int)+13;vfs_read+187;read_zero+121 1
dd, 42;ns::f(int)+13;vfs_read+187;read_zero+124 2' ]
}

@test "stats() of bpftrace count their total, or --value samples" {
	printf '@s[\n    f+1\n, a]: count 3, average 4, total 12\n' >in
	[ "$(pk-fold in)" = 'a;f 12' ]
	[ "$(pk-fold --value samples in)" = 'a;f 3' ]
}

@test "samples without a stack count under their key" {
	printf '@[]: 7\n@[, dd]: 3\n@[\n    f+1\n, dd]: 1\n@b[, dd]: 9\n' >in
	run -0 --separate-stderr pk-fold in
	[ "$output" = '[unknown] 7
dd 3
dd;f 1' ]
}

# ---- DTrace

@test "a number is no stack, and neither is a distribution" {
	run -0 --separate-stderr pk-fold "$imports/dtrace-keys.txt"
	[[ $output == *"tar;tar\`putrec;libc.so.1\`__write 7"* ]]
	[[ $output != *malloc* ]]
	[[ $stderr == *"4 lines (the first is line 17)"* ]]
}

@test "--names raw keeps DTrace's offsets, --names full the parameters" {
	run -0 pk-fold --names full "$imports/dtrace.txt"
	[[ $output == *"codec::operator()(std::pair<int, int> const&);"* ]]
	[[ $output == *"memcpy 19"* ]]
	run -0 pk-fold --names raw "$imports/dtrace.txt"
	[[ $output == *"memcpy+0x2a 11"* ]]
}

# ---- SystemTap

@test "SystemTap's addresses without a name are their module" {
	run -0 pk-fold "$imports/stap.txt"
	[[ $output == *"main;[libc-2.12.so] 5"* ]]
	run -0 pk-fold --addrs --modules "$imports/stap.txt"
	[[ $output == *"loader\`main;[libc-2.12.so+0xd5a37] 5"* ]]
}

# ---- gdb

@test "gdb's functions end at their arguments, whatever is in their names" {
	cat >in <<-'END'
		Thread 1 (Thread 0x7f00 (LWP 42) "a \"b\""):
		#0  0x1 in std::function<int (int)>::operator()(int) const (this=0x7f, __args#0=1) at f.h:1
		#1  0x2 in operator<< (os=..., s="a (b) at c") at o.h:2
		#2  0x3 in operator< <ns::t> (a=..., b=...) at o.h:3
		#3  0x4 in ns::t::operator-> (this=0x1) at o.h:4
		#4  0x5 in (anonymous namespace)::f () at a.cc:5
		#5  0x6 in void ns::walk<int (*)(char)>(ns::node*) () from /lib/libw.so
		#6  0x7 in operator new(unsigned long) () from /lib/libstdc++.so.6
		#7  0x8 in ns::t::operator unsigned long() const ()
		#8  0x9 in <core::iter::Map<I,F> as core::iter::Iterator>::fold<fn(u8) -> u8> (self=...) at m.rs:9
		#9  0xa in call<fn(u8) -> u8, (u8, u8)> (self=...) at m.rs:9
		#10 0xa in main::{lambda(int)#1}::operator()(int) const ()
		#11 0xb in ?? ()
		#12 <signal handler called>
		#13 main () at a.cc:12
	END
	pk-fold in | sed 's/ 1$//' | tr ';' '\n' | tac >out
	cat >want <<-'END'
		std::function<int (int)>::operator()
		operator<<
		operator< <ns::t>
		ns::t::operator->
		(anonymous namespace)::f
		ns::walk<int (*)(char)>
		operator new
		ns::t::operator unsigned long
		<core::iter::Map<I,F> as core::iter::Iterator>::fold<fn(u8) -> u8>
		call<fn(u8) -> u8, (u8, u8)>
		main::{lambda(int)#1}::operator()
		??
		<signal handler called>
		main
	END
	diff want out
	run -0 pk-fold --names full in
	[[ $output == *";void ns::walk<int (*)(char)>(ns::node*);"* ]]
	run -0 pk-fold --lines --modules in
	[[ $output == "main:a.cc:12;<signal handler called>;??;"* ]]
	[[ $output == *";libw.so\`ns::walk<int (*)(char)>;"* ]]
}

@test "gdb's threads have a number and a name" {
	run -0 pk-fold --tid "$imports/gdb-signal.txt"
	[[ $output == "main;"*$'\n'"signals-?/"*";__pthread_kill_implementation;"* ]]
	run -0 pk-fold --only-comm namedthreads "$imports/gdb.txt"
	[ "$(total <(echo "$output"))" = 3 ]
	tid=$(sed -n 's/.*LWP \([0-9]*\)) "alpha".*/\1/p' "$imports/gdb.txt" |
		head -n 1)
	run -0 pk-fold --only-tid "$tid" "$imports/gdb.txt"
	[ "$(total <(echo "$output"))" = 3 ]
	[[ $output != *";main;"* ]]
}

@test "lines that gdb wrapped, and variables, belong to their frame" {
	run -0 pk-fold --lines "$imports/gdb-wrapped.txt"
	[ "$output" = 'main:signals.c:62;__GI_raise:raise.c:26;__pthread_kill_internal:pthread_kill.c:78;__pthread_kill_implementation:pthread_kill.c:44;<signal handler called>;on_other_stack:signals.c:21 1' ]
	printf '#0  0x1 in f () at a.c:1\n        s = "look at me"\n#1  g () at a.c:2\n' >in
	[ "$(pk-fold --lines in)" = 'g:a.c:2;f:a.c:1 1' ]
	grep -q '^ .*ret = ' "$imports/gdb-signal.txt"
	run -0 pk-fold "$imports/gdb-signal.txt"
	[ "${#lines[@]}" = 2 ]
}

# ---- eu-stack

@test "eu-stack's options change what is known, not the stacks" {
	run -0 pk-fold --pid "$imports/eu-stack.txt"
	[[ $output =~ ^PID=[0-9]+\;__clone3\;start_thread ]]
	run -0 pk-fold --tid "$imports/eu-stack.txt"
	[[ $output =~ $'\n'TID=[0-9]+\;__clone3\;start_thread ]]
	run -0 pk-fold --modules --lines "$imports/eu-stack-v.txt"
	[[ $output == *";cxxstacks\`descend_fixed<320>:cxxstacks.cc:"* ]]
	run -0 pk-fold --modules "$imports/eu-stack-stripped.txt"
	[[ $output == *"libc.so.6\`start_thread;[libstdc++.so.6.0.30];[stripped];"* ]]
	run -0 pk-fold --lines "$imports/eu-stack-m.txt"
	[[ $output == *"const&):cxxstacks.cc:"* && $output != *"]@0x"* ]]
	# Nothing of -v, -m, -s and -b stays in the names.
	run -0 cat "$imports"/eu-stack*.folded
	[[ $output != *" - 1"* && $output != *" - /"* && $output != *"]@0x"* ]]
}

# ---- trees

@test "what the callers of a node leave over is a stack of its own" {
	cat >in <<-'END'
		100.0%  [10]    leaf @ /a
		 70.00%  [7]     one
		  28.57%  [2]      two
		   50.00%  [1]       three
		 20.00%  [2]     four
	END
	run -0 pk-fold in
	[ "$output" = 'four;leaf 2
leaf 1
one;leaf 5
three;two;one;leaf 1
two;one;leaf 1' ]
	run -0 pk-fold --modules -e llc-misses "$imports/pmcstat.txt"
	[ "$output" = 'libc.so.7`memcpy 1
server`load;libc.so.7`memcpy 2' ]
}

@test "reports of sample know their process, and addresses when asked" {
	[ "$(pk-fold --only-comm painter "$imports/macos-sample.txt" | total -)" = \
		1840 ]
	[ "$(pk-fold --only-pid 4711 "$imports/macos-sample.txt" | total -)" = \
		1840 ]
	run -0 pk-fold --addrs "$imports/macos-sample.txt"
	[[ $output == *";[painter+0xca4e3d] 290"* ]]
}

@test "frames without a name do not vanish" {
	printf 'Full stacks with\n5.0%% == (5 samples)\n1:    (at :-1)\n2: main   (at a:1)\n' >in
	[ "$(pk-fold in)" = 'main;[unknown] 5' ]
	printf 'Call graph:\n    5 main  (in a)\n      5 \n' >in
	[ "$(pk-fold in)" = 'a`main;??? 5' ]
	printf 'Thread 1 (LWP 7):\n#0  0x1 in ?? ()\n#1  main () at a:1\n' >in
	[ "$(pk-fold --tid in)" = '[unknown]-?/7;main;?? 1' ]
	printf 'TID 5:\n#0  0x1\n#1  0x2 main\n' >in
	[ "$(pk-fold in)" = 'main;[unknown] 1' ]
}

# ---- others

@test "procstack's frames hang from their process" {
	run -0 pk-fold --tid "$imports/procstack.txt"
	[[ $output == *"/usr/bin/loader-5243292/17301580;_pthread_body;walk<int (*)(char)>;store::operator() 1"* ]]
	[[ $output == *"-ksh-7012644;main;0x090000000004b6a4 1"* ]]
	run -0 pk-fold --only-comm loader --names full "$imports/procstack.txt"
	[ "${#lines[@]}" = 2 ]
	[[ $output == *";void walk<int (*)(char)>(node*);store::operator()(int, char const*) 2" ]]
}

@test "--lines has the lines of Java and the wall-clock profiler" {
	run -0 pk-fold --lines "$imports/ljp.txt"
	[[ $output == *"java.lang.Thread.run:Thread.java:744;org.example.Main.run:Main.java:123;org.example.Parser.next:Parser.java:455 42"* ]]
	run -0 pk-fold --lines "$imports/wall-clock.txt"
	[[ $output == *"main:random.cpp:41;read_value:random.cpp:15;"* ]]
}

# ---- the tools themselves

# started PROGRAM...: runs it, with its process in $target.
started() {
	background "$@" >/dev/null
	target=$!
	sleep 0.3
}

@test "gdb's backtraces of a running program" {
	need gdb
	started "$(build_program twelve)" 20
	for _ in 1 2 3; do
		timeout 60 gdb -nx -batch -p "$target" \
			-ex 'thread apply all bt' 2>/dev/null
	done | pk-fold >out
	kill "$target"
	[ "$(samples_of 'main;' <out)" = 3 ]
	grep -qE '^main;.*busy_[0-9]+;spin 1$' out
}

@test "eu-stack's backtraces of a running program" {
	need eu-stack elfutils
	started "$(build_program twelve)" 20
	for _ in 1 2 3; do
		timeout 60 eu-stack -p "$target"
	done | pk-fold >out
	kill "$target"
	[ "$(total out)" = 3 ]
	[ "$(samples_with ';main;.*busy_[0-9]+ [0-9]+$' <out)" = 3 ]
}

@test "bpftrace's counts of a running program" {
	need bpftrace
	started "$(build_program twelve -O2 -g -fno-omit-frame-pointer)" 20
	timeout 60 bpftrace -e "profile:hz:99 /pid == $target/ {
		@[ustack, comm] = count(); @n = count(); }
		interval:s:1 { exit(); }" >traced 2>err ||
		skip "the kernel refuses bpftrace"
	kill "$target"
	pk-fold traced >out
	# As many as bpftrace counted itself.
	[ "$(total out)" = "$(sed -n 's/^@n: //p' traced)" ]
	[ "$(samples_with '^twelve;.*main;.*busy_[0-9]+ ' <out)" -gt \
		$(($(total out) / 2)) ]
	pk-fold traced | pk-flamesvg >out.svg
}
