#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# ./bootstrap and .ci/run, as far as they can be tried without installing.

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
}

# A log as automake's TAP driver leaves it.
log_of() {
	mkdir -p results
	printf '%s\n' "${@:2}" >"results/$1.log"
}

@test "bootstrap alone says how to use it" {
	run --separate-stderr -0 "$PK_SRCDIR/bootstrap"
	[[ $output == "Usage: ./bootstrap demo | check"* ]]
	[ -z "$stderr" ]
	run --separate-stderr -2 "$PK_SRCDIR/bootstrap" no-such-thing
	[ -z "$output" ]
	[[ $stderr == "Usage: "* ]]
}

@test "bootstrap without apt-get prints what to install and stops" {
	mkdir bin
	for tool in bash cat dirname env sed; do
		ln -s "$(command -v $tool)" bin/
	done
	for what in demo check; do
		run --separate-stderr -2 env PATH="$PWD/bin" \
			"$PK_SRCDIR/bootstrap" $what
		[ -z "$output" ]
		[[ $stderr == *libdw-dev* ]]
		[[ $stderr == *automake* ]]
	done
	[[ $stderr == *bats* ]]
}

@test "continuous integration counts passes and failures" {
	log_of a 'ok 1 x' 'PASS: tests/a.bats 1 x' 'ok 2 y' \
		'PASS: tests/a.bats 2 y'
	run -0 "$PK_SRCDIR/.ci/run" "$PWD/results"
	[ "${lines[-1]}" = "2 passed, 0 failed, 0 skipped" ]
	log_of b 'not ok 1 x' 'FAIL: tests/b.bats 1 x' \
		'ERROR: tests/b.bats - too few tests run'
	run -1 "$PK_SRCDIR/.ci/run" "$PWD/results"
	[ "${lines[-1]}" = "2 passed, 2 failed, 0 skipped" ]
}

@test "continuous integration counts a skip that is not listed as failed" {
	log_of a 'ok 1 x' 'PASS: tests/a.bats 1 x' \
		'SKIP: tests/a.bats 2 never listed # SKIP no tool'
	run -1 "$PK_SRCDIR/.ci/run" "$PWD/results"
	[[ $output == *"a.bats 2 never listed # SKIP no tool"* ]]
	[ "${lines[-1]}" = "1 passed, 1 failed, 0 skipped" ]
}

@test "continuous integration fails when no test ran" {
	mkdir results
	run -1 "$PK_SRCDIR/.ci/run" "$PWD/results"
	[ "${lines[-1]}" = "0 passed, 1 failed, 0 skipped" ]
}
