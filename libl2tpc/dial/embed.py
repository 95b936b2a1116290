#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A text file as C: embed.py FILE OUTPUT, for servers_builtin.h."""
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    lines = f.read().splitlines(keepends=True)
with open(sys.argv[2], "w", encoding="utf-8") as f:
    f.write('#include "dial/servers_builtin.h"\n\nconst char servers_builtin[] =\n')
    for line in lines:
        text = line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        f.write('    "%s"\n' % text)
    f.write("    ;\nconst size_t servers_builtin_n = sizeof(servers_builtin) - 1;\n")
