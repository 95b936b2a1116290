/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client on the public API whose memory is searched from outside: it dials, hangs up, frees
 * everything and then stands still.
 *   canary-dialer SERVER USER WORD=VALUE...
 * Words: psk, password, passphrase, tunnel-secret, certificate, key, ca (files); key-uri,
 * certificate-uri, allow, policy, timeout (texts); ask=1 gives the secrets when asked, ask=cancel
 * none of them; leak=1 keeps a copy of the password. It prints "up" or "failed CODE", waits for a
 * line, ends, prints "freed", waits for a line.
 */
#include <errno.h>
#include <fcntl.h>
#include <l2tpc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FILE_MAX 16384

static struct words {
    const char *psk, *password, *passphrase, *ask, *leak;
} words;

static unsigned char buffer[FILE_MAX];
static void *leaked;

static size_t take(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, buffer, sizeof(buffer)) : -1;

    if (n < 0) {
        fprintf(stderr, "canary-dialer: %s: %s\n", path, strerror(errno));
        exit(2);
    }
    close(fd);
    return (size_t)n;
}

static void forget(void)
{
    explicit_bzero(buffer, sizeof(buffer));
}

typedef int (*set_bytes)(l2tpc_config *, const void *, size_t);
typedef int (*set_text)(l2tpc_config *, const char *);

static int from_file(l2tpc_config *c, set_bytes set, const char *path)
{
    int rc = set(c, buffer, take(path));

    forget();
    return rc;
}

static int set_timeout(l2tpc_config *c, const char *seconds)
{
    return l2tpc_config_set_timeout(c, (unsigned)strtoul(seconds, NULL, 10));
}

static int word(l2tpc_config *c, const char *text)
{
    static const struct {
        const char *name;
        set_bytes bytes;
        set_text text;
        const char **keep;
    } rows[] = {
        {"psk=", l2tpc_config_set_psk, NULL, &words.psk},
        {"password=", l2tpc_config_set_password, NULL, &words.password},
        {"passphrase=", l2tpc_config_set_key_passphrase, NULL, &words.passphrase},
        {"tunnel-secret=", l2tpc_config_set_tunnel_secret, NULL, NULL},
        {"certificate=", l2tpc_config_set_certificate, NULL, NULL},
        {"key=", l2tpc_config_set_key, NULL, NULL},
        {"ca=", l2tpc_config_set_ca, NULL, NULL},
        {"certificate-uri=", NULL, l2tpc_config_set_certificate_uri, NULL},
        {"key-uri=", NULL, l2tpc_config_set_key_uri, NULL},
        {"allow=", NULL, l2tpc_config_allow, NULL},
        {"policy=", NULL, l2tpc_config_set_policy, NULL},
        {"timeout=", NULL, set_timeout, NULL},
        {"ask=", NULL, NULL, &words.ask},
        {"leak=", NULL, NULL, &words.leak},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t n = strlen(rows[i].name);

        if (strncmp(text, rows[i].name, n) != 0)
            continue;
        if (rows[i].keep)
            *rows[i].keep = text + n;
        if (rows[i].bytes && !(words.ask && rows[i].keep))
            return from_file(c, rows[i].bytes, text + n);
        return rows[i].text ? rows[i].text(c, text + n) : 0;
    }
    return L2TPC_EINVAL;
}

/* ---- needs ---- */

static int serve(void *user, const l2tpc_need *need, l2tpc_answer *answer)
{
    int pair[2];

    (void)user;
    answer->status = 0;
    if (need->type != L2TPC_NEED_TUN)
        return need->type == L2TPC_NEED_APPLY_IP || need->type == L2TPC_NEED_RELEASE_IP;
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        return 0;
    answer->fd = pair[0]; /* the other end is nobody's: it goes with the process */
    (void)snprintf(answer->interface_name, sizeof(answer->interface_name), "canary");
    return 1;
}

static void give(l2tpc_session *s, const l2tpc_need *need)
{
    l2tpc_answer a = {.size = sizeof(a), .fd = -1, .status = -ECANCELED};
    const char *path = need->type == L2TPC_NEED_PSK        ? words.psk
                       : need->type == L2TPC_NEED_PASSWORD ? words.password
                                                           : words.passphrase;

    if (path && strcmp(words.ask, "1") == 0) {
        a.status = 0;
        a.secret = buffer;
        a.secret_len = take(path);
    }
    (void)l2tpc_session_answer(s, need->id, &a);
    forget();
}

/* ---- the dial ---- */

static void say(const char *what, const char *more)
{
    char line[128];
    int n = snprintf(line, sizeof(line), "%s%s%s\n", what, *more ? " " : "", more);

    (void)!write(STDOUT_FILENO, line, (size_t)n);
}

static void wait_for_line(void)
{
    char c = 0;

    while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
        ;
}

/* Until it is up, with `down` until it is down; 1 when it is down. */
static int follow(l2tpc_session *s, int down)
{
    struct pollfd p = {.fd = l2tpc_session_get_fd(s), .events = POLLIN};

    for (;;) {
        l2tpc_event *e = l2tpc_session_next_event(s);
        l2tpc_event_type type;

        if (!e) {
            (void)poll(&p, 1, -1);
            continue;
        }
        type = l2tpc_event_get_type(e);
        if (type == L2TPC_EVENT_NEED)
            give(s, l2tpc_event_get_need(e));
        if (type == L2TPC_EVENT_FAILED)
            say("failed", l2tpc_error_get_code(l2tpc_event_get_error(e)));
        l2tpc_event_free(e);
        if (type == L2TPC_EVENT_DOWN || (!down && type == L2TPC_EVENT_UP)) {
            if (type == L2TPC_EVENT_UP)
                say("up", "");
            else if (!down)
                say("down", "");
            return type == L2TPC_EVENT_DOWN;
        }
    }
}

static void keep_a_copy(void)
{
    size_t n = take(words.password);

    leaked = malloc(n);
    if (leaked)
        memcpy(leaked, buffer, n);
    forget();
}

int main(int argc, char **argv)
{
    l2tpc_host_ops ops = {.size = sizeof(ops), .serve = serve};
    l2tpc_context_options options = {.size = sizeof(options), .host_ops = &ops};
    l2tpc_context *context = NULL;
    l2tpc_config *config = NULL;
    l2tpc_session *session = NULL;
    int over;
    int rc;

    if (argc < 3)
        return 2;
    if (getenv("CANARY_PROTECT") && l2tpc_protect_crypto() != L2TPC_OK) {
        say("refused", "");
        return 3;
    }
    if (l2tpc_config_new(&config) != L2TPC_OK) {
        say("refused", "");
        return 3;
    }
    rc = l2tpc_config_set_server(config, argv[1]) || l2tpc_config_set_user(config, argv[2], NULL);
    for (int i = 3; i < argc && !rc; i++)
        rc = word(config, argv[i]);
    rc = rc || l2tpc_context_new(&context, &options) ||
         l2tpc_session_new(&session, context, config) || l2tpc_session_start(session);
    if (rc) {
        say("refused", "");
        return 3;
    }
    if (words.leak)
        keep_a_copy();
    over = follow(session, 0);
    wait_for_line();
    l2tpc_session_stop(session);
    if (!over)
        (void)follow(session, 1);
    l2tpc_session_free(session);
    l2tpc_config_free(config);
    l2tpc_context_free(context);
    say("freed", "");
    wait_for_line();
    free(leaked);
    return 0;
}
