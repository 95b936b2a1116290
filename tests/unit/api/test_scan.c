/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A scan through the API: arguments, life, threads, and what it says of a server that is mute. */
#include "check.h"
#include "json_check.h"
#include "l2tpc.h"
#include "nowhere.h"

#include <poll.h>
#include <string.h>

static l2tpc_context *context_new(uint32_t flags)
{
    l2tpc_context_options options = {.size = sizeof(options), .flags = flags};
    l2tpc_context *context = NULL;

    return l2tpc_context_new(&context, &options) == L2TPC_OK ? context : NULL;
}

TEST(scan_arguments)
{
    l2tpc_context *c = context_new(L2TPC_CONTEXT_CALLER_LOOP);
    l2tpc_scan_options o = {.size = sizeof(o)};
    l2tpc_scan_state st = {.size = sizeof(st)};
    l2tpc_scan_suite suite = {.size = sizeof(suite)};
    l2tpc_scan *s = NULL;

    CHECK(c);
    CHECK_INT(l2tpc_scan_new(NULL, c, NOWHERE, NULL), L2TPC_EINVAL);
    CHECK_INT(l2tpc_scan_new(&s, NULL, NOWHERE, NULL), L2TPC_EINVAL);
    CHECK_INT(l2tpc_scan_new(&s, c, NULL, NULL), L2TPC_EINVAL);
    CHECK_INT(l2tpc_scan_new(&s, c, "", NULL), L2TPC_EINVAL);
    CHECK_INT(l2tpc_scan_new(&s, c, "a b", NULL), L2TPC_EINVAL);
    o.depth = 3;
    CHECK_INT(l2tpc_scan_new(&s, c, NOWHERE, &o), L2TPC_EINVAL);
    o = (l2tpc_scan_options){.size = sizeof(o), .timeout = 301};
    CHECK_INT(l2tpc_scan_new(&s, c, NOWHERE, &o), L2TPC_EINVAL);
    o = (l2tpc_scan_options){.size = sizeof(o), .auth = "eap"};
    CHECK_INT(l2tpc_scan_new(&s, c, NOWHERE, &o), L2TPC_EINVAL);
    o = (l2tpc_scan_options){.size = 0};
    CHECK_INT(l2tpc_scan_new(&s, c, NOWHERE, &o), L2TPC_EINVAL);
    CHECK(!s);
    CHECK_INT(l2tpc_scan_start(NULL), L2TPC_EINVAL);
    CHECK_INT(l2tpc_scan_get_state(NULL, &st), L2TPC_EINVAL);
    CHECK_INT(l2tpc_scan_suite_at(NULL, 0, &suite), L2TPC_EINVAL);
    CHECK(!l2tpc_scan_get_error(NULL) && !l2tpc_scan_to_json(NULL) &&
          !l2tpc_scan_vendor_id_at(NULL, 0) && l2tpc_scan_get_fd(NULL) == -1);
    l2tpc_scan_stop(NULL);
    l2tpc_scan_free(NULL);
    l2tpc_context_free(c);
}

TEST(scan_that_was_not_started)
{
    l2tpc_context *c = context_new(L2TPC_CONTEXT_CALLER_LOOP);
    l2tpc_scan_options o = {.size = sizeof(o), .depth = L2TPC_SCAN_ALL, .auth = "all"};
    l2tpc_scan_state st = {.size = sizeof(st)};
    l2tpc_scan_suite suite = {.size = sizeof(suite)};
    l2tpc_scan *s = NULL;
    unsigned n = 0;

    CHECK(c);
    CHECK_INT(l2tpc_scan_new(&s, c, "[2001:db8::1]:4000", &o), L2TPC_OK);
    l2tpc_scan_stop(s);
    CHECK_INT(l2tpc_scan_get_state(s, &st), L2TPC_OK);
    CHECK_STR(st.end, "running");
    CHECK_INT(st.asked + st.accepted + st.messages, 0);
    CHECK(st.address[0] == '\0' && st.policy[0] == '\0' && st.ike[0] == '\0');
    while (l2tpc_scan_suite_at(s, n, &suite) == L2TPC_OK)
        n++;
    CHECK_INT(n, st.suites);
    CHECK(n > 500);
    CHECK_STR(suite.auth, "rsa");
    CHECK_INT(suite.answer, L2TPC_SCAN_NOT_ASKED);
    CHECK_INT(l2tpc_scan_suite_at(s, n, &suite), L2TPC_ENOTFOUND);
    CHECK(!l2tpc_scan_get_error(s) && !l2tpc_scan_vendor_id_at(s, 0));
    CHECK(json_is_valid(l2tpc_scan_to_json(s)));
    CHECK(
        strstr(l2tpc_scan_to_json(s), "\"server\":\"2001:db8::1\",\"address\":null,\"port\":4000"));
    l2tpc_context_free(c); /* its memory lives on as long as the scan */
    l2tpc_scan_free(s);
}

