/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages in fragments: cutting, putting together in every order, and what hostile ones do. */
#include "check.h"
#include "rig.h"

#include "../crypto/x509_fixture.h"
#include "ike/vendor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOW US_S(1000)

/* ---- fragments made by hand, from [MS-IKEE] 2.2.3.1 ---- */
struct made {
    uint8_t bytes[IKE_MESSAGE_MAX];
    size_t n;
};

static const uint8_t cookies[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static size_t put_header(uint8_t *at, uint8_t next, uint8_t flags, size_t length)
{
    memcpy(at, cookies, sizeof(cookies));
    at[16] = next;
    at[17] = 0x10;
    at[18] = 2; /* main mode */
    at[19] = flags;
    memset(at + 20, 0, 4);
    at[24] = at[25] = 0;
    at[26] = (uint8_t)(length >> 8);
    at[27] = (uint8_t)length;
    return 28;
}

/* A message of n bytes, other ones for each seed. */
static struct made message_of(size_t n, uint8_t seed)
{
    struct made m = {.n = n};

    for (size_t i = 28; i < n; i++)
        m.bytes[i] = (uint8_t)(i * 7 + seed + (i >> 8) * 13);
    put_header(m.bytes, 5, 1, n);
    return m;
}

static struct made fragment_of(uint16_t id, unsigned number, unsigned flags, struct span data)
{
    struct made m = {.n = 28 + 8 + data.n};

    put_header(m.bytes, 132, 0, m.n);
    m.bytes[30] = (uint8_t)((8 + data.n) >> 8);
    m.bytes[31] = (uint8_t)(8 + data.n);
    m.bytes[32] = (uint8_t)(id >> 8);
    m.bytes[33] = (uint8_t)id;
    m.bytes[34] = (uint8_t)number;
    m.bytes[35] = (uint8_t)flags;
    if (data.n)
        memcpy(m.bytes + 36, data.p, data.n);
    return m;
}

/* Piece k of n of a message, from 1. */
static struct made piece_of(const struct made *m, uint16_t id, unsigned k, unsigned n)
{
    size_t each = (m->n + n - 1) / n;
    size_t from = (k - 1) * each;
    size_t len = m->n - from < each ? m->n - from : each;

    return fragment_of(id, k, k == n, span_of(m->bytes + from, len));
}

static enum fragment_fate add(struct fragment_set *s, const struct made *f, l2tpc_us now,
                              struct span *out)
{
    static uint8_t room[IKE_MESSAGE_MAX];
    struct isakmp_header h;
    struct span body;

    *out = SPAN_NONE;
    if (!isakmp_parse_header(span_of(f->bytes, f->n), &h, &body))
        return FRAGMENT_BAD;
    return fragment_add(s, &h, body, now, room, out);
}

static enum fragment_fate add_piece(struct fragment_set *s, const struct made *m, uint16_t id,
                                    unsigned k, unsigned n, struct span *out)
{
    struct made f = piece_of(m, id, k, n);

    return add(s, &f, NOW, out);
}

#define IS(out, m) CHECK_MEM((out).p, (out).n, (m).bytes, (m).n)

/* ---- cutting ---- */
TEST(fragments_of_ours_are_those_of_the_specification)
{
    struct made m = message_of(250, 3);
    uint8_t bytes[200];
    uint16_t id = (uint16_t)((m.bytes[248] << 8 | m.bytes[249]) | 1);

    CHECK_INT(fragment_count(250, 100), 3);
    CHECK_INT(fragment_count(200, 100), 2);
    CHECK_INT(fragment_count(3200, 100), 32);
    CHECK_INT(fragment_count(3201, 100), 0);
    CHECK_INT(fragment_count(3201, 0), 0);
    for (unsigned k = 1; k <= 3; k++) {
        struct made want =
            fragment_of(id, k, k == 3, span_of(m.bytes + (k - 1) * 100, k == 3 ? 50 : 100));
        struct wr w = wr_of(bytes, sizeof(bytes));
        struct span out;

        fragment_write(&w, span_of(m.bytes, m.n), 100, k);
        CHECK(wr_finish(&w, &out));
        CHECK_MEM(out.p, out.n, want.bytes, want.n);
    }
    for (unsigned k = 0; k <= 4; k += 4) {
        struct wr w = wr_of(bytes, sizeof(bytes));
        struct span out;

        fragment_write(&w, span_of(m.bytes, m.n), 100, k);
        CHECK(!wr_finish(&w, &out));
    }
}

/* ---- what others cut ---- */
static struct made recorded(const char *name)
{
    static char text[32768];
    struct made m = {.n = 0};
    char key[24];
    char line[IKE_MESSAGE_MAX];
    const char *at;
    size_t n;
    FILE *f = fopen(VECTOR_DIR "/ike-fragments.txt", "r");

    n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
    text[n] = '\0';
    if (f)
        (void)fclose(f);
    (void)snprintf(key, sizeof(key), "\n%s=", name);
    at = strstr(text, key);
    if (!at)
        return m;
    at += strlen(key);
    n = strcspn(at, "\n");
    if (n >= sizeof(line))
        return m;
    memcpy(line, at, n);
    line[n] = '\0';
    m.n = check_hex(m.bytes, sizeof(m.bytes), line);
    return m;
}

TEST(fragments_of_strongswan_and_libreswan)
{
    static const struct {
        const char *name;
        unsigned n;
    } rows[] = {{"strongswan", 2}, {"libreswan", 4}};
    static struct fragment_set s;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made whole = recorded(rows[i].name);
        struct made f = {.n = 0};
        struct span out;
        char name[24];

        CHECK(whole.n > 1000);
        for (unsigned k = rows[i].n; k > 0; k--) {
            (void)snprintf(name, sizeof(name), "%s%u", rows[i].name, k);
            f = recorded(name);
            CHECK_INT(add(&s, &f, NOW, &out), k > 1 ? FRAGMENT_KEPT : FRAGMENT_WHOLE);
        }
        IS(out, whole);
        /* We cut as they do; only the ID, which is 1 for all of theirs, is another one. */
        for (unsigned k = 1; k <= rows[i].n; k++) {
            uint8_t bytes[IKE_PACKET_MAX];
            struct wr w = wr_of(bytes, sizeof(bytes));
            struct made theirs;
            struct span ours;

            (void)snprintf(name, sizeof(name), "%s%u", rows[i].name, k);
            theirs = recorded(name);
            fragment_write(&w, span_of(whole.bytes, whole.n), f.n - 36, k);
            wr_patch_u16(&w, 32, 1);
            CHECK(wr_finish(&w, &ours));
            CHECK_MEM(ours.p, ours.n, theirs.bytes, theirs.n);
        }
    }
}

