#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""perfdata.py FOLDER writes recordings there, each under the name of its
variant, and what its records are, as tests/unit/perf_dump prints them, under
that name with .expected behind it.

For what perf on this machine cannot record: the other byte order, call stacks
of the processor, every part of a sample at once, the newer form of compressed
records, and damage. Written from linux/perf_event.h and perf's description of
the file; nothing is shared with the decoder."""
import os
import struct
import subprocess
import sys
import zlib

# The bits of sample_type, in the header's order.
(IP, TID, TIME, ADDR, READ, CALLCHAIN, ID, CPU, PERIOD, STREAM_ID, RAW,
 BRANCH_STACK, REGS_USER, STACK_USER, WEIGHT, DATA_SRC, IDENTIFIER,
 TRANSACTION, REGS_INTR, PHYS_ADDR, AUX, CGROUP, DATA_PAGE_SIZE,
 CODE_PAGE_SIZE, WEIGHT_STRUCT) = (1 << n for n in range(25))
ALL = (1 << 24) - 1  # WEIGHT and WEIGHT_STRUCT exclude each other

# The attr's bit fields and a branch's, in order of declaration.
ATTR_BITS = [(name, 1) for name in (
    'disabled inherit pinned exclusive exclude_user exclude_kernel exclude_hv '
    'exclude_idle mmap comm freq inherit_stat enable_on_exec task watermark'
).split()] + [('precise_ip', 2)] + [(name, 1) for name in (
    'mmap_data sample_id_all exclude_host exclude_guest '
    'exclude_callchain_kernel exclude_callchain_user mmap2 comm_exec '
    'use_clockid context_switch write_backward namespaces ksymbol bpf_event '
    'aux_output cgroup text_poke build_id inherit_thread remove_on_exec sigtrap'
).split()]
BRANCH_BITS = [('mispred', 1), ('predicted', 1), ('in_tx', 1), ('abort', 1),
               ('cycles', 16), ('type', 4), ('spec', 2), ('new_type', 4),
               ('priv', 3)]

KERNEL, USER = 1, 2
U32, U64 = (1 << 32) - 1, (1 << 64) - 1


def bit_fields(order, layout, values):
    """A 64-bit word of bit fields, as a compiler of that byte order has it."""
    word = at = 0
    for name, width in layout:
        shift = at if order == '<' else 64 - at - width
        word |= values.get(name, 0) << shift
        at += width
    return word


class Event:
    def __init__(self, sample_type, name=b'', ids=(), config=0, kind=1,
                 period=1000, read_format=0, branches=0, regs=0, stack=0,
                 attr_size=128, **bits):
        self.sample_type, self.name, self.ids = sample_type, name, list(ids)
        self.config, self.kind, self.period = config, kind, period
        self.read_format, self.branches, self.regs = read_format, branches, regs
        self.stack, self.attr_size = stack, attr_size
        self.bits = {'sample_id_all': 1, **bits}

    def attr(self, order):
        data = struct.pack(
            order + 'IIQQQQQIIQQQQIiQIHHIIQ', self.kind, self.attr_size,
            self.config, self.period, self.sample_type, self.read_format,
            bit_fields(order, ATTR_BITS, self.bits), 0, 0, 0, 0,
            self.branches, self.regs, self.stack, 0, self.regs, 0, 0, 0, 0, 0,
            0)
        return data[:self.attr_size].ljust(self.attr_size, b'\xee')


class Recording:
    """Records and the lines that are expected of them."""

    def __init__(self, order, events):
        self.order, self.events = order, events
        self.data, self.lines = [], []

    def pack(self, layout, *values):
        return struct.pack(self.order + layout, *values)

    def words(self, *values):
        return self.pack('%dQ' % len(values), *values)

    def add(self, kind, body, misc=0, size=None):
        size = len(body) + 8 if size is None else size
        self.data.append(self.pack('IHH', kind, misc, size) + body)

    def text(self, name, align=8):
        name += b'\0'
        return name + b'\0' * (-len(name) % align)

    def line(self, time, text):
        self.lines.append((0 if time is None else time, text))

    # ---- kernel records with a trailer

    def trailer(self, event, pid, tid, time, cpu):
        e, out = self.events[event], b''
        if not e.bits['sample_id_all']:
            return b''
        first = e.ids[0] if e.ids else 0
        if e.sample_type & TID:
            out += self.pack('II', pid, tid)
        if e.sample_type & TIME:
            out += self.words(time)
        if e.sample_type & ID:
            out += self.words(first)
        if e.sample_type & STREAM_ID:
            out += self.words(0x5757)
        if e.sample_type & CPU:
            out += self.pack('II', cpu, 0xdead)
        if e.sample_type & IDENTIFIER:
            out += self.words(first)
        return out

    def side(self, kind, body, said, event=0, pid=7, tid=8, time=50, cpu=1,
             misc=0, own_time=None):
        e = self.events[event]
        self.add(kind, body + self.trailer(event, pid, tid, time, cpu), misc)
        has = e.sample_type if e.bits['sample_id_all'] else 0
        known = time if has & TIME else None
        name, rest = said
        shown = known if known is not None else own_time
        self.line(known, '%s %s %s%s' % (
            name, '-' if shown is None else shown,
            ' '.join([str(pid) if has & TID else '-',
                      str(tid) if has & TID else '-',
                      str(cpu) if has & CPU else '-']), rest))

    def mmap(self, path, addr=0x1000, length=0x2000, pgoff=0, pid=7, tid=7,
             data=False, **where):
        self.side(1, self.pack('IIQQQ', pid, tid, addr, length, pgoff) +
                  self.text(path),
                  ('mmap', ' %s %s addr=%x len=%x pgoff=%x mode=2 exec=%d '
                   'prot=0 flags=0 file=0:0:0:0 id= %s' % (
                       '-' if pid == U32 else pid, '-' if tid == U32 else tid,
                       addr, length, pgoff, not data, path.decode())),
                  misc=USER | (0x2000 if data else 0), **where)

    def mmap2(self, path, addr=0x1000, length=0x2000, pgoff=0, prot=5,
              build_id=None, **where):
        if build_id is None:
            file, shown, misc = self.pack('IIQQ', 8, 1, 77, 3), '8:1:77:3', 0
        else:
            file = bytes([len(build_id), 0, 0, 0]) + build_id.ljust(20, b'\0')
            shown, misc = '0:0:0:0', 0x4000
        self.side(10, self.pack('IIQQQ', 7, 7, addr, length, pgoff) + file +
                  self.pack('II', prot, 2) + self.text(path),
                  ('mmap', ' 7 7 addr=%x len=%x pgoff=%x mode=2 exec=%d '
                   'prot=%x flags=2 file=%s id=%s %s' % (
                       addr, length, pgoff, prot >> 2 & 1, prot, shown,
                       (build_id or b'').hex(), path.decode())),
                  misc=USER | misc, **where)

    def comm(self, name, pid=7, tid=8, is_exec=False, **where):
        self.side(3, self.pack('II', pid, tid) + self.text(name),
                  ('comm', ' %d %d exec=%d %s' % (pid, tid, is_exec,
                                                  name.decode())),
                  misc=0x2000 if is_exec else 0, **where)

    def task(self, name, pid, ppid, tid, ptid, time=50, **where):
        self.side(7 if name == 'fork' else 4,
                  self.pack('IIIIQ', pid, ppid, tid, ptid, time),
                  (name, ' %d %d parent=%d %d' % (pid, tid, ppid, ptid)),
                  time=time, own_time=time, **where)

    def ksymbol(self, name, addr, length, bpf=1, gone=0, **where):
        self.side(17, self.pack('QIHH', addr, length, bpf, gone) +
                  self.text(name),
                  ('ksymbol', ' addr=%x len=%d gone=%d bpf=%d %s' % (
                      addr, length, gone, bpf == 1, name.decode())), **where)

    def lost(self, count, samples=False, **where):
        self.side(13 if samples else 2,
                  self.words(*([] if samples else [1]), count),
                  ('lost', ' %d samples=%d' % (count, samples)), **where)

    def throttle(self, begins, time=50, **where):
        self.side(5 if begins else 6, self.words(time, 1, 1),
                  ('throttle' if begins else 'unthrottle', ''), time=time,
                  own_time=time, **where)

    def other(self, kind, body=b'', **where):
        self.side(kind, body, ('other', ' type=%d' % kind), **where)

    # ---- samples

    def sample(self, event=0, ip=0x401000, pid=7, tid=8, time=100, cpu=1,
               period=5, chain=(), raw=b'', branches=(), regs=None,
               stack=b'', copied=None, mode=USER, poison=None, tail=b''):
        """POISON names a part whose count is put too large: the sample is
        damaged and nothing is expected of it."""
        e = self.events[event]
        t, out, said = e.sample_type, b'', ''

        def count(part, n):
            return n if poison != part else 1 << 40
        if t & IDENTIFIER:
            out += self.words(e.ids[0])
        if t & IP:
            out += self.words(ip)
        if t & TID:
            out += self.pack('II', pid, tid)
        if t & TIME:
            out += self.words(time)
        if t & ADDR:
            out += self.words(0xadd)
        if t & ID:
            out += self.words(e.ids[0] if e.ids else 0)
        if t & STREAM_ID:
            out += self.words(0x57)
        if t & CPU:
            out += self.pack('II', cpu, 0)
        if t & PERIOD:
            out += self.words(period)
        if t & READ:
            out += self.read(e.read_format, count)
        if t & CALLCHAIN:
            out += self.words(count('chain', len(chain)), *chain)
            said += ' chain' + hexes(chain)
        if t & RAW:
            size = U32 if poison == 'raw' else len(raw)
            out += self.pack('I', size) + raw
            said += ' raw=%d:%08x' % (len(raw), zlib.adler32(raw))
        if t & BRANCH_STACK:
            more, words = self.branches(e, branches, count)
            out += more
            said += (' calls' if e.branches & 1 << 11 else ' branches') + \
                hexes(words)
        if t & REGS_USER:
            more, text = self.regs(e.regs, regs, poison)
            out += more
            said += text
        if t & STACK_USER:
            out += self.words(count('stack', len(stack)))
            copied = len(stack) if copied is None else copied
            if stack:
                out += stack + self.words(count('copied', copied))
                said += ' stack=%d/%d:%08x' % (
                    copied, len(stack), zlib.adler32(stack[:copied]))
        for bit in (WEIGHT, WEIGHT_STRUCT, DATA_SRC, TRANSACTION):
            if t & bit:
                out += self.words(0xb17)
        if t & REGS_INTR:
            out += self.regs(e.regs, regs, poison)[0]
        for bit in (PHYS_ADDR, CGROUP, DATA_PAGE_SIZE, CODE_PAGE_SIZE):
            if t & bit:
                out += self.words(0xb18)
        if t & AUX:
            out += self.words(count('aux', 8)) + b'auxiliar'
        self.add(9, out + tail, mode)
        if poison:
            return
        self.line(time if t & TIME else None,
                  'sample %s event=%d mode=%d ip=%x addr=%x period=%d%s' % (
                      ' '.join(str(v) if t & bit else '-' for v, bit in (
                          (time, TIME), (pid, TID), (tid, TID), (cpu, CPU))),
                      event, mode, ip if t & IP else 0,
                      0xadd if t & ADDR else 0,
                      period if t & PERIOD else
                      0 if e.bits.get('freq') else e.period, said))

    def read(self, fmt, count):
        enabled, running, with_id, group, lost = (fmt >> n & 1
                                                  for n in range(5))
        each = [0xc0] + [0xc1] * with_id + [0xc2] * lost
        times = [0xe0] * enabled + [0xe1] * running
        if group:
            return self.words(count('read', 2), *times, *each, *each)
        # without a group the times stand behind the value
        return self.words(each[0], *times, *each[1:])

    def branches(self, e, branches, count):
        out, said = self.words(count('branches', len(branches))), []
        if e.branches & 1 << 17:
            out += self.words(U64)
        for source, to, flags in branches:
            out += self.words(source, to,
                              bit_fields(self.order, BRANCH_BITS, flags))
            said += [source, to, bit_fields('<', BRANCH_BITS, flags)]
        if e.branches & 1 << 19:
            out += self.words(*[0xc0de] * len(branches))
        return out, said

    def regs(self, mask, regs, poison):
        if regs is None:
            return self.words(0), ''
        if poison == 'regs':
            regs = regs[:1]
        return self.words(2, *regs), ' abi=2 mask=%x regs%s' % (mask,
                                                               hexes(regs))

    # ---- what is expected

    def expected(self):
        lines = [text for _, text in sorted(self.lines, key=lambda x: x[0])]
        for n, e in enumerate(self.events):
            lines.append(
                'event %d type=%d config=%x sample_type=%x freq=%d period=%d '
                'precise=%d tracks=%d %s' % (
                    n, e.kind, e.config, e.sample_type, e.bits.get('freq', 0),
                    e.period, e.bits.get('precise_ip', 0),
                    e.kind == 1 and e.config == 9, e.name.decode()))
        return ''.join(line + '\n' for line in lines)

    # ---- forms of the whole

    def string(self, text):
        text = self.text(text, 64)
        return self.pack('I', len(text)) + text

    def event_desc(self):
        out = self.pack('II', len(self.events), self.events[0].attr_size)
        # in another order than the attrs: ids tell
        for e in reversed(self.events):
            out += e.attr(self.order).ljust(self.events[0].attr_size, b'\0')
            out += self.pack('I', len(e.ids)) + self.string(e.name) + \
                self.words(*e.ids)
        return out

    def build_id(self, path, build_id, misc=USER | 1 << 15):
        name = self.text(path, 64)
        return self.pack('IHHi', 0, misc, 36 + len(name), -1) + \
            build_id.ljust(20, b'\0') + bytes([len(build_id), 0, 0, 0]) + name

    def features(self):
        return {
            2: self.build_id(b'/bin/short', b'12345678') +
            self.build_id(b'/bin/old', b'A' * 20, USER),
            3: self.string(b'a host'), 4: self.string(b'9.9.9'),
            5: self.string(b'1.2.3'), 6: self.string(b's390x'),
            7: self.pack('II', 16, 12), 8: self.string(b'a processor'),
            10: self.words(1 << 20),
            11: self.pack('I', 2) + self.string(b'perf') +
            self.string(b'record'),
            12: self.event_desc(), 21: self.words(100, 5000000100),
            23: self.words(4),
            29: self.pack('IIQQ', 1, 1, 1700000000123456789, 42),
            77: b'of the future',
        }

    def magic(self):
        return self.pack('Q', int.from_bytes(b'PERFILE2', 'little'))

    def file(self, features=None, data=None, data_size=None, attr_size=None,
             ids_at=None):
        features = self.features() if features is None else features
        data = b''.join(self.data) if data is None else data
        attr_size = attr_size or self.events[0].attr_size + 16
        ids, at = b'', 104
        attrs_at = 104 + 8 * sum(len(e.ids) for e in self.events)
        attrs = b''
        for e in self.events:
            attrs += e.attr(self.order)
            attrs += self.words(at if ids_at is None else ids_at,
                                8 * len(e.ids))
            ids += self.words(*e.ids)
            at += 8 * len(e.ids)
        data_at = attrs_at + len(attrs)
        flags = sum(1 << n for n in features)
        head = self.magic() + self.words(
            104, attr_size, attrs_at, len(attrs), data_at,
            len(data) if data_size is None else data_size, 0, 0,
            *(flags >> 64 * n & U64 for n in range(4)))
        table, rest = b'', b''
        at = data_at + len(data) + 16 * len(features)
        for n in sorted(features):
            table += self.words(at + len(rest), len(features[n]))
            rest += features[n]
        return head + ids + attrs + data + table + rest

    def pipe(self):
        records, self.data = self.data, []
        for e in self.events:
            self.add(64, e.attr(self.order) + self.words(*e.ids))
        for n, body in sorted(self.features().items()):
            if n != 2:
                self.add(80, self.words(n) + body)
        self.add(80, self.words(200))  # the empty one ends them
        self.add(66, self.pack('I', 13))  # 13 bytes, padded to 16
        self.data.append(b'not a record....')
        self.add(71, self.words(9, 0, 0, 0) + self.pack('IIII', 0, 0, 0, 0))
        self.data.append(b'aux data.')
        self.data += records
        self.data.append(self.build_id(b'/bin/short', b'12345678'))
        self.data[-1] = self.pack('I', 67) + self.data[-1][4:]
        return self.magic() + self.words(16) + b''.join(self.data)

    def packed(self, newer, cuts):
        """The records so far as one stream, cut into records of CUTS bytes."""
        stream = subprocess.run(['zstd', '-qc', '-1', '--no-check'],
                                input=b''.join(self.data), check=True,
                                stdout=subprocess.PIPE).stdout
        self.data = []
        for at in range(0, len(stream), cuts):
            part = stream[at:at + cuts]
            if newer:
                self.add(83, self.words(len(part)) + part +
                         b'\0' * (-len(part) % 8))
            else:
                self.add(81, part)

    def round(self):
        self.add(68, b'')


def hexes(values):
    return ('=' + ','.join('%x' % v for v in values)) if values else ''


# ---- the variants

BRANCHES = [(0x401010, 0x402000, {'predicted': 1, 'cycles': 300, 'type': 5}),
            (0x400010, 0x401000, {'mispred': 1, 'abort': 1, 'spec': 2,
                                  'new_type': 9, 'priv': 5})]
CHAIN = [U64 - 127, 0xffffffff81000010, U64 - 511, 0x401000, 0x401abc]
MASK = 0xff0fff


def everything(order):
    r = Recording(order, [
        Event(ALL, b'all', [11, 12], kind=4, config=0x1c2, read_format=31,
              branches=1 << 17 | 1 << 19 | 1, regs=MASK, stack=64,
              precise_ip=2, freq=1, mmap=1, task=1)])
    r.mmap2(b'/bin/app', time=0)
    for n in range(4):
        # a length of raw bytes after which no word is aligned
        r.sample(time=300 - n, chain=CHAIN[n:], raw=b'rawbytes!'[:5 + n],
                 branches=BRANCHES[n % 3:],
                 regs=[0x1000 + i for i in range(20)] if n else None,
                 stack=bytes(range(64)) if n != 1 else b'', copied=16 * n)
    return r


def several(order, by):
    """Events whose samples differ in everything but where the id is."""
    some = by | IP | TID | TIME
    # what stands behind an ID at a trailer's end must be the same in all
    cpu = CPU if by == ID else 0
    r = Recording(order, [
        Event(some | CPU, b'first', [1, 2]),
        Event(some | cpu | PERIOD | CALLCHAIN, b'second', [0x100]),
        Event(some | cpu | RAW, b'third', [1 << 40, 5], kind=2),
        Event(some | CPU, b'tracker', [9], config=9)])
    r.comm(b'before', time=0, event=0)
    r.sample(2, time=103, raw=b'fields..1234')
    r.mmap2(b'/bin/app', event=3, time=90)
    r.sample(1, time=102, chain=CHAIN)
    r.sample(0, time=101)
    r.sample(1, time=101, period=77)
    r.comm(b'after', event=2, time=200, cpu=0)
    return r


def sides(order, sample_type=TID | TIME | ID | STREAM_ID | CPU | IDENTIFIER,
          **bits):
    r = Recording(order, [Event(IP | sample_type, b'cycles', [3], **bits)])
    r.mmap(b'[kernel.kallsyms]_text', addr=0xffffffff81000000, pid=U32, tid=0,
           time=0)
    r.mmap(b'/data', data=True, time=20)
    r.mmap2(b'/bin/app', time=21)
    r.mmap2(b'/lib/with-id.so', build_id=bytes(range(20)), time=22)
    r.mmap2(b'/lib/short-id.so', build_id=b'short id', prot=1, time=23)
    r.mmap2(b'n' * 4000, time=24)
    r.comm(b'a name', time=30)
    r.comm(b'', is_exec=True, time=31)
    r.task('fork', 9, 7, 10, 8, time=32)
    r.task('exit', 9, 7, 10, 8, time=33)
    r.ksymbol(b'bpf_prog_1', 0xffffffffc0000000, 400, time=34)
    r.ksymbol(b'ftrace', 0xffffffffc0001000, 40, bpf=2, gone=1, time=35)
    r.lost(12, time=36)
    r.lost(13, samples=True, time=37)
    r.throttle(True, time=38)
    r.throttle(False, time=39)
    r.other(14, time=40)
    r.other(15, r.pack('II', 1, 2), time=41)
    r.other(16, r.pack('IIQ', 1, 2, 0), time=42)
    r.other(20, b'poke' * 4, time=43)
    r.other(63, time=44)  # a type nobody has heard of
    r.sample(time=45)
    return r


def call_stacks(order):
    r = Recording(order, [Event(IP | TID | TIME | CALLCHAIN | BRANCH_STACK,
                                b'cycles', branches=1 << 11 | 3)])
    for n in range(3):
        r.sample(time=50 + n, branches=BRANCHES * n, chain=CHAIN)
    return r


def many(order='<', rings=4, rounds=12, each=40):
    """Rings that are read one after the other: a round's records may be older
    than the newest of the round before, not than that of the one before."""
    r = Recording(order, [Event(IP | TID | TIME | CPU | PERIOD | CALLCHAIN,
                                b'cycles')])
    for n in range(rounds):
        for cpu in range(rings):
            for i in range(each):
                # every ring starts before others have ended theirs
                time = 1000 + n * 250 + i * 10 + cpu * 3 + (i % 7 == 0) * 11
                r.sample(time=time, cpu=cpu, ip=time, chain=CHAIN)
        if n % 3 != 2:
            r.round()
    return r


def odd_attr(order, size):
    r = Recording(order, [Event(IP | TID | TIME, b'odd', [1], attr_size=size),
                          Event(IP | TID | TIME, b'too', [2],
                                attr_size=size)])
    r.sample(time=1)
    r.sample(time=2)
    return r


def damaged(part):
    r = Recording('<', [Event(ALL & ~(IDENTIFIER | ID), b'all',
                              read_format=15, regs=MASK, stack=64)])
    for n in range(3):
        r.sample(time=10 + n, chain=CHAIN, raw=b'1234', branches=BRANCHES,
                 regs=list(range(20)), stack=bytes(64),
                 poison=part if n == 1 else None)
    return r


def plain():
    # of the name that an event gets when the file has none
    r = Recording('<', [Event(IP | TID | TIME, b'cpu-clock')])
    r.comm(b'app', time=1)
    r.sample(time=2)
    r.sample(time=3)
    return r


def odd_size(size):
    """A record whose size cannot be; what is before it counts."""
    r = plain()
    r.add(9, b'', size=size)
    kept = list(r.lines)
    r.sample(time=4)
    r.lines = kept
    return r


def packed(newer, cuts, order='<'):
    r = many(order, rounds=6)
    r.packed(newer, cuts)
    return r


def packed_damage(cut):
    """Of the compressed records only those in front, or one is damaged."""
    r = many()
    r.packed(True, 500)
    assert len(r.data) > 4
    if cut:
        r.data = r.data[:3]
    else:
        r.data[2] = r.data[2][:40] + b'\xff' * 40 + r.data[2][80:]
    return r


def folder(r, path):
    """Processors' records in files of their own; the header has none."""
    os.makedirs(path)
    parts = [[] for _ in range(12)]
    for n, record in enumerate(r.data):
        parts[n % 12].append(record)
    for n, part in enumerate(parts):
        with open('%s/data.%d' % (path, n), 'wb') as f:
            f.write(b''.join(part))
    r.data = []
    comm = Recording(r.order, r.events)
    comm.comm(b'found', time=0)
    r.lines = comm.lines + r.lines
    features = {**r.features(), 24: r.words(1)}
    return r.file(features, b''.join(comm.data))


