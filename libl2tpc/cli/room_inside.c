/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/room_inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/route.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define RESOLV_CONF "/etc/resolv.conf"
#define RESOLVED_DIR "/run/systemd/resolve"

static struct room_answer answer;

static bool fail(const char *what)
{
    answer.error = errno ? errno : EINVAL;
    (void)snprintf(answer.what, sizeof(answer.what), "%s", what);
    return false;
}

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    size_t n = strlen(text);
    bool ok = fd >= 0 && write(fd, text, n) == (ssize_t)n;

    if (fd >= 0)
        (void)close(fd);
    return ok || fail(path);
}

/* The user keeps the number that it has; nobody else exists inside. */
static bool enter(void)
{
    unsigned uid = (unsigned)geteuid();
    unsigned gid = (unsigned)getegid();
    char map[64];

    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) < 0)
        return fail("user namespace");
    if (!write_file("/proc/self/setgroups", "deny"))
        return false;
    (void)snprintf(map, sizeof(map), "%u %u 1\n", uid, uid);
    if (!write_file("/proc/self/uid_map", map))
        return false;
    (void)snprintf(map, sizeof(map), "%u %u 1\n", gid, gid);
    if (!write_file("/proc/self/gid_map", map))
        return false;
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 || fail("mount namespace");
}

static bool set_flags(int s, const char *name, short flags)
{
    struct ifreq r = {0};

    (void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
    r.ifr_flags = flags;
    return ioctl(s, SIOCSIFFLAGS, &r) == 0 || fail(name);
}

static int open_tun(void)
{
    struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    unsigned features = 0;

    if (fd >= 0 && ioctl(fd, TUNGETFEATURES, &features) == 0 && (features & IFF_VNET_HDR))
        r.ifr_flags = (short)(r.ifr_flags | IFF_VNET_HDR);
    (void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", ROOM_INTERFACE);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &r) < 0) {
        (void)fail("/dev/net/tun");
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    return fd;
}

static bool tell(int socket, int fd)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec iov = {&answer, sizeof(answer)};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

    if (fd >= 0) {
        m.msg_control = &control;
        m.msg_controllen = sizeof(control);
        control.header = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
    }
    return sendmsg(socket, &m, MSG_NOSIGNAL) == sizeof(answer);
}

/* ---- address and routes ---- */
static struct sockaddr inet_of(const uint8_t bytes[4])
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr out;

    memcpy(&in.sin_addr, bytes, 4);
    memcpy(&out, &in, sizeof(out));
    return out;
}

static bool set_address(int s, const struct room_order *o)
{
    static const uint8_t ones[4] = {255, 255, 255, 255};
    struct ifreq r = {.ifr_name = ROOM_INTERFACE};

    r.ifr_addr = inet_of(o->local);
    if (ioctl(s, SIOCSIFADDR, &r) < 0)
        return fail("address");
    r.ifr_netmask = inet_of(ones);
    if (ioctl(s, SIOCSIFNETMASK, &r) < 0)
        return fail("address");
    r.ifr_mtu = o->mtu;
    return o->mtu == 0 || ioctl(s, SIOCSIFMTU, &r) == 0 || fail("MTU");
}

static bool set_default_route(int s)
{
    static const uint8_t zero[4];
    char name[] = ROOM_INTERFACE;
    struct rtentry route = {
        .rt_dst = inet_of(zero), .rt_genmask = inet_of(zero), .rt_flags = RTF_UP, .rt_dev = name};

    return ioctl(s, SIOCADDRT, &route) == 0 || errno == EEXIST || fail("default route");
}

/* ---- name servers ---- */
static void resolv_text(const struct room_order *o, char *out, size_t cap)
{
    size_t n = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < o->n_dns && i < 2; i++) {
        char text[INET_ADDRSTRLEN];

        (void)inet_ntop(AF_INET, o->dns[i], text, sizeof(text));
        n += (size_t)snprintf(out + n, cap - n, "nameserver %s\n", text);
    }
}

/* A file that only this mount namespace sees, in a tmpfs that is in nobody's way. */
static bool put_file(const char *dir, const char *name, const char *text)
{
    char path[PATH_MAX];
    int fd;
    bool ok;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        (void)close(fd);
    return ok || fail(name);
}

/*
 * The file that programs read names the tunnel's servers, and the resolvers of the computer
 * outside, which would ask through its own network, cannot be reached.
 */
static bool set_dns(const struct room_order *o)
{
    static const char *const daemons[] = {RESOLVED_DIR, "/run/nscd", "/var/run/nscd"};
    char real[PATH_MAX] = RESOLV_CONF;
    char text[128];
    size_t n = strlen(RESOLVED_DIR "/");

    resolv_text(o, text, sizeof(text));
    if (!realpath(RESOLV_CONF, real) && errno != ENOENT)
        return fail(RESOLV_CONF);
    for (size_t i = 0; i < sizeof(daemons) / sizeof(daemons[0]); i++)
        if (access(daemons[i], F_OK) == 0 &&
            mount("none", daemons[i], "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=64k") < 0)
            return fail(daemons[i]);
    if (strncmp(real, RESOLVED_DIR "/", n) == 0)
        return put_file(RESOLVED_DIR, real + n, text);
    if (access(real, F_OK) < 0) /* there is none to be hidden, and no rights to make one */
        return true;
    /* A tmpfs of an instant holds the file until it lies over the real one. */
    if (mount("none", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=64k") < 0)
        return fail("/tmp");
    if (!put_file("/tmp", "resolv.conf", text))
        return false;
    if (mount("/tmp/resolv.conf", real, NULL, MS_BIND, NULL) < 0)
        return fail(RESOLV_CONF);
    return umount2("/tmp", MNT_DETACH) == 0 || fail("/tmp");
}

static bool configure(const struct room_order *o)
{
    static bool named;
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok;

    if (s < 0)
        return fail("socket");
    ok = set_address(s, o) && set_flags(s, ROOM_INTERFACE, IFF_UP | IFF_RUNNING) &&
         set_default_route(s) && set_flags(s, "lo", IFF_UP | IFF_RUNNING);
    (void)close(s);
    if (ok && !named)
        ok = named = set_dns(o);
    return ok;
}

/* ---- the program ---- */
static bool start(int socket, const struct room_order *o)
{
    static char words[ROOM_WORDS_MAX];
    static char *argv[ROOM_WORDS_MAX / 2];
    ssize_t n = recv(socket, words, sizeof(words), 0);
    size_t argc = 0;

    if (n <= 0 || (unsigned)n != o->n_words || words[n - 1] != '\0')
        return fail("command");
    for (ssize_t at = 0; at < n; at += (ssize_t)strlen(words + at) + 1) {
        if (argc == sizeof(argv) / sizeof(argv[0]) - 1)
            return fail("command");
        argv[argc++] = words + at;
    }
    /* Without the other side there is no tunnel. Set here: entering the namespace clears it. */
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    (void)execvp(argv[0], argv);
    return fail(argv[0]);
}

void room_inside(int socket)
{
    int fd = -1;

    if (enter())
        fd = open_tun();
    if (!tell(socket, fd) || fd < 0)
        _exit(1);
    (void)close(fd);
    for (;;) {
        struct room_order o;

        if (recv(socket, &o, sizeof(o), 0) != sizeof(o))
            _exit(1);
        answer = (struct room_answer){0};
        (void)(o.verb == ROOM_CONFIGURE ? configure(&o) : start(socket, &o));
        if (!tell(socket, -1))
            _exit(1);
    }
}
