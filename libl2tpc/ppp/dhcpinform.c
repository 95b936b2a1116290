/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ppp/dhcpinform.h"

#include "wire/sum.h"
#include "wire/wr.h"

#include <string.h>

#define BOOTREQUEST 1
#define HTYPE_ETHERNET 1
#define HLEN_ETHERNET 6
#define COOKIE 0x63825363u /* RFC 2131 3 */
#define BOOTP_MIN 300      /* RFC 1542 2.1: shorter ones are dropped by old relays */
#define IP_HEADER 20
#define UDP_HEADER 8
#define TTL 64

struct dhcpinform {
    const struct env *env;
    struct dhcp_question question;
    struct dhcpinform_facts facts;
    l2tpc_us deadline, wait, started;
    struct msgq out;
};

/*
 * What is asked for, the classless routes first (RFC 3442: in front of the older ways to say the
 * same). No router: a link to one peer has none.
 */
static const uint8_t wanted[] = {
    121, /* classless static routes, RFC 3442 */
    249, /* the same, Microsoft's number for it */
    6,   /* name servers */
    15,  /* domain name */
    119, /* search list, RFC 3397 */
};

struct dhcpinform *dhcpinform_new(const struct env *env, const struct inaddr *local,
                                  const struct inaddr *outer)
{
    struct dhcpinform *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->env = env;
    d->question.local = *local;
    d->question.outer = *outer;
    d->deadline = US_NEVER;
    if (!env_rand_u32(env, &d->question.xid) ||
        !env_rand(env, d->question.chaddr, sizeof(d->question.chaddr))) {
        free(d);
        return NULL;
    }
    /* A link without hardware addresses needs one here: nobody's, administered locally. */
    d->question.chaddr[0] = 0x02;
    return d;
}

void dhcpinform_free(struct dhcpinform *d)
{
    if (d)
        msgq_clear(&d->out);
    free(d);
}

static void write_bootp(struct wr *w, const struct dhcpinform *d, uint16_t seconds)
{
    wr_u8(w, BOOTREQUEST);
    wr_u8(w, HTYPE_ETHERNET);
    wr_u8(w, HLEN_ETHERNET);
    wr_u8(w, 0); /* hops */
    wr_u32(w, d->question.xid);
    wr_u16(w, seconds);
    wr_u16(w, 0); /* not to be broadcast: our address works */
    wr_u32(w, inaddr_to_v4(&d->question.local));
    wr_zeros(w, 3 * 4); /* yiaddr, siaddr, giaddr */
    wr_bytes(w, SPAN_ARRAY(d->question.chaddr));
    wr_zeros(w, 16 - sizeof(d->question.chaddr));
    wr_zeros(w, 64 + 128); /* sname, file */
    wr_u32(w, COOKIE);
    wr_u8(w, 53); /* message type */
    wr_u8(w, 1);
    wr_u8(w, 8); /* DHCPINFORM */
    wr_u8(w, 55);
    wr_u8(w, sizeof(wanted));
    wr_bytes(w, SPAN_ARRAY(wanted));
    wr_u8(w, 255);
}

static uint16_t checksum(uint64_t sum)
{
    uint16_t c = (uint16_t)~sum_fold(sum);

    return c ? c : 0xffff;
}

static bool write_packet(const struct dhcpinform *d, uint16_t seconds, uint8_t *bytes, size_t cap,
                         struct span *out)
{
    struct wr w = wr_of(bytes, cap);
    struct span packet;