TEST(scan_structs_of_an_earlier_program)
{
    l2tpc_context *c = context_new(L2TPC_CONTEXT_CALLER_LOOP);
    l2tpc_scan_options o = {.size = offsetof(l2tpc_scan_options, timeout),
                            .depth = L2TPC_SCAN_QUICK,
                            .timeout = 9999,
                            .auth = "beyond its size"};
    l2tpc_scan_suite suite = {.size = offsetof(l2tpc_scan_suite, strength), .strength = "kept"};
    l2tpc_scan *s = NULL;

    CHECK(c);
    CHECK_INT(l2tpc_scan_new(&s, c, NOWHERE, &o), L2TPC_OK);
    CHECK_INT(l2tpc_scan_suite_at(s, 0, &suite), L2TPC_OK);
    CHECK_STR(suite.suite, "aes256-sha384-ecp384");
    CHECK_STR(suite.strength, "kept");
    l2tpc_scan_free(s);
    l2tpc_context_free(c);
}

/* With the library's own thread; the reader only waits for the descriptor. */
TEST(scan_of_nobody)
{
    l2tpc_context *c = context_new(0);
    l2tpc_scan_options o = {.size = sizeof(o), .timeout = 1};
    l2tpc_scan_state st = {.size = sizeof(st), .end = "running"};
    l2tpc_scan *s = NULL;
    unsigned wakes = 0;

    if (!nowhere()) {
        check_skip("no network namespace of its own");
        l2tpc_context_free(c);
        return;
    }
    CHECK_INT(l2tpc_scan_new(&s, c, NOWHERE, &o), L2TPC_OK);
    CHECK_INT(l2tpc_scan_start(s), L2TPC_OK);
    CHECK_INT(l2tpc_scan_start(s), L2TPC_EBUSY);
    while (strcmp(st.end, "running") == 0 && wakes++ < 100) {
        struct pollfd p = {.fd = l2tpc_scan_get_fd(s), .events = POLLIN};

        CHECK_INT(poll(&p, 1, 3000), 1);
        CHECK_INT(l2tpc_scan_get_state(s, &st), L2TPC_OK);
    }
    CHECK_STR(st.end, "failed");
    CHECK_STR(st.address, NOWHERE);
    CHECK(wakes < 10 && st.messages == 1 && st.answers == 0);
    CHECK(l2tpc_scan_get_error(s));
    CHECK_STR(l2tpc_error_get_code(l2tpc_scan_get_error(s)), "ike.no-answer");
    CHECK_INT(l2tpc_error_get_exit_status(l2tpc_scan_get_error(s)), 4);
    CHECK(json_is_valid(l2tpc_scan_to_json(s)));
    CHECK(strstr(l2tpc_scan_to_json(s), "\"error\":{\"code\":\"ike.no-answer\""));
    l2tpc_scan_stop(s);
    l2tpc_scan_free(s);
    l2tpc_context_free(c);
}

TEST(scan_freed_while_it_runs)
{
    l2tpc_context *c = context_new(0);
    l2tpc_scan *s[8];

    if (!nowhere()) {
        check_skip("no network namespace of its own");
        l2tpc_context_free(c);
        return;
    }
    for (size_t i = 0; i < 8; i++) {
        CHECK_INT(l2tpc_scan_new(&s[i], c, NOWHERE, NULL), L2TPC_OK);
        CHECK_INT(l2tpc_scan_start(s[i]), L2TPC_OK);
    }
    for (size_t i = 0; i < 8; i++) {
        if (i % 2)
            l2tpc_scan_stop(s[i]);
        if (i % 3 == 0)
            (void)poll(NULL, 0, 5);
        l2tpc_scan_free(s[i]);
    }
    l2tpc_context_free(c);
}
