/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that is not to be had, at every place where the library asks for it: no crash, no leak
 * (the sanitizers look), and a session that was started still says FAILED and DOWN. */
#include "check.h"
#include "l2tpc.h"
#include "nowhere.h"

#include <stdlib.h>
#include <string.h>

/* The linker leads every call of the library's objects here. */
void *__real_calloc(size_t n, size_t size);
void *__real_malloc(size_t size);
char *__real_strdup(const char *text);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
char *__wrap_strdup(const char *text);

static _Thread_local unsigned asked; /* each thread fails on its own */
static _Thread_local unsigned
    fail_at; /* this one fails, and all after it when `lasting`; 0: none */
static _Thread_local bool lasting;

static bool fails(void)
{
    asked++;
    return fail_at != 0 && (asked == fail_at || (lasting && asked > fail_at));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

static bool configure(l2tpc_config *config)
{
    return l2tpc_config_set_server(config, NOWHERE) == L2TPC_OK &&
           l2tpc_config_set_user(config, "user", NULL) == L2TPC_OK &&
           l2tpc_config_set_password(config, "secret", 6) == L2TPC_OK &&
           l2tpc_config_set_psk(config, "example", 7) == L2TPC_OK;
}

struct seen {
    bool failed, down;
};

static void take(l2tpc_session *session, struct seen *seen)
{
    l2tpc_event *e;

    while ((e = l2tpc_session_next_event(session))) {
        seen->failed |= l2tpc_event_get_type(e) == L2TPC_EVENT_FAILED;
        seen->down |= l2tpc_event_get_type(e) == L2TPC_EVENT_DOWN;
        l2tpc_event_free(e);
    }
}

static void ask(l2tpc_session *session)
{
    l2tpc_status *status;

    if (l2tpc_session_get_status(session, &status) != L2TPC_OK)
        return;
    (void)l2tpc_status_to_json(status);
    l2tpc_status_free(status);
}

/* True when it held together; *out_done when every step succeeded. */
static bool dial(bool *out_done)
{
    l2tpc_context_options options = {.size = sizeof(options), .flags = L2TPC_CONTEXT_CALLER_LOOP};
    l2tpc_context *context = NULL;
    l2tpc_config *config = NULL;
    l2tpc_session *session = NULL;
    struct seen seen = {false, false};
    bool ok = true;

    *out_done = false;
    if (l2tpc_config_new(&config) == L2TPC_OK && configure(config) &&
        l2tpc_context_new(&context, &options) == L2TPC_OK &&
        l2tpc_session_new(&session, context, config) == L2TPC_OK) {
        ok = l2tpc_session_start(session) == L2TPC_OK;
        for (unsigned i = 0; i < 8; i++) {
            (void)l2tpc_context_dispatch(context);
            take(session, &seen);
        }
        ask(session);
        l2tpc_session_stop(session);
        for (unsigned i = 0; i < 8; i++)
            (void)l2tpc_context_dispatch(context);
        take(session, &seen);
        ok = ok && seen.failed && seen.down;
        *out_done = true;
    }
    l2tpc_session_free(session);
    l2tpc_context_free(context);
    l2tpc_config_free(config);
    return ok;
}

/* The same of a scan: one that was started ends and says why. */
static bool scan(bool *out_done)
{
    l2tpc_context_options options = {.size = sizeof(options), .flags = L2TPC_CONTEXT_CALLER_LOOP};
    l2tpc_scan_state st = {.size = sizeof(st)};
    l2tpc_context *context = NULL;
    l2tpc_scan *s = NULL;
    bool ok = true;

    *out_done = false;
    if (l2tpc_context_new(&context, &options) == L2TPC_OK &&
        l2tpc_scan_new(&s, context, NOWHERE, NULL) == L2TPC_OK) {
        ok = l2tpc_scan_start(s) == L2TPC_OK;
        for (unsigned i = 0; i < 8; i++)
            (void)l2tpc_context_dispatch(context);
        (void)l2tpc_scan_to_json(s);
        l2tpc_scan_stop(s);
        ok = ok && l2tpc_scan_get_state(s, &st) == L2TPC_OK && strcmp(st.end, "running") != 0 &&
             l2tpc_scan_get_error(s);
        *out_done = true;
    }
    l2tpc_scan_free(s);
    l2tpc_context_free(context);
    return ok;
}

static void fail_everywhere(bool (*whole)(bool *out_done), bool lasts)
{
    unsigned total;
    bool done;

    fail_at = asked = 0;
    lasting = lasts;
    CHECK(whole(&done) && done);
    total = asked;
    CHECK(total > 10);
    for (unsigned i = 1; i <= total; i++) {
        bool ok;

        asked = 0;
        fail_at = i;
        ok = whole(&done);
        fail_at = 0;
        if (!ok)
            check_fail(__FILE__, __LINE__, "without memory at request %u of %u%s", i, total,
                       lasts ? " and after" : "");
    }
}

TEST(memory_fails_once)
{
    if (!nowhere())
        check_skip("no network namespace of its own");
    else
        fail_everywhere(dial, false);
}

TEST(memory_runs_out)
{
    if (!nowhere())
        check_skip("no network namespace of its own");
    else
        fail_everywhere(dial, true);
}

TEST(memory_fails_in_a_scan)
{
    if (!nowhere()) {
        check_skip("no network namespace of its own");
    } else {
        fail_everywhere(scan, false);
        fail_everywhere(scan, true);
    }
}
