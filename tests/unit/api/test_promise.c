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
