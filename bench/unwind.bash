# SPDX-License-Identifier: MIT
# Walking copied stacks of 22 frames with compiled rules: at least 10 million
# frames a second; the stack itself, as the heap recorder does, 8 ns a frame;
# and the rules of 40,000 addresses seen for the first time within 20 ms.

for ((round = 0; round < rounds; round++)); do
	"$PK_BUILDDIR/bench/bench_unwind" >>"$work/unwind"
done
unwind_median() {
	awk -v name="$1" '$1 == name { print $2 }' "$work/unwind" | middle
}
row unwind-copy-ns "$(unwind_median warm-ns)" - ours 100
row unwind-in-place-ns "$(unwind_median in-place-ns)" - ours 8
row unwind-first-40000-ms \
	"$(unwind_median rule-ns | awk '{ print $1 * 40000 / 1e6 }')" - ours 20