/* ---- every order ---- */
/* The k-th permutation of n numbers. */
static void permute(unsigned k, unsigned n, unsigned *out)
{
    unsigned left[6];

    for (unsigned i = 0; i < n; i++)
        left[i] = i + 1;
    for (unsigned i = n; i > 0; i--) {
        unsigned at = k % i;

        k /= i;
        out[n - i] = left[at];
        memmove(left + at, left + at + 1, (i - at - 1) * sizeof(left[0]));
    }
}

static unsigned factorial(unsigned n)
{
    return n < 2 ? 1 : n * factorial(n - 1);
}

TEST(c11_all_orders_of_six_fragments_with_duplicates)
{
    static struct fragment_set s;
    struct made m = message_of(601, 9);
    struct span out;

    for (unsigned n = 1; n <= 6; n++) {
        for (unsigned k = 0; k < factorial(n); k++) {
            unsigned order[6];

            permute(k, n, order);
            memset(&s, 0, sizeof(s));
            for (unsigned i = 0; i < n; i++) {
                enum fragment_fate want = i + 1 < n ? FRAGMENT_KEPT : FRAGMENT_WHOLE;

                CHECK_INT(add_piece(&s, &m, 1, order[i], n, &out), want);
                /* Everything that came before comes once more. */
                for (unsigned j = 0; j <= i && i + 1 < n; j++) {
                    struct span none;

                    CHECK_INT(add_piece(&s, &m, 1, order[j], n, &none), FRAGMENT_AGAIN);
                }
            }
            IS(out, m);
            CHECK_INT(s.n, 0);
        }
    }
}

/* The pieces of two messages under one ID, cut alike. Nobody can tell a mixture by its fragments,
 * and no key will open it; but whatever is left behind, a message that is sent twice comes through.
 */
