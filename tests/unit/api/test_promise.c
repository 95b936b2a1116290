/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What l2tpc.h promises beyond a dial that goes well. */
#include "api/internal.h"
#include "api/status.h"
#include "check.h"
#include "l2tpc.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- struct sizes: a program of another age than the library ---- */

/* That many bytes and not one more, which memory checkers watch over; the compiler is kept from
 * knowing. */
static void *exactly(volatile size_t n)
{
    return calloc(1, n);
}

/* A caller that was compiled later knows more of the struct than we do. */
struct later_options {
    l2tpc_context_options now;
    uint64_t then[4];
};

TEST(promise_options_of_a_later_program)
{
    struct later_options later = {.now = {.size = sizeof(later), .mark = 0}};
    l2tpc_context *context = NULL;

    CHECK_INT(l2tpc_context_new(&context, &later.now), L2TPC_OK);
    l2tpc_context_free(context);
    later.then[2] = 1; /* it asks for what we do not have: that may not be passed over in silence */
    context = NULL;
    CHECK_INT(l2tpc_context_new(&context, &later.now), L2TPC_EINVAL);
    CHECK(!context);
}

/* One that was compiled earlier gave less, and nothing behind it may be read. */
TEST(promise_options_of_an_earlier_program)
{
    size_t size = offsetof(l2tpc_context_options, log);
    l2tpc_context_options *earlier = exactly(size);
    l2tpc_context *context = NULL;

    CHECK(earlier);
    earlier->size = size;
    earlier->flags = L2TPC_CONTEXT_CALLER_LOOP;
    CHECK_INT(l2tpc_context_new(&context, earlier), L2TPC_OK);
    CHECK(l2tpc_context_get_fd(context) >= 0);
    l2tpc_context_free(context);
    earlier->size = 0;
    CHECK_INT(l2tpc_context_new(&context, earlier), L2TPC_EINVAL);
    free(earlier);
}

TEST(promise_answers_of_an_earlier_program)
{
    const size_t size = offsetof(l2tpc_explanation, hint);
    l2tpc_explanation *earlier = exactly(size);
    struct {
        l2tpc_explanation now;
        uint64_t then;
    } later = {.now = {.size = sizeof(later)}, .then = 7};

    CHECK(earlier);
    earlier->size = size;
    CHECK_INT(l2tpc_explain("ike.no-proposal", earlier), L2TPC_OK);
    CHECK(strcmp(earlier->code, "ike.no-proposal") == 0);
    CHECK_INT(earlier->size, size);
    free(earlier);
    CHECK_INT(l2tpc_explain("ike.no-proposal", &later.now), L2TPC_OK);
    CHECK_INT(later.now.windows_code, 788);
    CHECK_INT(later.now.size, sizeof(later)); /* the caller's to set */
    CHECK_INT(later.then, 0);                 /* what we do not know is said to be nothing */
    later.now.size = 3;
    CHECK_INT(l2tpc_explain("ike.no-proposal", &later.now), L2TPC_EINVAL);
}

TEST(promise_host_ops_of_an_earlier_program)
{
    const size_t size = offsetof(l2tpc_host_ops, serve);
    l2tpc_host_ops *earlier = exactly(size);
    l2tpc_context_options options = {.size = sizeof(options), .host_ops = earlier};
    l2tpc_context *context = NULL;

    CHECK(earlier);
    earlier->size = size;
    CHECK_INT(l2tpc_context_new(&context, &options), L2TPC_OK);
    l2tpc_context_free(context);
    free(earlier);
}

/* ---- a context that goes before its sessions ---- */

TEST(promise_context_freed_before_its_session)
{
    l2tpc_context *context = NULL;
    l2tpc_config *config = NULL;
    l2tpc_session *session = NULL;
    l2tpc_status *status = NULL;
    l2tpc_event *e;

    CHECK_INT(l2tpc_config_new(&config), L2TPC_OK);
    CHECK_INT(l2tpc_config_set_server(config, "192.0.2.1"), L2TPC_OK);
    CHECK_INT(l2tpc_context_new(&context, NULL), L2TPC_OK);
    CHECK_INT(l2tpc_session_new(&session, context, config), L2TPC_OK);
    l2tpc_config_free(config);
    l2tpc_context_free(context);
    CHECK_INT(l2tpc_session_get_status(session, &status), L2TPC_OK);
    l2tpc_status_free(status);
    l2tpc_session_stop(session);
    while ((e = l2tpc_session_next_event(session)))
        l2tpc_event_free(e);
    l2tpc_session_free(session);
}

/* ---- the status ---- */

TEST(promise_every_row_can_be_had_by_its_path)
{
    l2tpc_context *context = NULL;
    l2tpc_config *config = NULL;
    l2tpc_session *session = NULL;
    l2tpc_status *status = NULL;
    l2tpc_status_row row = {.size = sizeof(row)};
    unsigned n = 0;

    CHECK_INT(l2tpc_config_new(&config), L2TPC_OK);
    CHECK_INT(l2tpc_config_set_server(config, "192.0.2.1"), L2TPC_OK);
    CHECK_INT(l2tpc_context_new(&context, NULL), L2TPC_OK);
    CHECK_INT(l2tpc_session_new(&session, context, config), L2TPC_OK);
    CHECK_INT(l2tpc_session_get_status(session, &status), L2TPC_OK);
    for (; l2tpc_status_row_at(status, n, &row) == L2TPC_OK; n++) {
        const char *text = l2tpc_status_get(status, row.path);

        if (!text || strcmp(text, row.text) != 0)
            check_fail(__FILE__, __LINE__, "%s: %s", row.path, text ? text : "no such path");
    }
    CHECK(n > 40);
    CHECK(!l2tpc_status_get(status, "no.such"));
    l2tpc_status_free(status);
    l2tpc_session_free(session);
    l2tpc_context_free(context);
    l2tpc_config_free(config);
}
