/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "io/env.h"
#include "io/hub.h"
#include "io/sockaddr.h"
#include "own_net.h"

#include <errno.h>
#include <linux/udp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define SPI_A 0x11223344u
#define SPI_B 0x55667788u

/* A member that remembers what it was given. */
struct guest {
    struct hub_member member;
    struct hub *hub;
    uint8_t cookie[8];
    uint32_t spi;
    unsigned datagrams, packets, gifts, batches, hints;
    enum dial_path path;
    struct endpoint from, unreachable;
    struct inaddr to;
    uint8_t bytes[256];
    size_t n;
    int os_error;
    unsigned asked;
    bool leave; /* at the first datagram */
    bool spoil; /* what it was given, as decrypting in place does */
};

static bool guest_owns_cookie(void *user, const uint8_t cky_i[8])
{
    struct guest *g = user;

    return memcmp(g->cookie, cky_i, 8) == 0;
}

static bool guest_owns_spi(void *user, uint32_t spi)
{
    ((struct guest *)user)->asked++;
    return ((struct guest *)user)->spi == spi;
}

static void guest_keep(struct guest *g, enum dial_path path, const struct endpoint *from,
                       struct mspan bytes)
{
    g->path = path;
    g->from = *from;
    g->n = bytes.n < sizeof(g->bytes) ? bytes.n : sizeof(g->bytes);
    memcpy(g->bytes, bytes.p, g->n);
    if (g->spoil)
        memset(bytes.p, 0xee, bytes.n);
    if (g->leave)
        hub_leave(g->hub, &g->member);
}

static void guest_datagram(void *user, enum dial_path path, const struct endpoint *from,
                           const struct inaddr *to, struct mspan bytes, l2tpc_us now)
{
    struct guest *g = user;

    (void)now;
    g->datagrams++;
    g->to = *to;
    guest_keep(g, path, from, bytes);
}

static void guest_esp(void *user, enum dial_path path, const struct endpoint *from,
                      const struct mspan *packets, unsigned n, l2tpc_us now)
{
    struct guest *g = user;

    (void)now;
    g->packets += n;
    g->gifts++;
    guest_keep(g, path, from, packets[n - 1]);
}

static void guest_batch_end(void *user, l2tpc_us now)
{
    (void)now;
    ((struct guest *)user)->batches++;
}

static void guest_unreachable(void *user, const struct endpoint *to, int os_error, l2tpc_us now)
{
    struct guest *g = user;

    (void)now;
    g->hints++;
    g->unreachable = *to;
    g->os_error = os_error;
}

struct bench {
    struct loop *loop;
    struct hub *hub;
    struct guest a, b;
    int peer; /* the server's side, on loopback */
    struct endpoint peer_at;
};

static struct inaddr loopback(uint8_t family)
{
    struct inaddr a = inaddr_v4(0x7f000001);

    if (family == 6) {
        a = (struct inaddr){.family = 6};
        a.bytes[15] = 1;
    }
    return a;
}

static int peer_socket(struct inaddr addr, int type, int protocol, struct endpoint *out_at)
{
    int fd = socket(addr.family == 4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK, protocol);
    struct endpoint at = {.addr = addr};
    union sockaddr_any sa;
    socklen_t n = sockaddr_from(&sa, &at);

    if (fd < 0 || bind(fd, &sa.sa, n) != 0 || getsockname(fd, &sa.sa, &n) != 0 ||
        !sockaddr_read(&sa, out_at))
        return -1;
    return fd;
}

static void guest_init(struct guest *g, struct hub *hub, char cookie, uint32_t spi,
                       const struct endpoint *remote)
{
    *g = (struct guest){.hub = hub, .spi = spi};
    memset(g->cookie, cookie, 8);
    g->member = (struct hub_member){
        .user = g,
        .remote = *remote,
        .owns_cookie = guest_owns_cookie,
        .owns_spi = guest_owns_spi,
        .datagram = guest_datagram,
        .esp = guest_esp,
        .batch_end = guest_batch_end,
        .unreachable = guest_unreachable,
    };
    hub_join(hub, &g->member);
}

