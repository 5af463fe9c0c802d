# SPDX-License-Identifier: MIT
# What the .bats files share. They load it from setup():
#
#	setup() { load helper; }
#
# `make check` says what to test (PK_SRCDIR, PK_BUILDDIR, CC…); without it
# (bats tests/x.bats) it is the build in build/. Under PK_INSTALLED, set by
# `make installcheck`, PATH and PK_MANDIR lead to what was installed.

bats_require_minimum_version 1.5.0

: "${PK_SRCDIR:=$(cd "$BATS_TEST_DIRNAME/.." && pwd)}"
: "${PK_MANDIR:=$PK_SRCDIR/man}"
: "${PK_BUILDDIR:=$PK_SRCDIR/build}"
[ -n "${PK_INSTALLED:-}" ] || PATH=$PK_BUILDDIR/tools:$PATH
: "${PK_VERSION:=$(sed -n 's/^AC_INIT(\[profkit\], \[\([^]]*\).*/\1/p' \
	"$PK_SRCDIR/configure.ac")}"
: "${PK_PROGRAMS:=$(cd "$PK_SRCDIR/tools" && ls pk-*.c | sed 's/\.c$//')}"
: "${PK_RECORDERS:=pk-sample}"
: "${CC:=cc}" "${CXX:=c++}"
export PATH LC_ALL=C
unset DEBUGINFOD_URLS

# data FILE: the path of a file in tests/data.
data() {
	printf '%s/tests/data/%s' "$PK_SRCDIR" "$1"
}

# need COMMAND [PACKAGE]: skip the test, naming what to install. On Debian
# `./bootstrap check` installs all of it and no skip is allowed.
need() {
	command -v "$1" >/dev/null || skip "$1 is missing: install ${2:-$1}"
}

# golden FILE ACTUAL: ACTUAL (a file) is byte for byte tests/data/FILE.
# UPDATE=1 writes tests/data/FILE instead; read the difference before keeping.
golden() {
	if [ "${UPDATE:-}" = 1 ]; then
		mkdir -p "$(dirname "$(data "$1")")"
		cp "$2" "$(data "$1")"
	fi
	diff -u "$(data "$1")" "$2"
}

# build_program NAME [FLAG...]: compiles tests/programs/NAME.c or .cc and
# prints the program's path; the same NAME and FLAGs compile once per file.
# Without FLAGs it is what profiling meets most: -O2 -g.
build_program() {
	local name=$1 source compiler out
	shift
	[ $# -gt 0 ] || set -- -O2 -g
	source=$PK_SRCDIR/tests/programs/$name.c
	compiler=$CC
	if [ -e "${source}c" ]; then
		source=${source}c
		compiler=$CXX
	fi
	out=$BATS_FILE_TMPDIR/programs/$(printf '%s ' "$@" | cksum |
		cut -d' ' -f1)/$name
	if [ ! -e "$out" ]; then
		mkdir -p "${out%/*}"
		# shellcheck disable=SC2086 # CC may hold flags
		$compiler -o "$out.new" "$source" "$@" -pthread -ldl >&2 &&
			mv "$out.new" "$out" || return
	fi
	printf '%s\n' "$out"
}

# trouble_status PROGRAM: what it exits with when it cannot do its job.
trouble_status() {
	case " $PK_RECORDERS " in
	*" $1 "*) echo 125 ;;
	*) echo 2 ;;
	esac
}

is_recorder() {
	[ "$(trouble_status "$1")" = 125 ]
}

# filters: the programs that read their input and record nothing.
filters() {
	local program
	for program in $PK_PROGRAMS; do
		is_recorder "$program" || echo "$program"
	done
}

# need_profiling: skip where the kernel refuses perf_event_open.
need_profiling() {
	local status=0
	pk-sample -o /dev/null true 2>"$BATS_TEST_TMPDIR/refused" || status=$?
	[ $status -ne 125 ] || ! grep -q perf_event "$BATS_TEST_TMPDIR/refused" ||
		skip "the kernel refuses perf_event_open"
}

# on_terminal COMMAND: runs the shell COMMAND with a terminal for all three
# standard streams; prints what appeared there and returns COMMAND's status.
on_terminal() {
	script -qec "$1" /dev/null </dev/null | tr -d '\r'
	return "${PIPESTATUS[0]}"
}

# samples_with PATTERN: how many samples of the folded stacks on standard
# input match; samples_of TEXT: that begin with TEXT, which is no pattern.
samples_with() {
	awk -v pattern="$1" '$0 ~ pattern { n += $NF } END { printf "%.0f\n", n }'
}

samples_of() {
	TEXT=$1 awk 'index($0, ENVIRON["TEXT"]) == 1 { n += $NF }
		END { printf "%.0f\n", n }'
}

# In the background, without bats's descriptor: bats waits for who holds it.
background() {
	"$@" 3>&- &
}

# whole_share CAPTURE: the percentage of all samples whose stack is not cut,
# and their number.
whole_share() {
	awk '$1 == "mod" { path[$2] = $5 }
		$1 == "f" { root[$2] = $3 ? root[$3] : path[$4] }
		$1 == "s" { n++; if (root[$8] !~ /truncated|no-cfi|unknown/) whole++ }
		END { if (!n) exit 1; printf "%.2f of %d\n", 100 * whole / n, n }' \
		"$1"
}
