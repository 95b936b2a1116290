/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/bpf.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>

#define PORT_L2TP 1701
#define PORT_PPTP 1723

/* Where a jump leads. Labels above ACCEPT are set by place(). */
enum label {
    NEXT,
    REJECT,
    ACCEPT,
    L_ADDRESS,
    L_UDP,
    L_TCP,
    L_RAW,
    L_SPI,
    L_HEADER,
    LABELS,
};

struct assembler {
    struct sock_filter insn[BPF_PROGRAM_MAX];
    uint8_t on_true[BPF_PROGRAM_MAX], on_false[BPF_PROGRAM_MAX];
    unsigned n;
    unsigned at[LABELS];
    bool failed;
};

static void emit(struct assembler *a, uint16_t code, uint32_t k, enum label t, enum label f)
{
    if (a->n == BPF_PROGRAM_MAX) {
        a->failed = true;
        return;
    }
    a->insn[a->n] = (struct sock_filter){.code = code, .k = k};
    a->on_true[a->n] = (uint8_t)t;
    a->on_false[a->n] = (uint8_t)f;
    a->n++;
}

static void load(struct assembler *a, uint16_t size, uint32_t at)
{
    emit(a, (uint16_t)(BPF_LD | size | BPF_ABS), at, NEXT, NEXT);
}

/* From the transport header on, whose offset is in X. */
static void load_x(struct assembler *a, uint16_t size, uint32_t at)
{
    emit(a, (uint16_t)(BPF_LD | size | BPF_IND), at, NEXT, NEXT);
}

static void is(struct assembler *a, uint32_t k, enum label yes, enum label no)
{
    emit(a, BPF_JMP | BPF_JEQ | BPF_K, k, yes, no);
}

static void jump(struct assembler *a, enum label to)
{
    is(a, 0, to, to);
}

static void place(struct assembler *a, enum label l)
{
    a->at[l] = a->n;
}

/* Jumps only lead forward and at most 255 instructions far, which BPF_PROGRAM_MAX ensures. */
static bool resolve(const struct assembler *a, unsigned i, uint8_t label, uint8_t *out)
{
    unsigned to = label == NEXT ? i + 1 : a->at[label];

    if (to <= i || to - i - 1 > UINT8_MAX)
        return false;
    *out = (uint8_t)(to - i - 1);
    return true;
}

static bool finish(struct assembler *a, struct bpf_program *out)
{
    place(a, ACCEPT);
    emit(a, BPF_RET | BPF_K, 1, NEXT, NEXT); /* a snap length of one byte */
    place(a, REJECT);
    emit(a, BPF_RET | BPF_K, 0, NEXT, NEXT);
    for (unsigned i = 0; i < a->n && !a->failed; i++) {
        struct sock_filter *f = &a->insn[i];

        if (BPF_CLASS(f->code) == BPF_JMP &&
            (!resolve(a, i, a->on_true[i], &f->jt) || !resolve(a, i, a->on_false[i], &f->jf)))
            a->failed = true;
        out->insn[i] = *f;
    }
    out->n = (unsigned short)a->n;
    return !a->failed;
}

static uint32_t word(const struct inaddr *a, size_t i)
{
    return (uint32_t)a->bytes[i] << 24 | (uint32_t)a->bytes[i + 1] << 16 |
           (uint32_t)a->bytes[i + 2] << 8 | a->bytes[i + 3];
}

/* Goes to `yes` when the address at `offset` is `addr`, else to `no`. */
static void address_is(struct assembler *a, uint32_t offset, const struct inaddr *addr,
                       enum label yes, enum label no)
{
    size_t len = inaddr_len(addr);

    for (size_t i = 0; i < len; i += 4) {
        load(a, BPF_W, offset + (uint32_t)i);
        is(a, word(addr, i), i + 4 == len ? yes : NEXT, no);
    }
}

static uint32_t source_offset(const struct inaddr *a)
{
    return a->family == 4 ? 12 : 8;
}

static uint32_t destination_offset(const struct inaddr *a)
{
    return a->family == 4 ? 16 : 24;
}

static void ether_type_is(struct assembler *a, const struct inaddr *server)
{
    load(a, BPF_H, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL));
    is(a, server->family == 4 ? ETH_P_IP : ETH_P_IPV6, NEXT, REJECT);
}