static bool bench_init(struct bench *b, uint8_t family)
{
    struct failure f;

    (void)own_net();
    *b = (struct bench){.loop = loop_new()};
    b->hub = b->loop ? hub_new(b->loop, NULL, NULL) : NULL;
    b->peer = peer_socket(loopback(family), SOCK_DGRAM, 0, &b->peer_at);
    if (!b->hub || b->peer < 0)
        return false;
    guest_init(&b->a, b->hub, 'A', SPI_A, &b->peer_at);
    guest_init(&b->b, b->hub, 'B', SPI_B, &b->peer_at);
    return hub_open_udp(b->hub, &b->a.member, family, &f) &&
           hub_open_udp(b->hub, &b->b.member, family, &f);
}

static void bench_done(struct bench *b)
{
    hub_leave(b->hub, &b->a.member);
    hub_leave(b->hub, &b->b.member);
    hub_free(b->hub);
    loop_free(b->loop);
    (void)close(b->peer);
}

static bool tell_hub(const struct bench *b, enum dial_path path, const void *bytes, size_t n)
{
    struct endpoint to = {.addr = loopback(b->peer_at.addr.family)};
    union sockaddr_any sa;
    socklen_t n_sa;

    to.port = hub_port(b->hub, path, to.addr.family);
    n_sa = sockaddr_from(&sa, &to);
    return sendto(b->peer, bytes, n, 0, &sa.sa, n_sa) == (ssize_t)n;
}

/* Loopback delivers at once; a round or two is all it takes. */
static void settle(const struct bench *b)
{
    for (unsigned i = 0; i < 10; i++)
        (void)loop_dispatch(b->loop, 5);
}

static size_t ike_message(uint8_t out[64], bool marker, char cookie)
{
    size_t at = marker ? 4 : 0;

    memset(out, 0, 64);
    memset(out + at, cookie, 8);
    out[at + 17] = 0x10;
    return at + 40;
}

static size_t esp_packet(uint8_t out[64], uint32_t spi)
{
    memset(out, 0x5a, 64);
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(spi >> (24 - 8 * i));
    return 64;
}

