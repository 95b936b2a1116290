/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What both ends call themselves, with a pre-shared key: each kind arrives as it was written, in
 * main and in aggressive mode and in every renewal, and a server that calls itself something else
 * gets no login (row H23).
 */
#include "check.h"
#include "ike/identity.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

static const char *const spellings[] = {
    "192.0.2.77",         "2001:db8::77",      "@client.example.com",
    "client.example.com", "alice@example.com", "C=CH, O=Example\\, Ltd, CN=alice",
    "@#00ff0041",         "keyid:Sales Group",
};

/* The body of an ID payload. */
static struct span body_of(const char *spelling, uint8_t out[600])
{
    struct cert_id id;

    if (identity_parse(spelling, &id) != IDENTITY_OK)
        return SPAN_NONE;
    memset(out, 0, 4);
    out[0] = id.type;
    memcpy(out + 4, id.bytes, id.n);
    return span_of(out, 4 + id.n);
}

static bool is_known_as(struct world *w, const char *spelling)
{
    const struct peer_facts *f = peer_facts(w->sim.peer);
    uint8_t bytes[600];

    return span_eq(body_of(spelling, bytes), span_of(f->client_id, f->client_id_n));
}

static void config_of(struct world_config *c, unsigned mode)
{
    world_config_default(c);
    c->dial.aggressive = c->dial.aggressive_allowed = mode;
    c->peer.aggressive = PEER_AGGRESSIVE_TOO;
}

TEST(identity_of_ours_in_every_exchange)
{
    for (unsigned mode = 0; mode < 2; mode++) {
        for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
            struct world_config c;
            struct world *w;

            config_of(&c, mode);
            c.dial.ike_lifetime_s = 20;
            CHECK_INT(identity_parse(spellings[i], &c.dial.own_id), IDENTITY_OK);
            w = world_new(&c);
            CHECK(world_dial(w, US_S(30)));
            CHECK(is_known_as(w, spellings[i]));
            world_run(w, US_S(40)); /* renewals: our server complains about another identity */
            CHECK(dial_facts(w->dial)->ike->ike_sas > 1);
            peer_start_main(w->sim.peer, w->sim.now);
            world_run(w, US_S(2));
            CHECK_INT(peer_facts(w->sim.peer)->own_mains, 1);
            CHECK(is_known_as(w, spellings[i]));
            CHECK(world_close(w));
            world_free(w);
        }
    }
}

TEST(identity_of_ours_is_our_address_by_default)
{
    struct world_config c;
    struct world *w;

    config_of(&c, 0);
    w = world_new(&c);
    CHECK(world_dial(w, US_S(30)));
    CHECK(is_known_as(w, "10.0.0.2"));
    world_free(w);
}

/* ---- the server's ---- */
struct called {
    uint8_t bytes[600];
    struct span id;
};

/* Type, then data, as our server takes it. */
static void call(struct called *called, struct world_config *c, const char *spelling)
{
    struct span body = body_of(spelling, called->bytes);

    called->bytes[3] = called->bytes[0];
    c->peer.id = span_of(called->bytes + 3, body.n - 3);
}

TEST(h23_identity_of_the_server_is_right)
{
    for (unsigned mode = 0; mode < 2; mode++) {
        for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
            struct world_config c;
            struct called called;
            struct world *w;

            config_of(&c, mode);
            c.dial.ike_lifetime_s = 20;
            call(&called, &c, spellings[i]);
            CHECK_INT(identity_parse(spellings[i], &c.dial.peer_id), IDENTITY_OK);
            w = world_new(&c);
            CHECK(world_dial(w, US_S(30)));
            world_run(w, US_S(40));
            CHECK(dial_facts(w->dial)->ike->ike_sas > 1);
            CHECK(!w->failed && world_clean(w));
            world_free(w);
        }
    }
}

