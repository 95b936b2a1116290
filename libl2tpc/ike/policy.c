/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ike/policy.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- the named ladders ---- */
#define AES(bits) CIPHER_AES_CBC, bits
#define GCM(bits) CIPHER_AES_GCM, bits
#define TDES CIPHER_3DES_CBC, 0

/*
 * A superset of what current Windows and Apple clients offer, in their order of preference, so that
 * servers tuned for those find their suite. Each named policy is a prefix of the list; few enough
 * for message 1 to fit one datagram on any path.
 */
static const struct ike_suite ike_ladder[] = {
    {AES(256), HASH_SHA384, DH_ECP384},   {AES(256), HASH_SHA256, DH_ECP256},
    {AES(128), HASH_SHA256, DH_ECP256},   {AES(256), HASH_SHA256, DH_MODP3072},
    {AES(256), HASH_SHA256, DH_MODP2048}, {AES(128), HASH_SHA256, DH_MODP2048},
#define N_IKE_STRONG 6
    {AES(256), HASH_SHA1, DH_ECP384},     {AES(128), HASH_SHA1, DH_ECP256},
    {AES(256), HASH_SHA1, DH_MODP2048},   {AES(128), HASH_SHA1, DH_MODP2048},
    {AES(256), HASH_SHA256, DH_MODP1536}, {AES(256), HASH_SHA1, DH_MODP1536},
    {TDES, HASH_SHA1, DH_MODP2048},
#define N_IKE_COMPATIBLE 13
    {AES(256), HASH_SHA1, DH_MODP1024},   {AES(128), HASH_SHA1, DH_MODP1024},
    {TDES, HASH_SHA1, DH_MODP1024},
#define N_IKE_LEGACY 16
};

static const struct esp_suite esp_ladder[] = {
    {AES(256), HASH_SHA256, false}, {AES(128), HASH_SHA256, false}, {GCM(256), HASH_NONE, false},
    {GCM(128), HASH_NONE, false},
#define N_ESP_STRONG 4
    {AES(256), HASH_SHA1, false},   {AES(128), HASH_SHA1, false},   {TDES, HASH_SHA1, false},
#define N_ESP_COMPATIBLE 7
};

_Static_assert(ARRAY_LEN(ike_ladder) == N_IKE_LEGACY && N_IKE_LEGACY <= IKE_SUITES_MAX, "ladder");
_Static_assert(ARRAY_LEN(esp_ladder) == N_ESP_COMPATIBLE && N_ESP_COMPATIBLE <= ESP_SUITES_MAX,
               "ladder");

static const struct {
    const char *name;
    unsigned n_ike, n_esp;
} policies[] = {
    {"strong", N_IKE_STRONG, N_ESP_STRONG},
    {"compatible", N_IKE_COMPATIBLE, N_ESP_COMPATIBLE},
    {"legacy", N_IKE_LEGACY, N_ESP_COMPATIBLE},
};

bool policy_named(const char *name, struct policy *out)
{
    for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
        if (strcmp(name, policies[i].name) != 0)
            continue;
        memset(out, 0, sizeof(*out));
        out->n_ike = policies[i].n_ike;
        out->n_esp = policies[i].n_esp;
        memcpy(out->ike, ike_ladder, out->n_ike * sizeof(ike_ladder[0]));
        memcpy(out->esp, esp_ladder, out->n_esp * sizeof(esp_ladder[0]));
        return true;
    }
    return false;
}

/* ---- the swan spellings ---- */
enum part_kind {
    PART_CIPHER,
    PART_HASH,
    PART_PRF,
    PART_GROUP,
    PART_NOTHING, /* understood, means nothing here */
};

struct part {
    const char *name;
    enum part_kind kind;
    unsigned id;
    uint16_t bits;
    bool truncate_96;
};

