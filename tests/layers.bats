#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The layers (HACKING.md): what may stand on what, read from the includes,
# the link lines in Makefile.am and the symbols of the built archives.

setup() {
	load helper
	cd "$PK_SRCDIR"
}

# Each layer, and those it may stand on.
declare -gA below=(
	[base]=""
	[unwind]=""
	[profile]="base"
	[svg]="profile base"
	[capture]="base"
	[symbol]="capture base"
	[fold]="symbol capture profile base"
	[process]="symbol capture unwind base"
	[record]="process symbol capture unwind base"
	[import/text]="profile base"
	[import/machine]="process symbol capture unwind base"
	[import]="import/machine import/text process symbol capture unwind profile base"
)

# folders: the layers that are there, by the names of their folders in lib.
folders() {
	(cd lib && find . -name '*.c' | sed 's@^\./@@; s@/[^/]*$@@' | sort -u)
}

# included_layers FILE...: LAYER of every #include "LAYER/…" there.
included_layers() {
	sed -nE 's@^[[:space:]]*#[[:space:]]*include "([^"]+)/.*@\1@p' "$@" |
		sort -u
}

# link_line PROGRAM: the layers in its LDADD, in order.
link_line() {
	sed -e ':again' -e '/\\$/{N;s/\\\n//;b again' -e '}' Makefile.am |
		sed -n "s/^tools_${1//-/_}_LDADD *=//p" |
		grep -oE '\$\([A-Z_]+\)' | grep -v '_LIBS)' | tr -d '$()' |
		tr 'A-Z_' 'a-z/'
}

# with_all_below LAYER...: these and everything they may stand on.
with_all_below() {
	local layer
	for layer; do
		printf '%s\n' "$layer" ${below[$layer]}
	done | sort -u
}

@test "every folder in lib is a layer with an archive" {
	local layer
	for layer in $(folders); do
		echo "$layer"
		[ -n "${below[$layer]+known}" ]
		grep -q "^lib_lib${layer/\//_}_a_SOURCES" Makefile.am
	done
}

@test "layers include only themselves and what is below" {
	local layer used
	for layer in $(folders); do
		for used in $(included_layers lib/"$layer"/*.[ch]); do
			echo "lib/$layer includes $used"
			[[ " $layer ${below[$layer]} " == *" $used "* ]]
		done
	done
}

@test "an include names its layer" {
	grep -nE "#[[:space:]]*include \"[^/\"]+\"" lib/*/*.[ch] lib/*/*/*.[ch] tools/*.c |
		grep -v "\"config\.h\"" >"$BATS_TEST_TMPDIR/bare" || true
	cat "$BATS_TEST_TMPDIR/bare"
	[ ! -s "$BATS_TEST_TMPDIR/bare" ]
}

@test "the unwinder includes headers without code only" {
	local used
	for used in $(sed -nE 's/^#[[:space:]]*include <(.*)>.*/\1/p' \
		lib/unwind/*.[ch]); do
		echo "$used"
		[[ $used =~ ^std(int|def|bool|arg|align)\.h$|^(limits|elf|string)\.h$ ]]
	done
}

@test "libelf, libdw and libiberty are used in lib/symbol only" {
	run -0 grep -lrE \
		'#[[:space:]]*include <(elfutils/|libelf|gelf|dwarf|libiberty/)' \
		lib tools
	[ -z "$(grep -v '^lib/symbol/' <<<"$output")" ]
}

@test "a program links the layers that it includes and those below" {
	local program layers
	for program in $PK_PROGRAMS; do
		echo "--- $program"
		layers=$(included_layers tools/"$program".c)
		[ -n "$layers" ]
		diff <(with_all_below $layers) <(link_line "$program" | sort -u)
	done
}

@test "a program's archives stand in the order of the layers" {
	local program layer seen
	for program in $PK_PROGRAMS; do
		seen=" "
		for layer in $(link_line "$program"); do
			for used in ${seen}; do
				echo "$program: $used before $layer"
				[[ " ${below[$layer]} " != *" $used "* ]]
			done
			seen+="$layer "
		done
	done
}

@test "programs that handle only text do not load libdw" {
	need readelf binutils
	local program
	for program in $PK_PROGRAMS; do
		[[ $(link_line "$program") != *symbol* ]] || continue
		echo "--- $program"
		run -0 readelf -d "$(command -v "$program")"
		[[ $output != *libdw* && $output != *libelf* ]]
	done
}

@test "no archive needs a symbol of one that is not below" {
	need nm binutils
	local layer other
	cd "$BATS_TEST_TMPDIR"
	for layer in "${!below[@]}"; do
		nm -g --defined-only "$PK_BUILDDIR/lib/lib${layer/\//-}.a" |
			awk 'NF == 3 { print $3 }' | sort -u >"${layer/\//-}.defined"
		nm -u "$PK_BUILDDIR/lib/lib${layer/\//-}.a" |
			awk 'NF == 2 { print $2 }' | sort -u >"${layer/\//-}.needed"
		[ -s "${layer/\//-}.defined" ]
	done
	for layer in "${!below[@]}"; do
		for other in "${!below[@]}"; do
			[[ " $layer ${below[$layer]} " != *" $other "* ]] ||
				continue
			echo "$layer needs of $other:"
			run -0 comm -12 "${layer/\//-}.needed" "${other/\//-}.defined"
			[ -z "$output" ]
		done
	done
}

@test "no two archives define the same symbol" {
	need nm binutils
	local layer
	cd "$BATS_TEST_TMPDIR"
	for layer in "${!below[@]}"; do
		nm -g --defined-only "$PK_BUILDDIR/lib/lib${layer/\//-}.a" |
			awk 'NF == 3 { print $3 }'
	done | sort | uniq -d >twice
	cat twice
	[ ! -s twice ]
}

@test "every test file is run by make check" {
	for file in "$PK_SRCDIR"/tests/*.bats; do
		grep -q "tests/${file##*/}" "$PK_SRCDIR/Makefile.am"
	done
}
