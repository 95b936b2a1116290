/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recorded dials against real servers, fed to a fresh dial engine: the same configuration, random
 * draws, datagrams and times must bring the same datagrams and events, byte for byte. A change that
 * is meant to send something else is followed by tests/captures/record.
 */
#include "check.h"

#include "dial/dial.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 8
#define BYTES_MAX 16384

/* One line: its words, the last of which is the hex of `bytes`. */
struct line {
    char *text;
    const char *word[FIELDS_MAX];
    unsigned n_words;
    uint8_t bytes[BYTES_MAX];
    size_t n;
};

struct replay {
    const char *name;
    FILE *file;
    unsigned number; /* of the line */
    struct line line;
    bool held; /* the line was read and not used yet */
    bool broken;
    struct crypto *crypto;
    struct servers *servers; /* the built-in table, as in the recorded dial */
    struct env env;
    struct dial_config config;
    struct dial *dial;
    struct ike_credential credential;
    struct cert_list chain, cas;
    struct inaddr address[DIAL_ADDRESSES_MAX];
    unsigned n_addresses;
    struct endpoint other; /* of the last "from" or "to" */
    uint8_t packet[DATA_HEADROOM + BYTES_MAX + DATA_TAILROOM];
    unsigned outs, sealed;
    bool flips; /* every protected message comes with each of its bits turned first */
    unsigned flipped;
};

__attribute__((format(printf, 2, 3))) static void differ(struct replay *r, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (!r->broken)
        check_fail(__FILE__, __LINE__, "%s line %u: %s", r->name, r->number, text);
    r->broken = true;
}

/* ---- reading ---- */

static bool read_line(struct replay *r)
{
    struct line *l = &r->line;
    size_t cap = 0;
    ssize_t n;
    char *save;

    free(l->text);
    l->text = NULL;
    n = getline(&l->text, &cap, r->file);
    if (n <= 0)
        return false;
    r->number++;
    l->n_words = 0;
    for (char *w = strtok_r(l->text, " \n", &save); w && l->n_words < FIELDS_MAX;
         w = strtok_r(NULL, " \n", &save))
        l->word[l->n_words++] = w;
    if (l->n_words < 2) {
        differ(r, "too short");
        return false;
    }
    l->n = strcmp(l->word[l->n_words - 1], "-") == 0
               ? 0
               : check_hex(l->bytes, sizeof(l->bytes), l->word[l->n_words - 1]);
    return true;
}

static bool next(struct replay *r)
{
    if (r->held) {
        r->held = false;
        return true;
    }
    return !r->broken && read_line(r);
}

static bool is(const struct replay *r, const char *kind)
{
    return strcmp(r->line.word[0], kind) == 0;
}

static unsigned long long number(const struct replay *r, unsigned index)
{
    return index < r->line.n_words ? strtoull(r->line.word[index], NULL, 10) : 0;
}

static const char *word(const struct replay *r, unsigned index)
{
    return index < r->line.n_words ? r->line.word[index] : "";
}

static struct span bytes(const struct replay *r)
{
    return span_of(r->line.bytes, r->line.n);
}

static struct inaddr address(struct replay *r)
{
    struct inaddr a = {0};

    if (r->line.n > 0 && !inaddr_from_bytes(&a, bytes(r)))
        differ(r, "no address");
    return a;
}

/* NULL for "-". */
static const struct failure *failure(const struct replay *r, unsigned index, struct failure *f)
{
    for (int id = 1; id < FAILURE_COUNT; id++) {
        if (strcmp(failure_code((enum failure_id)id), word(r, index)) != 0)
            continue;
        *f = failure_make((enum failure_id)id);
        return f;
    }
    return NULL;
}

/* ---- what the engine draws ---- */

static bool recorded_rand(void *ctx, uint8_t *out, size_t n)
{
    struct replay *r = ctx;

    if (!next(r))
        return false;
    if (!is(r, "rand") || r->line.n != n) {
        r->held = true;
        differ(r, "%zu random bytes are drawn where \"%s\" of %zu bytes was recorded", n,
               r->line.word[0], r->line.n);
        return false;
    }
    memcpy(out, r->line.bytes, n);
    return true;
}

/* ---- configuration ---- */

static void set_text(struct replay *r, char *out, size_t cap)
{
    if (r->line.n >= cap)
        differ(r, "too long");
    else
        memcpy(out, r->line.bytes, r->line.n);
}

