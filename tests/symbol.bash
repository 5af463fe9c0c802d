# SPDX-License-Identifier: MIT
# What tests/symbol*.bats share, behind helper.bash.

unit=$PK_BUILDDIR/tests/unit

lookup() {
	"$unit/symbol_lookup" "$@"
}

# some_addresses FILE N: about N addresses spread over FILE's code, without
# the padding and the C library's start files: they have no lines, but
# eu-addr2line gives them those of the code before.
some_addresses() {
	objdump -d --no-show-raw-insn -j .text "$1" |
		awk -v n="$2" '
			/^[0-9a-f]+ <.*>:$/ {
				start = $2 ~ /^<(_start|(de)?register_tm_clones|__do_global_dtors_aux|frame_dummy)>/
			}
			/^ *[0-9a-f]+:\t/ && !start && !/nop|xchg   %ax,%ax/ {
				sub(":", "", $1)
				a[c++] = $1
			}
			END { step = int(c / n) + 1
			      for (i = 0; i < c; i += step) print a[i] }'
}

# address_of FILE SYMBOL: in hexadecimal, without leading zeros.
address_of() {
	nm "$1" | awk -v name="$2" '$3 == name { sub("^0+", "", $1); print $1 }'
}

# Frames as `ADDRESS NAME FILE:LINE`, the outermost one's name as `=`: there
# the symbol table's is shown, which differs from DWARF's on purpose. Without
# a line, no file either.
shorten='
function path(p) {
	gsub("/\\./", "/", p)
	while (sub("/[^/.]+/\\.\\./", "/", p)) {}
	return p
}
function show(address, name, where) {
	if (where ~ /:[0?]+$/ || where == "") where = "-"
	print address, name, path(where)
}'

our_frames() {
	awk -F'\t' "$shorten"' NF == 4 {
		show($1, $2 == "i" ? $3 : "=", $4) }'
}

# eu-addr2line and llvm-symbolizer print the address, then for each frame
# the name and the place.
their_frames() {
	awk "$shorten"'
	function flush(i) {
		for (i = 1; i <= n; i++)
			show(address, i < n ? name[i] : "=", where[i])
		n = 0
	}
	/^0x/ { flush(); address = $1; sub("^0x0*", "", address); next }
	$0 == "" { next }
	!half { sub(" inlined at .*", ""); name[n + 1] = $0; half = 1; next }
	{
		sub(" .discriminator.*", "")
		if (/:[0-9]+:[0-9]+$/) # eu-addr2line has the column, too
			sub(":[0-9]+$", "")
		where[++n] = $0
		half = 0
	}
	END { flush() }'
}

# frames_of ORACLE FILE: ours and theirs at 500 addresses.
frames_of() {
	some_addresses "$2" 500 >addresses
	[ "$(wc -l <addresses)" -gt 300 ]
	lookup "$2" <addresses | our_frames >ours
	sed 's/^/0x/' addresses >hex
	case $1 in
	eu) eu-addr2line -e "$2" -a -i -f <hex ;;
	llvm) llvm-symbolizer -e "$2" -a -i -f --no-demangle \
		--output-style=GNU <hex ;;
	esac | their_frames >theirs
	[ "$(grep -vc ' = ' theirs)" -gt 200 ]
}

same_as() {
	frames_of "$@"
	diff theirs ours
}

# split_debug [FLAG...]: prog, stripped, and prog.debug; $addr is in main.
split_debug() {
	cat >prog.c <<-'EOF'
	static inline int twice(int x) { return x * 2; }
	int main(int argc, char **argv)
	{
		(void)argv;
		return twice(argc);
	}
	EOF
	$CC -O1 -g prog.c -o prog "$@"
	addr=$(address_of prog main)
	id=$(readelf -n prog | sed -n 's/.*Build ID: //p')
	objcopy --only-keep-debug prog prog.debug
	strip prog
}

# named FILE [OPTION...]: the function at $addr in the module FILE.
named() {
	local file=$1
	shift
	echo "$addr" | lookup "$@" "$PWD/$file" >out
	head -1 out | cut -f3
}

# Puts prog.debug under DIR as a package of debug symbols would.
install_debug() {
	mkdir -p "$1/.build-id/${id:0:2}"
	cp prog.debug "$1/.build-id/${id:0:2}/${id:2}.debug"
}

# capture_of PATH ADDR [BUILDID]: a capture of one sample at that address.
capture_of() {
	printf '%s\n' 'pk-capture 1' 'event 1 ns 1 c' 'proc 0 1 0 start p' \
		"mod 1 ${3:--} v $1" "f 1 0 1 $2" 's 0 1 1 0 1 1 1' end
}
