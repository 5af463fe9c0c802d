#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# pk-sample where recording is hard: files that go, processes that do as they
# like, kernels and disks that refuse, interrupts at any moment.

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
	need_profiling
}

teardown() {
	rm -f "$BATS_TEST_TMPDIR/running"
	if [ -e "$BATS_TEST_TMPDIR/settings" ]; then
		while read -r key value; do
			printf '%s\n' "$value" >"/proc/sys/kernel/$key"
		done <"$BATS_TEST_TMPDIR/settings"
	fi
}

# set_kernel KEY VALUE: until the test's end; skips where that is not allowed.
set_kernel() {
	[ -w "/proc/sys/kernel/$1" ] || skip "kernel.$1 cannot be set here"
	printf '%s %s\n' "$1" "$(cat "/proc/sys/kernel/$1")" >>settings
	printf '%s\n' "$2" >"/proc/sys/kernel/$1"
}

# share_with PATTERN: the percentage of the folded stacks on standard input
# that match.
share_with() {
	awk -v pattern="$1" '{ all += $NF } $0 ~ pattern { n += $NF }
		END { printf "%d\n", all ? 100 * n / all : 0 }'
}

# is_whole CAPTURE: it has its end, and pk-fold accepts it.
is_whole() {
	[ "$(tail -n 1 "$1")" = end ] && pk-fold -o /dev/null "$1" 2>folding
}

# wait_for FILE: until it is there; at most ten seconds.
wait_for() {
	for _ in $(seq 200); do
		[ ! -e "$1" ] || return 0
		sleep 0.05
	done
	return 1
}

# ---- files that go

# named_and_whole CAPTURE: the twelve functions are there by name, below main,
# and hardly a stack of their program, whatever it is called, is cut.
named_and_whole() {
	pk-fold --no-inline "$1" >all
	grep -E '^(twelve|program|fleeting);' all >out || return
	for share in 155 130 115 100 90 83 75 68 60 56 35 33; do
		grep -q ";main;.*;busy_$share " out || return
	done
	[ "$(share_with ';main;.*;busy_' <out)" -ge 95 ] &&
		[ "$(share_with '\[(no-cfi|truncated|unknown)\]' <out)" -le 1 ]
}

@test "functions of a program that is deleted while it runs have names" {
	cp "$(build_program twelve)" fleeting
	pk-sample -o a.pkc sh -c './fleeting 0.8 & sleep 0.4; rm fleeting; wait'
	[ ! -e fleeting ]
	named_and_whole a.pkc
}

@test "functions of a program that is replaced while it runs have its own names" {
	# The successor has other code at the same addresses.
	cp "$(build_program twelve)" program
	cp "$(build_program forks)" successor
	pk-sample -o a.pkc sh -c './program 0.8 &
		sleep 0.4; mv successor program; wait'
	named_and_whole a.pkc
	[ "$(samples_with 'work_in_fork' <all)" -eq 0 ]
}

@test "a library that is deleted, stripped, has the names it exports" {
	dlopener=$(build_program dlopener)
	$CC -O2 -shared -fPIC -s -DPLUGIN=first \
		"$PK_SRCDIR/tests/programs/plugin.c" -o first.so
	pk-sample -o a.pkc sh -c "$dlopener 0.8 ./first.so &
		sleep 0.4; rm first.so; wait"
	# What its one static function is called, nobody knows any more.
	[ "$(pk-fold a.pkc | share_with ';main;.*;plugin_run;\[first.so\]')" -ge 90 ]
}

@test "a program in a mount namespace that ends with it has names" {
	need unshare util-linux
	unshare -m true || skip "mount namespaces need root"
	cp "$(build_program twelve)" program
	mkdir over other
	cat >inside.sh <<-'END'
		mount -t tmpfs none over && cp program over/ && exec over/program 0.8
	END
	pk-sample -o a.pkc unshare -m sh inside.sh
	[ ! -e over/program ]
	named_and_whole a.pkc
	# Here another program has the path that the mounted one is run by.
	cp "$(build_program forks)" over/program
	cp program other/
	pk-sample -o b.pkc unshare -m sh -c \
		'mount --bind other over && exec over/program 0.8'
	named_and_whole b.pkc
	# As containers have it: a layer to write to over one to read.
	mkdir up
	pk-sample -o c.pkc unshare -m sh -c 'mount -t tmpfs none up &&
		mkdir up/files up/work && mount -t overlay none -o \
		lowerdir=other,upperdir=up/files,workdir=up/work over &&
		touch over/program && exec over/program 0.8'
	named_and_whole c.pkc
}