TEST(c11_overlaps_in_all_orders_never_stick)
{
    static struct fragment_set s;
    struct made a = message_of(600, 1);
    struct made b = message_of(600, 100);
    struct span out;

    for (unsigned n = 2; n <= 6; n++) {
        for (unsigned k = 0; k < factorial(n); k++) {
            unsigned order[6];
            bool came = false;

            permute(k, n, order);
            memset(&s, 0, sizeof(s));
            for (unsigned i = 0; i < n - 1; i++) {
                (void)add_piece(&s, &a, 1, order[i], n, &out);
                if (add_piece(&s, &b, 1, order[n - 1 - i], n, &out) == FRAGMENT_WHOLE)
                    CHECK_INT(out.n, 600);
            }
            for (unsigned times = 0; times < 2 && !came; times++)
                for (unsigned i = 1; i <= n && !came; i++)
                    came = add_piece(&s, &b, 1, i, n, &out) == FRAGMENT_WHOLE &&
                           span_eq(out, span_of(b.bytes, b.n));
            CHECK(came);
        }
    }
}

/* ---- what is dropped ---- */
TEST(h36_broken_fragments)
{
    static struct fragment_set s;
    struct made m = message_of(300, 1);
    struct made good = piece_of(&m, 1, 1, 3);
    struct span out;

    CHECK_INT(add(&s, &good, NOW, &out), FRAGMENT_KEPT);
    for (unsigned i = 0; i < 13; i++) {
        struct made f = piece_of(&m, 1, 2, 3);

        switch (i) {
        case 0: /* number 0 */
        case 1: /* number 33 */
        case 2: /* number 255 */
            f.bytes[34] = i == 0 ? 0 : i == 1 ? 33 : 255;
            break;
        case 3: /* payload lengths of 0 to 8: CVE-2016-1287 */
        case 4:
        case 5:
        case 6:
            f.bytes[30] = 0;
            f.bytes[31] = (uint8_t[]){0, 4, 7, 8}[i - 3];
            break;
        case 7: /* one more than there is, and one less */
            f.bytes[31]++;
            break;
        case 8:
            f.bytes[31]--;
            break;
        case 9: /* another payload behind */
            f.bytes[28] = 13;
            break;
        case 10: /* no room for the header of the payload */
            f.n = 28 + 7;
            f.bytes[27] = 35;
            f.bytes[26] = 0;
            break;
        case 11: /* a payload of nothing */
            f = fragment_of(1, 2, 0, SPAN_NONE);
            break;
        default: /* nothing but the header */
            f.n = 28;
            f.bytes[27] = 28;
            f.bytes[26] = 0;
        }
        CHECK_INT(add(&s, &f, NOW, &out), FRAGMENT_BAD);
        CHECK_INT(s.n, 1);
    }
    CHECK_INT(add_piece(&s, &m, 1, 2, 3, &out), FRAGMENT_KEPT);
    CHECK_INT(add_piece(&s, &m, 1, 3, 3, &out), FRAGMENT_WHOLE);
    IS(out, m);
}

