// SPDX-License-Identifier: MIT
// Zoom, search and details for a picture that is complete without them.
// Frames are the rects of #frames, whose viewBox is all that a zoom changes;
// labels are made anew for what shows. The state is in the address: y is the
// level and x the left edge of the frame zoomed to, s the search.
(() => {
'use strict';
const svgNS = 'http://www.w3.org/2000/svg', htmlNS = 'http://www.w3.org/1999/xhtml';
const root = document.documentElement.localName === 'svg' ?
	document.documentElement : document.querySelector('svg');
const find = id => root.querySelector('#' + id);
const frames = find('frames'), labels = find('labels'), details = find('details');
const height = frames.viewBox.baseVal.height;
const nameType = root.dataset.nameType;
let levels, view, hits, term = '', bar, widths, fontSize;

const make = (name, attributes, parent) => {
	const e = document.createElementNS(svgNS, name);
	for (const key in attributes)
		e.setAttribute(key, attributes[key]);
	if (parent)
		parent.append(e);
	return e;
};
const titleOf = rect => rect.firstChild.textContent;
const nameOf = rect => titleOf(rect).replace(/ \([-\d](?:(?! \([-\d]).)*\)$/s, '');
const number = (e, name) => +e.getAttribute(name);

// One entry a level, outermost first; frames from left to right.
function readLevels() {
	levels = [...frames.children].map((g, depth) => {
		const rects = [...g.children];
		rects.forEach(r => r.depth = depth);
		return {
			g, rects,
			x: Float64Array.from(rects, r => number(r, 'x')),
			w: Float64Array.from(rects, r => number(r, 'width')),
			labels: labels.children[depth],
		};
	});
	view = {x: 0, w: 100, depth: 0};
}

// The last frame of a level that begins at x or left of it.
function indexAt(level, x) {
	let low = 0, high = level.x.length;
	while (low < high) {
		const mid = (low + high) >> 1;
		if (level.x[mid] <= x)
			low = mid + 1;
		else
			high = mid;
	}
	return low - 1;
}

// Letters differ in width; each is measured once, in the labels' font.
function measure() {
	let ascii = '';
	for (let c = 33; c < 127; c++)
		ascii += String.fromCharCode(c);
	const text = make('text', {}, labels);
	text.textContent = ascii + '\u2026';
	widths = {};
	[...text.textContent].forEach((c, i) => widths[c] = text.getSubStringLength(i, 1));
	text.remove();
	fontSize = widths.M * 1.2;
	widths[' '] = widths.i;
}

function fit(name, room) {
	const more = widths['\u2026'];
	let used = 0, keep = 0, at = 0;
	for (const c of name) {
		used += widths[c] || fontSize;
		at += c.length;
		if (used > room)
			return keep > 1 ? name.slice(0, keep) + '\u2026' : '';
		if (used + more <= room)
			keep = at;
	}
	return name;
}

// What to write into a level's frames that show: pairs of x and text.
function labelsOf(level, pixels) {
	const list = [], least = 3 * widths.i + 6, end = view.x + view.w;
	for (let i = Math.max(0, indexAt(level, view.x)); i < level.x.length && level.x[i] < end; i++) {
		const from = Math.max(level.x[i], view.x), to = Math.min(level.x[i] + level.w[i], end);
		const room = (to - from) / view.w * pixels - 6;
		if (room < least)
			continue;
		const text = fit(nameOf(level.rects[i]), room);
		if (text)
			list.push([(from - view.x) / view.w * 100, text]);
	}
	return list;
}

function drawLabels() {
	const pixels = labels.width.baseVal.value;
	for (const level of levels) {
		const list = labelsOf(level, pixels), old = level.labels.children;
		list.forEach(([x, text], i) => {
			const e = old[i] || make('text', {}, level.labels);
			e.setAttribute('x', x + '%');
			if (e.textContent !== text)
				e.textContent = text;
		});
		while (old.length > list.length)
			old[old.length - 1].remove();
	}
}

const zoomed = () => view.depth > 0;

// In the line at the bottom: a frame, or the one that fills the picture.
function describe(rect) {
	if (!rect && zoomed())
		rect = levels[view.depth].rects[indexAt(levels[view.depth], view.x)];
	details.textContent = rect ? `${nameType} ${titleOf(rect)}` : '';
}

function zoom(rect) {
	for (const e of frames.querySelectorAll('.up'))
		e.classList.remove('up');
	view = {x: number(rect, 'x'), w: number(rect, 'width'), depth: rect.depth};
	frames.setAttribute('viewBox', `${view.x} 0 ${view.w} ${height}`);
	for (const level of levels.slice(0, view.depth))
		level.rects[indexAt(level, view.x)].classList.add('up');
	bar.reset.classList.toggle('off', !zoomed());
	describe(null);
	drawLabels();
}

// Share of the whole under matching frames; those below another count once.
function share(rects) {
	const spans = rects.map(r => [number(r, 'x'), number(r, 'width')]).sort((a, b) => a[0] - b[0]);
	let sum = 0, end = 0;
	for (const [x, w] of spans) {
		sum += Math.max(0, x + w - Math.max(x, end));
		end = Math.max(end, x + w);
	}
	return sum;
}

function search(text) {
	let expression = null;
	term = text;
	for (const r of hits || [])
		r.classList.remove('hit');
	hits = [];
	frames.classList.remove('searched');
	bar.matched.textContent = '';
	if (!text)
		return;
	try {
		expression = new RegExp(text);
	} catch (e) {
		bar.matched.textContent = 'not a regular expression';
		return;
	}
	for (const level of levels.slice(1))
		for (const r of level.rects)
			if (expression.test(nameOf(r)))
				hits.push(r);
	for (const r of hits)
		r.classList.add('hit');
	frames.classList.add('searched');
	bar.matched.textContent = `Matched: ${share(hits).toFixed(2)}%`;
}

// The address, as far as the viewer lets a picture have one.
function state() {
	const from = s => new URLSearchParams(s.slice(1));
	const fragment = from(location.hash);
	return fragment.has('x') || fragment.has('s') ? fragment : from(location.search);
}

function remember(push) {
	const s = new URLSearchParams();
	if (zoomed()) {
		s.set('x', view.x);
		s.set('y', view.depth);
	}
	if (term)
		s.set('s', term);
	try {
		history[push ? 'pushState' : 'replaceState'](null, '', '#' + s);
	} catch (e) {
		// A picture inside another page may not change the address.
	}
}

function restore() {
	const s = state(), level = levels[+s.get('y')] || levels[0];
	const rect = level.rects[Math.max(0, indexAt(level, +s.get('x')))];
	zoom(rect);
	bar.input.value = s.get('s') || '';
	search(bar.input.value);
}

function button(id, text, x, action) {
	const e = make('text', {id, x, y: 23, class: 'button', role: 'button', tabindex: 0}, root);
	e.textContent = text;
	e.addEventListener('click', action);
	e.addEventListener('keydown', event => {
		if (event.key === 'Enter' || event.key === ' ')
			action();
	});
	return e;
}

function reset() {
	if (!zoomed())
		return;
	zoom(levels[0].rects[0]);
	remember(true);
}

function makeBar() {
	const box = make('foreignObject', {id: 'search', y: 7, height: 24}, root);
	const input = document.createElementNS(htmlNS, 'input');
	input.type = 'search';
	input.placeholder = 'Search (regular expression)';
	input.setAttribute('aria-label', 'Search frames by regular expression');
	box.append(input);
	input.addEventListener('input', () => {
		search(input.value);
		remember(false);
	});
	bar = {
		box, input,
		reset: button('reset', 'Reset Zoom', '1%', reset),
		matched: make('text', {id: 'matched', y: 23}, root),
	};
	bar.reset.classList.add('off');
}

const narrow = () => root.width.baseVal.value < 900;

// In a picture taller than the window, which opens where the root is, the bar
// and the details stay in sight.
function place() {
	const natural = root.height.baseVal.value, width = root.width.baseVal.value;
	const bottom = Math.min(natural, window.scrollY + window.innerHeight);
	details.previousSibling.setAttribute('transform', `translate(0,${bottom - natural})`);
	details.setAttribute('transform', `translate(0,${bottom - natural})`);
	const search = Math.min(220, width * 0.25);
	const top = Math.max(0, Math.min(window.scrollY, natural - 80));
	bar.box.setAttribute('y', 7 + top);
	bar.matched.setAttribute('y', (narrow() ? 43 : 23) + top);
	bar.reset.setAttribute('y', (narrow() ? 43 : 23) + top);
	bar.box.setAttribute('x', width * 0.99 - search);
	bar.box.setAttribute('width', search);
	bar.matched.setAttribute('x', width * 0.99 - search - 10);
}

function listen() {
	const frameOf = event => event.target.closest('#frames rect');
	frames.addEventListener('click', event => {
		const rect = frameOf(event);
		if (!rect)
			return;
		zoom(rect);
		remember(true);
	});
	frames.addEventListener('pointerover', event => describe(frameOf(event)));
	frames.addEventListener('pointerleave', () => describe(null));
	document.addEventListener('keydown', event => {
		if ((event.ctrlKey || event.metaKey) && event.key === 'f' || event.key === '/' && event.target !== bar.input) {
			event.preventDefault();
			bar.input.focus();
			bar.input.select();
		} else if (event.key === 'Escape' && bar.input.value && event.target === bar.input) {
			bar.input.value = '';
			search('');
			remember(false);
		} else if (event.key === 'Escape') {
			reset();
		}
	});
	window.addEventListener('popstate', restore);
	window.addEventListener('scroll', place, {passive: true});
	window.addEventListener('resize', () => requestAnimationFrame(() => {
		place();
		drawLabels();
	}));
}

function start() {
	readLevels();
	measure();
	makeBar();
	details.before(make('rect', {id: 'shelf', width: '100%', height: 26, y: root.height.baseVal.value - 26}));
	listen();
	root.classList.add('live');
	if (root.dataset.up)
		window.scrollTo(0, root.height.baseVal.value);
	place();
	restore();
}

// The picture first: it shows before the script looks at it.
requestAnimationFrame(() => setTimeout(start));
})();
