/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The observer's programs, run over crafted packets by an interpreter of the few instructions that
 * they use; everything else, and every load beyond the packet, behaves as in the kernel. */
#include "check.h"
#include "host/bpf.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <string.h>

struct packet {
    uint8_t bytes[128];
    size_t n;
    uint16_t ether_type;
    uint8_t type; /* PACKET_* */
};

static bool fetch(const struct packet *p, uint16_t size, uint32_t at, uint32_t *out)
{
    size_t n = size == BPF_W ? 4 : size == BPF_H ? 2 : 1;

    if (at == (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL)) {
        *out = p->ether_type;
        return true;
    }
    if (at == (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)) {
        *out = p->type;
        return true;
    }
    if (at > p->n || p->n - at < n)
        return false;
    *out = 0;
    for (size_t i = 0; i < n; i++)
        *out = *out << 8 | p->bytes[at + i];
    return true;
}

static bool load_insn(const struct packet *p, const struct sock_filter *f, uint32_t *a, uint32_t *x)
{
    switch (f->code & ~(BPF_W | BPF_H | BPF_B)) {
    case BPF_LD | BPF_ABS:
        return fetch(p, BPF_SIZE(f->code), f->k, a);
    case BPF_LD | BPF_IND:
        return fetch(p, BPF_SIZE(f->code), *x + f->k, a);
    case BPF_LDX | BPF_MSH:
        if (!fetch(p, BPF_B, f->k, x))
            return false;
        *x = 4 * (*x & 15);
        return true;
    case BPF_LDX | BPF_IMM:
        *x = f->k;
        return true;
    default:
        check_fail(__FILE__, __LINE__, "instruction 0x%x", f->code);
        return false;
    }
}

static bool match(const struct bpf_program *prog, const struct packet *p)
{
    uint32_t a = 0;
    uint32_t x = 0;

    for (unsigned pc = 0; pc < prog->n; pc++) {
        const struct sock_filter *f = &prog->insn[pc];

        if (BPF_CLASS(f->code) == BPF_RET)
            return f->k != 0;
        if (BPF_CLASS(f->code) == BPF_JMP) {
            bool yes = BPF_OP(f->code) == BPF_JSET ? (a & f->k) != 0 : a == f->k;

            pc += yes ? f->jt : f->jf;
        } else if (!load_insn(p, f, &a, &x)) {
            return false;
        }
    }
    check_fail(__FILE__, __LINE__, "ran off the end");
    return false;
}

static const uint8_t us[4] = {198, 51, 100, 7};
static const uint8_t server[4] = {192, 0, 2, 1};

static struct packet packet4(bool out, unsigned options, uint8_t protocol, uint16_t fragment)
{
    struct packet p = {.ether_type = ETH_P_IP, .type = out ? PACKET_OUTGOING : PACKET_HOST};

    p.n = 20 + 4 * options;
    p.bytes[0] = (uint8_t)(0x45 + options);
    p.bytes[6] = (uint8_t)(fragment >> 8);
    p.bytes[7] = (uint8_t)fragment;
    p.bytes[9] = protocol;
    memcpy(p.bytes + 12, out ? us : server, 4);
    memcpy(p.bytes + 16, out ? server : us, 4);
    return p;
}

static void put(struct packet *p, uint32_t v, unsigned n)
{
    while (n-- > 0)
        p->bytes[p->n++] = (uint8_t)(v >> (8 * n));
}

static struct packet udp4(bool out, unsigned options, uint16_t from, uint16_t to, uint32_t first)
{
    struct packet p = packet4(out, options, IPPROTO_UDP, 0);

    put(&p, from, 2);
    put(&p, to, 2);
    put(&p, 0, 4);
    put(&p, first, 4);
    return p;
}

static struct packet esp4(bool out, unsigned options, uint32_t spi)
{
    struct packet p = packet4(out, options, IPPROTO_ESP, 0);

    put(&p, spi, 4);
    put(&p, 1, 4);
    return p;
}

static struct inaddr server_addr(void)
{
    struct inaddr a;

    return inaddr_from_bytes(&a, SPAN_ARRAY(server)) ? a : (struct inaddr){.family = 0};
}

TEST(bpf_clear_ipv4)
{
    struct inaddr a = server_addr();
    struct bpf_program prog;
    struct packet p;

    CHECK(bpf_clear(&prog, &a));
    for (unsigned options = 0; options <= 10; options++)
        for (int out = 0; out < 2; out++) {
            p = udp4(out, options, 1701, 1701, 0);
            CHECK(match(&prog, &p));
            p = udp4(out, options, 40000, 1701, 0);
            CHECK(match(&prog, &p));
            p = udp4(out, options, 1701, 40000, 0);
            CHECK(match(&prog, &p));
            p = udp4(out, options, 4500, 4500, 0x1234);
            CHECK(!match(&prog, &p));
            p = packet4(out, options, IPPROTO_GRE, 0);
            CHECK(match(&prog, &p));
            p = packet4(out, options, IPPROTO_TCP, 0);
            put(&p, 50000, 2);
            put(&p, 1723, 2);
            CHECK(match(&prog, &p));
            p = packet4(out, options, IPPROTO_TCP, 0);
            put(&p, 50000, 2);
            put(&p, 1701, 2);
            CHECK(!match(&prog, &p));
            p = esp4(out, options, 0x06a506a5);
            CHECK(!match(&prog, &p));
        }
    p = udp4(true, 0, 1701, 1701, 0);
    p.bytes[19] ^= 1; /* another host */
    CHECK(!match(&prog, &p));
    p = udp4(true, 0, 1701, 1701, 0);
    p.ether_type = ETH_P_IPV6;
    CHECK(!match(&prog, &p));
    p = udp4(true, 0, 1701, 1701, 0);
    p.bytes[6] = 0x20; /* first fragment */
    CHECK(match(&prog, &p));
    p.bytes[7] = 1; /* a later one */
    CHECK(!match(&prog, &p));
    for (size_t n = 0; n < 24; n++) {
        p = udp4(true, 0, 40000, 1701, 0);
        p.n = n;
        CHECK(!match(&prog, &p));
    }
}

