#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Debug information from debuginfod servers on the loopback interface: a real
# one, and some that misbehave.

setup() {
	load helper
	load symbol
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	[ -z "${server:-}" ] || kill "$server" 2>/dev/null || true
}

# in_cache COMMAND...: with a debuginfod cache of the test's own.
in_cache() {
	env DEBUGINFOD_CACHE_PATH="$PWD/cache" HOME="$PWD" "$@"
}

# start_python NAME: serve.py as a server that misbehaves as NAME says; sets
# $url when it listens.
start_python() {
	need python3
	cat >serve.py <<-'END'
	import http.server, sys, time
	how, debug = sys.argv[1:]

	class Handler(http.server.BaseHTTPRequestHandler):
	    def do_GET(self):
	        print(self.path, file=open('asked', 'a'), flush=True)
	        if how == 'silent':
	            time.sleep(60)
	            return
	        if how == 'broken':
	            self.connection.close()
	            return
	        if how in ('endless', 'huge'):
	            self.send_response(200)
	            if how == 'huge':
	                self.send_header('Content-Length', str(2 ** 31 + 1))
	            self.end_headers()
	            try:
	                while True:
	                    self.wfile.write(bytes(1 << 16))
	                    time.sleep(0.001 if how == 'endless' else 1)
	            except OSError:
	                return
	        data = open(debug, 'rb').read()
	        self.send_response(200)
	        self.send_header('Content-Length', str(len(data)))
	        self.end_headers()
	        pause = 3 if how == 'slow' else 0
	        for part in data[:2048], data[2048:]:
	            self.wfile.write(part)
	            self.wfile.flush()
	            time.sleep(pause)
	    def log_message(self, *args):
	        pass

	s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
	print(s.server_address[1], file=open('port', 'w'), flush=True)
	s.serve_forever()
	END
	python3 serve.py "$1" "${2:-prog.debug}" 3>&- 2>serve.log &
	server=$!
	for ((i = 0; i < 100; i++)); do
		[ ! -s port ] || break
		sleep 0.05
	done
	url=http://127.0.0.1:$(cat port)
}

@test "debug information is fetched from a debuginfod server" {
	local port
	need debuginfod
	need python3
	split_debug
	mkdir debug
	mv prog.debug debug/
	port=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	debuginfod -p "$port" -d :memory: -F debug -t 0 -g 0 3>&- \
		>server.log 2>&1 &
	server=$!
	capture_of "$PWD/prog" "$addr" "$id" >a.pkc
	export DEBUGINFOD_URLS="http://127.0.0.1:$port"
	# until it has indexed the file
	timeout 30 python3 -c 'import sys, time, urllib.request
while True:
    try:
        urllib.request.urlopen(sys.argv[1]).read()
        break
    except OSError:
        time.sleep(0.05)' "$DEBUGINFOD_URLS/buildid/$id/debuginfo"
	in_cache pk-fold a.pkc >folded 2>said
	[ "$(cat folded)" = 'p;main;twice 1' ]
	[ ! -s said ]
	[ -s "cache/$id/debuginfo" ]
	# and only if it may be
	rm -r cache
	in_cache pk-fold --no-debuginfod a.pkc >folded 2>said
	[ "$(cat folded)" = 'p;[prog] 1' ]
	[ ! -e cache ]
	unset DEBUGINFOD_URLS
	in_cache pk-fold a.pkc >folded 2>said
	[ "$(cat folded)" = 'p;[prog] 1' ]
	[ ! -e cache ]
}

@test "without DEBUGINFOD_URLS, or with --no-debuginfod, nobody is asked" {
	split_debug
	start_python good
	capture_of "$PWD/prog" "$addr" "$id" >a.pkc
	DEBUGINFOD_URLS=$url in_cache env LD_DEBUG=files pk-fold \
		--no-debuginfod a.pkc 2>loads
	grep -q libdw loads
	run ! grep -q libdebuginfod loads
	in_cache env LD_DEBUG=files pk-fold a.pkc 2>loads
	run ! grep -q libdebuginfod loads
	DEBUGINFOD_URLS=" " in_cache env LD_DEBUG=files pk-fold a.pkc 2>loads
	run ! grep -q libdebuginfod loads
	[ ! -e asked ]
	DEBUGINFOD_URLS=$url in_cache env LD_DEBUG=files pk-fold a.pkc 2>loads
	grep -q libdebuginfod loads
	[ -s asked ]
}

@test "what a debuginfod server sends is used only with the right build id" {
	split_debug
	echo 'int main(void) { return 0; }' | $CC -g -x c - -o other
	start_python good other
	capture_of "$PWD/prog" "$addr" "$id" >a.pkc
	run --separate-stderr -0 in_cache env DEBUGINFOD_URLS="$url" \
		pk-fold a.pkc
	[ "$output" = 'p;[prog] 1' ]
	[ -s asked ]
	[[ $stderr == *"$PWD/cache/$id/debuginfo, which the debuginfod servers sent, is not the debug information of prog: remove it, or give --no-debuginfod"* ]]
}

@test "garbage that a debuginfod server sends is said once" {
	two_modules
	echo garbage >other
	start_python good other
	run --separate-stderr -0 in_cache env DEBUGINFOD_URLS="$url" \
		pk-fold a.pkc
	[ "$output" = 'p;[prog] 2' ]
	[ "$(wc -l <asked)" -eq 2 ]
	[ "$(grep -c 'which the debuginfod servers sent' <<<"$stderr")" -eq 1 ]
}

