/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control socket of a running connection. Only its own user and root may ask; a lock beside it
 * tells a running connection from what a killed one left behind.
 */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define VALUE_SIZE 256

static const char *trouble(char *value, const char *path)
{
    (void)snprintf(value, VALUE_SIZE, "%s: %s", path, strerror(errno));
    return errno == EACCES || errno == EPERM ? "local.rights" : "local.journal";
}

static const char *lock_name(struct control *c, const char *name, char *value)
{
    c->lock_fd = open(c->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (c->lock_fd < 0)
        return trouble(value, c->lock_path);
    if (flock(c->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return NULL;
    (void)snprintf(value, VALUE_SIZE, "%s", name);
    return "local.already-up";
}

/* With the lock held, a socket that is still there belongs to nobody. */
static const char *remove_stale(const struct control *c, char *value)
{
    struct stat st;

    if (lstat(c->path, &st) < 0)
        return NULL;
    if (!S_ISSOCK(st.st_mode)) {
        (void)snprintf(value, VALUE_SIZE, _("%s is in the way and is not a socket"), c->path);
        return "local.journal";
    }
    return unlink(c->path) < 0 ? trouble(value, c->path) : NULL;
}

static const char *listen_here(struct control *c, char *value)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};

    if (strlen(c->path) >= sizeof(sun.sun_path)) {
        errno = ENAMETOOLONG;
        return trouble(value, c->path);
    }
    (void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%.*s", (int)sizeof(sun.sun_path) - 1,
                   c->path);
    c->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->listen_fd < 0 || bind(c->listen_fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0 ||
        chmod(c->path, 0600) < 0 || listen(c->listen_fd, 8) < 0)
        return trouble(value, c->path);
    return NULL;
}

const char *control_open(struct control *c, const char *name, char *value)
{
    const char *code;

    *c = (struct control){.listen_fd = -1, .lock_fd = -1, .owner = geteuid()};
    code = run_dir_make(value);
    if (code)
        return code;
    (void)snprintf(c->path, sizeof(c->path), "%s/%s.sock", run_dir(), name);
    (void)snprintf(c->lock_path, sizeof(c->lock_path), "%s/%s.lock", run_dir(), name);
    code = lock_name(c, name, value);
    if (code) { /* another's: nothing here is ours to remove */
        if (c->lock_fd >= 0)
            close(c->lock_fd);
        c->lock_fd = -1;
        return code;
    }
    code = remove_stale(c, value);
    if (!code)
        code = listen_here(c, value);
    if (code)
        control_close(c);
    return code;
}

void control_remove(struct control *c)
{
    if (c->path[0])
        (void)unlink(c->path);
    if (c->lock_path[0])
        (void)unlink(c->lock_path);
}

void control_close(struct control *c)
{
    if (c->listen_fd >= 0) {
        if (!c->is_brokers)
            (void)unlink(c->path);
        close(c->listen_fd);
    }
    if (c->lock_fd >= 0) {
        if (!c->is_brokers)
            (void)unlink(c->lock_path);
        close(c->lock_fd);
    }
    c->listen_fd = c->lock_fd = -1;
}

static bool may_ask(const struct control *c, int fd)
{
    struct ucred cred;
    socklen_t n = sizeof(cred);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) == 0 &&
           (cred.uid == 0 || cred.uid == c->owner);
}

/* The line is one of ours to its last byte, and nothing comes with it. */
static bool read_verb(const char *line, size_t n, struct control_request *out)
{
    static const struct {
        const char *line;
        enum control_verb verb;
    } rows[] = {
        {"status text\n", CONTROL_STATUS_TEXT},
        {"status json\n", CONTROL_STATUS_JSON},
        {"disconnect\n", CONTROL_DISCONNECT},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strlen(rows[i].line) != n || memcmp(rows[i].line, line, n) != 0)
            continue;
        out->verb = rows[i].verb;
        return true;
    }
    return false;
}

bool control_accept(struct control *c, struct control_request *out)
{
    const struct timeval patience = {.tv_usec = 200000};
    char line[32];
    ssize_t n;

    out->fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (out->fd < 0)
        return false;
    (void)setsockopt(out->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    (void)setsockopt(out->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    n = may_ask(c, out->fd) ? recv(out->fd, line, sizeof(line), 0) : -1;
    if (n > 0 && read_verb(line, (size_t)n, out))
        return true;
    close(out->fd);
    return false;
}

void control_reply(const struct control_request *r, const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        ssize_t n = send(r->fd, text, left, MSG_NOSIGNAL);

        if (n <= 0)
            break;
        text += n;
        left -= (size_t)n;
    }
    close(r->fd);
}
