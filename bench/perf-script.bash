# SPDX-License-Identifier: MIT
# pk-fold on 256 MB of perf script's text: samples that pass through 2,000
# stacks, their innermost frames at any of 16 instructions. From a file beside
# wc -l, from a pipe beside a loop that only reads, and in memory. Then what
# repeats less: 500,000 samples of 100,000 stacks, and 100,000 samples that
# are all different. FlameGraph's and inferno's collapsers are the peers.

gen=$PK_BUILDDIR/bench/gen-perf-script
"$PK_BUILDDIR/bench/gen-stacks" 2000 >"$work/few.folded"
"$gen" 100000000 $((256 << 20)) <"$work/few.folded" >"$work/few.txt"

# from_pipe COMMAND: the text through a pipe.
from_pipe() {
	bash -c 'cat "$1" | "$2" >/dev/null' bash "$work/few.txt" "$1"
}
export -f from_pipe
export work

for ((round = 0; round < rounds; round++)); do
	measure fold pk-fold "$work/few.txt"
	measure floor wc -l "$work/few.txt"
	measure pipe bash -c 'from_pipe pk-fold'
	measure pipe_floor bash -c 'from_pipe "$1"' bash \
		"$PK_BUILDDIR/bench/read-pipe"
done
size=$(size_of "$work/few.txt")
say "perf-script: $size bytes, $(median fold cpu) s of processor time"
row perf-script-file "$(median fold wall)" "$(median floor wall)" ratio 4
row perf-script-pipe "$(median pipe wall)" "$(median pipe_floor wall)" \
	ratio 1.667
row perf-script-memory "$(median fold kib)" - ours 32768

# peer ID COMMAND FILE: a row without peer where COMMAND is not there.
peer() {
	local id=$1 name=$2
	if have "$name"; then
		measure "$name" "$name" "$3"
		row "$id" "$(median fold wall)" "$(median "$name" wall)" ratio 0.2
	else
		row "$id" "$(median fold wall)" - ratio 0.2
	fi
}
peer perf-script-inferno inferno-collapse-perf "$work/few.txt"
peer perf-script-flamegraph stackcollapse-perf.pl "$work/few.txt"
rm "$work/few.txt"

"$PK_BUILDDIR/bench/gen-stacks" 100000 >"$work/many.folded"
"$gen" 500000 <"$work/many.folded" >"$work/many.txt"
"$gen" 0 <"$work/many.folded" >"$work/all.txt"
for ((round = 0; round < rounds; round++)); do
	for kind in many all; do
		measure $kind pk-fold "$work/$kind.txt"
		measure ${kind}_floor wc -l "$work/$kind.txt"
	done
done
row perf-script-many "$(median many wall)" "$(median many_floor wall)" ratio 20
row perf-script-distinct "$(median all wall)" "$(median all_floor wall)" \
	ratio 30