@test "debug information that never ends is not fetched any further" {
	two_modules
	start_python endless
	run --separate-stderr -0 in_cache env DEBUGINFOD_URLS="$url" \
		DEBUGINFOD_MAXSIZE=3000000 timeout 20 pk-fold a.pkc
	[ "$output" = 'p;[prog] 2' ]
	[[ $stderr == *"the debug information of prog is larger than 3000000 bytes, and the debuginfod servers are not asked any more: a larger DEBUGINFOD_MAXSIZE fetches it"* ]]
	[ "$(wc -l <asked)" -eq 1 ]
	[ "$(du -sk cache | cut -f1)" -lt 100 ]
}

@test "debug information of more than 2 GB is not fetched, and said once" {
	two_modules
	start_python huge
	run --separate-stderr -0 in_cache env DEBUGINFOD_URLS="$url" \
		timeout 20 pk-fold a.pkc
	[ "$output" = 'p;[prog] 2' ]
	[ "$(grep -c 'is larger than' <<<"$stderr")" -eq 1 ]
	[[ $stderr == *"the debug information of prog is larger than 2147483648 bytes, and is not fetched: a larger DEBUGINFOD_MAXSIZE fetches it"* ]]
	[ "$(wc -l <asked)" -eq 2 ]
}

@test "fetching shows on a terminal how much there is, and no more than that" {
	split_debug
	start_python slow
	capture_of "$PWD/prog" "$addr" "$id" >a.pkc
	in_cache env DEBUGINFOD_URLS="$url" script -qec \
		"pk-fold -o folded a.pkc" /dev/null </dev/null >said
	[ "$(cat folded)" = 'p;main;twice 1' ]
	tr '\r' '\n' <said >lines
	grep -q '^pk-fold: fetching debug information of prog: 2 KB' lines
	# the line is taken away again
	[ "$(tail -1 lines)" = $'\033[K' ]
	rm -r cache
	run --separate-stderr -0 in_cache env DEBUGINFOD_URLS="$url" \
		pk-fold a.pkc
	[ "$output" = 'p;main;twice 1' ]
	[ -z "$stderr" ]
}

# two_modules: a.pkc has samples in prog and in a copy with another build id.
two_modules() {
	split_debug
	printf '%s\n' 'pk-capture 1' 'event 1 ns 1 c' 'proc 0 1 0 start p' \
		"mod 1 $id v $PWD/prog" "mod 2 aa$id v $PWD/prog" \
		"f 1 0 1 $addr" "f 2 0 2 $addr" 's 0 1 1 0 1 1 1' \
		's 0 1 1 0 1 1 2' end >a.pkc
}

@test "a debuginfod server that is down is said once and asked once" {
	two_modules
	run --separate-stderr -0 in_cache env \
		DEBUGINFOD_URLS=http://127.0.0.1:9 timeout 20 pk-fold a.pkc
	[ "$output" = 'p;[prog] 2' ]
	[ "$(grep -c debuginfod <<<"$stderr")" -eq 1 ]
	[[ $stderr == *"the debuginfod servers (http://127.0.0.1:9) are not asked any more: Connection refused; --no-debuginfod does not ask"* ]]
}

@test "a debuginfod server that never answers is given up after a while" {
	two_modules
	start_python silent
	run --separate-stderr -0 in_cache env DEBUGINFOD_URLS="$url" \
		DEBUGINFOD_TIMEOUT=2 timeout 20 pk-fold a.pkc
	[ "$output" = 'p;[prog] 2' ]
	[ "$(grep -c debuginfod <<<"$stderr")" -eq 1 ]
	[[ $stderr == *"nothing came from the debuginfod servers ($url) for 2 s"* ]]
	[ "$(wc -l <asked)" -eq 1 ]
}

@test "an interrupt while fetching ends that, and the stacks are folded" {
	local pid i
	two_modules
	start_python silent
	env --default-signal=INT DEBUGINFOD_CACHE_PATH="$PWD/cache" \
		DEBUGINFOD_URLS="$url" pk-fold a.pkc >folded 2>said 3>&- &
	pid=$!
	for ((i = 0; i < 100; i++)); do
		[ ! -s asked ] || break
		sleep 0.05
	done
	[ -s asked ]
	kill -INT $pid
	wait $pid
	[ "$(cat folded)" = 'p;[prog] 2' ]
	grep -q 'interrupted: no more debug information is fetched' said
	[ "$(wc -l <asked)" -eq 1 ]
}

@test "that libdebuginfod is missing is said where servers are named" {
	split_debug
	capture_of "$PWD/prog" "$addr" "$id" >a.pkc
	mkdir empty
	: >empty/libdebuginfod.so.1
	run --separate-stderr -0 env LD_LIBRARY_PATH="$PWD/empty" pk-fold a.pkc
	[[ $stderr != *libdebuginfod* ]]
	run --separate-stderr -0 env LD_LIBRARY_PATH="$PWD/empty" \
		DEBUGINFOD_URLS=http://127.0.0.1:9 pk-fold a.pkc
	[ "$output" = 'p;[prog] 1' ]
	[[ $stderr == *"DEBUGINFOD_URLS is set, but libdebuginfod.so.1 is missing: install it (on Debian libdebuginfod1), or give --no-debuginfod"* ]]
}