static const struct part parts[] = {
    {"des", PART_CIPHER, CIPHER_DES_CBC, 0, false},
    {"3des", PART_CIPHER, CIPHER_3DES_CBC, 0, false},
    {"aes", PART_CIPHER, CIPHER_AES_CBC, 128, false},
    {"aes128", PART_CIPHER, CIPHER_AES_CBC, 128, false},
    {"aes192", PART_CIPHER, CIPHER_AES_CBC, 192, false},
    {"aes256", PART_CIPHER, CIPHER_AES_CBC, 256, false},
    {"aes_cbc", PART_CIPHER, CIPHER_AES_CBC, 128, false},
    {"aes_cbc128", PART_CIPHER, CIPHER_AES_CBC, 128, false},
    {"aes_cbc192", PART_CIPHER, CIPHER_AES_CBC, 192, false},
    {"aes_cbc256", PART_CIPHER, CIPHER_AES_CBC, 256, false},
    {"aes128gcm16", PART_CIPHER, CIPHER_AES_GCM, 128, false},
    {"aes192gcm16", PART_CIPHER, CIPHER_AES_GCM, 192, false},
    {"aes256gcm16", PART_CIPHER, CIPHER_AES_GCM, 256, false},
    {"aes128gcm128", PART_CIPHER, CIPHER_AES_GCM, 128, false},
    {"aes192gcm128", PART_CIPHER, CIPHER_AES_GCM, 192, false},
    {"aes256gcm128", PART_CIPHER, CIPHER_AES_GCM, 256, false},
    {"aes128gcm", PART_CIPHER, CIPHER_AES_GCM, 128, false},
    {"aes192gcm", PART_CIPHER, CIPHER_AES_GCM, 192, false},
    {"aes256gcm", PART_CIPHER, CIPHER_AES_GCM, 256, false},
    {"aes_gcm", PART_CIPHER, CIPHER_AES_GCM, 128, false},
    {"aes_gcm128", PART_CIPHER, CIPHER_AES_GCM, 128, false},
    {"aes_gcm256", PART_CIPHER, CIPHER_AES_GCM, 256, false},
    {"aes_gcm_c128", PART_CIPHER, CIPHER_AES_GCM, 128, false},
    {"aes_gcm_c256", PART_CIPHER, CIPHER_AES_GCM, 256, false},
    {"md5", PART_HASH, HASH_MD5, 0, false},
    {"sha", PART_HASH, HASH_SHA1, 0, false},
    {"sha1", PART_HASH, HASH_SHA1, 0, false},
    {"sha2", PART_HASH, HASH_SHA256, 0, false},
    {"sha256", PART_HASH, HASH_SHA256, 0, false},
    {"sha2_256", PART_HASH, HASH_SHA256, 0, false},
    {"sha256_96", PART_HASH, HASH_SHA256, 0, true},
    {"sha2_256_96", PART_HASH, HASH_SHA256, 0, true},
    {"sha384", PART_HASH, HASH_SHA384, 0, false},
    {"sha2_384", PART_HASH, HASH_SHA384, 0, false},
    {"sha512", PART_HASH, HASH_SHA512, 0, false},
    {"sha2_512", PART_HASH, HASH_SHA512, 0, false},
    {"prfmd5", PART_PRF, HASH_MD5, 0, false},
    {"prfsha1", PART_PRF, HASH_SHA1, 0, false},
    {"prfsha256", PART_PRF, HASH_SHA256, 0, false},
    {"prfsha384", PART_PRF, HASH_SHA384, 0, false},
    {"prfsha512", PART_PRF, HASH_SHA512, 0, false},
    {"modp768", PART_GROUP, DH_MODP768, 0, false},
    {"modp1024", PART_GROUP, DH_MODP1024, 0, false},
    {"modp1536", PART_GROUP, DH_MODP1536, 0, false},
    {"modp2048", PART_GROUP, DH_MODP2048, 0, false},
    {"modp3072", PART_GROUP, DH_MODP3072, 0, false},
    {"modp4096", PART_GROUP, DH_MODP4096, 0, false},
    {"modp6144", PART_GROUP, DH_MODP6144, 0, false},
    {"modp8192", PART_GROUP, DH_MODP8192, 0, false},
    {"ecp256", PART_GROUP, DH_ECP256, 0, false},
    {"ecp384", PART_GROUP, DH_ECP384, 0, false},
    {"ecp521", PART_GROUP, DH_ECP521, 0, false},
    {"curve25519", PART_GROUP, DH_X25519, 0, false},
    {"x25519", PART_GROUP, DH_X25519, 0, false},
    {"dh1", PART_GROUP, DH_MODP768, 0, false},
    {"dh2", PART_GROUP, DH_MODP1024, 0, false},
    {"dh5", PART_GROUP, DH_MODP1536, 0, false},
    {"dh14", PART_GROUP, DH_MODP2048, 0, false},
    {"dh15", PART_GROUP, DH_MODP3072, 0, false},
    {"dh16", PART_GROUP, DH_MODP4096, 0, false},
    {"dh17", PART_GROUP, DH_MODP6144, 0, false},
    {"dh18", PART_GROUP, DH_MODP8192, 0, false},
    {"dh19", PART_GROUP, DH_ECP256, 0, false},
    {"dh20", PART_GROUP, DH_ECP384, 0, false},
    {"dh21", PART_GROUP, DH_ECP521, 0, false},
    {"dh31", PART_GROUP, DH_X25519, 0, false},
    {"null", PART_NOTHING, 0, 0, false}, /* libreswan: the integrity of aes_gcm */
    {"noesn", PART_NOTHING, 0, 0, false},
};

