/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Servers that say who they are: each row of the table is found by a dial, and changes what it
 * may. */
#include "check.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t rfc3947[] = {0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03, 0x58, 0x45,
                                  0x5c, 0x57, 0x28, 0xf2, 0x0e, 0x95, 0x45, 0x2f};
static const uint8_t fragmentation[] = {0x40, 0x48, 0xb7, 0xd5, 0x6e, 0xbc, 0xe8, 0x85,
                                        0x25, 0xe7, 0xde, 0x7f, 0x00, 0xd6, 0xc2, 0xd3};

/* A server of which every condition of the row is true. */
static void pose_as(struct peer_config *p, const struct server_row *row, char *vendor, char *host)
{
    bool has_natt = false;

    for (unsigned i = 0; i < row->n_conditions; i++) {
        const struct server_condition *c = &row->condition[i];
        struct span bytes = span_of(c->bytes, c->n);

        if (c->test == TEST_VENDOR_ID || c->test == TEST_FIRST_VENDOR_ID) {
            p->vendor_id[p->n_vendor_ids++] = bytes;
            has_natt = has_natt || span_eq(bytes, SPAN_ARRAY(rfc3947));
        } else if (c->test == TEST_L2TP_VENDOR) {
            memcpy(vendor, c->bytes, c->n);
            p->l2tp_vendor = vendor;
        } else if (c->test == TEST_L2TP_HOST) {
            memcpy(host, c->bytes, c->n);
            p->l2tp_host = host;
        } else if (c->test == TEST_L2TP_FIRMWARE) {
            p->l2tp_firmware = c->number;
        }
    }
    if (!has_natt)
        p->vendor_id[p->n_vendor_ids++] = SPAN_ARRAY(rfc3947);
}

static bool is_found(const struct servers *servers, const struct server_row *row)
{
    char vendor[80] = "";
    char host[80] = "";
    struct world_config c;
    const struct dial_facts *f;
    struct world *w;
    bool ok;

    world_config_default(&c);
    c.dial.servers = servers;
    pose_as(&c.peer, row, vendor, host);
    c.dial.want_ip = inaddr_v4(0x0a090909); /* or there would be nothing to switch off */
    w = world_new(&c);
    ok = world_dial(w, US_S(30));
    f = dial_facts(w->dial);
    ok = ok && (row->level == SERVER_BY_IKE ? f->server.ike : f->server.l2tp) == row &&
         (f->server_quirks & row->quirks) == row->quirks && world_close(w);
    if (!ok)
        printf("    %s of line %u is taken for %s and %s\n", row->name, row->line,
               f->server.ike ? f->server.ike->name : "nobody",
               f->server.l2tp ? f->server.l2tp->name : "nobody");
    world_free(w);
    return ok;
}

TEST(servers_every_row_is_found)
{
    struct servers *s = servers_new();
    const struct server_row *row;
    bool all = true;

    CHECK(s != NULL);
    for (unsigned i = 0; (row = servers_at(s, i)); i++)
        all &= is_found(s, row);
    servers_free(s);
    CHECK(all);
}

/* From the last message of IKE to SCCRQ. */
static l2tpc_us sccrq_wait(const struct servers *servers, bool says_so)
{
    struct world_config c;
    struct world *w;
    l2tpc_us wait;
    l2tpc_us quick = 0;
    int at;

    world_config_default(&c);
    c.dial.servers = servers;
    c.no_servers = !servers;
    c.peer.vendor_id[c.peer.n_vendor_ids++] = SPAN_ARRAY(rfc3947);
    if (says_so)
        c.peer.vendor_id[c.peer.n_vendor_ids++] = SPAN_ARRAY(fragmentation);
    w = world_new(&c);
    if (!world_dial(w, US_S(30)))
        abort();
    at = world_find(w, LINE_OUT, "SCCRQ", 0);
    for (int i = 0; i < at; i++) /* the last of them is message 3 */
        if (w->line[i].kind == LINE_OUT && strstr(w->line[i].text, "quick"))
            quick = w->line[i].at;
    wait = w->line[at].at - quick;
    world_free(w);
    return wait;
}

TEST(servers_hold_sccrq_for_those_that_install_late)
{
    struct servers *s = servers_new();

    CHECK_INT(sccrq_wait(s, true), SCCRQ_HOLD);
    CHECK_INT(sccrq_wait(s, false), 0);
    CHECK_INT(sccrq_wait(NULL, true), 0);
    servers_free(s);
}

#define OWN                                                                                        \
    "l2tpc-servers 1\nserver Old router\nvendor-id 4048*\nquirk port-1701\nsuggest --allow pap\n"  \
    "suggest --policy legacy\n"

/* What a person has chosen stands; what would weaken the dial is never done by itself. */
TEST(servers_own_table_changes_the_port_and_no_more)
{
    for (unsigned chosen = 0; chosen < 2; chosen++) {
        struct servers *s = servers_new();
        struct servers_problem p;
        struct world_config c;
        struct world *w;

        CHECK(servers_add(s, "own", span_str(OWN), &p));
        world_config_default(&c);
        c.dial.servers = s;
        c.dial.inner_port = chosen ? 51702 : 0;
        c.peer.vendor_id[c.peer.n_vendor_ids++] = SPAN_ARRAY(rfc3947);
        c.peer.vendor_id[c.peer.n_vendor_ids++] = SPAN_ARRAY(fragmentation);
        c.peer.auth[0] = PEER_AUTH_MSCHAPV2;
        c.peer.n_auth = 1;
        w = world_new(&c);
        CHECK(world_dial(w, US_S(30)));
        CHECK_STR(dial_facts(w->dial)->server.ike->name, "Old router");
        CHECK_INT(peer_facts(w->sim.peer)->client_port, chosen ? 51702 : 1701);
        CHECK_INT(dial_facts(w->dial)->server_quirks, chosen ? 0 : SERVER_PORT_1701);
        CHECK(world_close(w));
        world_free(w);

        /* The same server asks for PAP: no row may agree to that for a person. */
        c.peer.auth[0] = PEER_AUTH_PAP;
        w = world_new(&c);
        CHECK(world_until(w, world_is_down, US_S(60)));
        CHECK_STR(failure_code(w->failure.id), "ppp.auth.weak");
        world_free(w);
        servers_free(s);
    }
}
