# SPDX-License-Identifier: MIT
# Writes a C file that holds text files as strings; the names come first:
# awk -f embed.awk svg_style svg_script flamegraph.css flamegraph.js
# Indentation, comment lines and empty lines are left out: they would travel
# with every picture.

BEGIN {
	for (i = 1; i <= ARGC / 2; i++) {
		name[i] = ARGV[i]
		ARGV[i] = ""
	}
	print "#include \"svg/assets.h\""
}

function close_string() {
	if (files)
		print "\t;"
}

FNR == 1 {
	close_string()
	printf "\nconst char %s[] =\n", name[++files]
}

/\]\]>/ {
	print FILENAME ": holds the end of a CDATA section" > "/dev/stderr"
	failed = 1
	exit
}

{
	sub(/^[ \t]+/, "")
}

/^\/\// || /^\/\*.*\*\/$/ || /^$/ {
	next
}

{
	gsub(/\\/, "&&")
	gsub(/"/, "\\\"")
	# A trigraph must not come to be.
	gsub(/\?/, "\\?")
	printf "\t\"%s\\n\"\n", $0
}

END {
	close_string()
	exit failed
}
