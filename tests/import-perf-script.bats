#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# perf script's text: real recordings, what is tricky in it, and what other
# collapsers get wrong.

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
	text=$(data import/perf-script.txt)
}

# sample [EVENT LINE]: a sample of two frames on standard output.
sample() {
	printf '%s\n' "${1:-prog 7/8 [000] 1.5:  30 cycles: }"
	printf '\t    4011 leaf+0x1 (/bin/prog)\n\t    4022 main+0x2 (/bin/prog)\n'
}

# called [OPTION...]: each line of standard input is a frame's symbol and
# module, ` => `, and what the frame is to be called.
called() {
	cat >names
	{
		echo "${comm:-prog} 7/8 [000] 1.5:  30 cycles: "
		awk -F ' => ' '{ printf "\t    4011 %s\n", $1 }' names
	} | pk-fold "$@" | sed 's/^[^;]*;//; s/ 30$//' | tr ';' '\n' | tac |
		diff <(awk -F ' => ' '{ print $2 }' names) -
}

# many N [LINE]...: N samples with their times in seconds from 1, whose event
# lines are the LINEs in turns, behind `p 1/1 [000] TIME: `.
many() {
	local n=$1
	shift
	printf '%s\n' "$@" | awk -v n="$n" '{ line[NR - 1] = $0 }
		END {
			for (i = 0; i < n; i++)
				printf "p 1/1 [000] %d.5: %s\n%s\n%s\n\n", \
					i, line[i % NR], \
					"\t    4011 leaf+0x1 (/bin/prog)", \
					"\t    4022 main+0x2 (/bin/prog)"
		}'
}

# is ACTUAL EXPECTED
is() {
	[ "$1" = "$2" ] || {
		printf 'it is: %.2000s\nnot:   %.2000s\n' "$1" "$2"
		return 1
	}
}

@test "recordings fold as they were reasoned out, and sums are perf's" {
	local file folded
	for file in "$(data import)"/perf-s*.txt; do
		folded=${file%.txt}.folded
		pk-fold "$file" 2>/dev/null | diff -u "$folded" - || {
			echo "$file"
			return 1
		}
	done
	# Periods on event lines add up to what is counted.
	is "$(awk '/cpu-clock: $/ { n += $(NF - 1) } END { print n }' "$text")" \
		"$(awk '{ n += $NF } END { print n }' <(pk-fold "$text"))"
}

@test "what regular expressions make of live recordings is what pk-fold does" {
	need perf linux-perf
	need perl perl-base
	program=$(build_program cxxnames -O0 -g)
	perf record -q -F 499 -e cpu-clock -g -o fp.data "$program" 0.3 ||
		skip "the kernel refuses perf"
	perf record -q -F 97 -e cpu-clock --call-graph dwarf -o dwarf.data \
		"$program" 0.2
	perf record -q -F 499 -e cpu-clock,page-faults -g -o two.data \
		"$program" 0.2
	for data in fp dwarf two; do
		perf script -i $data.data >$data.txt 2>/dev/null
		perl "$PK_SRCDIR/tests/perf-script.pl" <$data.txt >expected
		[ "$(wc -l <expected)" -gt 4 ]
		pk-fold $data.txt 2>/dev/null | diff expected -
	done
	perl "$PK_SRCDIR/tests/perf-script.pl" page-faults <two.txt |
		diff - <(pk-fold -e page-faults two.txt)
	run -0 pk-fold fp.txt
	[[ "$output" = *';app::Box<int>::operator<;'* ]]
	[[ "$output" = *';app::Box<int>::operator->;'* ]]
	[[ "$output" = *';app::Box<int>::operator();'* ]]
	[[ "$output" = *'app::apply<all()::{lambda(int)#1}>;'* ]]
	[[ "$output" = *';(anonymous namespace)::Hidden::work;'* ]]
}

