# SPDX-License-Identifier: MIT
# pk-fold on a million samples of a C program of 320 compilation units:
# 120,000 distinct stacks, some 32,000 addresses, names and inlined calls from
# DWARF. Nothing else reads captures, so there is no peer; the floor is
# counting the lines.

gen=$PK_BUILDDIR/bench/gen-units
mkdir "$work/source"
"$gen" source "$work/source"
(cd "$work/source" && printf '%s\n' ./*.c |
	xargs -P "$(nproc)" -n 8 "${CC:-cc}" -O2 -g -c)
"${CC:-cc}" -o "$work/units" "$work"/source/*.o
nm -S "$work/units" | "$gen" capture "$work/units" >"$work/units.pkc"

for ((round = 0; round < rounds; round++)); do
	measure fold pk-fold "$work/units.pkc"
	measure lines pk-fold --lines "$work/units.pkc"
	measure floor wc -l "$work/units.pkc"
done
say "fold: $(median fold cpu) s of processor time, $(median lines wall) s" \
	"with --lines; wc -l takes $(median floor wall) s"
row fold-million "$(median fold wall)" - ours 2
