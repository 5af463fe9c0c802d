#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The table of formats, and what pk-fold does with every one of them. The
# formats' own files are tests/import-*.bats.
#
# tests/data/import has FORMAT[-VARIANT].EXT and what it folds to,
# FORMAT[-VARIANT].folded; FORMAT is a name of `pk-fold -i list`.

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
	import=$PK_SRCDIR/tests/data/import
}

setup_file() {
	load helper
	pk-fold -i list | awk '{ print $1 }' >"$BATS_FILE_TMPDIR/formats"
}

formats() {
	cat "$BATS_FILE_TMPDIR/formats"
}

# fixtures: all of them, a path a line.
fixtures() {
	find "$import" -type f ! -name '*.folded' | sort
}

# format_of FIXTURE: sets format to the longest name of the table that begins
# the file's.
format_of() {
	local name=${1##*/} name_of
	format=
	while read -r name_of; do
		[[ $name == "$name_of"[-.]* ]] || continue
		[ ${#name_of} -le ${#format} ] || format=$name_of
	done <"$BATS_FILE_TMPDIR/formats"
}

# expected FIXTURE: the file with what it folds to.
expected() {
	printf '%s.folded\n' "${1%.*}"
}

# ---- the table

@test "-i list names every format once, with a description" {
	run --separate-stderr -0 pk-fold -i list
	[ -z "$stderr" ]
	[ "${#lines[@]}" -ge 2 ]
	[ -z "$(formats | sort | uniq -d)" ]
	run -1 grep -vE '^[a-z0-9-]+ +[^ ].*$' <<<"$output"
	[ "$(pk-fold -i list | wc -L)" -le 80 ]
}

@test "-i list with files says what each one is" {
	echo 'a;b 1' >x
	printf 'pk-capture 1\nend\n' >y
	head -c 3000 /dev/urandom >z
	run --separate-stderr -0 pk-fold -i list x y z
	[ "$output" = $'folded\tx\ncapture\ty\nunknown\tz' ]
}

@test "an unknown format is refused with a hint" {
	run --separate-stderr -2 pk-fold -i nonsense /dev/null
	[ "${stderr_lines[0]}" = "pk-fold: --input-format: there is no format 'nonsense'; \`-i list\` shows all" ]
}

@test "what is in no format is refused, by name" {
	printf 'one two\nthree four\n' >x
	run --separate-stderr -2 pk-fold x
	[ -z "$output" ]
	[ "$stderr" = "pk-fold: x: is in no format that pk-fold knows; \`-i list\` shows all, -i NAME chooses one" ]
	run --separate-stderr -2 pk-fold "$(command -v bash)"
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" -eq 1 ]
}

@test "-i NAME reads a file as that format, whatever it looks like" {
	echo 'pk-capture 1' >x
	run --separate-stderr -0 pk-fold -i folded x
	[ "$output" = 'pk-capture 1' ]
	run --separate-stderr -2 pk-fold -i capture <<<'a;b 1'
	[[ $stderr == *"standard input:1: "* ]]
}

@test "the manual's list of formats is the table" {
	formats | sort >table
	sed -n '/^\.Sh FORMATS/,/^\.Sh [^F]/p' "$PK_SRCDIR/man/pk-fold.1" |
		sed -n 's/^\.It Cm //p' | sort | diff - table
}

@test "every format has a fixture" {
	local file seen
	seen=$(fixtures | while read -r file; do
		format_of "$file"
		echo "$format"
	done | sort -u)
	diff <(formats | grep -vxE 'capture|perf-data' | sort) \
		<(grep -vxE 'capture|perf-data' <<<"$seen")
}

@test "where every fixture comes from is written down" {
	local file
	for file in $(fixtures); do
		echo "--- $file"
		grep -q "^import/${file##*/}"$'\t' "$PK_SRCDIR/tests/data/ORIGIN.tsv"
	done
}

# ---- the matrix

@test "every fixture is recognised as its own format and folds as expected" {
	local file format
	[ -n "$(fixtures)" ]
	for file in $(fixtures); do
		echo "--- $file"
		format_of "$file"
		[ "$(pk-fold -i list "$file")" = "$format"$'\t'"$file" ]
		pk-fold --no-debuginfod "$file" 2>/dev/null |
			diff "$(expected "$file")" -
	done
}

@test "a format is recognised in a pipe and through gzip, too" {
	local file format
	for file in $(fixtures); do
		echo "--- $file"
		format_of "$file"
		gzip -c "$file" >packed
		[ "$(cat packed | pk-fold -i list -)" = "$format"$'\t-' ]
		cat "$file" | pk-fold 2>/dev/null | cmp "$(expected "$file")" -
		pk-fold packed 2>/dev/null | cmp "$(expected "$file")" -
	done
}

is_text() {
	! LC_ALL=C grep -qP '\x00' "$1"
}

@test "line ends of other systems and byte order marks change nothing" {
	local file
	for file in $(fixtures); do
		is_text "$file" || continue
		echo "--- $file"
		sed 's/$/\r/' "$file" | pk-fold 2>/dev/null |
			diff "$(expected "$file")" -
		{ printf '\xef\xbb\xbf' && cat "$file"; } | pk-fold 2>/dev/null |
			diff "$(expected "$file")" -
		iconv -f UTF-8 -t UTF-16LE "$file" >wide 2>/dev/null || continue
		{ printf '\xff\xfe' && cat wide; } | pk-fold 2>/dev/null |
			diff "$(expected "$file")" -
	done
}

@test "lines that end in carriage returns alone are said to, in any format" {
	local file
	for file in $(fixtures); do
		is_text "$file" || continue
		[ "$(wc -l <"$file")" -ge 2 ] || continue
		tr '\n' '\r' <"$file" >old
		run --separate-stderr -2 pk-fold old
		[ -z "$output" ]
		[ "$stderr" = "pk-fold: old: its lines end in carriage returns alone: \`tr '\\r' '\\n'\` makes newlines of them" ]
		[ "$(pk-fold -i list old)" = $'unknown\told' ]
	done
	run --separate-stderr -2 pk-fold -i perf-script old
	[[ $stderr == *'carriage returns alone'* ]]
	# One may be part of a name.
	[ "$(printf 'a\rb;c 1' | pk-fold)" = $'a\rb;c 1' ]
}

@test "a file that is cut off anywhere is folded or refused, and never harms" {
	local file size part status
	for file in $(fixtures); do
		size=$(stat -c %s "$file")
		for part in 1 3 5 7; do
			echo "--- $file $part/8"
			head -c $((size * part / 8)) "$file" >part
			status=0
			timeout 20 pk-fold --no-debuginfod part >out 2>err ||
				status=$?
			[ $status -eq 0 ] || [ $status -eq 2 ]
			[ $status -eq 0 ] || [ -s err ]
		done
	done
}

# ---- what is no profile

# not_a_profile NAME: standard input is refused, by itself and in a file.
not_a_profile() {
	cat >"$1"
	[ -s "$1" ]
	echo "--- $1: $(pk-fold -i list "$1")"
	run --separate-stderr -2 pk-fold "$1"
	[ -z "$output" ]
	[[ $stderr == "pk-fold: $1: is in no format that pk-fold knows"* ]]
}

# lines FORMAT: forty lines of it, with a number each.
lines() {
	local i
	for ((i = 1; i <= 40; i++)); do
		# shellcheck disable=SC2059
		printf "$1\n" "$i"
	done
}

@test "what this system's tools print is not taken for folded stacks" {
	ps aux | not_a_profile ps-aux
	ps -eo comm,pid | not_a_profile ps-pid
	ls -l /usr/bin | not_a_profile ls
	COLUMNS=120 top -b -n 1 | not_a_profile top
	cat /proc/self/maps | not_a_profile maps
	cat /proc/self/smaps | not_a_profile smaps
	cat /proc/stat | not_a_profile stat
	cat /proc/meminfo | not_a_profile meminfo
	cat /proc/interrupts | not_a_profile interrupts
	df | not_a_profile df
	grep -vE '[/[]' /proc/self/maps >some
	cat some some some | not_a_profile anonymous-maps
}

@test "what profilers, tracers and sanitizers report is not taken for folded stacks" {
	cat >broken.c <<-'END'
		#include <stdlib.h>
		int main(int argc, char **argv)
		{
			char *p = malloc(10);
			int shift = 40 + argc + 1 << argc + 40;
			free(p);
			return p[3] + shift;
		}
	END
	gcc -w -g -fsanitize=address,undefined broken.c -o broken
	UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_leaks=0 \
		./broken 2>&1 | not_a_profile sanitizers
	gcc -S -w -O1 broken.c -o - | not_a_profile assembler
	if command -v perf >/dev/null; then
		perf record -q -e cpu-clock -g -o data -- ls -R /usr/share/doc \
			>/dev/null 2>&1
		perf report --stdio -i data 2>/dev/null | not_a_profile report
		perf report --stdio -n -i data -g none 2>/dev/null |
			not_a_profile report-n
		perf stat -o stat-report ls / >/dev/null
		not_a_profile stat-again <stat-report
	fi
	if command -v strace >/dev/null; then
		strace -o trace ls / >/dev/null
		not_a_profile strace <trace
	fi
	if command -v valgrind >/dev/null; then
		valgrind --tool=callgrind --callgrind-out-file=costs \
			true 2>/dev/null
		not_a_profile callgrind <costs
	fi
}

@test "races, traces of .NET, logs, tables, JSON and source are not taken for folded stacks" {
	not_a_profile helgrind <<-'END'
		==2100== Helgrind, a thread error detector
		==2100== Possible data race during read of size 4 at 0x404028 by thread #1
		==2100== Locks held: none
		==2100==    at 0x4011A3: main (race.c:3)
		==2100==  Address 0x404028 is 0 bytes inside data symbol "x"
		==2100== ERROR SUMMARY: 2 errors from 2
	END
	not_a_profile dotnet <<-'END'
		Unhandled exception. System.InvalidOperationException: broken
		   at Shop.Cart.Add(Item item) in /src/Cart.cs:line 42
		   at Shop.Cart.Fill(List`1 items) in /src/Cart.cs:line 17
		   at Shop.Program.Main(String[] args) in /src/Program.cs:line 9
	END
	lines 'Nov 25 04:36:11 host kernel: tick number %d' | not_a_profile syslog
	lines 'Nov 25 04:36:11 host app: one; two %d' | not_a_profile syslog-2
	lines '2026-11-25T04:36:11Z INFO done %d' | not_a_profile log
	lines 'the request was served in %d' | not_a_profile prose
	lines '127.0.0.1 - - [25/Nov/2026] "GET /a;b HTTP/1.1" 200 %d' |
		not_a_profile access
	lines 'f,%d' | not_a_profile comma
	lines 'f; %d' | not_a_profile semicolon
	lines '12 %d' | not_a_profile numbers
	lines 'disk 1.0 2.5 %d' | not_a_profile columns
	lines 'total      %d' | not_a_profile aligned
	lines 'size = %d' | not_a_profile assignments
	lines 'size: %d' | not_a_profile yaml
	lines '    "count": %d' | not_a_profile json
	lines '#define SIZE %d' | not_a_profile header
	lines '\tx = y;z = w + %d' | sed 's/$/;/' | not_a_profile code
	not_a_profile source <"$PK_SRCDIR/lib/base/number.c"
	not_a_profile script <"$PK_SRCDIR/tests/helper.bash"
	not_a_profile manual <"$PK_SRCDIR/man/pk-fold.1"
}

@test "names with a value are folded text, and so is all that pk-fold writes" {
	local file
	[ "$(echo 'main 3' | pk-fold)" = 'main 3' ]
	printf '%s 2\n' main 'operator new(unsigned long)' '[libc.so.6]' \
		'std::vector<int, std::allocator<int> >::push_back(int const&)' \
		'(anonymous namespace)::run' 'JIT Compilation Thread-000' \
		'kworker/0:1' 'mutt 1507' >x
	pk-fold x | diff <(LC_ALL=C sort x) -
	for file in "$import"/*.folded "$PK_SRCDIR"/tests/data/folded/*; do
		[ "$(pk-fold -i list "$file")" = "folded"$'\t'"$file" ]
	done
}

# ---- encodings

@test "UTF-16 text with a byte order mark is read, big-endian and little" {
	printf 'main;w\xc3\xb6rk\xf0\x9f\x98\x80 3\nmain;idle 1\n' >narrow
	for order in LE BE; do
		printf '\xef\xbb\xbf' | cat - narrow |
			iconv -f UTF-8 -t UTF-16$order >wide
		pk-fold wide | diff <(sort narrow) -
		cat wide | pk-fold | diff <(sort narrow) -
		gzip -c wide | pk-fold | diff <(sort narrow) -
	done
}

@test "UTF-16 text of many blocks is read whole" {
	awk 'BEGIN { for (i = 0; i < 100000; i++)
		printf "main;f\303\266\360\237\230\200%d %d\n", i % 777, i % 5 + 1
	}' >narrow
	printf '\xef\xbb\xbf' | cat - narrow | iconv -f UTF-8 -t UTF-16LE >wide
	pk-fold wide | cmp - <(pk-fold narrow)
}

@test "UTF-16 text that is cut off is said" {
	printf '\xff\xfea\0;\0b\0 \0001\0\n\0x' >wide
	run --separate-stderr -2 pk-fold wide
	[ "$output" = 'a;b 1' ]
	[ "$stderr" = "pk-fold: wide: the UTF-16 text is cut off; what came before is used" ]
}

# ---- which stacks, and in which order

stacks() {
	cat <<-'END'
		sh;main;walk;walk;walk;leaf 3
		sh;main;parse_[i];lex 2
		vi;main;walk;leaf 4
		sh;main;walk;walk;walk;leaf 1
	END
}

@test "--focus and --ignore choose stacks by their frames" {
	stacks >x
	[ "$(pk-fold --focus '^le' x)" = "$(pk-fold x)" ]
	[ "$(pk-fold --focus '^lex$' x)" = 'sh;main;parse_[i];lex 2' ]
	[ "$(pk-fold --focus '^parse$' x)" = 'sh;main;parse_[i];lex 2' ]
	[ "$(pk-fold --focus lex --focus vi x)" = \
		$'sh;main;parse_[i];lex 2\nvi;main;walk;leaf 4' ]
	[ "$(pk-fold --ignore '^walk$' x)" = 'sh;main;parse_[i];lex 2' ]
	[ "$(pk-fold --focus walk --ignore sh x)" = 'vi;main;walk;leaf 4' ]
}

@test "--hide takes frames out, and keeps their value" {
	stacks >x
	[ "$(pk-fold --hide '^(walk|leaf)$' x)" = \
		$'sh;main 4\nsh;main;parse_[i];lex 2\nvi;main 4' ]
	[ "$(pk-fold --hide . x)" = '[hidden] 10' ]
}

@test "--collapse-recursion makes equal neighbours one frame" {
	stacks >x
	[ "$(pk-fold --collapse-recursion x)" = \
		$'sh;main;parse_[i];lex 2\nsh;main;walk;leaf 4\nvi;main;walk;leaf 4' ]
}

@test "--skip-after leaves out what called a function" {
	stacks >x
	[ "$(pk-fold --skip-after walk x)" = \
		$'sh;main;parse_[i];lex 2\nwalk;leaf 8' ]
	[ "$(pk-fold --skip-after parse x | head -n 1)" = 'parse_[i];lex 2' ]
	cat >x.pkc <<-'END'
		pk-capture 1
		event 1 count 1 e
		proc 0 1 0 start prog
		mod 1 - a [jit 1]
		sym 0 1 10 1 main
		sym 0 1 20 1 walk
		f 1 0 1 10
		f 2 1 1 20
		s 0 1 1 0 1 1 2
		end
	END
	# whose stack it is stays
	[ "$(pk-fold --skip-after walk x.pkc)" = 'prog;walk 1' ]
	[ "$(pk-fold --hide . x.pkc)" = 'prog 1' ]
}

@test "a mistake in a regular expression is named" {
	run --separate-stderr -2 pk-fold --hide '(' /dev/null
	[[ ${stderr_lines[0]} == "pk-fold: --hide: '(' is no regular expression: "* ]]
}

@test "--time-order keeps the order, and joins equal neighbours" {
	stacks >x
	stacks | tail -n 1 >y
	[ "$(pk-fold --time-order x)" = "$(stacks)" ]
	[ "$(pk-fold --time-order x y)" = \
		"$(stacks | sed '$s/1$/2/')" ]
	[ "$(pk-fold --time-order --ignore '^lex$' --collapse-recursion x)" = \
		'sh;main;walk;leaf 3
vi;main;walk;leaf 4
sh;main;walk;leaf 1' ]
}

@test "--time-order sorts the samples of a capture by time" {
	cat >x.pkc <<-'END'
		pk-capture 1
		event 1 count 1 e
		proc 0 1 0 start prog
		mod 1 - a [jit 1]
		sym 0 1 10 1 f
		sym 0 1 20 1 g
		f 1 0 1 10
		f 2 0 1 20
		s 30 1 1 0 1 1 1
		s 10 1 1 0 1 1 1
		s 20 1 1 0 1 1 2
		s 40 1 1 0 1 1 1
		end
	END
	[ "$(pk-fold --time-order x.pkc)" = $'prog;f 1\nprog;g 1\nprog;f 2' ]
}

@test "--time-order of a large file is its own lines" {
	awk 'BEGIN { for (i = 0; i < 300000; i++)
		print "main;function_" i % 501 ";leaf_number_" i % 7 " 1"
	}' >x
	[ "$(stat -c %s x)" -gt 8388608 ]
	pk-fold --time-order x | cmp - x
}

@test "--time-order keeps the order of a large perf script, too" {
	awk 'BEGIN { for (i = 0; i < 60000; i++)
		printf "sh 1/1 %d.000001: 1 e:\n\t%x leaf_%d+0x1 (/x)\n\t%x main+0x2 (/x)\n\n", i, i, i % 3, i
	}' >x
	awk 'BEGIN { for (i = 0; i < 60000; i++) print "sh;main;leaf_" i % 3, 1 }' >y
	for ((i = 0; i < 4; i++)); do cat x; done >large
	[ "$(stat -c %s large)" -gt 8388608 ]
	pk-fold --time-order large | cmp - <(cat y y y y)
}

# ---- --header

@test "--header shows what a recording says of itself" {
	cat >x.pkc <<-'END'
		pk-capture 1
		@ command ./prog a\x0ab
		event 1 ns 1000 cpu-clock
		s 0 1 1 0 1 1 0
		end
	END
	run --separate-stderr -0 pk-fold --header x.pkc
	[ "$output" = 'command: ./prog a\x0ab
event: cpu-clock, unit ns, period 1000
samples: 1' ]
	echo 'a;b 1' >x
	run --separate-stderr -2 pk-fold --header x
	[ "$stderr" = "pk-fold: x: --header shows what captures and perf.data say of themselves, and this is neither" ]
}

@test "nothing that could control a terminal comes out of --header and of names" {
	printf 'pk-capture 1\n@ command a\\x1b[2J\xc2\x9b\x9bz\xe2\x80\xae\xc3\xb6\nevent 1 ns 1 e\nend\n' >x.pkc
	[ "$(pk-fold --header x.pkc | head -n 1)" = \
		'command: a\x1b[2J\xc2\x9b\x9bz\xe2\x80\xaeö' ]
	printf 'p 1/1 1.0: 1 e:\n\t1 f\xc2\x9b;\xc2\xa0\xff\xc2 (/x)\n\n' >x
	[ "$(pk-fold x)" = $'p;f\\xc2\\x9b:\xc2\xa0\xff\xc2 1' ]
}

# ---- filters

@test "a filter that leaves nothing of a file says so" {
	printf 'sh 7/7 1.0: 1 e:\n\t1 f (/x)\n\n' >x
	run --separate-stderr -0 pk-fold --only-pid 8 x
	[ -z "$output" ]
	[ "$stderr" = "pk-fold: warning: x: no sample passes the filters" ]
	[ "$(pk-fold --only-pid 7 x)" = 'sh;f 1' ]
}

@test "what samples do not tell does not filter, and that is said" {
	printf 'sh 7 1.0: 1 e:\n\t1 f (/x)\n\nsh 8 1.1: 1 e:\n\t1 g (/x)\n\n' >x
	run --separate-stderr -0 pk-fold --only-pid 7 x
	[ "$output" = $'sh;f 1\nsh;g 1' ]
	[[ $stderr == "pk-fold: warning: x: 1 of 2 samples do not tell their process "*": they count, whatever was asked for" ]]
	run --separate-stderr -0 pk-fold --only-tid 8 x
	[ "$output" = 'sh;g 1' ]
	[ -z "$stderr" ]
}

@test "a thread is chosen by its name, or by what that looks like" {
	printf 'a b;c 7/7 1.0: 1 e:\n\t1 f (/x)\n\n' >x
	[ "$(pk-fold --only-comm 'a b;c' x)" = 'a_b:c;f 1' ]
	[ "$(pk-fold --only-comm 'a_b:c' x)" = 'a_b:c;f 1' ]
	run -0 pk-fold --only-comm 'a_b' x
	[[ $output == *'no sample passes the filters' ]]
}

@test "edits that leave nothing say so, and so do values that are 0" {
	echo 'a;b 1' >x
	run -0 pk-fold --focus nowhere x
	[ "$output" = 'pk-fold: warning: no stack passes --focus and --ignore' ]
	echo 'a;b 0' >x
	run -0 pk-fold x
	[ "$output" = 'pk-fold: warning: all values are 0: there is nothing to write' ]
}

@test "values of different kinds are added with a warning" {
	run --separate-stderr -0 pk-fold "$import/memcheck.txt" "$import/gdb.txt"
	[ "$stderr" = "pk-fold: warning: values of different kinds are added up: bytes stacks; fold the files one by one" ]
	run --separate-stderr -0 pk-fold --value samples "$import/memcheck.txt" \
		"$import/gdb.txt"
	[ -z "$stderr" ]
}

@test "packed files and programs are refused with what would help" {
	echo 'a;b 1' | xz >x.xz
	run --separate-stderr -2 pk-fold x.xz
	[ "$stderr" = "pk-fold: x.xz: is packed by xz: xz -dc FILE | pk-fold" ]
	run --separate-stderr -2 pk-fold "$(command -v bash)"
	[[ $stderr == *": is a program, not a recording of one" ]]
}

@test "-i list goes on behind a file that cannot be read" {
	echo 'a;b 1' >x
	run --separate-stderr -2 pk-fold -i list x no-such-file x
	[ "$output" = $'folded\tx\nfolded\tx' ]
	[ "$stderr" = "pk-fold: no-such-file: No such file or directory" ]
}

@test "--to-capture goes with nothing that chooses or shows" {
	for option in --tid --kernel --time-order '--value weight' --header; do
		run --separate-stderr -2 pk-fold --to-capture $option /dev/null
		[[ $stderr == "pk-fold: --to-capture writes all samples as they are"* ]]
	done
}