    wr_u16(&w, 0x4500);
    wr_u16(&w, 0); /* length, below */
    wr_u32(&w, 0); /* one piece; alone of its kind */
    wr_u8(&w, TTL);
    wr_u8(&w, 17);
    wr_u16(&w, 0); /* checksum, below */
    wr_u32(&w, inaddr_to_v4(&d->question.local));
    wr_u32(&w, 0xffffffff);
    wr_u16(&w, 68);
    wr_u16(&w, 67);
    wr_u16(&w, 0); /* length and checksum, below */
    wr_u16(&w, 0);
    write_bootp(&w, d, seconds);
    if (w.n < IP_HEADER + UDP_HEADER + BOOTP_MIN)
        wr_zeros(&w, IP_HEADER + UDP_HEADER + BOOTP_MIN - w.n);
    wr_patch_u16(&w, 2, (uint16_t)w.n);
    wr_patch_u16(&w, IP_HEADER + 4, (uint16_t)(w.n - IP_HEADER));
    if (!wr_finish(&w, &packet))
        return false;
    wr_patch_u16(&w, 10, (uint16_t)~sum_fold(sum_add(0, span_of(packet.p, IP_HEADER))));
    wr_patch_u16(
        &w, IP_HEADER + 6,
        checksum(sum_add_u16(sum_add_u16(sum_add(0, span_of(packet.p + 12, packet.n - 12)), 17),
                             (uint16_t)(packet.n - IP_HEADER))));
    return wr_finish(&w, out);
}

static void send_inform(struct dhcpinform *d, l2tpc_us now)
{
    uint8_t bytes[DHCPINFORM_PACKET_MAX];
    struct span packet;

    if (!write_packet(d, (uint16_t)((now - d->started) / 1000000), bytes, sizeof(bytes), &packet))
        return;
    (void)msgq_push(&d->out, 0, packet); /* without memory it is as good as lost on the way */
    d->facts.sent++;
    d->deadline = us_add(now, d->wait);
    d->wait *= 2;
}

void dhcpinform_start(struct dhcpinform *d, l2tpc_us now)
{
    if (d->facts.sent > 0)
        return;
    d->started = now;
    d->wait = DHCPINFORM_WAIT;
    send_inform(d, now);
}

enum verdict dhcpinform_input(struct dhcpinform *d, struct span ip_packet, l2tpc_us now)
{
    (void)now;
    if (!dhcpinform_waits(d))
        return VERDICT_DROP;
    if (!dhcp_answer_read(ip_packet, &d->question, &d->facts.answer)) {
        d->facts.foreign++;
        return VERDICT_DROP;
    }
    d->facts.state = DHCPINFORM_ANSWERED;
    d->deadline = US_NEVER;
    msgq_clear(&d->out);
    if (d->facts.answer.n_refused > 0)
        env_log(d->env, LOG_LEVEL_WARN, "dhcp", "%u routes from the server were left out",
                d->facts.answer.n_refused);
    return VERDICT_OK;
}

void dhcpinform_timer(struct dhcpinform *d, l2tpc_us now)
{
    if (d->deadline > now)
        return;
    if (d->facts.sent < DHCPINFORM_TRIES) {
        send_inform(d, now);
        return;
    }
    d->facts.state = DHCPINFORM_SILENT;
    d->deadline = US_NEVER;
}

l2tpc_us dhcpinform_deadline(const struct dhcpinform *d)
{
    return d->deadline;
}

bool dhcpinform_pop_out(struct dhcpinform *d, struct msg *out)
{
    return msgq_pop(&d->out, out);
}

bool dhcpinform_waits(const struct dhcpinform *d)
{
    return d->facts.sent > 0 && d->facts.state == DHCPINFORM_ASKED;
}

const struct dhcpinform_facts *dhcpinform_facts(const struct dhcpinform *d)
{
    return &d->facts;
}

bool dhcp_class_route(const struct inaddr *local, struct dhcp_route *out)
{
    uint32_t a = inaddr_to_v4(local);
    uint8_t len = a >> 31 == 0 ? 8 : a >> 30 == 2 ? 16 : 24;

    if (local->family != 4 || a >> 24 == 0 || a >> 24 == 127 || a >> 29 == 7 ||
        inaddr_is_link_local(local))
        return false;
    *out = (struct dhcp_route){a & ~(UINT32_MAX >> len), len};
    return true;
}