TEST(h36_other_ids_two_ends_and_no_end)
{
    static struct fragment_set s;
    struct made m = message_of(300, 1);
    struct made f;
    struct span out;

    /* Another fragment ID, exchange, message ID or cookie: what was there is gone. */
    for (unsigned i = 0; i < 4; i++) {
        static const uint8_t at[] = {33, 18, 23, 15};

        memset(&s, 0, sizeof(s));
        CHECK_INT(add_piece(&s, &m, 1, 1, 2, &out), FRAGMENT_KEPT);
        f = piece_of(&m, 1, 2, 2);
        f.bytes[at[i]] ^= 0x20;
        CHECK_INT(add(&s, &f, NOW, &out), FRAGMENT_KEPT);
        CHECK_INT(s.n, 1);
        CHECK_INT(add_piece(&s, &m, 1, 2, 2, &out), FRAGMENT_KEPT);
        CHECK_INT(add_piece(&s, &m, 1, 1, 2, &out), FRAGMENT_WHOLE);
    }
    /* Two ends, before and behind each other, and a fragment behind the end. */
    for (unsigned i = 0; i < 3; i++) {
        static const struct {
            unsigned first, first_flags, second, second_flags;
        } rows[] = {{3, 1, 2, 1}, {3, 1, 4, 1}, {3, 1, 4, 0}};
        struct made one = fragment_of(1, rows[i].first, rows[i].first_flags, span_of(m.bytes, 9));
        struct made two = fragment_of(1, rows[i].second, rows[i].second_flags, span_of(m.bytes, 9));

        for (unsigned back = 0; back < 2; back++) {
            memset(&s, 0, sizeof(s));
            CHECK_INT(add(&s, back ? &two : &one, NOW, &out), FRAGMENT_KEPT);
            CHECK_INT(add(&s, back ? &one : &two, NOW, &out), FRAGMENT_ANEW);
            CHECK_INT(s.n, 1);
        }
    }
    /* The same piece, now as the end. */
    memset(&s, 0, sizeof(s));
    f = fragment_of(1, 2, 0, span_of(m.bytes, 9));
    CHECK_INT(add(&s, &f, NOW, &out), FRAGMENT_KEPT);
    f.bytes[35] = 1;
    CHECK_INT(add(&s, &f, NOW, &out), FRAGMENT_ANEW);
    /* No end: all 32 numbers are taken and nothing comes of it. */
    memset(&s, 0, sizeof(s));
    for (unsigned k = 1; k <= 32; k++) {
        f = fragment_of(1, k, 0, span_of(m.bytes, 9));
        CHECK_INT(add(&s, &f, NOW, &out), FRAGMENT_KEPT);
    }
    /* Unknown flags are ignored. */
    f = fragment_of(2, 1, 0xff, span_of(m.bytes, m.n));
    CHECK_INT(add(&s, &f, NOW, &out), FRAGMENT_WHOLE);
    IS(out, m);
}

TEST(h36_a_message_that_its_fragments_did_not_promise)
{
    static struct fragment_set s;
    struct span out;

    for (unsigned i = 0; i < 6; i++) {
        static const uint8_t at[] = {0, 8, 16, 18, 23, 27};
        struct made m = message_of(300, 1);

        if (i == 2)
            m.bytes[16] = 132; /* a fragment of fragments */
        else
            m.bytes[at[i]] ^= 1;
        memset(&s, 0, sizeof(s));
        CHECK_INT(add_piece(&s, &m, 1, 1, 2, &out), FRAGMENT_KEPT);
        CHECK_INT(add_piece(&s, &m, 1, 2, 2, &out), FRAGMENT_BAD);
        CHECK_INT(s.n, 0);
    }
}

TEST(h36_size_and_time)
{
    static struct fragment_set s;
    struct made m = message_of(IKE_MESSAGE_MAX, 1);
    struct made f;
    struct span out;

    for (unsigned k = 1; k <= 32; k++)
        CHECK_INT(add_piece(&s, &m, 1, k, 32, &out), k < 32 ? FRAGMENT_KEPT : FRAGMENT_WHOLE);
    IS(out, m);
    /* One byte more than a message may have. */
    for (unsigned k = 1; k <= 31; k++)
        CHECK_INT(add_piece(&s, &m, 1, k, 32, &out), FRAGMENT_KEPT);
    f = fragment_of(1, 32, 0, span_of(m.bytes, IKE_MESSAGE_MAX / 32 + 1));
    CHECK_INT(add(&s, &f, NOW, &out), FRAGMENT_BAD);
    CHECK_INT(s.n, 0);
    /* 30 s after the first one the rest comes too late, however lively the others were. */
    m = message_of(300, 1);
    f = piece_of(&m, 1, 1, 3);
    CHECK_INT(add(&s, &f, NOW, &out), FRAGMENT_KEPT);
    f = piece_of(&m, 1, 2, 3);
    CHECK_INT(add(&s, &f, NOW + US_S(29), &out), FRAGMENT_KEPT);
    f = piece_of(&m, 1, 3, 3);
    CHECK_INT(add(&s, &f, NOW + IKE_FRAGMENTS_WAIT, &out), FRAGMENT_KEPT);
    CHECK_INT(s.n, 1);
}

/* Memcheck is thirty times slower than the processor. */
static double seconds_allowed(void)
{
    const char *preload = getenv("LD_PRELOAD");

    return preload && strstr(preload, "vgpreload") ? 30.0 : 1.0;
}

