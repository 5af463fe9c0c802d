#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# perf.data, decoded: what perf_dump prints of a recording, against what perf
# itself shows of it (perf script -D) and against what tests/perfdata.py says
# that it wrote.

setup_file() {
	load helper
	need python3
	need zstd
	mkdir "$BATS_FILE_TMPDIR/made"
	python3 "$PK_SRCDIR/tests/perfdata.py" "$BATS_FILE_TMPDIR/made"
}

setup() {
	load helper
	dump=$PK_BUILDDIR/tests/unit/perf_dump
	: "${PK_SANITIZE:=}"
	cd "$BATS_TEST_TMPDIR"
}

# made VARIANT [NAME]: a recording by perfdata.py, and NAME.expected.
made() {
	cp -r "$BATS_FILE_TMPDIR/made/$1" "${2:-$1}"
	cp "$BATS_FILE_TMPDIR/made/$1.expected" "${2:-$1}.expected"
}

# record ARGUMENT...: what perf records of a program that computes.
record() {
	need perf linux-perf
	need_profiling
	cp -n "$(build_program twelve)" twelve
	perf record -q "$@" ./twelve 0.1
}

# same_as_perf FILE: the same records in the same order, as perf shows them.
# What perf_dump adds, the own time of a task that has no other, is taken away.
same_as_perf() {
	perf script -D -i "$1" 2>/dev/null | grep -av '^\.  ' |
		awk -f "$PK_SRCDIR/tests/perf-records.awk" >theirs
	"$dump" "${2:-$1}" >dumped
	awk -v ours=1 -f "$PK_SRCDIR/tests/perf-records.awk" dumped |
		if grep -q '^sample -' dumped; then
			sed -E 's/^(fork|exit) [0-9]+ /\1 0 /'
		else
			cat
		fi >ours
	if [ -n "${several_files:-}" ]; then
		# of equal times each has another file's record first
		sort -cs -k 2,2n ours
		for side in theirs ours; do
			sort -k 2,2n -k 1 -o $side $side
		done
	fi
	diff theirs ours
	[ "$(grep -c '^sample' ours)" -gt "${least:-20}" ]
	grep -q '^mmap .*/twelve$' ours
	grep -q '^comm .* 1 twelve:' ours
}

@test "what the writer wrote is what is decoded, in every form and byte order" {
	local variant variants
	variants=$(cd "$BATS_FILE_TMPDIR/made" && ls -d -- *[!d] |
		grep -vE '^(bad|size|features|ids|packed-(damaged|cut))' |
		grep -vxE 'unfinished|attr-tiny|attr-beyond|.*[.]expected')
	[ "$(wc -l <<<"$variants")" -gt 45 ]
	for variant in $variants; do
		echo "--- $variant"
		made "$variant"
		"$dump" "$variant" >out 2>err
		diff "$variant.expected" out
		[ ! -s err ]
	done
}

@test "a pipe, gzip and standard input give the same records" {
	local variant
	for variant in rounds packed2 packed2-pipe rounds-big-pipe; do
		echo "--- $variant"
		made "$variant"
		cat "$variant" | "$dump" - | diff "$variant.expected" -
		"$dump" - <"$variant" | diff "$variant.expected" -
		gzip -k "$variant"
		"$dump" "$variant.gz" | diff "$variant.expected" -
		cat "$variant.gz" | "$dump" - | diff "$variant.expected" -
	done
}

@test "a folder is read by its name and by its file data" {
	made folder
	"$dump" folder | diff folder.expected -
	"$dump" folder/data | diff folder.expected -
	cd folder
	"$dump" data | diff ../folder.expected -
	# what happens to lie here need not belong to standard input
	run -2 "$dump" - <data
	[[ $output == *"standard input: the files data.0"*"name the folder"* ]]
	cd ..
	rm folder/data.*
	run -2 "$dump" folder
	[[ $output == *"the files data.0, data.1"*"are not beside it"* ]]
	mkdir other
	run -2 "$dump" other
	[[ $output == *"other: is a directory"* ]]
	echo nothing >other/data
	run -2 "$dump" other
	[[ $output == *"other: is a directory"* ]]
}

