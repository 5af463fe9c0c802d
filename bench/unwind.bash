# SPDX-License-Identifier: MIT
# Walking copies of real programs' stacks with compiled rules: at least 10
# million frames a second, in C++ and in an interpreter; the stack itself, as
# the heap recorder does, 8 ns a frame; and a module of 40,000 rows that is met
# for the first time, with all its rules, within 20 ms, whether they are its own
# or compressed in a separate debug file.

# rows_module FILE FLAG...: a library of 8,000 functions of five rows each, a
# row for each byte of code.
rows_module() {
	awk 'BEGIN {
		for (i = 0; i < 8000; i++) {
			print "f" i ": .cfi_startproc\npush %rbp"
			print ".cfi_def_cfa_offset 16\n.cfi_offset rbp, -16"
			print "push %rbx\n.cfi_def_cfa_offset 24"
			print ".cfi_offset rbx, -24\npop %rbx"
			print ".cfi_def_cfa_offset 16\npop %rbp"
			print ".cfi_def_cfa_offset 8\nret\n.cfi_endproc"
		}
	}' | cat - <(echo '.section .note.GNU-stack') >"$work/rows.s"
	[ -z "${2-}" ] || sed -i "1i $2" "$work/rows.s"
	"${CC:-cc}" -shared -nostdlib -o "$1" "$work/rows.s"
}
rows_module "$work/eh_frame.so"
rows_module "$work/debug.so" '.cfi_sections .debug_frame'
objcopy --only-keep-debug --compress-debug-sections=zlib "$work/debug.so" \
	"$work/debug.so.debug"
strip -g -o "$work/stripped.so" "$work/debug.so"
objcopy --add-gnu-debuglink="$work/debug.so.debug" "$work/stripped.so"

target=$work/cxxstacks
"${CXX:-c++}" -O2 -g -pthread -o "$target" \
	"$PK_SRCDIR/tests/programs/cxxstacks.cc"
cat >"$work/work.py" <<'END'
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
while True:
    fib(20)
    sorted(str(x) for x in range(20000))
END
python=$(PATH=/usr/bin:/bin command -v python3 || true)

bench_unwind() {
	"$PK_BUILDDIR/bench/bench_unwind" "${@:2}" >>"$work/$1"
}
unwind_median() {
	awk -v name="$2" '$1 == name { print $2 }' "$work/$1" | middle
}
for ((round = 0; round < rounds; round++)); do
	bench_unwind cxx copies "$target" 20
	[ -z "$python" ] || bench_unwind python copies "$python" "$work/work.py"
	bench_unwind self self
	bench_unwind rows module "$work/eh_frame.so"
	bench_unwind debug module "$work/stripped.so"
done
say "$(unwind_median rows rows) rows;" \
	"stacks of $(unwind_median cxx depth) frames in C++;" \
	"$(unwind_median cxx memory-ns) ns a frame from memory that no cache holds"
row unwind-copy-ns "$(unwind_median cxx warm-ns)" - ours 100
[ -z "$python" ] ||
	row unwind-copy-python-ns "$(unwind_median python warm-ns)" - ours 100
row unwind-in-place-ns "$(unwind_median self in-place-ns)" - ours 8
row unwind-first-40000-ms "$(unwind_median rows rules-ms)" - ours 20
row unwind-first-40000-debug-ms "$(unwind_median debug rules-ms)" - ours 20
