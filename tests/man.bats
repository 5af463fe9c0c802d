#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The manual: it is well-formed, and what its EXAMPLES and README.md show is
# run. An example is a command after the prompt `$ `, in a .Dl line or a
# literal display (in README.md, a line of a ```sh block); a line that ends
# with a backslash goes on in the next. What cannot be run here is marked in
# the source, in the line before it:
#
#	.\" not run: needs a running server
#
# Examples run one after the other in one folder, which has the program
# ./server, captures cpu.pkc and other.pkc of it, and what they fold to:
# cpu.folded and other.folded.

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
}

pages() {
	ls "$PK_MANDIR"/*.[157] "$PK_MANDIR"/man[157]/{pk-*,profkit.7} \
		2>/dev/null
}

# Takes out what the source says not to run.
without_marked() {
	awk 'skip { skip = /\\e?$/; next }
		/^\.\\" not run/ { skip = 1; next }
		{ print }' "$1"
}

# The commands of a page's EXAMPLES, one a line.
examples_of() {
	without_marked "$1" | mandoc -Tascii -Owidth=400 | sed 's/.\x08//g' |
		sed -n '/^EXAMPLES/,/^[A-DF-Z]/p' | join_lines |
		sed -n 's/^ *\$ //p'
}

examples_of_readme() {
	sed -n '/^```sh$/,/^```$/p' "$1" | join_lines |
		sed -n 's/^ *\$ \(pk-.*\)/\1/p'
}

join_lines() {
	sed -e ':again' -e '/\\$/{N;s/\\\n *//;b again' -e '}'
}

# What the examples name.
lay_out_files() {
	cp "$(build_program twelve)" twelve
	printf '#!/bin/sh\nsleep 0.02\nexec ./twelve 0.3 >/dev/null\n' >server
	chmod +x server
	for name in cpu other; do
		pk-sample -o $name.pkc ./server
		pk-fold $name.pkc >$name.folded
	done
}

# run_examples FILE: runs its lines; status 1 is a finding, as with grep.
run_examples() {
	local command status
	lay_out_files
	while IFS= read -r command <&3; do
		echo "\$ $command"
		status=0
		timeout 60 bash -o pipefail -c "$command" </dev/null >out \
			2>err 3<&- || status=$?
		cat err
		[ "$status" -le 1 ]
	done 3<"$1"
}

@test "the manual is well-formed" {
	need mandoc
	local page
	pages | while IFS= read -r page; do
		mandoc -T lint -W warning "$page"
	done
	[ -n "$(pages)" ]
}

@test "every program has a page with EXAMPLES" {
	need mandoc
	local page
	for program in $PK_PROGRAMS; do
		page=$(pages | grep "/$program\.1$")
		echo "$page"
		[ -n "$(examples_of "$page")" ]
	done
}

@test "the examples in the manual work" {
	need mandoc
	need_profiling
	local page
	pages | while IFS= read -r page; do
		examples_of "$page"
	done >examples
	run_examples examples
}

@test "the examples in README.md work" {
	[ -z "${PK_INSTALLED:-}" ] || return 0
	need_profiling
	examples_of_readme "$PK_SRCDIR/README.md" >examples
	[ -s examples ]
	run_examples examples
}

@test "README.md and profkit(7) name every program" {
	local program
	for program in $PK_PROGRAMS; do
		grep -q "$program" "$PK_SRCDIR/README.md"
		grep -q "$program" $(pages | grep 'profkit\.7$')
	done
}
