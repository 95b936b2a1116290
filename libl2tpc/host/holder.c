/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/holder.h"

#include "base/limits.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the kernel's list ---- */

struct socket_found {
    bool found;
    uint32_t inode;
    uid_t uid;
};

static bool ask(int fd, int family, uint16_t port)
{
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 body;
    } q = {.head = {.nlmsg_len = sizeof(q),
                    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
           .body = {.sdiag_family = (uint8_t)family,
                    .sdiag_protocol = IPPROTO_UDP,
                    .idiag_states = ~0u,
                    .id.idiag_sport = htons(port)}};

    return send(fd, &q, sizeof(q), 0) == (ssize_t)sizeof(q);
}

/* True: the list is at its end. */
static bool take_rows(const uint8_t *bytes, size_t n, uint16_t port, struct socket_found *out)
{
    while (n >= sizeof(struct nlmsghdr)) {
        struct inet_diag_msg row;
        struct nlmsghdr head;
        size_t step;

        memcpy(&head, bytes, sizeof(head));
        if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > n)
            return true;
        if (head.nlmsg_type == NLMSG_DONE || head.nlmsg_type == NLMSG_ERROR)
            return true;
        if (head.nlmsg_len >= NLMSG_HDRLEN + sizeof(row) && !out->found) {
            memcpy(&row, bytes + NLMSG_HDRLEN, sizeof(row));
            if (ntohs(row.id.idiag_sport) == port && row.idiag_inode != 0)
                *out = (struct socket_found){true, row.idiag_inode, row.idiag_uid};
        }
        step = NLMSG_ALIGN(head.nlmsg_len);
        if (step >= n)
            break;
        bytes += step;
        n -= step;
    }
    return false;
}

static void list(int family, uint16_t port, struct socket_found *out)
{
    uint8_t bytes[16384];
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    bool end = fd < 0 || !ask(fd, family, port);
    ssize_t n;

    /* The kernel puts a part of its list there before each call returns: nobody is waited for. */
    while (!end && (n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
        end = take_rows(bytes, (size_t)n, port, out);
    if (fd >= 0)
        close(fd);
}

/* ---- /proc ---- */

static void printable(char *s)
{
    for (; *s; s++)
        if (*s < 0x21 || *s > 0x7e)
            *s = '_';
}

static bool read_text(int dir, const char *name, char *out, size_t size)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, size - 1) : -1;

    if (fd >= 0)
        close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* 1: the socket is among its descriptors, 0: it is not, -1: they may not be looked at. */
static int has_socket(int process, const char *wanted)
{
    int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *e;
    char link[64];
    int found = 0;

    if (!dir) {
        found = errno == EACCES || errno == EPERM ? -1 : 0;
        if (fd >= 0)
            close(fd);
        return found;
    }
    for (unsigned i = 0; i < HOLDER_FDS_MAX && found == 0 && (e = readdir(dir)); i++) {
        ssize_t n = readlinkat(dirfd(dir), e->d_name, link, sizeof(link) - 1);

        if (n < 0 && (errno == EACCES || errno == EPERM))
            found = -1;
        link[n > 0 ? n : 0] = '\0';
        if (strcmp(link, wanted) == 0)
            found = 1;
    }
    (void)closedir(dir);
    return found;
}

/* The last part of its control group that systemd calls a service. */
static void take_unit(int process, char *out, size_t size)
{
    char text[1024];
    char *end;

    out[0] = '\0';
    if (!read_text(process, "cgroup", text, sizeof(text)))
        return;
    end = strstr(text, ".service");
    if (end) {
        char *from = end;

        while (from > text && from[-1] != '/')
            from--;
        end[strlen(".service")] = '\0';
        if (strlen(from) < size)
            memcpy(out, from, strlen(from) + 1);
    }
    printable(out);
}

static bool is_known(const char *name)
{
    static const char *const known[] = {"charon", "charon-systemd", "charon-nm", "pluto",
                                        "racoon", "iked",           "isakmpd",   "l2tpc-engine"};

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(name, known[i]) == 0)
            return true;
    return false;
}

static void look_at(int process, pid_t pid, const char *wanted, struct holder *out)
{
    struct holder h = {.uid = out->uid, .pid = pid};
    struct stat st;
    int has = has_socket(process, wanted);

    if (has == 0)
        return;
    (void)read_text(process, "comm", h.name, sizeof(h.name));
    h.name[strcspn(h.name, "\n")] = '\0';
    printable(h.name);
    h.likely = has < 0;
    if (h.likely && (!is_known(h.name) || fstat(process, &st) != 0 || st.st_uid != out->uid))
        return;
    take_unit(process, h.unit, sizeof(h.unit));
    *out = h;
}

static void search(uint32_t inode, struct holder *out)
{
    DIR *proc = opendir("/proc");
    const struct dirent *e;
    char wanted[32];

    (void)snprintf(wanted, sizeof(wanted), "socket:[%u]", inode);
    while (proc && (out->pid == 0 || out->likely) && (e = readdir(proc))) {
        long pid = strtol(e->d_name, NULL, 10);
        int process =
            pid > 0 ? openat(dirfd(proc), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

        if (process < 0)
            continue;
        look_at(process, (pid_t)pid, wanted, out);
        close(process);
    }
    if (proc)
        (void)closedir(proc);
}

bool holder_find(uint8_t family, uint16_t port, struct holder *out)
{
    struct socket_found s = {0};

    list(family == 6 ? AF_INET6 : AF_INET, port, &s);
    if (!s.found) /* a socket of IPv6 may serve both */
        list(family == 6 ? AF_INET : AF_INET6, port, &s);
    *out = (struct holder){.uid = s.uid};
    if (s.found)
        search(s.inode, out);
    return s.found;
}

void holder_text(const struct holder *h, char *out, size_t size)
{
    if (h->pid == 0)
        (void)snprintf(out, size, "uid %u", (unsigned)h->uid);
    else
        (void)snprintf(out, size, "%s%s (process %d%s%s)", h->likely ? "likely " : "", h->name,
                       (int)h->pid, h->unit[0] ? ", " : "", h->unit);
}