@test "a damaged record is left out, counted and said; the others count" {
	local part
	for part in read chain raw branches regs stack copied aux; do
		for form in "" -pipe; do
			echo "--- $part$form"
			made "bad-$part$form" bad
			run -0 --separate-stderr "$dump" bad
			diff bad.expected <(echo "$output")
			[ "$(grep -c ^sample bad.expected)" = 2 ]
			[[ $stderr == *": bad: 1 damaged record is left out" ]]
		done
	done
}

@test "a record of an impossible size ends the reading, which is said" {
	local size
	for size in 0 7; do
		made size-$size
		run -2 --separate-stderr "$dump" size-$size
		diff size-$size.expected <(echo "$output")
		[[ $stderr == *"a record of $size bytes cannot be"* ]]
		[[ $stderr == *"the 40 bytes from it on are left out" ]]
	done
}

@test "a header that says what is not so" {
	made unfinished
	run -0 --separate-stderr "$dump" unfinished
	diff unfinished.expected <(echo "$output")
	[[ $stderr == *"perf record did not finish it"* ]]
	made features-beyond
	run -0 --separate-stderr "$dump" features-beyond
	diff features-beyond.expected <(echo "$output")
	[[ $stderr == *"its header is damaged: 1 of its parts"* ]]
	made ids-beyond
	run -0 --separate-stderr "$dump" ids-beyond
	diff ids-beyond.expected <(echo "$output")
	[[ $stderr == *"its header is damaged: 1 of its parts"* ]]
	made attr-tiny
	run -1 "$dump" attr-tiny
	[[ $output == *"its header is damaged"* ]]
	made attr-beyond
	run -1 "$dump" attr-beyond
	[[ $output == *"its header is damaged"* ]]
}

@test "cut off anywhere, a recording gives the records before, and says so" {
	local variant n size status
	for variant in identifier rounds-pipe; do
		made $variant
		size=$(stat -c %s $variant)
		for ((n = 5; n < size && n < 3000; n += 127)); do
			echo "--- $variant $n"
			head -c $n $variant >cut
			status=0
			"$dump" cut >>lines 2>err || status=$?
			[ $status -le 2 ]
			# a pipe may end behind any record
			[ -s err ] || [ $variant = rounds-pipe ]
		done
		# all that was read is of what was written
		[ "$(wc -l <lines)" -gt 50 ] || [ $variant = identifier ]
		grep -v '^event' lines >records
		run -1 grep -vxFf $variant.expected records
		[ -z "$output" ]
		rm lines
	done
	head -c -1 rounds-pipe >cut
	run -2 --separate-stderr "$dump" cut
	[[ $stderr == *"is cut off: of its last record there are only"*bytes ]]
	head -c 1000 identifier >cut
	run -2 --separate-stderr "$dump" cut
	[[ $stderr == *"is cut off: "*" bytes of its records are missing" ]]
}

@test "compressed records that are cut off or damaged are said" {
	made packed-cut
	run -2 --separate-stderr "$dump" packed-cut
	[[ $stderr == *"is cut off within its compressed records" ]]
	made packed-damaged
	run -2 --separate-stderr "$dump" packed-damaged
	[[ $stderr == *damaged* ]]
}

@test "without libzstd, a compressed recording names the cure" {
	made packed
	made identifier
	# shellcheck disable=SC2086 # lists of words
	$CC $PK_SANITIZE -D_GNU_SOURCE -I "$PK_SRCDIR/lib" -o without \
		"$PK_SRCDIR/tests/unit/perf_dump.c" \
		"$PK_SRCDIR/lib/import/machine/perf_zstd.c" \
		"$PK_BUILDDIR/lib/libimport-machine.a" \
		"$PK_BUILDDIR/lib/libbase.a" -lz -lm
	run -2 ./without packed
	[[ $output == *"built without libzstd: install libzstd-dev"* ]]
	./without identifier | diff identifier.expected -
}

@test "what is no recording is said" {
	printf '' >empty
	printf 'PERFILE2' >short
	head -c 1000 /dev/zero >zeros
	for file in empty short zeros; do
		run -1 "$dump" $file
		[[ $output == *"$file: is no perf.data"* ]]
	done
	printf 'PERFILE2\x10\0\0\0\0\0\0\0' >bare
	run -1 "$dump" bare
	[[ $output == *"bare: holds no records" ]]
}