TEST(c11_a_million_fragments_cost_less_than_a_second)
{
    static struct fragment_set s;
    struct made m = message_of(8100, 1);
    static struct made f[32];
    clock_t began;
    struct span out;
    unsigned whole = 0;

    for (unsigned k = 0; k < 32; k++)
        f[k] = piece_of(&m, 1, k + 1, 32);
    began = clock();
    /* Backwards, each doubled, other IDs in between: no order costs more than the bytes do. */
    for (unsigned i = 0; i < 1000000; i++) {
        unsigned k = 31 - i / 2 % 32;

        if (i % 1000 == 999)
            f[k].bytes[33] ^= 1;
        whole += add(&s, &f[k], NOW, &out) == FRAGMENT_WHOLE;
    }
    CHECK(whole > 1000);
    CHECK((double)(clock() - began) / CLOCKS_PER_SEC < seconds_allowed());
}

/* ---- the engine ---- */
struct parties {
    struct rig *r;
    struct credential *own, *server;
    struct trust *trust;
};

static struct parties meet(void)
{
    struct parties p = {.r = rig_new()};

    p.own = credential_of(p.r->c, "client.pem", "client.key");
    p.server = credential_of(p.r->c, "server.pem", "server.key");
    p.trust = trust_of(p.r->c, "ca.pem");
    rig_use_certificates(p.r, p.own, p.trust, p.server);
    p.r->cfg.fragmentation = true;
    /* As the certificates of the tests are small. */
    p.r->cfg.packet_max = 576;
    return p;
}

static void part(struct parties *p)
{
    credential_free(p->own);
    credential_free(p->server);
    trust_free(p->trust);
    rig_free(p->r);
}

/* A path that drops what does not fit one packet of 700 bytes; the first message does not count. */
static bool path_of_700(struct rig *r, bool to_server, enum ike_port port, struct span bytes)
{
    static const uint8_t zero[8];

    (void)r;
    (void)to_server;
    (void)port;
    return bytes.n > 700 - 32 && memcmp(bytes.p + 8, zero, 8) != 0;
}

TEST(fragments_carry_certificates_where_ip_fragments_are_dropped)
{
    for (unsigned cut = 0; cut < 2; cut++) {
        struct parties p = meet();

        p.r->cfg.policy.n_ike = 1;
        p.r->server.habits.fragment = cut ? 500 : 0;
        p.r->lose = path_of_700;
        rig_start(p.r);
        rig_run(p.r, p.r->now + US_S(60));
        CHECK(ike_facts(p.r->ike)->fragmentation == (cut == 1));
        if (cut) {
            CHECK_STR(failure_code(rig_failure(p.r)->id), "none");
            CHECK(rig_event(p.r, IKE_EVENT_SA_READY, 0));
            CHECK(ike_facts(p.r->ike)->fragments_sent >= 2);
            CHECK(ike_facts(p.r->ike)->fragments_received >= 2);
            CHECK(p.r->server.fragments >= 2);
            CHECK_INT(ike_facts(p.r->ike)->resent, 0);
        } else {
            CHECK_STR(failure_code(rig_failure(p.r)->id), "ike.auth.cert-length");
        }
        part(&p);
    }
}

/* Each datagram of the dial, in turn, is lost one to five times. */
static unsigned lose_at, lose_times, lose_seen;

static bool lose_run(struct rig *r, bool to_server, enum ike_port port, struct span bytes)
{
    (void)r;
    (void)to_server;
    (void)port;
    if (bytes.n < 28 || bytes.p[16] != PAYLOAD_FRAGMENT)
        return false;
    lose_seen++;
    return lose_seen > lose_at && lose_seen <= lose_at + lose_times;
}

TEST(fragments_lost_one_to_five_times)
{
    unsigned fragments = 6;

    for (lose_times = 1; lose_times <= 5; lose_times++) {
        for (lose_at = 0; lose_at < fragments; lose_at++) {
            struct parties p = meet();

            p.r->cfg.policy.n_ike = 1;
            p.r->server.habits.fragment = 500;
            p.r->lose = lose_run;
            lose_seen = 0;
            rig_start(p.r);
            rig_run(p.r, p.r->now + US_S(20));
            CHECK(lose_seen >= fragments);
            CHECK_STR(failure_code(rig_failure(p.r)->id), "none");
            CHECK(rig_event(p.r, IKE_EVENT_SA_READY, 0));
            part(&p);
        }
    }
}

