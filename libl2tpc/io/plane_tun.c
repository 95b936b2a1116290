/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/plane_tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef TUN_F_USO4 /* Linux 6.2 */
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

#define TCP_OFFLOADS (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN)
#define UDP_OFFLOADS (TUN_F_USO4 | TUN_F_USO6)

/*
 * Whoever opened the TUN decided about the header, not about what the kernel may leave to us: that
 * is asked for here, from most to least.
 */
static void ask_offloads(struct tun *t, const struct offload *offload)
{
    static const unsigned wanted[] = {TCP_OFFLOADS | UDP_OFFLOADS, TCP_OFFLOADS,
                                      TUN_F_CSUM | TUN_F_TSO4, TUN_F_CSUM, 0};

    for (unsigned i = offload->tso ? 0 : ARRAY_LEN(wanted) - 1; i < ARRAY_LEN(wanted); i++) {
        if (ioctl(t->fd, TUNSETOFFLOAD, (unsigned long)wanted[i]) == 0) {
            t->udp = wanted[i] & TUN_F_USO4;
            return;
        }
    }
}

static bool take_device(struct tun *t, const struct offload *offload)
{
    struct ifreq request = {.ifr_flags = 0};
    int header = 0;

    if (ioctl(t->fd, TUNGETIFF, &request) != 0 || !(request.ifr_flags & IFF_VNET_HDR))
        return true;
    if (ioctl(t->fd, TUNGETVNETHDRSZ, &header) != 0)
        return false;
    if (header < VNET_LEN || header > VNET_LEN_MAX) {
        errno = EPROTO;
        return false;
    }
    t->header = (size_t)header;
    ask_offloads(t, offload);
    return true;
}

bool tun_take(struct tun *t, int fd, const struct offload *offload)
{
    struct tun found = {.fd = fd};
    socklen_t n = sizeof(found.type);
    struct stat st;
    int flags;

    if (fd >= 0) {
        if (fstat(fd, &st) != 0 || (flags = fcntl(fd, F_GETFL)) < 0)
            return false;
        if (S_ISSOCK(st.st_mode) && getsockopt(fd, SOL_SOCKET, SO_TYPE, &found.type, &n) != 0)
            return false;
        if (found.type == SOCK_STREAM) { /* packets would run together */
            errno = EPROTOTYPE;
            return false;
        }
        if (S_ISCHR(st.st_mode) && !take_device(&found, offload))
            return false;
        (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    }
    *t = found;
    return true;
}

ssize_t tun_read(const struct tun *t, uint8_t *room, struct vnet *vnet, uint8_t **out_packet)
{
    ssize_t n;

    *vnet = (struct vnet){0};
    *out_packet = room + t->header;
    if (t->type != 0)
        n = recv(t->fd, room, TUN_READ_MAX, MSG_DONTWAIT);
    else
        n = read(t->fd, room, TUN_READ_MAX);
    if (n == 0 && t->type == SOCK_SEQPACKET) {
        errno = EPIPE;
        return -1;
    }
    if (n < 0)
        return errno == EINTR ? 0 : -1;
    if (t->header == 0)
        return n;
    if ((size_t)n <= t->header)
        return 0;
    memcpy(vnet, room, sizeof(*vnet));
    return n - (ssize_t)t->header;
}

int tun_write(const struct tun *t, const struct vnet *vnet, struct iovec *part, unsigned n)
{
    uint8_t header[VNET_LEN_MAX] = {0};
    ssize_t done;

    memcpy(header, vnet, sizeof(*vnet));
    part[0] = (struct iovec){header, t->header};
    if (t->header == 0) {
        part++;
        n--;
    }
    do {
        struct msghdr msg = {.msg_iov = part, .msg_iovlen = n + 1};

        if (t->type != 0)
            done = sendmsg(t->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
        else
            done = writev(t->fd, part, (int)n + 1);
    } while (done < 0 && errno == EINTR);
    return done < 0 ? errno : 0;
}

bool tun_is_gone(const struct tun *t, int why)
{
    struct ifreq request;

    if (why == EBADFD || why == EBADF)
        return true;
    if (t->type != 0)
        return why == ECONNREFUSED || why == ECONNRESET || why == EPIPE || why == ENOTCONN;
    return why == EIO && ioctl(t->fd, TUNGETIFF, &request) != 0 && errno == EBADFD;
}