static void read_field(struct replay *r)
{
    struct dial_config *c = &r->config;

#define RECORD_NUMBER(field)                                                                       \
    if (strcmp(word(r, 1), #field) == 0) {                                                         \
        c->field = (__typeof__(c->field))number(r, 2);                                             \
        return;                                                                                    \
    }
#define RECORD_TEXT(field)                                                                         \
    if (strcmp(word(r, 1), #field) == 0) {                                                         \
        set_text(r, c->field, sizeof(c->field));                                                   \
        return;                                                                                    \
    }
#include "io/record.def"
    differ(r, "no field %s", word(r, 1));
}

/* True when the line was one of the configuration. */
static bool take_config(struct replay *r)
{
    struct policy *p = &r->config.policy;

    if (is(r, "number") || is(r, "text"))
        read_field(r);
    else if (is(r, "ike") && p->n_ike < IKE_SUITES_MAX)
        p->ike[p->n_ike++] =
            (struct ike_suite){(enum cipher_id)number(r, 1), (uint16_t)number(r, 2),
                               (enum hash_id)number(r, 3), (enum dh_group)number(r, 4)};
    else if (is(r, "esp") && p->n_esp < ESP_SUITES_MAX)
        p->esp[p->n_esp++] =
            (struct esp_suite){(enum cipher_id)number(r, 1), (uint16_t)number(r, 2),
                               (enum hash_id)number(r, 3), number(r, 4) != 0};
    else if (is(r, "tunnel-secret"))
        r->config.has_tunnel_secret = secret_set(&r->config.tunnel_secret, bytes(r));
    else if (is(r, "chain") || is(r, "ca"))
        r->broken = r->broken || !cert_list_add(is(r, "ca") ? &r->cas : &r->chain, bytes(r));
    else
        return false;
    return true;
}

static bool take_birth(struct replay *r)
{
    static uint8_t id[CERT_ID_MAX];

    if (is(r, "new")) {
        r->dial = dial_new(&r->config);
    } else if (is(r, "credential") && r->line.n <= sizeof(id)) {
        memcpy(id, r->line.bytes, r->line.n);
        r->credential = (struct ike_credential){.auth = (enum ike_auth)number(r, 1),
                                                .chain = &r->chain,
                                                .id_type = (uint8_t)number(r, 2),
                                                .id = span_of(id, r->line.n),
                                                .cas = &r->cas};
        dial_set_credential(r->dial, &r->credential);
    } else if (is(r, "start")) {
        dial_start(r->dial, number(r, 1));
    } else {
        return false;
    }
    return true;
}

/* ---- answers ---- */

static bool take_answer(struct replay *r)
{
    l2tpc_us now = number(r, 1);
    uint32_t need = (uint32_t)number(r, 2);
    struct failure f;
    /* The engine reads the next line when it draws: what it is given must not stand in this one. */
    uint8_t copy[BYTES_MAX];
    struct span given = span_of(copy, r->line.n);

    memcpy(copy, r->line.bytes, r->line.n);
    if (is(r, "mtu")) {
        dial_set_outer_mtu(r->dial, (unsigned)number(r, 1));
    } else if (is(r, "natt-port")) {
        dial_set_natt_port(r->dial, (uint16_t)number(r, 1));
    } else if (is(r, "address") && r->n_addresses < DIAL_ADDRESSES_MAX) {
        r->address[r->n_addresses++] = address(r);
    } else if (is(r, "resolved")) {
        dial_answer_resolve(r->dial, need, r->address, r->n_addresses, failure(r, 3, &f), now);
    } else if (is(r, "sockets")) {
        struct endpoint local = {.addr = address(r), .port = (uint16_t)number(r, 4)};

        dial_answer_sockets(r->dial, need, &local, (uint16_t)number(r, 5), failure(r, 3, &f), now);
    } else if (is(r, "secret")) {
        dial_answer_secret(r->dial, need, number(r, 3) ? &given : NULL, now);
    } else if (is(r, "sign")) {
        dial_answer_sign(r->dial, need, number(r, 3) ? &given : NULL, now);
    } else if (is(r, "done")) {
        dial_answer_done(r->dial, need, failure(r, 3, &f), now);
    } else {
        return false;
    }
    return true;
}

/* ---- the network and time ---- */

/*
 * Header bits of ISAKMP that may differ: the minor version, the flags but Encryption. No HASH
 * covers padding, and some servers send a last block of nothing else: what changes there, or cuts
 * it off, leaves the message as it was.
 */
static bool is_free_bit(size_t bit, size_t header, size_t n)
{
    size_t byte = bit / 8 - header;

    return (byte == 17 && bit % 8 < 4) || (byte == 19 && bit % 8 != 0) ||
           (byte >= 24 && byte < 28) || bit / 8 + 16 >= n;
}

/* Each is dropped; that none of them has changed anything shows in every byte that follows. */
static void flip_bits(struct replay *r)
{
    enum dial_path path = (enum dial_path)number(r, 2);
    size_t header = path == DIAL_PATH_NATT ? 4 : 0;
    struct endpoint from = r->other;
    uint8_t bad[BYTES_MAX];

    if (!r->flips || r->line.n < header + 28 || path == DIAL_PATH_ESP ||
        !(r->line.bytes[header + 19] & 1))
        return;
    /* A signature does not cover the certificates; their judge does, at the driver's. */
    if (r->chain.n > 0 && r->line.bytes[header + 18] == 2)
        return;
    for (size_t bit = header * 8; bit < r->line.n * 8 && !r->broken; bit++) {
        if (is_free_bit(bit, header, r->line.n))
            continue;
        memcpy(bad, r->line.bytes, r->line.n);
        bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (dial_input(r->dial, path, &from, (struct mspan){bad, r->line.n}, number(r, 1)) !=
            VERDICT_DROP)
            differ(r, "bit %zu may be turned", bit);
        r->flipped++;
    }
}

static void give(struct replay *r, bool inner)
{
    struct endpoint from = r->other;
    struct mspan copy = {malloc(r->line.n + 1), r->line.n};

    if (!copy.p)
        abort();
    memcpy(copy.p, r->line.bytes, copy.n);
    if (inner)
        (void)dial_input_inner(r->dial, (enum data_kind)number(r, 2), span_ro(copy), number(r, 1));
    else
        (void)dial_input(r->dial, (enum dial_path)number(r, 2), &from, copy, number(r, 1));
    free(copy.p);
}

static bool take_time(struct replay *r)
{
    struct failure f = failure_make(FAILURE_LOCAL_CANCELLED);
    l2tpc_us now = number(r, 1);

    if (is(r, "esp-in"))
        dial_note_esp_in(r->dial, &r->other, now);
    else if (is(r, "esp-out"))
        dial_note_esp_out(r->dial, now);
    else if (is(r, "unreachable"))
        dial_note_unreachable(r->dial, (int)number(r, 2), now);
    else if (is(r, "timer"))
        dial_timer(r->dial, now);
    else if (is(r, "close"))
        dial_close(r->dial, now);
    else if (is(r, "fail"))
        dial_fail(r->dial, failure(r, 2, &f), now);
    else
        return false;
    return true;
}

static bool take_network(struct replay *r)
{
    if (is(r, "from"))
        r->other = (struct endpoint){.addr = address(r), .port = (uint16_t)number(r, 1)};
    else if (is(r, "in"))
        flip_bits(r), give(r, false);
    else if (is(r, "inner"))
        give(r, true);
    else
        return take_time(r);
    return true;
}

/* ---- what must come out ---- */

static void want_bytes(struct replay *r, const char *kind, struct span got)
{
    if (!next(r) || !is(r, kind))
        differ(r, "%s was not recorded", kind);
    else if (!check_bytes(r->name, (int)r->number, got.p, got.n, r->line.bytes, r->line.n))
        differ(r, "%s differs", kind);
}

/* Sealing may draw, and then those lines stand in front of "to". */
static void want_out(struct replay *r)
{
    enum dial_path path;
    struct endpoint to;
    struct msg m;
    struct endpoint want;

    r->held = true;
    if (!dial_pop_out(r->dial, &path, &to, &m)) {
        differ(r, "nothing is sent");
        return;
    }
    r->outs++;
    if (!next(r) || !is(r, "to")) {
        differ(r, "a datagram where none was recorded");
        msg_done(&m);
        return;
    }
    want = (struct endpoint){.addr = address(r), .port = (uint16_t)number(r, 1)};
    want_bytes(r, "out", span_of(m.bytes, m.n));
    if (!endpoint_eq(&to, &want) || (!r->broken && number(r, 1) != path))
        differ(r, "it goes elsewhere");
    msg_done(&m);
}

static void want_event(struct replay *r)
{
    struct dial_event e;
    const char *code;

    if (!dial_pop_event(r->dial, &e)) {
        differ(r, "no event");
        return;
    }
    code = e.type == DIAL_EVENT_FAILED ? failure_code(e.failure.id) : "-";
    if (number(r, 1) != e.type || strcmp(word(r, 2), stage_name(e.stage)) != 0 ||
        number(r, 3) != e.need_id || strcmp(word(r, 4), code) != 0)
        differ(r, "another event: %d %s %u %s", (int)e.type, stage_name(e.stage), e.need_id, code);
    else if (!check_bytes(r->name, (int)r->number, e.digest, e.n_digest, r->line.bytes, r->line.n))
        differ(r, "another digest");
}

static void want_packet(struct replay *r, bool seal)
{
    struct mspan in = {r->packet + DATA_HEADROOM, r->line.n};
    struct mspan out = {0};
    int verdict;

    memcpy(in.p, r->line.bytes, in.n);
    verdict = seal ? (int)data_seal_ip(dial_data(r->dial), in, &out)
                   : (int)data_open(dial_data(r->dial), in, &out);
    if (verdict == 0)
        out = (struct mspan){0};
    r->sealed += seal;
    want_bytes(r, seal ? "sealed" : "opened", span_ro(out));
    if (!r->broken && (int)number(r, 1) != verdict)
        differ(r, "verdict %d", verdict);
}

static bool take_output(struct replay *r)
{
    if (is(r, "to") || is(r, "rand"))
        want_out(r);
    else if (is(r, "event"))
        want_event(r);
    else if (is(r, "seal") || is(r, "open"))
        want_packet(r, is(r, "seal"));
    else
        return false;
    return true;
}

/* ---- the whole ---- */

static void nothing_more(struct replay *r)
{
    enum dial_path path;
    struct endpoint to;
    struct dial_event e;
    struct msg m;

    if (dial_pop_out(r->dial, &path, &to, &m)) {
        differ(r, "more is sent than was recorded");
        msg_done(&m);
    }
    if (dial_pop_event(r->dial, &e))
        differ(r, "more events than were recorded");
}

static void play(struct replay *r)
{
    while (!r->broken && next(r)) {
        if (take_config(r) || take_birth(r))
            continue;
        if (!r->dial)
            differ(r, "there is no dial");
        else if (!take_answer(r) && !take_network(r) && !take_output(r))
            differ(r, "%s is not asked for", r->line.word[0]);
    }
    if (!r->dial || r->broken)
        return;
    nothing_more(r);
    if (!dial_facts(r->dial)->down || dial_facts(r->dial)->up_at == 0 || r->outs < 20 ||
        r->sealed == 0)
        differ(r, "no whole dial: %u datagrams, %u packets", r->outs, r->sealed);
}

static unsigned replay(const char *name, bool flips)
{
    unsigned flipped;
    struct replay *r = calloc(1, sizeof(*r));
    char path[512];

    if (!r)
        abort();
    r->name = name;
    r->flips = flips;
    (void)snprintf(path, sizeof(path), "%s/%s.dial", CAPTURES_DIR, name);
    r->file = fopen(path, "r");
    r->crypto = crypto_new();
    r->env = (struct env){.ctx = r, .rand = recorded_rand};
    r->config.env = &r->env;
    r->config.crypto = r->crypto;
    r->config.servers = r->servers = servers_new();
    if (!r->file || !r->crypto)
        check_fail(__FILE__, __LINE__, "%s cannot be read", path);
    else
        play(r);
    dial_free(r->dial);
    servers_free(r->servers);
    crypto_free(r->crypto);
    if (r->file)
        (void)fclose(r->file);
    free(r->line.text);
    flipped = r->flipped;
    free(r);
    return flipped;
}

#define REPLAY(test_name, file)                                                                    \
    TEST(test_name)                                                                                \
    {                                                                                              \
        (void)replay(file, false);                                                                 \
    }

REPLAY(replay_softether_udp, "softether-udp")
REPLAY(replay_softether_esp, "softether-esp")
REPLAY(replay_strongswan_psk, "strongswan-psk")
REPLAY(replay_strongswan_rsa, "strongswan-rsa")
REPLAY(replay_libreswan_psk, "libreswan-psk")

/* hostile.md C1, with what real servers send under the keys. */
TEST(c01_every_bit_of_recorded_messages)
{
    static const char *const names[] = {"softether-udp", "softether-esp", "strongswan-psk",
                                        "strongswan-rsa", "libreswan-psk"};
    unsigned flipped = 0;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        flipped += replay(names[i], true);
    printf("    %u bits\n", flipped);
    CHECK(flipped > 10000);
}