@test "symbols are recorded only of what samples hit and is gone" {
	twelve=$(build_program twelve)
	pk-sample -o a.pkc "$twelve" 0.3
	module=$(awk '$1 == "mod" && $5 ~ /\/twelve$/ { print $2 }' a.pkc)
	[ -n "$module" ]
	[ -z "$(awk -v m="$module" '$1 == "sym" && $3 == m' a.pkc)" ]
	cp "$twelve" fleeting
	pk-sample -o b.pkc sh -c './fleeting 0.5 & sleep 0.3; rm fleeting; wait'
	module=$(awk '$1 == "mod" && $5 ~ /\/fleeting$/ { print $2 }' b.pkc)
	awk -v m="$module" '$1 == "sym" && $3 == m { print $6 }' b.pkc | sort >got
	# Each once, and nothing of what never runs.
	[ -z "$(uniq -d got)" ]
	grep -qx busy_155 got
	[ "$(grep -cxE 'busy_[0-9]*|main|_start|read_input|compute|write_output' \
		got)" -ge 12 ]
	[ -z "$(grep -xE 'frame_dummy|_init|_fini' got)" ]
}

@test "--embed gives the names that the files give, without the files" {
	need /usr/bin/python3 python3
	cat >work.py <<-'END'
		import json, re
		def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
		fib(24)
		for i in range(3):
		    json.dumps([str(x) for x in range(60000)])
		    re.findall(r'(\d+)5', ' '.join(map(str, range(60000))))
	END
	fold() { pk-fold --no-inline --modules "$1" 2>/dev/null; }
	for command in '/usr/bin/python3 work.py' "$(build_program twelve) 0.5" \
		"$(build_program cxxstacks) 3"; do
		# shellcheck disable=SC2086 # words
		pk-sample --embed -o a.pkc $command
		awk '$1 == "mod" { file[$2] = $5 ~ /^\// }
			$1 != "sym" || !file[$3]' a.pkc >bare.pkc
		[ "$(grep -c '^sym' a.pkc)" -gt "$(grep -c '^sym' bare.pkc)" ]
		# Nothing lies there: whatever has a name has it from the capture.
		sed 's,^\(mod [^/]*\)/,\1/nowhere/,' a.pkc >moved.pkc
		fold bare.pkc >files.folded
		fold moved.pkc >embedded.folded
		diff files.folded embedded.folded
		[ "$(wc -l <files.folded)" -gt 10 ]
	done
}

@test "a library that its owner truncates ends the program, not the recorder" {
	dlopener=$(build_program dlopener)
	$CC -O2 -g -shared -fPIC -DPLUGIN=first \
		"$PK_SRCDIR/tests/programs/plugin.c" -o first.so
	run --separate-stderr -0 pk-sample -o a.pkc sh -c "
		$dlopener 3 ./first.so & sleep 0.4
		: >first.so; wait \$!; [ \$? -eq 135 ] && touch bus-error; :"
	[ -e bus-error ]
	is_whole a.pkc
	[ "$(samples_with '\[first.so\]' <<<"$(pk-fold a.pkc)")" -gt 100 ]
}

# open_files PID PATTERN: how many such files the process holds.
open_files() {
	find "/proc/$1/fd" -lname "$2" 2>/dev/null | wc -l
}

# until_files TEST: of those of fleeting; at most fifteen seconds.
until_files() {
	for _ in $(seq 300); do
		[ "$(open_files "$recorder" '*/fleeting*')" "$1" 0 ] && return
		sleep 0.05
	done
	return 1
}

