#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# pk-fold's options, on a capture made by hand and on folded stacks.
# tests/capture.bats has the stream itself, tests/symbol.bats the names.

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
	cat >a.pkc <<-'END'
		pk-capture 1
		event 1 ns 1000000 cpu-clock
		event 2 count 0 page-faults
		proc 0 10 1 start prog
		proc 0 20 10 fork prog
		name 1 10 11 helper
		mod 1 aa k [kernel]
		mod 2 - a [jit 10]
		mod 3 bb v /gone/bin/app
		sym 0 1 100 50 sys_read
		sym 0 2 7000 100 LazyCompile:*f a.js:3
		f 1 0 3 1234
		f 2 1 2 7010
		f 3 2 1 110
		s 1000000000 10 10 0 1 1000000 3
		s 2000000000 10 11 1 1 3000000 2
		s 3000000000 20 20 0 1 1000000 1
		s 3500000000 20 20 0 2 7 1
		end
	END
}

fold() {
	pk-fold "$@" a.pkc 2>err
}

@test "the outermost frame is the thread, or has its process, or both" {
	run -0 fold
	[ "$output" = "helper;[app];LazyCompile:*f a.js:3 1
prog;[app] 1
prog;[app];LazyCompile:*f a.js:3;sys_read 1" ]
	fold --comm | diff - <(echo "$output")
	run -0 fold --pid
	[ "$output" = "helper-10;[app];LazyCompile:*f a.js:3 1
prog-10;[app];LazyCompile:*f a.js:3;sys_read 1
prog-20;[app] 1" ]
	run -0 fold --tid
	[ "$output" = "helper-10/11;[app];LazyCompile:*f a.js:3 1
prog-10/10;[app];LazyCompile:*f a.js:3;sys_read 1
prog-20/20;[app] 1" ]
}

@test "samples are chosen by process, thread, name and time" {
	[ "$(fold --only-pid 20)" = 'prog;[app] 1' ]
	[ "$(fold --only-tid 11)" = 'helper;[app];LazyCompile:*f a.js:3 1' ]
	[ "$(fold --only-comm helper)" = \
		'helper;[app];LazyCompile:*f a.js:3 1' ]
	[ "$(fold --since 2.5)" = 'prog;[app] 1' ]
	[ "$(fold --until 1)" = \
		'prog;[app];LazyCompile:*f a.js:3;sys_read 1' ]
	[ "$(fold --since 1.5 --until 2)" = \
		'helper;[app];LazyCompile:*f a.js:3 1' ]
}

@test "filters that leave nothing say so" {
	run --separate-stderr -0 pk-fold --only-pid 999 a.pkc
	[ -z "$output" ]
	[[ $stderr == *'no sample passes the filters' ]]
}

@test "the first event counts, others are named, --event chooses" {
	run --separate-stderr -0 pk-fold a.pkc
	[[ $stderr == *"only 'cpu-clock' is folded; 1 samples of other events"* ]]
	[[ $stderr == *'page-faults'* ]]
	run --separate-stderr -0 pk-fold -e page-faults --value weight a.pkc
	[ "$output" = 'prog;[app] 7' ]
	[[ $stderr != *'left out'* ]]
	sed '/^s 3500000000/d' a.pkc >b.pkc
	run --separate-stderr -0 pk-fold -e page-faults b.pkc
	[ -z "$output" ]
	[[ $stderr == *"no samples of 'page-faults'; there are: cpu-clock"* ]]
}

@test "an event that no capture has is trouble, and those there are are named" {
	run --separate-stderr -2 pk-fold -e nothing a.pkc
	[ -z "$output" ]
	[ "$stderr" = "pk-fold: --event 'nothing': no capture has that event; there are: cpu-clock, page-faults" ]
}

@test "--event finds an event without its modifiers, unless one has that name" {
	sed 's/cpu-clock/cpu-clock:ppp/' a.pkc >b.pkc
	pk-fold -e cpu-clock:ppp b.pkc 2>/dev/null >expected
	[ -s expected ]
	pk-fold -e cpu-clock b.pkc 2>/dev/null | cmp expected -
	run --separate-stderr -2 pk-fold -e cpu-clock:p b.pkc
	[[ $stderr == *"--event 'cpu-clock:p': no capture has that event"* ]]
	sed 's/page-faults/cpu-clock/' b.pkc >c.pkc
	[ "$(pk-fold -e cpu-clock --value weight c.pkc 2>/dev/null)" = 'prog;[app] 7' ]
}

@test "the first event that is defined counts, wherever its samples are" {
	grep -v '^s ' a.pkc | sed '$d' >head
	{
		cat head
		echo 's 500000000 20 20 0 2 9 1'
		grep '^s ' a.pkc
		echo end
	} >late.pkc
	pk-fold late.pkc 2>said | diff <(fold) -
	grep -q "only 'cpu-clock' is folded; 2 samples of other events" said
	# no sample of it: then the one that has any, by whatever filter
	{
		cat head
		echo 's 500000000 20 20 0 2 9 1'
		echo end
	} >faults.pkc
	[ "$(pk-fold faults.pkc)" = 'prog;[app] 1' ]
	run --separate-stderr -0 pk-fold --since 3.2 a.pkc
	[ -z "$output" ]
	# of several files, in whatever order the samples come
	run --separate-stderr -0 pk-fold faults.pkc a.pkc
	pk-fold a.pkc faults.pkc 2>/dev/null | diff - <(echo "$output")
	[[ $output == *'sys_read 1'* ]]
}

@test "waiting times are cut to the time that was asked for" {
	printf '%s\n' 'pk-capture 1' 'event 1 ns 0 off-cpu' \
		'proc 0 1 0 start p' 'mod 1 bb v /gone/app' 'f 1 0 1 1' \
		's 3000000000 1 1 0 1 2000000000 1' \
		's 3500000000 1 1 0 1 0 1' end >w.pkc
	weight() {
		pk-fold "$@" w.pkc 2>err
	}
	[ "$(weight)" = 'p;[app] 2000000000' ]
	[ "$(weight --since 1.5)" = 'p;[app] 1500000000' ]
	[ "$(weight --until 2.25)" = 'p;[app] 1250000000' ]
	[ "$(weight --since 1.5 --until 1.75)" = 'p;[app] 250000000' ]
	[ "$(weight --until 2 --value samples)" = 'p;[app] 1' ]
	[ -z "$(weight --until 0.9)" ]
	[ -z "$(weight --since 3.6)" ]
	[ "$(weight --since 3.2 --value samples)" = 'p;[app] 1' ]
}

@test "that values are nanoseconds is said where nobody asked for them" {
	printf '%s\n' 'pk-capture 1' 'event 1 ns 0 off-cpu' \
		'proc 0 1 0 start p' 'mod 1 - a [jit 1]' 'f 1 0 1 1' \
		'sym 0 1 1 1 f' 's 3000000000 1 1 0 1 2000000000 1' end >w.pkc
	run --separate-stderr -0 pk-fold w.pkc
	[ "$stderr" = 'pk-fold: values are nanoseconds: pk-flamesvg --unit ns' ]
	run --separate-stderr -0 pk-fold --value weight w.pkc
	[ -z "$stderr" ]
	run --separate-stderr -0 pk-fold --value samples w.pkc
	[ -z "$stderr" ]
}

@test "filters on folded stacks are said to do nothing, once" {
	echo 'a;b 3' >x
	run --separate-stderr -0 pk-fold -e nothing --since 1 x x
	[ "$output" = 'a;b 6' ]
	[ "$stderr" = "pk-fold: warning: x holds folded stacks: -e, --since do not apply to it" ]
	run --separate-stderr -0 pk-fold --only-pid 1 --only-tid 2 \
		--only-comm c --until 3 - <x
	[[ $stderr == *': --only-pid, --only-tid, --only-comm, --until do not'* ]]
	run --separate-stderr -0 pk-fold --until 3 x
	[[ $stderr == *': --until does not apply to it' ]]
	run --separate-stderr -0 pk-fold --pid x
	[[ $stderr == *': --pid does not apply to it' ]]
	run --separate-stderr -0 pk-fold --comm --kernel x
	[ -z "$stderr" ]
}

@test "frames are marked by kind" {
	[ "$(fold --kernel --only-tid 10)" = \
		'prog;[app];LazyCompile:*f a.js:3;sys_read_[k] 1' ]
	[ "$(fold --jit --only-tid 10)" = \
		'prog;[app];LazyCompile:*f a.js:3_[j];sys_read 1' ]
	[ "$(fold --annotate --only-tid 10)" = \
		'prog;[app];LazyCompile:*f a.js:3_[j];sys_read_[k] 1' ]
	fold --all | diff - <(fold --annotate)
}

@test "modules and addresses are shown on request" {
	[ "$(fold --modules --only-tid 10)" = \
		'prog;[app];[jit]`LazyCompile:*f a.js:3;[kernel]`sys_read 1' ]
	[ "$(fold --addrs --only-pid 20)" = 'prog;[app+0x1234] 1' ]
}

@test "inlined calls are frames, can be left out, and have lines" {
	need_profiling
	cat >inl.c <<-'END'
		volatile unsigned long sink;
		static inline __attribute__((always_inline)) void
		inner(void)
		{
			for (int i = 0; i < 1000; i++)
				sink = sink * 3 + 1;
		}
		__attribute__((noinline)) void outer(void) { inner(); sink++; }
		int main(void) { for (int i = 0; i < 100000; i++) outer(); }
	END
	$CC -O2 -g inl.c -o inl
	pk-sample -o inl.pkc ./inl
	pk-fold inl.pkc | grep -q ';main;outer;inner [0-9]*$'
	pk-fold --annotate inl.pkc | grep -q ';main;outer;inner_\[i\] [0-9]*$'
	pk-fold --no-inline inl.pkc >plain
	grep -q ';main;outer [0-9]*$' plain
	run -1 grep inner plain
	pk-fold --lines inl.pkc | grep -q ';outer:inl.c:8;inner:inl.c:[56] '
}

@test "names are short, full or raw" {
	need_profiling
	cat >names.cc <<-'END'
		volatile unsigned long sink;
		namespace ns { template <typename T> struct S {
			__attribute__((noinline)) T work(T n) {
				for (T i = 0; i < n; i++) sink = sink * 3 + i;
				return n;
			}
		}; }
		int main() { ns::S<long> s; return s.work(200000000) == 3; }
	END
	$CXX -O1 names.cc -o names
	pk-sample -o names.pkc ./names
	pk-fold names.pkc | grep -q ';main;ns::S<long>::work [0-9]*$'
	pk-fold --names full names.pkc |
		grep -q ';main;ns::S<long>::work(long) [0-9]*$'
	pk-fold --names raw names.pkc | grep -q ';main;_ZN2ns1SIlE4workEl [0-9]*$'
}

@test "a file that was rebuilt since is not asked for names" {
	need_profiling
	cp "$(build_program twelve)" prog
	pk-sample -o t.pkc ./prog 0.2
	pk-fold t.pkc 2>/dev/null | grep -q busy_155
	cp "$(build_program forks)" prog
	run --separate-stderr -0 pk-fold t.pkc
	[[ $output != *busy* ]]
	[[ $stderr == *"prog: the file here is another build than the one recorded"* ]]
}

@test "a recorded machine's files may lie below --sysroot" {
	need_profiling
	mkdir -p root"$PWD"
	cp "$(build_program twelve)" prog
	pk-sample -o t.pkc ./prog 0.2
	mv prog root"$PWD"/
	run -0 pk-fold t.pkc
	[[ $output != *busy* ]]
	pk-fold --sysroot root t.pkc 2>/dev/null | grep -q busy_155
}

@test "a replaced program that was kept is found with --sysroot" {
	need_profiling
	cp "$(build_program twelve)" prog
	pk-sample -o t.pkc ./prog 0.2
	mkdir keep
	mv prog keep/
	cp "$(build_program forks)" prog
	pk-fold --sysroot keep t.pkc >out 2>err
	grep -q busy_155 out
	# nor are this machine's libraries lost
	grep -q __libc_start_main out
}

@test "a --sysroot or --debug-dir that is no directory is refused" {
	local option
	for option in --sysroot --debug-dir; do
		run --separate-stderr -2 pk-fold "$option" /nosuch a.pkc
		[[ $stderr == *"$option /nosuch: No such file or directory"* ]]
		run --separate-stderr -2 pk-fold "$option" a.pkc a.pkc
		[[ $stderr == *"$option a.pkc: "* ]]
	done
}

@test "stripped programs are named from --debug-dir" {
	need_profiling
	need objcopy binutils
	cp "$(build_program twelve)" prog
	id=$(readelf -n prog | sed -n 's/.*Build ID: //p')
	mkdir -p dbg/.build-id/"${id:0:2}"
	objcopy --only-keep-debug prog dbg/.build-id/"${id:0:2}/${id:2}.debug"
	strip prog
	pk-sample -o t.pkc ./prog 0.2
	run --separate-stderr -0 pk-fold t.pkc
	[[ $output != *busy* ]]
	[[ $stderr == *"prog: stripped: install its debug symbols"* ]]
	pk-fold --debug-dir dbg t.pkc 2>/dev/null | grep -q busy_155
}

@test "folded stacks of many files are merged, sorted bytewise" {
	printf 'a;b 3\na 1\na b;c 2\n' >x
	printf 'a;b 4\na.c 0.25\n' >y
	run -0 pk-fold x y
	[ "$output" = $'a 1\na b;c 2\na.c 0.25\na;b 7' ]
	cat x y | pk-fold | diff - <(echo "$output")
	pk-fold x <(gzip <y) | diff - <(echo "$output")
}

@test "captures and folded stacks merge" {
	printf 'prog;[app] 5\n' >x
	pk-fold --only-pid 20 a.pkc x >out 2>/dev/null
	[ "$(cat out)" = 'prog;[app] 6' ]
}

@test "two columns stay two, fractions and exponents are summed" {
	printf 'a;b 3 5\na;b 1 1\nfoo 12 1 2\n' >two
	run -0 pk-fold two
	[ "$output" = $'a;b 4 6\nfoo 12 1 2' ]
	printf 'a 0.1\na 0.2\nb 1e3\nb 12\n' >one
	run -0 pk-fold one
	[ "$output" = $'a 0.3\nb 1012' ]
}

@test "lines without a value are skipped and counted" {
	printf 'a;b 3\njunk\n\nx;y z\n' >x
	run --separate-stderr -0 pk-fold x
	[ "$output" = 'a;b 3' ]
	[[ $stderr == *'2 lines without a value skipped'* ]]
}

@test "a line of many megabytes is a line" {
	{ head -c 9000000 /dev/zero | tr '\0' x; echo ';y 3'; } >x
	pk-fold x | cmp - x
	pk-fold <x | cmp - x
}

@test "an output beyond the limit on files' sizes is said, and no part of it stays" {
	awk 'BEGIN { for (i = 0; i < 200000; i++) print "main;f" i " 1" }' >large
	run --separate-stderr -2 bash -c 'ulimit -f 1; exec pk-fold -o out large'
	[ "$stderr" = "pk-fold: out: write failed: File too large" ]
	[ -z "$(find . -name 'out*')" ]
	run --separate-stderr -2 bash -c 'ulimit -f 1; exec pk-fold large >plain'
	[ "$stderr" = "pk-fold: standard output: write failed: File too large" ]
}
