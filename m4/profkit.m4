dnl SPDX-License-Identifier: MIT

dnl PK_WARNINGS: the warnings every file is clean under, and --enable-werror.
AC_DEFUN([PK_WARNINGS], [
AC_ARG_ENABLE([werror],
  [AS_HELP_STRING([--enable-werror], [make compiler warnings errors])],
  [], [enable_werror=no])
PK_CFLAGS="-std=gnu11 -fno-strict-aliasing -Wall -Wextra -Wshadow -Wstrict-prototypes \
-Wmissing-prototypes -Wwrite-strings -Wformat=2 -Wvla -Wundef -Wpointer-arith"
AS_IF([test "x$enable_werror" = xyes], [PK_CFLAGS="$PK_CFLAGS -Werror"])
AC_SUBST([PK_CFLAGS])
])

dnl PK_SANITIZERS: --enable-sanitizers builds programs and archives with
dnl AddressSanitizer and UndefinedBehaviorSanitizer; findings end a program.
AC_DEFUN([PK_SANITIZERS], [
AC_ARG_ENABLE([sanitizers],
  [AS_HELP_STRING([--enable-sanitizers],
    [build with the address and undefined-behaviour sanitizers])],
  [], [enable_sanitizers=no])
PK_SANITIZE=
AS_IF([test "x$enable_sanitizers" = xyes],
  [PK_SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"])
AC_SUBST([PK_SANITIZE])
AM_CONDITIONAL([SANITIZERS], [test "x$enable_sanitizers" = xyes])
])

dnl PK_DEPENDENCIES: each missing one is named with its Debian package.
AC_DEFUN([PK_DEPENDENCIES], [
AC_CHECK_HEADER([zlib.h], [], [AC_MSG_ERROR([zlib.h not found: install zlib1g-dev])])
AC_CHECK_LIB([z], [inflate], [Z_LIBS=-lz], [AC_MSG_ERROR([zlib not found: install zlib1g-dev])])
AC_CHECK_HEADER([gelf.h], [], [AC_MSG_ERROR([gelf.h not found: install libelf-dev])])
AC_CHECK_LIB([elf], [elf_begin], [ELF_LIBS=-lelf], [AC_MSG_ERROR([libelf not found: install libelf-dev])])
AC_CHECK_HEADER([elfutils/libdwfl.h], [], [AC_MSG_ERROR([libdwfl.h not found: install libdw-dev])])
AC_CHECK_LIB([dw], [dwarf_get_units], [DW_LIBS=-ldw], [AC_MSG_ERROR([libdw 0.171 or later not found: install libdw-dev])])
AC_CHECK_HEADER([lzma.h], [], [AC_MSG_ERROR([lzma.h not found: install liblzma-dev])])
AC_CHECK_LIB([lzma], [lzma_stream_decoder], [LZMA_LIBS=-llzma], [AC_MSG_ERROR([liblzma not found: install liblzma-dev])])
AC_CHECK_HEADER([libiberty/demangle.h], [], [AC_MSG_ERROR([libiberty/demangle.h not found: install libiberty-dev])])
AC_CHECK_LIB([iberty], [rust_demangle_callback], [IBERTY_LIBS=-liberty], [AC_MSG_ERROR([libiberty not found: install libiberty-dev])])
AC_ARG_WITH([zstd],
  [AS_HELP_STRING([--without-zstd],
    [do not read compressed perf.data (libzstd)])],
  [], [with_zstd=check])
ZSTD_LIBS=
AS_IF([test "x$with_zstd" != xno], [
  AC_CHECK_HEADER([zstd.h], [
    AC_CHECK_LIB([zstd], [ZSTD_decompressStream], [
      ZSTD_LIBS=-lzstd
      with_zstd=yes
      AC_DEFINE([HAVE_ZSTD], [1], [libzstd unpacks perf record -z])])])
  AS_CASE([$with_zstd], [check], [with_zstd=no],
    [AS_IF([test -z "$ZSTD_LIBS"],
      [AC_MSG_ERROR([libzstd not found: install libzstd-dev])])])])
AC_SUBST([ZSTD_LIBS])
AC_CHECK_HEADER([linux/perf_event.h], [], [AC_MSG_ERROR([linux/perf_event.h not found: install linux-libc-dev])])
AC_SEARCH_LIBS([pthread_create], [pthread])
AC_SUBST([Z_LIBS])
AC_SUBST([ELF_LIBS])
AC_SUBST([DW_LIBS])
AC_SUBST([IBERTY_LIBS])
AC_SUBST([LZMA_LIBS])
AS_CASE([$host_cpu-$host_os], [x86_64-linux*], [],
  [AC_MSG_ERROR([profkit runs on x86_64 Linux; this is $host])])
])

dnl PK_COMPLETION: under our own prefix unless told otherwise, so that an
dnl installation never writes outside it.
AC_DEFUN([PK_COMPLETION], [
AC_ARG_WITH([bash-completion-dir],
  [AS_HELP_STRING([--with-bash-completion-dir=DIR],
    [where completions go @<:@DATADIR/bash-completion/completions@:>@])],
  [], [with_bash_completion_dir=yes])
AS_CASE([$with_bash_completion_dir],
  [yes], [PK_COMPLETIONDIR='${datadir}/bash-completion/completions'],
  [no], [AC_MSG_ERROR([--with-bash-completion-dir wants a folder])],
  [PK_COMPLETIONDIR=$with_bash_completion_dir])
AC_SUBST([PK_COMPLETIONDIR])
])

dnl PK_TEST_TOOLS: what `make check` needs; a missing one is said there.
AC_DEFUN([PK_TEST_TOOLS], [
AC_PATH_PROG([BATS], [bats], [no])
AC_PATH_PROG([CLANG], [clang], [no])
AC_PATH_PROG([PERF], [perf], [no])
])

AC_DEFUN([PK_SUMMARY], [
AC_MSG_NOTICE([
  profkit $PACKAGE_VERSION

    compiler            $CC ($CFLAGS)
    warnings are errors $enable_werror
    sanitizers          $enable_sanitizers
    libzstd             $with_zstd
    bats (make check)   $BATS
    clang (fuzz)        $CLANG
    perf (bench, tests) $PERF
    installed to        $prefix
])
])