@test "files of ended programs are let go, but not their names" {
	cp "$(build_program twelve)" program
	cat >fleeting.c <<-'END'
		#include "busy.h"
		#define KEEP __attribute__((noipa))
		KEEP void first(void) { be_busy(0.3); }
		KEEP void second(void) { be_busy(0.8); }
		int main(int argc, char **argv)
		{
			(void)argv;
			argc > 1 ? second() : first();
			return 0;
		}
	END
	$CC -O2 -g -I"$PK_SRCDIR/tests/programs" fleeting.c -o fleeting
	touch running
	# One is deleted after that, and one while it runs once more.
	background pk-sample -o a.pkc sh -c './program 0.5; ./fleeting
		touch ended; while [ -e running ]; do sleep 0.2; done
		./fleeting again & sleep 0.4; rm fleeting; wait'
	recorder=$!
	until_files -gt
	wait_for ended
	until_files -eq
	[ "$(open_files $recorder '*/program*')" -eq 0 ]
	rm program running
	wait $recorder
	[ ! -e fleeting ]
	pk-fold --no-inline a.pkc >all
	for function in busy_155 busy_33 first second; do
		[ "$(samples_with "^(program|fleeting);.*;$function[; ]" <all)" -ge 5 ]
	done
}

@test "--rotate lets go of them with each file" {
	cp "$(build_program twelve)" fleeting
	touch running
	background pk-sample --rotate 2 -o 'part-%H%M%S.pkc' sh -c './fleeting 0.4
		rm fleeting; touch ended; while [ -e running ]; do sleep 0.2; done'
	recorder=$!
	until_files -gt
	wait_for ended
	until_files -eq
	[ "$(open_files $recorder '*/libc.so*')" -le 1 ]
	rm running
	wait $recorder
	parts=(part-*)
	named_and_whole "${parts[0]}"
}

# ---- code made at run time whose names go

@test "node's functions have names though their map is deleted at exit" {
	need node nodejs
	cat >hot.js <<-'END'
		function hotInner(n) {
			let s = 0;
			for (let i = 0; i < n; i++) s += Math.sqrt(i ^ s);
			return s;
		}
		function hotOuter(ms) {
			const end = Date.now() + ms;
			let s = 0;
			while (Date.now() < end) s += hotInner(20000);
			return s;
		}
		hotOuter(800);
		require('fs').unlinkSync(`/tmp/perf-${process.pid}.map`);
	END
	pk-sample -o a.pkc node --perf-basic-prof hot.js
	pid=$(sed -n 's/^proc [0-9]* \([0-9]*\) .* start .*/\1/p' a.pkc)
	[ ! -e "/tmp/perf-$pid.map" ]
	[ "$(pk-fold a.pkc | samples_with 'hotInner')" -gt 200 ]
}

@test "names are found in a map that is deleted while its program runs" {
	jit=$(build_program jit)
	pk-sample -o a.pkc sh -c "$jit 0.8 & map=/tmp/perf-\$!.map
		until [ -s \$map ]; do sleep 0.05; done; sleep 0.4
		echo '1000 10 unused' >>\$map; rm \$map; wait"
	pk-fold --jit a.pkc >out
	[ "$(samples_with ';main;made at run time_\[j\] ' <out)" -gt 50 ]
}

@test "names are there though a container, its numbers and its /tmp went" {
	need unshare util-linux
	unshare -mp true || skip "namespaces need root"
	cp "$(build_program jit)" jit
	pk-sample -o a.pkc unshare -mpf sh -c \
		'mount -t tmpfs none /tmp && ./jit 0.8; :'
	pk-fold --jit a.pkc >out
	[ "$(samples_with ';main;made at run time_\[j\] ' <out)" -gt 50 ]
}

# ---- processes that do as they like

