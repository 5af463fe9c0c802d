#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Where pk-sample finds call-frame information: stacks of programs that hide
# it, through pk-fold.

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
	need_profiling
	levels='level_12;level_11;level_10;level_9;level_8;level_7;level_6'
	levels+=';level_5;level_4;level_3;level_2;level_1'
}

# nested FLAG...: without .eh_frame and frame pointers, and with .debug_frame;
# prints its path.
nested() {
	build_program nested -O2 -g -fomit-frame-pointer \
		-fno-asynchronous-unwind-tables -fno-unwind-tables "$@"
}

# split PROGRAM [OBJCOPY-FLAG...]: prog, without debug information but with
# symbols, and what it lost in prog.debug, which its debug link names.
split() {
	local program=$1
	shift
	objcopy --only-keep-debug "$@" "$program" prog.debug
	strip -g -o prog "$program"
	objcopy --add-gnu-debuglink=prog.debug prog
}

# whole COMMAND...: percent of the program's samples, whatever it is called,
# whose stack goes from _start through all levels; without those of its start
# by the kernel and ld.so and of its end.
whole() {
	pk-sample -F 1000 -o a.pkc "$@"
	pk-fold a.pkc >folded
	tail -n 5 folded >&2
	PATTERN="^[^;]*;_start;.*;main;$levels" awk '
		/;(_dl_start|__x64_sys_execve|__x64_sys_exit_group)[; ]/ { next }
		/^(nested|packed|bare|prog);/ {
			all += $NF
			if ($0 ~ ENVIRON["PATTERN"]) whole += $NF
		}
		END { if (all < 100) exit 1; printf "%d\n", 100 * whole / all }' \
		folded
}

@test "code with .debug_frame only is unwound, compressed or not" {
	need objcopy binutils
	program=$(nested)
	[ "$(whole "$program" 0.2)" -ge 97 ]
	objcopy --compress-debug-sections=zlib "$program" packed
	readelf -SW packed | grep -q '\.debug_frame .* C '
	[ "$(whole ./packed 0.2)" -ge 97 ]
	strip -g -o bare "$program"
	[ "$(whole ./bare 0.2)" -le 3 ]
}

@test ".debug_frame is used beside .eh_frame without a search table" {
	need readelf binutils
	# ld makes none when there are rows it does not understand.
	$CC -O2 -c -o odd.o -DODD=unknown_op -DUNKNOWN_OPS \
		"$PK_SRCDIR/tests/programs/oddframes.c"
	program=$(nested "$PWD/odd.o")
	run -0 "$PK_BUILDDIR/tests/unit/unwind_elf" "$program"
	offset=$((0x$(sed -n 's/^hdr \([^ ]*\) .*/\1/p' <<<"$output")))
	[ "$(od -An -tx1 -j $((offset + 2)) -N 2 "$program")" = " ff ff" ]
	[ "$(whole "$program" 0.2)" -ge 97 ]
}

@test ".debug_frame is found through the debug link, compressed or not" {
	need objcopy binutils
	# by its checksum, and by the build id both have
	for id in none sha1; do
		program=$(nested -Wl,--build-id=$id)
		for how in --decompress-debug-sections \
			--compress-debug-sections=zlib; do
			split "$program" $how
			[ "$(whole ./prog 0.2)" -ge 97 ]
		done
		readelf -SW prog.debug | grep -q '\.debug_frame .* C '
		rm -rf .debug
		mkdir .debug
		mv prog.debug .debug
		[ "$(whole ./prog 0.2)" -ge 97 ]
	done
}

@test "a separate file that is another's is not used" {
	need objcopy binutils
	for id in none sha1; do
		program=$(nested -Wl,--build-id=$id)
		split "$program"
		# The same rows under another checksum or build id: they would
		# do, and must not.
		objcopy --add-section .extra="$program" prog.debug other
		other=$(nested -Wl,--build-id=$id -DOTHER_$id -Wl,-z,norelro)
		[ $id = none ] || objcopy --only-keep-debug "$other" other
		cp other prog.debug
		[ "$(whole ./prog 0.2)" -le 3 ]
	done
	# Nor one that a link leads to in another folder.
	split "$(nested -Wl,--build-id=none)"
	sed -i 's|prog\.debug|d/og.debug|' prog
	mkdir d
	mv prog.debug d/og.debug
	[ "$(whole ./prog 0.2)" -le 3 ]
}