TEST(bpf_esp_ipv4)
{
    struct bpf_esp what = {.outgoing = true,
                           .server = server_addr(),
                           .spi = {0xc0ffee01, 0xc0ffee02},
                           .local_port = 4500,
                           .remote_port = 4500};
    struct bpf_program prog;
    struct packet p;

    for (int out = 0; out < 2; out++) {
        what.outgoing = out;
        CHECK(bpf_esp(&prog, &what));
        for (unsigned options = 0; options <= 10; options++) {
            p = esp4(out, options, 0xc0ffee01);
            CHECK(match(&prog, &p));
            p = esp4(out, options, 0xc0ffee02);
            CHECK(match(&prog, &p));
            p = esp4(out, options, 0xc0ffee03);
            CHECK(!match(&prog, &p));
            p = esp4(!out, options, 0xc0ffee01);
            CHECK(!match(&prog, &p));
            p = udp4(out, options, 4500, 4500, 0xc0ffee01);
            CHECK(match(&prog, &p));
            p = udp4(out, options, 4501, 4500, 0xc0ffee01);
            CHECK(!match(&prog, &p));
            p = udp4(out, options, 4500, 4500, 0); /* IKE */
            CHECK(!match(&prog, &p));
            p = udp4(out, options, 4500, 4500, 0xff000000); /* keepalive */
            CHECK(!match(&prog, &p));
        }
        p = esp4(out, 0, 0xc0ffee01);
        p.bytes[7] = 8;
        CHECK(!match(&prog, &p));
        p = esp4(out, 0, 0xc0ffee01);
        p.n = 23;
        CHECK(!match(&prog, &p));
    }
    what.local_port = what.remote_port = 0;
    what.outgoing = true;
    CHECK(bpf_esp(&prog, &what));
    p = udp4(true, 0, 1234, 5678, 0xc0ffee01);
    CHECK(match(&prog, &p));
    what.spi[0] = what.spi[1] = 0;
    CHECK(bpf_esp(&prog, &what));
    p = udp4(true, 0, 4500, 4500, 0);
    CHECK(!match(&prog, &p));
}

static struct packet packet6(bool out, uint8_t next, const struct inaddr *peer)
{
    struct packet p = {
        .ether_type = ETH_P_IPV6, .type = out ? PACKET_OUTGOING : PACKET_HOST, .n = 40};

    p.bytes[0] = 0x60;
    p.bytes[6] = next;
    memcpy(p.bytes + (out ? 24 : 8), peer->bytes, 16);
    return p;
}

TEST(bpf_ipv6)
{
    struct bpf_esp what = {.spi = {7}};
    struct bpf_program clear;
    struct bpf_program esp;
    struct packet p;

    CHECK(inaddr_parse(&what.server, "2001:db8::2:1"));
    CHECK(bpf_clear(&clear, &what.server));
    for (int out = 0; out < 2; out++) {
        what.outgoing = out;
        CHECK(bpf_esp(&esp, &what));
        p = packet6(out, IPPROTO_ESP, &what.server);
        put(&p, 7, 4);
        CHECK(match(&esp, &p));
        CHECK(!match(&clear, &p));
        p = packet6(out, IPPROTO_UDP, &what.server);
        put(&p, 40000, 2);
        put(&p, 1701, 2);
        CHECK(match(&clear, &p));
        CHECK(!match(&esp, &p));
        p.bytes[out ? 39 : 23] ^= 1;
        CHECK(!match(&clear, &p));
    }
}

TEST(bpf_nothing_matches_nothing)
{
    struct bpf_program prog;
    struct packet p = udp4(true, 0, 1701, 1701, 0);
    struct inaddr none = {.family = 0};

    bpf_nothing(&prog);
    CHECK(!match(&prog, &p));
    CHECK(!bpf_clear(&prog, &none));
}

/* IPv6 puts a header of its own in front of a fragment: what is clear in the first one counts. */
TEST(bpf_ipv6_fragments)
{
    struct bpf_esp what = {.spi = {7}};
    struct bpf_program clear;
    struct bpf_program esp;
    struct packet p;

    CHECK(inaddr_parse(&what.server, "2001:db8::2:1"));
    CHECK(bpf_clear(&clear, &what.server));
    for (int out = 0; out < 2; out++) {
        what.outgoing = out;
        CHECK(bpf_esp(&esp, &what));
        p = packet6(out, IPPROTO_FRAGMENT, &what.server);
        put(&p, IPPROTO_UDP << 24 | 1, 4); /* offset 0, more to come */
        put(&p, 0x12345678, 4);
        put(&p, 40000, 2);
        put(&p, 1701, 2);
        CHECK(match(&clear, &p));
        CHECK(!match(&esp, &p));
        p.bytes[43] = 9; /* a later one: offset 1 */
        CHECK(!match(&clear, &p));
        p = packet6(out, IPPROTO_FRAGMENT, &what.server);
        put(&p, (uint32_t)IPPROTO_ESP << 24 | 1, 4);
        put(&p, 0x12345678, 4);
        put(&p, 7, 4);
        CHECK(match(&esp, &p));
        CHECK(!match(&clear, &p));
    }
}
