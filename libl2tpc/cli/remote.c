/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* l2tpc status and l2tpc disconnect: asking running connections over their control sockets. */
#include "bus/bus.h"
#include "cli/cli.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define STATUS_PATIENCE_S 5 /* it answers between two packets */
#define END_PATIENCE_S 15   /* a polite end takes a few seconds at most */

/* A connected socket, or -1 when no connection of that name runs (errno says why). */
static int reach(const char *name, int patience_s)
{
    const struct timeval patience = {.tv_sec = patience_s};
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    struct stat st;
    int fd;

    if ((size_t)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/%s.sock", run_dir(), name) >=
        sizeof(sun.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (lstat(sun.sun_path, &st) < 0)
        return -1;
    if (!S_ISSOCK(st.st_mode) || (st.st_uid != geteuid() && st.st_uid != 0)) {
        errno = EPERM; /* not a socket of ours: whoever put it there is not answered */
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0) {
        int why = errno;

        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

static int refuse(const char *name, bool json, const char *code)
{
    struct output o = {.json = json, .out = stdout};

    output_refusal(&o, name, "down", code, name);
    return EXIT_LOCAL;
}

/* Asks over `fd`, which is from reach() with its errno, closes it, and prints the answer; 0 or the
 * exit status after a sentence. */
static int ask_over(int fd, const char *name, const char *request, bool json)
{
    bool wants_text = strncmp(request, "status", 6) == 0;
    char buffer[4096];
    size_t total = 0;
    ssize_t n;

    if (fd < 0)
        return refuse(name, json,
                      errno == EACCES || errno == EPERM ? "local.not-yours"
                      : errno == EAGAIN                 ? "local.not-answering"
                                                        : "local.not-running");
    n = send(fd, request, strlen(request), MSG_NOSIGNAL);
    while (n > 0 && (n = recv(fd, buffer, sizeof(buffer), 0)) > 0) {
        (void)fwrite(buffer, 1, (size_t)n, stdout);
        total += (size_t)n;
    }
    close(fd);
    if (n < 0 && errno != ECONNRESET && errno != EPIPE)
        return refuse(name, json, "local.not-answering");
    /* It ended while it was asked: fine for who wants that, too late for the other. */
    return wants_text && total == 0 ? refuse(name, json, "local.not-running") : 0;
}

static int ask(const char *name, const char *request, bool json)
{
    bool wants_text = strncmp(request, "status", 6) == 0;

    return ask_over(reach(name, wants_text ? STATUS_PATIENCE_S : END_PATIENCE_S), name, request,
                    json);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Names of running connections; stale sockets are passed over. */
static unsigned running(char names[CONNECTIONS_MAX][L2TPC_HOST_NAME_MAX + 1])
{
    DIR *dir = opendir(run_dir());
    const struct dirent *entry;
    unsigned n = 0;

    while (dir && n < CONNECTIONS_MAX && (entry = readdir(dir))) {
        size_t len = strlen(entry->d_name);
        int fd;

        if (len < 6 || len - 5 > L2TPC_HOST_NAME_MAX ||
            strcmp(entry->d_name + len - 5, ".sock") != 0)
            continue;
        (void)snprintf(names[n], sizeof(names[n]), "%.*s", (int)(len - 5), entry->d_name);
        fd = l2tpc_host_name_valid(names[n]) ? reach(names[n], STATUS_PATIENCE_S) : -1;
        if (fd < 0)
            continue;
        close(fd);
        n++;
    }
    if (dir)
        closedir(dir);
    qsort(names, n, sizeof(names[0]), by_name);
    return n;
}

/* Root's connections are not this user's to see, but many are dialed with sudo. */
static const char *nothing_runs(void)
{
    return geteuid() != 0 && access(L2TPC_HOST_RUN_DIR, F_OK) == 0
               ? _("No connection of this user is running. For those of root: sudo l2tpc status")
               : _("No connection is running.");
}

static int parse(int argc, char **argv, const char *usage, bool *json, const char **name)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            (void)printf("%s\n", usage);
            return -1;
        }
        if (json && strcmp(argv[i], "--json") == 0) {
            *json = true;
        } else if (!*name && l2tpc_host_name_valid(argv[i])) {
            *name = argv[i];
        } else {
            complain(_("'%s' is not the name of a connection. %s"), argv[i], usage);
            return EXIT_USAGE;
        }
    }
    return 0;
}

static bool is_among(char names[][L2TPC_HOST_NAME_MAX + 1], unsigned n, const char *name)
{
    for (unsigned i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void show_found(const struct bus_found *f, bool json)
{
    if (json) {
        if (f->json)
            (void)printf("%s\n", f->json);
        return;
    }
    /* The columns of output_status(), from what came over the bus. */
    (void)printf("%s: %s, %s\n", f->name[0] ? f->name : f->uuid, f->state, _(f->verdict));
    for (unsigned i = 0; i < f->n_rows; i++)
        if (f->rows[i].title && f->rows[i].text && f->rows[i].text[0])
            output_row(stdout, f->rows[i].title, f->rows[i].text);
}

/*
 * Tunnels of others: of services, and of root for those who are not. Whoever could be asked over a
 * control socket was, and is not shown again. `only` NULL: all of them. Returns how many.
 */
static unsigned show_others(char names[][L2TPC_HOST_NAME_MAX + 1], unsigned n, const char *only,
                            bool json)
{
    struct bus_found found[CONNECTIONS_MAX];
    unsigned n_found = bus_list(found, CONNECTIONS_MAX);
    unsigned shown = 0;

    for (unsigned i = 0; i < n_found; i++) {
        const struct bus_found *f = &found[i];

        if (strcmp(f->started_by, "command") == 0 && is_among(names, n, f->name))
            continue;
        if (only && strcmp(f->name, only) != 0 && strcmp(f->uuid, only) != 0)
            continue;
        show_found(f, json);
        shown++;
    }
    bus_list_free(found, n_found);
    return shown;
}

int cmd_status(int argc, char **argv)
{
    char names[CONNECTIONS_MAX][L2TPC_HOST_NAME_MAX + 1];
    const char *name = NULL;
    bool json = false;
    int status = parse(argc, argv, _("Usage: l2tpc status [NAME] [--json]"), &json, &name);
    const char *request = json ? "status json\n" : "status text\n";
    unsigned n;

    if (status != 0)
        return status < 0 ? 0 : status;
    if (name) {
        int fd = reach(name, STATUS_PATIENCE_S);
        int why = errno;

        if (fd < 0 && show_others(names, 0, name, json) > 0)
            return 0;
        errno = why;
        return ask_over(fd, name, request, json);
    }
    n = running(names);
    if (!json)
        kill_switch_tell();
    for (unsigned i = 0; i < n; i++)
        if (ask(names[i], request, json) != 0)
            status = EXIT_LOCAL;
    if (show_others(names, n, NULL, json) == 0 && n == 0 && !json)
        (void)printf("%s\n", nothing_runs());
    return status;
}

int cmd_disconnect(int argc, char **argv)
{
    char names[CONNECTIONS_MAX][L2TPC_HOST_NAME_MAX + 1];
    const char *name = NULL;
    int status = parse(argc, argv, _("Usage: l2tpc disconnect [NAME]"), NULL, &name);
    unsigned n;

    if (status != 0)
        return status < 0 ? 0 : status;
    if (name)
        return ask(name, "disconnect\n", false);
    n = running(names);
    if (n == 1)
        return ask(names[0], "disconnect\n", false);
    if (n == 0)
        complain("%s", nothing_runs());
    else
        complain(_("%u connections are running: say which one. See: l2tpc status"), n);
    return EXIT_LOCAL;
}
