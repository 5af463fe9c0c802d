#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# pk-fold on perf.data: what perf records here becomes the stacks that perf
# script shows. Where perf's names differ from ours, frames are compared by
# address (stacks.py).

setup() {
	load helper
	need perf linux-perf
	cd "$BATS_TEST_TMPDIR"
	perf record -N -q -e cpu-clock -o try.data true 2>/dev/null ||
		skip "perf may not record here"
}

# record OPTION... COMMAND: into a.data, quietly; -N: perf keeps no copies.
record() {
	perf record -N -q -e cpu-clock -F 999 -o a.data "$@" >/dev/null
}

fp=(-O2 -g -fno-omit-frame-pointer)

# same_stacks [--exact] [PATTERN]: each sample of a.data has the time, the
# thread, the event, the weight and the frames that perf script shows; of those
# threads at least whose names match.
same_stacks() {
	local exact=
	[ "${1:-}" != --exact ] || { exact=--exact && shift; }
	pk-fold --to-capture a.data >a.pkc
	python3 "$PK_SRCDIR/tests/stacks.py" capture a.pkc >ours
	perf script -i a.data --no-inline \
		-F comm,pid,tid,time,period,event,ip,dso 2>/dev/null >script
	python3 "$PK_SRCDIR/tests/stacks.py" script $exact script >theirs
	# The clock starts with the first record, which perf script does not
	# show: the distance is the same for all.
	paste -d ' ' <(cut -d ' ' -f 1 theirs) <(cut -d ' ' -f 1 ours) |
		awk '{ d = $1 - $2; if (NR == 1) first = d
			if (d - first > 1 || first - d > 1) exit 1 }'
	[ -s ours ]
	cut -d ' ' -f 2- ours | grep -E "^${1:-}" | sort >ours.sorted
	cut -d ' ' -f 2- theirs | grep -E "^${1:-}" | sort >theirs.sorted
	diff ours.sorted theirs.sorted | head -5
	cmp ours.sorted theirs.sorted
}

# in_kernel: records a program that is there most of its time.
in_kernel() {
	record -g dd if=/dev/zero of=/dev/null bs=1M count=3000
}

# inclusive FUNCTION...: of the folded stacks on standard input.
inclusive() {
	awk -v names="$*" '
		{ value = $NF; sub(/ [0-9]+$/, "")
		  n = split($0, frame, ";"); split("", seen)
		  for (i = 2; i <= n; i++) seen[frame[i]]
		  for (f in seen) sum[f] += value }
		END { n = split(names, name, " ")
		  for (i = 1; i <= n; i++) print name[i], sum[name[i]] + 0 }'
}

total() {
	awk '{ n += $NF } END { printf "%.0f\n", n }'
}

@test "frame-pointer chains are those of perf script, kernel frames too" {
	record -g "$(build_program nested "${fp[@]}")" 0.5
	same_stacks
	in_kernel
	same_stacks
	grep -q 'kernel' ours
}

@test "functions weigh what they weigh in perf script" {
	local names=(main level_12 level_7 level_1 entry_SYSCALL_64_after_hwframe)
	record -g "$(build_program nested "${fp[@]}")" 0.5
	# Without inlined calls, which perf shows for unwound stacks only.
	pk-fold --no-inline a.data >ours
	perf script -i a.data 2>/dev/null | pk-fold >theirs
	[ "$(total <ours)" = "$(total <theirs)" ]
	inclusive "${names[@]}" <ours >ours.sums
	diff ours.sums <(inclusive "${names[@]}" <theirs)
	awk '$2 > 100000000 { n++ } END { exit n < 4 }' ours.sums
	# Stacks as a whole differ in names: perf takes others of several at
	# one address (__GI_, @@GLIBC_2.17), calls PLT entries _init, and looks
	# callers that end in their call up at the return address.
}

@test "stacks that are unwound are those of perf script" {
	record --call-graph dwarf "$(build_program nested)" 0.5
	same_stacks --exact
	[ "$(grep -c '_start\|+' ours)" -gt 300 ]
}

@test "at least as many unwound stacks are whole as in perf script" {
	local ours theirs
	record --call-graph dwarf,65528 "$(build_program cxxstacks)" 0.3
	pk-fold --no-inline --value samples a.data >ours.folded
	# A thread that has just begun has no rules yet, and nothing to unwind.
	ours=$(samples_with '^cxxstacks;(_start|(\\[no-cfi\\];)?_*clone3?)[; ]' \
		<ours.folded)
	perf script -i a.data --no-inline -F comm,tid,time,ip,sym 2>/dev/null |
		awk 'NF == 0 { if (last ~ /^(_start|_*clone3?)$/) n++; last = "" }
			/^\t/ { last = $2 } END { print n }' >theirs
	theirs=$(cat theirs)
	echo "ours $ours, perf's $theirs, of $(total <ours.folded)"
	[ "$theirs" -gt 40 ]
	[ "$ours" -ge "$theirs" ]
}

