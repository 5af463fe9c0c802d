#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""perfhostile.py NAME FILE writes one recording: nothing in it is damaged, but
there is very much of something, or it says what is not so."""
import os
import sys

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
from perfdata import (CALLCHAIN, IP, KERNEL, REGS_USER, STACK_USER, TID, TIME,
                      U64, USER, Event, Recording, write)

SOME = IP | TID | TIME


def recording(**bits):
    return Recording('<', [Event(SOME, b'cycles', [1], **bits)])


def forks():
    """A process with many mappings, many children, each maps one more."""
    r = recording()
    for i in range(20000):
        r.mmap(b'/x', addr=(1 << 30) + i * 0x2000, length=0x800, time=1 + i)
    for i in range(20000):
        r.task('fork', 100 + i, 7, 100 + i, 7, time=30000 + i)
    for i in range(20000):
        r.mmap(b'/y', addr=1 << 29, length=0x800, pid=100 + i, tid=100 + i,
               time=60000 + i)
    r.sample(time=10**6, ip=1 << 30)
    return r.file({})


def children():
    """Who has what: a parent, a child that maps, and one that executes."""
    r = recording()
    r.mmap(b'/one', addr=0x400000, length=0x1000, time=1)
    for pid in (100, 101):
        r.task('fork', pid, 7, pid, 7, time=2)
    r.mmap(b'/two', addr=0x400000, length=0x1000, pid=100, tid=100, time=3)
    r.comm(b'new', pid=101, tid=101, is_exec=True, time=3)
    r.mmap(b'/three', addr=0x500000, length=0x1000, pid=101, tid=101, time=4)
    r.task('fork', 102, 101, 102, 101, time=5)
    for time in (6, 8):
        for pid in (7, 100, 101, 102):
            r.sample(time=time, ip=0x400100, pid=pid, tid=pid)
            r.sample(time=time, ip=0x500100, pid=pid, tid=pid)
    for pid in (101, 102):
        r.comm(b'again', pid=pid, tid=pid, is_exec=True, time=7)
    return r.file({})


def mappings():
    """One process with more of them than the kernel allows, falling."""
    r = recording()
    for i in range(70000):
        r.mmap(b'/x', addr=(1 << 40) - i * 0x1000, length=0x800, time=1 + i)
    r.sample(time=10**6, ip=1 << 40)
    return r.file({})


def beyond():
    """AUX data that there is not, before samples."""
    r = recording()
    r.sample(time=1)
    r.add(71, r.words(1 << 40, 0, 0, 0) + bytes(16))
    r.sample(time=2)
    return r


def foreign_dumps():
    """Copied stacks of another machine, in the kernel and in the user."""
    r = Recording('<', [Event(SOME | CALLCHAIN | REGS_USER | STACK_USER,
                              b'cycles', [1], regs=0xff0fff, stack=64)])
    for mode, ip in ((KERNEL, 0xffffffff81000010), (USER, 0x401000)):
        r.sample(time=1, ip=ip, mode=mode, stack=bytes(64), copied=64,
                 regs=list(range(20)), chain=(
                     (U64 - 127, ip) if mode == KERNEL else ()))
    return r.file({6: r.string(b'aarch64')})


def kernel_code():
    """Code made at run time in the kernel, replaced in part; then very much,
    at rising and falling addresses by turns, with a sample now and then."""
    r = recording()
    base = 0xffffffffc0000000
    for i, (start, length) in enumerate(
            [(0, 0x100), (0x100, 0x100), (0x200, 0x100), (0x300, 0x100),
             (0x1f8, 0x100), (0x2f8, 4)]):
        r.ksymbol(b'code_%d' % i, base + start, length, time=1 + i)
        r.sample(time=1 + i, ip=base + start, mode=KERNEL)
    for n, offset in enumerate(range(0, 0x400, 0x3c)):
        r.sample(time=10 + n, ip=base + offset, mode=KERNEL, pid=9, tid=9)
    for i in range(100000):
        side = (1 << 20) + i * 64 * (-1 if i % 2 else 1)
        r.ksymbol(b'many', base + (1 << 28) + side, 64, time=100 + i)
        if i % 1000 == 0:
            r.sample(time=100 + i, ip=base + (1 << 28) + side, mode=KERNEL,
                     pid=10, tid=10)
    return r.file({})


def build_ids():
    """Files with very many build ids each; that of /bin/sh here is none."""
    r = recording()
    paths = [b'/n%d' % i for i in range(20000)] + [b'/bin/sh'] * 60000
    for i in range(20000):
        r.mmap(b'/m%d' % i, addr=(1 << 30) + i * 0x1000, length=0x1000,
               time=1 + i)
        r.sample(time=10**6 + i, ip=(1 << 30) + i * 0x1000)
    r.mmap(b'/bin/sh', addr=0x400000, length=0x1000, time=1)
    r.sample(time=10**7, ip=0x400100)
    return r.file({2: b''.join(
        r.build_id(path, r.pack('Q12x', i)) for i, path in enumerate(paths))})


def folder(path):
    """A folder of 1100 files, each with a sample."""
    r = recording()
    for i in range(1100):
        r.sample(time=1 + i)
    os.mkdir(path)
    for i, record in enumerate(r.data):
        write('%s/data.%d' % (path, i), record)
    r.data = []
    r.comm(b'app', time=0)
    write(path + '/data', r.file({24: r.words(1)}))


def packed():
    """A stream of 300 MB of one record, packed to a few KB."""
    r = recording()
    r.sample(time=1)
    # of a type nobody has heard of, 60 KB
    r.add(63, bytes(61440 - 8) + r.trailer(0, 7, 8, 1, 0)[-16:])
    r.data[1:] = r.data[1:] * 5000
    r.packed(True, 60000)
    return r.file({})


NAMES = {
    'build-ids': build_ids,
    'beyond': lambda: beyond().file({}),
    'beyond-pipe': lambda: beyond().pipe(),
    'children': children,
    'foreign-dumps': foreign_dumps,
    'forks': forks,
    'kernel-code': kernel_code,
    'mappings': mappings,
    'packed': packed,
}

if __name__ == '__main__':
    if sys.argv[1] == 'folder':
        folder(sys.argv[2])
    else:
        write(sys.argv[2], NAMES[sys.argv[1]]())