def folder_recording():
    return several('<', IDENTIFIER)


def orders(name, make):
    return {name: lambda: make('<'), name + '-big': lambda: make('>')}


RECORDINGS = {
    **orders('all', everything),
    **orders('identifier', lambda o: several(o, IDENTIFIER)),
    **orders('id', lambda o: several(o, ID)),
    **orders('sides', sides),
    **orders('sides-time', lambda o: sides(o, TIME)),
    **orders('sides-bare', lambda o: sides(o, TID, sample_id_all=0)),
    **orders('calls', call_stacks),
    **orders('rounds', many),
    **orders('attr-64', lambda o: odd_attr(o, 64)),
    **orders('attr-200', lambda o: odd_attr(o, 200)),
    'plain': plain,
    'size-0': lambda: odd_size(0),
    'size-7': lambda: odd_size(7),
    'packed': lambda: packed(False, 700),
    'packed-tiny': lambda: packed(False, 3),
    'packed2': lambda: packed(True, 701),
    'packed2-big': lambda: packed(True, 701, '>'),
    'packed-damaged': lambda: packed_damage(False),
    'packed-cut': lambda: packed_damage(True),
    **{'bad-' + part: (lambda part=part: damaged(part)) for part in (
        'read', 'chain', 'raw', 'branches', 'regs', 'stack', 'copied', 'aux')},
}


