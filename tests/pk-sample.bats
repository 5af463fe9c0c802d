#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# pk-sample on real programs. What it sees is checked through pk-fold, with
# perf as the second witness.

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
	need_profiling
}

@test "stacks of a C++ program reach the start of their thread" {
	pk-sample -o a.pkc "$(build_program cxxstacks)" 10
	run -0 whole_share a.pkc
	echo "$output"
	awk -v share="${output%% *}" -v n="${output##* }" \
		'BEGIN { exit !(share >= 99.5 && n > 500) }'
	# Whole means: below the thread's name stands _start, or libc's
	# routine that starts threads, or the dynamic linker before main.
	pk-fold --modules --addrs a.pkc 2>/dev/null |
		awk '/^\[lost\]/ { next } # by a machine that was too busy
		{ n = $NF; all += n; split($0, f, ";") }
		f[2] ~ /`_start$/ || f[2] ~ /^(libc.so.6`|\[libc.so.6\+)/ ||
		f[2] ~ /^ld-linux/ { good += n }
		END { print good, all; exit !(good >= 0.995 * all) }'
}

@test "stacks of stripped programs are whole, too" {
	need xz xz-utils
	need /usr/bin/python3 python3
	seq 400000 >numbers
	pk-sample -o xz.pkc xz -k -6 numbers
	run -0 whole_share xz.pkc
	awk -v share="${output%% *}" 'BEGIN { exit !(share >= 98) }'
	cat >work.py <<-'END'
		import json, re
		def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
		for i in range(3):
		    fib(22)
		    json.dumps([str(x) for x in range(60000)])
		    re.findall(r'(\d+)5', ' '.join(map(str, range(60000))))
	END
	pk-sample -o py.pkc /usr/bin/python3 work.py
	run -0 whole_share py.pkc
	awk -v share="${output%% *}" 'BEGIN { exit !(share >= 98) }'
}

# self_top FOLDED_FILE: NAME PERCENT of the ten with the most self time.
self_top() {
	awk '{ n = $NF; sub(/ [^ ]*$/, ""); sub(/.*;/, ""); self[$0] += n; all += n }
		END { for (f in self) printf "%s %.3f\n", f, 100 * self[f] / all }' \
		"$1" | sort -k2,2nr | head -n 10
}

@test "the functions with the most self time are those perf finds, within 3 points" {
	need perf linux-perf
	local twelve
	twelve=$(build_program twelve)
	pk-sample -o a.pkc "$twelve" 3 >/dev/null
	pk-fold --no-inline a.pkc >ours.folded
	perf record -q -F 999 -e cpu-clock --call-graph dwarf -o perf.data \
		"$twelve" 3 >/dev/null 2>&1
	# The innermost frame of each sample is the line behind its header.
	perf script --no-inline -i perf.data -F comm,ip,sym 2>/dev/null |
		awk '/^[^ \t]/ { first = 1; next }
		first && NF { $1 = ""; sub(/^ /, ""); print $0, 1; first = 0 }' \
		>perf.folded
	self_top ours.folded >ours
	self_top perf.folded >theirs
	echo "ours:"; cat ours
	echo "perf:"; cat theirs
	diff <(cut -d' ' -f1 ours | sort) <(cut -d' ' -f1 theirs | sort)
	join <(sort ours) <(sort theirs) |
		awk '{ d = $2 - $3; if (d < -3 || d > 3) { print; bad = 1 } }
		END { exit bad || NR != 10 }'
}

@test "threads are seen with their names, awkward ones too" {
	pk-sample -o a.pkc "$(build_program names)" 0.2
	pk-fold a.pkc >out
	for name in 'a\x0aend\x0ab' 'back\slash' 'semi:colon' \
		'two  blanks ' "$(printf '\xff')"'\x01x'; do
		[ "$(samples_of "$name;" <out)" -gt 50 ]
	done
}

@test "children are seen, with and without exec, and an exec changes the name" {
	forks=$(build_program forks)
	pk-sample -o a.pkc "$forks" fork 2 0.2
	[ "$(pk-fold a.pkc | samples_with ';work_in_fork')" -gt 200 ]
	pk-sample -o b.pkc "$forks" exec 2 0.2
	[ "$(pk-fold b.pkc | samples_with ';work_after_exec')" -gt 200 ]
	pk-sample -o c.pkc sh -c "$forks chain 1 0.2; :"
	[ "$(pk-fold c.pkc | samples_with ';work_after_exec')" -gt 200 ]
	[ "$(grep -c '^proc .* exec ' c.pkc)" -eq 2 ]
}