@test "a file, a pipe and gzip give the same, with one thread or several" {
	local i
	# Large enough to be cut, and each part begins with its own event.
	sed 's/cpu-clock: $/other: /; s/^cxxnames/first/' "$text" |
		head -20 >big
	for i in {1..12}; do cat "$text"; done >>big
	sample 'last 9/9 [000] 99999.5: 7 cpu-clock: ' >>big
	for i in {1..6}; do cat big big; done >bigger
	for i in {1..6}; do cat bigger; done >big
	[ "$(stat -c %s big)" -gt 9000000 ]
	taskset -c "$(taskset -cp $$ | sed 's/.*[ ,-]//')" pk-fold \
		-e cpu-clock big >one
	pk-fold -e cpu-clock big | cmp one -
	pk-fold -e cpu-clock - <big | cmp one -
	# shellcheck disable=SC2002 # a pipe it is to be
	cat big | pk-fold -e cpu-clock | cmp one -
	gzip -1 <big | pk-fold -e cpu-clock | cmp one -
	is "$(grep ^last one)" "last;main;leaf 504"
	# The event and the time that count are those of the whole file.
	pk-fold big 2>err >first
	is "$(awk '{ sub(/;.*/, "", $1); n[$1] += $NF }
		END { for (i in n) print i, n[i] }' first)" \
		"first $((72 * 4000000 * $(head -20 big | grep -c other)))"
	grep -q "only what it has of 'other' is counted" err
	pk-fold --since 100 -e cpu-clock big >late
	cat big | pk-fold --since 100 -e cpu-clock | cmp late -
	is "$(cat late)" "last;main;leaf 504"
	# In the order of time, too.
	pk-fold --time-order -e cpu-clock big >runs
	cat big | pk-fold --time-order -e cpu-clock | cmp runs -
	is "$(awk '{ n += $NF } END { print n }' runs)" \
		"$(awk '{ n += $NF } END { print n }' one)"
}

@test "sums that depend on the order are made in one order" {
	many 120000 '9007199254740993 cycles: ' '1 cycles: ' >big
	[ "$(stat -c %s big)" -gt 9000000 ]
	pk-fold big >many
	# shellcheck disable=SC2002 # a pipe it is to be
	cat big | pk-fold | cmp many -
}

@test "the outermost frame is the thread, its process, or both" {
	sample >in
	is "$(pk-fold in)" 'prog;main;leaf 30'
	is "$(pk-fold --pid in)" 'prog-7;main;leaf 30'
	is "$(pk-fold --tid in)" 'prog-7/8;main;leaf 30'
	sample 'prog 8 [000] 1.5: 30 cycles: ' >in
	is "$(pk-fold --pid in)" 'prog-?;main;leaf 30'
	is "$(pk-fold --tid in)" 'prog-?/8;main;leaf 30'
}

@test "the event line's fields are each optional" {
	local line
	for line in 'prog 7/8 [000] 1.500000: 30 cycles: ' \
		'prog     7/8     [000] 1.5:         30 cycles:u: ' \
		'prog 8 1.5: 30 cycles: ' \
		'prog  8 [001] 1.5: 30 cpu/event=0x3c,umask=0x1/ppp: ' \
		'prog 7/8 30 cycles: ' 'prog 8 30 cycles: ' \
		'prog 8 U     1.5:  30 cycles: ' \
		'prog 7/8 1.500000000:   30   cycles: ' \
		'         prog 7/8 [000] 1.5: 30 cycles: ' \
		'prog 7/8 [000] 1.5: 30 probe:foo_1: (4011) a=5 b="x y"'; do
		is "$(sample "$line" | pk-fold)" 'prog;main;leaf 30'
	done
	for line in 'prog 7/8 [000] 1.5: cycles: ' 'prog 8 1.5: cycles: ' \
		'prog 7/8 1.5: ' 'prog 7/8 cycles: ' 'prog 7/8 ' 'prog 8 ' \
		'prog 7/8 [000] 1.5: 0 cycles: ' \
		'prog 8 [000] 1.5: sched:sched_switch: prev_comm=x 1.5: 3 y: '; do
		is "$(sample "$line" | pk-fold)" 'prog;main;leaf 1'
	done
}

