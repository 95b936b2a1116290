/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "clinic.h"

#include "form.h"

#include <glib/gi18n-lib.h>
#include <l2tpc.h>
#include <string.h>

#define FILE_MAX_BYTES (1 << 20)
#define CHECKS_MAX 16

/* A sentence of the library with {value} filled in. */
static char *fill(const char *msgid, const char *value)
{
    char **parts = g_strsplit(_(msgid), "{value}", -1);
    char *text = g_strjoinv(value, parts);

    g_strfreev(parts);
    return text;
}

static void say(GtkWidget *box, int state, const char *sentence, const char *hint,
                const char *value)
{
    static const struct {
        const char *icon, *style;
    } looks[] = {
        [L2TPC_CHECK_GOOD] = {"emblem-ok-symbolic", "success"},
        [L2TPC_CHECK_WARNING] = {"dialog-warning-symbolic", "warning"},
        [L2TPC_CHECK_BAD] = {"dialog-error-symbolic", "error"},
        [L2TPC_CHECK_UNKNOWN] = {"dialog-question-symbolic", "dim-label"},
    };
    char *first = fill(sentence, value);
    char *second = hint && *hint ? fill(hint, value) : NULL;
    char *text = second ? g_strconcat(first, " ", second, NULL) : g_strdup(first);

    tk_append(box, form_sentence(looks[state].icon, looks[state].style, text), FALSE);
    g_free(text);
    g_free(second);
    g_free(first);
}

static void wipe_free(void *text, gsize n)
{
    if (text)
        explicit_bzero(text, n);
    g_free(text);
}

void clinic_show_psk(GtkWidget *box, const char *psk)
{
    l2tpc_psk_strength s = {.size = sizeof(s)};
    gboolean encoded = psk && g_str_has_prefix(psk, "0s");
    gsize n = psk && !encoded ? strlen(psk) : 0;
    guchar *bytes = encoded ? g_base64_decode(psk + 2, &n) : (guchar *)g_strndup(psk ? psk : "", n);

    tk_empty(box);
    if (n > 0 && l2tpc_psk_estimate(bytes, n, &s) == L2TPC_OK) {
        static const int states[] = {[L2TPC_PSK_GOOD] = L2TPC_CHECK_GOOD,
                                     [L2TPC_PSK_WEAK] = L2TPC_CHECK_WARNING,
                                     [L2TPC_PSK_VERY_WEAK] = L2TPC_CHECK_BAD};
        GtkWidget *bar = gtk_level_bar_new_for_interval(0, 128);
        char bits[16];

        (void)g_snprintf(bits, sizeof(bits), "%u", s.bits);
        gtk_level_bar_add_offset_value(GTK_LEVEL_BAR(bar), GTK_LEVEL_BAR_OFFSET_LOW, 40);
        gtk_level_bar_add_offset_value(GTK_LEVEL_BAR(bar), GTK_LEVEL_BAR_OFFSET_HIGH, 64);
        gtk_level_bar_add_offset_value(GTK_LEVEL_BAR(bar), GTK_LEVEL_BAR_OFFSET_FULL, 128);
        gtk_level_bar_set_value(GTK_LEVEL_BAR(bar), MIN(s.bits, 128));
        tk_name(bar, _("Strength of the pre-shared key"), bits);
        tk_append(box, bar, FALSE);
        say(box, states[s.verdict], s.sentence, s.hint, bits);
        if (s.odd_ends)
            say(box, L2TPC_CHECK_WARNING,
                N_("The key begins or ends with a sign or a blank, which some servers refuse."),
                NULL, "");
    }
    wipe_free(bytes, n);
    tk_show(box);
}

struct blob {
    char *bytes;
    gsize n;
};

static gboolean is_uri(const char *place)
{
    return place && g_str_has_prefix(place, "pkcs11:");
}

/* FALSE: something was chosen that cannot be read, and is told. */
static gboolean load(GtkWidget *box, const char *path, struct blob *out)
{
    GError *error = NULL;
    GFileInfo *info;
    GFile *file;
    gboolean small;

    if (!path || !*path || is_uri(path))
        return TRUE;
    file = g_file_new_for_path(path);
    info = g_file_query_info(file, "standard::*", G_FILE_QUERY_INFO_NONE, NULL, NULL);
    small = !info || (g_file_info_get_file_type(info) == G_FILE_TYPE_REGULAR &&
                      g_file_info_get_size(info) <= FILE_MAX_BYTES);
    g_clear_object(&info);
    g_object_unref(file);
    if (small && g_file_get_contents(path, &out->bytes, &out->n, &error))
        return TRUE;
    say(box, L2TPC_CHECK_BAD, N_("The file cannot be read: {value}."), NULL,
        error ? error->message : path);
    g_clear_error(&error);
    return FALSE;
}

static void examine(GtkWidget *box, const l2tpc_certificate_check *check)
{
    l2tpc_check items[CHECKS_MAX];
    int n;

    memset(items, 0, sizeof(items));
    for (gsize i = 0; i < CHECKS_MAX; i++)
        items[i].size = sizeof(items[i]);
    n = l2tpc_certificate_examine(check, items, CHECKS_MAX);
    if (n < 0)
        say(box, L2TPC_CHECK_BAD, N_("This is no certificate that can be read."), NULL, "");
    for (int i = 0; i < MIN(n, CHECKS_MAX); i++)
        if (items[i].state != L2TPC_CHECK_UNKNOWN)
            say(box, items[i].state, items[i].sentence, items[i].hint, items[i].value);
}

void clinic_show_certificate(GtkWidget *box, const char *certificate, const char *key,
                             const char *ca, const char *passphrase, gboolean ask_token)
{
    struct blob blobs[3] = {{0}};
    l2tpc_certificate_check check = {.size = sizeof(check)};
    gboolean token = is_uri(certificate) || is_uri(key);
    gboolean readable;

    tk_empty(box);
    readable = load(box, certificate, &blobs[0]);
    readable = load(box, key, &blobs[1]) && readable;
    readable = load(box, ca, &blobs[2]) && readable;
    check.certificate = blobs[0].bytes;
    check.certificate_len = blobs[0].n;
    check.key = blobs[1].bytes;
    check.key_len = blobs[1].n;
    check.ca = blobs[2].bytes;
    check.ca_len = blobs[2].n;
    check.passphrase = passphrase && *passphrase ? passphrase : NULL;
    check.passphrase_len = check.passphrase ? strlen(passphrase) : 0;
    check.certificate_uri = is_uri(certificate) ? certificate : NULL;
    check.key_uri = is_uri(key) ? key : NULL;
    if (token && !ask_token)
        say(box, L2TPC_CHECK_UNKNOWN,
            N_("The key is on a token, which is asked only when you press Check."), NULL, "");
    else if (readable && certificate && *certificate)
        examine(box, &check);
    for (gsize i = 0; i < G_N_ELEMENTS(blobs); i++)
        wipe_free(blobs[i].bytes, blobs[i].n);
    tk_show(box);
}