static bool has_ipv6(void)
{
    struct endpoint at;
    int fd;

    (void)own_net();
    fd = peer_socket(loopback(6), SOCK_DGRAM, 0, &at);
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

static void demultiplex(uint8_t family)
{
    struct bench b;
    uint8_t m[64];
    size_t n;

    CHECK(bench_init(&b, family));
    n = ike_message(m, false, 'B');
    CHECK(tell_hub(&b, DIAL_PATH_IKE, m, n));
    settle(&b);
    CHECK_INT(b.a.datagrams, 0);
    CHECK_INT(b.b.datagrams, 1);
    CHECK_INT(b.b.path, DIAL_PATH_IKE);
    CHECK_INT(b.b.batches, 1);
    CHECK_MEM(b.b.bytes, b.b.n, m, n);
    CHECK(endpoint_eq(&b.b.from, &b.peer_at));
    CHECK(inaddr_eq(&b.b.to, &b.peer_at.addr));
    n = ike_message(m, true, 'A');
    CHECK(tell_hub(&b, DIAL_PATH_NATT, m, n));
    settle(&b);
    CHECK_INT(b.a.datagrams, 1);
    CHECK_INT(b.a.path, DIAL_PATH_NATT);
    CHECK_MEM(b.a.bytes, b.a.n, m, n);
    for (unsigned i = 0; i < 3; i++) { /* the second time from the cache */
        n = esp_packet(m, i < 2 ? SPI_A : SPI_B);
        CHECK(tell_hub(&b, DIAL_PATH_NATT, m, n));
        settle(&b);
    }
    CHECK_INT(b.a.packets, 2);
    CHECK_INT(b.b.packets, 1);
    CHECK_MEM(b.b.bytes, b.b.n, m, n);
    CHECK_INT(hub_counters(b.hub).in, 5);
    CHECK_INT(hub_counters(b.hub).unowned, 0);
    bench_done(&b);
}

TEST(members_by_cookie_and_spi)
{
    demultiplex(4);
}

TEST(members_by_cookie_and_spi_over_ipv6)
{
    if (!has_ipv6())
        SKIP("no IPv6 here");
    demultiplex(6);
}

/* One look, of many members; who has never said is still asked. */
TEST(members_that_name_their_spis_are_found_without_asking_others)
{
    static struct guest many[300];
    struct bench b;
    uint8_t m[64];
    unsigned before = 0;
    unsigned asked = 0;

    CHECK(bench_init(&b, 4));
    for (unsigned i = 0; i < ARRAY_LEN(many); i++) {
        guest_init(&many[i], b.hub, 'M', 0x10000 + i, &b.peer_at);
        hub_set_esp_spis(b.hub, &many[i].member, &many[i].spi, 1);
    }
    hub_set_esp_spis(b.hub, &b.a.member, NULL, 0);
    for (unsigned i = 0; i < ARRAY_LEN(many); i += 7) {
        (void)esp_packet(m, 0x10000 + i);
        CHECK(tell_hub(&b, DIAL_PATH_NATT, m, sizeof(m)));
        settle(&b);
        CHECK_INT(many[i].packets, 1);
        CHECK_INT(many[i].asked, 1);
    }
    CHECK_INT(b.a.asked + b.b.asked, 0);
    (void)esp_packet(m, SPI_B);
    CHECK(tell_hub(&b, DIAL_PATH_NATT, m, sizeof(m)));
    settle(&b);
    CHECK_INT(b.b.packets, 1);
    hub_set_esp_spis(b.hub, &b.b.member, &b.b.spi, 1);
    many[0].spi = 0x20000; /* what is told is not believed blindly */
    for (unsigned i = 0; i < ARRAY_LEN(many); i++)
        before += many[i].asked;
    (void)esp_packet(m, 0xdeadbeef);
    CHECK(tell_hub(&b, DIAL_PATH_NATT, m, sizeof(m)));
    (void)esp_packet(m, 0x10000);
    CHECK(tell_hub(&b, DIAL_PATH_NATT, m, sizeof(m)));
    settle(&b);
    CHECK_INT(hub_counters(b.hub).unowned, 2);
    CHECK_INT(many[0].packets, 1);
    for (unsigned i = 0; i < ARRAY_LEN(many); i++)
        asked += many[i].asked;
    CHECK_INT(asked, before + 1); /* the one that is listed */
    for (unsigned i = 0; i < ARRAY_LEN(many); i++)
        hub_leave(b.hub, &many[i].member);
    (void)esp_packet(m, 0x10007);
    CHECK(tell_hub(&b, DIAL_PATH_NATT, m, sizeof(m)));
    settle(&b);
    CHECK_INT(hub_counters(b.hub).unowned, 3);
    bench_done(&b);
}

TEST(unknown_cookie_goes_to_those_who_talk_to_the_sender)
{
    struct bench b;
    uint8_t m[64];
    size_t n = ike_message(m, false, 'S');

    CHECK(bench_init(&b, 4));
    b.a.spoil = b.b.spoil = true;
    CHECK(tell_hub(&b, DIAL_PATH_IKE, m, n));
    settle(&b);
    CHECK_INT(b.a.datagrams, 1);
    CHECK_INT(b.b.datagrams, 1);
    CHECK_MEM(b.a.bytes, b.a.n, m, n);
    CHECK_MEM(b.b.bytes, b.b.n, m, n);
    b.b.member.remote.addr = inaddr_v4(0x7f000002);
    CHECK(tell_hub(&b, DIAL_PATH_IKE, m, n));
    settle(&b);
    CHECK_INT(b.a.datagrams, 2);
    CHECK_INT(b.b.datagrams, 1);
    b.a.member.remote.addr = inaddr_v4(0x7f000002);
    CHECK(tell_hub(&b, DIAL_PATH_IKE, m, n));
    settle(&b);
    CHECK_INT(b.a.datagrams, 2);
    CHECK_INT(hub_counters(b.hub).unowned, 1);
    bench_done(&b);
}

TEST(keepalives_and_rubbish_are_counted)
{
    struct bench b;
    uint8_t m[64];

    CHECK(bench_init(&b, 4));
    CHECK(tell_hub(&b, DIAL_PATH_NATT, "\xff", 1));
    CHECK(tell_hub(&b, DIAL_PATH_NATT, "\xfe", 1));
    CHECK(tell_hub(&b, DIAL_PATH_NATT, "abc", 3));
    CHECK(tell_hub(&b, DIAL_PATH_NATT, "\0\0\0\0abcdefgh", 12));
    CHECK(tell_hub(&b, DIAL_PATH_NATT, "\x11\x22\x33\x44", 4));
    CHECK(tell_hub(&b, DIAL_PATH_IKE, "AAAAAAAA", 8));
    (void)esp_packet(m, 0xdeadbeef);
    CHECK(tell_hub(&b, DIAL_PATH_NATT, m, sizeof(m)));
    settle(&b);
    CHECK_INT(b.a.datagrams + b.b.datagrams + b.a.packets + b.b.packets, 0);
    CHECK_INT(hub_counters(b.hub).keepalives, 1);
    CHECK_INT(hub_counters(b.hub).malformed, 5);
    CHECK_INT(hub_counters(b.hub).unowned, 1);
    bench_done(&b);
}

/* n sealed packets of so many bytes, one behind the other, the last one shorter. */
static void fill_run(struct run *r, unsigned n, size_t size, size_t last)
{
    run_clear(r);
    for (unsigned i = 0; i < n; i++) {
        size_t length = i + 1 < n ? size : last;
        uint8_t *at = run_room(r, length);

        memset(at, (int)i + 1, length);
        run_add(r, length, (struct mspan){at, length});
        r->packet[i].verdict = ESP_OK;
    }
}

/* What comes at the peer, in order, each as fill_run() made it. */
static void check_run(struct bench *b, const struct inaddr *source, unsigned want, size_t size,
                      size_t last)
{
    uint8_t got[2048];
    struct endpoint seen;
    union sockaddr_any sa;
    socklen_t n_sa = sizeof(sa);
    unsigned n = 0;
    ssize_t length;

    while ((length = recvfrom(b->peer, got, sizeof(got), MSG_DONTWAIT, &sa.sa, &n_sa)) > 0) {
        CHECK(sockaddr_read(&sa, &seen));
        CHECK(inaddr_eq(&seen.addr, source));
        CHECK_INT(seen.port, hub_port(b->hub, DIAL_PATH_NATT, 4));
        CHECK_INT(got[0], ++n);
        CHECK_INT(length, n < want ? size : last);
    }
    CHECK_INT(n, want);
}

TEST(batches_both_ways)
{
    static struct run out;
    struct inaddr source = inaddr_v4(0x7f000009);
    struct hub_gso gso = {0};
    struct bench b;
    uint8_t m[64];

    CHECK(bench_init(&b, 4));
    (void)esp_packet(m, SPI_A);
    for (unsigned i = 0; i < 50; i++)
        CHECK(tell_hub(&b, DIAL_PATH_NATT, m, sizeof(m)));
    settle(&b);
    CHECK_INT(b.a.packets, 50);
    CHECK_INT(b.a.batches, b.a.gifts);
    CHECK(b.a.batches < 50);
    fill_run(&out, 32, 64, 64);
    CHECK_INT(hub_send_run(b.hub, DIAL_PATH_NATT, &source, &b.peer_at, &out, &gso), 0);
    check_run(&b, &source, 32, 64, 64);
    CHECK_INT(hub_counters(b.hub).out, 32);
    bench_done(&b);
}

TEST(a_run_leaves_as_one_and_arrives_apart)
{
    static struct run out;
    struct inaddr source = inaddr_v4(0x7f000009);
    struct hub_gso gso = {0};
    struct bench b;
    uint8_t rest[2048];

    CHECK(bench_init(&b, 4));
    fill_run(&out, 80, 900, 100); /* more than one run may hold */
    out.packet[70].verdict = ESP_FAILED;
    CHECK_INT(hub_send_run(b.hub, DIAL_PATH_NATT, &source, &b.peer_at, &out, &gso), 0);
    CHECK(!gso.off);
    CHECK_INT(hub_counters(b.hub).out, 79);
    out.packet[70].verdict = ESP_OK;
    while (recv(b.peer, rest, sizeof(rest), MSG_DONTWAIT) > 0)
        continue;
    fill_run(&out, 80, 900, 100);
    CHECK_INT(hub_send_run(b.hub, DIAL_PATH_NATT, &source, &b.peer_at, &out, &gso), 0);
    check_run(&b, &source, 80, 900, 100);
    /* Beyond the MTU of the way the kernel does not cut: packet by packet it fragments. */
    fill_run(&out, 3, 1300, 1300);
    gso.too_long = 1300;
    CHECK_INT(hub_send_run(b.hub, DIAL_PATH_NATT, &source, &b.peer_at, &out, &gso), 0);
    check_run(&b, &source, 3, 1300, 1300);
    gso = (struct hub_gso){.off = true};
    CHECK_INT(hub_send_run(b.hub, DIAL_PATH_NATT, &source, &b.peer_at, &out, &gso), 0);
    check_run(&b, &source, 3, 1300, 1300);
    bench_done(&b);
}

TEST(what_the_kernel_does_not_cut_leaves_packet_by_packet)
{
    static struct run out;
    struct inaddr source = inaddr_v4(0x7f000001);
    struct hub_gso gso = {0};
    struct bench b;

    if (!own_net() || !interface_mtu("lo", 1200))
        SKIP("no network namespace: a way that is too narrow for a run is not tested");
    CHECK(bench_init(&b, 4));
    fill_run(&out, 20, 1300, 1300);
    CHECK_INT(hub_send_run(b.hub, DIAL_PATH_NATT, &source, &b.peer_at, &out, &gso), 0);
    CHECK_INT(gso.too_long, 1300);
    check_run(&b, &source, 20, 1300, 1300);
    CHECK_INT(hub_counters(b.hub).out, 20);
    CHECK_INT(hub_counters(b.hub).refused, 0);
    CHECK(interface_mtu("lo", 65536));
    bench_done(&b);
}

/* What the kernel gives as one is taken apart, IKE among it too. */
TEST(a_run_that_comes_as_one_is_taken_apart)
{
    struct bench b;
    uint8_t m[10 * 64];
    union {
        struct cmsghdr align;
        uint8_t bytes[CMSG_SPACE(sizeof(uint16_t))];
    } control = {0};
    struct iovec iov = {m, sizeof(m) - 20};
    struct endpoint to;
    union sockaddr_any sa;
    struct msghdr msg = {.msg_name = &sa,
                         .msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

    CHECK(bench_init(&b, 4));
    memset(m, 0, sizeof(m));
    for (unsigned i = 0; i < 10; i++)
        if (i != 4)
            (void)esp_packet(m + i * 64, i < 7 ? SPI_A : SPI_B);
    (void)ike_message(m + 4 * 64, true, 'A');
    to = (struct endpoint){.addr = loopback(4), .port = hub_port(b.hub, DIAL_PATH_NATT, 4)};
    msg.msg_namelen = sockaddr_from(&sa, &to);
    c->cmsg_level = IPPROTO_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    memcpy(CMSG_DATA(c), (const uint16_t[]){64}, sizeof(uint16_t));
    CHECK_INT(sendmsg(b.peer, &msg, 0), sizeof(m) - 20);
    settle(&b);
    CHECK_INT(b.a.packets, 6);
    CHECK_INT(b.a.gifts, 2); /* before the IKE message and behind it */
    CHECK_INT(b.a.datagrams, 1);
    CHECK_INT(b.b.packets, 3);
    CHECK_INT(b.a.batches, 1);
    CHECK_INT(hub_counters(b.hub).in, 10);
    bench_done(&b);
}

TEST(icmp_is_a_hint)
{
    struct bench b;
    struct endpoint closed;
    uint8_t got[64];
    int fd;

    CHECK(bench_init(&b, 4));
    fd = peer_socket(loopback(4), SOCK_DGRAM, 0, &closed);
    CHECK(fd >= 0);
    (void)close(fd);
    b.b.member.remote.addr = inaddr_v4(0x7f000002);
    CHECK_INT(hub_send(b.hub, DIAL_PATH_IKE, NULL, &closed, span_str("hello")), 0);
    /* The pending error of the first must not cost the second its datagram. */
    CHECK_INT(hub_send(b.hub, DIAL_PATH_IKE, NULL, &b.peer_at, span_str("hello")), 0);
    CHECK_INT(recv(b.peer, got, sizeof(got), MSG_DONTWAIT), 5);
    settle(&b);
    CHECK_INT(b.a.hints, 1);
    CHECK_INT(b.a.os_error, ECONNREFUSED);
    CHECK(endpoint_eq(&b.a.unreachable, &closed));
    CHECK_INT(b.a.batches, 1);
    CHECK_INT(b.b.hints, 0);
    CHECK_INT(poll(&(struct pollfd){.fd = loop_fd(b.loop), .events = POLLIN}, 1, 20), 0);
    bench_done(&b);
}

TEST(refusals_are_told_once_and_are_not_fatal)
{
    struct bench b;
    struct endpoint nowhere = {.addr = inaddr_v4(0xc0000201), .port = 500};
    struct inaddr not_ours = inaddr_v4(0xc6336401);
    static const uint8_t huge[70000];

    CHECK(bench_init(&b, 4));
    CHECK_INT(hub_send(b.hub, DIAL_PATH_IKE, NULL, &b.peer_at, SPAN_ARRAY(huge)), EMSGSIZE);
    CHECK(hub_send(b.hub, DIAL_PATH_IKE, &not_ours, &b.peer_at, span_str("x")) != 0);
    if (own_net())
        CHECK_INT(hub_send(b.hub, DIAL_PATH_IKE, NULL, &nowhere, span_str("x")), ENETUNREACH);
    CHECK_INT(hub_send(b.hub, DIAL_PATH_ESP, NULL, &b.peer_at, span_str("x")), ENOTCONN);
    CHECK_INT(hub_send(b.hub, DIAL_PATH_IKE, NULL, &b.peer_at, span_str("x")), 0);
    CHECK(hub_counters(b.hub).refused >= 2);
    bench_done(&b);
}

TEST(leaving_inside_a_callback_closes_the_sockets)
{
    struct bench b;
    uint8_t m[64];
    size_t n = ike_message(m, false, 'S');

    CHECK(bench_init(&b, 4));
    b.a.leave = b.b.leave = true;
    for (unsigned i = 0; i < 3; i++)
        CHECK(tell_hub(&b, DIAL_PATH_IKE, m, n));
    settle(&b);
    CHECK_INT(b.a.datagrams, 1);
    CHECK_INT(b.b.datagrams, 1);
    CHECK_INT(b.a.batches + b.b.batches, 0);
    CHECK_INT(hub_socket(b.hub, DIAL_PATH_IKE, 4), -1);
    CHECK_INT(hub_port(b.hub, DIAL_PATH_NATT, 4), 0);
    bench_done(&b);
}

TEST(sockets_may_be_handed_in)
{
    struct bench b;
    struct endpoint at;
    struct guest g;
    struct failure f;
    struct hub *hub;
    uint8_t m[64];
    size_t n = ike_message(m, false, 'A');
    union sockaddr_any sa;
    int fd = peer_socket(loopback(4), SOCK_DGRAM, 0, &at);

    CHECK(bench_init(&b, 4));
    hub = hub_new(b.loop, NULL, NULL);
    CHECK(hub && fd >= 0);
    CHECK(!hub_give(b.hub, DIAL_PATH_IKE, 4, fd)); /* has one */
    CHECK(!hub_give(hub, DIAL_PATH_IKE, 6, fd));
    CHECK(!hub_give(hub, DIAL_PATH_ESP, 4, fd));
    CHECK(hub_give(hub, DIAL_PATH_IKE, 4, fd));
    guest_init(&g, hub, 'A', SPI_A, &b.peer_at);
    CHECK(hub_open_udp(hub, &g.member, 4, &f));
    CHECK_INT(hub_port(hub, DIAL_PATH_IKE, 4), at.port);
    CHECK_INT(sendto(b.peer, m, n, 0, &sa.sa, sockaddr_from(&sa, &at)), n);
    settle(&b);
    CHECK_INT(g.datagrams, 1);
    hub_leave(hub, &g.member);
    CHECK_INT(hub_socket(hub, DIAL_PATH_IKE, 4), fd); /* stays for the next session */
    CHECK_INT(hub_socket(hub, DIAL_PATH_NATT, 4), -1);
    hub_free(hub);
    bench_done(&b);
}

TEST(natt_port_may_become_another)
{
    struct bench b;
    struct endpoint at;
    struct guest g;
    struct guest other;
    struct failure f;
    struct hub *hub;
    uint8_t m[64];
    size_t n = ike_message(m, true, 'A');
    union sockaddr_any sa;
    int fd = peer_socket(loopback(4), SOCK_DGRAM, 0, &at);
    uint16_t before;

    CHECK(bench_init(&b, 4));
    hub = hub_new(b.loop, NULL, NULL);
    CHECK(hub && fd >= 0);
    guest_init(&g, hub, 'A', SPI_A, &b.peer_at);
    CHECK(!hub_renew_natt(hub, &g.member, 4, -1)); /* has none */
    CHECK(hub_open_udp(hub, &g.member, 4, &f));
    before = hub_port(hub, DIAL_PATH_NATT, 4);
    CHECK(hub_renew_natt(hub, &g.member, 4, -1));
    CHECK(hub_port(hub, DIAL_PATH_NATT, 4) != 0 && hub_port(hub, DIAL_PATH_NATT, 4) != before);
    CHECK(!hub_is_given(hub, DIAL_PATH_NATT, 4));
    CHECK(hub_renew_natt(hub, &g.member, 4, fd));
    CHECK(hub_is_given(hub, DIAL_PATH_NATT, 4));
    CHECK_INT(hub_port(hub, DIAL_PATH_NATT, 4), at.port);
    CHECK_INT(sendto(b.peer, m, n, 0, &sa.sa, sockaddr_from(&sa, &at)), n);
    settle(&b);
    CHECK_INT(g.datagrams, 1);
    CHECK_INT(g.path, DIAL_PATH_NATT);
    guest_init(&other, hub, 'B', SPI_B, &b.peer_at);
    CHECK(hub_open_udp(hub, &other.member, 4, &f));
    CHECK(!hub_renew_natt(hub, &g.member, 4, -1)); /* it is not its own alone any more */
    CHECK_INT(hub_port(hub, DIAL_PATH_NATT, 4), at.port);
    hub_leave(hub, &other.member);
    hub_leave(hub, &g.member);
    hub_free(hub);
    bench_done(&b);
}

static void raw_esp(uint8_t family)
{
    struct bench b;
    struct endpoint at;
    struct failure f;
    uint8_t m[64];
    uint8_t got[128];
    uint32_t spi = SPI_A;
    union sockaddr_any sa;
    socklen_t n_sa;
    int fd;

    if (!own_net())
        SKIP("no right to make a network namespace: raw ESP is not tested");
    CHECK(bench_init(&b, family));
    fd = peer_socket(loopback(family), SOCK_RAW, IPPROTO_ESP, &at);
    CHECK(fd >= 0);
    CHECK(hub_open_esp(b.hub, &b.a.member, family, &f));
    at = (struct endpoint){.addr = loopback(family)};
    n_sa = sockaddr_from(&sa, &at);
    (void)esp_packet(m, SPI_A); /* no SPI named yet: open */
    CHECK_INT(sendto(fd, m, sizeof(m), 0, &sa.sa, n_sa), sizeof(m));
    settle(&b);
    CHECK_INT(b.a.packets, 1);
    CHECK_INT(b.a.path, DIAL_PATH_ESP);
    CHECK_MEM(b.a.bytes, b.a.n, m, sizeof(m));
    CHECK_INT(b.a.from.port, 0);
    (void)esp_packet(m, SPI_B);
    CHECK_INT(sendto(fd, m, sizeof(m), 0, &sa.sa, n_sa), sizeof(m));
    settle(&b);
    CHECK_INT(b.b.packets, 1);
    CHECK_INT(hub_counters(b.hub).in, 2);
    hub_set_esp_spis(b.hub, &b.a.member, &spi, 1);
    CHECK_INT(sendto(fd, m, sizeof(m), 0, &sa.sa, n_sa), sizeof(m));
    settle(&b);
    CHECK_INT(hub_counters(b.hub).in, 2); /* the kernel held it back */
    (void)esp_packet(m, SPI_A);
    CHECK_INT(sendto(fd, m, sizeof(m), 0, &sa.sa, n_sa), sizeof(m));
    settle(&b);
    CHECK_INT(b.a.packets, 2);
    CHECK_INT(hub_counters(b.hub).in, 3);
    while (recv(fd, got, sizeof(got), MSG_DONTWAIT) > 0)
        continue;
    hub_set_esp_spis(b.hub, &b.a.member, &spi, 1);
    CHECK_INT(hub_send(b.hub, DIAL_PATH_ESP, &at.addr, &at, SPAN_ARRAY(m)), 0);
    CHECK_INT(recv(fd, got, sizeof(got), MSG_DONTWAIT), family == 4 ? 84 : 64);
    (void)close(fd);
    bench_done(&b);
}

TEST(raw_esp_is_filtered_by_spi)
{
    raw_esp(4);
}

TEST(raw_esp_is_filtered_by_spi_over_ipv6)
{
    if (!has_ipv6())
        SKIP("no IPv6 here");
    raw_esp(6);
}
