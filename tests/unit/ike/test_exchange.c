/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole exchanges with the scripted responder in virtual time. */
#include "check.h"
#include "rig.h"

#include <string.h>

TEST(ike_main_and_quick_mode_complete)
{
    struct rig *r = rig_new();
    const struct ike_event *ev;

    rig_start(r);
    rig_run(r, r->now + US_S(2));
    CHECK_STR(failure_code(rig_failure(r)->id), "none");
    CHECK(rig_event(r, IKE_EVENT_AUTHENTICATED, 0));
    ev = rig_event(r, IKE_EVENT_SA_PAIR, 0);
    CHECK(ev);
    CHECK(r->server.qm_done);
    CHECK_INT(ev->sa.in.spi, r->server.out.spi);
    CHECK_INT(ev->sa.out.spi, r->server.in.spi);
    CHECK_MEM(ev->sa.in.cipher_key, ev->sa.in.cipher_key_len, r->server.out.cipher_key,
              r->server.out.cipher_key_len);
    CHECK_MEM(ev->sa.out.cipher_key, ev->sa.out.cipher_key_len, r->server.in.cipher_key,
              r->server.in.cipher_key_len);
    CHECK_MEM(ev->sa.out.integ_key, ev->sa.out.integ_key_len, r->server.in.integ_key,
              r->server.in.integ_key_len);
    CHECK(ev->sa.udp_encapsulated);
    CHECK(ev->sa.behind_nat);
    CHECK_INT(ev->sa.local_port, 41701);
    CHECK_INT(ev->sa.remote_port, 1701);
    CHECK_INT(ev->sa.lifetime_s, 3600);
    CHECK(rig_event(r, IKE_EVENT_SA_READY, 0));
    CHECK(ike_facts(r->ike)->established && ike_facts(r->ike)->floated && ike_facts(r->ike)->dpd);
    CHECK_INT(ike_facts(r->ike)->nat_local, IKE_NAT_UNKNOWN);
    CHECK_INT(ike_facts(r->ike)->nat_remote, IKE_NAT_NO);
    CHECK_STR(ike_facts(r->ike)->peer_id, "198.51.100.2");
    CHECK_STR(ike_facts(r->ike)->peer_id_type, "address");
    CHECK_STR(ike_facts(r->ike)->vendor_ids[0], "RFC 3947");
    CHECK_INT(ike_facts(r->ike)->resent, 0);
    CHECK_INT(r->server.qm3s, 1);
    rig_free(r);
}
