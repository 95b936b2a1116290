/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the setters take, and what they refuse without changing anything. */
#include "api/internal.h"
#include "check.h"

#include <stdio.h>
#include <string.h>

static l2tpc_config *fresh(void)
{
    l2tpc_config *c = NULL;

    return l2tpc_config_new(&c) == L2TPC_OK ? c : NULL;
}

TEST(config_defaults)
{
    l2tpc_config *c = fresh();

    CHECK(c);
    CHECK_INT(c->port, 500);
    CHECK_INT(c->until, STAGE_UP);
    CHECK(c->auth & PPP_AUTH_MSCHAPV2);
    CHECK(!(c->auth & PPP_AUTH_PAP));
    CHECK(!(c->auth & PPP_AUTH_NONE_OK));
    CHECK(!c->has_psk && !c->has_password);
    CHECK_INT(c->encapsulation, ENCAPSULATION_AUTO);
    l2tpc_config_free(c);
    l2tpc_config_free(NULL);
    CHECK_INT(l2tpc_config_new(NULL), L2TPC_EINVAL);
}

/* A name becomes a file name and a unit name somewhere. */
TEST(config_names)
{
    static const char *const good[] = {"office", "a", "vpn-1", "a.b", "A_b-9", "x-"};
    static const char *const bad[] = {"",   "../x", "x/../y", "a/b",         ".hidden",
                                      "-x", "a b",  "a\n",    "caf\xc3\xa9", "a..b",
                                      "..", ".",    "a;b",    "$x"};
    char text[80];
    l2tpc_config *c = fresh();

    CHECK(c);
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        CHECK_INT(l2tpc_config_set_name(c, good[i]), L2TPC_OK);
        CHECK_STR(c->name, good[i]);
    }
    CHECK_INT(l2tpc_config_set_name(c, "kept"), L2TPC_OK);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (l2tpc_config_set_name(c, bad[i]) != L2TPC_EINVAL)
            CHECK_STR(bad[i], "refused");
    memset(text, 'a', sizeof(text));
    text[64] = 0;
    CHECK_INT(l2tpc_config_set_name(c, text + 1), L2TPC_OK);
    CHECK_INT(l2tpc_config_set_name(c, text), L2TPC_OK);
    text[64] = 'a';
    text[65] = 0;
    CHECK_INT(l2tpc_config_set_name(c, text), L2TPC_EINVAL);
    CHECK_INT(strlen(c->name), 64);
    CHECK_INT(l2tpc_config_set_name(c, NULL), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_name(NULL, "x"), L2TPC_EINVAL);
    l2tpc_config_free(c);
}

TEST(config_servers)
{
    static const struct {
        const char *text, *server;
        uint16_t port;
    } good[] = {
        {"vpn.example.com", "vpn.example.com", 500},
        {"vpn.example.com:1500", "vpn.example.com", 1500},
        {"vpn.example.com.", "vpn.example.com.", 500},
        {"192.0.2.1", "192.0.2.1", 500},
        {"192.0.2.1:4000", "192.0.2.1", 4000},
        {"2001:db8::1", "2001:db8::1", 500},
        {"[2001:db8::1]", "2001:db8::1", 500},
        {"[2001:db8::1]:65535", "2001:db8::1", 65535},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1", 500},
        {"b\xc3\xbc"
         "cher.example",
         "b\xc3\xbc"
         "cher.example",
         500},
        {"\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88:501",
         "\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88", 501},
        {"localhost", "localhost", 500},
        {"my_host-1", "my_host-1", 500},
    };
    static const char *const bad[] = {"",
                                      ":",
                                      ":500",
                                      "vpn:",
                                      "vpn:0",
                                      "vpn:65536",
                                      "vpn:99999999",
                                      "vpn:5x",
                                      "vpn:-1",
                                      "vpn: 500",
                                      "[2001:db8::1",
                                      "[vpn]:500",
                                      "[192.0.2.1]:500",
                                      "[2001:db8::1]x",
                                      "[2001:db8::1]:",
                                      "2001:db8::zz",
                                      "-vpn",
                                      ".vpn",
                                      "a..b",
                                      "a b",
                                      "a/b",
                                      "vpn.example.com\n",
                                      "$(id)",
                                      "a;b",
                                      "\xff\xfe",
                                      "[]",
                                      "[]:5",
                                      "user@vpn",
                                      "http://vpn"};
    char text[300];
    l2tpc_config *c = fresh();

    CHECK(c);
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        if (l2tpc_config_set_server(c, good[i].text) != L2TPC_OK)
            CHECK_STR(good[i].text, "taken");
        CHECK_STR(c->server, good[i].server);
        CHECK_INT(c->port, good[i].port);
    }
    CHECK_INT(l2tpc_config_set_server(c, "kept:700"), L2TPC_OK);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (l2tpc_config_set_server(c, bad[i]) != L2TPC_EINVAL)
            CHECK_STR(bad[i], "refused");
        CHECK_STR(c->server, "kept");
        CHECK_INT(c->port, 700);
    }
    memset(text, 'a', sizeof(text));
    text[253] = 0;
    CHECK_INT(l2tpc_config_set_server(c, text), L2TPC_OK);
    text[253] = 'a';
    text[254] = 0;
    CHECK_INT(l2tpc_config_set_server(c, text), L2TPC_EINVAL);
    text[254] = 'a';
    text[299] = 0;
    CHECK_INT(l2tpc_config_set_server(c, text), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_server(c, NULL), L2TPC_EINVAL);
    l2tpc_config_free(c);
}

