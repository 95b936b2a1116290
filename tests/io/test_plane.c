/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two planes, each with its own hub, carry packets to each other over loopback. */
#include "../bench/count.h"
#include "check.h"
#include "fake_data.h"
#include "io/env.h"
#include "io/plane.h"
#include "own_net.h"
#include "packets.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

struct end {
    struct hub *hub;
    struct hub_member member;
    struct data_path data;
    struct plane *plane;
    int tun[2]; /* ours and the other side of the socket pair */
    unsigned controls, ins, outs, hints;
    enum data_kind kind;
    uint8_t inner[64];
    size_t n_inner;
    struct endpoint from;
    bool free_when_gone;
    int gone;
};

struct pair {
    struct loop *loop;
    struct end a, b;
};

static void on_control(void *user, enum data_kind kind, struct span inner, l2tpc_us now)
{
    struct end *e = user;

    (void)now;
    e->controls++;
    e->kind = kind;
    e->n_inner = inner.n < sizeof(e->inner) ? inner.n : sizeof(e->inner);
    memcpy(e->inner, inner.p, e->n_inner);
}

static void on_esp_in(void *user, const struct endpoint *from, l2tpc_us now)
{
    struct end *e = user;

    (void)now;
    e->ins++;
    e->from = *from;
}

static void on_esp_out(void *user, l2tpc_us now)
{
    (void)now;
    ((struct end *)user)->outs++;
}

static void on_unreachable(void *user, int os_error, l2tpc_us now)
{
    (void)os_error;
    (void)now;
    ((struct end *)user)->hints++;
}

static void on_gone(void *user, int os_error, l2tpc_us now)
{
    struct end *e = user;

    (void)now;
    e->gone = os_error;
    if (e->free_when_gone) {
        plane_free(e->plane);
        e->plane = NULL;
    }
}

static bool owns_spi(void *user, uint32_t spi)
{
    return data_owns_spi(&((struct end *)user)->data, spi);
}

static void on_datagram(void *user, enum dial_path path, const struct endpoint *from,
                        const struct inaddr *to, struct mspan bytes, l2tpc_us now)
{
    (void)user;
    (void)path;
    (void)from;
    (void)to;
    (void)bytes;
    (void)now;
}

static void on_esp(void *user, enum dial_path path, const struct endpoint *from,
                   const struct mspan *packets, unsigned n, l2tpc_us now)
{
    struct end *e = user;

    (void)path;
    if (e->plane)
        plane_input(e->plane, packets, n, from, now);
}

static void on_batch_end(void *user, l2tpc_us now)
{
    struct end *e = user;

    if (e->plane)
        plane_batch_end(e->plane, now);
}

static bool end_init(struct end *e, struct loop *loop, uint32_t spi_in, uint32_t spi_out, bool udp)
{
    struct plane_hooks hooks = {
        .user = e,
        .control = on_control,
        .esp_in = on_esp_in,
        .esp_out = on_esp_out,
        .unreachable = on_unreachable,
        .tun_gone = on_gone,
    };
    struct failure f;

    e->hub = hub_new(loop, NULL, NULL);
    if (!e->hub || socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, e->tun) != 0)
        return false;
    e->member = (struct hub_member){
        .user = e,
        .owns_spi = owns_spi,
        .datagram = on_datagram,
        .esp = on_esp,
        .batch_end = on_batch_end,
    };
    hub_join(e->hub, &e->member);
    if (!hub_open_udp(e->hub, &e->member, 4, &f) ||
        (!udp && !hub_open_esp(e->hub, &e->member, 4, &f)))
        return false;
    e->data = (struct data_path){.spi_in = spi_in, .spi_out = spi_out, .udp = udp};
    e->plane = plane_new(loop, e->hub, &e->data, e->tun[0], &hooks);
    return e->plane != NULL;
}

static bool pair_init(struct pair *p, bool udp)
{
    struct inaddr home = inaddr_v4(0x7f000001);

    (void)own_net();
    *p = (struct pair){.loop = loop_new()};
    if (!p->loop || !end_init(&p->a, p->loop, 0xa1, 0xb1, udp) ||
        !end_init(&p->b, p->loop, 0xb1, 0xa1, udp))
        return false;
    plane_set_local(p->a.plane, &home);
    p->a.data.peer = (struct endpoint){home, hub_port(p->b.hub, DIAL_PATH_NATT, 4), 0};
    p->b.data.peer = (struct endpoint){home, hub_port(p->a.hub, DIAL_PATH_NATT, 4), 0};
    return true;
}

