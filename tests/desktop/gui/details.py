# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pane that proves the tunnel."""
import json
import os
import re

import fake
from suite import check, sabotaged
from session import TOP

ONE = "00000000-0000-4000-8000-000000000001"


def recording(s, name, status):
    return fake.write(os.path.join(s.folder, name + ".json"), [
        fake.profile(1, "Office", "vpn.example.com", "alice", now=status, since_ago_s=3723,
                     history=fake.history(), rates=fake.history())])


def details_titles():
    with open(os.path.join(TOP, "libl2tpc", "api", "groups.def")) as f:
        return re.findall(r'^DETAIL\(\w+, N_\("([^"]+)"\)\)', f.read(), re.M)


def add(suite, s):
    @suite.case("verdict-with-its-evidence")
    def verdict():
        app = s.start(fake=recording(s, "proof", fake.up("Office")))
        try:
            s.see("This is L2TP inside IPsec", description="Three observers agree: the kernel of "
                  "this computer, the server, and l2tpc itself.")
            for e in fake.up("Office")["evidence"]:
                node = s.see(e["sentence"], role="list item")
                check(node["description"].startswith("true, "), node["description"])
                check(e["value"] in node["description"], node["description"])
        finally:
            s.end(app)

    @suite.case("lying-engine-is-told-precisely")
    def lying():
        app = s.start(fake=recording(s, "lying", fake.lying("Office")))
        try:
            s.see("This is not proven to be L2TP inside IPsec", description="This is missing: The "
                  "kernel saw our protected packets leave with our SPI.")
            check(not s.ask(do="wait", name="This is L2TP inside IPsec", within=0.2),
                  "it says both")
            s.shot("not-proven")
        finally:
            s.end(app)

    @suite.case("windows-rows-in-windows-order")
    def windows():
        app = s.start(fake=recording(s, "windows", fake.up("Office")))
        try:
            s.see("Device name", role="list item", description="l2tp0")
            shown = [n["name"] for n in s.ask(do="dump") if n["role"] == "list item"]
            titles = details_titles()
            check(len(titles) == 13, titles)
            at = shown.index(titles[0])
            check(shown[at:at + 13] == (titles[::-1] if sabotaged() else titles), shown[at:at + 13])
        finally:
            s.end(app)

    @suite.case("every-known-field-is-shown")
    def fields():
        """What the status knows stands in the pane, as it says it; nothing is made up."""
        status = fake.up("Office")
        app = s.start(fake=recording(s, "fields", dict(status)))
        with open(os.path.join(TOP, "libl2tpc", "api", "status.def")) as f:
            rows = re.findall(r'^STATUS\((\w+), (\w+), (\w+), N_\("([^"]+)"\)\)', f.read(), re.M)
        try:
            s.see("ESP SPI, incoming", description=status["esp"]["spi_in"])
            shown = {n["name"]: n["description"] for n in s.ask(do="dump")
                     if n["role"] == "list item"}
            for group, key, kind, title in rows:
                value = status.get(group, {}).get(key)
                if kind == "TEXT" and value and value not in ("yes", "no"):
                    check(shown.get(title) == value, "%s: %r" % (title, shown.get(title)))
                if value is None:
                    check(not shown.get(title), "%s is made up: %r" % (title, shown.get(title)))
        finally:
            s.end(app)

    @suite.case("values-can-be-selected-and-counters-move")
    def moving():
        app = s.start(fake=recording(s, "moving", fake.up("Office")))
        try:
            first = s.see("ESP bytes received", role="list item")["description"]
            value = [n for n in s.ask(do="dump") if n["role"] == "label" and n["text"] == "l2tp0"]
            check(value and "focusable" in value[0]["states"], "the value cannot be reached")
            chart = s.see("Throughput of the last two minutes")
            check(re.search(r"Received: .*/s\. Sent: .*/s\.", chart["description"]), chart)
            check(s.ask(do="absent", name="ESP bytes received", description=first, within=4),
                  "nothing moves")
        finally:
            s.end(app)

    @suite.case("waterfall-has-words")
    def waterfall():
        app = s.start(fake=recording(s, "waterfall", fake.up("Office")))
        try:
            node = s.see("How long each stage took", role="image")
            for stage in ("Looking up the server", "PPP: logging in: 305 ms"):
                check(stage in node["description"], node["description"])
        finally:
            s.end(app)

    @suite.case("copy-all")
    def copy():
        app = s.start(fake=recording(s, "copy", fake.up("Office")))
        try:
            s.see("This is L2TP inside IPsec")
            s.keys("key", "ctrl+shift+c")
            s.see("All details were copied.")
        finally:
            s.end(app)
