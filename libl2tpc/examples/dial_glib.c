/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One session on a GLib main loop, without any thread of the library's: the main loop watches the
 * context, which then does what is due, and the session, which then has an event.
 *   dial_glib SERVER USER PSK-FILE PASSWORD-FILE
 */
#include <errno.h>
#include <glib-unix.h>
#include <glib.h>
#include <l2tpc.h>
#include <signal.h>
#include <string.h>

struct client {
    GMainLoop *loop;
    l2tpc_session *session;
    const char *psk_file, *password_file;
    int exit_status;
};

static gboolean on_context(gint fd, GIOCondition condition, gpointer user)
{
    (void)fd;
    (void)condition;
    (void)l2tpc_context_dispatch(user);
    return G_SOURCE_CONTINUE;
}

static gboolean on_interrupt(gpointer user)
{
    l2tpc_session_stop(((struct client *)user)->session); /* politely; DOWN follows */
    return G_SOURCE_CONTINUE;
}

static void answer_need(const struct client *c, const l2tpc_need *need)
{
    l2tpc_answer answer = {.size = sizeof(answer), .status = -ENOENT, .fd = -1};
    char *secret = NULL;
    gsize n = 0;

    if (g_file_get_contents(need->type == L2TPC_NEED_PSK ? c->psk_file : c->password_file, &secret,
                            &n, NULL)) {
        answer.status = 0;
        answer.secret = secret;
        answer.secret_len = n > 0 && secret[n - 1] == '\n' ? n - 1 : n;
    }
    if (l2tpc_session_answer(c->session, need->id, &answer) == L2TPC_EINVAL) {
        answer.status = -EMSGSIZE; /* longer than any secret */
        answer.secret_len = 0;
        (void)l2tpc_session_answer(c->session, need->id, &answer);
    }
    if (secret)
        explicit_bzero(secret, n);
    g_free(secret);
}

static void print_error(struct client *c, const l2tpc_error *error)
{
    char text[1024];

    (void)l2tpc_error_message(error, NULL, text, sizeof(text));
    g_print("failed: %s: %s\n", l2tpc_error_get_code(error), text);
    c->exit_status = l2tpc_error_get_exit_status(error);
}

static gboolean on_session(gint fd, GIOCondition condition, gpointer user)
{
    struct client *c = user;
    l2tpc_event *e;

    (void)fd;
    (void)condition;
    while ((e = l2tpc_session_next_event(c->session))) {
        l2tpc_event_type type = l2tpc_event_get_type(e);

        if (type == L2TPC_EVENT_STAGE_BEGIN)
            g_print("stage: %s\n", l2tpc_event_get_stage(e));
        else if (type == L2TPC_EVENT_STAGE_END)
            g_print("done: %s, %.1f ms\n", l2tpc_event_get_stage(e), l2tpc_event_get_stage_ms(e));
        else if (type == L2TPC_EVENT_NEED)
            answer_need(c, l2tpc_event_get_need(e));
        else if (type == L2TPC_EVENT_FAILED)
            print_error(c, l2tpc_event_get_error(e));
        else if (type == L2TPC_EVENT_DOWN)
            g_main_loop_quit(c->loop);
        l2tpc_event_free(e);
    }
    return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv)
{
    l2tpc_context_options options = {.size = sizeof(options), .flags = L2TPC_CONTEXT_CALLER_LOOP};
    struct client c = {.loop = g_main_loop_new(NULL, FALSE)};
    l2tpc_context *context = NULL;
    l2tpc_config *config = NULL;

    if (argc != 5)
        return g_printerr("usage: %s SERVER USER PSK-FILE PASSWORD-FILE\n", argv[0]), 2;
    c.psk_file = argv[3];
    c.password_file = argv[4];
    if (l2tpc_context_new(&context, &options) || l2tpc_config_new(&config) ||
        l2tpc_config_set_server(config, argv[1]) || l2tpc_config_set_user(config, argv[2], NULL) ||
        l2tpc_session_new(&c.session, context, config) || l2tpc_session_start(c.session)) {
        c.exit_status = 1;
    } else {
        g_unix_fd_add(l2tpc_context_get_fd(context), G_IO_IN, on_context, context);
        g_unix_fd_add(l2tpc_session_get_fd(c.session), G_IO_IN, on_session, &c);
        g_unix_signal_add(SIGINT, on_interrupt, &c);
        g_main_loop_run(c.loop);
    }
    l2tpc_session_free(c.session);
    l2tpc_config_free(config);
    l2tpc_context_free(context);
    g_main_loop_unref(c.loop);
    return c.exit_status;
}