static void end_done(struct end *e)
{
    plane_free(e->plane);
    hub_leave(e->hub, &e->member);
    hub_free(e->hub);
    for (unsigned i = 0; i < 2; i++)
        if (e->tun[i] >= 0)
            (void)close(e->tun[i]);
}

static void pair_done(struct pair *p)
{
    end_done(&p->a);
    end_done(&p->b);
    loop_free(p->loop);
}

static void settle(struct pair *p)
{
    for (unsigned i = 0; i < 8; i++)
        (void)loop_dispatch(p->loop, 5);
}

static void fill_packet(uint8_t *out, size_t n, uint8_t mark)
{
    memset(out, mark, n);
    out[0] = 0x45;
}

static void carry(bool udp)
{
    struct pair p;
    uint8_t ip[1400];
    uint8_t got[1500];

    CHECK(pair_init(&p, udp));
    for (uint8_t i = 0; i < 5; i++) {
        fill_packet(ip, sizeof(ip), i);
        CHECK_INT(send(p.a.tun[1], ip, sizeof(ip), 0), sizeof(ip));
    }
    settle(&p);
    for (uint8_t i = 0; i < 5; i++) {
        ssize_t n = recv(p.b.tun[1], got, sizeof(got), MSG_DONTWAIT);

        CHECK_INT(n, sizeof(ip));
        fill_packet(ip, sizeof(ip), i);
        CHECK_MEM(got, (size_t)n, ip, sizeof(ip));
    }
    CHECK_INT(p.a.outs, 1); /* one batch */
    CHECK_INT(p.b.ins, 1);
    CHECK_INT(p.b.from.port, udp ? hub_port(p.a.hub, DIAL_PATH_NATT, 4) : 0);
    CHECK_INT(p.a.ins, 0);
    CHECK_INT(p.a.hints, 0);
    CHECK_INT(p.a.data.counters.ip_out, 5);
    pair_done(&p);
}

TEST(packets_cross_under_udp)
{
    carry(true);
}

TEST(packets_cost_no_memory)
{
    struct pair p;
    uint8_t ip[1400];
    uint8_t got[1500];

    CHECK(pair_init(&p, true));
    fill_packet(ip, sizeof(ip), 1);
    for (unsigned round = 0; round < 20; round++) {
        if (round == 2)
            count_begin();
        for (unsigned i = 0; i < 8; i++)
            CHECK_INT(send(p.a.tun[1], ip, sizeof(ip), 0), sizeof(ip));
        settle(&p);
        while (recv(p.b.tun[1], got, sizeof(got), MSG_DONTWAIT) > 0)
            continue;
    }
    CHECK_INT(count_allocations(), 0);
    CHECK_INT(p.b.data.counters.ip_in, 160);
    pair_done(&p);
}

TEST(packets_cross_under_raw_esp)
{
    if (!own_net())
        SKIP("no right to make a network namespace: raw ESP is not tested");
    carry(false);
}

TEST(control_goes_to_the_engine)
{
    static const uint8_t message[] = {0, 0, 0,   0xa1, DATA_CONTROL, 0,   0, 0, 0, 0,
                                      0, 0, 'l', '2',  't',          'p', 0, 0, 0, 0};
    uint8_t copy[sizeof(message)];
    struct endpoint from = {.addr = inaddr_v4(0x7f000005), .port = 4500};
    struct mspan packet = {copy, sizeof(copy)};
    struct pair p;

    CHECK(pair_init(&p, true));
    memcpy(copy, message, sizeof(copy));
    plane_input(p.a.plane, &packet, 1, &from, io_now());
    copy[4] = DATA_NOTHING;
    from.port = 1;
    plane_input(p.a.plane, &packet, 1, &from, io_now());
    plane_batch_end(p.a.plane, io_now());
    plane_batch_end(p.a.plane, io_now());
    CHECK_INT(p.a.controls, 1);
    CHECK_INT(p.a.kind, DATA_CONTROL);
    CHECK_MEM(p.a.inner, p.a.n_inner, "l2tp", 4);
    CHECK_INT(p.a.ins, 1);
    CHECK_INT(p.a.from.port, 4500); /* not the sender of what was dropped */
    pair_done(&p);
}

