#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What pk-sample can be told to sample: targets, processors, events, and when.

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
	need_profiling
}

# samples_per FIELD CAPTURE: "VALUE COUNT" lines of the samples' field, the
# most frequent first.
samples_per() {
	awk -v f="$1" '$1 == "s" { n[$f]++ } END { for (v in n) print v, n[v] }' \
		"$2" | sort -k2,2nr
}

need_root() {
	[ "$(id -u)" = 0 ] || skip "only root may watch whole processors"
}

busy_processor() {
	background "$(build_program twelve)" "$1" >/dev/null
}

# ---- targets ----

@test "several processes that run are sampled together" {
	busy_processor 2
	first=$!
	busy_processor 2
	second=$!
	busy_processor 2
	third=$!
	pk-sample -p $first,$third -d 0.6 -o a.pkc
	kill $first $second $third
	samples_per 3 a.pkc >pids
	cat pids
	[ "$(cut -d' ' -f1 pids | sort)" = "$(printf '%s\n' $first $third |
		sort)" ]
}

@test "a single thread is sampled, and nothing that it starts" {
	cat >threads.c <<-'END'
		#include <pthread.h>
		#include <stdio.h>
		#include <sys/syscall.h>
		#include <unistd.h>
		#include "busy.h"
		static void *child(void *p) { be_busy(0.2); return p; }
		static void *chosen(void *p)
		{
			pthread_t t;
			printf("%d\n", (int)syscall(SYS_gettid));
			fflush(stdout);
			be_busy(0.4);
			pthread_create(&t, NULL, child, NULL);
			pthread_join(t, NULL);
			be_busy(0.3);
			return p;
		}
		static void *other(void *p) { be_busy(1); return p; }
		int main(void)
		{
			pthread_t a, b;
			pthread_create(&a, NULL, chosen, NULL);
			pthread_create(&b, NULL, other, NULL);
			pthread_join(a, NULL);
			pthread_join(b, NULL);
			return 0;
		}
	END
	$CC -O2 -g -I"$PK_SRCDIR/tests/programs" -pthread threads.c -o threads
	background ./threads >tid
	until [ -s tid ]; do sleep 0.01; done
	timeout 20 pk-sample -t "$(cat tid)" -o a.pkc
	pk-fold a.pkc >out
	[ "$(samples_with ';chosen' <out)" -gt 200 ]
	[ "$(samples_with ';child|;other' <out)" = 0 ]
	[ "$(samples_per 4 a.pkc | cut -d' ' -f1)" = "$(cat tid)" ]
}

@test "a single thread's recording knows what another thread has loaded" {
	$CC -O2 -g -shared -fPIC -DPLUGIN=late \
		"$PK_SRCDIR/tests/programs/plugin.c" -o late.so
	cat >loads.c <<-'END'
		#include <dlfcn.h>
		#include <pthread.h>
		#include "busy.h"
		static void (*volatile run)(double);
		static void *load(void *p)
		{
			be_busy(0.3);
			run = (void (*)(double))dlsym(dlopen("./late.so",
				RTLD_NOW), "plugin_run");
			return p;
		}
		int main(void)
		{
			pthread_t t;
			pthread_create(&t, NULL, load, NULL);
			while (!run)
				be_busy(0.01);
			run(0.3);
			pthread_join(t, NULL);
			return 0;
		}
	END
	$CC -O2 -g -I"$PK_SRCDIR/tests/programs" -pthread loads.c -o loads -ldl
	background ./loads
	timeout 20 pk-sample -t $! -o a.pkc
	pk-fold a.pkc >out
	[ "$(samples_with ';main;plugin_run;late_work' <out)" -gt 100 ]
	[ "$(samples_with ';load' <out)" = 0 ]
}

@test "everything is sampled, with and without a command to wait for" {
	need_root
	busy_processor 3
	pid=$!
	pk-sample -a -d 0.7 -o a.pkc
	[ "$(samples_per 3 a.pkc | awk -v p=$pid '$1 == p { print $2 }')" -gt 100 ]
	pk-fold a.pkc | grep -q '^twelve;.*;main;'
	run -3 pk-sample -a -o b.pkc sh -c 'sleep 0.5; exit 3'
	kill $pid
	[ "$(samples_per 3 b.pkc | awk -v p=$pid '$1 == p { print $2 }')" -gt 60 ]
	grep -qx '@ scope everything' b.pkc
	grep -Eq "^proc [0-9]+ $pid [0-9]+ found twelve$" b.pkc
	# An idle processor's time is nobody's.
	[ "$(awk '$1 == "s" && $3 == 0' a.pkc | wc -l)" = 0 ]
}

