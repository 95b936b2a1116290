/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables of servers, the meter and where secrets lie, through l2tpc.h. */
#include "api/status.h"
#include "check.h"
#include "json_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static l2tpc_context *context(void)
{
    const l2tpc_context_options options = {.size = sizeof(options),
                                           .flags = L2TPC_CONTEXT_CALLER_LOOP};
    l2tpc_context *c = NULL;

    if (l2tpc_context_new(&c, &options) != L2TPC_OK)
        abort();
    return c;
}

#define TABLE                                                                                      \
    "l2tpc-servers 1\nserver The office\nvendor-id 01*\nno-vendor-name XAUTH\n"                    \
    "quirk port-1701\nsuggest --allow pap\nsuggest --policy legacy\nnote Ask Bob.\n"

TEST(api_servers)
{
    l2tpc_context *c = context();
    l2tpc_servers_problem p = {.size = sizeof(p)};
    l2tpc_server_kind k = {.size = sizeof(k)};
    unsigned n = 0;

    CHECK_INT(l2tpc_context_add_servers(c, "office.quirks", TABLE, strlen(TABLE), NULL), L2TPC_OK);
    CHECK_INT(l2tpc_servers_at(c, 0, &k), L2TPC_OK);
    CHECK_STR(k.name, "The office");
    CHECK_STR(k.origin, "office.quirks");
    CHECK_INT(k.line, 2);
    CHECK_STR(k.conditions, "vendor-id 01*\nno-vendor-name XAUTH\n");
    CHECK_STR(k.quirks, "port-1701\n");
    CHECK_STR(k.suggestions, "--allow pap\n--policy legacy\n");
    CHECK_STR(k.note, "Ask Bob.");
    CHECK_STR(k.source, "");
    while (l2tpc_servers_at(c, n, &k) == L2TPC_OK)
        n++;
    CHECK(n > 20);
    CHECK_INT(l2tpc_servers_at(c, n, &k), L2TPC_ENOTFOUND);
    CHECK_INT(l2tpc_context_add_servers(c, "x", "l2tpc-servers 1\nserver x\n", 25, &p),
              L2TPC_EINVAL);
    CHECK_INT(p.line, 2);
    CHECK(strstr(p.sentence, "condition") != NULL);
    CHECK_INT(l2tpc_context_add_servers(c, "", TABLE, strlen(TABLE), NULL), L2TPC_EINVAL);
    CHECK_INT(l2tpc_context_add_servers(c, "x", NULL, 1, NULL), L2TPC_EINVAL);
    CHECK_INT(l2tpc_context_add_servers(NULL, "x", TABLE, 1, NULL), L2TPC_EINVAL);
    p.size = 1;
    CHECK_INT(l2tpc_context_add_servers(c, "x", TABLE, 1, &p), L2TPC_EINVAL);
    k.size = 0;
    CHECK_INT(l2tpc_servers_at(c, 0, &k), L2TPC_EINVAL);
    l2tpc_context_free(c);
}

TEST(api_psk_estimate)
{
    static const struct {
        const char *psk, *code;
        int verdict;
    } rows[] = {
        {"", "very-weak", L2TPC_PSK_VERY_WEAK},
        {"password", "very-weak", L2TPC_PSK_VERY_WEAK},
        {"kx9w2vb7tq4", "weak", L2TPC_PSK_WEAK},
        {"3a8fK2mQ9xR7vL4wT6nB", "good", L2TPC_PSK_GOOD},
    };
    l2tpc_psk_strength s = {.size = sizeof(s)};
    char big[513] = "";

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_INT(l2tpc_psk_estimate(rows[i].psk, strlen(rows[i].psk), &s), L2TPC_OK);
        CHECK_STR(s.code, rows[i].code);
        CHECK_INT(s.verdict, rows[i].verdict);
        CHECK_INT(s.length, strlen(rows[i].psk));
        CHECK(strstr(s.sentence, "{value}") != NULL);
        CHECK((s.hint[0] == '\0') == (s.verdict == L2TPC_PSK_GOOD));
    }
    CHECK_INT(l2tpc_psk_estimate(big, sizeof(big), &s), L2TPC_EINVAL);
    CHECK_INT(l2tpc_psk_estimate(NULL, 1, &s), L2TPC_EINVAL);
    CHECK_INT(l2tpc_psk_estimate("a", 1, NULL), L2TPC_EINVAL);
    s.size = 2;
    CHECK_INT(l2tpc_psk_estimate("a", 1, &s), L2TPC_EINVAL);
}

