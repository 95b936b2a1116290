/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The data path: what may go through, what is dropped, which keys are used when. */
#include "../esp/fixture.h"
#include "base/limits.h"
#include "check.h"
#include "dial/data_path.h"
#include "l2tp/data.h"
#include "ppp/ppp.h"

#include <string.h>

#define TUNNEL 0x1111
#define SESSION 0x2222
#define PEER_TUNNEL 0x3333
#define PEER_SESSION 0x4444

struct fixture {
    struct ends e;
    struct env env;
    struct data_path d;
    uint8_t room[PACKET_MAX];
    struct mspan out;
};

static bool open_fixture(struct fixture *f)
{
    static const struct esp_suite suite = {CIPHER_AES_CBC, 256, HASH_SHA256, false};

    memset(f, 0, sizeof(*f));
    ends_init(&f->e, &suite);
    f->env = ends_env(&f->e);
    if (!ends_open(&f->e))
        return false;
    f->d.now.tunnel_id = TUNNEL;
    f->d.now.session_id = SESSION;
    f->d.now.peer_tunnel_id = PEER_TUNNEL;
    f->d.now.peer_session_id = PEER_SESSION;
    f->d.now.call_up = f->d.now.ip_open = true;
    return data_install(&f->d, f->e.crypto, &f->env, &f->e.sa, &f->e.client, &f->e.server, 0);
}

static void close_fixture(struct fixture *f)
{
    data_clear(&f->d);
    ends_close(&f->e);
}

/* An L2TP payload as the server seals it, given to the data path. */
static enum data_kind from_server(struct fixture *f, struct span payload)
{
    struct mspan inner = {f->room + ESP_HEADROOM, payload.n};
    struct mspan packet;

    memcpy(inner.p, payload.p, payload.n);
    if (esp_seal(f->e.server_out, inner, &packet) != ESP_OK)
        return DATA_NOTHING;
    return data_open(&f->d, packet, &f->out);
}

static enum data_kind frame_from_server(struct fixture *f, uint16_t tunnel, uint16_t session,
                                        struct span frame)
{
    uint8_t b[L2TP_DATA_HEADER + 1500];
    struct mspan in = {b + L2TP_DATA_HEADER, frame.n};

    memcpy(in.p, frame.p, frame.n);
    return from_server(f, span_ro(l2tp_data_wrap(tunnel, session, in)));
}

static enum data_kind ip_from_server(struct fixture *f, struct span ip)
{
    uint8_t b[PPP_FRAME_HEADER + 1500];
    struct mspan in = {b + PPP_FRAME_HEADER, ip.n};

    memcpy(in.p, ip.p, ip.n);
    return frame_from_server(f, TUNNEL, SESSION, span_ro(ppp_frame_wrap(PPP_PROTO_IP, in)));
}

static const uint8_t ipv4[20] = {0x45, 0, 0, 20, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};

TEST(data_ip_comes_through)
{
    struct fixture f;

    CHECK(open_fixture(&f));
    CHECK_INT(ip_from_server(&f, SPAN_ARRAY(ipv4)), DATA_IP);
    CHECK_MEM(f.out.p, f.out.n, ipv4, sizeof(ipv4));
    CHECK_INT(data_counters(&f.d).ip_in, 1);
    CHECK_INT(data_counters(&f.d).ip_in_bytes, 20);
    close_fixture(&f);
}

TEST(data_unknown_spi)
{
    struct fixture f;
    uint8_t short_packet[3] = {1, 2, 3};
    struct mspan packet;

    CHECK(open_fixture(&f));
    CHECK_INT(seal_bytes(f.e.server_out, f.room, 40, 0, &packet), ESP_OK);
    packet.p[0] ^= 0x80;
    CHECK_INT(data_open(&f.d, packet, &f.out), DATA_NOTHING);
    CHECK_INT(data_counters(&f.d).unknown_spi, 1);
    CHECK_INT(data_open(&f.d, (struct mspan){short_packet, 3}, &f.out), DATA_NOTHING);
    CHECK_INT(data_counters(&f.d).unknown_spi, 2);
    CHECK(data_owns_spi(&f.d, f.e.sa.in.spi));
    CHECK(!data_owns_spi(&f.d, f.e.sa.out.spi));
    CHECK(!data_owns_spi(&f.d, 0));
    close_fixture(&f);
}