/* What was said of one suite so far. */
struct said {
    unsigned cipher, hash, prf, group;
    uint16_t bits;
    bool truncate_96, nothing;
};

#define PART_MAX 64

static void tell_bad(char *bad, const char *part)
{
    if (bad)
        (void)snprintf(bad, PART_MAX, "%s", part);
}

static const struct part *find_part(const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (strcmp(parts[i].name, text) == 0)
            return &parts[i];
    return NULL;
}

/* "sha2-256": the number behind the hyphen belongs to the hash before it. */
static bool take_sha2_bits(const char *text, struct said *said)
{
    if (said->hash != HASH_SHA256)
        return false;
    if (strcmp(text, "256") == 0)
        return true;
    if (strcmp(text, "384") == 0)
        said->hash = HASH_SHA384;
    else if (strcmp(text, "512") == 0)
        said->hash = HASH_SHA512;
    else
        return false;
    return true;
}

static bool take_once(unsigned *slot, unsigned id)
{
    if (*slot != 0)
        return false;
    *slot = id;
    return true;
}

static bool take_part(const char *text, struct said *said)
{
    const struct part *p = find_part(text);

    if (!p)
        return take_sha2_bits(text, said);
    switch (p->kind) {
    case PART_CIPHER:
        said->bits = p->bits;
        return take_once(&said->cipher, p->id);
    case PART_HASH:
        said->truncate_96 = p->truncate_96;
        return take_once(&said->hash, p->id);
    case PART_PRF:
        return take_once(&said->prf, p->id);
    case PART_GROUP:
        return take_once(&said->group, p->id);
    case PART_NOTHING:
        said->nothing = true;
        return true;
    }
    return false;
}

/* The next token up to one of `stops`, lower-cased and without white space; false when too long. */
static bool next_token(const char **at, const char *stops, char out[PART_MAX])
{
    size_t n = 0;

    for (; **at && !strchr(stops, **at); (*at)++) {
        if (isspace((unsigned char)**at))
            continue;
        if (n == PART_MAX - 1) {
            out[n] = '\0';
            return false;
        }
        out[n++] = (char)tolower((unsigned char)**at);
    }
    out[n] = '\0';
    return true;
}

typedef bool (*add_suite)(const struct said *said, struct policy *p);

static bool add_ike(const struct said *said, struct policy *p)
{
    unsigned hash = said->hash ? said->hash : said->prf ? said->prf : HASH_SHA1;

    /* IKEv1 negotiates one hash for both (RFC 2409 4); GCM has no number there. */
    if (p->n_ike == IKE_SUITES_MAX || said->cipher == CIPHER_NONE || said->truncate_96 ||
        said->cipher == CIPHER_AES_GCM || (said->prf && said->prf != hash) || said->nothing)
        return false;
    p->ike[p->n_ike++] = (struct ike_suite){
        .cipher = (enum cipher_id)said->cipher,
        .key_bits = said->bits,
        .hash = (enum hash_id)hash,
        .group = said->group ? (enum dh_group)said->group : DH_MODP2048,
    };
    return true;
}

