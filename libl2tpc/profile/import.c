/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of unknown kind: told apart by their contents, given to who knows them. */
#include "profile/internal.h"

#include <string.h>

l2tpc_profile *import_profile(struct import *in, const char *id)
{
    l2tpc_profile *p;

    if (in->profiles->len >= PROFILES_MAX) {
        import_fail(in, NOTE_TOO_MANY, NULL);
        return NULL;
    }
    p = l2tpc_profile_new();
    (void)profile_put_id(p, id);
    g_ptr_array_add(in->profiles, p);
    return p;
}

void import_fail(struct import *in, enum note_id id, const char *value)
{
    notes_add(in->notes, id, NULL, value);
}

/* ---- bytes as text ---- */

/* Windows writes UTF-16 with a mark in front, and UTF-8 with one as well. NULL: it is no text. */
static char *text_of(const char *bytes, gsize n, gsize *out_n)
{
    const unsigned char *p = (const unsigned char *)bytes;
    char *text = NULL;

    if (n >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)))
        text = g_convert(bytes + 2, (gssize)(n - 2), "UTF-8",
                         p[0] == 0xff ? "UTF-16LE" : "UTF-16BE", NULL, out_n, NULL);
    else if (n >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf)
        text = g_strndup(bytes + 3, *out_n = n - 3);
    else
        text = g_strndup(bytes, *out_n = n);
    if (text && (memchr(text, '\0', *out_n) || !g_utf8_validate(text, (gssize)*out_n, NULL))) {
        explicit_bzero(text, *out_n);
        g_free(text);
        text = NULL;
    }
    return text;
}

/* DER of a ContentInfo with signed data, or the PEM of it. */
static bool is_signed(const char *p, gsize n)
{
    static const char oid[] = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";

    if (!p || n <= 30)
        return false;
    if (p[0] == 0x30)
        return memmem(p, 20, oid, sizeof(oid) - 1) != NULL;
    return memcmp(p, "-----BEGIN CMS-----", 19) == 0 || memcmp(p, "-----BEGIN PKCS7-----", 21) == 0;
}

/* ---- which it is ---- */

static bool is_pbk(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '[' &&
           (text_has_line(text, "VpnStrategy=") ||
            (text_has_line(text, "MEDIA=") && text_has_line(text, "DEVICE=")));
}

static bool is_keyfile(const char *text)
{
    return text_has_line(text, "[connection]") &&
           (text_has_line(text, "type=") || text_has_line(text, "type =")) &&
           !text_has_line(text, "#org.freedesktop.NetworkManager");
}

/* One of ours by its first line alone. */
static bool is_nm_conf(const char *text)
{
    const char *at = text + strspn(text, " \t\r\n");

    if (*at != '#')
        return false;
    at += 1 + strspn(at + 1, " \t");
    return (g_str_has_prefix(at, SERVICE_L2TP) || g_str_has_prefix(at, SERVICE_OURS)) &&
           strchr(" \t\r\n", at[strcspn(at, " \t\r\n")]) &&
           (strcspn(at, " \t\r\n") == strlen(SERVICE_L2TP) ||
            strcspn(at, " \t\r\n") == strlen(SERVICE_OURS));
}

static import_function *reader_of(const char *text)
{
    const char *at = text + strspn(text, " \t\r\n");

    if (is_nm_conf(text))
        return import_nm_conf;
    if (*at == '<')
        return strstr(text, "<plist") ? import_apple : NULL;
    if (*at == '{')
        return strstr(text, "\"NetworkConfigurations\"") ||
                       strstr(text, "EncryptedConfiguration") || strstr(text, "\"L2TP-IPsec\"")
                   ? import_onc
                   : NULL;
    if (is_keyfile(text))
        return import_keyfile;
    if (is_pbk(text))
        return import_pbk;
    if (contains_ci(text, "Add-VpnConnection"))
        return import_powershell;
    if (strstr(text, "/interface l2tp-client"))
        return import_mikrotik;
    if (text_has_line(text, "config interface") && strstr(text, "l2tp"))
        return import_openwrt;
    return NULL;
}

/* A part of a set-up by several files is kept until all of them were seen. */
static void keep_part(struct import *in, const char *name, char *text, gsize n, int part)
{
    struct source *s = g_new0(struct source, 1);

    s->name = name;
    s->text = text;
    s->n = n;
    s->kind = part;
    g_ptr_array_add(in->files, s);
}

static void part_free(void *part)
{
    struct source *s = part;

    secret_free((char *)s->text);
    g_free(s);
}

/* Parts that are none by themselves count only beside one that is. */
static int part_of(const char *text, bool with_others)
{
    int part = swan_part(text);

    return part && (with_others || swan_part_stands_alone(part)) ? part : 0;
}

static void import_text(struct import *in, const char *name, char *text, gsize n, bool several)
{
    struct source s = {.name = name, .text = text, .n = n};
    import_function *reader = reader_of(text);
    guint before = in->profiles->len;
    const char *foreign;

    if (n == 0 || text[strspn(text, " \t\r\n")] == '\0') {
        import_fail(in, NOTE_EMPTY_FILE, NULL);
    } else if (reader) {
        reader(in, &s);
        if (in->profiles->len == before && !notes_have_error(in->notes))
            import_fail(in, NOTE_NO_L2TP, NULL);
    } else if (part_of(text, several)) {
        keep_part(in, name, text, n, swan_part(text));
        return;
    } else {
        foreign = foreign_text(text);
        import_fail(in, foreign ? NOTE_FOREIGN : NOTE_UNKNOWN_FILE, foreign);
    }
    secret_free(text);
}

