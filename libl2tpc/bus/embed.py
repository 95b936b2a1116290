#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The description of the object as C: embed.py XML OUTPUT SYMBOL."""
import re
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    text = re.sub(r"\s*<!--.*?-->", "", f.read(), flags=re.S)
with open(sys.argv[2], "w", encoding="utf-8") as f:
    f.write("extern const char %s[];\nconst char %s[] =\n" % (sys.argv[3], sys.argv[3]))
    for line in text.splitlines():
        f.write('    "%s\\n"\n' % line.replace("\\", "\\\\").replace('"', '\\"'))
    f.write("    ;\n")
