# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pre-shared key: l2tpc psk, and what a dial says of a weak one and of where it lies."""
import os
import re

from suite import check
from bench import Untouched, objects, PSK, SILENT
from common import base, bench, secrets, suite, usage


@suite.case()
def psk_words():
    usage("psk", words="check or generate")
    usage("psk", "chek", words="check or generate")
    usage("psk", "check", "--psk", "x", words="A secret is not an argument")
    usage("psk", "check", "--psk-file", words="needs a value")
    usage("psk", "check", "--secrets-fd", "x", words="descriptor")
    usage("psk", "check", "--psk-file", "/nonexistent", words="No such file")
    usage("psk", "check", "--psk-file", "-", words="is empty", input=b"\n")
    usage("psk", "check", "--secrets-fd", "0", words="is empty", input=b"password=x\n")
    usage("psk", "check", "hunter2", words="A secret is not an argument")
    check("hunter2" not in bench.run("psk", "check", "hunter2")[2], "the secret is repeated")
    code, out, _ = bench.run("psk", "--help")
    check(code == 0 and "generate" in out, out)


@suite.case()
def psk_check():
    for key, status, word, more in ((b"password\n", 1, "bad", "old rule"),
                                    (b"kx9w2vb7tq4\n", 0, "note", "l2tpc psk generate"),
                                    (b"!Ng7x4tQzV9kWc2RfpM5b\n", 0, "good", "some servers do not take"),
                                    (PSK.encode(), 0, "good", "meets the old rule")):
        for args, text in ((("--psk-file", "-"), key),
                           (("--secrets-fd", "0"), b"psk=" + key.rstrip(b"\n") + b"\n")):
            code, out, err = bench.run("psk", "check", *args, input=text)
            check((code, err) == (status, ""), "%r: %d %s" % (key, code, err))
            check(out.startswith(word + " ") and more in out, "%r: %s" % (key, out))
            check(re.search(r"about \d+ bits", out), out)
            check(key.decode().strip() not in out, "the key is shown")


@suite.case()
def psk_generate():
    keys = set()
    for _ in range(5):
        code, out, err = bench.run("psk", "generate")
        check(code == 0 and err == "" and re.fullmatch(r"[a-zA-Z2-9]{24}\n", out), out + err)
        check(not re.search("[0OolIi1]", out), out)
        keys.add(out)
        code, out, _ = bench.run("psk", "check", "--psk-file", "-", input=out.encode())
        check(code == 0 and out.startswith("good "), out)
    check(len(keys) == 5, "the same key again: %s" % keys)
    usage("psk", "generate", "64", words="not an argument")


def warnings(*args):
    """What a dial to nobody says before it says why it failed."""
    with Untouched(bench):
        code, out, err = bench.run(*base(SILENT), *args, "--timeout", "1")
    check(code == 4, "%d %s%s" % (code, out, err))
    lines = err.splitlines()
    check(len(lines) >= 3 and "[local.timeout" in lines[-1], err)
    return lines[:-3]


@suite.case()
def weak_key_is_said_at_once():
    check(warnings(*secrets()) == [], "a good key is complained about")
    weak = bench.write("weak-psk", "password\n")
    args = ["--psk-file", weak, "--password-file", bench.folder + "/password"]
    said = warnings(*args)
    check(len(said) == 1 and said[0].startswith("l2tpc: Warning: ") and "easy to guess" in said[0],
          "%s" % said)
    check("password" not in said[0], "the key is shown")
    code, out, err = bench.run(*base(SILENT), *args, "--timeout", "1", "--json")
    check(err == "", "stderr with --json: %s" % err)
    last = objects(out)[-1]
    check(last["secrets"]["psk_origin"] == "file" and last["secrets"]["psk_readers"] == "owner" and
          weak in last["secrets"]["psk_place"], "%s" % last["secrets"])
    check(last["server"]["kind"] == [], "nobody is %s" % last["server"]["kind"])


@suite.case()
def secret_files_that_others_can_read():
    for mode, words in ((0o644, "everybody"), (0o640, "group"), (0o600, None), (0o660, "group")):
        bench.write("open-psk", PSK + "\n", mode)
        said = warnings("--psk-file", os.path.join(bench.folder, "open-psk"), "--password-file",
                        bench.folder + "/password")
        check((len(said) == 1 and words in said[0] and "open-psk" in said[0]) if words
              else said == [], "%o: %s" % (mode, said))
    # A pipe is not stored anywhere.
    code, out, _ = bench.run(*base(SILENT), "--secrets-fd", "0", "--timeout", "1", "--json",
                             input=b"psk=a\npassword=b\n")
    got = objects(out)[-1]["secrets"]
    check(got["psk_origin"] == got["password_origin"] == "not-stored" and not got["psk_place"],
          "%s" % got)
