# SPDX-License-Identifier: MIT
# pk-flamesvg on 195 MB of shuffled stacks beside `wc -l`, which only reads.

# count_nodes FILE: nodes of the tree these stacks make, its root included.
# With every frame ended by a `;`, sorting puts common outer parts together.
count_nodes() {
	sed 's/ [^ ]*$/;/' "$1" | sort | awk -F ';' '{
		for (i = 1; i < NF && $i == last[i]; i++)
			;
		nodes += NF - i
		for (; i < NF; i++)
			last[i] = $i
		last[i] = ""
	}
	END { print nodes + 1 }'
}

stacks=$work/stacks.folded
"$PK_BUILDDIR/bench/gen-stacks" >"$stacks"
wc -l "$stacks" >/dev/null
for ((round = 0; round < rounds; round++)); do
	measure floor wc -l "$stacks"
	measure ours pk-flamesvg -o "$work/out.svg" "$stacks"
done
nodes=$(count_nodes "$stacks")
say "$(size_of "$stacks") bytes, $nodes nodes," \
	"picture of $(size_of "$work/out.svg") bytes"
row flamesvg-time "$(median ours wall)" "$(median floor wall)" ratio 8
row flamesvg-bytes-a-node \
	"$(awk -v k="$(median ours kib)" -v n="$nodes" \
		'BEGIN { print k * 1024 / n }')" - ours 64
