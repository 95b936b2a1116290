/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The status as JSON, and the calls around a session that never reaches a network. */
#include "api/status.h"
#include "check.h"
#include "json_check.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TEST(json_checker_itself)
{
    static const char *const good[] = {"{}", "[]", " {\"a\":[1,-2.5e+3,true,null,\"\\u00e9\\n\"]} ",
                                       "0", "\"\""};
    static const char *const bad[] = {"",    "{",  "{\"a\"}",  "{a:1}",   "[1,]",
                                      "01",  "1.", "\"\n\"",   "\"\\x\"", "{} {}",
                                      "nul", "-",  "\"\xff\"", "[1 2]"};

    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        CHECK(json_is_valid(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!json_is_valid(bad[i]));
}

/* Every value set, to something awkward. */
static void fill(l2tpc_status *st, const char *text)
{
    memset(st, 0, sizeof(*st));
    st->state = "failed";
    (void)snprintf(st->name, sizeof(st->name), "office");
    for (unsigned i = 0; i < STATUS_COUNT; i++) {
        st->value[i].known = text != NULL;
        st->value[i].text = text ? strdup(text) : NULL;
        st->value[i].number = UINT64_MAX;
        st->value[i].real = 1234567.8915;
    }
    st->n_evidence = 2;
    for (unsigned i = 0; i < st->n_evidence; i++) {
        st->evidence[i] = (struct evidence){
            .code = "kernel.no-clear", .sentence = "Nothing", .observer = "kernel"};
        (void)snprintf(st->evidence[i].value, sizeof(st->evidence[i].value), "%s",
                       text ? text : "");
    }
    for (unsigned i = 0; i < STAGE_COUNT; i++) {
        st->stages[i].stage = (enum stage)i;
        st->stages[i].ms = 0.0004 * i;
    }
    st->n_stages = STAGE_COUNT;
    st->rtt_ms = 12.25;
}

static void done(l2tpc_status *st)
{
    for (unsigned i = 0; i < STATUS_COUNT; i++)
        free(st->value[i].text);
    free(st->json);
}

/* Everything that is told about the user is a text that cannot be missed. */
TEST(status_without_identity)
{
    l2tpc_status st;
    l2tpc_status_value v = {.size = sizeof(v)};
    unsigned shown = 0;
    const char *json;

    fill(&st, "plain");
    st.evidence[1].observer = "peer";
    (void)snprintf(st.name, sizeof(st.name), "alice");
    (void)snprintf(st.evidence[0].value, sizeof(st.evidence[0].value), "kernel 1");
    (void)snprintf(st.detail[STATUS_DETAIL_client_ipv4], 16, "192.0.2.7");
    st.failed = true;
    st.error.failure = failure_make(FAILURE_LOCAL_SECRET);
    (void)snprintf(st.error.failure.value, 16, "alice");
    (void)snprintf(st.error.failure.peer_text, 16, "alice");
    (void)snprintf(st.error.server, 16, "alice");
    CHECK(strstr(l2tpc_status_to_json(&st), "\"name\":\"alice\""));
    l2tpc_status_hide_identity(&st);
    json = l2tpc_status_to_json(&st);
    CHECK(json_is_valid(json));
    CHECK(strstr(json, "\"name\":null") && strstr(json, "\"peer_id\":null"));
    CHECK(strstr(json, "\"local_ip\":null") && strstr(json, "\"psk_place\":null"));
    CHECK(strstr(json, "\"encryption\":\"plain\"") && strstr(json, "kernel 1"));
    CHECK(!strstr(json, "192.0.2.7") && !strstr(json, "alice"));
    for (unsigned i = 0; l2tpc_status_value_at(&st, i, &v) == L2TPC_OK; i++) {
        CHECK(v.known || (v.text[0] == '\0' && v.number == 0));
        CHECK(!v.known || (strcmp(v.path, "server.name") && strcmp(v.path, "local.address") &&
                           strcmp(v.path, "ike.psk_bits")));
        shown += v.known != 0;
    }
    CHECK_INT(shown, 43);
    CHECK(l2tpc_status_get_error(&st) && st.error.server[0] == '\0');
    done(&st);
}

TEST(status_json_is_valid)
{
    static const char *const text[] = {
        NULL, "", "plain", "one\ntwo\n", "\"\\\b\t\x7f\x01/", "caf\xc3\xa9", "{\"a\":1}", "\n\n"};

    for (size_t i = 0; i < ARRAY_LEN(text); i++) {
        l2tpc_status st;
        const char *json;

        fill(&st, text[i]);
        json = l2tpc_status_to_json(&st);
        if (!json_is_valid(json)) {
            printf("    %s\n", json ? json : "(null)");
            CHECK(false);
        }
        CHECK(strchr(json, '\n') == NULL); /* one object, one line */
        CHECK(strncmp(json, "{\"schema\":1,", 12) == 0);
        CHECK(json == l2tpc_status_to_json(&st));
        done(&st);
    }
}

TEST(status_json_of_every_failure)
{
    for (unsigned id = 1; id < FAILURE_COUNT; id++) {
        l2tpc_status st;
        const char *json;

        fill(&st, "x");
        st.failed = true;
        st.error.failure = failure_timeout((enum failure_id)id, "main mode 2", 3);
        failure_set_peer_text(&st.error.failure, span_str("\"go\\away\"\x1b\xff"));
        failure_set_value(&st.error.failure, span_str("\"\\"));
        if (id % 2)
            failure_set_peer_code(&st.error.failure, 14);
        (void)snprintf(st.error.server, sizeof(st.error.server),
                       "b\xc3\xbc"
                       "cher.example");
        json = l2tpc_status_to_json(&st);
        if (!json_is_valid(json)) {
            printf("    %s\n", json ? json : "(null)");
            CHECK(false);
        }
        CHECK(strstr(json, failure_code((enum failure_id)id)) != NULL);
        done(&st);
    }
}

/* A locale with a decimal comma must not reach the JSON. */
TEST(status_json_has_points)
{
    l2tpc_status st;
    const char *json;

    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "fr_FR.UTF-8"))
        printf("    no locale with a comma on this machine\n");
    fill(&st, "x");
    json = l2tpc_status_to_json(&st);
    CHECK(strstr(json, "\"rtt_ms\":12.250") != NULL);
    CHECK(json_is_valid(json));
    setlocale(LC_NUMERIC, "C");
    done(&st);
}

