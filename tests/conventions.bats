#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What every program of the suite promises. `make installcheck` runs this
# against the installed programs.

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
	printf 'main;work 3\nmain;idle 1\n' >some.folded
}

# each CHECK PROGRAM...: runs CHECK for every program. The name is printed
# first: bats shows it when CHECK fails.
each() {
	local check=$1 program
	shift
	for program; do
		echo "--- $program"
		$check "$program"
	done
}

# The long options that head an item: in --help, and in the rendered manual.
options_in() {
	sed -nE 's/^ {1,7}(-.*)/\1/p' | sed -E 's/ {2,}.*//' |
		grep -oE -- '--[a-z][a-z0-9-]*' | sort -u
}

# ---- --help, --version, usage

help_is_whole() {
	run --separate-stderr -0 "$1" --help
	[ -z "$stderr" ]
	[[ ${lines[0]} == "Usage: $1 "* ]]
	[ "$(wc -L <<<"$output")" -le 80 ]
}

@test "--help is on standard output, in 80 columns, with status 0" {
	each help_is_whole $PK_PROGRAMS
}

version_is_one_line() {
	run --separate-stderr -0 "$1" --version
	[ -z "$stderr" ]
	[ ${#lines[@]} -eq 1 ]
	[[ $output == "$1 "*"$PK_VERSION" ]]
}

@test "--version is the program's name and version" {
	each version_is_one_line $PK_PROGRAMS
}

bad_option_is_refused() {
	local option
	for option in --no-such-option -@ --output; do
		run --separate-stderr -"$(trouble_status "$1")" "$1" $option
		[ -z "$output" ]
		[ ${#stderr_lines[@]} -eq 2 ]
		[[ ${stderr_lines[0]} == "$1: "*"${option##*-}"* ]]
		[ "${stderr_lines[1]}" = "Try '$1 --help'." ]
	done
}

@test "a bad option is named in one line, with a hint" {
	each bad_option_is_refused $PK_PROGRAMS
}

@test "a letter means the same option in every program" {
	for program in $PK_PROGRAMS; do
		"$program" --help
	done | sed -nE 's/^ +(-[A-Za-z0-9]), (--[a-z0-9-]+).*/\1 \2/p' |
		sort -u >letters
	[ -s letters ]
	run -0 cut -d' ' -f1 letters
	[ "$output" = "$(uniq <<<"$output")" ]
}

man_page_has_the_options() {
	"$1" --help | options_in >in-help
	grep -qx -- --help in-help
	grep -qx -- --version in-help
	mandoc -Tascii "$(man_page "$1")" | sed 's/.\x08//g' |
		options_in >in-man
	diff in-help in-man
}

man_page() {
	local page
	page=$(echo "$PK_MANDIR/$1.1" "$PK_MANDIR/man1/$1.1")
	ls $page 2>/dev/null
}

@test "--help and the manual list the same long options" {
	need mandoc
	each man_page_has_the_options $PK_PROGRAMS
}

completion_has_the_options() {
	"$1" --help | options_in >in-help
	COMP_WORDS=("$1" --) COMP_CWORD=1 COMPREPLY=()
	_profkit "$1" -- "$1"
	printf '%s\n' "${COMPREPLY[@]%=}" | sort -u >in-completion
	diff in-help in-completion
	complete -p "$1"
}

@test "--help and the bash completion list the same long options" {
	source "${PK_COMPLETIONDIR:-$PK_SRCDIR/share/completions}/profkit"
	each completion_has_the_options $PK_PROGRAMS
}

# completed WORD...: what the completion offers for the last WORD.
completed() {
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_profkit "$1" "${@: -1}" "${@: -2:1}"
	printf '%s\n' "${COMPREPLY[@]}"
}

@test "the completion knows what an option takes" {
	source "${PK_COMPLETIONDIR:-$PK_SRCDIR/share/completions}/profkit"
	[ "$(completed pk-fold --names f)" = full ]
	[ "$(completed pk-fold --names = f)" = full ]
	[ "$(completed pk-sample --unwind '')" = $'cfi\nfp\nnone' ]
	[ "$(completed pk-flamesvg -o some.f)" = some.folded ]
	[ "$(completed pk-fold some.f)" = some.folded ]
	[[ $(completed pk-sample bas) == *bash* ]]
}

@test "the completion is installed under every program's name" {
	if [ -n "${PK_COMPLETIONDIR:-}" ]; then
		for program in $PK_PROGRAMS; do
			grep -qw "$program" "$PK_COMPLETIONDIR/$program"
		done
	else
		for program in $PK_PROGRAMS; do
			grep -qw "$program" "$PK_SRCDIR/share/completions/profkit"
		done
	fi
}

# ---- output

full_disk_is_trouble() {
	run --separate-stderr -"$(trouble_status "$1")" \
		bash -c "$1 --help >/dev/full"
	[ ${#stderr_lines[@]} -eq 1 ]
	[[ $stderr == "$1: "*"No space left on device"* ]]
	is_recorder "$1" && return
	run --separate-stderr -2 bash -c "$1 some.folded >/dev/full"
	[ ${#stderr_lines[@]} -eq 1 ]
	[[ $stderr == "$1: "*"No space left on device"* ]]
}

@test "a full disk is trouble and said" {
	each full_disk_is_trouble $PK_PROGRAMS
}

@test "a recorder whose disk is full says so with status 125" {
	need_profiling
	run --separate-stderr -125 bash -c 'pk-sample true >/dev/full'
	[[ $stderr == *"No space left on device"* ]]
}

closed_output_is_trouble() {
	run --separate-stderr -"$(trouble_status "$1")" bash -c "$1 --help >&-"
	[ -n "$stderr" ]
}

@test "a closed standard output is trouble" {
	each closed_output_is_trouble $PK_PROGRAMS
}

reader_may_leave() {
	run --separate-stderr bash -c "$1 many.folded | head -n 1"
	[ "$status" -eq 0 ]
	[ ${#lines[@]} -eq 1 ]
	[ -z "$stderr" ]
}

@test "a reader that has seen enough causes no message" {
	awk 'BEGIN {
		for (i = 0; i < 40000; i++)
			print "main;function_" i % 200 ";leaf_" i, i % 9 + 1
	}' >many.folded
	each reader_may_leave $(filters)
}

missing_folder_of_output_is_named() {
	local input=some.folded
	! is_recorder "$1" || input=true
	run --separate-stderr -"$(trouble_status "$1")" \
		"$1" -o no/such/out $input
	[[ $stderr == "$1: "*no/such/out*"No such file or directory"* ]]
}

@test "an output in a missing folder is named" {
	each missing_folder_of_output_is_named $PK_PROGRAMS
}

output_is_whole_or_not_there() {
	rm -rf out && mkdir out
	run -2 "$1" -o out/new some.folded no/such/file
	[ -z "$(ls -A out)" ]
	echo old >out/old
	run -2 "$1" -o out/old some.folded no/such/file
	[ "$(cat out/*)" = old ]
}

@test "-o leaves nothing behind when the program fails" {
	each output_is_whole_or_not_there $(filters)
}

output_goes_with_a_signal() {
	local pid i
	rm -rf out input && mkdir out && mkfifo input
	exec 9<>input
	"$1" -o out/new input 2>/dev/null 3>&- 9>&- &
	pid=$!
	echo 'main;work 3' >&9
	# Some open their output at once, some when the input has ended.
	for ((i = 0; i < 20; i++)); do
		[ -z "$(ls -A out)" ] || break
		sleep 0.05
	done
	kill -TERM $pid
	wait $pid || true
	exec 9>&-
	[ -z "$(ls -A out)" ]
}

@test "-o leaves nothing behind when a signal ends the program" {
	each output_goes_with_a_signal $(filters)
}

output_replaces_a_file() {
	echo old >new
	run --separate-stderr -0 "$1" -o new some.folded
	[ -z "$output$stderr" ]
	"$1" some.folded >direct
	cmp new direct
}

@test "-o replaces a file with what standard output would get" {
	each output_replaces_a_file $(filters)
}

# ---- input

dash_is_standard_input() {
	"$1" some.folded >named
	"$1" <some.folded >unnamed
	"$1" - <some.folded >dash
	cmp named unnamed
	cmp named dash
}

@test "no operand and - are standard input" {
	each dash_is_standard_input $(filters)
}

missing_file_is_named() {
	run --separate-stderr -2 "$1" no/such/file
	[ -z "$output" ]
	[ ${#stderr_lines[@]} -eq 1 ]
	[[ $stderr == "$1: "*no/such/file*"No such file or directory"* ]]
}

@test "a missing file is named" {
	each missing_file_is_named $(filters)
}

name_is_shown_escaped() {
	run --separate-stderr -2 "$1" $'no\nsuch\e[31mfile'
	[ ${#stderr_lines[@]} -eq 1 ]
	[[ $stderr == *'no\x0asuch\x1b[31mfile'* ]]
}

@test "control bytes in a file's name are shown as escapes" {
	each name_is_shown_escaped $(filters)
}

folder_is_refused() {
	run --separate-stderr -2 "$1" .
	[ -z "$output" ]
	[ ${#stderr_lines[@]} -eq 1 ]
	[[ $stderr == "$1: "*"s a directory"* ]]
}

@test "a folder as input is refused" {
	each folder_is_refused $(filters)
}

empty_input_is_one_message() {
	: >empty
	run --separate-stderr -2 "$1" empty
	[ -z "$output" ]
	[ ${#stderr_lines[@]} -eq 1 ]
	[[ $stderr == "$1: "* ]]
	run --separate-stderr -2 "$1" </dev/null
	[ ${#stderr_lines[@]} -eq 1 ]
}

@test "an empty input is one message" {
	each empty_input_is_one_message $(filters)
}

garbage_is_survived() {
	local input
	for input in "$BASH" zeros newlines; do
		run --separate-stderr "$1" "$input"
		[ "$status" -eq 2 ] || {
			[ "$status" -eq 0 ]
			grep -q '[0-9]' <<<"$stderr"
		}
		[ ${#stderr_lines[@]} -ge 1 ]
		[ ${#stderr_lines[@]} -le 3 ]
		[ -z "$(grep "[[:cntrl:]]" <<<"$stderr")" ]
	done
}

@test "binary input is refused, or counted in a warning" {
	head -c 100000 /dev/zero >zeros
	tr '\0' '\n' <zeros >newlines
	each garbage_is_survived $(filters)
}

gzip_is_read() {
	"$1" some.folded >plain
	"$1" some.folded.gz >unpacked
	cmp plain unpacked
	"$1" <some.folded.gz >unpacked
	cmp plain unpacked
	run --separate-stderr -2 "$1" cut.gz
	[[ $stderr == *cut.gz* ]]
}

@test "gzip is read by content, and one that is cut off is said" {
	gzip -k some.folded
	head -c -6 some.folded.gz >cut.gz
	each gzip_is_read $(filters)
}

terminal_is_not_waited_for() {
	run -2 timeout 10 bash -c "$(declare -f on_terminal); on_terminal '$1 -o out'"
	[ ${#lines[@]} -eq 1 ]
	[[ $output == "$1: "*"standard input"* ]]
}

@test "a program that would wait on a terminal says what it wants" {
	each terminal_is_not_waited_for $(filters)
}

# ---- recorders

@test "a recorder returns the status of the command" {
	need_profiling
	run -7 pk-sample -o out.pkc sh -c 'exit 7'
	run -143 pk-sample -o out.pkc sh -c 'kill -TERM $$'
	run -127 pk-sample -o out.pkc no/such/program
	run -126 pk-sample -o out.pkc "$BATS_TEST_TMPDIR"
	[[ $output == *"$BATS_TEST_TMPDIR"* ]]
}

@test "a recorder whose reader leaves returns the status of the command" {
	need_profiling
	run bash -c 'pk-sample sh -c "sleep 0.2; exit 7" | :
		exit ${PIPESTATUS[0]}'
	[ "$status" -eq 7 ]
}

# ---- the rules themselves

@test "every package a test asks for is installed by ./bootstrap check" {
	[ -z "${PK_INSTALLED:-}" ] || return 0
	sed -nE 's/^[[:space:]]*need ([^ ]+) ?([^ #]*).*/\1 \2/p' \
		"$PK_SRCDIR"/tests/*.bats |
		awk '{ print $2 ? $2 : $1 }' | sort -u >asked
	[ -s asked ]
	sed -n '/_packages=(/,/)/p' "$PK_SRCDIR/bootstrap" |
		tr -s '()=[:space:]' '\n' | sort -u >installed
	run -0 comm -23 asked installed
	[ -z "$output" ]
}