static bool add_esp(const struct said *said, struct policy *p)
{
    bool gcm = said->cipher == CIPHER_AES_GCM;
    unsigned hash = gcm ? HASH_NONE : said->hash ? said->hash : HASH_SHA1;

    if (p->n_esp == ESP_SUITES_MAX || said->cipher == CIPHER_NONE || said->prf ||
        (gcm && said->hash))
        return false;
    p->esp[p->n_esp++] = (struct esp_suite){
        .cipher = (enum cipher_id)said->cipher,
        .key_bits = said->bits,
        .integ = (enum hash_id)hash,
        .truncate_96 = said->truncate_96,
    };
    /* A group behind an ESP suite asks for PFS; one quick mode has one group. */
    if (said->group && p->pfs == DH_NONE)
        p->pfs = (enum dh_group)said->group;
    return true;
}

/* One suite, up to ',' or ';'. `suite` gets its text for a complaint about the whole. */
static bool read_suite(const char **at, struct said *said, char *suite, char *bad)
{
    const char *from = *at;

    for (;;) {
        char token[PART_MAX];

        if (!next_token(at, "-,;!", token) || token[0] == '\0' || !take_part(token, said)) {
            tell_bad(bad, token);
            return false;
        }
        if (**at != '-')
            break;
        (*at)++;
    }
    (void)snprintf(suite, PART_MAX, "%.*s", (int)(*at - from), from);
    return true;
}

/* libreswan puts the group behind a semicolon: "aes256-sha1;modp1024". */
static bool group_follows(const char *at, struct said *said)
{
    char token[PART_MAX];
    const struct part *p;

    if (*at++ != ';' || said->group != 0 || !next_token(&at, ",;!-", token))
        return false;
    p = find_part(token);
    return p && p->kind == PART_GROUP;
}

static bool parse_list(const char *list, struct policy *work, add_suite add, char *bad)
{
    const char *at = list;

    for (;;) {
        struct said said = {0};
        char suite[PART_MAX];

        if (!read_suite(&at, &said, suite, bad))
            return false;
        if (group_follows(at, &said)) {
            at++;
            if (!read_suite(&at, &said, suite, bad))
                return false;
        }
        if (!add(&said, work)) {
            tell_bad(bad, suite);
            return false;
        }
        if (*at == '!')
            at++;
        while (isspace((unsigned char)*at))
            at++;
        if (*at == '\0')
            return true;
        if (*at != ',' && *at != ';') {
            tell_bad(bad, at);
            return false;
        }
        at++;
        while (isspace((unsigned char)*at))
            at++;
        if (*at == '\0') /* a list may end in its separator */
            return true;
    }
}

bool policy_parse_ike(const char *list, struct policy *inout, char *bad)
{
    struct policy work = *inout;

    work.n_ike = 0;
    memset(work.ike, 0, sizeof(work.ike));
    if (!parse_list(list, &work, add_ike, bad))
        return false;
    *inout = work;
    return true;
}

bool policy_parse_esp(const char *list, struct policy *inout, char *bad)
{
    struct policy work = *inout;

    work.n_esp = 0;
    work.pfs = DH_NONE;
    memset(work.esp, 0, sizeof(work.esp));
    if (!parse_list(list, &work, add_esp, bad))
        return false;
    *inout = work;
    return true;
}

/* ---- judging and showing ---- */
bool ike_suite_is_weak(const struct ike_suite *s)
{
    if (s->cipher == CIPHER_DES_CBC || s->hash == HASH_MD5 || s->group == DH_MODP768 ||
        s->group == DH_MODP1024)
        return true;
    return s->cipher == CIPHER_3DES_CBC && s->group == DH_MODP1536;
}

bool esp_suite_is_weak(const struct esp_suite *s)
{
    return s->cipher == CIPHER_DES_CBC || s->integ == HASH_MD5 || s->truncate_96;
}

const char *suite_cipher_text(enum cipher_id id, unsigned key_bits, char out[24])
{
    static const char *const names[] = {
        [CIPHER_NONE] = "none",       [CIPHER_DES_CBC] = "DES-CBC", [CIPHER_3DES_CBC] = "3DES-CBC",
        [CIPHER_AES_CBC] = "AES-CBC", [CIPHER_AES_GCM] = "AES-GCM",
    };
    const char *name = (unsigned)id < ARRAY_LEN(names) ? names[id] : "?";

    if (key_bits)
        (void)snprintf(out, 24, "%s-%u", name, key_bits);
    else
        (void)snprintf(out, 24, "%s", name);
    return out;
}