@test "descendants are waited for, unless --no-wait" {
	forks=$(build_program forks)
	pk-sample -o a.pkc "$forks" orphan 2 0.3
	[ "$(pk-fold a.pkc | samples_with ';work_in_fork')" -gt 400 ]
	pk-sample --no-wait -o b.pkc "$forks" orphan 2 0.3
	[ "$(pk-fold b.pkc | samples_with ';work_in_fork')" -lt 300 ]
	tail -n 1 b.pkc | grep -qx end
}

@test "libraries that are loaded, unloaded and replaced are told apart" {
	dlopener=$(build_program dlopener)
	for name in first second; do
		$CC -O2 -g -shared -fPIC -DPLUGIN=$name \
			"$PK_SRCDIR/tests/programs/plugin.c" -o $name.so
	done
	pk-sample -o a.pkc "$dlopener" 0.3 ./first.so ./second.so ./first.so
	pk-fold --modules a.pkc >out
	[ "$(samples_with '`plugin_run;first.so`first_work' <out)" -gt 400 ]
	[ "$(samples_with '`plugin_run;second.so`second_work' <out)" -gt 200 ]
}

@test "a process that runs is sampled until -d ends it" {
	twelve=$(build_program twelve)
	background "$twelve" 3 >/dev/null
	pid=$!
	pk-sample -p $pid -d 0.5 -o a.pkc
	kill -0 $pid
	kill $pid
	n=$(pk-fold a.pkc | samples_with ';main;.*;busy_')
	echo "$n samples"
	[ "$n" -gt 100 ] && [ "$n" -lt 650 ]
}

@test "a process that ends, ends its recording" {
	twelve=$(build_program twelve)
	background "$twelve" 0.6 >/dev/null
	timeout 20 pk-sample --pid $! -o a.pkc
	[ "$(pk-fold a.pkc | samples_with ';main;')" -gt 100 ]
}

@test "all threads of a process that runs are sampled" {
	names=$(build_program names)
	background "$names" 1
	pid=$!
	sleep 0.2
	pk-sample -p $pid -d 0.5 -o a.pkc
	wait $pid
	run -0 bash -c "pk-fold --tid a.pkc | cut -d';' -f1 | sort -u | wc -l"
	[ "$output" -eq 5 ]
	[ "$(pk-fold a.pkc | samples_of 'semi:colon;')" -gt 20 ]
}

@test "a process goes on when one of its threads ends, and counts once" {
	cat >ending.c <<-'END'
		#include <pthread.h>
		#include "busy.h"
		static void *first(void *p) { be_busy(0.3); return p; }
		static void *second(void *p) { be_busy(1.2); return p; }
		int main(void)
		{
			pthread_t a, b;
			pthread_create(&a, NULL, first, NULL);
			pthread_create(&b, NULL, second, NULL);
			pthread_exit(NULL);
		}
	END
	$CC -O2 -g -I"$PK_SRCDIR/tests/programs" -pthread ending.c -o ending
	background ./ending
	pid=$!
	sleep 0.1
	pk-sample -p $pid,$pid -p $pid -o a.pkc
	pk-fold a.pkc >out
	[ "$(samples_with ';second;' <out)" -gt 200 ]
	[ "$(samples_with ';second;' <out)" -lt 1300 ]
	[ "$(samples_with 'no-cfi|unknown' <out)" -lt 10 ]
}

@test "-d leaves the command running" {
	pk-sample -d 0.3 -o a.pkc sh -c "sleep 1; touch done" 3>&-
	[ ! -e done ]
	sleep 1.5
	[ -e done ]
}

@test "the status is the command's" {
	run -3 pk-sample -o a.pkc sh -c 'exit 3'
	run -143 pk-sample -o a.pkc sh -c 'kill -TERM $$'
	run --separate-stderr -127 pk-sample -o b.pkc ./no-such-program
	[[ $stderr == *"cannot run './no-such-program': No such file"* ]]
	[ ! -e b.pkc ]
	touch plain
	run --separate-stderr -126 pk-sample -o b.pkc ./plain
	[[ $stderr == *"cannot run './plain': Permission denied"* ]]
}

@test "without -o the capture has standard output to itself" {
	pk-sample sh -c 'echo hello; echo oops >&2' >out 2>err
	head -n 1 out | grep -qx 'pk-capture 1'
	tail -n 1 out | grep -qx end
	grep -qx hello err
	grep -qx oops err
	pk-sample -o x.pkc sh -c 'echo hello' >out
	[ "$(cat out)" = hello ]
}