@test "10,000 short threads are all told of, and their time is accounted for" {
	threads=$(build_program threads)
	background pk-sample -o a.pkc "$threads" 10000 >used
	recorder=$!
	most=0
	while kill -0 $recorder 2>/dev/null; do
		files=(/proc/$recorder/fd/*)
		[ ${#files[@]} -le $most ] || most=${#files[@]}
		sleep 0.2
	done
	wait $recorder
	is_whole a.pkc
	[ "$(grep -c '^name ' a.pkc)" -eq 10000 ]
	[ "$(awk '$1 == "name" { print $4 }' a.pkc | sort -u | wc -l)" -eq 10000 ]
	# What samples saw and what they could not make the whole.
	awk -v used="$(cat used)" '$1 == "s" { seen += $7 }
		$1 == "lack" && $2 == "unsampled-ns" { seen += $3 }
		$1 == "lack" && $2 == "lost" { lost = $3 }
		END { share = seen / used; print share, lost
			exit !(share > 0.93 && share < 1.07) }' a.pkc
	# Events, buffers and the few files that are mapped: no more for more.
	echo "at most $most files"
	[ $most -gt 0 ] && [ $most -lt 40 ]
}

@test "hundreds of forks and execs are each told of, and end" {
	forks=$(build_program forks)
	pk-sample -o a.pkc sh -c "i=0; while [ \$i -lt 300 ]; do
		$forks child 0 0.002; i=\$((i+1)); done"
	is_whole a.pkc
	[ "$(grep -c '^proc .* fork ' a.pkc)" -eq 300 ]
	[ "$(grep -c '^proc .* exec forks$' a.pkc)" -eq 300 ]
	[ "$(grep -c '^proc .* exit ' a.pkc)" -eq 301 ]
	[ "$(pk-fold a.pkc | samples_with '^forks;.*;work_after_exec')" -gt 100 ]
	# No sample is left with the shell's name or no module.
	[ "$(pk-fold a.pkc | samples_with '^sh;.*work_after_exec')" -eq 0 ]
}

@test "no thread's name breaks the capture, the stacks or the terminal" {
	names=($'a\nend' 'end' 'semi;colon' 'back\slash' $'\e[31mred'
		$'\xff\xfe\xc3' 'fifteen-bytes-x' ' ' 's 1 1 1' '1234')
	shown=('a\x0aend' 'end' 'semi:colon' 'back\slash' '\x1b[31mred'
		$'\xff\xfe\xc3' 'fifteen-bytes-x' ' ' 's 1 1 1' '1234')
	pk-sample -o a.pkc "$(build_program namedthreads)" 0.1 "${names[@]}"
	is_whole a.pkc
	[ "$(grep -c '^end$' a.pkc)" -eq 1 ]
	run -1 grep -q $'\e' a.pkc
	pk-fold a.pkc >out
	run -1 grep -q $'\e' out
	for name in "${shown[@]}"; do
		n=$(TEXT="$name;" awk 'index($0, ENVIRON["TEXT"]) == 1 { n += $NF }
			END { print n + 0 }' out)
		echo "$name: $n"
		[ "$n" -gt 50 ]
	done
	pk-flamesvg -o a.svg out
	run -1 grep -q $'\e' a.svg
}

@test "a daemon is waited for, unless --no-wait" {
	daemonised=$(build_program daemonised)
	pk-sample -o a.pkc "$daemonised" 0.6 waited
	[ -e waited ]
	[ "$(pk-fold a.pkc | samples_with ';work_in_daemon')" -gt 400 ]
	[ "$(grep -c '^proc .* fork ' a.pkc)" -eq 2 ]
	pk-sample --no-wait -o b.pkc "$daemonised" 0.6 later
	[ ! -e later ]
	is_whole b.pkc
	wait_for later
}

@test "a program that closes all descriptors is seen to its end" {
	closer=$(build_program closer)
	run -7 pk-sample -o a.pkc "$closer" 0.3
	[ "$(pk-fold a.pkc | samples_with ';work_without_files')" -gt 200 ]
	# Nor does it close the capture's pipe.
	pk-sample "$closer" 0.3 >b.pkc 3>&- || [ $? -eq 7 ]
	is_whole b.pkc
}

# ---- what the kernel allows

# as_nobody COMMAND...: as a user who may nothing, with copies of pk-sample
# and the programs that such a user can reach.
as_nobody() {
	if [ "$(id -u)" -ne 0 ]; then
		"$@"
	else
		setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
	fi
}

# for_nobody NAME...: ./pk-sample and ./NAME, in a folder a stranger may use.
for_nobody() {
	local name folder=$BATS_TEST_TMPDIR
	need setpriv util-linux
	cp "$PK_BUILDDIR/tools/pk-sample" .
	for name; do
		cp "$(build_program "$name")" .
	done
	chmod 777 .
	while folder=${folder%/*} && [ -n "$folder" ] && [ "$folder" != /tmp ]; do
		[ ! -O "$folder" ] || chmod o+x "$folder"
	done
	as_nobody test -x "$PWD/pk-sample" ||
		skip "$PWD is out of reach of other users"
}

@test "another user sees the kernel, too, at kernel.perf_event_paranoid 1" {
	set_kernel perf_event_paranoid 1
	for_nobody twelve
	run --separate-stderr -0 as_nobody ./pk-sample -o a.pkc sh -c \
		'./twelve 0.5; dd if=/dev/zero of=/dev/null bs=64k count=30000'
	[[ $stderr != *'kernel frames are left out'* ]]
	named_and_whole a.pkc
	grep -q '^mod .* \[kernel\]$' a.pkc
	run -1 grep '^lack kernel-frames' a.pkc
}

@test "who may not look into the kernel is told how long threads wait, not where" {
	set_kernel perf_event_paranoid 2
	for_nobody sleeper2
	run --separate-stderr -0 as_nobody ./pk-sample --off-cpu -o a.pkc \
		./sleeper2 5
	[[ $stderr == *'where threads wait is not seen, only how long'* ]]
	slept=$(awk '{ n += $2 } END { print n }' <<<"$output")
	grep -qx 'lack off-cpu-stacks 1' a.pkc
	run --separate-stderr -0 pk-fold a.pkc
	[[ $stderr == *'where threads waited is not known'* ]]
	recorded=$(samples_of 'sleeper2;[waiting] ' <<<"$output")
	echo "slept $slept, recorded $recorded"
	[ "$recorded" -gt $((slept * 95 / 100)) ]
	[ "$recorded" -lt $((slept * 105 / 100)) ]
}

@test "another user does without the kernel at kernel.perf_event_paranoid 2, and is told" {
	set_kernel perf_event_paranoid 2
	for_nobody twelve
	run --separate-stderr -0 as_nobody ./pk-sample -o a.pkc ./twelve 0.5
	[[ $stderr == *'kernel frames are left out: kernel.perf_event_paranoid is 2; set it to 1 or less'* ]]
	named_and_whole a.pkc
	grep -qx 'lack kernel-frames 1' a.pkc
	run -1 grep '^mod .* \[kernel\]$' a.pkc
}

# Linux itself takes 3 for 2; Debian's kernel then refuses with EACCES.
@test "kernel.perf_event_paranoid 3 with a kernel that refuses, as Debian's, is named with its cure" {
	set_kernel perf_event_paranoid 3
	for_nobody twelve refuse
	run --separate-stderr -125 as_nobody ./refuse 13 ./pk-sample -o a.pkc \
		touch ran
	[ "$stderr" = "pk-sample: kernel.perf_event_paranoid is 3, which lets only root sample: as root, run 'sysctl kernel.perf_event_paranoid=1'" ]
	[ ! -e a.pkc ] && [ ! -e ran ]
	# Where it does not refuse, there is a recording.
	run --separate-stderr -0 as_nobody ./pk-sample -o a.pkc ./twelve 0.5
	named_and_whole a.pkc
}

@test "with 64 KiB of locked memory the buffers shrink, and that is said" {
	set_kernel perf_event_paranoid 1
	set_kernel perf_event_mlock_kb 64
	for_nobody twelve
	run --separate-stderr -0 as_nobody sh -c \
		'ulimit -l 0; exec ./pk-sample -o a.pkc ./twelve 0.5'
	echo "$stderr"
	[[ $stderr =~ "the kernel's buffers are "[0-9]+" KiB instead of "[0-9]+ ]]
	[[ $stderr == *'kernel.perf_event_mlock_kb limits them'* ]]
	[[ $stderr == *'bytes of stack instead of 65528'* ]]
	named_and_whole a.pkc
}

@test "without any locked memory it is said what limits it" {
	set_kernel perf_event_paranoid 1
	set_kernel perf_event_mlock_kb 0
	for_nobody
	run --separate-stderr -125 as_nobody sh -c \
		'ulimit -l 0; exec ./pk-sample -o a.pkc touch ran'
	[[ ${stderr_lines[-1]} == *"no memory for the kernel's buffers: kernel.perf_event_mlock_kb (0) and 'ulimit -l' limit it"* ]]
	[ ! -e a.pkc ] && [ ! -e ran ]
}

@test "another user's process is refused with its number" {
	[ "$(id -u)" -eq 0 ] || skip "another user's process is needed"
	set_kernel perf_event_paranoid 1
	for_nobody
	run --separate-stderr -125 as_nobody ./pk-sample -o a.pkc -p $$
	[[ ${stderr_lines[-1]} == "pk-sample: process $$ belongs to somebody else: sample it as that user or as root" ]]
	[ ! -e a.pkc ]
}

@test "a filter that refuses perf_event_open is named, the command not run" {
	[ "$(id -u)" -eq 0 ] || skip "the sentence is another for other users"
	refuse=$(build_program refuse)
	for error in 1 13; do
		run --separate-stderr -125 "$refuse" $error pk-sample -o a.pkc \
			touch ran
		[ ${#stderr_lines[@]} -eq 1 ]
		[[ $stderr == 'pk-sample: the kernel refuses perf_event_open even to root: inside a container, start it with --cap-add PERFMON and a seccomp profile that allows the call'* ]]
	done
	run --separate-stderr -125 "$refuse" 38 pk-sample -o a.pkc touch ran
	[[ ${stderr_lines[-1]} == 'pk-sample: the kernel refuses perf_event_open: '* ]]
	run --separate-stderr -125 "$refuse" 28 pk-sample -o a.pkc touch ran
	[[ ${stderr_lines[-1]} == *'perf_event_open: No space left on device'* ]]
	[ ! -e a.pkc ] && [ ! -e ran ]
}

# ---- disks that are full

# What was said but for notes of the machine and warnings that it is slow.
trouble_in() {
	grep '^pk-sample: ' "$1" | grep -Ev 'hardware counter|records were lost'
}

@test "a full disk is said in one line, and the command runs to its end" {
	need unshare util-linux
	unshare -m true || skip "mount namespaces need root"
	mkdir small
	twelve=$(build_program twelve)
	cat >inside.sh <<-END
		mount -t tmpfs -o size=64k none small || exit 99
		pk-sample -F 5000 -o small/a.pkc sh -c '$twelve 0.8; touch ran' \
			2>err
		echo \$? >status
		ls -A small >left
	END
	unshare -m sh inside.sh
	[ "$(cat status)" = 125 ]
	[ "$(trouble_in err)" = 'pk-sample: small/a.pkc: write failed: No space left on device' ]
	[ ! -s left ]
	[ -e ran ]
}

@test "so is a full standard output" {
	run --separate-stderr -125 bash -c "exec pk-sample -F 5000 sh -c \
		'$(build_program twelve) 0.5 >&2; touch ran; exit 3' >/dev/full"
	[ "$(trouble_in <(cat <<<"$stderr"))" = 'pk-sample: standard output: write failed: No space left on device' ]
	[ -e ran ]
}

# ---- ends at any moment

# Runs pk-sample in a terminal of its own and presses Ctrl-C there. The file is
# imported by the tests' Python.
write_terminal() {
	cat >terminal.py <<-'END'
		import os, pty, select, signal, time

		def start(words, output=None):
		    """A process id and its terminal, which it has when this returns."""
		    ready, say = os.pipe()
		    pid, terminal = pty.fork()
		    if pid == 0:
		        signal.signal(signal.SIGINT, signal.SIG_DFL)
		        if output:
		            os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT), 1)
		        os.write(say, b'.')
		        os.execvp(words[0], words)
		    os.read(ready, 1)
		    os.close(ready)
		    os.close(say)
		    return pid, terminal

		def interrupt(terminal):
		    os.write(terminal, b'\x03')

		def finish(pid, terminal, seconds):
		    """The status and what was said; status None when it runs on."""
		    said, end = b'', time.monotonic() + seconds
		    while select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
		        try:
		            said += os.read(terminal, 4096)
		        except OSError:  # nobody is there any more
		            os.close(terminal)
		            return os.waitpid(pid, 0)[1], said
		    return None, said
	END
}

@test "Ctrl-C at 100 random moments leaves a whole capture, or none and a reason" {
	need python3
	write_terminal
	cat >moments.py <<-'END'
		import os, random, subprocess, sys, time
		from terminal import start, interrupt, finish

		random.seed(3)

		def record(i):
		    """Into a file or, half of them, to standard output."""
		    name = '%d.pkc' % i
		    words = ['-o', name] * (i % 2) + [sys.argv[1], '20']
		    pid, terminal = start(['pk-sample'] + words, None if i % 2 else name)
		    due = time.monotonic() + random.uniform(0.005, 0.3)
		    return due, name, pid, terminal

		def is_good(name, status, said):
		    got = open(name, 'rb').read() if os.path.exists(name) else b''
		    if got.endswith(b'\nend\n'):
		        whole.append(name)
		        return True
		    return not got and (os.WIFSIGNALED(status) or b'pk-sample: ' in said)

		whole, bad = [], 0
		for batch in range(0, 100, 4):
		    running = sorted(record(i) for i in range(batch, batch + 4))
		    for due, name, pid, terminal in running:
		        time.sleep(max(0, due - time.monotonic()))
		        interrupt(terminal)
		    for due, name, pid, terminal in running:
		        status, said = finish(pid, terminal, 5)
		        while status is None:
		            print(name, 'does not end')
		            interrupt(terminal)
		            status, said = finish(pid, terminal, 5)
		        if not is_good(name, status, said):
		            print(name, 'status', status, said)
		            bad += 1
		print(bad, 'bad,', len(whole), 'whole of 100')
		# Too early for a recording is the exception.
		if bad or len(whole) < 50:
		    sys.exit(1)
		fold = ['pk-fold', '-o', 'all.folded']
		sys.exit(subprocess.run(fold + whole).returncode)
	END
	python3 moments.py "$(build_program twelve)"
	# Nor do half files stay behind.
	[ -z "$(find . -name '?*.pkc?*' -o -name '.?*')" ]
}

@test "Ctrl-C before the command was started is not forgotten" {
	need python3
	write_terminal
	cat >early.py <<-'END'
		import os, sys, time
		from terminal import start, interrupt, finish

		# Opening the pipe waits for a reader.
		os.mkfifo('pipe')
		pid, terminal = start(['pk-sample', '-o', 'pipe', sys.argv[1], '20'])
		time.sleep(0.5)
		interrupt(terminal)
		time.sleep(0.1)
		reader = os.open('pipe', os.O_RDONLY)
		status, said = finish(pid, terminal, 5)
		if status is None:
		    interrupt(terminal)
		    interrupt(terminal)
		sys.exit(status is None)
	END
	python3 early.py "$(build_program twelve)"
}

@test "the recorder killed, the target goes on and ends as always" {
	twelve=$(build_program twelve)
	cat >target.sh <<-END
		echo begun; echo \$\$ >pid
		$twelve 1.2
		echo finished
		touch ended
	END
	background pk-sample -o a.pkc sh target.sh >output
	recorder=$!
	wait_for pid
	sleep 0.4
	kill -KILL $recorder
	wait $recorder || [ $? -eq 137 ]
	[ ! -e ended ]
	kill -0 "$(cat pid)"
	wait_for ended
	sed -n '1p;$p' output >lines
	printf '%s\n' begun finished | diff - lines
	[ ! -e a.pkc ]
}

@test "a capture whose recorder was killed does not look whole" {
	background pk-sample "$(build_program twelve)" 1.5 >a.pkc
	recorder=$!
	sleep 0.8
	kill -KILL $recorder
	wait $recorder || [ $? -eq 137 ]
	run -1 grep -qx end a.pkc
	if [ -s a.pkc ]; then
		run --separate-stderr -2 pk-fold -o out a.pkc
		[[ $stderr == *'cut short'* ]]
	fi
}
