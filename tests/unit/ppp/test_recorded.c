/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recorded logins played back: what the servers said goes in as it was, and our answers must be
 * what the recorded client's were, or what a server accepted.
 */
#include "rig.h"

#include <string.h>

/* SoftEther 4 over UDP 4500; the client's random numbers are handed to ours. */
TEST(ppp_recorded_softether_mschapv2)
{
    struct ppp_config c = rig_config();
    struct rig r;

    rig_init(&r, &c);
    r.n_script = check_hex(r.script, sizeof(r.script), "16630a1f 888b42ff7653009111919183e4fce89b");
    ppp_start(r.ppp, r.now);
    CHECK_STR(rig_out(&r), "c0210101000e0104057805061f0a6316");
    CHECK_INT(rig_in(&r, "ff03c0210401000a05061f0a6316"), VERDICT_OK);
    CHECK_STR(rig_out(&r), "c0210102000801040578");
    CHECK_INT(rig_in(&r, "ff03c021010000080304c227"), VERDICT_OK);
    CHECK_STR(rig_out(&r), "c021030000090305c22381");
    /* before LCP is open: not answered */
    CHECK_INT(rig_in(&r, "ff03c021090000180000000041686f2042616b61204d616e756b6500"), VERDICT_DROP);
    CHECK_STR(rig_out(&r), "");
    CHECK_INT(ppp_facts(r.ppp)->early_echoes, 1);
    CHECK_INT(rig_in(&r, "ff03c0210202000801040578"), VERDICT_OK);
    CHECK_INT(rig_in(&r, "ff03c021010100090305c22381"), VERDICT_OK);
    CHECK_STR(rig_out(&r), "c021020100090305c22381");
    CHECK_INT(rig_event(&r), PPP_EVENT_LCP_UP);
    /* open: answered, with magic 0 */
    CHECK_INT(rig_in(&r, "ff03c021090000180000000041686f2042616b61204d616e756b6500"), VERDICT_OK);
    CHECK_STR(rig_out(&r), "c0210a0000180000000041686f2042616b61204d616e756b6500");
    CHECK_INT(rig_event(&r), -1);
    CHECK_INT(rig_in(&r, "ff03c22301020017105d5a48bf2c78d037adddf2b20cabbadb766d"), VERDICT_OK);
    CHECK_INT(rig_event(&r), PPP_EVENT_NEED_PASSWORD);
    CHECK_STR(rig_out(&r), "");
    rig_password(&r, "wonderland");
    CHECK_STR(rig_out(&r), "c2230202003b31888b42ff7653009111919183e4fce89b000000000000000041e7c5b35"
                           "55bf1b05f89509259fdcb4bb8eb94980ef8671a00616c696365");
    CHECK_INT(rig_in(&r, "ff03c2230302002e533d363238324331424644314442373546344241314341464645"
                         "4234374142394630313846364342 4341"),
              VERDICT_OK);
    CHECK_INT(rig_event(&r), PPP_EVENT_AUTHENTICATED);
    CHECK_STR(rig_out(&r), "802101010016030600000000810600000000830600000000");
    CHECK_INT(rig_in(&r, "ff038021030100160306c0a81e0a8106c0a81e018306c0a81e02"), VERDICT_OK);
    CHECK_STR(rig_out(&r), "8021010200160306c0a81e0a8106c0a81e018306c0a81e02");
    CHECK_INT(rig_in(&r, "ff0380210103000a0306c0a81e01"), VERDICT_OK);
    CHECK_STR(rig_out(&r), "80210203000a0306c0a81e01");
    CHECK_INT(rig_in(&r, "ff038021020200160306c0a81e0a8106c0a81e018306c0a81e02"), VERDICT_OK);
    CHECK_INT(rig_event(&r), PPP_EVENT_IP_UP);
    CHECK_STR(rig_out(&r), "c0210901000800000000"); /* the first echo, magic 0 */
    ppp_close(r.ppp, r.now);
    CHECK_STR(rig_out(&r), "c02105030004");
    CHECK_INT(rig_in(&r, "ff03c02106030004"), VERDICT_OK);
    CHECK_INT(rig_event(&r), PPP_EVENT_CLOSED);
    rig_free(&r);
}

/* pppd 2.4.9 behind xl2tpd; its Ack of our own two options stands in for that of pppd's client. */
static void pppd_dial(struct rig *r, const char *request, const char *ack)
{
    struct ppp_config c = rig_config();

    rig_init(r, &c);
    ppp_start(r->ppp, r->now);
    CHECK_STR(rig_out(r), "c0210101000e01040578050611223344");
    CHECK_INT(rig_in(r, request), VERDICT_OK);
    CHECK_STR(rig_out(r), "c0210101000e01040578050611223344"); /* it is there now: repeated */
    CHECK_STR(rig_out(r), ack);
    CHECK_INT(rig_in(r, request), VERDICT_OK); /* 3 s later the capture has it again */
    CHECK_STR(rig_out(r), ack);
    CHECK_INT(rig_in(r, "ff03c0210201000e01040578050611223344"), VERDICT_OK);
    CHECK_INT(rig_event(r), PPP_EVENT_LCP_UP);
    CHECK_INT(rig_in(r, "ff03c02109000008395e8fe6"), VERDICT_OK);
    CHECK_STR(rig_out(r), "c0210a00000811223344");
}