@test "memory does not grow with a recording that has rounds" {
	made rounds-pipe
	head -c 16 rounds-pipe >long
	tail -c +17 rounds-pipe >records
	for ((n = 0; n < 60; n++)); do cat records; done >block
	for ((n = 0; n < 8; n++)); do cat block; done >>long
	[ "$(wc -c <long)" -gt 80000000 ]
	# Sanitizers want all the memory there is.
	[ -n "${PK_SANITIZE:-}" ] || ulimit -v 60000
	run -0 "$dump" -c - <long
	[ "$output" = $((480 * 1920)) ]
}

@test "what waits and is too much for memory is kept in a file without a name" {
	made identifier-pipe
	# 72 MB in which no round ends
	tail -c +17 identifier-pipe >records
	for ((n = 0; n < 100; n++)); do cat records; done >block
	head -c 16 identifier-pipe >long
	for ((n = 0; n < 250; n++)); do cat block; done >>long
	[ "$(wc -c <long)" -gt 68000000 ]
	mkdir tmp
	run -0 env TMPDIR=tmp "$dump" -c - < <(cat long)
	[ "$output" = $((25000 * 4)) ]
	[ -z "$(ls tmp)" ]
	run -2 --separate-stderr env TMPDIR=/nonexistent "$dump" -c - \
		< <(cat long)
	[ "$output" -gt 50000 ]
	[[ $stderr == *"does not fit into /nonexistent"*"TMPDIR chooses"* ]]
}

@test "frame-pointer stacks: the same records as perf shows" {
	record -F 2000 -g -o fp.data
	same_as_perf fp.data
}

@test "dumps of stacks: the same records as perf shows" {
	record -F 500 --call-graph dwarf -o dwarf.data
	least=5 same_as_perf dwarf.data
	grep -q '^sample .* r.* stack [0-9]' ours
}

@test "several events, and a fixed period" {
	record -e page-faults -c 3 -o period.data
	least=3 same_as_perf period.data
	"$dump" period.data | grep -q '^sample .* period=3$'
	record -e cpu-clock:u,page-faults -g -o events.data
	same_as_perf events.data
	"$dump" events.data >all
	grep -qE '^event 0 .* tracks=0 cpu-clock:u$' all
	grep -qE '^event 1 .* tracks=0 page-faults$' all
	grep -q '^sample .* event=0 ' all
	grep -q '^sample .* event=1 ' all
}

@test "the whole machine, with switches and namespaces" {
	record -a -g --switch-events --namespaces -o all.data
	same_as_perf all.data
	grep -q '^other [0-9]* 15$' ours
	grep -q '^other [0-9]* 16$' ours
	"$dump" all.data | grep -qE '^event 1 .* tracks=1 dummy'
}

@test "a tracepoint's fields" {
	record -a -e sched:sched_switch -o trace.data
	[ -s trace.data ] || skip "no tracepoints here: mount tracefs as root"
	least=2 same_as_perf trace.data
	"$dump" trace.data | grep -q '^sample .* raw=[0-9]*:'
}

@test "through a pipe" {
	record -g -o - | "$dump" - >streamed
	record -g -o - >pipe.data
	same_as_perf pipe.data
	grep -q '^sample' streamed
}

@test "compressed" {
	record -z -g -o z.data
	same_as_perf z.data
	"$dump" -h z.data | grep -qx 'form: file, compressed'
}

@test "a folder of compressed records, written by several threads" {
	record --threads -z -a -g -o threads.data
	several_files=yes same_as_perf threads.data
	"$dump" -h threads.data | grep -qx 'form: folder, compressed'
}

@test "without times, records stay in the order of the file" {
	record --per-thread -g -o thread.data
	same_as_perf thread.data
	"$dump" thread.data | grep -q '^sample - '
}

