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

static int lock_name(struct control *c, const char *name)
{
    c->lock_fd = open(c->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (c->lock_fd < 0) {
        complain(_("The connection '%s' cannot be locked: %s."), name, strerror(errno));
        return EXIT_LOCAL;
    }
    if (flock(c->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        complain(_("A connection named '%s' is already running. See: l2tpc status %s"), name, name);
        return EXIT_LOCAL;
    }
    return 0;
}

/* With the lock held, a socket that is still there belongs to nobody. */
static int remove_stale(const struct control *c)
{
    struct stat st;

    if (lstat(c->path, &st) < 0)
        return 0;
    if (!S_ISSOCK(st.st_mode)) {
        complain(_("%s is in the way and is not a socket."), c->path);
        return EXIT_LOCAL;
    }
    return unlink(c->path) < 0 ? EXIT_LOCAL : 0;
}

static int listen_here(struct control *c)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};

    (void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%.*s", (int)sizeof(sun.sun_path) - 1,
                   c->path);
    c->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->listen_fd < 0 || strlen(c->path) >= sizeof(sun.sun_path) ||
        bind(c->listen_fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0 ||
        chmod(c->path, 0600) < 0 || listen(c->listen_fd, 8) < 0) {
        complain(_("The control socket %s cannot be opened: %s."), c->path, strerror(errno));
        return EXIT_LOCAL;
    }
    return 0;
}

int control_open(struct control *c, const char *name)
{
    int status;

    *c = (struct control){.listen_fd = -1, .lock_fd = -1};
    if (!run_dir_make())
        return EXIT_LOCAL;
    (void)snprintf(c->path, sizeof(c->path), "%s/%s.sock", run_dir(), name);
    (void)snprintf(c->lock_path, sizeof(c->lock_path), "%s/%s.lock", run_dir(), name);
    status = lock_name(c, name);
    if (status != 0) {
        if (c->lock_fd >= 0)
            close(c->lock_fd);
        c->lock_fd = -1;
        return status;
    }
    status = remove_stale(c);
    if (status == 0)
        status = listen_here(c);
    if (status != 0)
        control_close(c);
    return status;
}

void control_close(struct control *c)
{
    if (c->listen_fd >= 0) {
        (void)unlink(c->path);
        close(c->listen_fd);
    }
    if (c->lock_fd >= 0) {
        (void)unlink(c->lock_path);
        close(c->lock_fd);
    }
    c->listen_fd = c->lock_fd = -1;
}

static bool may_ask(int fd)
{
    struct ucred cred;
    socklen_t n = sizeof(cred);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) == 0 &&
           (cred.uid == 0 || cred.uid == geteuid());
}

bool control_accept(struct control *c, struct control_request *out)
{
    const struct timeval patience = {.tv_usec = 200000};
    char line[32] = "";
    ssize_t n;

    out->fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (out->fd < 0)
        return false;
    (void)setsockopt(out->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    (void)setsockopt(out->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    n = may_ask(out->fd) ? recv(out->fd, line, sizeof(line) - 1, 0) : -1;
    if (n > 0 && strcmp(line, "status text\n") == 0)
        out->verb = CONTROL_STATUS_TEXT;
    else if (n > 0 && strcmp(line, "status json\n") == 0)
        out->verb = CONTROL_STATUS_JSON;
    else if (n > 0 && strcmp(line, "disconnect\n") == 0)
        out->verb = CONTROL_DISCONNECT;
    else
        n = -1;
    if (n > 0)
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