TEST(api_psk_generate)
{
    char before[32] = "";

    CHECK_INT(l2tpc_psk_generate(NULL), L2TPC_EINVAL);
    for (unsigned i = 0; i < 200; i++) {
        l2tpc_psk_strength s = {.size = sizeof(s)};
        char *key = NULL;

        CHECK_INT(l2tpc_psk_generate(&key), L2TPC_OK);
        CHECK_INT(strlen(key), 24);
        CHECK(strcmp(key, before) != 0);
        (void)snprintf(before, sizeof(before), "%s", key);
        CHECK_INT(l2tpc_psk_estimate(key, strlen(key), &s), L2TPC_OK);
        CHECK(s.bits >= 128 && !s.odd_ends);
        l2tpc_secret_free(key);
    }
}

TEST(api_secret_origin)
{
    l2tpc_context *c = context();
    l2tpc_config *config = NULL;
    l2tpc_session *s = NULL;
    l2tpc_status *st = NULL;
    l2tpc_secret_origin o = {.size = sizeof(o),
                             .kind = L2TPC_SECRET_PSK,
                             .store = L2TPC_STORE_FILE,
                             .path = "/etc/\x1b[31mpsk",
                             .owner = "root",
                             .mode = 0100640};

    CHECK_INT(l2tpc_config_new(&config), L2TPC_OK);
    CHECK_INT(l2tpc_config_set_server(config, "vpn.example.com"), L2TPC_OK);
    CHECK_INT(l2tpc_config_set_psk(config, "a", 1), L2TPC_OK);
    CHECK_INT(l2tpc_config_set_password(config, "b", 1), L2TPC_OK);
    CHECK_INT(l2tpc_config_set_secret_origin(config, &o), L2TPC_OK);
    o.kind = L2TPC_SECRET_PASSWORD;
    o.store = L2TPC_STORE_NONE;
    CHECK_INT(l2tpc_config_set_secret_origin(config, &o), L2TPC_OK);
    CHECK_INT(l2tpc_session_new(&s, c, config), L2TPC_OK);
    CHECK_INT(l2tpc_session_get_status(s, &st), L2TPC_OK);
    CHECK_STR(l2tpc_status_get(st, "secrets.psk_origin"), "file");
    CHECK_STR(l2tpc_status_get(st, "secrets.psk_place"), "/etc/\\x1b[31mpsk (root, 0640)");
    CHECK_STR(l2tpc_status_get(st, "secrets.psk_readers"), "group");
    CHECK_STR(l2tpc_status_get(st, "secrets.password_origin"), "not-stored");
    CHECK_STR(l2tpc_status_get(st, "secrets.password_place"), "");
    CHECK_STR(l2tpc_status_get(st, "secrets.key_origin"), "");
    CHECK_STR(l2tpc_status_get(st, "server.kind"), ""); /* nobody has answered */
    CHECK(json_is_valid(l2tpc_status_to_json(st)));
    l2tpc_status_free(st);
    o.kind = 3;
    CHECK_INT(l2tpc_config_set_secret_origin(config, &o), L2TPC_EINVAL);
    o.kind = -1;
    CHECK_INT(l2tpc_config_set_secret_origin(config, &o), L2TPC_EINVAL);
    o.kind = L2TPC_SECRET_KEY;
    o.store = 3;
    CHECK_INT(l2tpc_config_set_secret_origin(config, &o), L2TPC_EINVAL);
    o.store = L2TPC_STORE_FILE;
    o.path = NULL;
    CHECK_INT(l2tpc_config_set_secret_origin(config, &o), L2TPC_EINVAL);
    CHECK_INT(l2tpc_config_set_secret_origin(config, NULL), L2TPC_EINVAL);
    l2tpc_session_free(s);
    l2tpc_config_free(config);
    l2tpc_context_free(c);
}
