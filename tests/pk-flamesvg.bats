#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# pk-flamesvg: what the picture holds. How it is clicked through is in
# pk-flamesvg-browser.bats.

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
}

# picture FILE: the SVG without the style and the script, which change often
# and are the same in all.
picture() {
	sed -e '/^<style>/,/^<\/style>/d' -e '/^<script>/,/^\]\]>/d' "$1"
}

# frames FILE: `level TAB x TAB width TAB name` of every frame, outermost
# level first, from left to right.
frames() {
	sed -n '/<svg id="frames"/,/<\/svg>/p' "$1" | sed -nE \
		-e 's/^<g .*/level/p' \
		-e 's/.* x="([^"]*)" width="([^"]*)".*<title>(.*) \([^()]*\)<\/title>.*/\1\t\2\t\3/p' |
		awk '/^level$/ { level++; next } { print level - 1 "\t" $0 }' |
		sed -e 's/&lt;/</g' -e 's/&gt;/>/g' -e 's/&amp;/\&/g'
}

# titles FILE: the text of all titles of frames.
titles() {
	sed -nE 's/^<rect.*<title>(.*)<\/title>.*/\1/p' "$1"
}

# same_frames EXPECTED ACTUAL: the same frames in any order, places within
# 0.01 percent.
same_frames() {
	sort -t $'\t' -k1,1n -k2,2g -k4 "$1" >expected.sorted
	sort -t $'\t' -k1,1n -k2,2g -k4 "$2" >actual.sorted
	[ -s expected.sorted ]
	paste expected.sorted actual.sorted | awk -F '\t' '
		function far(a, b) { return a - b > 0.01 || b - a > 0.01 }
		$1 != $5 || far($2, $6) || far($3, $7) || $4 != $8 {
			print "differs: " $0
			bad = 1
		}
		END { exit bad }'
}

# random_stacks SEED LINES [COLUMNS]: distinct and equal stacks, some values
# with fractions.
random_stacks() {
	awk -v seed="$1" -v lines="$2" -v columns="${3:-1}" '
		function value() {
			return rand() < 0.2 ? (int(rand() * 1000) + 1) / 8 : int(rand() * 50) + 1
		}
		BEGIN {
		srand(seed)
		n = split("main run a ab a::b<int> operator<() f(x,&y) z() Z " \
			"_start __libc x.y [unknown]", name, " ")
		for (; lines; lines--) {
			stack = "main"
			for (d = int(rand() * 9); d; d--)
				stack = stack ";" name[int(rand() * rand() * n) + 1]
			print stack, value() (columns == 2 ? " " value() : "")
		}
	}'
}

@test "a small profile gives exactly this picture" {
	pk-flamesvg --title 'Two & two' --subtitle 'is <four>' \
		"$(data folded/small.folded)" >out.svg
	picture out.svg >picture.svg
	golden flamesvg/small.svg picture.svg
}

@test "an inverted one of fixed width, in bytes, gives exactly this picture" {
	pk-flamesvg --inverted --width 800 --height 20 --unit bytes \
		--colors mem --nametype 'Allocated by' --minwidth 1% \
		"$(data folded/small.folded)" >out.svg
	picture out.svg >picture.svg
	golden flamesvg/inverted.svg picture.svg
}

@test "two columns give exactly this picture" {
	pk-flamesvg "$(data folded/two-columns.folded)" >out.svg
	picture out.svg >picture.svg
	golden flamesvg/two-columns.svg picture.svg
}

@test "style and script are those of share/, with a rule for every shade" {
	pk-flamesvg "$(data folded/small.folded)" >out.svg
	sed -n '/^<style>$/,/^\.a{/p' out.svg | sed '1d;$d' >style
	grep -v '^/\*' "$PK_SRCDIR/share/flamegraph.css" | cmp - style
	sed -n '/^<script>/,/^\]\]>/p' out.svg | sed '1d;$d' >script
	sed -E 's/^[[:space:]]+//;/^\/\//d;/^$/d' \
		"$PK_SRCDIR/share/flamegraph.js" >whole
	cmp script whole
	[ "$(grep -cE '^\.[a-z]\{fill:#[0-9a-f]{6}\}$' out.svg)" -eq 52 ]
}

@test "frames of random profiles are where another computation puts them" {
	local seed
	for seed in 1 2 3 4 5 6 7 8; do
		random_stacks $seed $((seed * seed * 5)) >in.folded
		awk -f "$PK_SRCDIR/tests/frames.awk" in.folded >expected
		pk-flamesvg --minwidth 0 in.folded >out.svg
		frames out.svg >actual
		same_frames expected actual
	done
}