@test "on chosen processors only" {
	need_root
	[ "$(getconf _NPROCESSORS_ONLN)" -gt 1 ] || skip "there is one processor"
	pk-sample -C 1 -o a.pkc "$(build_program cxxstacks)" >/dev/null
	run -0 samples_per 5 a.pkc
	[ "$(cut -d' ' -f1 <<<"$output")" = 1 ]
	pk-sample -C 0-1 -d 0.3 -o b.pkc
	grep -qx '@ scope everything' b.pkc
	run --separate-stderr -125 pk-sample -C 9999 true
	[[ $stderr == *'processor 9999 is not online'* ]]
	run --separate-stderr -125 pk-sample -C 3-1 true
	[[ $stderr == *"'3-1' is not a list of processors"* ]]
}

@test "what does not go together is refused" {
	for args in '-a -p 1' '-t 1 true' '--per-cpu -t 1' '-a --per-thread' \
		'-F 99 -c 9 true' '--wall -e cycles true' '--keep 2 true' \
		'--rotate 1 true' '--rotate 1 -o x.pkc true' \
		'--rotate 1 -o x-%H.pkc true' '-e sched: true' '-e , true'; do
		echo "$args"
		# shellcheck disable=SC2086
		run --separate-stderr -125 pk-sample $args
		[ "${stderr_lines[1]}" = "Try 'pk-sample --help'." ]
	done
}

# ---- short processes ----

# sees_all_time OPTION: of 4,000 children of half a millisecond, samples and
# what the capture says to lack are within 5 % of what the kernel accounted.
# Prints the share, and that of the samples alone.
sees_all_time() {
	local forks
	forks=$(build_program manyforks) || return
	pk-sample "$1" -o a.pkc perl -e '
		system(@ARGV); my (undef, undef, $u, $s) = times;
		open(F, ">accounted"); print F $u + $s' "$forks" 4000 || return
	awk 'NR == FNR { had = $1; next }
		$1 == "s" { seen += $7 / 1e9 }
		$1 == "lack" && $2 == "unsampled-ns" { lack += $3 / 1e9 }
		END { printf "%.4f %.4f\n", (seen + lack) / had, seen / had }' \
		accounted a.pkc
}

@test "thousands of processes shorter than a period are seen on processors" {
	need_root
	run -0 sees_all_time --per-cpu
	echo "$output"
	awk '{ exit !($2 > 0.95 && $2 < 1.05) }' <<<"${lines[-1]}"
	[ "$(grep -c '^proc .* fork manyforks' a.pkc)" = 4000 ]
	pk-fold a.pkc >out
	[ "$(samples_with ';work_in_child' <out)" -gt 500 ]
}

@test "on threads, the time of processes shorter than a period is said" {
	run -0 sees_all_time --per-thread
	echo "$output"
	awk '{ exit !($1 > 0.95 && $1 < 1.05) }' <<<"${lines[-1]}"
	run --separate-stderr -0 pk-fold a.pkc
	[[ $stderr == *'s of processor time went to processes too short'* ]]
	[ "$(samples_of '[unsampled] ' <<<"$output")" -gt 1000 ]
}

@test "watching processors for a command leaves other programs out" {
	need_root
	busy_processor 4
	pid=$!
	twelve=$(build_program twelve)
	pk-sample -o a.pkc sh -c "$twelve 0.4; true" >/dev/null
	kill $pid
	grep -qx '@ scope processors' a.pkc
	[ "$(samples_per 3 a.pkc | awk -v p=$pid '$1 == p' | wc -l)" = 0 ]
	[ "$(pk-fold a.pkc | samples_with '^twelve;.*;main;')" -gt 200 ]
	awk '$1 == "proc" && $5 != "exit" { print $5, $6 }' a.pkc | head -n 3 >procs
	printf '%s\n' 'start sh' 'fork sh' 'exec twelve' | diff - procs
}

# ---- events ----

@test "cache events, raw codes and modifiers are understood" {
	for event in L1-dcache-load-misses LLC-stores dTLB-loads:u r1a8 \
		cycles:k cpu-cycles branch-instructions:uk; do
		echo "$event"
		run --separate-stderr pk-sample -e "$event" -o a.pkc true
		[ "$status" = 0 ] ||
			[[ $stderr == *"does not count '$event'"* ]]
	done
	run --separate-stderr -125 pk-sample -e L1-dcache-lods true
	[[ $stderr == *"there is no event 'L1-dcache-lods'"* ]]
	pk-sample -e list | grep -q '^iTLB-load-misses '
}