@test "of several events the first counts, and others are chosen" {
	perf record -N -q -g -e cpu-clock,page-faults -F 999 -o a.data \
		"$(build_program nested "${fp[@]}")" 0.3 >/dev/null
	run -0 --separate-stderr pk-fold a.data
	[[ $stderr == *"only 'cpu-clock' is folded;"*page-faults* ]]
	[ "$(samples_with ';main;' <<<"$output")" -gt 100000000 ]
	perf record -N -q -g -e page-faults,cpu-clock -F 999 -o a.data \
		"$(build_program nested "${fp[@]}")" 0.3 >/dev/null
	same_stacks
	run -0 --separate-stderr pk-fold -e cpu-clock a.data
	[ "$(samples_with ';main;' <<<"$output")" -gt 100000000 ]
}

@test "the whole machine: children of children, and execs" {
	record -a -g -- "$(build_program forks "${fp[@]}")" exec 3 0.1
	# Of others that run just now, perf prints some addresses as offsets.
	same_stacks '(forks|exe|swapper|perf|perf-exec) '
	[ "$(cut -d ' ' -f 2- ours | grep -c '^exe .*forks+')" -gt 50 ]
}

@test "through a pipe, with a pipe as output, and compressed" {
	local program
	program=$(build_program nested "${fp[@]}")
	perf record -N -q -e cpu-clock -F 999 -g -o - "$program" 0.3 \
		2>/dev/null >pipe.data
	pk-fold <pipe.data >a
	cat pipe.data | pk-fold | cmp - a
	[ "$(samples_with ';main;level_12;.*;level_1' <a)" -gt 100000000 ]
	record -z -g "$program" 0.3
	same_stacks
	gzip -k a.data
	pk-fold a.data >b
	pk-fold a.data.gz | cmp - b
}

@test "forks, execs and threads keep their names and mappings" {
	record -g "$(build_program forks "${fp[@]}")" exec 4 0.05
	same_stacks
	record -g "$(build_program forks "${fp[@]}")" chain 4 0.05
	same_stacks
	record -g "$(build_program namedthreads "${fp[@]}")"
	same_stacks
}

@test "code that was unloaded is named by what lay there" {
	local plugin=$PK_SRCDIR/tests/programs/plugin.c i
	for i in one two; do
		$CC "${fp[@]}" -shared -fPIC -DPLUGIN="$i" -o "$i.so" "$plugin"
	done
	record -g "$(build_program dlopener "${fp[@]}")" 0.2 ./one.so ./two.so
	same_stacks
	pk-fold --no-inline a.data >out
	[ "$(samples_with ';plugin_run;one_work' <out)" -gt 100000000 ]
	[ "$(samples_with ';plugin_run;two_work' <out)" -gt 100000000 ]
}

@test "inlined calls appear in C++, with and without unwinding" {
	local program
	program=$(build_program cxxstacks "${fp[@]}")
	record -g "$program" 0.3
	pk-fold --annotate a.data >out
	[ "$(samples_with '_\[i\];' <out)" -gt 10000000 ]
	# Without them, what is left is what --no-inline gives.
	pk-fold --annotate --no-inline a.data | LC_ALL=C sort >plain
	sed 's/;[^;]*_\[i\]//g' out | awk '{ v = $NF; sub(/ [0-9]+$/, "")
		sum[$0] += v } END { for (s in sum) printf "%s %.0f\n", s, sum[s] }' |
		LC_ALL=C sort >cut
	cmp cut plain
}

@test "kernel frames have names, and are marked" {
	record -g dd if=/dev/zero of=/dev/null bs=1M count=3000 2>/dev/null
	pk-fold --kernel a.data >out
	[ "$(samples_with '^dd;.*do_syscall_64_\[k\];' <out)" -gt 10000000 ]
	[ "$(samples_with '\[kernel\]' <out)" = 0 ]
}

@test "code made at run time has the names of its perf map, if it is ours" {
	local pid
	record -g "$(build_program jit)" 0.3
	pk-fold --jit a.data >out
	pid=$(perf script -i a.data -F pid 2>/dev/null | tr -d ' ' | sort -u)
	[ "$(samples_with ';made at run time_\[j\] ' <out)" -gt 50000000 ]
	chown nobody "/tmp/perf-$pid.map"
	run -0 --separate-stderr pk-fold a.data
	rm "/tmp/perf-$pid.map"
	[[ $stderr == *"/tmp/perf-$pid.map: it belongs to another user"* ]]
	[ "$(samples_with '\[jit\]' <<<"$output")" -gt 50000000 ]
}

@test "the vdso's functions have names" {
	record --call-graph dwarf "$(build_program nested)" 0.5
	pk-fold a.data >out
	[ "$(samples_with '__vdso_clock_gettime' <out)" -gt 0 ]
}

# A program that is another one when the recording is read.
replaced_program() {
	local source=$PK_SRCDIR/tests/programs/nested.c
	$CC "${fp[@]}" -o prog "$source"
	perf record -N -q --buildid-mmap -e cpu-clock -F 999 -g -o a.data \
		./prog 0.3 >/dev/null 2>&1 || record -g ./prog 0.3
	cp prog kept
	$CC "${fp[@]}" -DOTHER -Wl,--build-id=uuid -o prog "$source"
}