def whole(name):
    """NAME, or NAME-pipe for the same through a pipe."""
    if name.endswith('-pipe'):
        r = RECORDINGS[name[:-5]]()
        return r, r.pipe()
    r = RECORDINGS[name]()
    if name == 'plain':
        return r, r.file({})
    return r, r.file()


def special(name):
    """Files with a header that says what is not so."""
    r = plain()
    r.events[0].ids = [1]
    if name == 'unfinished':
        return r, r.file({}, data_size=0)
    if name == 'ids-beyond':
        return r, r.file({}, ids_at=1 << 33)
    if name in ('attr-beyond', 'attr-tiny'):
        data = r.file({}, attr_size=1 << 40 if name == 'attr-beyond' else 8)
        r.lines = r.events = []
        return r, data
    if name == 'features-beyond':
        data = r.file({3: b'x' * 100})
        return r, data[:-100]
    return None


SPECIAL = ['unfinished', 'ids-beyond', 'attr-beyond', 'attr-tiny',
           'features-beyond']


def write(path, data):
    with open(path, 'wb') as f:
        f.write(data)


def main():
    out = sys.argv[1]
    made = {name: whole(name) for name in
            [*RECORDINGS, *(n + '-pipe' for n in RECORDINGS)]}
    made.update((name, special(name)) for name in SPECIAL)
    r = folder_recording()
    data = folder(r, out + '/folder')
    write(out + '/folder/data', data)
    write(out + '/folder.expected', r.expected().encode())
    for name, (r, data) in made.items():
        write(out + '/' + name, data)
        write(out + '/' + name + '.expected', r.expected().encode())


if __name__ == '__main__':
    main()
