# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cases of the interop suite: identities of every kind, and aggressive mode."""
import time

from place import SERVER
from suite import check
import router

AGGRESSIVE = ("--ike-mode", "aggressive", "--allow", "aggressive", "--ike", "aes256-sha256-modp2048")


def cases(lab):
    # ---- identities ----
    def identified(*args, **more):
        return lab.whole_dial(*args, traffic=False, **more)

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+of-group+as-name")
    def group_name_in_main_mode():
        status = identified("--local-id", "keyid:group", "--server-id", "@vpn.lab.test")
        check(status["ike"]["peer_id"] == "vpn.lab.test", "peer_id is %(peer_id)s" % status["ike"])
        check(status["ike"]["peer_id_type"] == "fqdn", "type %(peer_id_type)s" % status["ike"])

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+of-group+as-name")
    def server_identity_wrong():
        d = lab.dial(lab.Client(), "--local-id", "@#67726f7570", "--server-id", "keyid:vpn.lab.test")
        d.must_fail("ike.auth.peer-id", 30)
        check("fqdn vpn.lab.test" in d.error["message"] and
              "key-id vpn.lab.test" in d.error["message"], d.error["message"])

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+of-group+as-name")
    def own_identity_unknown():
        lab.dial(lab.Client(), "--local-id", "keyid:others").must_fail("ike.auth.refused", 50)

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+of-name+as-group")
    def name_in_main_mode():
        identified("--local-id", "@client.lab.test", "--server-id", "keyid:office", nat=True)

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+of-mail+as-dn")
    def mail_address_in_main_mode():
        identified("--local-id", "alice@lab.test", "--server-id", "C=CH, O=Lab, CN=gate")

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+of-dn")
    def distinguished_name_in_main_mode():
        identified("--local-id", "C=CH, O=Lab, CN=alice", "--server-id", SERVER)

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+rsa+of-cert-name")
    def rsa_with_the_name_of_the_certificate():
        identified(*lab.with_certificate("--local-id", "@client.example.com", "--server-id",
                                     "O=l2tpc tests, CN=vpn.example.com"), psk=None)

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+rsa+of-cert-name")
    def rsa_server_identity_wrong():
        d = lab.dial(lab.Client(), *lab.with_certificate("--local-id", "@client.example.com", "--server-id",
                                             "@other.example.com"), psk=None)
        d.must_fail("ike.auth.cert-name", 30)

    @lab.case("libreswan+ike-aes256+esp-gcm+of-group+as-name")
    def libreswan_group_name_in_main_mode():
        identified("--local-id", "keyid:group", "--server-id", "@vpn.lab.test", nat=True)

    # ---- aggressive mode ----
    def aggressively(*args, **more):
        status = identified(*AGGRESSIVE, *args, **more)
        check(status["ike"]["mode"] == "aggressive", "ike.mode is %(mode)s" % status["ike"])
        check(status["ike"]["weaknesses"] == ["aggressive-mode"], "weaknesses %s" % status["ike"])

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+aggressive+of-group", in_short=True)
    def aggressive_group_name_nat():
        aggressively("--local-id", "keyid:group", nat=True)

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+aggressive+of-group")
    def aggressive_group_name():
        aggressively("--local-id", "keyid:group")

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+aggressive+of-group")
    def aggressive_raw_esp():
        aggressively("--local-id", "keyid:group", "--encapsulation", "esp", encapsulation="esp")

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+aggressive+of-group")
    def aggressive_wrong_psk():
        lab.dial(lab.Client(), *AGGRESSIVE, "--local-id", "keyid:group", psk="not-the-key") \
            .must_fail("ike.auth.psk", 20)

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+aggressive+of-group")
    def aggressive_port_4500_blocked():
        router.rules(nat=True, block=["4500"])
        lab.dial(lab.Client(), *AGGRESSIVE, "--local-id", "keyid:group").must_fail("ike.port-4500", 60)

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+aggressive+of-group")
    def aggressive_needs_consent():
        lab.dial(lab.Client(), "--ike-mode", "aggressive").must_fail("ike.aggressive-consent", 10)

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+aggressive+of-group")
    def aggressive_server_and_main_mode():
        d = lab.dial(lab.Client(), "--local-id", "keyid:group")
        d.must_fail("ike.auth.refused", 50)

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+aggressive+of-name+as-name")
    def aggressive_name_nat():
        aggressively("--local-id", "@client.lab.test", "--server-id", "@vpn.lab.test", nat=True)

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+aggressive+of-name+as-name")
    def aggressive_server_identity_wrong():
        lab.dial(lab.Client(), *AGGRESSIVE, "--local-id", "@client.lab.test", "--server-id", SERVER) \
            .must_fail("ike.auth.peer-id", 20)

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+aggressive+of-group+short")
    def aggressive_renewed():
        """Phase 1 lives for 120 s: we begin the next one in aggressive mode while the tunnel goes on."""
        client = lab.Client()
        d = lab.dial(client, *AGGRESSIVE, "--local-id", "keyid:group", "--verbose")
        d.wait_up(30)
        end = time.monotonic() + 125
        while time.monotonic() < end:
            lab.pings(client)
            time.sleep(2)
        with open(d.stderr_path, errors="replace") as log:
            text = log.read()
        print("    phase 1 was renewed %d times" % text.count("phase 1 was renewed"))
        check("phase 1 was renewed" in text and "did not take" not in text, d.told())
        d.stop()

    @lab.case("libreswan+ike-aes256+esp-gcm+aggressive+of-group+as-name")
    def libreswan_aggressive_group_name_nat():
        aggressively("--local-id", "keyid:group", "--server-id", "@vpn.lab.test", nat=True)

    @lab.case("libreswan+ike-aes256+esp-gcm+aggressive+of-group+as-name")
    def libreswan_aggressive_raw_esp():
        aggressively("--local-id", "keyid:group", "--encapsulation", "esp", encapsulation="esp")

    @lab.case("libreswan+ike-aes256+esp-gcm+aggressive+of-name")
    def libreswan_aggressive_name():
        aggressively("--local-id", "@client.lab.test")
