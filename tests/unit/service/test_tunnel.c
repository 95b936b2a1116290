/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tunnel whose starter is not there, or says nothing. */
#include "check.h"

#include "service/tunnel.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct seen {
    GMainLoop *loop;
    unsigned failed, gone, translated;
    char code[64], message[512];
};

static void on_event(void *user, tunnel *t, const l2tpc_event *e)
{
    (void)user;
    (void)t;
    (void)e;
}

static void on_failed(void *user, tunnel *t, const struct tunnel_failure *f)
{
    struct seen *s = user;

    (void)t;
    s->failed++;
    g_strlcpy(s->code, f->code, sizeof(s->code));
    g_strlcpy(s->message, f->message, sizeof(s->message));
}

static void on_gone(void *user, tunnel *t)
{
    struct seen *s = user;

    (void)t;
    s->gone++;
    g_main_loop_quit(s->loop);
}

static const char *translate(void *user, const char *msgid)
{
    struct seen *s = user;

    s->translated++;
    return *msgid ? "in another language" : msgid;
}

static gboolean give_up(gpointer user)
{
    g_main_loop_quit(((struct seen *)user)->loop);
    return G_SOURCE_REMOVE;
}

static const struct tunnel_face face = {on_event, on_failed, on_gone, translate};

static tunnel *dial(struct starter *starter, struct seen *s, struct tunnel_failure *out)
{
    l2tpc_profile *p = l2tpc_profile_new();
    const struct tunnel_wish wish = {
        .name = "6f6c7570-6c69-4e6b-8000-0000000000aa", .profile = p, .face = &face, .user = s};
    tunnel *t;

    l2tpc_profile_set(p, L2TPC_PROFILE_DATA, "gateway", "192.0.2.1");
    l2tpc_profile_set(p, L2TPC_PROFILE_DATA, "user", "alice");
    l2tpc_profile_set(p, L2TPC_PROFILE_DATA, "ipsec-enabled", "yes");
    t = tunnel_new(starter, &wish, out);
    l2tpc_profile_free(p);
    return t;
}

/* Nobody reads what is ordered. */
static bool stand_still(int pair[2], struct starter *starter, unsigned patience_ms)
{
    *starter = (struct starter){.patience_ms = patience_ms};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return false;
    starter->fd = pair[0];
    return true;
}

static double run(struct seen *s)
{
    gint64 began = g_get_monotonic_time();
    guint patience = g_timeout_add(5000, give_up, s);

    g_main_loop_run(s->loop);
    if (s->gone)
        g_source_remove(patience);
    return (double)(g_get_monotonic_time() - began) / 1000.0;
}

TEST(a_silent_starter_is_not_waited_for)
{
    struct seen s = {.loop = g_main_loop_new(NULL, FALSE)};
    struct tunnel_failure f;
    struct starter starter;
    int pair[2];
    tunnel *t;

    CHECK(stand_still(pair, &starter, 300));
    t = dial(&starter, &s, &f);
    CHECK(t);
    CHECK(run(&s) < 4000);
    CHECK_INT(s.gone, 1);
    CHECK_INT(s.failed, 1);
    CHECK_STR(s.code, "local.broker");
    CHECK_MEM(s.message, strlen(s.message), "in another language", 19);
    tunnel_free(t);
    g_main_loop_unref(s.loop);
    close(pair[0]);
    close(pair[1]);
}

TEST(a_tunnel_without_a_session_can_be_ended)
{
    struct seen s = {.loop = g_main_loop_new(NULL, FALSE)};
    struct tunnel_failure f;
    struct starter starter;
    int pair[2];
    tunnel *t;

    CHECK(stand_still(pair, &starter, 0));
    t = dial(&starter, &s, &f);
    CHECK(t);
    tunnel_stop(t, true);
    tunnel_stop(t, false);
    CHECK(run(&s) < 4000);
    CHECK_INT(s.gone, 1);
    CHECK_INT(s.failed, 0); /* it was wanted */
    tunnel_free(t);
    g_main_loop_unref(s.loop);
    close(pair[0]);
    close(pair[1]);
}

TEST(no_starter_is_a_sentence)
{
    struct seen s = {0};
    struct tunnel_failure f = {0};
    struct starter starter = {.fd = -1};

    CHECK(!dial(&starter, &s, &f));
    CHECK_STR(f.code, "local.broker");
    CHECK_MEM(f.message, strlen(f.message), "in another language", 19);
    CHECK_INT(s.gone, 0);
}