@test "a file that is another build now is not used, and that is said" {
	replaced_program
	run -0 --separate-stderr pk-fold a.data
	[[ $stderr == *"/prog: the file here is another build than the one"* ]]
	[ "$(samples_with ';level_' <<<"$output")" = 0 ]
	[ "$(samples_with '\[prog\]' <<<"$output")" -gt 100000000 ]
	mkdir root
	cp kept root/prog
	pk-fold --sysroot root a.data >out
	[ "$(samples_with ';main;level_12;' <out)" -gt 100000000 ]
}

@test "a file that is another build now is found in perf's cache" {
	replaced_program
	HOME=$PWD perf buildid-cache -a kept
	HOME=$PWD pk-fold a.data >out
	[ "$(samples_with ';main;level_12;' <out)" -gt 100000000 ]
}

@test "without a build id, a file too short for its mapping is not used" {
	$CC "${fp[@]}" -Wl,--build-id=none -o prog \
		"$PK_SRCDIR/tests/programs/nested.c"
	record -g ./prog 0.3
	pk-fold a.data >out
	[ "$(samples_with ';main;level_12;' <out)" -gt 100000000 ]
	truncate -s 4000 prog
	run -0 --separate-stderr pk-fold a.data
	[ "$(samples_with '\[prog\]' <<<"$output")" -gt 100000000 ]
	[ "$(samples_with ';main;level_12;' <<<"$output")" = 0 ]
}

@test "a kernel that does not run here has no names, and that is said" {
	in_kernel
	# Its build id in the header becomes another's.
	python3 - <<-'END'
		import re
		id = open('/sys/kernel/notes', 'rb').read()
		at = id.index(b'GNU\0') + 4
		id = id[at:at + 20]
		data = open('a.data', 'rb').read()
		assert id in data
		open('b.data', 'wb').write(data.replace(id, b'\1' * 20))
	END
	run -0 --separate-stderr pk-fold b.data
	[[ $stderr == *"b.data: the kernel's frames have no names: it was recorded on another kernel, $(uname -r), build id 0101"* ]]
	[ "$(samples_with '\[kernel\]' <<<"$output")" -gt 0 ]
	[ "$(samples_with 'do_syscall_64' <<<"$output")" = 0 ]
	[ "$(total <<<"$output")" = "$(pk-fold a.data | total)" ]
}

@test "a recording that is cut off folds as far as it goes" {
	record -g "$(build_program nested "${fp[@]}")" 0.5
	head -c $(($(stat -c %s a.data) / 2)) a.data >cut.data
	run -2 --separate-stderr pk-fold cut.data
	[[ $stderr == *"cut.data: is cut off: "* ]]
	[ "$(samples_with ';main;level_12;' <<<"$output")" -gt 50000000 ]
}

@test "recordings and captures merge" {
	record -g "$(build_program nested "${fp[@]}")" 0.3
	pk-fold --to-capture a.data >a.pkc
	pk-fold a.data a.data a.data >three
	[ "$(total <three)" = "$(($(pk-fold a.data | total) * 3))" ]
	pk-fold --value weight a.data a.pkc a.pkc | cmp - three
}

@test "a recording becomes a capture that folds to the same stacks" {
	local file
	record -a -g -- "$(build_program cxxstacks "${fp[@]}")" 0.2
	pk-fold --to-capture -o a.pkc a.data
	[ "$(tail -n 1 a.pkc)" = end ]
	pk-fold --value weight --pid a.data >direct
	pk-fold --value weight --pid a.pkc | cmp - direct
	pk-fold --since 0.05 --until 0.1 --value samples a.data >direct
	[ -s direct ]
	pk-fold --since 0.05 --until 0.1 --value samples a.pkc | cmp - direct
	# And so does a capture.
	pk-fold --to-capture a.pkc | cmp - a.pkc
	# Folded stacks have no addresses.
	run -2 pk-fold --to-capture direct
	[[ $output == *"without addresses there is no capture to make of it" ]]
}

@test "metadata says how it was recorded" {
	record -g true
	pk-fold --to-capture a.data >a.pkc
	grep -qx "@ tool perf $(perf --version | sed 's/.* //')" a.pkc
	grep -qx "@ host $(uname -n)" a.pkc
	grep -qx "@ kernel $(uname -r)" a.pkc
	grep -qx "@ arch x86_64" a.pkc
	grep -qx "@ frequency 999" a.pkc
	grep -qx "@ unwind fp" a.pkc
	grep -q "^@ command .*record -N -q -e cpu-clock" a.pkc
	grep -qx "event 1 ns 1001001 cpu-clock" a.pkc
}

@test "the processor's own call stacks are chains of exact calls" {
	need python3
	python3 "$PK_SRCDIR/tests/perfdata.py" made
	# On two frames of a chain, and 2 and 4 calls with what runs in them.
	pk-fold --value samples made/calls | awk '{
		print gsub(/\[unknown\]/, "") }' >frames
	diff frames <(printf '%s\n' 2 3 5)
}
