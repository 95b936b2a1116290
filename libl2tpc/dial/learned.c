/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dial/learned.h"

#include "ike/policy.h"
#include "wire/rd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX 33
#define VALUE_MAX 513
#define FORMAT "1"

/* ---- values ---- */
static bool copy_text(char *out, size_t cap, const char *value)
{
    size_t n = strlen(value);

    if (n >= cap)
        return false;
    memcpy(out, value, n + 1);
    return true;
}

static bool read_bool(bool *out, const char *value)
{
    *out = strcmp(value, "yes") == 0;
    return *out || strcmp(value, "no") == 0;
}

static bool read_port(uint16_t *out, const char *value)
{
    unsigned long v;

    if (!*value || strlen(value) > 5 || strspn(value, "0123456789") != strlen(value))
        return false;
    v = strtoul(value, NULL, 10);
    *out = (uint16_t)v;
    return v <= UINT16_MAX;
}

/* One suite and nothing else: the spelling must come back. */
static bool read_ike(struct learned *l, const char *value)
{
    struct policy p = {0};
    char again[SUITE_SPELLING_MAX];

    l->has_ike = policy_parse_ike(value, &p, NULL) && p.n_ike == 1 &&
                 strcmp(ike_suite_spell(&p.ike[0], again), value) == 0;
    l->ike = p.ike[0];
    return l->has_ike;
}

static bool read_esp(struct learned *l, const char *value)
{
    struct policy p = {0};
    char again[SUITE_SPELLING_MAX];

    l->has_esp = policy_parse_esp(value, &p, NULL) && p.n_esp == 1 && p.pfs == DH_NONE &&
                 strcmp(esp_suite_spell(&p.esp[0], again), value) == 0;
    l->esp = p.esp[0];
    return l->has_esp;
}

static const char *const encapsulations[] = {
    [ENCAPSULATION_AUTO] = "auto", [ENCAPSULATION_UDP] = "udp", [ENCAPSULATION_ESP] = "esp"};

static bool read_encapsulation(enum encapsulation *out, const char *value)
{
    for (unsigned i = 0; i < ARRAY_LEN(encapsulations); i++) {
        if (strcmp(encapsulations[i], value) == 0) {
            *out = (enum encapsulation)i;
            return true;
        }
    }
    return false;
}

static const struct {
    enum ike_auth auth;
    const char *name;
} auths[] = {
    {IKE_AUTH_DEFAULT, "none"},
    {IKE_AUTH_PSK, "psk"},
    {IKE_AUTH_RSA, "rsa"},
    {IKE_AUTH_ECDSA_256, "ecdsa-256"},
    {IKE_AUTH_ECDSA_384, "ecdsa-384"},
    {IKE_AUTH_ECDSA_521, "ecdsa-521"},
};

static bool read_auth(enum ike_auth *out, const char *value)
{
    for (unsigned i = 0; i < ARRAY_LEN(auths); i++) {
        if (strcmp(auths[i].name, value) == 0) {
            *out = auths[i].auth;
            return true;
        }
    }
    return false;
}

static const char *auth_name(enum ike_auth auth)
{
    for (unsigned i = 0; i < ARRAY_LEN(auths); i++)
        if (auths[i].auth == auth)
            return auths[i].name;
    return "none";
}

static bool read_address(struct learned *l, const char *value)
{
    struct inaddr a;

    return inaddr_parse(&a, value) && copy_text(l->address, sizeof(l->address), value);
}

/* ---- lines ---- */
enum key {
    KEY_FORMAT,
    KEY_SERVER,
    KEY_PORT,
    KEY_IKE,
    KEY_ESP,
    KEY_PFS,
    KEY_ENCAPSULATION,
    KEY_INNER_PORT,
    KEY_ONE_IKE,
    KEY_ONE_ESP,
    KEY_FLOOR_IKE,
    KEY_FLOOR_ESP,
    KEY_AUTH,
    KEY_PEER_ID_TYPE,
    KEY_PEER_ID,
    KEY_FINGERPRINT,
    KEY_ADDRESS,
    KEY_COUNT,
};

static const char *const keys[KEY_COUNT] = {
    [KEY_FORMAT] = "l2tpc-learned",
    [KEY_SERVER] = "server",
    [KEY_PORT] = "port",
    [KEY_IKE] = "ike",
    [KEY_ESP] = "esp",
    [KEY_PFS] = "pfs",
    [KEY_ENCAPSULATION] = "encapsulation",
    [KEY_INNER_PORT] = "inner-port",
    [KEY_ONE_IKE] = "one-ike-suite",
    [KEY_ONE_ESP] = "one-esp-suite",
    [KEY_FLOOR_IKE] = "floor-ike",
    [KEY_FLOOR_ESP] = "floor-esp",
    [KEY_AUTH] = "auth",
    [KEY_PEER_ID_TYPE] = "peer-id-type",
    [KEY_PEER_ID] = "peer-id",
    [KEY_FINGERPRINT] = "fingerprint",
    [KEY_ADDRESS] = "address",
};

