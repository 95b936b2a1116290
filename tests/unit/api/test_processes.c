/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Front, engine and signer, each in a thread of its own in place of a process, and what becomes of
 * one when another is gone or lies. */
#include "api/remote_wire.h"
#include "api/signer_wire.h"
#include "check.h"
#include "io/channel.h"
#include "io/env.h"
#include "nowhere.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct world {
    l2tpc_context *context;
    l2tpc_session *session;
    int engine_fd, signer_fd; /* the other ends, for a test that plays these processes */
    pthread_t engine, signer;
    bool has_engine, has_signer;
    l2tpc_config *signer_config;
    int link[2], front_engine[2], front_signer[2];
    char failed[48];
    bool asked_pin, asked_psk, told_learned;
};

static bool pair(int out[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, out) == 0;
}

static l2tpc_config *config_for(const char *psk)
{
    l2tpc_config *c = NULL;
    bool ok = l2tpc_config_new(&c) == L2TPC_OK && l2tpc_config_set_server(c, NOWHERE) == L2TPC_OK &&
              l2tpc_config_set_user(c, "user", NULL) == L2TPC_OK &&
              l2tpc_config_set_password(c, "secret", 6) == L2TPC_OK &&
              (!psk || l2tpc_config_set_psk(c, psk, strlen(psk)) == L2TPC_OK);

    if (ok)
        return c;
    l2tpc_config_free(c);
    return NULL;
}