TEST(nothing_leaves_a_closed_tunnel)
{
    static uint8_t big[HUB_PACKET_MAX + 100];
    struct pair p;

    CHECK(pair_init(&p, true));
    p.a.data.closed = true;
    for (unsigned i = 0; i < 40; i++)
        CHECK_INT(send(p.a.tun[1], big, 100, MSG_DONTWAIT) == 100 || errno == EAGAIN, 1);
    settle(&p);
    CHECK_INT(p.a.outs, 0);
    CHECK(p.a.data.counters.not_open > 0);
    p.a.data.closed = false;
    CHECK_INT(send(p.a.tun[1], big, sizeof(big), 0), sizeof(big));
    CHECK_INT(send(p.a.tun[1], big, 100, 0), 100);
    settle(&p);
    CHECK_INT(plane_counters(p.a.plane).too_long, 1);
    CHECK_INT(p.a.data.counters.ip_out, 1);
    pair_done(&p);
}

TEST(a_full_tun_is_loss)
{
    struct pair p;
    uint8_t ip[100];
    unsigned got = 0;

    CHECK(pair_init(&p, true));
    fill_packet(ip, sizeof(ip), 1);
    for (unsigned i = 0; i < 2000; i++)
        plane_deliver(p.a.plane, SPAN_ARRAY(ip));
    while (recv(p.a.tun[1], ip, sizeof(ip), MSG_DONTWAIT) > 0)
        got++;
    CHECK(got > 0);
    CHECK_INT(plane_counters(p.a.plane).tun_full, 2000 - got);
    CHECK(plane_set_tun(p.a.plane, -1));
    plane_deliver(p.a.plane, SPAN_ARRAY(ip));
    CHECK_INT(plane_counters(p.a.plane).tun_down, 1);
    CHECK(plane_set_tun(p.a.plane, p.a.tun[0]));
    plane_deliver(p.a.plane, SPAN_ARRAY(ip));
    CHECK_INT(recv(p.a.tun[1], ip, sizeof(ip), MSG_DONTWAIT), sizeof(ip));
    pair_done(&p);
}

TEST(the_other_side_of_the_pair_goes_away)
{
    struct pair p;
    uint8_t ip[100];

    CHECK(pair_init(&p, true));
    fill_packet(ip, sizeof(ip), 1);
    p.b.free_when_gone = true;
    (void)close(p.b.tun[1]);
    p.b.tun[1] = -1;
    settle(&p);
    CHECK_INT(send(p.a.tun[1], ip, sizeof(ip), 0), sizeof(ip)); /* the delivery finds out */
    settle(&p);
    CHECK(p.b.gone != 0);
    CHECK(!p.b.plane);
    pair_done(&p);
}

/* What "ip link delete" does. */
static bool delete_link(const char *name)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg info;
    } request = {
        .header = {.nlmsg_len = sizeof(request),
                   .nlmsg_type = RTM_DELLINK,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
        .info = {.ifi_index = (int)if_nametoindex(name)},
    };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    uint8_t answer[256];
    bool ok = fd >= 0 && send(fd, &request, sizeof(request), 0) == sizeof(request) &&
              recv(fd, answer, sizeof(answer), 0) > 0;

    if (fd >= 0)
        (void)close(fd);
    return ok && if_nametoindex(name) == 0;
}

TEST(the_interface_is_removed)
{
    char name[TUN_NAME_MAX];
    struct failure f;
    struct pair p;
    uint8_t ip[100];
    int fd;

    if (!own_net() || access("/dev/net/tun", R_OK | W_OK) != 0)
        SKIP("no network namespace or no /dev/net/tun: its removal is not tested");
    CHECK(pair_init(&p, true));
    fd = port_open_tun(NULL, name, &f);
    CHECK(fd >= 0);
    CHECK(plane_set_tun(p.a.plane, fd));
    fill_packet(ip, sizeof(ip), 1);
    plane_deliver(p.a.plane, SPAN_ARRAY(ip)); /* down is not gone */
    CHECK_INT(plane_counters(p.a.plane).tun_down, 1);
    CHECK(interface_up(name, true));
    plane_deliver(p.a.plane, SPAN_ARRAY(ip));
    settle(&p); /* IPv6 router solicitations may go through: they cross like any packet */
    CHECK_INT(plane_counters(p.a.plane).tun_down, 1);
    CHECK_INT(p.a.gone, 0);
    CHECK(delete_link(name));
    settle(&p);
    CHECK_INT(p.a.gone, EBADFD);
    plane_deliver(p.a.plane, SPAN_ARRAY(ip));
    CHECK_INT(plane_counters(p.a.plane).tun_down, 2);
    (void)close(fd);
    pair_done(&p);
}

/* ---- a TUN with a header before each packet ---- */

