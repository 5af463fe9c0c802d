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

# kept FILE...: each file and what is in it, in one line.
kept() {
	local file
	for file; do
		printf '%s=%s ' "$file" "$(cat "$file")"
	done
}

@test "a recorder that was stopped names its late files as if it had not been" {
	background pk-sample --rotate 1 -o 'part-%H%M%S.pkc' \
		"$(build_program twelve)" 6 >/dev/null 2>said
	recorder=$!
	sleep 1.5
	kill -STOP $recorder
	sleep 3.5
	kill -CONT $recorder
	wait $recorder
	ls
	parts=(part-*)
	[ ${#parts[@]} -ge 6 ]
	for part in "${parts[@]}"; do
		[[ $part =~ ^part-[0-9]{6}\.pkc$ ]]
		[ "$(tail -n 1 "$part")" = end ]
		# What is in the name is when it began.
		begun=$(sed -n 's/^@ start .*T\(..\):\(..\):\(..\)Z$/\1\2\3/p' "$part")
		[ "$part" = "part-$begun.pkc" ] || [ "$part" = "${parts[0]}" ]
	done
	[ "$(grep -c 'stays' said)" -eq 0 ]
	[ "$(pk-fold "${parts[@]}" | samples_with ';main;')" -gt 300 ]
}

@test "files under names that come again are a ring" {
	sink=$PK_BUILDDIR/tests/unit/record_sink
	# 12:00:00, 12:30:00, 13:00:00... in files named by minutes
	"$sink" 'x-%M' 1800 0 43200 45000 46800 48600 50400 >out 2>&1
	[ "$(kept x-*)" = 'x-00=5 x-30=4 ' ]
	[ ! -s out ]
	# fewer are kept than the ring has
	rm x-*
	"$sink" 'x-%M' 1200 2 43200 44400 45600 46800 48000 >out 2>&1
	[ "$(kept x-*)" = 'x-00=4 x-20=5 ' ]
	[ ! -s out ]
}

@test "no file is overwritten that a set clock or another recording named" {
	sink=$PK_BUILDDIR/tests/unit/record_sink
	# set back by an hour behind the third, and by seconds behind the last
	"$sink" 'x-%H%M%S' 1 0 43200 43201 43202 39603 43201 43202 43202 2>said
	[ "$(kept x-*)" = 'x-110003=4 x-120000=1 x-120001=2 x-120001.1=5 x-120002=3 x-120002.1=6 x-120002.2=7 ' ]
	[ "$(cat said)" = 'record_sink: x-120001 is there already and stays: this goes to x-120001.1' ]
	rm x-*
	# what is kept is counted by files, and once removed a name is free
	"$sink" 'x-%H%M%S' 1 2 43200 43200 43200 43200 43201 2>said
	[ "$(kept x-*)" = 'x-120000=4 x-120001=5 ' ] ||
		[ "$(kept x-*)" = 'x-120000.1=4 x-120001=5 ' ]
	rm x-*
	echo other >x-120000
	mkdir x-120001
	mkfifo x-120002
	ln -s nowhere x-120003
	timeout 10 "$sink" 'x-%H%M%S' 1 0 43200 43201 43202 43203 43204 2>said
	rmdir x-120001
	rm x-120002 x-120003
	[ "$(kept x-*)" = 'x-120000=other x-120000.1=1 x-120001.1=2 x-120002.1=3 x-120003.1=4 x-120004=5 ' ]
	[ "$(wc -l <said)" -eq 1 ]
}

@test "patterns under which a file and the next can meet are refused" {
	for how in '59 x-%M' '1 x-%M' '3599 x-%H' '86400 x-%H%M' '0.9 %S' \
		'1.5 x-%M%%'; do
		rm -rf ran
		run --separate-stderr -125 pk-sample --rotate "${how% *}" \
			-o "${how#* }" touch ran
		echo "$how: $stderr"
		[ ! -e ran ]
		[[ ${how% *} = 0.9 || $stderr == *'names files alike that are '* ]]
	done
	for how in '60 x-%M' '1 x-%S' '3600 y-%H' '1.5 z-%M%S'; do
		pk-sample --rotate "${how% *}" -o "${how#* }" true
	done
	[ "$(find . -name '[xyz]-*' | wc -l)" -ge 3 ]
}

@test "a file that cannot be is named; the command runs on to its end" {
	now=$(date +%s)
	# The folder of this second and the next two, and none behind.
	for i in 0 1 2; do
		mkdir "$(date -u -d "@$((now + i))" +part-%H%M%S)"
	done
	run --separate-stderr -125 pk-sample --rotate 1 -o 'part-%H%M%S/a.pkc' \
		sh -c "sleep 4; touch ran"
	[ -e ran ]
	echo "$stderr"
	[[ ${stderr_lines[-1]} =~ ^'pk-sample: part-'[0-9]{6}'/a.pkc: write failed: No such file or directory'$ ]]
	for part in part-*/a.pkc; do
		[ "$(tail -n 1 "$part")" = end ]
	done
	[ -z "$(find . -name 'a.pkc.*')" ]
	mkdir full
	unshare -m true || skip "mount namespaces need root"
	unshare -m sh -c "mount -t tmpfs -o size=100k none full || exit 99
		pk-sample -F 5000 --rotate 2 -o full/part-%H%M%S.pkc \
			'$(build_program twelve)' 3 2>err; echo \$? >status
		ls -A full >left"
	cat err left
	[ "$(cat status)" = 125 ]
	tail -n 1 err | grep -Eqx 'pk-sample: full/part-[0-9]{6}\.pkc: write failed: No space left on device'
	[ "$(grep -c 'pkc\.' left)" -eq 0 ]
}