/* What the first fragment of message 6 looks like, delivered when nothing was announced. */
TEST(h36_fragments_that_were_not_asked_for)
{
    struct parties p = meet();

    p.r->cfg.fragmentation = false;
    p.r->server.habits.fragment = 300;
    p.r->server.habits.fragment_unasked = true;
    rig_start(p.r);
    rig_run(p.r, p.r->now + US_S(10));
    CHECK(!rig_event(p.r, IKE_EVENT_AUTHENTICATED, 0));
    CHECK(!p.r->ike->fragments);
    CHECK(ike_facts(p.r->ike)->dropped > 0);
    CHECK_INT(ike_facts(p.r->ike)->fragments_received, 0);
    part(&p);
}

static unsigned bits_taken;

/* Every fragment of the server also comes from elsewhere, and with each bit of its own header
 * wrong. */
static void harass(struct rig *r, const struct flight *f)
{
    struct endpoint elsewhere = f->from;
    uint8_t m[2048];

    if (f->n < 36 || f->n > sizeof(m) || f->bytes[16] != PAYLOAD_FRAGMENT)
        return;
    elsewhere.addr = inaddr_v4(0xc6336403);
    memcpy(m, f->bytes, f->n);
    for (unsigned encrypted = 0; encrypted < 2; encrypted++, m[19] ^= ISAKMP_FLAG_ENCRYPTION)
        bits_taken +=
            ike_input(r->ike, f->port, &elsewhere, span_of(m, f->n), r->now) != VERDICT_DROP;
    for (size_t bit = 28 * 8; bit < 36 * 8; bit++) {
        memcpy(m, f->bytes, f->n);
        m[bit / 8] ^= (uint8_t)(1u << bit % 8);
        (void)!ike_input(r->ike, f->port, &f->from, span_of(m, f->n), r->now);
    }
}

TEST(c11_harassed_fragments_cost_a_repetition_at_most)
{
    struct parties p = meet();

    p.r->cfg.policy.n_ike = 1;
    p.r->server.habits.fragment = 500;
    p.r->before = harass;
    bits_taken = 0;
    rig_start(p.r);
    rig_run(p.r, p.r->now + US_S(40));
    CHECK_INT(bits_taken, 0);
    CHECK(!rig_event(p.r, IKE_EVENT_SA_READY, 0) || ike_facts(p.r->ike)->established);
    /* As long as it goes on, nothing comes through; the first quiet moment ends it. */
    p.r->before = NULL;
    rig_run(p.r, p.r->now + US_S(20));
    CHECK_STR(failure_code(rig_failure(p.r)->id), "none");
    CHECK(rig_event(p.r, IKE_EVENT_SA_READY, 0));
    part(&p);
}

TEST(fragments_are_announced_and_can_be_switched_off)
{
    for (unsigned on = 0; on < 2; on++) {
        struct rig *r = rig_new();
        struct span announced = vendor_bytes(VENDOR_FRAGMENTATION);
        struct isakmp_header h;
        struct span body;
        struct chain c;
        struct msg m;
        bool found = false;

        r->cfg.fragmentation = on;
        rig_start(r);
        CHECK(ike_pop_out(r->ike, &m));
        CHECK(isakmp_parse_header(span_of(m.bytes, m.n), &h, &body) &&
              isakmp_split(h.next_payload, body, &c));
        for (unsigned i = 0; i < c.n_vid; i++)
            found = found || span_eq(c.vid[i], announced);
        CHECK(found == (on == 1));
        CHECK_INT(announced.n, 20);
        msg_done(&m);
        rig_free(r);
    }
}

/* Which servers take fragments: those with nothing behind the hash, or with the bit of main mode.
 */
TEST(fragments_as_servers_announce_them)
{
    static const struct {
        uint8_t behind[4];
        size_t n;
        bool taken;
    } rows[] = {{{0}, 0, true},
                {{0x80, 0, 0, 0}, 4, true},
                {{0xc0, 0, 0, 0}, 4, true},
                {{0x40, 0, 0, 0}, 4, false},
                {{0x80}, 1, false}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t id[24];
        struct chain c = {.n_vid = 1};

        memcpy(id, vendor_bytes(VENDOR_FRAGMENTATION).p, 16);
        memcpy(id + 16, rows[i].behind, rows[i].n);
        c.vid[0] = span_of(id, 16 + rows[i].n);
        CHECK(phase1_read_vendors(&c).fragments == rows[i].taken);
    }
}
