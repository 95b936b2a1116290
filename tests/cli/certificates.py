# SPDX-License-Identifier: LGPL-2.1-or-later
"""Certificates on the command line: files, tokens, and what is refused before anything is sent."""
import os

from suite import check
from bench import objects, SILENT
from common import base, bench, failed, suite, usage

VECTORS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "vectors", "x509")


def vector(name):
    return os.path.join(VECTORS, name)


def with_files(*names):
    words = ["--certificate", vector(names[0]), "--ca", vector("ca.pem")]
    return base(SILENT) + words + (["--key", vector(names[1])] if len(names) > 1 else [])


@suite.case()
def passphrase_from_the_descriptor():
    """client-locked.key opens with "open"; the dial then begins."""
    locked = with_files("client.pem", "client-locked.key")
    code, out, err = bench.run(*locked, "--json", "--timeout", "1", "--secrets-fd", "0",
                               input=b"passphrase=open\npassword=b\n")
    check('"stage":"ike-phase1"' in out, out + err)
    check(objects(out)[-1]["error"]["code"] == "local.timeout", out + err)
    failed("ike.auth.cert-passphrase", 5, *locked, "--secrets-fd", "0", input=b"passphrase=wrong\n")


@suite.case()
def certificate_without_its_key():
    """Told at once, without a packet: the certificate alone, and with the key of another."""
    failed("ike.auth.cert-missing-key", 5, *with_files("client.pem"))
    code, out, err = bench.run(*with_files("client.pem", "ec256.key"))
    check(code == 5 and "[ike.auth.cert-missing-key," in err, err)
    check("can read the private key in" in err, "an open key that others read: " + err)


@suite.case()
def pin_is_not_an_argument():
    ca = ["--ca", vector("ca.pem")]
    for query in ("?pin-value=1234", "?pin-source=file:/etc/pin"):
        uri = "pkcs11:token=a;object=b" + query
        usage(*base(), *ca, "--certificate", uri, words="PIN of a token is not an argument")
        usage(*base(), *ca, "--certificate", vector("client.pem"), "--key", uri,
              words="PIN of a token is not an argument")
        usage("certificate", "check", "--certificate", uri, words="PIN of a token is not an argument")


@suite.case()
def modules_are_not_named_by_a_uri():
    for uri in ("pkcs11:token=a?module-path=/tmp/evil.so", "pkcs11:token=a?module-name=evil",
                "pkcs11:token=%zz"):
        usage(*base(), "--ca", vector("ca.pem"), "--certificate", uri, words="does not take")
        usage("certificate", "check", "--certificate", uri, words="cannot be used")


@suite.case()
def key_file_with_a_certificate_on_a_token():
    usage(*base(), "--ca", vector("ca.pem"), "--certificate", "pkcs11:token=a", "--key",
          vector("client.key"), words="cannot go with a certificate on a token")


@suite.case()
def revocation_policies():
    for policy in ("soft", "hard", "off"):
        code, out, err = bench.run(*with_files("client.pem", "client.key"), "--revocation", policy,
                                   "--json", "--timeout", "1")
        check('"stage":"ike-phase1"' in out, out + err)
    usage(*with_files("client.pem", "client.key"), "--revocation", "maybe", words="does not take")
    usage(*base(), "--revocation", "hard", words="go with --certificate")


@suite.case()
def token_that_is_not_there():
    words = base(SILENT) + ["--ca", vector("ca.pem"), "--certificate",
                            "pkcs11:token=no-such-token-anywhere;object=x"]
    code, out, err = bench.run(*words, "--json")
    got = objects(out)[-1]["error"]["code"]
    check(code == 1 and got in ("local.token-missing", "local.token-support"), out + err)
