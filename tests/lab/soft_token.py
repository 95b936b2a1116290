# SPDX-License-Identifier: LGPL-2.1-or-later
"""A token without hardware, for one case of the lab."""
import os
import shutil
import subprocess
import tempfile

import place
from suite import Skip, check

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class SoftToken:
    """A token of softhsm2 with the client's key and certificate, in a folder of the bench."""

    def __init__(self, bench):
        for tool in ("softhsm2-util", "pkcs11-tool", "openssl"):
            if not shutil.which(tool):
                raise Skip("%s is not installed (tests/packages/token)" % tool)
        self.folder = tempfile.mkdtemp(dir=bench.folder)
        conf = os.path.join(self.folder, "conf")
        place.write(conf, "directories.tokendir = %s\nlog.level = ERROR\n" % self.folder)
        self.env = {"SOFTHSM2_CONF": conf}
        self.pin = os.path.join(self.folder, "pin")
        place.write(self.pin, "1234\n", 0o600)

    def fill(self, name):
        pair = os.path.join(TOP, "tests", "vectors", "x509", name)
        script = (
            "softhsm2-util --init-token --free --label lab --so-pin 5678 --pin 1234 && "
            "softhsm2-util --import {p}.key --token lab --label own --id 01 --pin 1234 && "
            "openssl x509 -in {p}.pem -outform DER -out {f}/own.der && pkcs11-tool --module "
            "/usr/lib/softhsm/libsofthsm2.so --token-label lab --login --pin 1234 --write-object "
            "{f}/own.der --type cert --label own --id 01").format(p=pair, f=self.folder)
        out = subprocess.run(["sh", "-c", script], capture_output=True, text=True,
                             env=dict(os.environ, **self.env))
        check(out.returncode == 0, "softhsm2: " + out.stdout + out.stderr)
        return self

    def words(self, *more):
        return ["--certificate", "pkcs11:token=lab;object=own", "--passphrase-file", self.pin,
                "--ca", os.path.join(TOP, "tests", "vectors", "x509", "ca.pem")] + list(more)
