# SPDX-License-Identifier: MIT
# pk-fold on perf.data, beside perf script: 75,000 samples with frame-pointer
# chains, beside perf script whose text pk-fold reads; and samples with copies
# of the stack, which both unwind, beside perf script alone. Perf shows inlined
# calls only where it unwinds, so chains are folded without; what they cost is
# said.

have perf || { say "perf-data: no perf here" && return; }

nested=$work/nested
"${CC:-cc}" -O2 -g -fno-omit-frame-pointer -o "$nested" \
	"$PK_SRCDIR/tests/programs/nested.c"
cxx=$work/cxxstacks
"${CXX:-c++}" -O2 -g -pthread -o "$cxx" "$PK_SRCDIR/tests/programs/cxxstacks.cc"

record() {
	perf record -N -q -e cpu-clock "$@" >/dev/null 2>&1
}
record -F 15000 -g -o "$work/fp.data" "$nested" 5.6 ||
	{ say "perf-data: perf may not record here" && return; }
record -F 4000 --call-graph dwarf,8192 -o "$work/dwarf.data" "$cxx" 5

script() {
	perf script -i "$1" 2>/dev/null
}
export -f script

for ((round = 0; round < rounds; round++)); do
	measure perfdata-fp pk-fold --no-inline "$work/fp.data"
	measure perfdata-inline pk-fold "$work/fp.data"
	measure perfdata-fp-script bash -c "script '$work/fp.data' | pk-fold"
	measure perfdata-dwarf pk-fold "$work/dwarf.data"
	measure perfdata-dwarf-script bash -c "script '$work/dwarf.data'"
done
say "perf-data: processor time: chains $(median perfdata-fp cpu) and" \
	"$(median perfdata-fp-script cpu) s, unwound" \
	"$(median perfdata-dwarf cpu) and" \
	"$(median perfdata-dwarf-script cpu) s"
say "perf-data: $(pk-fold --value samples "$work/fp.data" 2>/dev/null |
	awk '{ n += $NF } END { print n }') samples with chains in" \
	"$(median perfdata-fp wall) s ($(median perfdata-fp cpu) s of processor" \
	"time, $(median perfdata-fp kib) KiB);" \
	"$(median perfdata-inline wall) s with inlined calls"
row perf-data-chains "$(median perfdata-fp wall)" \
	"$(median perfdata-fp-script wall)" ratio 0.05
row perf-data-unwound "$(median perfdata-dwarf wall)" \
	"$(median perfdata-dwarf-script wall)" ratio 0.2
