# SPDX-License-Identifier: MIT
# What the benchmarks share. A benchmark is a bash script that bench/run
# sources with $work (an empty folder) set; it calls `row` for its results.
# Whoever is compared is measured in the same rounds, so that both meet the
# same noise; figures are medians.

rounds=${BENCH_ROUNDS:-5}

# say TEXT: a remark for the reader, beside the table.
say() {
	printf '# %s\n' "$*" >&2
}

# measure NAME COMMAND...: adds a line (wall, processor time, KiB) to the
# measurements called NAME. The command's output is thrown away.
measure() {
	local name=$1
	shift
	"$PK_BUILDDIR/bench/measure" "$work/$name.measured" "$@" \
		>/dev/null 2>"$work/$name.stderr" || {
		local status=$?
		cat "$work/$name.stderr" >&2
		say "status $status: $*"
		return 2
	}
}

# median NAME FIELD: of the measurements called NAME; FIELD is wall, cpu, kib.
median() {
	local column
	case $2 in
	wall) column=1 ;;
	cpu) column=2 ;;
	kib) column=3 ;;
	esac
	awk -v column=$column '{ print $column }' "$work/$1.measured" | middle
}

# middle: the median of the numbers on standard input, one a line.
middle() {
	sort -g | awk '{ v[NR] = $1 }
		END {
			if (!NR)
				exit 1
			print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2
		}'
}

# excess NAME BASE FIELD: the median of what NAME took beyond BASE, round by
# round.
excess() {
	local column=1
	[ "$3" = wall ] || column=2
	paste -d ' ' "$work/$1.measured" "$work/$2.measured" |
		awk -v c=$column '{ print $c - $(c + 3) }' | middle
}

# row ID OURS PEER WHAT LIMIT: prints a line of the table. WHAT is what is
# held to at most LIMIT: `ratio` (of OURS to PEER) or `ours`. PEER is - where
# the peer is not to be had.
row() {
	awk -v OFS='\t' -v id="$1" -v ours="$2" -v peer="$3" -v what="$4" \
		-v limit="$5" 'BEGIN {
		ratio = "-"
		if (peer != "-") {
			ratio = peer > 0 ? sprintf("%.4g", ours / peer) : "?"
			peer = sprintf("%.6g", peer)
		}
		held = what == "ours" ? ours : ratio
		verdict = held + 0 <= limit + 0 ? "PASS" : "FAIL"
		if (ours == "" || held == "?")
			verdict = "FAIL"
		if (held == "-")
			verdict = "NOPEER"
		ours = sprintf("%.6g", ours)
		print id, ours, peer, ratio, what " <= " limit, verdict
	}'
}

have() {
	command -v "$1" >/dev/null
}

size_of() {
	stat -c %s "$1"
}
