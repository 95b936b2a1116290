/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of keys, and what a value may be. */
#include "profile/internal.h"

#include <gio/gio.h>
#include <string.h>

enum type {
    TEXT,
    NAME,
    IDENTITY,
    FLAG,
    NUMBER,
    CHOICE,
    LIST,
    PROPOSALS,
    ADDRESS,
    PLACE,
    SECRET
};

#define USED "used"
#define REFUSED "refused"
#define UNNEEDED "unneeded"
#define DIFFERS "differs"

static const struct row {
    int table;
    const char *name;
    enum type type;
    unsigned least, most;
    const char *choices, *series, *use, *meaning;
} rows[] = {
#define KEY(table, id, name, type, least, most, choices, series, use, meaning)                     \
    {L2TPC_PROFILE_##table, name, type, least, most, choices, series, use, meaning},
#include "profile/keys.def"
#undef KEY
};

static const char *const type_names[] = {
    [TEXT] = "text",       [NAME] = "name",     [IDENTITY] = "identity", [FLAG] = "flag",
    [NUMBER] = "number",   [CHOICE] = "choice", [LIST] = "list",         [PROPOSALS] = "proposals",
    [ADDRESS] = "address", [PLACE] = "file",    [SECRET] = "secret",
};

static const struct row *row_find(int table, const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].table == table && strcmp(rows[i].name, name) == 0)
            return &rows[i];
    /* Old profiles have it among the data. */
    if (table == L2TPC_PROFILE_DATA && strcmp(name, "ipsec-psk") == 0)
        return row_find(L2TPC_PROFILE_SECRETS, name);
    return NULL;
}

static void describe(const struct row *r, l2tpc_profile_key *out)
{
    *out = (l2tpc_profile_key){.table = r->table,
                               .name = r->name,
                               .type = type_names[r->type],
                               .least = r->least,
                               .most = r->most,
                               .choices = r->choices,
                               .series = r->series,
                               .use = r->use,
                               .meaning = r->meaning};
}

gboolean l2tpc_profile_key_at(unsigned index, l2tpc_profile_key *out)
{
    if (index >= G_N_ELEMENTS(rows) || !out)
        return FALSE;
    describe(&rows[index], out);
    return TRUE;
}

bool key_find(int table, const char *name, l2tpc_profile_key *out)
{
    const struct row *r = row_find(table, name);

    if (r)
        describe(r, out);
    return r != NULL;
}

bool text_is(const char *text, const char *other)
{
    return text && other && strcmp(text, other) == 0;
}

bool key_yes(const l2tpc_profile *p, int table, const char *key)
{
    return text_is(l2tpc_profile_get(p, table, key), "yes");
}

bool list_has(const char *list, const char *item)
{
    gsize n = strlen(item);

    for (const char *at = list; at && *at;) {
        gsize word;

        at += strspn(at, ", ");
        word = strcspn(at, ", ");
        if (word == n && strncmp(at, item, n) == 0)
            return true;
        at += word;
    }
    return false;
}

static bool is_choice(const char *choices, const char *value, gsize n)
{
    for (const char *at = choices; *at;) {
        gsize word = strcspn(at, "|");

        if (word == n && strncmp(at, value, n) == 0)
            return true;
        at += word + (at[word] == '|');
    }
    return false;
}

static bool has_control(const char *value)
{
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return true;
    return false;
}

static l2tpc_profile_note *number_fault(const struct row *r, const char *value)
{
    guint64 v;

    if (!*value || strspn(value, "0123456789") != strlen(value))
        return note_new(NOTE_NOT_NUMBER, r->name, value);
    v = strlen(value) > 10 ? G_MAXUINT64 : g_ascii_strtoull(value, NULL, 10);
    return v < r->least || v > r->most ? note_new(NOTE_RANGE, r->name, value) : NULL;
}

static l2tpc_profile_note *list_fault(const struct row *r, const char *value)
{
    for (const char *at = value; *at;) {
        gsize word = strcspn(at, ", ");

        if (word > 0 && !is_choice(r->choices, at, word)) {
            char *item = g_strndup(at, word);
            l2tpc_profile_note *n = note_new(NOTE_NOT_CHOICE, r->name, item);

            g_free(item);
            return n;
        }
        at += word + (at[word] != '\0');
    }
    return NULL;
}

/* Its length is a matter of the bytes behind it; base64 of 512 bytes is 684 letters. */
static l2tpc_profile_note *secret_fault(const struct row *r, const char *value)
{
    gsize n = 0;
    guchar *bytes;

    if (strcmp(r->name, "ipsec-psk") != 0)
        return NULL;
    if (!g_str_has_prefix(value, "0s"))
        return strlen(value) > 512 ? note_new(NOTE_LONG, r->name, "512") : NULL;
    if (strspn(value + 2, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") !=
            strlen(value + 2) ||
        (bytes = g_base64_decode(value + 2, &n)) == NULL)
        return note_new(NOTE_NOT_BASE64, r->name, NULL);
    explicit_bzero(bytes, n);
    g_free(bytes);
    return n == 0 || n > 512 ? note_new(NOTE_NOT_BASE64, r->name, NULL) : NULL;
}

static l2tpc_profile_note *typed_fault(const struct row *r, const char *value)
{
    GInetAddress *address;

    switch (r->type) {
    case FLAG:
        return text_is(value, "yes") || text_is(value, "no")
                   ? NULL
                   : note_new(NOTE_NOT_FLAG, r->name, value);
    case NUMBER:
        return number_fault(r, value);
    case CHOICE:
        return is_choice(r->choices, value, strlen(value))
                   ? NULL
                   : note_new(NOTE_NOT_CHOICE, r->name, value);
    case LIST:
        return list_fault(r, value);
    case NAME:
        return strpbrk(value, " \"'`\\/<>{}()|;&$*?!,") ? note_new(NOTE_NOT_NAME, r->name, value)
                                                        : NULL;
    case IDENTITY:
    case PLACE:
        return strpbrk(value, "\"<>`") ? note_new(NOTE_QUOTED, r->name, value) : NULL;
    case PROPOSALS:
        return strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                             "-_+,;! ") != strlen(value)
                   ? note_new(NOTE_NOT_PROPOSALS, r->name, value)
                   : NULL;
    case ADDRESS:
        if (!*value)
            return NULL;
        address = g_inet_address_new_from_string(value);
        if (!address)
            return note_new(NOTE_NOT_ADDRESS, r->name, value);
        g_object_unref(address);
        return NULL;
    case SECRET:
        return secret_fault(r, value);
    case TEXT:
        break;
    }
    return NULL;
}

static l2tpc_profile_note *length_fault(const struct row *r, const char *name, gsize n)
{
    unsigned least = 0;
    unsigned most = 4096;
    char number[16];

    if (r && r->most > 0 && r->type != NUMBER) {
        least = r->least;
        most = r->most;
    }
    if (n < least)
        return note_new(NOTE_SHORT, name, NULL);
    (void)g_snprintf(number, sizeof(number), "%u", most);
    return n > most ? note_new(NOTE_LONG, name, number) : NULL;
}

l2tpc_profile_note *l2tpc_profile_value_fault(int table, const char *key, const char *value)
{
    const struct row *r = row_find(table, key);
    l2tpc_profile_note *fault = length_fault(r, key, strlen(value));

    if (fault)
        return fault;
    if (!g_utf8_validate(value, -1, NULL))
        return note_new(NOTE_NOT_UTF8, key, NULL);
    if (has_control(value))
        return note_new(NOTE_CONTROL, key, NULL);
    return r ? typed_fault(r, value) : NULL;
}