static bool take_value(struct learned *l, enum key key, const char *value)
{
    switch (key) {
    case KEY_FORMAT:
        return strcmp(value, FORMAT) == 0;
    case KEY_SERVER:
        return value[0] && copy_text(l->server, sizeof(l->server), value);
    case KEY_PORT:
        return read_port(&l->port, value) && l->port != 0;
    case KEY_IKE:
        return read_ike(l, value);
    case KEY_ESP:
        return read_esp(l, value);
    case KEY_PFS:
        return group_parse(&l->pfs, value);
    case KEY_ENCAPSULATION:
        return read_encapsulation(&l->encapsulation, value);
    case KEY_INNER_PORT:
        return read_port(&l->inner_port, value);
    case KEY_ONE_IKE:
        return read_bool(&l->one_ike, value);
    case KEY_ONE_ESP:
        return read_bool(&l->one_esp, value);
    case KEY_FLOOR_IKE:
        return strength_parse(&l->floor_ike, value);
    case KEY_FLOOR_ESP:
        return strength_parse(&l->floor_esp, value);
    case KEY_AUTH:
        return read_auth(&l->auth, value);
    case KEY_PEER_ID_TYPE:
        return copy_text(l->peer_id_type, sizeof(l->peer_id_type), value);
    case KEY_PEER_ID:
        return copy_text(l->peer_id, sizeof(l->peer_id), value);
    case KEY_FINGERPRINT:
        return copy_text(l->fingerprint, sizeof(l->fingerprint), value);
    case KEY_ADDRESS:
        return read_address(l, value);
    case KEY_COUNT:
        break;
    }
    return true; /* a key of a later version */
}

/* Up to `stop`, which is taken too; false at the end of the text or when it is too long. */
static bool read_word(struct rd *r, char stop, char *out, size_t cap)
{
    size_t n = 0;
    uint8_t ch;

    while (rd_u8(r, &ch)) {
        if (ch == (uint8_t)stop) {
            out[n] = '\0';
            return text_is_utf8(span_of((const uint8_t *)out, n));
        }
        if (ch < 0x20 || ch == 0x7f || n + 1 == cap)
            return false;
        out[n++] = (char)ch;
    }
    return false;
}

static bool key_is_plausible(const char *key)
{
    return key[0] && strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(key);
}

static enum key find_key(const char *key)
{
    unsigned i = 0;

    while (i < KEY_COUNT && strcmp(keys[i], key) != 0)
        i++;
    return (enum key)i;
}

static bool read_lines(struct rd *r, struct learned *l)
{
    bool seen[KEY_COUNT] = {false};
    char key[KEY_MAX];
    char value[VALUE_MAX];
    enum key k;

    while (!rd_end(r)) {
        if (!read_word(r, '=', key, sizeof(key)) || !key_is_plausible(key) ||
            !read_word(r, '\n', value, sizeof(value)))
            return false;
        k = find_key(key);
        if ((k == KEY_FORMAT) == seen[KEY_FORMAT]) /* once, and before all others */
            return false;
        if (k != KEY_COUNT && seen[k])
            return false;
        if (k != KEY_COUNT)
            seen[k] = true;
        if (!take_value(l, k, value))
            return false;
    }
    return seen[KEY_SERVER] && seen[KEY_PORT];
}

bool learned_parse(struct span text, struct learned *out)
{
    struct rd r = rd_of(text);

    memset(out, 0, sizeof(*out));
    if (text.n <= LEARNED_TEXT_MAX && read_lines(&r, out))
        return true;
    memset(out, 0, sizeof(*out));
    return false;
}

bool learned_is_for(const struct learned *l, const char *server, uint16_t port)
{
    return l->port == port && strcmp(l->server, server) == 0;
}

/* ---- writing ---- */
struct text {
    char *out;
    size_t cap, n;
    bool full;
};

static void put(struct text *t, enum key key, const char *value)
{
    int n;

    if (t->full || !value[0])
        return;
    n = snprintf(t->out + t->n, t->cap - t->n, "%s=%s\n", keys[key], value);
    t->full = n < 0 || (size_t)n >= t->cap - t->n;
    if (!t->full)
        t->n += (size_t)n;
}

static void put_number(struct text *t, enum key key, unsigned value)
{
    char text[12];

    (void)snprintf(text, sizeof(text), "%u", value);
    put(t, key, text);
}

size_t learned_text(const struct learned *l, char *out, size_t cap)
{
    struct text t = {.out = out, .cap = cap, .full = cap == 0};
    char spelling[SUITE_SPELLING_MAX];

    put(&t, KEY_FORMAT, FORMAT);
    put(&t, KEY_SERVER, l->server);
    put_number(&t, KEY_PORT, l->port);
    if (l->has_ike)
        put(&t, KEY_IKE, ike_suite_spell(&l->ike, spelling));
    if (l->has_esp)
        put(&t, KEY_ESP, esp_suite_spell(&l->esp, spelling));
    put(&t, KEY_PFS, group_spell(l->pfs));
    put(&t, KEY_ENCAPSULATION, encapsulations[l->encapsulation]);
    put_number(&t, KEY_INNER_PORT, l->inner_port);
    put(&t, KEY_ONE_IKE, l->one_ike ? "yes" : "no");
    put(&t, KEY_ONE_ESP, l->one_esp ? "yes" : "no");
    put(&t, KEY_FLOOR_IKE, strength_name(l->floor_ike));
    put(&t, KEY_FLOOR_ESP, strength_name(l->floor_esp));
    put(&t, KEY_AUTH, auth_name(l->auth));
    put(&t, KEY_PEER_ID_TYPE, l->peer_id_type);
    put(&t, KEY_PEER_ID, l->peer_id);
    put(&t, KEY_FINGERPRINT, l->fingerprint);
    put(&t, KEY_ADDRESS, l->address);
    return t.full ? 0 : t.n;
}