TEST(config_users)
{
    char text[300];
    l2tpc_config *c = fresh();

    CHECK(c);
    CHECK_INT(l2tpc_config_set_user(c, "alice", NULL), L2TPC_OK);
    CHECK_STR(c->user, "alice");
    CHECK_INT(l2tpc_config_set_user(c, "alice", "CORP"), L2TPC_OK);
    CHECK_STR(c->user, "CORP\\alice");
    CHECK_INT(l2tpc_config_set_user(c, "alice@corp", ""), L2TPC_OK);
    CHECK_STR(c->user, "alice@corp");
    CHECK_INT(l2tpc_config_set_user(c, "", NULL), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_user(c, NULL, "CORP"), L2TPC_EINVAL);
    memset(text, 'u', sizeof(text));
    text[299] = 0;
    CHECK_INT(l2tpc_config_set_user(c, text, NULL), L2TPC_EINVAL);
    CHECK_STR(c->user, "alice@corp");
    l2tpc_config_free(c);
}

TEST(config_secrets)
{
    static const char psk[] = "with\0zero";
    char *big = NULL;
    l2tpc_config *c = fresh();

    CHECK(c);
    CHECK_INT(l2tpc_config_set_psk(c, psk, sizeof(psk) - 1), L2TPC_OK);
    CHECK(c->has_psk);
    CHECK_MEM(secret_span(&c->secrets->psk).p, secret_span(&c->secrets->psk).n, psk,
              sizeof(psk) - 1);
    CHECK_INT(l2tpc_config_set_psk(c, "", 0), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_psk(c, NULL, 3), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_psk(c, big, 1 << 20), L2TPC_EINVAL);
    CHECK_INT(secret_span(&c->secrets->psk).n, sizeof(psk) - 1);
    CHECK_INT(l2tpc_config_set_password(c, "", 0), L2TPC_OK); /* some accounts have none */
    CHECK(c->has_password);
    CHECK_INT(l2tpc_config_set_tunnel_secret(c, "", 0), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_psk(NULL, "x", 1), L2TPC_EINVAL);
    l2tpc_config_free(c);
}

TEST(config_algorithms)
{
    unsigned before;
    l2tpc_config *c = fresh();

    CHECK(c);
    CHECK_INT(l2tpc_config_set_policy(c, "strong"), L2TPC_OK);
    before = c->policy.n_ike;
    CHECK_INT(l2tpc_config_set_policy(c, "weak"), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_policy(c, NULL), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_ike(c, "aes256-sha1-modp1024,nonsense"), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_ike(c, ""), L2TPC_EINVAL);
    CHECK_INT(c->policy.n_ike, before);
    CHECK_INT(l2tpc_config_set_ike(c, "aes256-sha1-modp1024;3des-sha1-modp1024!"), L2TPC_OK);
    CHECK_INT(c->policy.n_ike, 2);
    CHECK_INT(l2tpc_config_set_esp(c, "aes128-sha1"), L2TPC_OK);
    CHECK_INT(c->policy.n_esp, 1);
    CHECK_INT(l2tpc_config_set_esp(c, "rot13"), L2TPC_EINVAL);
    l2tpc_config_free(c);
}

