#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Stacks that language runtimes and memory checkers write: recognised, folded,
# and adding up to what the reports say themselves.

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
	D=$PK_SRCDIR/tests/data/import
}

formats='jstack jstack-jdk25 javacore java-exceptions faulthandler xdebug
	xdebug-returns pprof-raw pprof-raw-heap memcheck memcheck-default
	memcheck-stamps lsan lsan-clang lsan-nosymbols'

# fixture NAME: its path.
fixture() {
	local file
	for file in "$D/$1".{txt,log,xt}; do
		[ ! -e "$file" ] || echo "$file"
	done
}

# Standard error goes to the file err, for tests that look at it.
fold() {
	pk-fold "$@" 2>err
}

total() {
	awk '{ n += $NF } END { printf "%.0f\n", n }'
}

# mega: a name of a million bytes.
mega() {
	head -c 1000000 /dev/zero | tr '\0' x
}

@test "whole files fold to what was worked out" {
	local name
	for name in $formats; do
		echo "$name"
		fold "$(fixture "$name")" | diff "$D/$name.folded" -
	done
}

@test "carriage returns, a pipe and gzip change nothing" {
	local name file
	for name in $formats; do
		echo "$name"
		file=$(fixture "$name")
		sed 's/$/\r/' "$file" >crlf
		fold crlf | diff "$D/$name.folded" -
		fold <(cat "$file") | diff "$D/$name.folded" -
		gzip -c "$file" | fold | diff "$D/$name.folded" -
	done
}

@test "a file twice is everything twice" {
	local name file
	for name in $formats; do
		echo "$name"
		file=$(fixture "$name")
		cat "$file" "$file" >twice
		[ "$(fold twice | total)" = $((2 * $(total <"$D/$name.folded"))) ]
		[ "$(fold twice | wc -l)" = "$(wc -l <"$D/$name.folded")" ]
	done
}

@test "a file cut at any line folds, and its last stack counts" {
	local name file n lines
	for name in jstack javacore java-exceptions faulthandler xdebug memcheck \
		lsan; do
		file=$(fixture "$name")
		lines=$(wc -l <"$file")
		for n in 50 60 70 80 90; do
			head -n $((lines * n / 100)) "$file" | head -c -1 >cut
			echo "$name $n"
			fold cut >out || grep -q 'no stack' err
			! grep -Ev '^[^;].* [0-9]+$' out || return 1
		done
	done
	head -n 40 "$D/lsan.txt" | head -c -1 >cut
	[ "$(fold cut | grep -c '^Indirect')" = 1 ]
	sed '/^Full thread/,$!d; /"holder/q' "$D/jstack.txt" >cut
	printf '   java.lang.Thread.State: RUNNABLE\n\tat a.b(C.java:1)' >>cut
	fold cut | grep -x 'holder "of" the: lock;a.b 1'
}