@test "several events are recorded at once" {
	pk-sample -e page-faults,cpu-clock -e context-switches -o a.pkc \
		"$(build_program cxxstacks)" >/dev/null
	grep '^event ' a.pkc | cut -d' ' -f2,3,5 >events
	printf '%s\n' '1 count page-faults' '2 ns cpu-clock' \
		'3 count context-switches' | diff - events
	[ "$(samples_per 6 a.pkc | wc -l)" = 3 ]
	run --separate-stderr -0 pk-fold -e cpu-clock a.pkc
	[ "$(samples_with ';main;' <<<"$output")" -gt 200 ]
	run --separate-stderr -0 pk-fold -e page-faults a.pkc
	[ "$(samples_of cxxstacks <<<"$output")" -gt 5 ]
}

@test "a sample every so many events" {
	cat >faults.c <<-'END'
		#include <stdlib.h>
		#include <sys/mman.h>
		int main(void)
		{
			volatile char *p = mmap(NULL, 4000u << 12, PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			madvise((void *)p, 4000u << 12, MADV_NOHUGEPAGE);
			for (size_t i = 0; i < 4000; i++)
				p[i << 12] = 1;
			return 0;
		}
	END
	$CC -O2 -g faults.c -o faults
	pk-sample -e page-faults -c 10 --stack-size 4096 -o a.pkc ./faults
	grep -q '^event 1 count 10 page-faults$' a.pkc
	run -0 samples_per 7 a.pkc
	[ "$(cut -d' ' -f1 <<<"$output")" = 10 ]
	n=$(pk-fold a.pkc | samples_with ';main')
	echo "$n samples"
	[ "$n" -ge 395 ] && [ "$n" -le 405 ]
}

@test "tracepoints are recorded each time, with the program's stack" {
	need_root
	[ -d /sys/kernel/tracing/events/sched ] ||
		mount -t tracefs nodev /sys/kernel/tracing 2>/dev/null ||
		skip "tracefs cannot be mounted"
	pk-sample -e sched:sched_switch -o a.pkc "$(build_program sleeper2)" 10
	pk-fold a.pkc >out
	[ "$(samples_with ';main;sleep_long;' <out)" -ge 10 ]
	[ "$(samples_with ';main;sleep_short;' <out)" -ge 10 ]
	[ "$(samples_with ';main;sleep_long;' <out)" -lt 20 ]
	run --separate-stderr -125 pk-sample -e sched:no_such_thing true
	[[ $stderr == *"there is no tracepoint 'sched:no_such_thing'"* ]]
	run --separate-stderr -125 pk-sample -e ../sched:x true
	pk-sample -e list | grep -q '^sched:sched_switch '
}

@test "the kernel is left out when asked" {
	dd() { command dd if=/dev/zero of=/dev/null bs=64k count=30000 status=none; }
	export -f dd
	pk-sample --no-kernel -o a.pkc bash -c dd
	pk-fold --kernel a.pkc >out 2>err
	[ "$(samples_with '_\[k\]' <out)" = 0 ]
	! grep kernel err
}

@test "the kernel's or the program's own part of an event" {
	need_root
	dd=(dd if=/dev/zero of=/dev/null bs=64k count=60000 status=none)
	pk-sample -e cpu-clock:u,cpu-clock:k -o a.pkc "${dd[@]}"
	pk-fold --kernel -e cpu-clock:k a.pkc >k
	pk-fold --kernel -e cpu-clock:u a.pkc >u
	[ "$(samples_with '_\[k\]' <k)" -gt 100 ]
	[ "$(samples_with '_\[k\] ' <u)" -le "$(samples_with '_\[k\] ' <k)" ]
}

@test "sampling begins after a delay, and knows what was mapped before" {
	pk-sample --delay 0.4 -o a.pkc "$(build_program twelve)" 1 >/dev/null
	awk '$1 == "s" && $2 < 400000000 { exit 1 }' a.pkc
	pk-fold a.pkc >out
	n=$(samples_with ';main;' <out)
	echo "$n samples"
	[ "$n" -gt 100 ]
}

# ---- limits that show ----

@test "however stacks are found and periods set, nothing is taken for lost" {
	cat >calls.c <<-'END'
		#include <sys/syscall.h>
		#include <unistd.h>
		#include "busy.h"
		int main(void)
		{
			for (int i = 0; i < 20000; i++)
				syscall(SYS_getppid);
			be_busy(0.3);
			return 0;
		}
	END
	$CC -O2 -g -I"$PK_SRCDIR/tests/programs" calls.c -o calls
	for unwind in cfi fp none; do
		for period in '-F 499' '-c 2000000'; do
			for kernel in '' --no-kernel; do
				echo "$unwind $period $kernel"
				# shellcheck disable=SC2086
				pk-sample --stack-size 8192 --unwind $unwind $period \
					$kernel -o a.pkc ./calls
				n=$(grep -c '^s ' a.pkc)
				echo "$n samples"
				[ "$n" -gt 100 ]
				run -1 grep '^lack lost' a.pkc
			done
		done
	done
}

@test "a clock's period is what the kernel takes, and that is said" {
	run --separate-stderr -0 pk-sample -e cpu-clock -c 10 --unwind none \
		-o a.pkc sh -c 'i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); done'
	[[ $stderr == *'cpu-clock: a sample every 10000 ns'* ]]
	grep -qx 'event 1 ns 10000 cpu-clock' a.pkc
}

@test "-d counts from the end of --delay, and a delay that was too long is said" {
	pk-sample --delay 0.3 -d 0.3 -o a.pkc "$(build_program twelve)" 1 >/dev/null
	n=$(grep -c '^s ' a.pkc)
	echo "$n samples"
	[ "$n" -gt 50 ] && [ "$n" -lt 400 ]
	run --separate-stderr -0 pk-sample --delay 5 -o a.pkc true
	[[ $stderr == *'ended before --delay was over'* ]]
}

@test "wrong modifiers, and what cannot be, are refused by name" {
	run --separate-stderr -125 pk-sample -e cpu-clock:z true
	[[ $stderr == *"':z' is no modifier"* ]]
	run --separate-stderr -125 pk-sample -e cpu-clock:k --no-kernel true
	[[ $stderr == *'is of the kernel only'* ]]
	run --separate-stderr -125 pk-sample -p 0
	[[ $stderr == *"'0' is not a list of numbers from 1 on"* ]]
	run --separate-stderr -125 pk-sample -t 999999999 -o a.pkc
	[[ $stderr == *'no process or thread 999999999'* ]]
	run --separate-stderr -125 pk-sample --off-cpu --wall true
	run --separate-stderr -125 pk-sample --off-cpu -F 99 true
}

@test "a priority that the user chose is kept" {
	background nice -n 5 pk-sample -o a.pkc sleep 1
	pid=$!
	sleep 0.5
	run -0 cat /proc/$pid/stat
	wait $pid
	[ "$(awk '{ sub(/.*\) /, ""); print $17 }' <<<"$output")" = 5 ]
}

@test "a process whose threads come and go all the time has not ended" {
	cat >churn.c <<-'END'
		#include <pthread.h>
		#include "busy.h"
		static void *nothing(void *p) { return p; }
		static double passed(void)
		{
			struct timespec t;
			clock_gettime(CLOCK_MONOTONIC, &t);
			return t.tv_sec + t.tv_nsec / 1e9;
		}
		int main(void)
		{
			pthread_t t;
			for (double end = passed() + 30; passed() < end;) {
				pthread_create(&t, NULL, nothing, NULL);
				pthread_join(t, NULL);
			}
			return 0;
		}
	END
	$CC -O2 -g -I"$PK_SRCDIR/tests/programs" -pthread churn.c -o churn
	background ./churn
	pid=$!
	sleep 0.1
	for scope in --per-thread --per-cpu; do
		[ $scope = --per-thread ] || [ "$(id -u)" = 0 ] || continue
		for round in 1 2 3; do
			pk-sample --unwind none $scope -F 99 -p $pid -d 0.2 -o a.pkc
			run -1 grep " exit churn$" a.pkc
		done
	done
	kill $pid
}

@test "frame pointers that end at the kernel's limit are marked" {
	pk-sample --unwind fp -o a.pkc "$(build_program deepfp -O2 -g \
		-fno-omit-frame-pointer)"
	run --separate-stderr -0 pk-fold a.pkc
	[ "$(samples_of 'deepfp;[truncated];descend;' <<<"$output")" -gt 100 ]
	[ "$(samples_with ';main;descend' <<<"$output")" = 0 ]
	[[ $stderr == *'kernel.perf_event_max_stack'* ]]
}

@test "what was lost or not sampled is in the picture" {
	cat >a.pkc <<-'END'
		pk-capture 1
		event 1 ns 1000000 cpu-clock
		proc 0 7 1 start x
		mod 1 - a [jit 7]
		f 1 0 1 10
		s 10 7 7 0 1 1000000 1
		lack lost 5
		lack output-full 2
		lack throttled 3
		lack exited 1
		lack unsampled-ns 4400000
		end
	END
	run --separate-stderr -0 pk-fold a.pkc
	diff - <(echo "$output") <<-'END'
		[exited] 1
		[lost] 7
		[throttled] 3
		[unsampled] 4
		x;[jit] 1
	END
	run --separate-stderr -0 pk-fold --value weight a.pkc
	diff - <(echo "$output") <<-'END'
		[exited] 1000000
		[lost] 7000000
		[throttled] 3000000
		[unsampled] 4400000
		x;[jit] 1000000
	END
	run --separate-stderr -0 pk-fold --only-pid 7 a.pkc
	[ "$output" = 'x;[jit] 1' ]
	pk-fold a.pkc 2>/dev/null | pk-flamesvg | grep -q '\[lost\]'
}