TEST(data_damaged_and_repeated)
{
    struct fixture f;
    uint8_t copy[PACKET_MAX];
    struct mspan packet;
    struct esp_counters in, out;

    CHECK(open_fixture(&f));
    CHECK_INT(seal_bytes(f.e.server_out, f.room, 40, 0xc8, &packet), ESP_OK);
    memcpy(copy, packet.p, packet.n);
    copy[20] ^= 1;
    CHECK_INT(data_open(&f.d, (struct mspan){copy, packet.n}, &f.out), DATA_NOTHING);
    memcpy(copy, packet.p, packet.n);
    (void)data_open(&f.d, (struct mspan){copy, packet.n}, &f.out);
    memcpy(copy, packet.p, packet.n);
    CHECK_INT(data_open(&f.d, (struct mspan){copy, packet.n}, &f.out), DATA_NOTHING);
    data_sum(&f.d, &in, &out);
    CHECK_INT(in.bad_icv, 1);
    CHECK_INT(in.replayed, 1);
    close_fixture(&f);
}

/* Row H60: one byte of protocol, where the peer's LCP said so and nowhere else. */
TEST(data_short_protocol)
{
    struct fixture f;
    uint8_t frame[1 + sizeof(ipv4)] = {PPP_PROTO_IP};

    memcpy(frame + 1, ipv4, sizeof(ipv4));
    CHECK(open_fixture(&f));
    CHECK_INT(frame_from_server(&f, TUNNEL, SESSION, SPAN_ARRAY(frame)), DATA_PPP);
    f.d.now.pfc = true;
    CHECK_INT(frame_from_server(&f, TUNNEL, SESSION, SPAN_ARRAY(frame)), DATA_IP);
    CHECK_INT(f.out.n, sizeof(ipv4));
    CHECK_INT(ip_from_server(&f, SPAN_ARRAY(ipv4)), DATA_IP);
    close_fixture(&f);
}

/* RFC 2661 5.4: we number our messages from when the server numbers its own until it stops. */
TEST(data_sequenced_as_the_server_does)
{
    uint8_t room[DATA_HEADROOM + sizeof(ipv4) + DATA_TAILROOM];
    uint8_t b[L2TP_DATA_HEADER + L2TP_DATA_SEQUENCE + PPP_FRAME_HEADER + sizeof(ipv4)];
    struct mspan in = {b + sizeof(b) - sizeof(ipv4), sizeof(ipv4)};
    struct mspan ip = {room + DATA_HEADROOM, sizeof(ipv4)};
    struct mspan packet, payload;
    struct l2tp_data data;
    struct fixture f;

    CHECK(open_fixture(&f));
    memcpy(in.p, ipv4, sizeof(ipv4));
    in = l2tp_data_wrap_sequenced(TUNNEL, SESSION, 7, ppp_frame_wrap(PPP_PROTO_IP, in));
    CHECK(in.p == b);
    CHECK_INT(from_server(&f, span_ro(in)), DATA_IP);
    for (uint8_t ns = 0; ns < 3; ns++) {
        memcpy(ip.p, ipv4, sizeof(ipv4));
        CHECK(data_seal_ip(&f.d, ip, &packet));
        CHECK(packet.p >= room);
        CHECK_INT(esp_open(f.e.server_in, packet, &payload), ESP_OK);
        CHECK_INT(payload.p[0], 0x48);
        CHECK_INT(payload.p[9], ns);
        CHECK(l2tp_data_read(payload, &data));
        CHECK(data.sequenced);
        CHECK_INT(data.payload.n, PPP_FRAME_HEADER + sizeof(ipv4));
    }
    CHECK_INT(ip_from_server(&f, SPAN_ARRAY(ipv4)), DATA_IP);
    memcpy(ip.p, ipv4, sizeof(ipv4));
    CHECK(data_seal_ip(&f.d, ip, &packet));
    CHECK_INT(esp_open(f.e.server_in, packet, &payload), ESP_OK);
    CHECK_INT(payload.p[0], 0x40);
    close_fixture(&f);
}