@test "a separate file that is damaged or no file at all does no harm" {
	need objcopy binutils
	program=$(nested)
	split "$program" --compress-debug-sections=zlib
	cp prog.debug good
	size=$(stat -c %s good)
	offset=$((0x$(readelf -SW good | awk '$2 == ".debug_frame" { print $5 }
		$3 == ".debug_frame" { print $6 }')))
	head -c $((size / 2)) good >prog.debug
	[ "$(whole ./prog 0.2)" -le 3 ]
	# the kind of compression, the size unpacked as 2^32 and more and as a
	# little more than it is, the compressed bytes
	for what in '0 \377' '8 \377\377\377\377' '14 \1' '9 \177' \
		'40 \377\377\377\377'; do
		cp good prog.debug
		printf "${what#* }" | dd of=prog.debug bs=1 conv=notrunc \
			seek=$((offset + ${what% *})) status=none
		[ "$(whole ./prog 0.2)" -le 3 ]
	done
	rm prog.debug
	mkfifo prog.debug
	[ "$(whole timeout 60 ./prog 0.2)" -le 3 ]
	rm prog.debug
	mkdir prog.debug
	[ "$(whole ./prog 0.2)" -le 3 ]
}

# bytes_read FILE: how many the traced recorder read of the file of that name.
bytes_read() {
	awk -v file="$1>" 'index($0, file) && $0 ~ /pread64/ { n += $NF }
		END { print n + 0 }' trace
}

@test "a linked file is read once, one of more than 64 MB not at all" {
	need objcopy binutils
	need strace
	split "$(nested -Wl,--build-id=none)"
	# the same rows, and two links to them
	cp prog bare
	# Leak checking does not work under strace.
	export ASAN_OPTIONS=detect_leaks=0
	strace -f -y -e trace=pread64 -o trace \
		pk-sample -F 1000 -o a.pkc sh -c './prog 0.2; ./bare 0.2'
	size=$(stat -c %s prog.debug)
	n=$(bytes_read prog.debug)
	echo "$n of $size"
	[ "$n" -ge "$size" ] && [ "$n" -lt $((size * 2)) ]
	truncate -s 1G prog.debug
	strace -f -y -e trace=pread64 -o trace pk-sample -F 1000 -o a.pkc ./prog 0.2
	n=$(bytes_read prog.debug)
	echo "$n of 1 GB"
	[ "$n" -gt 0 ] && [ "$n" -lt 1000000 ]
	grep -qx end a.pkc
}

# in_namespace SCRIPT: runs it in a mount namespace of its own, where
# /usr/lib/debug is empty and to be written.
in_namespace() {
	mkdir -p lower/debug
	echo "#!/bin/sh
		if [ -d /usr/lib/debug ]; then
			mount -t tmpfs none /usr/lib/debug
		else
			mount -t overlay none /usr/lib -o \
				lowerdir=$PWD/lower:/usr/lib
			mount -t tmpfs none /usr/lib/debug
		fi || exit
		$1" >in-namespace
	chmod +x in-namespace
}

@test "/usr/lib/debug is the target's own, by build id and by folder" {
	need objcopy binutils
	need unshare util-linux
	unshare -m true || skip "no mount namespaces here"
	program=$(nested -Wl,--build-id=sha1)
	split "$program" --compress-debug-sections=zlib
	mv prog.debug aside
	id=$(readelf -nW prog | sed -n 's/.*Build ID: //p')
	in_namespace "
		mkdir -p /usr/lib/debug/.build-id/${id:0:2}
		cp aside /usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug
		exec ./prog 0.3"
	[ "$(whole unshare -m ./in-namespace)" -ge 95 ]
	in_namespace "
		mkdir -p /usr/lib/debug$PWD
		cp aside /usr/lib/debug$PWD/prog.debug
		exec ./prog 0.3"
	[ "$(whole unshare -m ./in-namespace)" -ge 95 ]
	in_namespace "exec ./prog 0.3"
	[ "$(whole unshare -m ./in-namespace)" -le 3 ]
}

@test "the vdso is unwound by its own rules" {
	cat >now.c <<-'END'
		#include <time.h>
		int main(void)
		{
			struct timespec t;
			for (int i = 0; i < 15000000; i++)
				clock_gettime(CLOCK_MONOTONIC, &t);
			return 0;
		}
	END
	$CC -O2 -fomit-frame-pointer now.c -o now
	pk-sample -F 1000 -o a.pkc ./now
	pk-fold a.pkc >folded
	tail -n 3 folded
	awk '/vdso/ { all += $NF }
		/^now;_start;.*;main;.*__vdso_clock_gettime/ { whole += $NF }
		END { exit !(all > 100 && whole >= 0.98 * all) }' folded
}

@test "a library where another was is unwound by its own rules" {
	dlopener=$(build_program dlopener)
	for name in first second; do
		room=300
		[ $name = first ] || room=500
		$CC -O2 -g -shared -fPIC -fomit-frame-pointer -DPLUGIN=$name \
			-DROOM=$room "$PK_SRCDIR/tests/programs/plugin.c" -o $name.so
	done
	plugins=(./first.so ./second.so ./first.so)
	# The loader puts all three in one place.
	LD_DEBUG=files "$dlopener" 0.01 "${plugins[@]}" 2>&1 |
		sed -n '/file=.*\(first\|second\).so.*generating/,/base/s/.*base: *\([^ ]*\).*/\1/p' \
		>bases
	[ "$(wc -l <bases)" = 3 ]
	[ "$(sort -u bases | wc -l)" = 1 ]
	pk-sample -F 1000 -o a.pkc "$dlopener" 0.2 "${plugins[@]}"
	pk-fold --modules a.pkc >folded
	grep plugin_run folded | tail -n 5
	awk '/\.so`(first|second)_work/ { all += $NF }
		/`_start;.*`main;.*first.so`plugin_run;first.so`first_work/ {
			first += $NF }
		/`_start;.*`main;.*second.so`plugin_run;second.so`second_work/ {
			second += $NF }
		END { print all, first, second
			exit !(all > 400 && first + second >= 0.99 * all &&
				first > 250 && second > 120) }' folded
}