@test "-o - is standard output, too" {
	pk-sample -o - sh -c 'echo hello' >out 2>err
	head -n 1 out | grep -qx 'pk-capture 1'
	grep -qx hello err
}

@test "a program that removes itself is unwound" {
	cp "$(build_program twelve)" fleeting
	pk-sample -o a.pkc sh -c './fleeting 0.5 & sleep 0.1; rm fleeting; wait'
	run -0 whole_share a.pkc
	awk -v share="${output%% *}" 'BEGIN { exit !(share > 90) }'
	grep -q "^mod .* v $PWD/fleeting$" a.pkc
}

@test "the command gets the signal for too large files, which pk-sample ignores" {
	run -0 pk-sample -o x.pkc -- bash -c 'grep SigIgn /proc/$$/status'
	[[ $output =~ SigIgn:[[:space:]]*([0-9a-f]+) ]]
	# signal 25
	((!(16#${BASH_REMATCH[1]} >> 24 & 1)))
}

@test "signals that are ignored stay so" {
	background sh -c "trap '' HUP
		exec pk-sample -o a.pkc $(build_program twelve) 1"
	pid=$!
	sleep 0.4
	kill -HUP $pid
	wait $pid
	tail -n 1 a.pkc | grep -qx end
}

@test "options end at the command" {
	pk-sample -o x.pkc echo -o -z --help >out
	[ "$(cat out)" = "-o -z --help" ]
}

@test "a capture is not written to a terminal" {
	need script bsdutils
	run -125 on_terminal "pk-sample touch ran"
	[[ $output == *"a capture is not for a terminal"* ]]
	[ ! -e ran ]
}

@test "a reader that goes away ends the recording, not the command" {
	run --separate-stderr -0 bash -c '
		pk-sample sh -c "sleep 0.5; i=0; while [ \$i -lt 200000 ]; do i=\$((i+1)); done; echo \$i >ran; exit 7" |
		true; echo "${PIPESTATUS[0]}"'
	[ "$output" = 7 ]
	[ "$(cat ran)" = 200000 ]
}

@test "requests to end reach the command when the reader has gone, too" {
	background sh -c 'pk-sample sh -c "echo \$\$ >pid; exec sleep 20" | true
		touch ended'
	for _ in $(seq 100); do [ -s pid ] && break; sleep 0.05; done
	sleep 0.5
	kill -TERM "$(ps -o ppid= -p "$(cat pid)")"
	for _ in $(seq 50); do [ -e ended ] && break; sleep 0.1; done
	[ -e ended ]
	run -1 kill -0 "$(cat pid)"
}

@test "a reader that stops costs samples, not time" {
	twelve=$(build_program twelve)
	# The reader takes nothing before the target has ended.
	pk-sample -F 10000 sh -c "$twelve 0.5; touch ended" |
		{
			for _ in $(seq 300); do
				[ -e ended ] && break
				sleep 0.1
			done
			[ -e ended ] && cat
		} >a.pkc
	[ "$(wc -c <a.pkc)" -gt 65536 ]
	tail -n 1 a.pkc | grep -qx end
}

@test "a recorder whose reader hangs can be ended" {
	twelve=$(build_program twelve)
	mkfifo pipe
	exec 9<>pipe
	background pk-sample -F 10000 "$twelve" 0.5 >pipe 2>err
	recorder=$!
	sleep 3
	for _ in $(seq 100); do
		kill -TERM $recorder || break
		sleep 0.2
	done
	exec 9>&-
	status=0
	wait $recorder || status=$?
	[ $status -eq 125 ]
	grep -q 'could not be written in full' err
}

@test "an interrupt is the command's affair, the capture is whole" {
	cat >patient.sh <<-'END'
		trap 'echo got it; exit 5' INT
		touch ready
		while :; do :; done
	END
	background env --default-signal=INT pk-sample -o a.pkc sh patient.sh \
		>out
	pid=$!
	for _ in $(seq 100); do [ -e ready ] && break; sleep 0.05; done
	sleep 0.2
	kill -INT $pid
	status=0
	wait $pid || status=$?
	[ "$status" -eq 5 ]
	[ "$(cat out)" = "got it" ]
	tail -n 1 a.pkc | grep -qx end
}

@test "an interrupt ends a pipeline's recording, and the picture is drawn" {
	twelve=$(build_program twelve)
	background "$twelve" 20 >/dev/null
	pid=$!
	cat >pipeline.sh <<-END
		pk-sample -p $pid | pk-fold | pk-flamesvg -o x.svg
		touch ended
	END
	# A process group of its own, as a terminal makes it.
	background setsid env --default-signal=INT sh -c 'echo $$ >group
		trap "" INT; env --default-signal=INT sh pipeline.sh'
	sleep 2
	kill -INT -- -"$(cat group)"
	for _ in $(seq 100); do [ -e x.svg ] && break; sleep 0.1; done
	kill $pid
	grep -q 'busy_155' x.svg
}

@test "-z compresses" {
	pk-sample -z -o a.pkc.gz "$(build_program twelve)" 0.3 >/dev/null
	gzip -t a.pkc.gz
	[ "$(pk-fold a.pkc.gz | samples_with busy_)" -gt 20 ]
}

@test "other ways of unwinding see what they can" {
	twelve=$(build_program twelve -O2 -g -fno-omit-frame-pointer)
	pk-sample --unwind fp -o fp.pkc "$twelve" 0.5 >/dev/null
	pk-fold fp.pkc | grep -q ';main;.*busy_115;spin '
	pk-sample --unwind none -o none.pkc "$twelve" 0.5 >/dev/null
	pk-fold --no-inline none.pkc | grep -q '^twelve;busy_115 '
	[ -z "$(pk-fold none.pkc | grep ';main;')" ]
}

@test "a small --stack-size marks what it cuts" {
	pk-sample --stack-size 1024 -o a.pkc "$(build_program cxxstacks)" 3
	run --separate-stderr -0 pk-fold a.pkc
	[[ $output == *'cxxstacks;[truncated];'* ]]
	[[ $stderr == *'have stacks cut where the recorded part ended'* ]]
	[[ $stderr == *'--stack-size'* ]]
}

@test "events are listed, chosen and refused by name" {
	run -0 pk-sample -e list
	grep -Eq '^cpu-clock +available ' <<<"$output"
	pk-sample -e page-faults -o a.pkc sh -c ':'
	grep -q '^event 1 count 0 page-faults$' a.pkc
	run --separate-stderr -125 pk-sample -e no-such-event true
	[[ ${stderr_lines[0]} == *"there is no event 'no-such-event'"* ]]
}

@test "what cannot be sampled is said in one line" {
	run --separate-stderr -125 pk-sample -p 999999999 -o a.pkc
	[[ $stderr == 'pk-sample: '*'no process or thread 999999999'* ]]
	run --separate-stderr -125 pk-sample -o a.pkc
	[[ ${stderr_lines[0]} == *'what is to be sampled?'* ]]
	run --separate-stderr -125 pk-sample -p 1 -o a.pkc true
	[[ ${stderr_lines[0]} == *'only -a goes with a command'* ]]
	run --separate-stderr -125 pk-sample -p x -o a.pkc
	run --separate-stderr -125 pk-sample -F 0 true
	run --separate-stderr -125 pk-sample -o /no/such/folder/a.pkc touch ran
	[ ! -e ran ]
}

@test "kernel frames have names" {
	pk-sample -o a.pkc dd if=/dev/zero of=/dev/null bs=64k count=60000 \
		status=none
	[ "$(pk-fold --kernel a.pkc | samples_with '_\[k\]')" -gt 10 ]
	[ -z "$(pk-fold a.pkc | grep '\[kernel\]')" ]
}

@test "code made at run time has the names of its perf map" {
	jit=$(build_program jit)
	pk-sample -o a.pkc "$jit" 0.5
	pk-fold --jit a.pkc >out
	rm "/tmp/perf-$(sed -n 's/^proc [0-9]* \([0-9]*\) .* start .*/\1/p' a.pkc).map"
	[ "$(samples_with ';main;made at run time_\[j\] ' <out)" -gt 50 ]
	run -0 whole_share a.pkc
	awk -v share="${output%% *}" 'BEGIN { exit !(share > 95) }'
}

@test "the vdso's functions have names" {
	cat >now.c <<-'END'
		#include <time.h>
		int main(void)
		{
			struct timespec t;
			for (int i = 0; i < 20000000; i++)
				clock_gettime(CLOCK_MONOTONIC, &t);
			return 0;
		}
	END
	$CC -O2 -g now.c -o now
	pk-sample -o a.pkc ./now
	[ "$(pk-fold a.pkc | samples_with ';main;.*vdso_clock_gettime')" -gt 50 ]
}
