#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Time off the processors, and recordings in several files.

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
	need_profiling
}

need_kernel_events() {
	[ "$(id -u)" = 0 ] ||
		[ "$(cat /proc/sys/kernel/perf_event_paranoid)" -le 1 ] ||
		skip "where threads wait is kept from this user"
}

# near A B PERCENT
near() {
	awk -v a="$1" -v b="$2" -v p="$3" \
		'BEGIN { d = a - b; if (d < 0) d = -d; exit !(d <= b * p / 100) }'
}

# share_of_sleep FUNCTION SLEPT FOLDED: what was recorded of the time that the
# program measured itself, at least 95 % of it and no more than 2 % too much.
check_sleep() {
	local slept
	slept=$(awk -v f="$1" '$1 == f { print $2 }' "$2")
	recorded=$(samples_with ";main;$1;" <"$3")
	echo "$1 slept $slept recorded $recorded"
	[ "$recorded" -ge $((slept * 95 / 100)) ] &&
		[ "$recorded" -le $((slept * 102 / 100)) ]
}

@test "time asleep is found where the program slept" {
	need_kernel_events
	pk-sample --off-cpu -o a.pkc "$(build_program sleeper2)" 20 >slept
	pk-fold a.pkc >out
	check_sleep sleep_long slept out
	check_sleep sleep_short slept out
	awk '{ all += $NF } /;main;sleep_(long|short);/ { known += $NF }
		END { exit !(known > 0.97 * all) }' out
}

@test "waiting for a lock and for a processor are told apart" {
	need_kernel_events
	cat >waits.c <<-'END'
		#define _GNU_SOURCE
		#include <pthread.h>
		#include <sched.h>
		#include "busy.h"
		static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
		static void *hold(void *p)
		{
			pthread_mutex_lock(&lock);
			be_busy(0.4);
			pthread_mutex_unlock(&lock);
			return p;
		}
		static void *want(void *p)
		{
			pthread_mutex_lock(&lock);
			pthread_mutex_unlock(&lock);
			return p;
		}
		static void *compete(void *p) { be_busy(0.4); return p; }
		int main(void)
		{
			pthread_t t[3];
			cpu_set_t one;
			CPU_ZERO(&one);
			CPU_SET(0, &one);
			sched_setaffinity(0, sizeof one, &one);
			pthread_create(&t[0], NULL, hold, NULL);
			struct timespec ms = { 0, 20000000 };
			nanosleep(&ms, NULL);
			pthread_create(&t[1], NULL, want, NULL);
			pthread_create(&t[2], NULL, compete, NULL);
			for (int i = 0; i < 3; i++)
				pthread_join(t[i], NULL);
			return 0;
		}
	END
	$CC -O2 -g -I"$PK_SRCDIR/tests/programs" -pthread waits.c -o waits
	pk-sample --off-cpu -o a.pkc ./waits
	pk-fold a.pkc >out
	[ "$(samples_with ';want;.*schedule ' <out)" -gt 200000000 ]
	[ "$(samples_with ';compete;.*\[preempted\] ' <out)" -gt 100000000 ]
	[ "$(samples_with ';want;.*\[preempted\] ' <out)" -lt 200000000 ]
}

@test "on and off the processor together are the time that passed" {
	need_kernel_events
	cat >mixed.c <<-'END'
		#include <stdio.h>
		#include "busy.h"
		int main(void)
		{
			struct timespec a, b, nap = { 0, 50000000 };
			clock_gettime(CLOCK_MONOTONIC, &a);
			for (int i = 0; i < 10; i++) {
				be_busy(0.05);
				nanosleep(&nap, NULL);
			}
			clock_gettime(CLOCK_MONOTONIC, &b);
			printf("%lld\n", (b.tv_sec - a.tv_sec) * 1000000000LL +
				b.tv_nsec - a.tv_nsec);
			return 0;
		}
	END
	$CC -O2 -g -I"$PK_SRCDIR/tests/programs" mixed.c -o mixed
	pk-sample --wall -o a.pkc ./mixed >passed
	[ "$(grep -c '^event ' a.pkc)" = 1 ]
	grep -qx 'event 1 ns 0 wall' a.pkc
	pk-fold a.pkc >out
	all=$(samples_with ';main' <out)
	cat passed out
	near "$all" "$(tail -n 1 passed)" 4
	[ "$(samples_with 'nanosleep' <out)" -gt 490000000 ]
}

@test "threads that wait all the time of a recording are there" {
	need_kernel_events
	background sleep 5
	pid=$!
	sleep 0.1
	pk-sample --off-cpu -p $pid -d 0.5 -o a.pkc
	kill $pid
	run --separate-stderr -0 pk-fold a.pkc
	[[ $stderr != *'without a name'* ]]
	near "$(samples_of 'sleep;[waiting] ' <<<"$output")" 500000000 10
}