TEST(status_paths)
{
    l2tpc_status st;
    l2tpc_status_row row = {.size = sizeof(row)};
    unsigned n = 0;

    fill(&st, "x");
    for (; l2tpc_status_row_at(&st, n, &row) == L2TPC_OK; n++) {
        CHECK(row.path && row.title && row.text);
        CHECK(l2tpc_status_get(&st, row.path) != NULL);
    }
    CHECK_INT(n, STATUS_DETAILS + STATUS_COUNT);
    CHECK_INT(l2tpc_status_row_at(&st, n, &row), L2TPC_ENOTFOUND);
    row.size = 1;
    CHECK_INT(l2tpc_status_row_at(&st, 0, &row), L2TPC_EINVAL);
    CHECK(l2tpc_status_get(&st, "no.such") == NULL);
    CHECK(l2tpc_status_get(&st, NULL) == NULL);
    CHECK_STR(l2tpc_status_get(&st, "state"), "failed");
    done(&st);
}

TEST(status_fields_are_the_rows)
{
    l2tpc_status st;
    l2tpc_status_row row = {.size = sizeof(row)};
    l2tpc_status_field field = {.size = sizeof(field)};
    unsigned n = 0;

    fill(&st, "x");
    for (; l2tpc_status_field_at(n, &field) == L2TPC_OK; n++) {
        CHECK_INT(l2tpc_status_row_at(&st, n, &row), L2TPC_OK);
        CHECK_STR(field.path, row.path);
        CHECK_STR(field.title, row.title);
        CHECK(strncmp(field.path, field.group, strlen(field.group)) == 0);
        CHECK(field.group_title[0] != '\0');
        CHECK(field.kind[0] != '\0');
    }
    CHECK_INT(n, STATUS_DETAILS + STATUS_COUNT);
    CHECK_INT(l2tpc_status_row_at(&st, n, &row), L2TPC_ENOTFOUND);
    field.size = 1;
    CHECK_INT(l2tpc_status_field_at(0, &field), L2TPC_EINVAL);
    done(&st);
}

TEST(advice_says_what_to_ask_for)
{
    struct ike_facts ike = {
        .suite = {
            .cipher = CIPHER_AES_CBC, .key_bits = 256, .hash = HASH_SHA256, .group = DH_MODP2048}};
    struct ppp_facts ppp = {.auth = PPP_AUTH_MSCHAPV2};
    struct dial_facts facts = {.ike = &ike,
                               .ppp = &ppp,
                               .has_sa = true,
                               .esp_suite = {.cipher = CIPHER_AES_CBC, .integ = HASH_SHA1}};
    l2tpc_status st;
    const char *notes;

    memset(&st, 0, sizeof(st));
    status_fill_advice(&st, &facts);
    CHECK(!st.value[STATUS_advice_notes].known);
    free(st.value[STATUS_advice_notes].text);
    ike.suite.group = DH_MODP1024;
    ike.aggressive = true;
    ppp.auth = PPP_AUTH_PAP;
    facts.esp_suite.cipher = CIPHER_3DES_CBC;
    status_fill_advice(&st, &facts);
    notes = st.value[STATUS_advice_notes].text;
    CHECK(strstr(notes, "group 14") && strstr(notes, "main mode") && strstr(notes, "MS-CHAPv2"));
    CHECK(strstr(notes, "Ask for AES.") && !strstr(notes, "SHA-256"));
    free(st.value[STATUS_advice_notes].text);
}

TEST(session_that_was_not_started)
{
    l2tpc_context_options o = {.size = sizeof(o), .flags = L2TPC_CONTEXT_CALLER_LOOP};
    l2tpc_context *context = NULL;
    l2tpc_session *session = NULL;
    l2tpc_config *config = NULL;
    l2tpc_status *st = NULL;

    CHECK_INT(l2tpc_context_new(&context, &o), L2TPC_OK);
    CHECK_INT(l2tpc_config_new(&config), L2TPC_OK);
    CHECK_INT(l2tpc_session_new(&session, context, config), L2TPC_EINVAL); /* no server */
    CHECK_INT(l2tpc_config_set_server(config, "vpn.example.com"), L2TPC_OK);
    CHECK_INT(l2tpc_session_new(&session, context, config), L2TPC_OK);
    l2tpc_config_free(config);
    CHECK_INT(l2tpc_session_get_status(session, &st), L2TPC_OK);
    CHECK(json_is_valid(l2tpc_status_to_json(st)));
    CHECK_STR(l2tpc_status_get(st, "state"), "down");
    CHECK_STR(l2tpc_status_get(st, "server.name"), "vpn.example.com");
    CHECK(!l2tpc_status_is_l2tp_in_ipsec(st));
    CHECK(l2tpc_session_next_event(session) == NULL);
    l2tpc_status_free(st);
    l2tpc_status_free(NULL);
    l2tpc_session_stop(session);
    l2tpc_session_free(session);
    l2tpc_session_free(NULL);
    l2tpc_context_free(context);
    l2tpc_context_free(NULL);
}
