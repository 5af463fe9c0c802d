# SPDX-License-Identifier: MIT
# Reading folded text from a file into memory, beside the time that 1 GB/s
# takes; and wc -l, for what reading alone costs.

stacks=$work/stacks.folded
"$PK_BUILDDIR/bench/gen-stacks" >"$stacks"
wc -l "$stacks" >/dev/null
for ((round = 0; round < rounds; round++)); do
	measure floor wc -l "$stacks"
	"$PK_BUILDDIR/bench/read-folded" "$stacks" >>"$work/ours"
done
bytes=$(size_of "$stacks")
say "wc -l reads $bytes bytes in $(median floor wall) s"
row read-folded "$(awk '{ print $2 }' "$work/ours" | middle)" \
	"$(awk -v n="$bytes" 'BEGIN { print n / 1e9 }')" ratio 1