@test "a thread's name may hold numbers and blanks, or be empty" {
	is "$(sample 'foo 12 bar 7/8 [000] 1.5: 30 cycles: ' | pk-fold --tid)" \
		'foo_12_bar-7/8;main;leaf 30'
	is "$(sample 'foo 12 bar 8 1.5: 30 cycles: ' | pk-fold --tid)" \
		'foo_12_bar-?/8;main;leaf 30'
	is "$(sample '1 2 8 [000] 1.5: 30 cycles: ' | pk-fold --tid)" \
		'1_2-?/8;main;leaf 30'
	is "$(sample '     7/8     [000] 1.5: 30 cycles: ' | pk-fold --tid)" \
		':8-7/8;main;leaf 30'
	is "$(sample 'a;b 7/8 [000] 1.5: 30 cycles: ' | pk-fold)" \
		'a:b;main;leaf 30'
	is "$(sample 'cafe 7/8 [000] 1.5: 30 cycles: ' | pk-fold)" \
		'cafe;main;leaf 30'
	is "$(sample ':-1 -1/-1 [000] 1.5: 30 cycles: ' | pk-fold)" \
		':-1;main;leaf 30'
	is "$(sample 'swapper 0/0 [000] 1.5: 30 cycles: ' | pk-fold --tid)" \
		'swapper-0/0;main;leaf 30'
}

@test "the last sample counts without a blank line behind it" {
	sample >in
	is "$(pk-fold in)" 'prog;main;leaf 30'
	{ sample; echo; sample; } >in
	is "$(pk-fold in)" 'prog;main;leaf 60'
	is "$(head -c -1 in | pk-fold)" 'prog;main;leaf 60'
	# Cut in the middle of anything, nothing that came before is lost.
	for n in 500 3001 5002 9003; do
		head -c $n "$text" >cut
		whole=$(awk '/^$/ { n++ } END { print n * 4000000 }' cut)
		sum=$(pk-fold cut 2>/dev/null | awk '{ n += $NF } END { print n }')
		[ "$sum" -ge "$whole" ]
		[ "$sum" -le $((whole + 4000000)) ]
	done
}

@test "carriage returns end lines, too" {
	for file in "$(data import)"/perf-s*.txt; do
		sed 's/$/\r/' "$file" >crlf
		pk-fold crlf 2>/dev/null | diff "${file%.txt}.folded" -
	done
}

@test "a sample without frames is its thread's" {
	printf 'a 1/1 [000] 1.5: 3 cycles: \n\nb 2/2 [000] 1.6: 4 cycles: \n' >in
	is "$(pk-fold in)" $'a 3\nb 4'
	# perf script of a recording without stacks, but with addresses
	printf '%16s %5d [000] 1.5: 3 cycles:      4011 f+0x1 (/bin/p)\n' \
		a 1 b 2 >in
	is "$(pk-fold in)" $'a;f 3\nb;f 3'
}

@test "frames need no blanks in front, no tab, no offset, no module" {
	printf 'p 1/1 [000] 1.5: 3 cycles: \n4011 f (/p)\n    4022 g(int) const\n4033 h+0x1f\n\n' >in
	is "$(pk-fold in)" 'p;h;g;f 3'
}

