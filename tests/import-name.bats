#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Where parameter lists begin in names that other tools demangled.

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
	name=$PK_BUILDDIR/tests/unit/import_name
}

# cut NAME SHORT: NAME without its parameter list is SHORT.
cut() {
	[ "$("$name" <<<"$1")" = "$2" ] || {
		echo "$1 became $("$name" <<<"$1")"
		return 1
	}
}

@test "names end at their parameter list, and what looks like one survives" {
	cut 'main' 'main'
	cut 'foo(int)' 'foo'
	cut 'void a::foo<int (*)(char)>(int, char)' 'void a::foo<int (*)(char)>'
	cut 'std::function<void (int)>::operator()(int) const' \
		'std::function<void (int)>::operator()'
	cut '(anonymous namespace)::foo(int)' '(anonymous namespace)::foo'
	cut 'a::(anonymous namespace)::foo()' 'a::(anonymous namespace)::foo'
	cut 'main::{lambda(int)#1}::operator()(int) const' \
		'main::{lambda(int)#1}::operator()'
	cut 'foo(int)::{lambda()#2}::operator()() const' \
		'foo(int)::{lambda()#2}::operator()'
	cut 'A::foo() const::{lambda()#1}::operator()() const' \
		'A::foo() const::{lambda()#1}::operator()'
	cut "foo(int)::'lambda'(char)::operator()(char) const" \
		"foo(int)::'lambda'(char)::operator()"
	cut 'main::$_0::operator()(int) const' 'main::$_0::operator()'
	cut 'void std::__invoke_impl<void, f(int)::{lambda(int)#1}&, int>(int)' \
		'void std::__invoke_impl<void, f(int)::{lambda(int)#1}&, int>'
	cut 'decltype (f(0)) g<int>(int)' 'decltype (f(0)) g<int>'
	cut 'foo(int) [clone .isra.0]' 'foo'
	cut 'foo[abi:cxx11](int)' 'foo[abi:cxx11]'
}

@test "operators are names, not brackets" {
	cut 'A::operator()(int)' 'A::operator()'
	cut 'A::operator()<int>(int)' 'A::operator()<int>'
	cut 'operator<(A const&, A const&)' 'operator<'
	cut 'bool operator< <int>(A<int>)' 'bool operator< <int>'
	cut 'operator<< <std::char_traits<char> >(int)' \
		'operator<< <std::char_traits<char> >'
	cut 'A::operator->() const' 'A::operator->'
	cut 'A::operator<=>(A const&) const' 'A::operator<=>'
	cut 'operator>>(A&, int)' 'operator>>'
	cut 'operator new(unsigned long)' 'operator new'
	cut 'operator new[](unsigned long)' 'operator new[]'
	cut 'A::operator bool() const' 'A::operator bool'
	cut 'A::operator std::function<void ()>() const' \
		'A::operator std::function<void ()>'
	cut 'my_operator(int)' 'my_operator'
}

@test "names of Go, Java, Rust and D keep what belongs to them" {
	cut 'net/http.(*Client).Do' 'net/http.(*Client).Do'
	cut 'net/http.(*conn).serve.func1' 'net/http.(*conn).serve.func1'
	cut 'Lorg/a/B;::<init>(Ljava/lang/String;)V' 'Lorg/a/B;::<init>'
	cut '<(A, B) as core::fmt::Debug>::fmt' '<(A, B) as core::fmt::Debug>::fmt'
	cut '<fn(A) -> B as Tr>::call' '<fn(A) -> B as Tr>::call'
	cut 'std.algorithm.map!(a => a).map!(int[]).map(int[])' \
		'std.algorithm.map!(a => a).map!(int[]).map'
}

@test "unbalanced brackets and a megabyte of them do no harm" {
	cut 'foo<int(char)' 'foo<int'
	cut 'a(b' 'a'
	cut ')(' ')'
	cut '' ''
	head -c 1000000 /dev/zero | tr '\0' '<' >names
	echo >>names
	printf '%.0sfoo(int)::' {1..20000} >>names
	echo 'x()' >>names
	run -0 timeout 10 "$name" <names
	[ "${#lines[0]}" = 1000000 ]
	[ "${#lines[1]}" = 200001 ]
}

@test "the C++ library's own names are cut where its demangler says" {
	need c++filt binutils
	lib=$("$CXX" -print-file-name=libstdc++.so.6)
	nm -D --defined-only "$lib" | awk '{ print $3 }' | sed 's/@.*//' |
		grep '^_Z[^TG]' >mangled
	[ "$(wc -l <mangled)" -gt 1000 ]
	c++filt <mangled | "$name" >ours
	# Without parameters it writes no return type either.
	c++filt -p <mangled >theirs
	paste -d '\t' ours theirs | awk -F '\t' '
		substr($1, length($1) - length($2) + 1) != $2 { print; bad++ }
		END { exit bad > 0 }'
}