@test "a wait that is not over when the recording ends counts until then" {
	need_kernel_events
	pk-sample --off-cpu -d 0.5 -o a.pkc sleep 0.8
	n=$(pk-fold a.pkc | samples_with 'nanosleep')
	echo "$n ns"
	[ "$n" -gt 440000000 ] && [ "$n" -lt 520000000 ]
}

@test "a single thread's waits are its own" {
	need_kernel_events
	names=$(build_program names)
	background "$names" 1
	pid=$!
	sleep 0.2
	tid=$(ls /proc/$pid/task | sed -n 3p)
	pk-sample --wall -t "$tid" -d 0.4 -o a.pkc
	wait $pid
	[ "$(awk '$1 == "s" { print $4 }' a.pkc | sort -u)" = "$tid" ]
}

@test "a main thread that has ended does not wait for its process" {
	need_kernel_events
	cat >leader.c <<-'END'
		#include <pthread.h>
		#include <time.h>
		static void *nap(void *p)
		{
			struct timespec t = { 1, 0 };
			nanosleep(&t, NULL);
			return p;
		}
		int main(void)
		{
			pthread_t t;
			pthread_create(&t, NULL, nap, NULL);
			pthread_exit(NULL);
		}
	END
	$CC -O2 -g -pthread leader.c -o leader
	for scope in --per-thread --per-cpu; do
		[ $scope = --per-thread ] || [ "$(id -u)" = 0 ] || continue
		pk-sample --off-cpu $scope -o a.pkc sh -c './leader; exit 0'
		# Of the thread that ended first, hardly anything.
		awk '$1 == "proc" && $6 == "leader" { pid[$3] = 1 }
			$1 == "s" && ($3 in pid) && $3 == $4 { n += $7 }
			END { print n; exit n > 500000000 }' a.pkc
		[ "$(pk-fold a.pkc | samples_with ';nap;')" -gt 900000000 ]
	done
}

@test "where threads wait is known of those that waited before --delay ended" {
	need_kernel_events
	pk-sample --off-cpu --delay 0.3 -o a.pkc sleep 0.8
	n=$(pk-fold a.pkc | samples_with 'nanosleep')
	echo "$n ns"
	[ "$n" -gt 440000000 ] && [ "$n" -lt 520000000 ]
}

# ---- several files ----

@test "files follow each other, each whole, and nothing is lost between" {
	need_kernel_events
	pk-sample --wall --rotate 1 -o 'part-%H%M%S.pkc' \
		"$(build_program sleeper2)" 32 >slept
	parts=(part-*.pkc)
	[ ${#parts[@]} -ge 4 ]
	for part in "${parts[@]}"; do
		[ "$(head -n 1 "$part")" = 'pk-capture 1' ]
		[ "$(tail -n 1 "$part")" = end ]
		run --separate-stderr -0 pk-fold "$part"
		[[ $stderr != *'cut'* ]]
		[ "$(samples_with ';main;sleep_' <<<"$output")" -gt 1000000 ]
	done
	for part in "${parts[@]:1:2}"; do
		n=$(pk-fold "$part" | samples_of 'sleeper2;')
		near "$n" 1000000000 5
	done
	pk-fold "${parts[@]}" >out
	check_sleep sleep_long slept out
	check_sleep sleep_short slept out
}

@test "the next file knows the processes, names and run-time code of before" {
	jit=$(build_program jit)
	names=$(build_program names)
	pk-sample --rotate 1 -o 'part-%H%M%S.pkc' \
		sh -c "$jit 2.5 & $names 2.5 & wait"
	parts=(part-*.pkc)
	[ ${#parts[@]} -ge 3 ]
	for part in "${parts[@]:0:2}"; do
		pk-fold "$part" >out
		[ "$(samples_with ';made at run time' <out)" -gt 50 ]
		[ "$(samples_of 'semi:colon;' <out)" -gt 20 ]
	done
	grep -Eq '^proc [0-9]+ [0-9]+ [0-9]+ found jit$' "${parts[1]}"
}

@test "only the last files are kept" {
	touch part-000000.pkc
	pk-sample --rotate 1 --keep 2 -z -o 'part-%H%M%S.pkc.gz' \
		"$(build_program twelve)" 4.3 >/dev/null
	parts=(part-*.gz)
	[ ${#parts[@]} = 2 ]
	[ -e part-000000.pkc ]
	[ "$(zcat "${parts[1]}" | tail -n 1)" = end ]
	[ "$(pk-fold "${parts[@]}" | samples_with ';main;')" -gt 300 ]
}
