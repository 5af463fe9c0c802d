# SPDX-License-Identifier: MIT
# Records as perf script -D shows them, and as tests/unit/perf_dump does, in
# one form, so that the two can be compared line by line:
#
#	perf script -D -i FILE | awk -f perf-records.awk
#	perf_dump FILE | awk -v ours=1 -v cpu=... -f perf-records.awk
#
# Times are 0 where there are none. perf shows no value for a processor it does
# not know, no dump's bytes (grep -v them away) and no own time of a task.

function flush_line() {
	if (line != "")
		print line
	line = ""
}

function hex(s) {
	sub(/^0x/, "", s)
	sub(/^0+/, "", s)
	return s == "" ? "0" : s
}

function after(key,    s) {
	s = " " $0 " "
	if (!match(s, " " key "[^ ]* "))
		return ""
	return substr(s, RSTART + length(key) + 1, RLENGTH - length(key) - 2)
}

# ---- ours

ours && $1 == "event" { next }
ours {
	time = $2 == "-" ? 0 : $2
	if ($1 == "sample") {
		who = $3 "/" $4
		gsub(/-/, "-1", who)
		line = "sample " time " " who " " after("mode=") " " \
			after("ip=") " " after("period=") " " after("addr=")
		n = split(after("chain="), chain, ",")
		line = line " chain"
		for (i = 1; i <= n; i++)
			line = line " " chain[i]
		n = split(after("regs="), regs, ",")
		for (i = 1; i <= n; i++)
			line = line " r" regs[i]
		if ((stack = after("stack=")) != "") {
			split(stack, part, "[/:]")
			line = line " stack " part[1]
		}
	} else if ($1 == "mmap") {
		path = $0
		sub(/.* id=[^ ]* /, "", path)
		split(after("file="), file, ":")
		id = after("id=")
		where = id == "" ? file[3] " " file[4] : "<" id ">"
		if (after("prot=") == "0" && id == "")
			where = ""
		line = "mmap " time " " ($6 == "-" ? "-1" : $6) "/" $7 " " \
			after("addr=") " " after("len=") " " \
			after("pgoff=") " " where " " path
	} else if ($1 == "comm") {
		name = $0
		sub(/.* exec=[01] /, "", name)
		line = "comm " time " " after("exec=") " " name ":" $6 "/" $7
	} else if ($1 == "fork" || $1 == "exit") {
		parent = after("parent=")
		line = $1 " " time " " $6 ":" $7 " " parent ":" $NF
	} else if ($1 == "other") {
		line = "other " time " " after("type=")
	} else
		line = $1 " " time
	flush_line()
	next
}

# ---- perf's

match($0, /^[-0-9 ]*[0-9a-fx]+ \[0x[0-9a-f]+\]: PERF_RECORD_/) {
	flush_line()
	n = split(substr($0, 1, RSTART + RLENGTH), word, " ")
	time = n > 3 ? word[n - 3] : 0
	rest = substr($0, RSTART + RLENGTH)
	kind = rest
	sub(/[^A-Z0-9_].*/, "", kind)
	sub(/^[A-Z0-9_]*/, "", rest)
	if (kind == "SAMPLE") {
		split(rest, f, /[(), ]+/)
		mode = f[3]
		sub(/:$/, "", mode)
		split(rest, g, /: */)
		split(g[3], h, " ")
		m = substr(mode, length(mode)) + 0
		ip = h[1]
		period = addr = rest
		sub(/.* period: /, "", period)
		sub(/ .*/, "", period)
		sub(/.* addr: /, "", addr)
		line = "sample " time " " g[2] " " m " " hex(ip) " " period \
			" " hex(addr) " chain"
	} else if (kind ~ /^MMAP2?$/) {
		match(rest, /[-0-9]+\/[-0-9]+/)
		who = substr(rest, RSTART, RLENGTH)
		match(rest, /\[.*\]: [^ ]+ /)
		map = substr(rest, RSTART, RLENGTH)
		path = substr(rest, RSTART + RLENGTH)
		split(map, f, /[][()@: ]+/)
		where = ""
		if (match(map, /<.*>/))
			where = substr(map, RSTART, RLENGTH)
		else if (kind == "MMAP2")
			where = f[7] " " f[8]
		line = "mmap " time " " who " " hex(f[2]) " " hex(f[3]) " " \
			hex(f[4]) " " where " " path
	} else if (kind == "COMM") {
		exec = sub(/^ exec: /, "", rest)
		sub(/^: /, "", rest)
		line = "comm " time " " exec " " rest
	} else if (kind == "FORK" || kind == "EXIT") {
		gsub(/[()]/, " ", rest)
		split(rest, f, " ")
		line = tolower(kind) " " time " " f[1] " " f[3]
	} else if (kind ~ /^SWITCH/)
		line = "other " time " " (kind == "SWITCH" ? 14 : 15)
	else if (kind == "NAMESPACES")
		line = "other " time " 16"
	else if (kind ~ /^(UN)?THROTTLE$/)
		line = tolower(kind) " " time
	else if (kind ~ /^LOST/)
		line = "lost " time
	else if (kind == "KSYMBOL")
		line = "ksymbol " time
	else if (kind ~ /^(BPF_EVENT|CGROUP)$/)
		line = "other " time " " (kind == "CGROUP" ? 19 : 18)
	next
}
line ~ /^sample/ && /^\.\.\.\.\. +[0-9]+: [0-9a-f]+$/ {
	line = line " " hex($3)
}
line ~ /^sample/ && /^\.\.\.\. [A-Z0-9]+ +0x[0-9a-f]+$/ {
	line = line " r" hex($3)
}
line ~ /^sample/ && /^\.\.\. ustack: size/ {
	stack_size = $4 + 0
	line = line " stack " stack_size
}
END { flush_line() }