@test "jstack: threads that run count, by name without their number" {
	cat >dump <<-'END'
		4711:
		2026-11-25 02:51:51
		Full thread dump OpenJDK 64-Bit Server VM (17 mixed mode, sharing):

		"http-nio-8080-exec-3" #12 daemon prio=5 tid=0x00007f nid=0x3c35 runnable  [0x1]
		   java.lang.Thread.State: RUNNABLE
			at app.Parser.parse(java.base@17/Parser.java:18)
			at app.Main.main(Unknown Source)

		"http-nio-8080-exec-4" #13 [6699] daemon prio=5 tid=0x00007f nid=6699 runnable  [0x1]
		   java.lang.Thread.State: RUNNABLE
			at app.Parser.parse(app//Parser.java:18)
			at app.Main.main(Native Method)

		"asleep" #14 prio=5 tid=0x00007f nid=0x3c36 waiting on condition  [0x1]
		   java.lang.Thread.State: TIMED_WAITING (sleeping)
			at java.lang.Thread.sleep(Native Method)

		"listens" #15 prio=5 tid=0x00007f nid=0x3c37 runnable  [0x1]
		   java.lang.Thread.State: RUNNABLE
			at sun.nio.ch.EPoll.wait(Native Method)
			at app.Main.listen(Main.java:3)

		"old" #16 prio=5 tid=0x00007f nid=0x3c38 runnable  [0x1]
		   java.lang.Thread.State: RUNNABLE
			at sun.nio.ch.EPollArrayWrapper.epollWait(Native Method)

		"native" #17 prio=5 tid=0x00007f nid=0x3c39 runnable  [0x1]
		   java.lang.Thread.State: RUNNABLE

		"C2 CompilerThread0" #7 daemon prio=9 nid=0x3c2f waiting on condition  [0x0]
		   java.lang.Thread.State: RUNNABLE
		   No compile task

		JNI global refs: 12, weak refs: 0

		Heap
		 def new generation   total 78656K, used 1399K
	END
	[ "$(fold dump)" = 'http-nio-8080-exec;app.Main.main;app.Parser.parse 2
native 1' ]
	[ ! -s err ]
	[ "$(fold --tid --lines dump)" = \
		'http-nio-8080-exec-3-4711/15413;app.Main.main;app.Parser.parse:Parser.java:18 1
http-nio-8080-exec-4-4711/6699;app.Main.main;app.Parser.parse:Parser.java:18 1
native-4711/15417 1' ]
	[ "$(fold --only-comm http-nio-8080-exec-4 dump | total)" = 1 ]
	[ "$(fold --only-comm http-nio-8080-exec dump | total)" = 2 ]
	[ "$(fold --only-tid 15413 dump | total)" = 1 ]
	[ "$(fold --only-pid 4711 dump | total)" = 3 ]
	[ "$(fold --only-pid 4712 dump | total)" = 0 ]
}

@test "jstack: the sum is the runnable threads of the dump" {
	awk '/^"/ { name = $0 }
		/Thread.State: RUNNABLE/ && name !~ /Dispatcher|CompilerThread|Service Thread|Attach|Deflation|Sweeper|Notification|listener|selector|Reference Handler/ { n++ }
		END { print n }' "$D/jstack.txt" >runnable
	[ "$(cat runnable)" -gt 3 ]
	[ "$(fold "$D/jstack.txt" | total)" = "$(cat runnable)" ]
	[ ! -s err ]
}

@test "jstack: a virtual thread hangs from its carrier, deadlocks are no threads" {
	run -0 fold "$D/jstack-jdk25.txt"
	[[ $output == ForkJoinPool-1-worker\;*.runContinuation\;*\;Virtual.spin\ 1 ]]
	[ ! -s err ]
}

@test "jstack: lines that are none of a dump's are counted" {
	sed '/^"worker-1"/i garbage' "$D/jstack.txt" >noisy
	fold noisy | diff "$D/jstack.folded" -
	grep -q '2 lines (the first is line [0-9]*) could not be read as thread dumps' err
}

@test "javacore: every thread counts once, the current one too" {
	run -0 fold "$D/javacore.txt"
	[ "$(grep -c '"' "$D/javacore.txt")" -gt 6 ]
	[ "$(total <<<"$output")" = 6 ]
	[ "$(grep -c 'Signal Dispatcher' <<<"$output")" = 1 ]
	[ ! -s err ]
	fold --tid --lines "$D/javacore.txt" >out
	grep -qx 'worker-1-4711/4725;java/lang/Thread.run:Thread.java:857;Workers.hold:Workers.java:31;Workers$Parser.depth:Workers.java:11;Workers$Parser.spin:Workers.java:18 1' out
	[ "$(fold --only-comm main "$D/javacore.txt" | total)" = 1 ]
	# without the list of all there is still the current one
	sed '/^1XMTHDINFO/,$d' "$D/javacore.txt" >only
	[ "$(fold only)" = 'Signal Dispatcher;com/ibm/misc/SignalDispatcher.run;com/ibm/misc/SignalDispatcher.waitForSignal 1' ]
}

@test "Java exceptions: each trace counts, and elided callers are put back" {
	local file=$D/java-exceptions.log
	# a trace is a run of frames
	awk '/^\t+at / { if (!in_run) n++; in_run = 1; next } { in_run = 0 }
		END { print n }' "$file" >traces
	fold "$file" >out
	[ "$(total <out)" = "$(cat traces)" ]
	! grep -v '^Failures.main' out || return 1
	cat >log <<-'END'
		10:00 INFO  all went well
		    at the end of the day (really)
		java.lang.RuntimeException: a
		    at x.Outer.run(Outer.kt:1)
		    at x.Main.should work (sometimes)(Main.kt:2)
		Caused by: java.lang.RuntimeException: b
		    at x.Inner.run(Inner.java:7) ~[inner.jar:1.0]
		    ... 1 common frames omitted
		    Suppressed: java.io.IOException: c
		        at x.Close.close(Close.java)
		        ... 2 more
		    Caused by: java.io.IOException: d
		        at x.Disk.write(Native Method)
		        ... 9 more
		oops at x.y(z)
	END
	[ "$(fold log)" = "x.Disk.write 1
x.Main.should work (sometimes);x.Inner.run 1
x.Main.should work (sometimes);x.Inner.run;x.Close.close 1
x.Main.should work (sometimes);x.Outer.run 1" ]
}

@test "faulthandler: live stacks of all threads, as python writes them" {
	need python3
	python3 "$PK_SRCDIR/tests/programs/faults.py" >dump
	fold dump >out
	[ "$(total <out)" = "$(grep -c '(most recent call first):$' dump)" ]
	grep -q '^\[truncated\];.*faults.py:[0-9]*:spin' out
	grep -qE ';[^;]*/faults.py:[0-9]+:main [0-9]+$' out
	fold --lines dump | grep -q ';main:faults.py:[0-9]* '
	fold --tid dump | grep -q '^Thread 0x[0-9a-f]*;'
	[ "$(fold --tid dump | total)" = "$(total <out)" ]
}

@test "faulthandler: what else is on standard error is passed over" {
	cat >log <<-'END'
		Fatal Python error: Segmentation fault

		Current thread 0x00007f8a4b7fe700 [worker] (most recent call first):
		  File "/srv/a "b", line 3.py", line 5 in <lambda>
		  File "<string>", line ??? in <module>
		Extension modules: numpy (total: 1)
		Traceback (most recent call last):
		  File "/srv/a.py", line 5, in f
		Stack (most recent call first):
		  File "x;y.py", line 7 in g
	END
	[ "$(fold log)" = '<string>:???:<module>;/srv/a "b", line 3.py:5:<lambda> 1
x:y.py:7:g 1' ]
	grep -q '1 line (the first is line 8)' err
}

@test "xdebug: microseconds add up to the time that passed" {
	local file
	for file in "$D"/xdebug*.xt; do
		awk -F '\t' 'NF > 4 && $3 == 0 && !n++ { first = $4 }
			NF > 3 && $3 == 1 { last = $4 }
			END { printf "%.0f\n", (last - first) * 1e6 }' "$file" >passed
		[ "$(fold "$file" | total)" = "$(cat passed)" ]
		[ ! -s err ]
	done
}

@test "xdebug: samples are calls that call nothing, and time is cut to size" {
	{
		printf 'Version: 3.2.0\nFile format: 4\nTRACE START [x]\n'
		printf '1\t0\t0\t0.000100\t1\t{main}\t1\t\ta.php\t0\t0\n'
		printf '2\t1\t0\t0.000200\t1\tf;g\t1\t\ta.php\t0\t0\n'
		printf '2\t1\t1\t0.000250\t1\n2\t1\tR\t\t\t1\n'
		printf '1\t\tA\t\t\t\t\ta.php\t26\t$i = 0\n'
		printf '2\t2\t0\t1.000300\t1\tf;g\t1\t\ta.php\t0\t0\n'
		printf '3\t3\t0\t1.000310\t1\th\t1\t\ta.php\t0\t0\n'
		printf '\t\t\t1.000400\t1\nTRACE END   [x]\n'
	} >t.xt
	[ "$(fold t.xt)" = '{main} 1000150
{main};f:g 60
{main};f:g;h 90' ]
	[ "$(fold --value samples t.xt)" = '{main};f:g 1
{main};f:g;h 1' ]
	[ "$(fold --until 0.0002 t.xt)" = '{main} 150
{main};f:g 50' ]
	[ "$(fold --since 1 t.xt)" = '{main} 200
{main};f:g 10
{main};f:g;h 90' ]
	# cut off: what ran last has the time up to the last line
	head -n 9 t.xt | fold | diff - <(printf '{main} 1000150\n{main};f:g 50\n')
	# other formats of xdebug's are not for us
	printf 'TRACE START [x]\n  0.0003  384  -> {main}() /x.php:0\n' >human
	run --separate-stderr -2 pk-fold human
}

@test "pprof -raw: a value is chosen by its name, and adds up" {
	local file=$D/pprof-raw-heap.txt
	awk '/^Locations/ { exit } /^ +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+: / {
			sub(/:.*/, ""); a += $1; b += $2; c += $3; d += $4 }
		END { print a, b, c, d }' "$file" >sums
	read -r objects space inuse_objects inuse_space <sums
	[ "$objects" -gt 100 ] && [ "$inuse_space" -gt 1000 ]
	[ "$(fold "$file" | total)" = "$objects" ]
	grep -q "only what it has of 'alloc_objects' is counted; -e chooses another" err
	[ "$(fold -e alloc_space "$file" | total)" = "$space" ]
	[ ! -s err ]
	[ "$(fold -e inuse_objects/count "$file" | total)" = "$inuse_objects" ]
	[ "$(fold --value weight "$file" | total)" = "$inuse_space" ]
	[ "$(fold --value samples "$file" | total)" = "$objects" ]
	run --separate-stderr -2 pk-fold -e nothing "$file"
	[[ $stderr == *'has no event nothing; its events'* ]]
	sed 's,inuse_space/bytes,&[dflt],' "$file" >marked
	[ "$(fold marked | total)" = "$inuse_space" ]
}

@test "pprof -raw: inlined calls are frames of their own" {
	cat >cpu.txt <<-'END'
		PeriodType: cpu nanoseconds
		Period: 10000000
		Duration: 1.2
		Samples:
		samples/count
		          3: 1 2 
		                key:[a: 1]
		                bytes:[512]
		          2: 3 9 
		          0: 1 
		         -1: 2 
		Locations
		     1: 0x401010 M=1 std::max<int>(int const&, int const&) /usr/include/c++/12/bits/stl_algo.h:7:3 s=5(_ZSt3maxIiERKT_)
		             shop::run(void (*)(int)) /srv/my shop/run.cc:12 s=10
		     2: 0x401020 M=1 [F] main.(*T[...]).f :0 s=0
		     3: 0x401030 M=1 
		Mappings
		1: 0x401000/0x402000/0x1000 /srv/my shop/bin 1a2b3c [FN][FL]
	END
	[ "$(fold cpu.txt)" = '[unknown];[bin] 2
main.(*T[...]).f;shop::run;std::max<int> 3' ]
	grep -q 'cpu.txt: 1 location of its samples is missing' err
	[ "$(fold --no-inline --lines cpu.txt | tail -n 1)" = \
		'main.(*T[...]).f;shop::run:run.cc:12 3' ]
	[ "$(fold --all --names full cpu.txt | tail -n 1)" = \
		'main.(*T[...]).f;shop::run(void (*)(int));std::max<int>(int const&, int const&)_[i] 3' ]
	fold --names raw cpu.txt | grep -q ';_ZSt3maxIiERKT_ 3'
	fold --addrs --modules cpu.txt | grep -qxF '[unknown];[bin+0x1030] 2'
	# the locations are cut off
	sed '/^Locations/,$d' cpu.txt >cut
	[ "$(fold cut | total)" = 5 ]
	grep -q '4 locations of its samples are missing' err
}

@test "memcheck: each class adds up to the leak summary" {
	local name
	for name in memcheck memcheck-default memcheck-stamps; do
		echo "$name"
		tr -d , <"$D/$name.txt" |
			sed -n 's/^==.*== *\([a-z]* [a-z]*\): \([0-9]*\) bytes.*/\1;\2/p' |
			awk -F ';' '{ n[$1] += $2 } END { for (c in n) if (n[c] && \
				(c != "still reachable" || !hidden)) print c, n[c] }' \
				hidden="$([[ $name != *default ]] || echo 1)" |
			sort >said
		fold "$D/$name.txt" |
			awk -F ';' '{ sub(/.* /, "", $NF); n[$1] += $NF }
				END { for (c in n) print c, n[c] }' | sort >ours
		[ "$(wc -l <ours)" -ge 3 ]
		diff said ours
		[ ! -s err ]
	done
	# blocks, where each has its record
	[ "$(fold --value samples "$D/memcheck.txt" | total)" = \
		"$(sed -n 's/.* \([0-9]*\) blocks$/\1/p' "$D/memcheck.txt" |
			awk '{ n += $1 } END { print n / 2 }')" ]
}

@test "memcheck: names, lines, inlined calls and processes" {
	local file=$D/memcheck.txt pid
	fold --all "$file" | grep -qx 'definitely lost;main;lose;inlined_\[i\];malloc 66'
	fold --no-inline "$file" | grep -qx 'definitely lost;main;lose;malloc 66'
	# one address again and again is recursion
	fold --all "$file" | grep -q ';lose;recurse;recurse;recurse;recurse;recurse;malloc'
	fold --no-inline "$file" | grep -q ';lose;recurse;recurse;recurse;recurse;recurse;malloc'
	fold --lines "$file" | grep -qE '^possibly lost;main:leaks.cc:[0-9]+;hold:leaks.cc:[0-9]+;malloc 10000$'
	fold --names full "$file" | grep -qF ';recurse(int, unsigned long);malloc '
	fold --modules "$file" | grep -q ';vgpreload_memcheck-amd64-linux.so`malloc '
	[ "$(fold --pid "$file" | cut -d ';' -f 1 | sort -u | wc -l)" = 2 ]
	fold --pid "$file" | grep -qE '^leaks-[0-9]+;still reachable;main;'
	pid=$(sed -n 's/^==\([0-9]*\)== Command.*/\1/p' "$file")
	[ "$(fold --only-pid "$pid" "$file" | total)" = \
		$(($(fold "$file" | total) / 2)) ]
	[ "$(fold --only-comm leaks "$file" | total)" = "$(fold "$file" | total)" ]
}

@test "memcheck: lines of processes may alternate" {
	local file=$D/memcheck.txt pids
	mapfile -t pids < <(sed -n 's/^==\([0-9]*\)== HEAP.*/\1/p' "$file")
	[ "${#pids[@]}" = 2 ]
	paste -d '\n' <(grep "^==${pids[0]}==" "$file") \
		<(grep "^==${pids[1]}==" "$file") | sed '/^$/d' >mixed
	fold mixed | diff "$D/memcheck.folded" -
}

@test "memcheck: the last of several leak checks counts, growth adds up" {
	cat >log <<-'END'
		==9== Memcheck, a memory error detector
		==9== Command: /srv/shop/prog -x
		printed by the program
		==9== 16 bytes in 1 blocks are definitely lost in loss record 1 of 1
		==9==    at 0x48417B4: malloc (vg_replace_malloc.c:393)
		==9==    by 0x109151: ??? (in /srv/shop/lib (x).so)
		==9==    by 0x109152: ???
		==9==    by 0x109153: (below main) (libc-start.c:308)
		==9== 
		==9== LEAK SUMMARY:
		==9==    definitely lost: 16 bytes in 1 blocks
		==9== 
		==9== 1,048 (1,016 direct, 32 indirect) bytes in 2 blocks are definitely lost in loss record 1 of 1
		==9==    at 0x48417B4: malloc (vg_replace_malloc.c:393)
		==9==    by 0x109151: main (a.c:5)
		==9== 
		==9== LEAK SUMMARY:
	END
	[ "$(fold log)" = 'definitely lost;main;malloc 1016
indirectly lost;main;malloc 32' ]
	[ "$(fold --value samples log)" = 'definitely lost;main;malloc 2' ]
	sed '/^==9== 1,048/,$d' log >first
	[ "$(fold first)" = 'definitely lost;(below main);[unknown];[lib (x).so];malloc 16' ]
	cat >>first <<-'END'
		==9== 1,016 (+1,000) bytes in 2 (+1) blocks are definitely lost in new loss record 1 of 1
		==9==    at 0x48417B4: malloc (vg_replace_malloc.c:393)
		==9== 
		==9== LEAK SUMMARY:
		==9== 8 (-8) bytes in 1 (-0) blocks are still reachable in loss record 1 of 1
		==9==    at 0x48417B4: calloc (vg_replace_malloc.c:393)
	END
	[ "$(fold first)" = 'definitely lost;(below main);[unknown];[lib (x).so];malloc 16
definitely lost;malloc 1000
still reachable;calloc -8' ]
}

@test "memcheck: without loss records it says what to do" {
	grep -v 'loss record' "$D/memcheck.txt" >none
	run --separate-stderr -2 pk-fold none
	[[ $stderr == *'has no loss records; valgrind --leak-check=full writes them'* ]]
}

@test "LeakSanitizer: bytes and objects add up to its summary" {
	local name
	for name in lsan lsan-clang lsan-nosymbols; do
		echo "$name"
		read -r bytes objects < <(sed -n \
			's/^SUMMARY.*: \([0-9]*\) byte.* in \([0-9]*\) alloc.*/\1 \2/p' \
			"$D/$name.txt")
		[ "$(fold "$D/$name.txt" | total)" = "$bytes" ]
		[ "$(fold --value samples "$D/$name.txt" | total)" = "$objects" ]
		[ ! -s err ]
	done
	fold --addrs "$D/lsan-nosymbols.txt" | grep -q '\[leaks-address+0x[0-9a-f]*\];\[libasan.so.8+0x'
	fold --all "$D/lsan-clang.txt" | grep -q ';lose;inlined_\[i\];malloc 33$'
	fold --no-inline "$D/lsan.txt" | grep -q ';lose;__interceptor_malloc 33$'
	fold --lines "$D/lsan-clang.txt" | grep -q ';lose:leaks.cc:[0-9]*;recurse:leaks.cc:[0-9]*;'
}

@test "LeakSanitizer: other errors of the sanitizers are no leaks" {
	cat >log <<-'END'
		==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x6020
		READ of size 1 at 0x602000000013 thread T0
		    #0 0x55c112237382 in err /srv/leaks.cc:66
		freed by thread T0 here:
		    #0 0x7fb3f30b76a8 in __interceptor_free ../../asan.cpp:52

		==7==ERROR: LeakSanitizer: detected memory leaks

		Direct leak of 7 byte(s) in 1 object(s) allocated from:
		    #0 0x1 in malloc (/srv/my (x)+y/bin+0x4a2b3d) (BuildId: abc)
		    #1 0x2 in operator new(unsigned long) rel.cc:4:1
		    #2 0x3 in f <null>
		    #3 0x4 in g (<unknown module>)
		    #4 0x5  (<unknown module>)
		    #5 0x6 (/lib/x.so+0x12)

		previously allocated by thread T0 here:
		    #0 0x7fb3f30b89cf in __interceptor_malloc a.cpp:69
		SUMMARY: AddressSanitizer: 7 byte(s) leaked in 1 allocation(s).
	END
	[ "$(fold log)" = 'Direct leak;[x.so];[unknown];g;f <null>;operator new;malloc 7' ]
	[ "$(fold --only-pid 7 log | total)" = 7 ]
	[ "$(fold --only-pid 8 log | total)" = 0 ]
	# a report of errors alone is none of leaks
	sed '/LeakSanitizer/,$d' log >errors
	run pk-fold errors
	[[ $output != *leak* ]]
}

@test "LeakSanitizer: a live report of this compiler" {
	leaks=$(build_program leaks -O1 -g -fno-omit-frame-pointer \
		-fsanitize=leak)
	LSAN_OPTIONS=exitcode=0 "$leaks" x 2>log || true
	grep -q '^SUMMARY' log
	bytes=$(sed -n 's/^SUMMARY.*: \([0-9]*\) byte.*/\1/p' log)
	[ "$(fold log | total)" = "$bytes" ]
	[ "$bytes" -ge 125267 ]
	fold log | grep -qE ';main;lose[^;]*;recurse;recurse;recurse;recurse;recurse;[a-z_]*malloc 123456$'
}

@test "names of a megabyte pass through every format" {
	mega >m
	check() {
		fold "$1" >out
		[ "$(awk '{ print (length($0) > 1000000) }' out)" = 1 ]
	}
	{
		printf 'Full thread dump x\n\n"t" #1\n   java.lang.Thread.State: RUNNABLE\n\tat '
		cat m
		printf '(A.java:1)\n'
	} >jstack
	check jstack
	{
		printf '0SECTION       TITLE\n3XMTHREADINFO      "'
		cat m
		printf '" J9VMThread:0x1\n4XESTACKTRACE                at a.b(A.java:1)\n'
	} >javacore
	check javacore
	{
		printf '\tat a.b(A.java:1)\n\tat '
		cat m
		printf '(A.java:1)\n'
	} >exceptions
	check exceptions
	{
		printf 'Stack (most recent call first):\n  File "a", line 1 in '
		cat m
	} >faults
	check faults
	{
		printf 'TRACE START [\n1\t0\t0\t0.1\t1\t'
		cat m
		printf '\t1\t\ta\t0\n\t\t\t0.2\t1\n'
	} >xdebug
	check xdebug
	{
		printf 'Samples:\ncpu/count\n1: 1\nLocations\n1: 0x1 '
		cat m
		printf ' :0 s=0\n'
	} >pprof
	check pprof
	{
		printf '==1== 1 bytes in 1 blocks are possibly lost in loss record 1 of 1\n==1==    at 0x1: '
		cat m
	} >memcheck
	check memcheck
	{
		printf 'Direct leak of 1 byte(s) in 1 object(s) allocated from:\n    #0 0x1 in '
		cat m
	} >lsan
	check lsan
}

@test "lines that only begin like the format's are counted" {
	noise() {
		fold noisy >out
		grep -q "$1 line.*could not be read" err || {
			cat err
			false
		}
	}
	{
		cat "$D/jstack.txt"
		printf '"t" #1\n\tat nothing\n"\n'
	} >noisy
	noise 2
	{
		cat "$D/javacore.txt"
		printf '3XMTHREADINFO      \n4XESTACKTRACE     at x\ngarbage\n'
	} >noisy
	noise 2
	{
		cat "$D/xdebug.xt"
		printf 'garbage\nTRACE START [\nx\ty\tz\n1\t1\t1\t0.5\t1\n2\t3\t0\t0.6\t1\n'
	} >noisy
	noise 4
	{
		cat "$D/pprof-raw.txt"
		printf 'x\nSamples:\na/b\nx: 1\n1: x\n1 2: 1\nLocations\n 1: x\n'
	} >noisy
	noise 5
	{
		cat "$D/memcheck.txt"
		printf '==1== 5 bytes in loss record 1 of 1\n'
		printf '==1== 1 bytes in 1 blocks are possibly lost in loss record 1 of 1\n==1==    at 0xzz: f\n'
	} >noisy
	noise 2
	{
		cat "$D/lsan.txt"
		printf 'Direct leak of many\nDirect leak of 1 byte(s) in 1 object(s)\n    #0 x\n'
	} >noisy
	noise 2
}

@test "what only looks similar is something else" {
	local file
	cat >node <<-'END'
		Error: x
		    at Object.<anonymous> (/srv/x.js:1:2)
		    at node:internal/main/run_main_module:2
	END
	cat >dotnet <<-'END'
		System.Exception: x
		   at Foo.Bar(String s) in C:\x.cs:line 5
		   at Foo.Main(String[] args)
	END
	cat >python <<-'END'
		Traceback (most recent call first):
		  File "/srv/a.py", line 5, in f
		Thread 0x00007f8a4b7fe700 (most recent call first):
	END
	printf '<?xml version="1.0"?>\n<valgrindoutput>\n<what>%s</what>\n' \
		'16 bytes in 1 blocks are definitely lost in loss record 1 of 1' >xml
	printf '==1== Helgrind, a thread error detector\n==1==    at 0x1: f (a.c:1)\n' >helgrind
	printf '==1==ERROR: AddressSanitizer: x\n    #0 0x1 in f a.c:1\n' >asan
	printf 'Samples:\nnothing\n' >samples
	for file in node dotnet python xml helgrind asan samples; do
		echo "$file"
		[[ $(pk-fold -i list "$file") =~ ^(unknown|folded)$'\t' ]]
	done
}
