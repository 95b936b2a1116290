#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Milliseconds from the start of a program to its first window on the screen, on stdout. first_frame.py PROGRAM [ARGS...]"""
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
print("%.1f" % ((time.monotonic() - begin) * 1000), flush=True)
child.terminate()
child.wait()
os._exit(0)
