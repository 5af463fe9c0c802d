#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The code against pk-capture(5), through pk-fold.

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
}

# capture LINE...: a capture of one event, one process and one module, then
# LINEs, then its end. %b: \\x0a in a LINE is what a writer makes of a byte.
head_lines='pk-capture 1
@ command ./a b
event 1 ns 1000000 cpu-clock
proc 0 10 1 start prog
mod 1 - a [jit 10]
sym 0 1 100 50 outer
sym 0 1 200 50 inner
f 1 0 1 110
f 2 1 1 210'

capture() {
	printf '%s\n' "$head_lines" "$@" end
}

# folds_to INPUT_FILE EXPECTED_LINE...
folds_to() {
	local file=$1
	shift
	pk-fold "$file" >out
	printf '%s\n' "$@" | diff - out
}

# is_refused MESSAGE_PART LINE...: with the line's number, and no output.
is_refused() {
	local part=$1
	shift
	capture "$@" >bad.pkc
	run --separate-stderr -2 pk-fold bad.pkc
	[ -z "$output" ]
	[ ${#stderr_lines[@]} -eq 1 ]
	[[ $stderr == "pk-fold: bad.pkc:10: "*"$part"* ]]
}

@test "samples of one stack are summed, and stack 0 is no stack" {
	capture 's 1 10 10 0 1 1000000 2' 's 2 10 10 0 1 1000000 2' \
		's 3 10 10 0 1 1000000 1' 's 4 10 10 0 1 1000000 0' >a.pkc
	folds_to a.pkc 'prog 1' 'prog;outer 1' 'prog;outer;inner 2'
}

@test "--value weight counts the event's unit" {
	capture 's 1 10 10 0 1 1000000 2' 's 2 10 10 0 1 2000000 2' >a.pkc
	run -0 pk-fold --value weight a.pkc
	[ "$output" = 'prog;outer;inner 3000000' ]
}

@test "a thread is called as its last name record says, an exec takes it back" {
	capture 's 1 10 11 0 1 1 1' 'name 2 10 11 worker' 's 3 10 11 0 1 1 1' \
		's 4 10 10 0 1 1 1' 'proc 5 10 1 exec other' \
		's 6 10 11 0 1 1 1' 'name 7 10 11 again' \
		's 8 10 11 0 1 1 1' >a.pkc
	folds_to a.pkc 'again;outer 1' 'other;outer 1' 'prog;outer 2' \
		'worker;outer 1'
}

@test "the order of the lines decides, not the times" {
	capture 'proc 900 10 1 exec late' 's 5 10 10 0 1 1 1' >a.pkc
	folds_to a.pkc 'late;outer 1'
}

@test "late samples after an exit still have their name" {
	capture 'proc 5 10 1 exit prog' 's 6 10 10 0 1 1 1' >a.pkc
	folds_to a.pkc 'prog;outer 1'
}

@test "a thread named with line feeds and 'end' is one frame" {
	capture 'name 2 10 10 a\x0aend\x0ab' 's 3 10 10 0 1 1 1' >a.pkc
	folds_to a.pkc 'a\x0aend\x0ab;outer 1'
}

@test "names with semicolons, backslashes and blanks survive" {
	capture 'name 2 10 10  x;y\x5c z ' 's 3 10 10 0 1 1 1' >a.pkc
	folds_to a.pkc ' x:y\ z ;outer 1'
}

@test "captures in a row start their ids anew and merge" {
	capture 's 1 10 10 0 1 1 2' >a.pkc
	printf '%s\n' 'pk-capture 1' 'event 7 ns 1 cpu-clock' \
		'proc 0 99 1 start prog' 'mod 3 - a [jit 10]' \
		'sym 0 3 200 50 other' 'f 5 0 3 210' 's 1 99 99 0 7 1 5' \
		end >b.pkc
	cat a.pkc b.pkc a.pkc >all.pkc
	folds_to all.pkc 'prog;other 1' 'prog;outer;inner 2'
	pk-fold a.pkc b.pkc a.pkc | diff out -
}

@test "modules with one build id are one module, whatever the capture" {
	printf '%s\n' 'pk-capture 1' 'event 1 ns 1 c' 'proc 0 1 0 start p' \
		'mod 1 abcd k [kernel]' 'f 1 0 1 10' 's 1 1 1 0 1 1 1' \
		end >a.pkc
	printf '%s\n' 'pk-capture 1' 'mod 1 abcd k [kernel]' \
		'sym 0 1 0 100 start_kernel' end >b.pkc
	folds_to <(cat a.pkc b.pkc) 'p;start_kernel 1'
}

@test "ids may have gaps" {
	capture 'f 700 2 1 115' 'f 4000000000 700 1 205' \
		's 1 10 10 0 1 1 4000000000' >a.pkc
	folds_to a.pkc 'prog;outer;inner;outer;inner 1'
}

@test "of two symbols at one address the later line holds" {
	capture 'sym 9 1 100 50 newer' 's 1 10 10 0 1 1 1' >a.pkc
	folds_to a.pkc 'prog;newer 1'
}

@test "where symbols overlap the later line holds, whatever their starts" {
	capture 'sym 1 1 300 16 old' 'sym 2 1 2f0 100 newer' 'f 3 0 1 308' \
		's 1 10 10 0 1 1 3' >a.pkc
	folds_to a.pkc 'prog;newer 1'
	capture 'sym 1 1 300 100 around' 'sym 2 1 320 10 within' 'f 3 0 1 325' \
		'f 4 0 1 340' 'f 5 0 1 301' 's 1 10 10 0 1 1 3' \
		's 1 10 10 0 1 1 4' 's 1 10 10 0 1 1 5' >a.pkc
	folds_to a.pkc 'prog;around 2' 'prog;within 1'
}

@test "run-time code of two images of a process is told apart" {
	capture 'mod 2 - a [jit 10]' 'sym 3 2 200 50 second' 'f 3 0 2 210' \
		's 1 10 10 0 1 1 3' 's 1 10 10 0 1 1 2' >a.pkc
	folds_to a.pkc 'prog;outer;inner 1' 'prog;second 1'
}

@test "an address behind a symbol's end has no name" {
	capture 'f 3 0 1 132' 's 1 10 10 0 1 1 3' >a.pkc
	folds_to a.pkc 'prog;[jit] 1'
}

@test "records of unknown types are skipped and counted" {
	capture 'frobnicate 1 2 3' 's 1 10 10 0 1 1 1' 'xyzzy' >a.pkc
	run --separate-stderr -0 pk-fold a.pkc
	[ "$output" = 'prog;outer 1' ]
	[[ $stderr == *'2 records of a type this version does not know skipped' ]]
}

@test "a line that is no record is an error with its number" {
	is_refused 'no record' 'Frobnicate 1'
	is_refused 'no record' ''
	is_refused 'no record' "$(printf '\x01\x02')"
	is_refused 'no record' averyveryverylongtype
}

@test "fields that are missing, too many or not of their form are errors" {
	is_refused "'s TIME" 's 1 10 10 0 1 1'
	is_refused 'more fields' 's 1 10 10 0 1 1 1 1'
	is_refused "'s TIME" 's 1  10 10 0 1 1 1'
	is_refused "'s TIME" 's -1 10 10 0 1 1 1'
	is_refused "'s TIME" 's 1 10 10 0 1 1 0x1'
	is_refused "'s TIME" 's 1 10 4294967296 0 1 1 1'
	is_refused "'s TIME" 's 99999999999999999999 10 10 0 1 1 1'
	is_refused "'f ID" 'f 3 1 1 xyz'
	is_refused "'f ID" 'f 3 1 1 12345678901234567'
	is_refused "'mod ID" 'mod 2 -'
	is_refused 'one of v, o, k, a' 'mod 2 - q /bin/x'
	is_refused "'sym TIME" 'sym 0 1 10'
	is_refused "'proc TIME" 'proc 0 10 1'
	is_refused "'name TIME" 'name 0 10'
	is_refused "'event ID" 'event 2 ns'
	is_refused "'lack WHAT" 'lack lost'
	is_refused 'KEY VALUE' '@ key'
	is_refused "'proc TIME" 'proc 0 10 1 exit'
	is_refused 'HOW is' 'proc 0 10 1 banana x'
	is_refused 'UNIT is' 'event 2 parsecs 1 x'
	is_refused 'BUILDID is' 'mod 2 xyz! v /bin/x'
	is_refused 'BUILDID is' 'mod 2 :12 v /bin/x'
	is_refused 'PATH is empty' 'mod 2 - v '
}

@test "ids that do not ascend, or were not defined, are errors" {
	is_refused 'ascend' 'f 2 1 1 10'
	is_refused 'ascend' 'f 0 1 1 10'
	is_refused 'ascend' 'mod 1 - a x'
	is_refused 'ascend' 'event 1 ns 1 x'
	is_refused 'PARENT' 'f 3 4 1 10'
	is_refused 'PARENT' 'f 3 3 1 10'
	is_refused 'MODULE' 'f 3 1 2 10'
	is_refused 'MODULE' 'sym 0 2 10 1 x'
	is_refused 'EVENT' 's 1 10 10 0 2 1 1'
	is_refused 'STACK' 's 1 10 10 0 1 1 3'
}

@test "a capture that begins otherwise, or is newer, is an error" {
	capture >good.pkc
	(cat good.pkc; echo 'f 1 0 1 10') >behind.pkc
	run --separate-stderr -2 pk-fold behind.pkc
	[[ $stderr == *'behind.pkc:11: outside a capture'* ]]
	sed '1s/1/2/' good.pkc >newer.pkc
	run --separate-stderr -2 pk-fold newer.pkc
	[[ $stderr == *'newer.pkc:1: '*'newer than this program'* ]]
}

@test "a capture without its end is said and used" {
	capture 's 1 10 10 0 1 1 1' | sed '$d' >cut.pkc
	run --separate-stderr -2 pk-fold cut.pkc
	[ "$output" = 'prog;outer 1' ]
	[[ $stderr == *'cut.pkc: the capture is cut short'* ]]
	cat cut.pkc cut.pkc >twice.pkc
	run --separate-stderr -2 pk-fold twice.pkc
	[ "$output" = 'prog;outer 2' ]
}

@test "a record that is cut off in the middle is not taken for a whole one" {
	capture 's 1 10 10 0 1 1 1' 's 1 10 10 0 1 1 2' >a.pkc
	# Without its last digit the line would be no sample; without its
	# newline it could be one with another number.
	head -c -5 a.pkc >cut.pkc
	run --separate-stderr -2 pk-fold cut.pkc
	[ "$output" = 'prog;outer 1' ]
	[[ $stderr == *'cut.pkc: the capture is cut short'* ]]
	printf '%s' "$(cat a.pkc)" >unended.pkc
	folds_to unended.pkc 'prog;outer 1' 'prog;outer;inner 1'
}

@test "a gzip file that is cut off is used up to the last whole line" {
	for i in $(seq 3000); do echo "s $((i * 7919 % 100003)) 10 10 0 1 1 1"; done >many
	capture "$(cat many)" | gzip >a.gz
	for n in 900 2000 3001 4500; do
		head -c $n a.gz >cut.gz
		run --separate-stderr -2 pk-fold cut.gz
		[[ $output == 'prog;outer '* ]]
		[ ${#stderr_lines[@]} -eq 1 ]
	done
	seq -f 'main;f%.0f 123456' 3000 >all.folded
	gzip <all.folded >b.gz
	head -c 3000 b.gz >cut.gz
	run --separate-stderr -2 pk-fold cut.gz
	[ -n "$output" ]
	[ -z "$(awk '$2 != 123456' <<<"$output")" ]
}

@test "many captures that are cut short are said once" {
	for _ in 1 2 3; do capture | sed '$d'; done >cut.pkc
	run --separate-stderr -2 pk-fold cut.pkc
	[[ ${stderr_lines[0]} == *'3 captures are cut short'* ]]
}

@test "messages do not control the terminal" {
	printf 'pk-capture 1\nmod 1 - v /tmp/\xc2\x9b31m\xe2\x80\xae\xff\xc3\xa9\nevent 1 ns 1 c\nproc 0 1 0 start p\nf 1 0 1 10\ns 0 1 1 0 1 1 1\nend\n' >a.pkc
	run --separate-stderr -0 pk-fold a.pkc
	[[ $stderr == *'/tmp/\xc2\x9b31m\xe2\x80\xae\xff'$'\xc3\xa9'':'* ]]
}

@test "what is missing is said with its cost" {
	capture 's 1 10 10 0 1 1 1' 'lack lost 12' 'lack lost 3' \
		'lack unsampled-ns 2500000000' 'lack novelty 9' >a.pkc
	run --separate-stderr -0 pk-fold a.pkc
	[[ $stderr == *'15 records, most of them samples, were lost while recording'* ]]
	[[ $stderr == *'2.50 s of processor time'* ]]
	[[ $stderr == *'novelty 9'* ]]
}

@test "cut stacks are counted, by module, with a cure" {
	capture 'mod 2 - a [truncated]' 'mod 3 ab v /gone/libx.so' \
		'f 3 0 2 0' 'f 4 3 3 10' 's 1 10 10 0 1 1 4' \
		's 1 10 10 0 1 1 1' >a.pkc
	run --separate-stderr -0 pk-fold a.pkc
	[ "${lines[0]}" = 'prog;[truncated];[libx.so] 1' ]
	[[ ${stderr_lines[0]} == *'1 of 2 samples (50.0 %) have stacks cut'* ]]
	[[ ${stderr_lines[1]} == *'/gone/libx.so: '*'--stack-size'* ]]
	[[ ${stderr_lines[3]} == *'/gone/libx.so: '*'--sysroot'* ]]
}

@test "captures are read through gzip, in several members" {
	capture 's 1 10 10 0 1 1 1' >a.pkc
	(gzip <a.pkc; gzip <a.pkc) >two.pkc.gz
	folds_to two.pkc.gz 'prog;outer 2'
	pk-fold <two.pkc.gz | diff out -
	head -c -20 two.pkc.gz >cut.pkc.gz
	run --separate-stderr -2 pk-fold cut.pkc.gz
	[[ $stderr == *'cut.pkc.gz: the gzip data is cut off'* ]]
}