@test "symbols hold anything" {
	called <<-'END'
		a b c (/bin/x) => a b c
		[unknown] (/usr/lib/libx.so.1) => [libx.so.1]
		[unknown] ([unknown]) => [unknown]
		[unknown] ([vdso]) => [[vdso]]
		 (/usr/lib/libx.so) => [libx.so]
		[unknown] (/tmp/x (deleted)) => [x]
		foo (/tmp/x (deleted)) => foo
		foo (/srv/my app/x (1)) => foo
		foo (/srv/my (app/x) => foo
		a;b (/bin/x) => a:b
		say "hi" (/bin/x) => say "hi"
		f+0x12 (/bin/x) => f
		a+0xb+0x12 (/bin/x) => a+0xb
		f(int)::{lambda()#1}::operator()() const (/bin/x) => f(int)::{lambda()#1}::operator()
		A::operator->() const+0x4 (/bin/x) => A::operator->
		(anonymous namespace)::f(int) (/bin/x) => (anonymous namespace)::f
		net/http.(*conn).serve (/bin/x) => net/http.(*conn).serve
		a::b::h0123456789abcdef (/bin/x) => a::b
		a::b::h0123456789abcdeg (/bin/x) => a::b::h0123456789abcdeg
	END
	printf 'p 1/1 1.5: 3 cycles: \n\t4011 caf\xe9\x01 (/p)\n' >in
	is "$(pk-fold in)" $'p;caf\xe9\\x01 3'
}

@test "a process's name among the frames is none" {
	is "$(printf 'p 1/1 1.5: 3 cycles: \n\t4011 f (/p)\n\t4022 (p) (/p)\n' |
		pk-fold)" 'p;f 3'
}

@test "names may be kept in full or as the file has them" {
	called --names full <<<$'f(int)+0x1 (/x) => f(int)\na::h0123456789abcdef (/x) => a'
	called --names raw <<<'a::h0123456789abcdef (/x) => a::h0123456789abcdef'
	called --modules <<<'f(int) (/usr/lib/x.so) => x.so`f'
}

@test "Java's names are shorter, in Java's threads only" {
	called <<-'END'
		Lorg/a/B;::c(Ljava/lang/String;)V (/tmp/perf-7.map) => Lorg/a/B:::c
	END
	comm=java
	called <<-'END'
		Lorg/a/B;::c(Ljava/lang/String;)V (/tmp/perf-7.map) => org/a/B:::c
		List (/tmp/perf-7.map) => List
		JavaThread::run() (/usr/lib/jvm/libjvm.so) => JavaThread::run
	END
	printf 'java 1/1 1.5: 3 cycles: \n\t4011 La/B;::c->La/B;::d->La/B;::e (/tmp/perf-7.map)\n' >in
	is "$(pk-fold in)" 'java;a/B:::c;a/B:::d;a/B:::e 3'
	is "$(pk-fold --no-inline in)" 'java;a/B:::c 3'
	is "$(pk-fold --all in)" 'java;a/B:::c_[j];a/B:::d_[i];a/B:::e_[i] 3'
}

@test "kernel, jitted and inlined frames are marked when that is asked for" {
	cat >all <<-'END'
		f ([kernel.kallsyms]) => f_[k]
		f ([guest.kernel.kallsyms]) => f_[k]
		f ([ext4]) => f_[k]
		f (/usr/lib/debug/boot/vmlinux-6.1.0-13-amd64) => f_[k]
		f (/boot/vmlinux) => f_[k]
		f ([kernel.kallsyms].init.text) => f_[k]
		f (/lib/modules/6/fs/ext4.ko) => f_[k]
		f (/lib/modules/6/fs/ext4.ko.xz) => f_[k]
		f (/tmp/perf-123.map) => f_[j]
		f (/x/jitted-12-3.so) => f_[j]
		f (inlined) => f_[i]
		f (/bin/x) => f
		f ([unknown]) => f
		f (/tmp/perf-x.map) => f
		f (/bin/ext4.kore) => f
	END
	called --all <all
	sed 's/_\[[ij]\]$//' all | called --kernel
	sed 's/_\[[ik]\]$//' all | called --jit
	sed 's/_\[[ijk]\]$//' all | called
	printf 'p 1/1 1.5: 3 cycles: \n\t4011 f (inlined)\n\t4011 g (/p)\n' >in
	is "$(pk-fold --no-inline in)" 'p;g 3'
}

@test "addresses stand in for names that are missing" {
	called --addrs <<-'END'
		[unknown] (/lib/libx.so) => [libx.so <4011>]
		[unknown] ([unknown]) => [unknown <4011>]
		f (/lib/libx.so) => f
	END
}

@test "of several events the first counts, and the others are named once" {
	{
		sample 'p 1/1 [000] 1.1: 5 cycles:u: '
		echo
		sample 'p 1/1 [000] 1.2: 7 faults: '
		echo
		sample 'p 1/1 [000] 1.3: 7 faults: '
		echo
		sample 'p 1/1 [000] 1.4: sched:sched_switch: prev_comm=p ==> x'
	} >in
	run -0 --separate-stderr pk-fold in
	is "$output" 'p;main;leaf 5'
	is "$(grep -c warning <<<"$stderr")" 1
	[[ "$stderr" = *'faults (2), sched:sched_switch (1)'* ]]
	is "$(pk-fold -e faults in)" 'p;main;leaf 14'
	is "$(pk-fold -e cycles in)" 'p;main;leaf 5'
	is "$(pk-fold -e sched:sched_switch in)" 'p;main;leaf 1'
	run -2 pk-fold -e nonsense in
	[[ "$output" = *'has no event nonsense'* ]]
}

@test "samples are chosen by thread, process, name and time" {
	{
		sample 'a 1/1 [000] 10.0: 1 cycles: '
		echo
		sample 'a 1/2 [000] 11.0: 2 cycles: '
		echo
		sample 'b 3/3 [000] 12.5: 4 cycles: '
		echo
	} >in
	is "$(pk-fold --only-pid 1 in)" 'a;main;leaf 3'
	is "$(pk-fold --only-tid 2 in)" 'a;main;leaf 2'
	is "$(pk-fold --only-comm b in)" 'b;main;leaf 4'
	is "$(pk-fold --since 1 in)" $'a;main;leaf 2\nb;main;leaf 4'
	is "$(pk-fold --until 1 in)" 'a;main;leaf 3'
	is "$(pk-fold --value samples in)" $'a;main;leaf 2\nb;main;leaf 1'
}

@test "source lines below frames are left out, or added with --lines" {
	printf 'p 1/1 1.5: 3 cycles: \n\t4011 f (/p)\n  x.c:12\n\t4022 g (/p)\n  p[4022]\n' >in
	is "$(pk-fold in)" 'p;g;f 3'
	is "$(pk-fold --lines in)" 'p;g;f:x.c:12 3'
}

@test "what is no event and no frame is skipped and counted" {
	{
		echo '# header'
		sample
		echo
		echo 'perf: some message'
		sample
		printf '\tthis is no frame\n'
		echo
		printf '\t    4011 orphan (/p)\n'
	} >in
	run -0 --separate-stderr pk-fold in
	is "$output" 'prog;main;leaf 60'
	[[ "$stderr" = *"3 lines (the first is line 6)"* ]]
	{ cat in; many 30000 '1 cycles: '; } >pipe
	run -0 --separate-stderr pk-fold - < <(cat pipe)
	[[ "$stderr" = *"3 lines (the first is line 6)"* ]]
	# Numbers count on over the parts of a large file.
	{
		many 120000 '1 cycles: '
		echo 'perf: some message'
	} >big
	[ "$(stat -c %s big)" -gt 9000000 ]
	run -0 --separate-stderr pk-fold big
	[[ "$stderr" = *"1 line (the first is line 480001)"* ]]
}

@test "names of a megabyte are names" {
	long=$(head -c 1000000 /dev/zero | tr '\0' x)
	{
		sample
		printf '\t    4033 %s (/bin/prog)\n\n' "$long"
	} >in
	run -0 pk-fold in
	is "$output" "prog;$long;main;leaf 30"
	{
		sample
		echo
		sample "$long 7/8 [000] 1.5: 30 cycles: "
	} >in
	is "$(pk-fold in | head -2 | tail -1)" "$long;main;leaf 30"
}

@test "memory follows the distinct stacks, not the samples" {
	[ -z "${PK_SANITIZE:-}" ] || return 0 # shadow memory has no limit
	for i in {1..40}; do cat "$text"; done >part
	for i in {1..60}; do cat part; done >big
	[ "$(stat -c %s big)" -gt 40000000 ]
	(ulimit -v 400000 && pk-fold big >out)
	is "$(awk '{ n += $NF } END { printf "%.0f\n", n }' out)" \
		"$(awk '{ n += $NF } END { printf "%.0f\n", n * 2400 }' \
			"$(data import/perf-script.folded)")"
}

@test "of many events eight are named, and how many more there are" {
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		printf 'p 1/1 1.%d: 1 e%d:\n\t1 main (/x)\n\n' $i $i
	done >many
	run --separate-stderr -0 pk-fold many
	is "$stderr" "pk-fold: warning: many: only what it has of 'e1' is counted; -e chooses another of its events: e2 (1), e3 (1), e4 (1), e5 (1), e6 (1), e7 (1), e8 (1), e9 (1) and 3 more"
	head -n 27 many >nine
	run --separate-stderr -0 pk-fold nine
	[[ "$stderr" = *'e8 (1), e9 (1)' ]]
}

@test "that scheduler times are microseconds is said once" {
	sched=$(data import/perf-sched.txt)
	run --separate-stderr -0 pk-fold "$sched" "$sched"
	is "$stderr" 'pk-fold: values are microseconds: pk-flamesvg --unit us'
	run --separate-stderr -0 pk-fold --value weight "$sched"
	[ -z "$stderr" ]
	run --separate-stderr -0 pk-fold --value samples "$sched"
	[ -z "$stderr" ]
}

@test "scheduler events are time off the processor" {
	sched=$(data import/perf-sched.txt)
	is "$(pk-fold "$sched")" 'V8_Helper;read_block;__schedule 2900
worker;main;app::wait;schedule;__schedule 3000'
	# 1999500 and 1000800 ns; what was only preempted does not count.
	is "$(pk-fold --value weight --tid "$sched")" \
		'V8_Helper-100/102;read_block;__schedule 2900700
worker-100/101;main;app::wait;schedule;__schedule 3000300'
	is "$(pk-fold --value samples "$sched")" \
		'V8_Helper;read_block;__schedule 1
worker;main;app::wait;schedule;__schedule 2'
	is "$(pk-fold --only-tid 102 "$sched")" \
		'V8_Helper;read_block;__schedule 2900'
	# Nothing but sched_switch: its samples are counted.
	awk 'BEGIN { RS = ""; ORS = "\n\n" } !/delay=/' "$sched" >switches
	is "$(pk-fold switches | awk '{ n += $NF } END { print n }')" 6
	# From 50.000000 to 50.002100; nobody else that slept came back.
	is "$(pk-fold -i perf_sched switches)" \
		'worker;main;app::wait;schedule;__schedule 2100'
	# Nor with other samples among them.
	{ cat "$sched"; echo; sample; } >mixed
	[[ "$(pk-fold mixed 2>/dev/null)" != *' 2900'* ]]
}

@test "sleeping threads are off the processor as long as they sleep" {
	# Each of two threads slept 3 ms and 1 ms in turns.
	run -0 pk-fold "$(data import/perf-sched-switch.txt)"
	is "$(grep -c 'w;outer_a;' <<<"$output")" 2
	is "$(awk '/outer_a/ { a += $NF } /outer_b/ { b += $NF }
		END { print (a > 2.2 * b && a < 3.5 * b) }' <<<"$output")" 1
}