/* A server that cuts SHA2-256 to the other length is told from one that is silent. */
TEST(data_cut_otherwise_is_summed)
{
    struct esp_counters in, out;
    struct fixture f;
    uint8_t room[ESP_HEADROOM + 64 + ESP_TAILROOM] = {0};
    struct mspan inner = {room + ESP_HEADROOM, 64};
    struct mspan packet;
    struct sa_pair cut;
    struct esp_out *server;

    CHECK(open_fixture(&f));
    cut = f.e.sa;
    cut.suite.truncate_96 = true;
    cut.out = f.e.sa.in;
    cut.in = f.e.sa.out;
    cut.local_port = f.e.sa.remote_port;
    cut.remote_port = f.e.sa.local_port;
    server = esp_out_new(f.e.crypto, &f.env, &cut, &f.e.server, &f.e.client);
    CHECK(server);
    CHECK_INT(esp_seal(server, inner, &packet), ESP_OK);
    CHECK_INT(data_open(&f.d, packet, &f.out), DATA_NOTHING);
    data_sum(&f.d, &in, &out);
    CHECK_INT(in.cut_otherwise, 1);
    esp_out_free(server);
    close_fixture(&f);
}

TEST(data_before_open)
{
    uint8_t room[DATA_HEADROOM + sizeof(ipv4) + DATA_TAILROOM];
    struct mspan ip = {room + DATA_HEADROOM, sizeof(ipv4)};
    struct mspan packet;
    struct fixture f;

    CHECK(open_fixture(&f));
    memcpy(ip.p, ipv4, sizeof(ipv4));
    f.d.now.ip_open = false;
    CHECK_INT(ip_from_server(&f, SPAN_ARRAY(ipv4)), DATA_NOTHING);
    CHECK(!data_seal_ip(&f.d, ip, &packet));
    CHECK_INT(data_counters(&f.d).not_open, 2);
    f.d.now.ip_open = true;
    f.d.now.call_up = false;
    CHECK_INT(ip_from_server(&f, SPAN_ARRAY(ipv4)), DATA_NOTHING);
    CHECK_INT(data_counters(&f.d).bad_l2tp, 1);
    CHECK(!data_seal_ip(&f.d, ip, &packet));
    CHECK_INT(data_counters(&f.d).ip_out, 0);
    close_fixture(&f);
}

/* Only our own tunnel and session; a control message goes to L2TP whatever its ids. */
TEST(data_foreign_ids)
{
    static const uint8_t frame[] = {0xff, 3, 0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 0};
    static const uint8_t control[] = {0xc8, 2, 0, 12, 0x77, 0x77, 0, 0, 0, 1, 0, 1};
    static const uint8_t version3[] = {0xc8, 3, 0, 12, 0, 0, 0, 0, 0, 1, 0, 1};
    struct fixture f;

    CHECK(open_fixture(&f));
    CHECK_INT(frame_from_server(&f, TUNNEL, SESSION, SPAN_ARRAY(frame)), DATA_PPP);
    CHECK_MEM(f.out.p, f.out.n, frame, sizeof(frame));
    CHECK_INT(frame_from_server(&f, TUNNEL ^ 1, SESSION, SPAN_ARRAY(frame)), DATA_NOTHING);
    CHECK_INT(frame_from_server(&f, TUNNEL, SESSION ^ 1, SPAN_ARRAY(frame)), DATA_NOTHING);
    CHECK_INT(data_counters(&f.d).bad_l2tp, 2);
    CHECK_INT(from_server(&f, SPAN_ARRAY(control)), DATA_CONTROL);
    CHECK_INT(from_server(&f, SPAN_ARRAY(version3)), DATA_NOTHING);
    CHECK_INT(from_server(&f, span_of(control, 1)), DATA_NOTHING);
    CHECK_INT(data_counters(&f.d).bad_l2tp, 4);
    close_fixture(&f);
}