static bool interface_address(const char *name, uint32_t address)
{
    struct ifreq request = {.ifr_flags = 0};
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0;

    (void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    memcpy(&request.ifr_addr, &sa, sizeof(sa));
    ok = ok && ioctl(fd, SIOCSIFADDR, &request) == 0;
    sa.sin_addr.s_addr = htonl(0xffffff00);
    memcpy(&request.ifr_netmask, &sa, sizeof(sa));
    ok = ok && ioctl(fd, SIOCSIFNETMASK, &request) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

/* A datagram that the kernel may hand over as one with others: n times so many bytes. */
static bool send_super(int fd, uint32_t to, unsigned n, uint16_t size)
{
    static uint8_t bytes[16 * 1000];
    struct sockaddr_in sa = {
        .sin_family = AF_INET, .sin_port = htons(443), .sin_addr.s_addr = htonl(to)};
    int segment = size;

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 >> 3);
    return setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)) == 0 &&
           sendto(fd, bytes, (size_t)n * size, 0, (struct sockaddr *)&sa, sizeof(sa)) ==
               (ssize_t)n * size;
}

static void put_sum(uint8_t *p, uint16_t sum)
{
    p[0] = (uint8_t)(sum >> 8);
    p[1] = (uint8_t)sum;
}

/* One end has a real TUN, the other is a socket pair, where each packet comes alone. */
static bool tun_init(struct pair *p, int *out_tun, char name[TUN_NAME_MAX])
{
    struct failure f;

    if (!pair_init(p, true))
        return false;
    *out_tun = port_open_tun(NULL, name, &f);
    return *out_tun >= 0 && interface_address(name, 0x0a090001) && interface_up(name, true) &&
           plane_set_tun(p->a.plane, *out_tun);
}

TEST(super_packets_of_a_tun_are_cut)
{
    char name[TUN_NAME_MAX];
    uint8_t got[2000];
    struct pair p;
    unsigned n = 0;
    ssize_t length;
    int out;
    int tun;

    if (!own_net() || access("/dev/net/tun", R_OK | W_OK) != 0)
        SKIP("no network namespace or no /dev/net/tun: its super-packets are not tested");
    CHECK(tun_init(&p, &tun, name));
    out = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(out >= 0 && send_super(out, 0x0a090002, 10, 1000));
    settle(&p);
    while ((length = recv(p.b.tun[1], got, sizeof(got), MSG_DONTWAIT)) > 0) {
        if (got[0] != 0x45 || got[9] != 17)
            continue; /* the kernel's own */
        CHECK_INT(length, 1028);
        CHECK(packet_is_sound(got, (size_t)length));
        CHECK_INT(got[28], (uint8_t)(n * 1000 * 7 >> 3));
        n++;
    }
    CHECK_INT(n, 10);
    CHECK_INT(plane_counters(p.a.plane).unfit, 0);
    (void)close(out);
    (void)close(tun);
    pair_done(&p);
}

TEST(a_tun_takes_packets_put_together)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(443)};
    struct shape shape = {.udp = true, .port = 9, .payload = 1000};
    char name[TUN_NAME_MAX];
    uint8_t got[2000];
    struct pair p;
    int in;
    int tun;

    if (!own_net() || access("/dev/net/tun", R_OK | W_OK) != 0)
        SKIP("no network namespace or no /dev/net/tun: its super-packets are not tested");
    CHECK(tun_init(&p, &tun, name));
    in = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CHECK(in >= 0 && bind(in, (struct sockaddr *)&at, sizeof(at)) == 0);
    for (unsigned i = 0; i < 10; i++) {
        size_t n;

        shape.id = (uint16_t)i;
        shape.payload = i == 9 ? 10 : 1000;
        n = packet_make(got, &shape);
        memcpy(got + 12, "\x0a\x09\0\2\x0a\x09\0\1", 8); /* the sums have to follow */
        got[10] = got[11] = got[26] = got[27] = 0;
        put_sum(got + 10, packet_sum(got, 20, 0));
        put_sum(got + 26, packet_sum(got + 20, n - 20, packet_pseudo(got, n - 20)));
        CHECK_INT(send(p.b.tun[1], got, n, 0), n);
    }
    settle(&p);
    for (unsigned i = 0; i < 10; i++)
        CHECK_INT(recv(in, got, sizeof(got), 0), i == 9 ? 10 : 1000);
    CHECK_INT(plane_counters(p.a.plane).tun_full, 0);
    (void)close(in);
    (void)close(tun);
    pair_done(&p);
}