TEST(config_choices)
{
    l2tpc_config *c = fresh();

    CHECK(c);
    CHECK_INT(l2tpc_config_set_encapsulation(c, "udp"), L2TPC_OK);
    CHECK_INT(c->encapsulation, ENCAPSULATION_UDP);
    CHECK_INT(l2tpc_config_set_encapsulation(c, "UDP"), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_encapsulation(c, NULL), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_allow(c, "pap"), L2TPC_OK);
    CHECK(c->auth & PPP_AUTH_PAP);
    CHECK_INT(l2tpc_config_allow(c, "!pap"), L2TPC_OK);
    CHECK(!(c->auth & PPP_AUTH_PAP));
    CHECK_INT(l2tpc_config_allow(c, "!"), L2TPC_EINVAL);
    CHECK(!c->allow_cn && !c->allow_sha1);
    CHECK_INT(l2tpc_config_allow(c, "cn-name"), L2TPC_OK);
    CHECK(c->allow_cn && !c->allow_sha1);
    CHECK_INT(l2tpc_config_allow(c, "sha1-chain"), L2TPC_OK);
    CHECK_INT(l2tpc_config_allow(c, "!cn-name"), L2TPC_OK);
    CHECK(!c->allow_cn && c->allow_sha1);
    CHECK_INT(l2tpc_config_allow(c, "chap"), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_allow(c, NULL), L2TPC_EINVAL);
    CHECK_INT(c->revocation, REVOCATION_SOFT);
    CHECK_INT(l2tpc_config_set_revocation(c, "hard"), L2TPC_OK);
    CHECK_INT(c->revocation, REVOCATION_HARD);
    CHECK_INT(l2tpc_config_set_revocation(c, "off"), L2TPC_OK);
    CHECK_INT(l2tpc_config_set_revocation(c, "maybe"), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_revocation(c, NULL), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_certificate_uri(c, "pkcs11:token=a;object=b"), L2TPC_OK);
    CHECK_STR(c->certificate_uri, "pkcs11:token=a;object=b");
    CHECK_INT(l2tpc_config_set_certificate_uri(c, "a.pem"), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_key_uri(c, NULL), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_ike_mode(c, "aggressive"), L2TPC_OK);
    CHECK(c->aggressive && !c->aggressive_allowed); /* neither implies the other */
    CHECK_INT(l2tpc_config_set_ike_mode(c, "quick"), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_ike_mode(c, NULL), L2TPC_EINVAL);
    CHECK(c->aggressive);
    CHECK_INT(l2tpc_config_set_ike_mode(c, "main"), L2TPC_OK);
    CHECK_INT(l2tpc_config_allow(c, "aggressive"), L2TPC_OK);
    CHECK(!c->aggressive && c->aggressive_allowed);
    CHECK_INT(l2tpc_config_allow(c, "!aggressive"), L2TPC_OK);
    CHECK(!c->aggressive_allowed);
    CHECK_INT(l2tpc_config_set_until(c, "esp-check"), L2TPC_OK);
    CHECK_INT(c->until, STAGE_ESP_CHECK);
    CHECK_INT(l2tpc_config_set_until(c, "later"), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_timeout(c, 3600), L2TPC_OK);
    CHECK_INT(l2tpc_config_set_timeout(c, 3601), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_mru(c, 127), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_mru(c, 128), L2TPC_OK);
    CHECK_INT(l2tpc_config_set_mru(c, 1500), L2TPC_OK);
    CHECK_INT(l2tpc_config_set_mru(c, 1501), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_mru(c, 0), L2TPC_OK);
    CHECK_INT(l2tpc_config_set_quirk(c, "port-1701"), L2TPC_OK);
    CHECK_INT(c->inner_port, 1701);
    CHECK_INT(l2tpc_config_set_quirk(c, "softether-utf8"), L2TPC_OK);
    CHECK(!c->quirk_no_fragmentation);
    CHECK_INT(l2tpc_config_set_quirk(c, "no-fragmentation"), L2TPC_OK);
    CHECK(c->quirk_no_fragmentation);
    CHECK_INT(l2tpc_config_set_quirk(c, "no-path-mtu"), L2TPC_OK);
    CHECK(c->quirk_no_path_mtu);
    CHECK_INT(l2tpc_config_set_quirk(c, "sha256-96"), L2TPC_OK);
    CHECK(c->quirk_sha256_96);
    CHECK_INT(l2tpc_config_set_quirk(c, "other"), L2TPC_EINVAL);
    CHECK(!c->server_routes && !c->class_route);
    CHECK_INT(l2tpc_config_set_server_routes(c, "domains"), L2TPC_OK);
    CHECK(c->server_routes && c->server_domains_only);
    CHECK_INT(l2tpc_config_set_server_routes(c, "maybe"), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_server_routes(c, NULL), L2TPC_EINVAL);
    CHECK(c->server_routes && c->server_domains_only);
    CHECK_INT(l2tpc_config_set_server_routes(c, "yes"), L2TPC_OK);
    CHECK(c->server_routes && !c->server_domains_only);
    CHECK_INT(l2tpc_config_set_server_routes(c, "no"), L2TPC_OK);
    CHECK(!c->server_routes);
    CHECK_INT(l2tpc_config_set_server_routes(NULL, "no"), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_class_route(c, "yes"), L2TPC_OK);
    CHECK(c->class_route);
    CHECK_INT(l2tpc_config_set_class_route(c, "domains"), L2TPC_EINVAL);
    l2tpc_config_free(c);
}