/* What is inside must be what it says: version, header length, total length (hostile.md H75). */
TEST(data_inner_ip)
{
    struct fixture f;
    uint8_t ip[60];
    uint8_t ipv6[44] = {0x60, 0, 0, 0, 0, 4, 59, 64};

    CHECK(open_fixture(&f));
    memset(ip, 0, sizeof(ip));
    memcpy(ip, ipv4, sizeof(ipv4));
    CHECK_INT(ip_from_server(&f, span_of(ip, 60)), DATA_IP); /* bytes behind its end are cut off */
    CHECK_INT(f.out.n, 20);
    for (unsigned v = 0; v < 16; v++) {
        ip[0] = (uint8_t)(v << 4 | 5);
        CHECK_INT(ip_from_server(&f, span_of(ip, 20)), v == 4 ? DATA_IP : DATA_NOTHING);
    }
    ip[0] = 0x44;
    CHECK_INT(ip_from_server(&f, span_of(ip, 20)), DATA_NOTHING);
    ip[0] = 0x46; /* 24 bytes of header in 20 */
    CHECK_INT(ip_from_server(&f, span_of(ip, 60)), DATA_NOTHING);
    ip[0] = 0x45;
    ip[3] = 21;
    CHECK_INT(ip_from_server(&f, span_of(ip, 20)), DATA_NOTHING);
    ip[2] = 0xff;
    CHECK_INT(ip_from_server(&f, span_of(ip, 20)), DATA_NOTHING);
    ip[2] = ip[3] = 0;
    CHECK_INT(ip_from_server(&f, span_of(ip, 20)), DATA_NOTHING);
    ip[3] = 19;
    CHECK_INT(ip_from_server(&f, span_of(ip, 20)), DATA_NOTHING);
    CHECK_INT(ip_from_server(&f, span_of(ipv4, 3)), DATA_NOTHING);
    CHECK_INT(ip_from_server(&f, span_of(ipv4, 0)), DATA_NOTHING);
    CHECK_INT(ip_from_server(&f, SPAN_ARRAY(ipv6)), DATA_IP);
    CHECK_INT(f.out.n, 44);
    ipv6[5] = 5;
    CHECK_INT(ip_from_server(&f, SPAN_ARRAY(ipv6)), DATA_NOTHING);
    CHECK_INT(ip_from_server(&f, span_of(ipv6, 39)), DATA_NOTHING);
    CHECK(data_counters(&f.d).bad_ip > 15);
    close_fixture(&f);
}

TEST(data_sealed_for_the_server)
{
    uint8_t room[DATA_HEADROOM + sizeof(ipv4) + DATA_TAILROOM];
    struct mspan ip = {room + DATA_HEADROOM, sizeof(ipv4)};
    struct mspan packet, payload;
    struct l2tp_data data;
    uint16_t protocol;
    struct mspan info;
    struct fixture f;

    CHECK(open_fixture(&f));
    memcpy(ip.p, ipv4, sizeof(ipv4));
    CHECK(data_seal_ip(&f.d, ip, &packet));
    CHECK(packet.p >= room && packet.p + packet.n <= room + sizeof(room));
    CHECK_INT(esp_open(f.e.server_in, packet, &payload), ESP_OK);
    CHECK(l2tp_data_read(payload, &data));
    CHECK_INT(data.tunnel_id, PEER_TUNNEL);
    CHECK_INT(data.session_id, PEER_SESSION);
    CHECK(ppp_frame_read(data.payload, false, &protocol, &info));
    CHECK_INT(protocol, PPP_PROTO_IP);
    CHECK_MEM(info.p, info.n, ipv4, sizeof(ipv4));
    CHECK_INT(data_counters(&f.d).ip_out, 1);
    /* IPv6 has no way: IPV6CP is not spoken. */
    ip.p[0] = 0x60;
    CHECK(!data_seal_ip(&f.d, ip, &packet));
    ip.n = 0;
    CHECK(!data_seal_ip(&f.d, ip, &packet));
    close_fixture(&f);
}

static struct data_pair *add_pair(struct fixture *f, uint32_t i, uint32_t life_s, l2tpc_us now)
{
    struct sa_pair next = f->e.sa;

    next.in.spi = 0x10000 + i;
    next.out.spi = 0x20000 + i;
    next.lifetime_s = life_s;
    return data_install(&f->d, f->e.crypto, &f->env, &next, &f->e.client, &f->e.server, now);
}

