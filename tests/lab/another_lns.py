# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cases of the interop suite: l2tpns, whose L2TP and PPP are neither xl2tpd's nor pppd's."""


def cases(lab):
    @lab.case("strongswan+ike-aes256+esp-aes-sha1+chap+l2tpns", in_short=True)
    def l2tpns_chap_nat():
        """A server that offers multilink, and whose L2TP and PPP are not the kernel's nor pppd's."""
        lab.whole_dial(nat=True, method="CHAP-MD5", megabits=1)

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+chap+l2tpns")
    def l2tpns_wrong_password():
        lab.dial(lab.Client(), password="not-this-one").must_fail("ppp.auth.ended", 30)

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+chap+l2tpns")
    def l2tpns_again():
        lab.whole_dial(method="CHAP-MD5", megabits=1)

    @lab.case("strongswan+ike-aes256+esp-aes-sha1+pap+l2tpns")
    def l2tpns_pap():
        lab.whole_dial("--allow", "pap", method="PAP", megabits=1)

    @lab.case("libreswan+ike-aes256+esp-aes-sha1+chap+l2tpns")
    def l2tpns_and_libreswan():
        lab.whole_dial(method="CHAP-MD5", megabits=1)
