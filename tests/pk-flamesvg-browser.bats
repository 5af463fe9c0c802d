#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The picture in a browser: a script that is added to it clicks and types, and
# what the page has become is read.

setup() {
	load helper
	need chromium
	cd "$BATS_TEST_TMPDIR"
	printf 'main;a;b;c 10\nmain;a;b 10\nmain;a;d 20\nmain;e;b 40\nmain;e 20\n' |
		pk-flamesvg >picture.svg
}

# browse FRAGMENT [SCRIPT]: opens picture.svg there, runs SCRIPT when the
# picture's own script has started, and leaves the page in $page. SCRIPT has frame(NAME, N),
# click(ELEMENT), type(TEXT) and key(KEY, OPTIONS).
browse() {
	local profile=$BATS_TEST_TMPDIR/profile
	sed '$d' picture.svg >driven.svg
	cat >>driven.svg <<-END
		<script><![CDATA[
		const frame = (name, n = 0) => [...document.querySelectorAll('#frames rect')]
			.filter(r => r.textContent.startsWith(name + ' ('))[n];
		const click = e => e.dispatchEvent(new MouseEvent('click', {bubbles: true}));
		const field = () => document.querySelector('#search input');
		const type = text => {
			field().value = text;
			field().dispatchEvent(new Event('input', {bubbles: true}));
		};
		const key = (k, options) => document.dispatchEvent(
			new KeyboardEvent('keydown', {key: k, bubbles: true, cancelable: true, ...options}));
		const drive = () => {
			if (!field())
				return setTimeout(drive, 50);
			let say = '';
			try {
				${2:-}
			} catch (e) {
				say = e;
			}
			setTimeout(() => {
				document.documentElement.setAttribute('data-say', say);
				document.documentElement.setAttribute('data-address', location.hash);
				document.documentElement.setAttribute('data-done', 1);
			}, 300);
		};
		drive();
		]]></script>
		</svg>
	END
	# On a busy machine the browser may take the page before it is done.
	for _ in 1 2 3; do
		page=$(timeout 60 chromium --headless --no-sandbox --disable-gpu \
			--disable-quic --no-first-run --disable-background-networking \
			--disable-component-update --disable-sync \
			--user-data-dir="$profile" --window-size="${width:-1200}",800 \
			--virtual-time-budget=10000 --dump-dom \
			"file://$PWD/driven.svg$1" 2>/dev/null)
		[[ $page != *data-done=\"1\"* ]] || break
	done
	[[ $page == *data-done=\"1\"* ]]
	say=$(attribute svg data-say)
	address=$(attribute svg data-address)
}

# attribute TAG NAME: of the first such element.
attribute() {
	grep -oE "<$1[^>]*>" <<<"$page" | head -n 1 |
		sed -nE "s/.* $2=\"([^\"]*)\".*/\1/p" | sed 's/&amp;/\&/g'
}

view() {
	grep -oE 'viewBox="[^"]*"' <<<"$page" | sed -E 's/.*"(.*) 0 (.*) .*"/\1 \2/'
}

# Names of the frames with a class.
frames_of_class() {
	grep -oE "<rect [^>]*class=\"[^\"]*\b$1\b[^>]*><title>[^<]*" <<<"$page" |
		sed -E 's/.*<title>(.*) \(.*/\1/' | sort | tr '\n' ' '
}

text_of() {
	sed -nE "s/.*<text id=\"$1\"[^>]*>([^<]*)<.*/\1/p" <<<"$page" | head -n 1
}

labels() {
	sed -n '/<svg id="labels"/,/<\/svg>/p' <<<"$page" |
		grep -oE '<text [^>]*>[^<]*' | sed 's/.*>//' | sort | tr '\n' ' '
}

@test "at first all is shown, with labels" {
	browse ''
	[ "$(view)" = '0 100' ]
	[ "$(labels)" = 'a all b b c d e main ' ]
	[ -z "$(frames_of_class up)" ]
	[ "$address" = '' ]
}

@test "a click zooms: the frame fills the width, its callers stay, dimmed" {
	browse '' 'click(frame("a"))'
	[ -z "$say" ]
	[ "$(view)" = '0 40' ]
	[ "$(frames_of_class up)" = 'all main ' ]
	[ "$(labels)" = 'a all b c d main ' ]
	[ "$address" = '#x=0&y=2' ]
	[ "$(text_of details)" = 'Function: a (40 samples, 40.00%)' ]
}

@test "a click on what calls it zooms out, and Escape shows all again" {
	browse '' 'click(frame("d")); click(frame("main"));'
	[ "$(view)" = '0 100' ]
	[ "$(frames_of_class up)" = 'all ' ]
	browse '' 'click(frame("d")); key("Escape");'
	[ "$(view)" = '0 100' ]
	[ -z "$(frames_of_class up)" ]
	browse '' 'click(frame("d")); click(document.querySelector("#reset"));'
	[ "$(view)" = '0 100' ]
	[ "$address" = '#' ] || [ -z "$address" ]
}

@test "back goes to the zoom before" {
	browse '' 'click(frame("a")); click(frame("d")); history.back();'
	[ "$(view)" = '0 40' ]
	[ "$address" = '#x=0&y=2' ]
}

@test "a search marks the frames and tells their share, what overlaps once" {
	browse '' 'type("^(a|b|c)$")'
	[ -z "$say" ]
	[ "$(frames_of_class hit)" = 'a b b c ' ]
	[ "$(text_of matched)" = 'Matched: 80.00%' ]
	[ "$address" = '#s=%5E%28a%7Cb%7Cc%29%24' ]
}

@test "a search that is no expression is said, and Escape ends a search" {
	browse '' 'type("(")'
	[ "$(text_of matched)" = 'not a regular expression' ]
	browse '' 'type("b"); field().focus(); field().dispatchEvent(
		new KeyboardEvent("keydown", {key: "Escape", bubbles: true}))'
	[ -z "$(frames_of_class hit)" ]
	[ -z "$(text_of matched)" ]
}

@test "Ctrl-F goes to the field" {
	browse '' 'key("f", {ctrlKey: true}); say = document.activeElement === field()'
	[ "$say" = true ]
}

@test "the address brings zoom and search back" {
	browse '#x=40&y=2&s=b'
	[ "$(view)" = '40 60' ]
	[ "$(frames_of_class up)" = 'all main ' ]
	[ "$(frames_of_class hit)" = 'b b ' ]
	[ "$(text_of matched)" = 'Matched: 60.00%' ]
	browse '?x=0&y=2'
	[ "$(view)" = '0 40' ]
}

@test "an address that fits nothing does no harm" {
	browse '#x=nonsense&y=999&s=%28'
	[ "$(view)" = '0 100' ]
	browse '#x=1e9&y=3&s=%00'
	[ -z "$say" ]
	[ -n "$(view)" ]
}

@test "pointing at a frame tells its value" {
	browse '' 'frame("d").dispatchEvent(new PointerEvent("pointerover", {bubbles: true}))'
	[ "$(text_of details)" = 'Function: d (20 samples, 20.00%)' ]
}

@test "labels are cut to the window that there is" {
	printf 'main;%s 1\nmain;%s 99\n' "$(printf 'long_name_%.0s' {1..9})" z |
		pk-flamesvg >picture.svg
	browse '#x=0&y=2'
	[ "$(labels)" = "all $(printf 'long_name_%.0s' {1..9}) main " ]
}

@test "names full of markup run nothing" {
	printf 'm;%s 1\n' '<img src=x onerror=document.title="ran">' \
		'</title><script>document.title="ran"</script>' ']]>' |
		pk-flamesvg --title '<script>document.title="ran"</script>' \
			--nametype '<script>document.title="ran"</script>' >picture.svg
	browse '#s=%3Cscript' 'click(frame("m", 0))
		frame("]]" + ">").dispatchEvent(new PointerEvent("pointerover", {bubbles: true}))
		say = document.title'
	[[ $say != ran ]]
	[ "$(grep -o '<script' <<<"$page" | wc -l)" -eq 2 ]
	[ "$(text_of matched)" = 'Matched: 33.33%' ]
}

@test "a narrow window has labels and a search, too" {
	width=700 browse '#s=%5Ee%24'
	[ "$(text_of matched)" = 'Matched: 60.00%' ]
	[ "$(labels)" = "$(labels | sed 's/…//')" ]
	[ -n "$(labels)" ]
}