@test "an icicle graph has the same frames" {
	random_stacks 9 100 >in.folded
	pk-flamesvg --inverted in.folded >out.svg
	pk-flamesvg in.folded >flame.svg
	[ "$(frames out.svg)" = "$(frames flame.svg)" ]
	[ -n "$(frames out.svg)" ]
	y() { sed -nE 's/^<g transform="translate\(0,([0-9]+)\)">/\1/p' "$1" | head -3; }
	[ "$(y out.svg)" = $'0\n16\n32' ]
	[ "$(y flame.svg | sort -n)" != "$(y flame.svg)" ]
}

@test "the second of two columns is the width" {
	local seed
	for seed in 11 12 13; do
		random_stacks $seed 150 2 >in.folded
		awk -v columns=2 -f "$PK_SRCDIR/tests/frames.awk" in.folded >expected
		pk-flamesvg --minwidth 0 in.folded >out.svg
		frames out.svg >actual
		same_frames expected actual
	done
}

@test "a title tells the change, and a shade its direction" {
	printf 'main;grown 10 30\nmain;same 20 20\nmain;shrunk 40 10\n' |
		pk-flamesvg >out.svg
	titles out.svg >titles
	grep -Fx 'all (60 samples, 100.00%; +0.00%)' titles
	grep -Fx 'grown (30 samples, 50.00%; +33.33%)' titles
	grep -Fx 'same (20 samples, 33.33%; +0.00%)' titles
	grep -Fx 'shrunk (10 samples, 16.67%; -50.00%)' titles
	class() { sed -nE "s/^<rect class=\"(.)\".*<title>$1 .*/\1/p" out.svg; }
	fill() { sed -nE "s/^\.$(class "$1")\{fill:#(..)..(..)\}$/\1 \2/p" out.svg | head -n 1; }
	[ -z "$(class same)" ]
	read -r red blue <<<"$(fill grown)"
	[ $((16#$red)) -gt $((16#$blue)) ]
	read -r red blue <<<"$(fill shrunk)"
	[ $((16#$red)) -lt $((16#$blue)) ]
}

@test "frames narrower than --minwidth are left out, and only those" {
	random_stacks 21 400 >in.folded
	pk-flamesvg --minwidth 0 in.folded >all.svg
	frames all.svg >all
	for width in 2 1% 0.5; do
		pk-flamesvg --minwidth $width in.folded >out.svg
		frames out.svg >actual
		awk -F '\t' -v least="$(awk -v w=$width 'BEGIN {
			print w ~ /%/ ? w + 0 : w / (1200 * 0.98) * 100 }')" \
			'$3 >= least - 0.0001' all >expected
		[ "$(wc -l <expected)" -lt "$(wc -l <all)" ]
		same_frames expected actual
	done
}

@test "a minimum in pixels is one of --width" {
	awk 'BEGIN { print "a 1"; print "b 999" }' >in.folded
	pk-flamesvg --width 500 --minwidth 1 in.folded >narrow.svg
	pk-flamesvg --width 2000 --minwidth 1 in.folded >wide.svg
	[ -z "$(frames narrow.svg | grep $'\ta$')" ]
	frames wide.svg | grep -q $'\ta$'
}

@test "fractions and exponents add up as people expect" {
	for i in 1 2 3 4 5 6 7; do echo 'main;a 0.1'; done >in.folded
	echo 'main;b 1.5e3' >>in.folded
	pk-flamesvg in.folded >out.svg
	titles out.svg | grep -Fx 'a (0.7 samples, 0.05%)'
	titles out.svg | grep -Fx 'b (1,500 samples, 99.95%)'
	titles out.svg | grep -Fx 'main (1,500.7 samples, 100.00%)'
}

@test "numbers have separators, and units are written for people" {
	echo 'f 1234567' >in.folded
	title() { pk-flamesvg "$@" in.folded | sed -n 's/.*<title>f (\(.*\),.*/\1/p'; }
	[ "$(title)" = '1,234,567 samples' ]
	[ "$(title --countname events)" = '1,234,567 events' ]
	[ "$(title --countname bytes)" = '1,234,567 bytes' ]
	[ "$(title --unit bytes)" = '1.18 MiB' ]
	[ "$(title --unit ns)" = '1.23 ms' ]
	[ "$(title --unit us)" = '1.23 s' ]
	[ "$(title --unit ms)" = '1,235 s' ]
	[ "$(title --unit s)" = '1,234,567 s' ]
	[ "$(title --unit blocks)" = '1,234,567 blocks' ]
	echo 'f 17' >in.folded
	[ "$(title --unit bytes)" = '17 bytes' ]
	[ "$(title --unit ns)" = '17 ns' ]
}

@test "suffixes that tell the kind of code are not shown, nor do they colour" {
	printf 'm_[k] 1\nm_[j] 1\nm_[i] 1\nm_[x] 1\nm 1\n_[k] 1\n' |
		pk-flamesvg >out.svg
	[ "$(titles out.svg | grep -c '^m (')" -eq 4 ]
	titles out.svg | grep -qF 'm_[x] ('
	titles out.svg | grep -qF '_[k] ('
	[ "$(sed -nE 's/^<rect (class="."|).*<title>m \(.*/\1/p' out.svg |
		sort -u | wc -l)" -eq 1 ]
}

@test "names without code are grey" {
	printf -- '- 1\n-- 1\n---x 1\n' | pk-flamesvg >out.svg
	[ "$(grep -c '^<rect x=' out.svg)" -eq 3 ]
	[ "$(grep -c '^<rect class=' out.svg)" -eq 1 ]
}

@test "a function has the same colour wherever it is" {
	printf 'a;b;c 1\na;c;b 2\nb 4\n' | pk-flamesvg >out.svg
	for name in b c; do
		[ "$(sed -nE "s/^<rect class=\"(.)\".*<title>$name .*/\1/p" out.svg |
			sort -u | wc -l)" -eq 1 ]
	done
}

@test "several files are added up" {
	printf 'main;a 1\nmain;b 2\n' >one
	printf 'main;b 3\n' >two
	pk-flamesvg one two >out.svg
	cat one two | pk-flamesvg >whole.svg
	cmp out.svg whole.svg
	titles out.svg | grep -Fx 'b (5 samples, 83.33%)'
}

@test "the order of the lines does not matter" {
	random_stacks 31 500 | grep -v '\.' >in.folded
	sort -R in.folded >shuffled
	pk-flamesvg in.folded >one.svg
	pk-flamesvg shuffled >two.svg
	cmp one.svg two.svg
}

@test "a stack of 100,000 frames is drawn as far as a viewer can show it" {
	awk 'BEGIN {
		printf "main"
		for (i = 0; i < 100000; i++)
			printf ";f"
		print " 3"
		print "main;g 1"
	}' >deep.folded
	run --separate-stderr -0 pk-flamesvg -o out.svg deep.folded
	[ "$stderr" = "pk-flamesvg: warning: frames deeper than 1000 are left out; the deepest stack has 100001" ]
	xmllint --noout out.svg
	height=$(sed -nE 's/^<svg xmlns.* height="([0-9]+)".*/\1/p' out.svg)
	[ "$height" -lt 17000 ]
	[ "$(titles out.svg | grep -cFx 'f (3 samples, 75.00%)')" -eq 999 ]
	grep -q '<text id="note".*frames deeper than 1000' out.svg
}

@test "nothing is said about depth where nothing would show" {
	awk 'BEGIN {
		printf "main"
		for (i = 0; i < 2000; i++)
			printf ";f"
		print " 1"
		print "main;g 1000000"
	}' >deep.folded
	run --separate-stderr -0 pk-flamesvg -o out.svg deep.folded
	[ -z "$stderr" ]
}

# Names that would break, or break out of, the picture.
hostile_names() {
	local name
	for name in '</title><script>alert(1)</script>' ']]>' '-->' '<!--' \
		'"onload="alert(1)' "' onclick='alert(1)" '&#0' '&amp' '&' \
		'<![CDATA[' '<?xml?>' '<!ENTITY x "y">' 'javascript:alert(1)' \
		$'\001\002\033[31m\177' $'tab\there' $'cr\rhere' \
		$'\377\376' $'\303' $'\303(' $'\355\240\200' $'\360\200\200\200' \
		$'\364\220\200\200' $'\342\200\256bidi' $'\302\205' \
		$'\357\277\276' $'\357\277\277' $'\357\267\220' \
		$'\360\237\277\277' $'caf\303\251' $'\346\227\245\346\234\254' \
		' ' 'a  b' "$(printf 'x%.0s' {1..5000})"; do
		printf 'main;%s 5\n' "$name"
	done
	printf 'main;nul\0here 5\n'
}

@test "any bytes in names, title and subtitle give valid XML" {
	need xmllint libxml2-utils
	hostile_names >in.folded
	for arguments in '' --inverted '--width 300'; do
		pk-flamesvg $arguments --title $'<T> & "\001\377 ]]> --' \
			--subtitle $'\342\200\256\357\277\277</text><script>' \
			--nametype $'"><script>\n' --countname $'a"<\001' \
			in.folded >out.svg
		run -0 xmllint --noout out.svg
		[ -z "$output" ]
	done
}

@test "a script in a name does not become one" {
	hostile_names >in.folded
	pk-flamesvg --title '</title><script>alert(1)</script>' \
		--nametype '"onload="alert(1)' in.folded >out.svg
	[ "$(grep -o '<script' out.svg | wc -l)" -eq 1 ]
	[ "$(grep -o '\]\]>' out.svg | wc -l)" -eq 1 ]
	[ "$(picture out.svg | grep -o '<[a-z][a-z]*' | sort -u | tr '\n' ' ')" = \
		'<g <rect <svg <text <title ' ]
	! picture out.svg | sed 's/>[^<]*</></g' | grep -iE ' on[a-z]+=|href'
}

@test "bytes that cannot be shown are shown as escapes" {
	printf 'a\033[1m 1\nb\377 1\nc\342\200\256x 1\nd\357\277\277 1\n' |
		pk-flamesvg >out.svg
	titles out.svg >titles
	grep -qF 'a\x1b[1m (' titles
	grep -q $'^b\xef\xbf\xbd (' titles
	grep -qF 'c\u{202e}x (' titles
	grep -qF 'd\u{ffff} (' titles
}

@test "labels are cut to the frame, in whole characters" {
	{ for i in 1 2 3 4 5 6 7 8; do
		printf '%sf%dxxxxxxxxxxxxxxxxxxxxxxxxxxx 1\n' $'\303\251\303\251' $i
	done; } | pk-flamesvg >out.svg
	sed -n '/id="labels"/,$p' out.svg | sed -nE 's/^<text x.*>(.*)<.*/\1/p' >labels
	[ "$(wc -l <labels)" -eq 9 ]
	[ "$(grep -c $'^\xc3\xa9\xc3\xa9f[1-8]x*\xe2\x80\xa6$' labels)" -eq 8 ]
	[ "$(wc -L <labels)" -lt 32 ]
}

@test "every frame wide enough for letters has its label without a script" {
	random_stacks 41 200 >in.folded
	pk-flamesvg in.folded >out.svg
	sed -n '/id="labels"/,/<\/svg>/p' out.svg | grep -c '^<text' >labels
	frames out.svg | awk -F '\t' '$3 / 100 * 1200 * 0.98 - 6 >= 3 * 12 * 0.59' |
		wc -l >wide
	cmp labels wide
}

@test "a drawn frame takes at most 0.6 of 227 bytes" {
	awk 'BEGIN {
		srand(1)
		for (i = 0; i < 3000; i++) {
			printf "main"
			for (d = 3 + rand() * 15; d > 0; d--)
				printf ";name::space::function_%d", int(rand() * rand() * 300)
			print "", 1 + int(rand() * 9)
		}
	}' | pk-flamesvg >out.svg
	drawn=$(titles out.svg | wc -l)
	[ "$drawn" -gt 10000 ]
	[ "$(picture out.svg | wc -c)" -le $((drawn * 227 * 6 / 10)) ]
}

@test "input without stacks is one message and no picture" {
	printf '\n\n' >blank
	run --separate-stderr -2 pk-flamesvg -o out.svg blank
	[ ${#stderr_lines[@]} -eq 1 ]
	[ ! -e out.svg ]
	printf 'just text\nmore text\n' >text
	run --separate-stderr -2 pk-flamesvg -o out.svg text
	[ -n "$stderr" ]
	[ ! -e out.svg ]
	echo 'main;a 0' >zero
	run --separate-stderr -2 pk-flamesvg -o out.svg zero
	[ "$stderr" = 'pk-flamesvg: nothing to draw: the values add up to nothing' ]
	[ ! -e out.svg ]
}

@test "lines without a value are counted, the rest is drawn" {
	printf 'main;a 1\nno value\nmain;b x\n\nmain;c 2\n' >in.folded
	run --separate-stderr -0 pk-flamesvg -o out.svg in.folded
	[[ $stderr == 'pk-flamesvg: warning: in.folded: 2 lines without a value skipped'* ]]
	[ ${#stderr_lines[@]} -eq 1 ]
	titles out.svg | grep -Fx 'main (3 samples, 100.00%)'
}

@test "wrong values of options are named" {
	echo 'a 1' >in.folded
	for option in --width=x --width=10 --height=0 --height=1e9 \
		--minwidth=-1 --minwidth=x% --colors=none --minwidth=nan; do
		run --separate-stderr -2 pk-flamesvg "$option" in.folded
		[[ ${stderr_lines[0]} == "pk-flamesvg: ${option%=*}: "*"${option#*=}"* ]] ||
			{ echo "$option: $stderr"; return 1; }
		[ -z "$output" ]
	done
	pk-flamesvg --palette nope in.folded 2>&1 | grep -q 'hot, mem'
}