/* X = offset of the transport header, A = protocol. A later fragment has no such header; the first
 * one of IPv6 has it behind a header of its own (RFC 8200 4.5). */
static void transport(struct assembler *a, uint8_t family)
{
    if (family == 6) {
        emit(a, BPF_LDX | BPF_W | BPF_IMM, 40, NEXT, NEXT);
        load(a, BPF_B, 6);
        is(a, IPPROTO_FRAGMENT, NEXT, L_HEADER);
        load(a, BPF_H, 42);
        emit(a, BPF_JMP | BPF_JSET | BPF_K, 0xfff8, REJECT, NEXT);
        emit(a, BPF_LDX | BPF_W | BPF_IMM, 48, NEXT, NEXT);
        load(a, BPF_B, 40);
        place(a, L_HEADER);
        return;
    }
    load(a, BPF_H, 6);
    emit(a, BPF_JMP | BPF_JSET | BPF_K, 0x1fff, REJECT, NEXT);
    emit(a, BPF_LDX | BPF_B | BPF_MSH, 0, NEXT, NEXT);
    load(a, BPF_B, 9);
}

bool bpf_clear(struct bpf_program *out, const struct inaddr *server)
{
    struct assembler a = {.n = 0};

    if (server->family != 4 && server->family != 6)
        return false;
    ether_type_is(&a, server);
    /* The source first; what does not match there may still match as the destination. */
    address_is(&a, source_offset(server), server, L_ADDRESS, L_RAW);
    place(&a, L_RAW);
    address_is(&a, destination_offset(server), server, L_ADDRESS, REJECT);
    place(&a, L_ADDRESS);
    transport(&a, server->family);
    is(&a, IPPROTO_GRE, ACCEPT, NEXT);
    is(&a, IPPROTO_UDP, L_UDP, NEXT);
    is(&a, IPPROTO_TCP, L_TCP, REJECT);
    place(&a, L_UDP);
    load_x(&a, BPF_H, 0);
    is(&a, PORT_L2TP, ACCEPT, NEXT);
    load_x(&a, BPF_H, 2);
    is(&a, PORT_L2TP, ACCEPT, REJECT);
    place(&a, L_TCP);
    load_x(&a, BPF_H, 0);
    is(&a, PORT_PPTP, ACCEPT, NEXT);
    load_x(&a, BPF_H, 2);
    is(&a, PORT_PPTP, ACCEPT, REJECT);
    return finish(&a, out);
}

static void port_is(struct assembler *a, uint32_t at, uint16_t port)
{
    if (port == 0)
        return;
    load_x(a, BPF_H, at);
    is(a, port, NEXT, REJECT);
}

bool bpf_esp(struct bpf_program *out, const struct bpf_esp *what)
{
    struct assembler a = {.n = 0};
    const struct inaddr *server = &what->server;
    uint32_t offset = what->outgoing ? destination_offset(server) : source_offset(server);

    if (server->family != 4 && server->family != 6)
        return false;
    load(&a, BPF_B, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE));
    is(&a, PACKET_OUTGOING, what->outgoing ? NEXT : REJECT, what->outgoing ? REJECT : NEXT);
    ether_type_is(&a, server);
    address_is(&a, offset, server, NEXT, REJECT);
    transport(&a, server->family);
    is(&a, IPPROTO_ESP, L_RAW, NEXT);
    is(&a, IPPROTO_UDP, L_UDP, REJECT);
    place(&a, L_RAW);
    load_x(&a, BPF_W, 0);
    jump(&a, L_SPI);
    place(&a, L_UDP);
    port_is(&a, what->outgoing ? 0 : 2, what->local_port);
    port_is(&a, what->outgoing ? 2 : 0, what->remote_port);
    load_x(&a, BPF_W, 8); /* 0 would be the non-ESP marker of IKE, and no SPI is 0 */
    place(&a, L_SPI);
    for (size_t i = 0; i < BPF_SPIS_MAX; i++)
        if (what->spi[i] != 0)
            is(&a, what->spi[i], ACCEPT, NEXT);
    jump(&a, REJECT);
    return finish(&a, out);
}

void bpf_nothing(struct bpf_program *out)
{
    out->insn[0] = (struct sock_filter){.code = BPF_RET | BPF_K};
    out->n = 1;
}
