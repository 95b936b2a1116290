# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads gettext's catalogues (.po and .pot) as a list of messages."""
import ast
import re


class Message:
    def __init__(self):
        self.context, self.text, self.plural = None, "", None
        self.translations, self.fuzzy, self.places, self.obsolete = {}, False, [], False

    @property
    def key(self):
        return self.context, self.text


def read(path):
    """The messages of the file at path; the first, of the empty text, is its header."""
    found = []
    with open(path, encoding="utf-8") as f:
        for block in re.split(r"\n\s*\n", f.read()):
            message = parse(block)
            if message:
                found.append(message)
    return found


def parse(block):
    message, where = Message(), None
    for line in block.split("\n"):
        if line.startswith("#~"):
            return None
        if line.startswith("#,"):
            message.fuzzy = "fuzzy" in line
        elif line.startswith("#:"):
            message.places += line[2:].split()
        m = re.match(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[(\d+)\])?)?\s*(".*")\s*$', line)
        if not m:
            continue
        if m.group(1):
            where = (m.group(1).split("[")[0], int(m.group(2) or 0))
            put(message, where, "")
        put(message, where, ast.literal_eval(m.group(3)))
    return message if where else None


def put(message, where, text):
    word, n = where
    if word == "msgctxt":
        message.context = (message.context or "") + text
    elif word == "msgid":
        message.text += text
    elif word == "msgid_plural":
        message.plural = (message.plural or "") + text
    else:
        message.translations[n] = message.translations.get(n, "") + text