@test "build ids in mappings" {
	record --buildid-mmap -g -o ids.data
	same_as_perf ids.data
	local id
	id=$(readelf -n twelve |
		sed -n 's/.*Build ID: //p')
	[ ${#id} = 40 ]
	grep -q "^mmap .* <$id> .*/twelve\$" ours
}

@test "the header says what perf says" {
	record -g -k mono -e cpu-clock,page-faults -o head.data
	"$dump" -h head.data >ours
	perf script --header-only -i head.data >theirs
	value() { sed -n "s/^# $1 : //p" theirs | sed 's/ *$//'; }
	grep -qxF "host: $(value hostname)" ours
	grep -qxF "kernel: $(value 'os release')" ours
	grep -qxF "perf: $(value 'perf version')" ours
	grep -qxF "architecture: $(value arch)" ours
	grep -qxF "processor: $(value cpudesc)" ours
	grep -qxF "processors: $(value 'nrcpus avail'), of which online: $(
		value 'nrcpus online')" ours
	grep -qxF "command: $(value cmdline)" ours
	grep -qx 'clock: monotonic, resolution 1 ns' ours
	grep -q '^wall clock: 20' ours
	grep -q '^event: cpu-clock; type 1, config 0x0, 4000 times' ours
	# the objects that perf lists, each with its build id
	perf buildid-list -i head.data | sort >theirs
	[ -s theirs ]
	sed -n 's/^build id: //p' ours | sort | diff theirs -
	# first and last sample, to the microsecond
	perf script -F time -i head.data | sed 's/[: ]//g' | sort -n |
		sed -n '1p;$p' | tr '\n' ' ' >times
	[ "$(sed -nE 's/^samples: from ([0-9]+)([0-9]{6})[0-9]{3} to ([0-9]+)([0-9]{6})[0-9]{3} .*/\1.\2 \3.\4 /p' ours)" = "$(cat times)" ]
}

@test "a header made by hand, as a file and through a pipe" {
	local form
	for form in all all-big; do
		made $form
		made $form-pipe
		"$dump" -h $form >file
		"$dump" -h $form-pipe >pipe
		for line in 'host: a host' 'kernel: 9.9.9' 'perf: 1.2.3' \
			'architecture: s390x' 'processor: a processor' \
			'processors: 16, of which online: 12' \
			'memory: 1048576 KiB' 'command: perf record' \
			'clock: monotonic, resolution 4 ns' \
			'wall clock: 2023-11-14T22:13:20.123456789Z at 42 ns' \
			'samples: from 100 to 5000000100 ns, 5.000000 seconds' \
			'build id: 3132333435363738 /bin/short'; do
			echo "$form $line"
			grep -qxF "$line" file
			grep -qxF "$line" pipe
		done
		grep -qxF "build id: $(printf '41%.0s' {1..20}) /bin/old" file
		grep -qx 'form: file.*' file
		grep -qx 'form: pipe.*' pipe
		grep -q 'event: all; type 4, config 0x1c2, 1000 times a second, precise 2, stacks of 64 bytes; samples have ip, tid' file
		grep -qx 'not recorded: .*folder, .*' file
	done
	grep -qx 'form: file, of the other byte order' file
	grep -qx 'form: pipe, of the other byte order' pipe
}

# ---- recordings that want much, or say what is not so

# hostile NAME: a recording of that name by perfhostile.py.
hostile() {
	python3 "$PK_SRCDIR/tests/perfhostile.py" "$1" "$1"
}

# fold SECONDS KIB ARGUMENT...: within that time and memory, what pk-fold makes
# of it is in $output and $stderr. Sanitizers want all the memory there is.
fold() {
	local seconds=$1 kib=$2
	shift 2
	[ -z "$PK_SANITIZE" ] || kib=unlimited
	run "${expect:--0}" --separate-stderr bash -c 'ulimit -v "$1" && shift &&
		exec timeout "$@"' - "$kib" "$seconds" pk-fold "$@"
}

@test "children have their parent's mappings until they map or execute" {
	hostile children
	fold 60 1000000 --pid --value samples children
	diff <(echo "$output") - <<-'END'
		:7-100;[two] 2
		:7-100;[unknown] 2
		:7-7;[one] 2
		:7-7;[unknown] 2
		again-101;[three] 1
		again-101;[unknown] 1
		again-102;[three] 1
		again-102;[unknown] 1
		new-101;[one] 1
		new-101;[three] 1
		new-102;[one] 1
		new-102;[three] 1
	END
}

@test "many children of a process with many mappings do not take all memory" {
	hostile forks
	fold 60 1000000 forks
	[ "$output" = ':7;[x] 1000' ]
	[[ $stderr == *'the processes have more than 8388608 executable mappings'* ]]
}

@test "more mappings than the kernel allows are said" {
	hostile mappings
	fold 60 1000000 mappings
	[ "$output" = ':7;[x] 1000' ]
	[[ $stderr == *'process 7 has more than 65530 executable mappings'* ]]
}

@test "data of the processor's that is not there is missing, which is said" {
	local form
	for form in beyond beyond-pipe; do
		hostile $form
		expect=-2 fold 60 1000000 --value samples $form
		[ "$output" = ':8;[unknown] 1' ]
		[[ $stderr == *"$form: is cut off: 10995116"*" bytes of its records are missing"* ]]
	done
}

@test "a copied stack of another machine leaves a mark, also below the kernel" {
	hostile foreign-dumps
	fold 60 1000000 --value samples foreign-dumps
	diff <(echo "$output") - <<-'END'
		:8;[no-cfi];[kernel] 1
		:8;[no-cfi];[unknown] 1
	END
}

@test "where the recording does not say which kernel it was, that is said" {
	hostile foreign-dumps
	fold 60 1000000 foreign-dumps
	[[ $stderr == *"the kernel's frames have no names: it does not say on which kernel it was recorded"* ]]
	[[ $stderr != *'another kernel'* ]]
}

@test "code made at run time in the kernel: the last at an address counts" {
	hostile kernel-code
	fold 20 1000000 --value samples kernel-code
	diff <(echo "$output") - <<-'END'
		:10;many 100
		:8;code_0 1
		:8;code_1 1
		:8;code_2 1
		:8;code_3 1
		:8;code_4 1
		:8;code_5 1
		:9;[kernel] 4
		:9;code_0 5
		:9;code_3 5
		:9;code_4 4
	END
}

@test "a list of very many build ids is looked through once" {
	hostile build-ids
	fold 30 1000000 --value samples build-ids
	grep -qx ':7;\[sh\] 1' <<<"$output"
	[ "$(wc -l <<<"$output")" = 20001 ]
}

@test "a folder of more files than may be open at a time" {
	hostile folder
	run -0 --separate-stderr bash -c \
		'ulimit -n 200 && exec timeout 60 pk-fold --value samples folder'
	[ "$output" = 'app;[unknown] 1100' ]
}

@test "what cannot be read in a folder is said, and the others count" {
	hostile folder
	cd folder
	gzip -S .gz <data.3 >packed && mv packed data.3
	rm data.4 && mkfifo data.4
	rm data.5 && mkdir data.5
	rm data.6 && ln -s /dev/zero data.6
	rm data.7 && ln -s nowhere data.7
	: >data.8 # this processor had nothing to record
	rm data.10 data.11 data.13
	cp data.20 data.020
	run -2 --separate-stderr timeout 60 pk-fold --value samples ../folder
	[ "$output" = 'app;[unknown] 1091' ]
	diff <(grep -v 'samples\|[0-9] (' <<<"$stderr") - <<-'END'
		pk-fold: ../folder/data.3: cannot be read in a folder as it is: unpack it first; its records are left out
		pk-fold: ../folder/data.4: is no regular file; what belongs there is left out
		pk-fold: ../folder/data.5: is no regular file; what belongs there is left out
		pk-fold: ../folder/data.6: is no regular file; what belongs there is left out
		pk-fold: ../folder/data.7: its records are left out: No such file or directory
		pk-fold: ../folder/data: 2 of the recording's files before data.12 are missing
		pk-fold: ../folder/data: 1 of the recording's files before data.14 is missing
	END
	rm data && mkfifo data
	run -2 timeout 60 pk-fold ../folder
	[[ $output == *'../folder: is a directory'* ]]
}

@test "compressed records that unpack to thousands of their size are refused" {
	hostile packed
	run -2 --separate-stderr timeout 60 pk-fold --value samples packed
	[ "$output" = ':8;[unknown] 1' ]
	[[ $stderr == *'packed: the compressed records are no recording'*'4000 times'* ]]
}

@test "a file that is cut off while it is read ends the program, which is said" {
	seq 2000 >file
	run -2 "$PK_BUILDDIR/tests/unit/input_cut" file out
	[ "$output" = 'input_cut: file: was cut off while it was read' ]
	[ "$(ls)" = file ] # nothing half-written is left
}
