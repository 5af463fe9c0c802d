#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The fuzz targets' corpora, replayed without libFuzzer.

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
}

@test "every parser survives its corpus" {
	local target name
	for target in "$PK_SRCDIR"/fuzz/fuzz_*.c; do
		name=${target##*/fuzz_}
		name=${name%.c}
		echo "--- $name"
		[ -n "$(ls "$PK_SRCDIR/fuzz/corpus/$name")" ]
		run -0 timeout 120 "$PK_BUILDDIR/fuzz/replay_$name" \
			"$PK_SRCDIR/fuzz/corpus/$name"
		[ "${lines[-1]}" = "$(find "$PK_SRCDIR/fuzz/corpus/$name" \
			-type f | wc -l) inputs" ]
	done
}

@test "every fuzz target is in make fuzz-report" {
	local target
	for target in "$PK_SRCDIR"/fuzz/fuzz_*.c; do
		target=${target##*/fuzz_}
		grep -qE "^FUZZ_TARGETS =.*\<${target%.c}\>" \
			"$PK_SRCDIR/Makefile.am"
	done
}
