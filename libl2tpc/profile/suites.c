/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of proposals as others spell them. */
#include "profile/internal.h"

#include <string.h>

/* Of NetworkManager-l2tp when nothing is said; with its weakest group at the end, not in between.
 */
const char NM_L2TP_IKE[] =
    "aes256-sha2_256-modp2048,aes256-sha2_256-modp1536,aes256-sha1-ecp384,aes128-sha1-ecp256,"
    "aes256-sha1-modp2048,aes256-sha1-modp1536,3des-sha1-modp2048,aes256-sha2_256-modp1024,"
    "aes256-sha1-modp1024,aes128-sha1-modp1024,3des-sha1-modp1024";
const char NM_L2TP_ESP[] = "aes256-sha1,aes128-sha1,3des-sha1";

static void take_word(struct suite_names *s, const char *word, gsize n)
{
    char *slot = s->cipher;
    gsize cap = sizeof(s->cipher);
    char text[24];

    if (n == 0 || n >= sizeof(text))
        return;
    for (gsize i = 0; i < n; i++)
        text[i] = g_ascii_tolower(word[i]);
    text[n] = '\0';
    if (g_str_has_prefix(text, "modp") || g_str_has_prefix(text, "ecp") ||
        g_str_has_prefix(text, "dh") || g_str_has_prefix(text, "curve") ||
        g_str_has_prefix(text, "x25519")) {
        slot = s->group;
        cap = sizeof(s->group);
    } else if (g_str_has_prefix(text, "sha") || g_str_has_prefix(text, "md5")) {
        slot = s->hash;
        cap = sizeof(s->hash);
    }
    (void)g_strlcpy(slot, text, cap);
}

/* One spelling of what is the same. */
static void normalize(struct suite_names *s)
{
    static const char *const same[][2] = {
        {"sha", "sha1"},          {"sha2", "sha256"},
        {"sha2_256", "sha256"},   {"sha2_384", "sha384"},
        {"sha2_512", "sha512"},   {"dh2", "modp1024"},
        {"dh5", "modp1536"},      {"dh14", "modp2048"},
        {"dh19", "ecp256"},       {"dh20", "ecp384"},
        {"dh21", "ecp521"},       {"aes", "aes128"},
        {"x25519", "curve25519"}, {"dh15", "modp3072"},
        {"dh16", "modp4096"},     {NULL, NULL},
    };
    const char *hash = name_ours(same, s->hash);
    const char *group = name_ours(same, s->group);
    const char *cipher = name_ours(same, s->cipher);

    if (hash)
        (void)g_strlcpy(s->hash, hash, sizeof(s->hash));
    if (group)
        (void)g_strlcpy(s->group, group, sizeof(s->group));
    if (cipher)
        (void)g_strlcpy(s->cipher, cipher, sizeof(s->cipher));
}

GArray *suites_of(const char *list)
{
    GArray *out = g_array_new(FALSE, TRUE, sizeof(struct suite_names));
    struct suite_names s = {0};

    for (const char *at = list; *at && out->len < 64;) {
        gsize n = strcspn(at, "-;, !");

        take_word(&s, at, n);
        at += n;
        if ((*at == ',' || *at == '\0' || *at == ' ' || *at == '!') && s.cipher[0]) {
            normalize(&s);
            (void)g_array_append_val(out, s);
            memset(&s, 0, sizeof(s));
        }
        at += *at != '\0';
    }
    return out;
}

void suite_append(GString *list, const char *cipher, const char *hash, const char *group)
{
    if (list->len > 0)
        g_string_append_c(list, ',');
    g_string_append(list, cipher);
    if (hash && *hash)
        g_string_append_printf(list, "-%s", hash);
    if (group && *group)
        g_string_append_printf(list, "-%s", group);
}

const char *name_ours(const char *const (*rows)[2], const char *theirs)
{
    for (; theirs && (*rows)[0]; rows++)
        if (g_ascii_strcasecmp((*rows)[0], theirs) == 0)
            return (*rows)[1];
    return NULL;
}

const char *name_theirs(const char *const (*rows)[2], const char *ours)
{
    for (; ours && (*rows)[0]; rows++)
        if (strcmp((*rows)[1], ours) == 0)
            return (*rows)[0];
    return NULL;
}

static bool is_weak(const char *word)
{
    static const char *const weak[] = {"des", "3des", "md5", "modp768", "modp1024", "modp1536"};

    for (gsize i = 0; i < G_N_ELEMENTS(weak); i++)
        if (strcmp(word, weak[i]) == 0)
            return true;
    return false;
}

void suites_note_weak(GPtrArray *notes, const char *key, const char *list)
{
    GArray *suites = suites_of(list);

    for (guint i = 0; i < suites->len; i++) {
        const struct suite_names *s = &g_array_index(suites, struct suite_names, i);

        if (is_weak(s->cipher))
            notes_add(notes, NOTE_WEAK_SUITE, key, s->cipher);
        if (is_weak(s->hash))
            notes_add(notes, NOTE_WEAK_SUITE, key, s->hash);
        if (is_weak(s->group))
            notes_add(notes, NOTE_WEAK_SUITE, key, s->group);
    }
    g_array_unref(suites);
}