static bool set_file(l2tpc_config *c, const char *name,
                     int (*set)(l2tpc_config *, const void *, size_t))
{
    char path[512];
    char bytes[16384];
    ssize_t n = -1;
    int fd;

    (void)snprintf(path, sizeof(path), "%s/x509/%s", VECTOR_DIR, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        n = read(fd, bytes, sizeof(bytes));
    if (fd >= 0)
        close(fd);
    return n > 0 && set(c, bytes, (size_t)n) == L2TPC_OK;
}

static void *engine_main(void *user)
{
    struct world *w = user;
    l2tpc_context_options o = {.size = sizeof(o), .flags = L2TPC_CONTEXT_CALLER_LOOP};
    l2tpc_config *c = config_for(NULL);
    l2tpc_context *context = NULL;
    l2tpc_session *s = NULL;

    if (c && l2tpc_context_new(&context, &o) == L2TPC_OK &&
        l2tpc_session_new(&s, context, c) == L2TPC_OK &&
        l2tpc_session_set_signer(s, w->link[0]) == L2TPC_OK)
        (void)l2tpc_session_serve(s, w->front_engine[1]);
    l2tpc_session_free(s);
    l2tpc_context_free(context);
    l2tpc_config_free(c);
    return NULL;
}

static void *signer_main(void *user)
{
    struct world *w = user;
    l2tpc_signer_options o = {
        .size = sizeof(o), .session_fd = w->link[1], .user_fd = w->front_signer[1]};

    (void)l2tpc_signer_serve(w->signer_config, &o);
    return NULL;
}

/* The front; `engine` and `signer` run too, or the test holds their ends. */
static bool open_world(struct world *w, const char *psk, bool engine, bool signer)
{
    l2tpc_remote_options o = {.size = sizeof(o)};
    l2tpc_config *c = config_for(psk);
    bool ok;

    memset(w, 0, sizeof(*w));
    if (!c || !pair(w->link) || !pair(w->front_engine) || !pair(w->front_signer))
        return false;
    o.engine_fd = w->front_engine[0];
    o.signer_fd = w->front_signer[0];
    w->engine_fd = w->front_engine[1];
    w->signer_fd = w->front_signer[1];
    ok = l2tpc_context_new(&w->context, NULL) == L2TPC_OK &&
         l2tpc_session_new_remote(&w->session, w->context, c, &o) == L2TPC_OK;
    l2tpc_config_free(c);
    if (signer && !w->signer_config)
        w->signer_config = config_for(NULL);
    w->has_signer = ok && signer && pthread_create(&w->signer, NULL, signer_main, w) == 0;
    w->has_engine = ok && engine && pthread_create(&w->engine, NULL, engine_main, w) == 0;
    return ok && w->has_signer == signer && w->has_engine == engine;
}

static void close_world(struct world *w)
{
    l2tpc_session_free(w->session);
    l2tpc_context_free(w->context);
    if (w->has_engine)
        (void)pthread_join(w->engine, NULL);
    else if (w->engine_fd >= 0)
        close(w->engine_fd);
    if (!w->has_engine)
        close(w->link[0]);
    if (w->has_signer)
        (void)pthread_join(w->signer, NULL);
    else if (w->signer_fd >= 0)
        close(w->signer_fd);
    if (!w->has_signer)
        close(w->link[1]);
    l2tpc_config_free(w->signer_config);
}

static void note(struct world *w, const l2tpc_event *e)
{
    const l2tpc_need *need = l2tpc_event_get_need(e);

    switch (l2tpc_event_get_type(e)) {
    case L2TPC_EVENT_FAILED:
        (void)snprintf(w->failed, sizeof(w->failed), "%s",
                       l2tpc_error_get_code(l2tpc_event_get_error(e)));
        break;
    case L2TPC_EVENT_NEED:
        w->asked_pin = w->asked_pin || need->type == L2TPC_NEED_PASSPHRASE;
        w->asked_psk = w->asked_psk || need->type == L2TPC_NEED_PSK;
        break;
    case L2TPC_EVENT_LEARNED:
        w->told_learned = true;
        break;
    default:
        break;
    }
}

/* Events until this one; false after five seconds without any. */
static bool until(struct world *w, l2tpc_event_type type)
{
    struct pollfd p = {.fd = l2tpc_session_get_fd(w->session), .events = POLLIN};
    bool came = false;

    while (!came && poll(&p, 1, 5000) > 0) {
        l2tpc_event *e;

        while (!came && (e = l2tpc_session_next_event(w->session))) {
            note(w, e);
            came = l2tpc_event_get_type(e) == type;
            l2tpc_event_free(e);
        }
    }
    return came;
}

static bool status_says(struct world *w, const char *path, const char *text)
{
    l2tpc_status *st = NULL;
    bool ok = l2tpc_session_get_status(w->session, &st) == L2TPC_OK && l2tpc_status_get(st, path) &&
              strcmp(l2tpc_status_get(st, path), text) == 0;

    l2tpc_status_free(st);
    return ok;
}

TEST(a_dial_in_another_process)
{
    struct world w;

    if (!nowhere()) {
        check_skip("no network namespace of its own");
        return;
    }
    CHECK(open_world(&w, "key", true, true));
    CHECK_INT(l2tpc_session_start(w.session), L2TPC_OK);
    CHECK_INT(l2tpc_session_start(w.session), L2TPC_EBUSY);
    CHECK(until(&w, L2TPC_EVENT_STAGE_END)); /* the signer has looked the name up */
    CHECK(status_says(&w, "server.address", NOWHERE));
    CHECK(status_says(&w, "state", "dialing"));
    CHECK(status_says(&w, "ike.psk_strength", "very-weak"));
    CHECK(status_says(&w, "secrets.password_origin", "program"));
    l2tpc_session_stop(w.session);
    CHECK(until(&w, L2TPC_EVENT_DOWN));
    CHECK_STR(w.failed, "local.cancelled");
    CHECK(status_says(&w, "state", "failed"));
    close_world(&w);
}

TEST(secrets_leave_the_front_with_the_start)
{
    struct world w;

    CHECK(open_world(&w, "key-of-this-test", false, false));
    CHECK(w.session->config.secrets->psk.n > 0 && w.session->config.secrets->password.n > 0);
    CHECK_INT(l2tpc_session_start(w.session), L2TPC_OK);
    CHECK(w.session->config.secrets->psk.n == 0 && w.session->config.secrets->password.n == 0);
    close_world(&w);
}

static bool is_ordered(struct world *w, uint32_t type)
{
    uint8_t bytes[4096];
    struct remote_order o;
    ssize_t n = recv(w->engine_fd, bytes, sizeof(bytes), 0);

    return n > 0 && remote_order_read(span_of(bytes, (size_t)n), &o) && o.type == type;
}

TEST(changes_of_the_computer_are_the_engines_to_look_at)
{
    struct world w;

    CHECK(open_world(&w, "key", false, false));
    l2tpc_session_check_host(w.session); /* there is no dial to look at */
    CHECK_INT(l2tpc_session_start(w.session), L2TPC_OK);
    CHECK(is_ordered(&w, REMOTE_START));
    l2tpc_session_check_host(w.session);
    l2tpc_session_network_changed(w.session);
    CHECK(is_ordered(&w, REMOTE_CHECK_HOST));
    CHECK(is_ordered(&w, REMOTE_NETWORK_CHANGED));
    close_world(&w);
}

TEST(an_engine_told_of_changes_too_soon_goes_on)
{
    struct world w;

    if (!nowhere()) {
        check_skip("no network namespace of its own");
        return;
    }
    CHECK(open_world(&w, "key", true, true));
    CHECK_INT(l2tpc_session_start(w.session), L2TPC_OK);
    l2tpc_session_check_host(w.session);
    CHECK(until(&w, L2TPC_EVENT_STAGE_END));
    l2tpc_session_check_host(w.session);
    CHECK(status_says(&w, "state", "dialing"));
    l2tpc_session_stop(w.session);
    CHECK(until(&w, L2TPC_EVENT_DOWN));
    CHECK_STR(w.failed, "local.cancelled");
    close_world(&w);
}

TEST(an_engine_that_dies_fails_the_session)
{
    struct world w;

    CHECK(open_world(&w, "key", false, false));
    CHECK_INT(l2tpc_session_start(w.session), L2TPC_OK);
    close(w.engine_fd);
    w.engine_fd = -1;
    CHECK(until(&w, L2TPC_EVENT_DOWN));
    CHECK_STR(w.failed, "local.engine");
    CHECK(status_says(&w, "state", "failed"));
    CHECK(status_says(&w, "server.name", NOWHERE));
    close_world(&w);
}

TEST(a_signer_that_dies_fails_the_session)
{
    struct world w;

    CHECK(open_world(&w, "key", true, false));
    CHECK_INT(l2tpc_session_start(w.session), L2TPC_OK);
    close(w.signer_fd);
    w.signer_fd = -1;
    CHECK(until(&w, L2TPC_EVENT_DOWN)); /* the engine was told to stop */
    CHECK_STR(w.failed, "local.signer");
    CHECK(status_says(&w, "state", "failed"));
    close_world(&w);
}

TEST(a_passphrase_goes_to_the_signer_alone)
{
    struct world w;
    l2tpc_answer a = {.size = sizeof(a), .fd = -1, .secret = "wrong", .secret_len = 5};
    l2tpc_config *c = config_for(NULL);

    CHECK(c && set_file(c, "client.pem", l2tpc_config_set_certificate) &&
          set_file(c, "client-locked.key", l2tpc_config_set_key) &&
          set_file(c, "ca.pem", l2tpc_config_set_ca));
    memset(&w, 0, sizeof(w));
    CHECK(open_world(&w, NULL, true, false));
    w.signer_config = c;
    w.has_signer = pthread_create(&w.signer, NULL, signer_main, &w) == 0;
    CHECK(w.has_signer);
    CHECK_INT(l2tpc_session_start(w.session), L2TPC_OK);
    CHECK(until(&w, L2TPC_EVENT_NEED) && w.asked_pin && !w.asked_psk);
    CHECK_INT(l2tpc_session_answer(w.session, SIGNER_NEED, &a), L2TPC_OK);
    CHECK_INT(l2tpc_session_answer(w.session, SIGNER_NEED, &a), L2TPC_ENOTFOUND);
    CHECK(until(&w, L2TPC_EVENT_DOWN));
    CHECK_STR(w.failed, "ike.auth.cert-passphrase");
    close_world(&w);
}

static bool say_event(struct world *w, const l2tpc_event *e)
{
    uint8_t bytes[4096];
    struct span m;

    return remote_event_write(e, bytes, sizeof(bytes), &m) &&
           send(w->engine_fd, m.p, m.n, MSG_NOSIGNAL) == (ssize_t)m.n;
}

/* What a server may have made of it: it asks for a PIN, and has something to be remembered. */
TEST(an_engine_that_lies_gets_no_further)
{
    struct world w;
    l2tpc_answer a = {.size = sizeof(a), .fd = -1, .secret = "1234", .secret_len = 4};
    l2tpc_event pin = {.type = L2TPC_EVENT_NEED,
                       .has_need = true,
                       .need = {.type = L2TPC_NEED_PASSPHRASE, .id = SIGNER_NEED}};
    l2tpc_event learned = {.type = L2TPC_EVENT_LEARNED, .text = (char *)"../../etc/shadow"};
    l2tpc_event shown = {.type = L2TPC_EVENT_RUNG, .text = (char *)"\033]0;owned\007"};
    l2tpc_event failure = {.type = L2TPC_EVENT_FAILED, .has_error = true};
    l2tpc_event up = {.type = L2TPC_EVENT_UP};
    uint8_t order[4096];

    CHECK(open_world(&w, "key", false, false));
    CHECK_INT(l2tpc_session_start(w.session), L2TPC_OK);
    CHECK(recv(w.engine_fd, order, sizeof(order), 0) > 0); /* START */
    CHECK(say_event(&w, &pin) && say_event(&w, &learned) && say_event(&w, &shown) &&
          say_event(&w, &failure) && send(w.engine_fd, "x", 1, 0) == 1 && say_event(&w, &up));
    CHECK(until(&w, L2TPC_EVENT_UP));
    CHECK(!w.asked_pin && !w.told_learned && !w.failed[0]);
    CHECK_INT(l2tpc_session_answer(w.session, SIGNER_NEED, &a), L2TPC_ENOTFOUND);
    CHECK_INT(l2tpc_session_answer(w.session, 7, &a), L2TPC_ENOTFOUND);
    close_world(&w);
}

TEST(a_status_survives_the_way)
{
    static uint8_t bytes[CHANNEL_MAX];
    l2tpc_status *a = calloc(1, sizeof(*a));
    l2tpc_status *b = calloc(1, sizeof(*b));
    struct span m;
    struct rd rest;
    uint32_t type;
    uint32_t number;

    CHECK(a && b);
    a->state = "up";
    a->n_evidence = proof_items();
    a->is_l2tp_in_ipsec = true;
    a->claims = (struct proof_claims){.out = 90, .joined_out = 1, .in = 100, .joined_in = 2};
    for (unsigned i = 0; i < a->n_evidence; i++) {
        proof_words(i, false, &a->evidence[i]);
        a->evidence[i].ok = true;
    }
    a->stages[0].ms = 1.234;
    a->n_stages = 1;
    a->rtt_ms = 41.5;
    status_set_text(a, STATUS_ike_vendor_ids, "one\ntwo\n");
    status_set_text(a, STATUS_server_name, "gate");
    status_set_text(a, STATUS_server_port, "4500");
    a->value[STATUS_server_port].number = 4500;
    CHECK(remote_status_write(a, 7, bytes, sizeof(bytes), &m));
    CHECK(remote_report_type(m, &type, &rest) && type == REMOTE_STATUS_IS);
    CHECK(remote_status_read(rest, &number, b) && number == 7);
    /* What the kernel saw is not the engine's to tell, nor is the verdict. */
    CHECK(!b->is_l2tp_in_ipsec && memcmp(&a->claims, &b->claims, sizeof(a->claims)) == 0);
    for (unsigned i = 0; i < proof_items(); i++)
        CHECK(b->evidence[i].ok == (strcmp(b->evidence[i].observer, "kernel") != 0));
    a->is_l2tp_in_ipsec = false;
    for (unsigned i = 0; i < proof_kernel_items(); i++)
        a->evidence[i].ok = false;
    CHECK_STR(l2tpc_status_to_json(b), l2tpc_status_to_json(a));
    l2tpc_status_free(a);
    l2tpc_status_free(b);
}

/* What an engine says, with every item of its own in order. */
static l2tpc_status *told(const char *server)
{
    l2tpc_status *st = calloc(1, sizeof(*st));

    if (!st)
        return NULL;
    st->claims = (struct proof_claims){.out = 900, .in = 1000};
    st->n_evidence = proof_items();
    for (unsigned i = 0; i < st->n_evidence; i++) {
        proof_words(i, false, &st->evidence[i]);
        st->evidence[i].ok = true;
    }
    status_set_text(st, STATUS_server_address, server);
    return st;
}

static bool judged(const struct kernel_counts *before, const struct kernel_counts *after,
                   const char *server)
{
    l2tpc_status *st = told(server);
    bool verdict;

    if (!st)
        return false;
    remote_status_judge(st, before, after);
    verdict = st->is_l2tp_in_ipsec;
    l2tpc_status_free(st);
    return verdict;
}

TEST(the_kernels_counts_are_held_against_the_engines)
{
    const struct kernel_counts seen = {
        .known = true, .esp_out = 900, .esp_in = 1000, .server = inaddr_v4(0xc0000201)};
    struct kernel_counts before = seen;
    struct kernel_counts after = seen;

    CHECK(judged(&seen, &seen, "192.0.2.1"));
    CHECK(!judged(&seen, &seen, "192.0.2.2")); /* it looks at somebody else */
    CHECK(!judged(&seen, &seen, ""));
    before.esp_out = before.esp_in = 500; /* a fast transfer, while the engine was asked */
    after.esp_out = after.esp_in = 5000;
    CHECK(judged(&before, &after, "192.0.2.1"));
    CHECK(!judged(&after, &after, "192.0.2.1"));
    CHECK(!judged(&before, &before, "192.0.2.1"));
    after = seen;
    after.clear = 1;
    CHECK(!judged(&seen, &after, "192.0.2.1"));
    after.known = false;
    CHECK(!judged(&seen, &after, "192.0.2.1"));
}

static int tell_counts(void *user, const l2tpc_need *need, l2tpc_answer *answer)
{
    unsigned *asked = user;

    if (need->type != L2TPC_NEED_OBSERVER_READ || need->observer != 0)
        return 0;
    (*asked)++;
    answer->clear = 3;
    return 1;
}

TEST(the_front_asks_for_the_kernels_counts)
{
    struct world w;
    unsigned asked = 0;
    l2tpc_status *st = NULL;

    if (!nowhere()) {
        check_skip("no network namespace of its own");
        return;
    }
    CHECK(open_world(&w, "key", true, true));
    w.context->ops = (l2tpc_host_ops){sizeof(l2tpc_host_ops), &asked, tell_counts};
    CHECK_INT(l2tpc_session_start(w.session), L2TPC_OK);
    CHECK(until(&w, L2TPC_EVENT_STAGE_END));
    CHECK_INT(l2tpc_session_get_status(w.session, &st), L2TPC_OK);
    CHECK_STR(l2tpc_status_get(st, "kernel.clear"), "3");
    CHECK(asked == 2 && !l2tpc_status_is_l2tp_in_ipsec(st)); /* before the engine and after */
    l2tpc_status_free(st);
    l2tpc_session_stop(w.session);
    CHECK(until(&w, L2TPC_EVENT_DOWN));
    close_world(&w);
}

static unsigned n_lines;

static void on_engine_log(void *user, int level, const char *module, const char *line)
{
    (void)user;
    n_lines += level == LOG_LEVEL_INFO && strcmp(module, "ike") == 0 && strcmp(line, "a line") == 0;
}

static void say(struct world *w, const struct span *message)
{
    CHECK(send(w->engine_fd, message->p, message->n, 0) == (ssize_t)message->n);
}

/* The order that the front has sent last; 0: none. */
static uint32_t heard(struct world *w, struct remote_order *o)
{
    uint8_t bytes[4096];
    ssize_t n;
    uint32_t type = 0;

    while ((n = recv(w->engine_fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
        if (remote_order_read(span_of(bytes, (size_t)n), o))
            type = o->type;
    return type;
}

static bool answer(struct world *w, uint32_t number)
{
    static uint8_t bytes[CHANNEL_MAX];
    l2tpc_status *st = calloc(1, sizeof(*st));
    struct span m;
    bool ok = st != NULL;

    if (ok) {
        st->state = "up";
        for (; st->n_evidence < proof_items(); st->n_evidence++)
            proof_words(st->n_evidence, false, &st->evidence[st->n_evidence]);
        ok = remote_status_write(st, number, bytes, sizeof(bytes), &m) &&
             send(w->engine_fd, m.p, m.n, 0) == (ssize_t)m.n;
    }
    l2tpc_status_free(st);
    return ok;
}

TEST(an_engine_that_stands_still_is_asked_once_and_waited_for_by_nobody)
{
    struct remote_order *o = calloc(1, sizeof(*o));
    struct world w;
    l2tpc_status *st = NULL;
    l2tpc_status *copy;
    l2tpc_us began;
    uint8_t bytes[512];
    struct span m;

    CHECK(o && open_world(&w, "key", false, false));
    CHECK_INT(l2tpc_session_ask_status(w.session), L2TPC_ESTATE);
    CHECK_INT(l2tpc_session_rekey(w.session), L2TPC_ESTATE);
    CHECK_INT(l2tpc_session_start(w.session), L2TPC_OK);
    CHECK_INT(heard(&w, o), REMOTE_START);
    began = io_now();
    CHECK_INT(l2tpc_session_ask_status(w.session), L2TPC_OK);
    CHECK_INT(heard(&w, o), REMOTE_STATUS);
    for (unsigned i = 0; i < 1000; i++)
        CHECK_INT(l2tpc_session_ask_status(w.session), L2TPC_OK);
    CHECK_INT(l2tpc_session_take_status(w.session, &st), L2TPC_ENOTFOUND);
    CHECK(!st && io_now() - began < US_MS(500));
    CHECK_INT(l2tpc_session_rekey(w.session), L2TPC_OK);
    CHECK_INT(heard(&w, &o[0]), REMOTE_REKEY); /* and no second question before it */
    CHECK(answer(&w, 0) && answer(&w, 1));     /* an answer to nothing is none */
    CHECK(until(&w, L2TPC_EVENT_STATUS));
    CHECK_INT(l2tpc_session_take_status(w.session, &st), L2TPC_OK);
    CHECK_STR(l2tpc_status_get(st, "state"), "up");
    CHECK_STR(l2tpc_status_get(st, "ike.psk_strength"), "very-weak");
    copy = l2tpc_status_copy(st);
    CHECK(copy && strcmp(l2tpc_status_to_json(copy), l2tpc_status_to_json(st)) == 0);
    l2tpc_status_free(copy);
    l2tpc_status_free(st);
    CHECK(!l2tpc_status_copy(NULL));
    CHECK_INT(l2tpc_session_take_status(w.session, &st), L2TPC_ENOTFOUND);
    CHECK_INT(l2tpc_session_ask_status(w.session), L2TPC_OK); /* the next */
    CHECK_INT(heard(&w, o), REMOTE_STATUS);
    w.context->engine_log = on_engine_log;
    n_lines = 0;
    CHECK(remote_log_write(LOG_LEVEL_INFO, "ike", "a line", bytes, sizeof(bytes), &m));
    say(&w, &m);
    CHECK(remote_log_write(LOG_LEVEL_INFO, "ike", "a \x1b line", bytes, sizeof(bytes), &m));
    say(&w, &m);
    CHECK(answer(&w, o->number));
    CHECK(until(&w, L2TPC_EVENT_STATUS));
    CHECK_INT(n_lines, check_sabotaged() ? 2 : 1);
    free(o);
    close_world(&w);
}

TEST(replies_and_requests_of_the_signer)
{
    static uint8_t bytes[CHANNEL_MAX];
    struct signer_request *q = calloc(2, sizeof(*q));
    struct signer_reply *p = calloc(2, sizeof(*p));
    struct span m;

    CHECK(q && p);
    q->type = SIGNER_SIGN;
    q->number = 5;
    q->n_digest = HASH_MAX;
    CHECK(signer_request_write(q, bytes, sizeof(bytes), &m) && signer_request_read(m, &q[1]));
    CHECK(q[1].n_digest == HASH_MAX && q[1].number == 5);
    CHECK(!signer_request_read(span_of(m.p, m.n - 1), &q[1]));
    bytes[3] = 9;
    CHECK(!signer_request_read(m, &q[1]));
    p->type = SIGNER_ADDRESSES;
    p->n_addresses = DIAL_ADDRESSES_MAX;
    for (unsigned i = 0; i < DIAL_ADDRESSES_MAX; i++)
        p->addresses[i] = inaddr_v4(0xc0000201 + i);
    CHECK(signer_reply_write(p, bytes, sizeof(bytes), &m) && signer_reply_read(m, &p[1]));
    CHECK(p[1].n_addresses == DIAL_ADDRESSES_MAX &&
          inaddr_eq(&p[1].addresses[3], &p->addresses[3]));
    p->addresses[2].family = 0;
    CHECK(signer_reply_write(p, bytes, sizeof(bytes), &m) && !signer_reply_read(m, &p[1]));
    free(q);
    free(p);
}
