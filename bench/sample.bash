# SPDX-License-Identifier: MIT
# pk-sample beside perf record, both at 999 Hz with stacks from CFI, on a C++
# program with threads and stacks of up to 48 KB. Its work is fixed, so what
# a run takes beyond a bare run is the recorder's doing.

target=$work/cxxstacks
seconds=3
${CXX:-c++} -O2 -g -pthread -o "$target" "$PK_SRCDIR/tests/programs/cxxstacks.cc"

perf_record() {
	measure "$1" perf record -q -F 999 --call-graph dwarf \
		-o "$work/perf.data" "${@:2}"
}

pk_record() {
	measure "$1" pk-sample -F 999 -o "$work/our.pkc" "${@:2}"
}

# What a run took beyond the time that main took, in seconds.
around_main() {
	paste -d ' ' "$work/$1.measured" "$work/$1.main" |
		awk '{ print $1 - $4 }' | middle
}

measure warm-up "$target" 0.5
for ((round = 0; round < rounds; round++)); do
	measure bare "$target" $seconds
	pk_record ours-short "$target" 0.5 "$work/main"
	cat "$work/main" >>"$work/ours-short.main"
	pk_record ours "$target" $seconds
	have perf || continue
	perf_record peer-short "$target" 0.5 "$work/main"
	cat "$work/main" >>"$work/peer-short.main"
	perf_record peer "$target" $seconds
done
say "bare: $(median bare cpu) s of processor time;" \
	"$(grep -c '^s ' "$work/our.pkc") samples"

peer_cpu=- peer_size=- peer_around=-
if have perf; then
	peer_cpu=$(excess peer bare cpu)
	peer_size=$(size_of "$work/perf.data")
	peer_around=$(around_main peer-short)
fi
row sample-processor-time "$(excess ours bare cpu)" "$peer_cpu" ratio 1
row sample-capture-size "$(size_of "$work/our.pkc")" "$peer_size" ratio 0.02
row sample-start-and-finish "$(around_main ours-short)" "$peer_around" ours 0.05