TEST(config_identities)
{
    static const char *const bad[] = {"", "a b", "@#abc", "a@", "ip:gate", "CN=", "a\nb"};
    char text[600];
    l2tpc_config *c = fresh();

    CHECK(c);
    CHECK(!c->own_id.type && !c->peer_id.type);
    CHECK_INT(l2tpc_config_set_local_id(c, "keyid:Sales Group"), L2TPC_OK);
    CHECK_INT(c->own_id.type, 11);
    CHECK_MEM(c->own_id.bytes, c->own_id.n, "Sales Group", 11);
    CHECK_INT(l2tpc_config_set_server_id(c, "@gate.example"), L2TPC_OK);
    CHECK_INT(c->peer_id.type, 2);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        CHECK_INT(l2tpc_config_set_local_id(c, bad[i]), L2TPC_EINVAL);
        CHECK_INT(l2tpc_config_set_server_id(c, bad[i]), L2TPC_EINVAL);
        CHECK(l2tpc_identity_fault(bad[i]) && strlen(l2tpc_identity_fault(bad[i])) > 10);
    }
    CHECK_INT(c->own_id.type, 11); /* as it was */
    CHECK_STR(c->server_id, "@gate.example");
    CHECK(!l2tpc_identity_fault("keyid:Sales Group"));
    CHECK(l2tpc_identity_fault(NULL));
    CHECK_INT(l2tpc_config_set_local_id(c, NULL), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_server_id(NULL, "gate"), L2TPC_EINVAL);
    memset(text, 'a', sizeof(text));
    text[0] = '@';
    text[513] = '\0';
    CHECK_INT(l2tpc_config_set_local_id(c, text), L2TPC_OK);
    text[513] = 'a';
    text[514] = '\0';
    CHECK_INT(l2tpc_config_set_local_id(c, text), L2TPC_EINVAL);
    l2tpc_config_free(c);
}

TEST(config_interfaces)
{
    static const char *const good[] = {"l2tp0", "l2tp%d", "vpn-office", "fifteen-letters"};
    static const char *const bad[] = {
        "", "sixteen-letters-", "a/b", "a b", "..", ".", "a%s", "%d%d", "a:b", "a%", "%n", "a\n"};
    l2tpc_config *c = fresh();

    CHECK(c);
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        CHECK_INT(l2tpc_config_set_interface(c, good[i]), L2TPC_OK);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (l2tpc_config_set_interface(c, bad[i]) != L2TPC_EINVAL)
            CHECK_STR(bad[i], "refused");
    CHECK_INT(l2tpc_config_set_interface(c, NULL), L2TPC_EINVAL);
    l2tpc_config_free(c);
}

TEST(config_learned)
{
    static const char good[] = "l2tpc-learned=1\nserver=vpn.example.com\nport=500\n"
                               "floor-ike=strong\npeer-id=192.0.2.1\n";
    l2tpc_config *c = fresh();

    CHECK(c);
    CHECK_STR(learned_state(c), "none");
    CHECK_INT(l2tpc_config_set_learned(c, good, sizeof(good) - 1), L2TPC_OK);
    CHECK_STR(learned_state(c), "other-server"); /* none is set yet */
    CHECK_INT(l2tpc_config_set_server(c, "vpn.example.com"), L2TPC_OK);
    CHECK_STR(learned_state(c), "used");
    CHECK_INT(c->learned.floor_ike, STRENGTH_STRONG);
    CHECK_INT(l2tpc_config_set_server(c, "vpn.example.com:4711"), L2TPC_OK);
    CHECK_STR(learned_state(c), "other-server");
    CHECK_INT(l2tpc_config_set_learned(c, good, sizeof(good)), L2TPC_OK); /* with its NUL */
    CHECK_STR(learned_state(c), "unreadable");
    CHECK(!learned_holds(c));
    CHECK_INT(l2tpc_config_set_learned(c, NULL, 0), L2TPC_OK);
    CHECK_STR(learned_state(c), "none");
    CHECK_INT(l2tpc_config_set_learned(c, NULL, 1), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_learned(NULL, good, 1), L2TPC_EINVAL);
    l2tpc_config_free(c);
}