TEST(h23_identity_of_the_server_is_wrong)
{
    static const struct {
        const char *is, *wanted, *value, *expected;
    } rows[] = {
        {"@other.example.com", "@vpn.example.com", "fqdn other.example.com",
         "fqdn vpn.example.com"},
        {"@vpn.example.com", "keyid:vpn.example.com", "fqdn vpn.example.com",
         "key-id vpn.example.com"},
        {"198.51.100.2", "198.51.100.3", "address 198.51.100.2", "address 198.51.100.3"},
        {"O=Example, CN=other", "O=Example, CN=gate", "dn O = Example, CN = other",
         "dn O = Example, CN = gate"},
        {"bob@example.com", "alice@example.com", "user-fqdn bob@example.com",
         "user-fqdn alice@example.com"},
        {"@#ff01", "@#ff02", "key-id ff01", "key-id ff02"},
    };

    for (unsigned mode = 0; mode < 2; mode++) {
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            struct world_config c;
            struct called called;
            struct world *w;

            config_of(&c, mode);
            call(&called, &c, rows[i].is);
            CHECK_INT(identity_parse(rows[i].wanted, &c.dial.peer_id), IDENTITY_OK);
            w = world_new(&c);
            CHECK(world_until(w, world_is_up, US_S(30)));
            CHECK(w->failed && w->failure.id == FAILURE_IKE_AUTH_PEER_ID);
            CHECK_STR(w->failure.value, rows[i].value);
            CHECK_STR(w->failure.expected, rows[i].expected);
            CHECK_INT(w->needs[DIAL_NEED_PASSWORD], 0);
            CHECK(!peer_facts(w->sim.peer)->tunnel_up);
            CHECK(world_until(w, world_is_down, US_S(5)));
            world_run(w, US_S(1));
            /* Behind main mode the server believes that all is well: it is told otherwise. */
            CHECK_INT(peer_facts(w->sim.peer)->deletes_ike, mode ? 0 : 1);
            world_free(w);
        }
    }
}

/* A name in other letters, a DN in other kinds of string: the same. */
TEST(h23_identity_spelled_otherwise)
{
    /* CN=gate as a PrintableString */
    static const uint8_t printable[] = {9,    0x30, 0x0f, 0x31, 0x0d, 0x30, 0x0b, 0x06, 0x03,
                                        0x55, 0x04, 0x03, 0x13, 0x04, 'G',  'A',  't',  'e'};
    struct world_config c;
    struct called called;
    struct world *w;

    config_of(&c, 0);
    call(&called, &c, "@VPN.Example.com");
    CHECK_INT(identity_parse("@vpn.example.com", &c.dial.peer_id), IDENTITY_OK);
    w = world_new(&c);
    CHECK(world_dial(w, US_S(30)));
    world_free(w);
    config_of(&c, 0);
    c.peer.id = SPAN_ARRAY(printable);
    CHECK_INT(identity_parse("CN=gate", &c.dial.peer_id), IDENTITY_OK);
    w = world_new(&c);
    CHECK(world_dial(w, US_S(30)));
    world_free(w);
}

/* Whatever it calls itself is fine when nothing is set, and shown. */
TEST(h23_identity_of_the_server_is_not_set)
{
    struct world_config c;
    struct called called;
    struct world *w;

    config_of(&c, 0);
    call(&called, &c, "keyid:Head Office");
    w = world_new(&c);
    CHECK(world_dial(w, US_S(30)));
    CHECK_STR(dial_facts(w->dial)->ike->peer_id, "Head Office");
    CHECK_STR(dial_facts(w->dial)->ike->peer_id_type, "key-id");
    world_free(w);
}

/* A renewal by somebody who calls himself something else, with the right key. */
TEST(identity_changes_in_a_renewal)
{
    static const uint8_t other[] = {2, 'e', 'v', 'i', 'l'};
    struct world_config c;
    struct world *w;

    config_of(&c, 0);
    w = world_new(&c);
    CHECK(world_dial(w, US_S(30)));
    w->config.peer.id = SPAN_ARRAY(other);
    peer_set_id(w->sim.peer, SPAN_ARRAY(other));
    peer_start_main(w->sim.peer, w->sim.now);
    world_run(w, US_S(3));
    CHECK_INT(dial_facts(w->dial)->ike->ike_sas, 1);
    CHECK_STR(dial_facts(w->dial)->ike->peer_id_type, "address");
    CHECK(!w->failed);
    world_free(w);
}
