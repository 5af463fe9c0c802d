# SPDX-License-Identifier: MIT
# What a flame graph of folded stacks must hold, computed another way than
# lib/profile does: awk -f frames.awk [-v columns=2] [-v inverted=1]
# stacks.folded prints `level TAB x TAB width TAB name` for every frame, x and
# width in percent, in preorder. Names must not hold control bytes.

{
	value = $NF
	sub(/ [^ ]*$/, "")
	if (columns == 2)
		sub(/ [^ ]*$/, "")
	n = split($0, frame, ";")
	path = "all"
	total[path] += value
	for (i = 1; i <= n; i++) {
		parent = path
		path = path "\001" frame[i]
		if (!(path in total)) {
			children[parent]++
			child[parent, children[parent]] = path
			name[path] = frame[i]
		}
		total[path] += value
	}
	self[path] += value
}

function sort_children(path,   i, j, t) {
	for (i = 2; i <= children[path]; i++)
		for (j = i; j > 1 && child[path, j - 1] > child[path, j]; j--) {
			t = child[path, j]
			child[path, j] = child[path, j - 1]
			child[path, j - 1] = t
		}
}

# A stack that ends here lies left of those that go on.
function show(path, level, x,   i) {
	printf "%d\t%.8f\t%.8f\t%s\n", level, 100 * x / total["all"],
		100 * total[path] / total["all"], name[path]
	x += self[path]
	sort_children(path)
	for (i = 1; i <= children[path]; i++) {
		show(child[path, i], level + 1, x)
		x += total[child[path, i]]
	}
}

END {
	name["all"] = "all"
	show("all", 0, 0)
}
