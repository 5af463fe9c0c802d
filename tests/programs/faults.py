# SPDX-License-Identifier: MIT
# Stacks of all threads, again and again, as faulthandler writes them.
import faulthandler
import sys
import threading
import time


def spin(stop):
    while not stop.is_set():
        pass


def descend(n, stop):
    if n:
        descend(n - 1, stop)
    else:
        spin(stop)


def wait(stop):
    stop.wait()


def main():
    out = sys.stdout
    stop = threading.Event()
    threads = [
        threading.Thread(target=descend, args=(3, stop)),
        threading.Thread(target=descend, args=(150, stop)),
        threading.Thread(target=wait, args=(stop,)),
    ]
    for t in threads:
        t.start()
    faulthandler.dump_traceback_later(0.1, repeat=True, file=out)
    time.sleep(0.25)
    faulthandler.cancel_dump_traceback_later()
    faulthandler.dump_traceback(file=out, all_threads=False)
    faulthandler.dump_traceback(file=out)
    stop.set()


main()