static void import_bytes(struct import *in, const char *name, const char *bytes, gsize n,
                         bool several)
{
    struct source s = {.name = name, .text = bytes, .n = n};
    gsize text_n = 0;
    char *text;

    if (n > L2TPC_PROFILE_FILE_MAX) {
        import_fail(in, NOTE_BIG_FILE, NULL);
    } else if (n >= 8 && memcmp(bytes, "bplist", 6) == 0) {
        import_apple(in, &s);
        if (in->profiles->len == 0 && !notes_have_error(in->notes))
            import_fail(in, NOTE_NO_L2TP, NULL);
    } else if (n > 0 && bytes[0] == 0x30 && n > 4 && (bytes[1] & 0x80)) {
        import_fail(in, NOTE_FOREIGN, N_("a certificate or a key"));
    } else {
        text = text_of(bytes, n, &text_n);
        if (text)
            import_text(in, name, text, text_n, several);
        else
            import_fail(in, NOTE_UNKNOWN_FILE, NULL);
    }
}

static void import_file(struct import *in, const l2tpc_profile_file *f, bool several)
{
    gsize n = 0;
    const char *bytes = g_bytes_get_data(f->bytes, &n);
    const char *name = f->name ? f->name : "";
    GBytes *content;

    if (!is_signed(bytes, n) || n > L2TPC_PROFILE_FILE_MAX) {
        import_bytes(in, name, bytes ? bytes : "", n, several);
        return;
    }
    content = cms_open(bytes, n, in->notes);
    if (!content)
        return;
    bytes = g_bytes_get_data(content, &n);
    import_bytes(in, name, bytes ? bytes : "", n, several);
    g_bytes_unref(content);
}

/* ---- the verdict ---- */

static int result_of(const GPtrArray *notes)
{
    static const char *const malformed[] = {"file.damaged",   "file.signature-bad",
                                            "file.encrypted", "file.too-large",
                                            "file.too-many",  NULL};

    for (guint i = 0; i < notes->len; i++) {
        const l2tpc_profile_note *n = g_ptr_array_index(notes, i);

        if (n->severity == L2TPC_PROFILE_ERROR)
            return g_strv_contains(malformed, n->code) ? L2TPC_PROFILE_EMALFORMED
                                                       : L2TPC_PROFILE_ENOTSUPPORTED;
    }
    return L2TPC_PROFILE_OK;
}

/* A profile with a value that none may have takes the whole import with it. */
static int judge(struct import *in)
{
    int result = result_of(in->notes);

    for (guint i = 0; i < in->profiles->len && result == L2TPC_PROFILE_OK; i++) {
        l2tpc_profile *p = g_ptr_array_index(in->profiles, i);

        notes_sort(p->notes);
        if (!notes_have_error(p->notes))
            continue;
        for (guint k = 0; k < p->notes->len; k++) {
            const l2tpc_profile_note *n = g_ptr_array_index(p->notes, k);
            l2tpc_profile_note *copy = g_new0(l2tpc_profile_note, 1);

            *copy = *n;
            copy->key = g_strdup(n->key);
            copy->value = g_strdup(n->value);
            notes_take(in->notes, copy);
        }
        result = L2TPC_PROFILE_EINVALID;
    }
    notes_sort(in->notes);
    return result;
}

static void free_profile(void *p)
{
    l2tpc_profile_free(p);
}

static bool has_leader(const l2tpc_profile_file *files, gsize n_files)
{
    for (gsize i = 0; i < n_files; i++) {
        gsize n = 0;
        const char *bytes = g_bytes_get_data(files[i].bytes, &n);
        char *text = n > 0 && n <= L2TPC_PROFILE_FILE_MAX ? g_strndup(bytes, n) : NULL;
        bool leads = text && swan_part_stands_alone(swan_part(text));

        secret_free(text);
        if (leads)
            return true;
    }
    return false;
}

int l2tpc_profile_import(const l2tpc_profile_file *files, gsize n_files, GPtrArray **out_profiles,
                         GPtrArray **out_notes)
{
    struct import in = {0};
    bool several;
    int result;

    if (!files || n_files < 1 || n_files > L2TPC_PROFILE_FILES_MAX || !out_profiles)
        return L2TPC_PROFILE_EARGUMENT;
    in.profiles = g_ptr_array_new_with_free_func(free_profile);
    in.notes = notes_new();
    in.files = g_ptr_array_new_with_free_func(part_free);
    several = n_files > 1 && has_leader(files, n_files);
    for (gsize i = 0; i < n_files; i++)
        import_file(&in, &files[i], several);
    if (in.files->len > 0) {
        import_swan(&in, NULL);
        if (in.profiles->len == 0)
            import_fail(&in, NOTE_FOREIGN, N_("an IPsec configuration without L2TP"));
    }
    result = judge(&in);
    if (result == L2TPC_PROFILE_OK)
        *out_profiles = in.profiles;
    else
        g_ptr_array_unref(in.profiles);
    if (out_notes)
        *out_notes = in.notes;
    else
        g_ptr_array_unref(in.notes);
    g_ptr_array_unref(in.files);
    return result;
}
