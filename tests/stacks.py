# SPDX-License-Identifier: MIT
"""Samples as lines, to compare what was made of one recording.

    stacks.py capture FILE            a capture, pk-capture(5)
    stacks.py script [--exact] FILE   perf script's text, with
                                      -F comm,pid,tid,time,period,event,ip,dso

A line is TIME COMM PID/TID EVENT WEIGHT;FRAME;..., outermost frame first. A
frame is MODULE+ADDRESS, where a caller's address lies in the calling
instruction: perf prints return addresses, which are one more, but for user
frames that it unwound itself (--exact).
"""
import re
import sys

KERNEL = "[kernel]"


def text_start():
    for line in open("/proc/kallsyms"):
        address, _, name = line.split()[:3]
        if name in ("_text", "_stext"):
            return int(address, 16)
    return 0


def show(time, comm, pid, tid, event, weight, frames):
    print("%d %s %s/%s %s %s;%s" % (time, comm, pid, tid, event, weight,
                                    ";".join(frames)))


def frame(module, address):
    if module in ("[unknown]", "//anon") or \
            module.startswith(("[jit", "/memfd:")):
        return "[unknown]"
    return "%s+%x" % (module, address)


# ---- captures

def read_capture(lines):
    modules, nodes, events, procs, threads = {}, {}, {}, {}, {}
    kernel = text_start()
    for line in lines:
        word = line.rstrip("\n").split(" ")
        if word[0] == "mod":
            modules[word[1]] = (word[3], " ".join(word[4:]))
        elif word[0] == "f":
            base, path = modules[word[3]]
            address = int(word[4], 16) + (kernel if base == "k" else 0)
            stack = nodes.get(word[2], [])
            if path not in ("[truncated]", "[no-cfi]", "[unreadable]"):
                stack = stack + [frame(path, address)]
            nodes[word[1]] = stack
        elif word[0] == "event":
            events[word[1]] = word[4]
        elif word[0] == "proc":
            procs[word[2]] = " ".join(word[5:])
        elif word[0] == "name":
            threads[word[2], word[3]] = " ".join(word[4:])
        elif word[0] == "s":
            _, time, pid, tid, _, event, weight, node = word
            comm = threads.get((pid, tid), procs.get(pid))
            show(int(time) // 1000, comm, pid, tid, events[event], weight,
                 nodes.get(node, []))


# ---- perf script

HEAD = re.compile(r"\s*(.*?)\s+(-?\d+)/(-?\d+)\s+(\d+)\.(\d+):\s+(\d+) +(\S+?):\s*$")
FRAME = re.compile(r"\s+([0-9a-f]+) \((.*)\)$")


def settle(found, exact):
    """Perf's frames, innermost first, with callers' addresses as ours."""
    frames, seen = [], set()
    for address, module in found:
        kernel = module == "[kernel.kallsyms]"
        if kernel in seen and (kernel or not exact):
            address -= 1
        seen.add(kernel)
        frames.insert(0, frame(KERNEL if kernel else module, address))
    return frames


def read_script(lines, exact):
    head, found = None, []
    for line in list(lines) + ["\n"]:
        at = FRAME.match(line)
        if at:
            found.append((int(at[1], 16), at[2]))
            continue
        if head:
            comm, pid, tid, seconds, micros, period, event = head.groups()
            time = int(seconds) * 1000000 + int(micros)
            show(time, comm, pid, tid, event, period, settle(found, exact))
        head, found = HEAD.match(line), []


if __name__ == "__main__":
    arguments = [a for a in sys.argv[2:] if a != "--exact"]
    lines = open(arguments[0], errors="surrogateescape")
    if sys.argv[1] == "capture":
        read_capture(lines)
    else:
        read_script(lines, "--exact" in sys.argv)