/* A new pair is read at once and sends when it is told to; those before are read for 30 s more. */
TEST(data_pairs)
{
    struct data_pair *first;
    struct data_pair *second;
    struct fixture f;

    CHECK(open_fixture(&f));
    f.d.sender->ready = true;
    first = add_pair(&f, 1, 100, US_S(50));
    CHECK(first);
    CHECK_INT(esp_out_spi(f.d.now.out), f.e.sa.out.spi);
    CHECK(data_owns_spi(&f.d, 0x10001));
    CHECK(first->soft >= US_S(130) && first->soft <= US_S(140));
    CHECK(data_next_expiry(&f.d) == US_S(150) + SA_GRACE);
    first->ready = true;
    data_switch(&f.d, first, US_S(51));
    CHECK_INT(esp_out_spi(f.d.now.out), 0x20001);
    CHECK_INT(ip_from_server(&f, SPAN_ARRAY(ipv4)), DATA_IP); /* over the oldest pair */
    CHECK(data_expire(&f.d, US_S(51) + SA_OLD_KEEP - 1) == US_S(51) + SA_OLD_KEEP);
    CHECK(data_owns_spi(&f.d, f.e.sa.in.spi));
    CHECK(data_expire(&f.d, US_S(51) + SA_OLD_KEEP) == US_S(150) + SA_GRACE);
    CHECK(!data_owns_spi(&f.d, f.e.sa.in.spi));
    /* One that the server has not confirmed sends only when nothing else can. */
    second = add_pair(&f, 2, 0, US_S(90));
    CHECK(second);
    CHECK(data_remove(&f.d, 0x20001));
    CHECK(!data_remove(&f.d, 0x20001));
    CHECK_INT(esp_out_spi(f.d.now.out), 0x20002);
    CHECK(data_next_expiry(&f.d) == US_NEVER);
    CHECK(data_remove(&f.d, 0x20002));
    CHECK(f.d.now.out == NULL);
    close_fixture(&f);
}

/* Of two pairs of a collision the spare one waits longer for its Delete, and comes back. */
TEST(data_spare_pair)
{
    struct data_pair *a;
    struct data_pair *b;
    struct fixture f;

    CHECK(open_fixture(&f));
    f.d.sender->ready = true;
    CHECK(a = add_pair(&f, 1, 100, US_S(50)));
    CHECK(b = add_pair(&f, 2, 100, US_S(51)));
    a->ready = b->ready = true;
    data_switch(&f.d, a, US_S(52));
    data_switch(&f.d, b, US_S(53));
    CHECK(a->spare && a->delete_at == US_S(53) + SA_DELETE_SPARE_AFTER);
    CHECK(data_remove(&f.d, 0x20002));
    CHECK_INT(esp_out_spi(f.d.now.out), 0x20001);
    CHECK(a->replaced == 0 && a->delete_at == US_NEVER && !a->spare);
    /* What the server was told to forget is no way out any more. */
    data_find_out(&f.d, f.e.sa.out.spi)->deleted = true;
    data_spend(&f.d, a, US_S(60));
    CHECK(f.d.now.out == NULL);
    CHECK(data_owns_spi(&f.d, 0x10001));
    close_fixture(&f);
}

/* A peer that makes pairs without end loses its oldest; the counters lose nothing. */
TEST(data_more_pairs_than_slots)
{
    struct esp_counters in, out;
    struct fixture f;

    CHECK(open_fixture(&f));
    CHECK_INT(ip_from_server(&f, SPAN_ARRAY(ipv4)), DATA_IP);
    for (uint32_t i = 0; i < 3 * DATA_PAIRS_MAX; i++)
        CHECK(add_pair(&f, i, 0, US_S(1)));
    CHECK(data_owns_spi(&f.d, f.e.sa.in.spi)); /* the one that sends stays */
    for (uint32_t i = 0; i < 3 * DATA_PAIRS_MAX; i++)
        CHECK(data_owns_spi(&f.d, 0x10000 + i) == (i >= 2 * DATA_PAIRS_MAX + 1));
    data_sum(&f.d, &in, &out);
    CHECK_INT(in.packets, 1);
    close_fixture(&f);
}