static void pppd_ipcp(struct rig *r)
{
    char text[ADDR_TEXT_MAX];

    CHECK_INT(rig_event(r), PPP_EVENT_AUTHENTICATED);
    CHECK_STR(rig_out(r), "802101010016030600000000810600000000830600000000");
    CHECK_INT(rig_in(r, "ff0380210101000a03060a630001"), VERDICT_OK);
    CHECK_STR(rig_out(r), "80210201000a03060a630001");
    CHECK_INT(rig_in(r, "ff0380570101000e010a155577c349dcdf51"), VERDICT_OK); /* IPV6CP */
    CHECK_STR(rig_out(r), "c0210801001480570101000e010a155577c349dcdf51");
    CHECK_INT(rig_in(r, "ff0380210301001603060a63000a81060a63000183060a630001"), VERDICT_OK);
    CHECK_STR(rig_out(r), "80210102001603060a63000a81060a63000183060a630001");
    CHECK_INT(rig_in(r, "ff0380210202001603060a63000a81060a63000183060a630001"), VERDICT_OK);
    CHECK_INT(rig_event(r), PPP_EVENT_IP_UP);
    CHECK_STR(inaddr_text(&ppp_facts(r->ppp)->local_ip, text), "10.99.0.10");
    CHECK_STR(inaddr_text(&ppp_facts(r->ppp)->peer_ip, text), "10.99.0.1");
    CHECK_STR(rig_out(r), "c0210901000811223344");
    CHECK_INT(rig_in(r, "ff03c02105020010557365722072657175657374"), VERDICT_OK);
    CHECK_STR(rig_out(r), "c02106020004");
    CHECK_INT(rig_event(r), PPP_EVENT_TERMINATED);
    CHECK_INT(r->event.failure.id, FAILURE_PEER_CLOSED);
    CHECK_STR(r->event.failure.peer_text, "User request");
}

TEST(ppp_recorded_pppd_pap)
{
    struct rig r;

    pppd_dial(&r, "ff03c02101010018010405780206000000000304c0230506395e8fe6",
              "c02102010018010405780206000000000304c0230506395e8fe6");
    CHECK_INT(rig_event(&r), PPP_EVENT_NEED_PASSWORD);
    rig_password(&r, "Alice-pw-1");
    CHECK_STR(rig_out(&r), "c0230101001505616c6963650a416c6963652d70772d31");
    CHECK_INT(rig_in(&r, "ff03c0230201000d084c6f67696e206f6b"), VERDICT_OK);
    CHECK_INT(ppp_facts(r.ppp)->auth, PPP_AUTH_PAP);
    pppd_ipcp(&r);
    rig_free(&r);
}

static void pppd_mschapv2(const char *peer_challenge, const char *challenge, const char *response,
                          const char *success)
{
    struct rig r;

    pppd_dial(&r, "ff03c02101010019010405780206000000000305c223810506ec84366b",
              "c02102010019010405780206000000000305c223810506ec84366b");
    r.n_script = check_hex(r.script, sizeof(r.script), peer_challenge);
    r.at_script = 0;
    CHECK_INT(rig_in(&r, challenge), VERDICT_OK);
    CHECK_INT(rig_event(&r), PPP_EVENT_NEED_PASSWORD);
    rig_password(&r, "Alice-pw-1");
    CHECK_STR(rig_out(&r), response);
    CHECK_INT(rig_in(&r, success), VERDICT_OK);
    CHECK_INT(ppp_facts(r.ppp)->auth, PPP_AUTH_MSCHAPV2);
    pppd_ipcp(&r);
    rig_free(&r);
}

TEST(ppp_recorded_pppd_mschapv2_psk)
{
    pppd_mschapv2("67b0431d06677572eb54947e81cde079",
                  "ff03c22301b7001e103a0d4f814d5515071f28d8d9b78616556c6162736572766572",
                  "c22302b7003b3167b0431d06677572eb54947e81cde0790000000000000000a06837c26d5b96ae"
                  "03971101505253806d4123900cb4297300616c696365",
                  "ff03c22303b7003f533d4241373643444643423637363232324146323743364139394339433735"
                  "43413339333243433835 36204d3d416363657373206772616e746564");
}

TEST(ppp_recorded_pppd_mschapv2_rsa)
{
    pppd_mschapv2("875aa07526dc741d2c1a587eae6a14b0",
                  "ff03c22301e8001e10a74ccc7cda155e5cd63ab830759e1ae06c6162736572766572",
                  "c22302e8003b31875aa07526dc741d2c1a587eae6a14b0000000000000000076b1baff8d9c69f7"
                  "1f5f5e4cf9da13c9654fdb9567c83edd00616c696365",
                  "ff03c22303e8003f533d3144303535454438463632313236333936443031333342333030344345"
                  "3633323444373941333844204d3d416363657373206772616e746564");
}
