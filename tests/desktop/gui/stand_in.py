#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Says on stdout when a window of the program that is given draws its first frame: milliseconds from
the start of the program to its first mapped, painted window. stand_in.py PROGRAM [ARGS...]"""
import os
import subprocess
import sys
import time


def windows():
    out = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "."], capture_output=True,
                         text=True)
    return set(out.stdout.split())


before = windows()
begin = time.monotonic()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
while not windows() - before and time.monotonic() < begin + 20:
    time.sleep(0.002)
print("%.1f" % ((time.monotonic() - begin) * 1000))
child.terminate()
child.wait()
os._exit(0)