TEST(data_cleared)
{
    uint8_t room[DATA_HEADROOM + sizeof(ipv4) + DATA_TAILROOM];
    struct mspan ip = {room + DATA_HEADROOM, sizeof(ipv4)};
    struct mspan packet;
    struct fixture f;

    CHECK(open_fixture(&f));
    memcpy(ip.p, ipv4, sizeof(ipv4));
    data_clear(&f.d);
    CHECK(!data_seal_ip(&f.d, ip, &packet));
    f.d.now.ip_open = true;
    CHECK(!data_seal_ip(&f.d, ip, &packet));
    CHECK(!data_owns_spi(&f.d, f.e.sa.in.spi));
    close_fixture(&f);
}

TEST(data_shortened_by_the_server)
{
    struct fixture f;
    const struct data_pair *p;
    uint32_t spi;
    l2tpc_us now = US_S(100);
    l2tpc_us soft;

    CHECK(open_fixture(&f));
    p = data_current(&f.d);
    spi = f.e.sa.out.spi;
    data_shorten(&f.d, spi ^ 1, 300, 0, now);
    CHECK(p->soft == US_NEVER || p->soft > US_S(300));
    data_shorten(&f.d, spi, 300, UINT64_C(8) << 20, now);
    soft = p->soft;
    CHECK(soft >= US_S(240) && soft <= US_S(270));
    CHECK(p->expires == US_S(300) + SA_GRACE);
    CHECK(p->hard_bytes == UINT64_C(8) << 20 && p->soft_bytes < p->hard_bytes);
    /* Never longer again; and what is over already leaves the time for a successor. */
    data_shorten(&f.d, spi, 3000, UINT64_C(80) << 20, now);
    CHECK(p->soft == soft && p->hard_bytes == UINT64_C(8) << 20);
    data_shorten(&f.d, spi, 50, 0, now);
    CHECK(p->soft < now);
    CHECK(p->expires == now + SA_GRACE);
    CHECK(data_current(&f.d) == p);
    close_fixture(&f);
}

/* ---- where others move the packets ---- */

static void do_nothing(void *user)
{
    (void)user;
}

/* What is agreed changes as a whole, and a pair outlives the turn that may be using it. */
TEST(others_see_what_was_published)
{
    struct turns turns = {.n = 1, .hold = do_nothing, .let_go = do_nothing};
    struct fixture f;
    uint32_t spi;

    CHECK(open_fixture(&f));
    spi = f.e.sa.in.spi;
    data_set_turns(&f.d, &turns);
    CHECK(data_owns_spi(&f.d, spi));
    f.d.now.mtu = 1234;
    CHECK_INT(data_mtu(&f.d), 0);
    data_publish(&f.d);
    CHECK_INT(data_mtu(&f.d), 1234);
    CHECK_INT(ip_from_server(&f, SPAN_ARRAY(ipv4)), DATA_IP);

    turns_begin(&turns, 0);
    CHECK(data_remove(&f.d, f.e.sa.out.spi));
    CHECK(!data_owns_spi(&f.d, spi));
    CHECK(!data_sweep(&f.d));
    CHECK(f.d.gone[0].in != NULL);
    turns_end(&turns, 0);
    turns_begin(&turns, 0); /* another turn has never seen it */
    CHECK(data_sweep(&f.d));
    CHECK(f.d.gone[0].in == NULL);
    CHECK_INT(f.d.gone_in.packets, 1);
    turns_end(&turns, 0);
    close_fixture(&f);
}

/* Sizes are measured before the packets are made: the headers of a run stay what they were. */
TEST(a_run_keeps_its_headers)
{
    struct turns turns = {.n = 1, .hold = do_nothing, .let_go = do_nothing};
    struct data_room before;
    struct data_room after;
    struct fixture f;

    CHECK(open_fixture(&f));
    data_set_turns(&f.d, &turns);
    data_begin_run(&f.d);
    CHECK(data_room(&f.d, 100, &before));
    atomic_store(&f.d.sequenced, true);
    CHECK(data_room(&f.d, 100, &after));
    CHECK_INT(after.front, before.front);
    data_begin_run(&f.d);
    CHECK(data_room(&f.d, 100, &after));
    CHECK_INT(after.front, before.front + L2TP_DATA_SEQUENCE);
    close_fixture(&f);
}
