/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Windows' phone book, rasphone.pbk: an entry a section. It holds no secrets. What is not named
 * here is housekeeping of Windows.
 */
#include "profile/internal.h"

#include <string.h>

/* AuthRestrictions: a set of logins. */
enum {
    AR_PAP = 0x8,
    AR_CHAP = 0x20,
    AR_MSCHAP = 0x40,
    AR_EAP = 0x80,
    AR_MSCHAPV2 = 0x200
};

/* "" when it is not there; free by g_free(). */
static char *value_of(GKeyFile *kf, const char *group, const char *key)
{
    char *raw = g_key_file_get_value(kf, group, key, NULL);

    return raw ? g_strstrip(raw) : g_strdup("");
}

static unsigned number_of(GKeyFile *kf, const char *group, const char *key, unsigned otherwise)
{
    char *raw = value_of(kf, group, key);
    unsigned v = otherwise;

    if (*raw && strspn(raw, "0123456789") == strlen(raw) && strlen(raw) < 9)
        v = (unsigned)g_ascii_strtoull(raw, NULL, 10);
    g_free(raw);
    return v;
}

/* Why an entry is none of ours, as a msgid; NULL: it is. */
static const char *other_kind(GKeyFile *kf, const char *entry)
{
    char *device = value_of(kf, entry, "Device");
    unsigned strategy = number_of(kf, entry, "VpnStrategy", 0);
    const char *what = NULL;

    if (number_of(kf, entry, "Type", 2) != 2)
        what = N_("a dial-up or broadband connection");
    else if (strategy == 1 || strategy == 9)
        what = N_("a PPTP connection");
    else if (strategy == 5 || strategy == 6 || strategy == 12)
        what = N_("an SSTP connection");
    else if (strategy == 7 || strategy == 8 || strategy == 14)
        what = N_("an IKEv2 connection");
    else if (strategy != 3 && strategy != 4 && strategy != 13 && !contains_ci(device, "L2TP"))
        what = N_("a connection of no certain protocol");
    g_free(device);
    return what;
}

static void take_logins(l2tpc_profile *p, GKeyFile *kf, const char *entry)
{
    unsigned bits = number_of(kf, entry, "AuthRestrictions", AR_MSCHAPV2);
    struct logins l = {
        .mschapv2 = bits & AR_MSCHAPV2, .chap = bits & AR_CHAP, .pap = bits & AR_PAP};

    if (bits & AR_EAP || number_of(kf, entry, "CustomAuthKey", 0) > 0)
        notes_add(p->notes, NOTE_EAP_LOST, NULL, "AuthRestrictions");
    if (!l.mschapv2 && !l.chap && !l.pap)
        l.mschapv2 = true;
    profile_set_logins(p, l);
}

static void take_dns(l2tpc_profile *p, GKeyFile *kf, const char *entry)
{
    static const char *const keys[] = {"IpDnsAddress", "IpDns2Address"};
    GString *list = g_string_new(NULL);
    char *suffix = value_of(kf, entry, "IpDnsSuffix");

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        char *address = value_of(kf, entry, keys[i]);
        l2tpc_profile_note *fault =
            l2tpc_profile_value_fault(L2TPC_PROFILE_DATA, "ipcp-peer-ip", address);

        if (*address && !fault && strcmp(address, "0.0.0.0") != 0)
            g_string_append_printf(list, "%s;", address);
        l2tpc_profile_note_free(fault);
        g_free(address);
    }
    if (list->len > 0)
        g_key_file_set_value(p->settings, "ipv4", "dns", list->str);
    if (*suffix)
        profile_put_setting(p, "ipv4", "dns-search", suffix);
    g_string_free(list, TRUE);
    g_free(suffix);
}

static void take_entry(struct import *in, GKeyFile *kf, const char *entry)
{
    l2tpc_profile *p = import_profile(in, entry);
    unsigned strategy = number_of(kf, entry, "VpnStrategy", 0);
    char *host = value_of(kf, entry, "PhoneNumber");
    char *script = value_of(kf, entry, "CustomScript");

    if (p) {
        (void)profile_put(p, L2TPC_PROFILE_DATA, "gateway", host);
        take_logins(p, kf, entry);
        take_dns(p, kf, entry);
        if (number_of(kf, entry, "IpPrioritizeRemote", 1) == 0)
            profile_put_setting(p, "ipv4", "never-default", "true");
        if (strategy != 3)
            notes_add(p->notes, NOTE_PROTOCOL_FIRST, NULL, NULL);
        if (number_of(kf, entry, "DataEncryption", 256) < 256)
            notes_add(p->notes, NOTE_ENCRYPTION_OPTIONAL, "DataEncryption", NULL);
        if (number_of(kf, entry, "IpAssign", 1) == 2)
            notes_add(p->notes, NOTE_NOT_UNDERSTOOD, "IpAddress", NULL);
        if (*script && strcmp(script, "0") != 0)
            notes_add(p->notes, NOTE_NOT_UNDERSTOOD, "CustomScript", NULL);
        if (number_of(kf, entry, "IpSecFlags", 1) & 1) {
            notes_add(p->notes, NOTE_PSK_MISSING, NULL, NULL);
        } else {
            l2tpc_profile_set(p, L2TPC_PROFILE_DATA, "machine-auth-type", "tls");
            notes_add(p->notes, NOTE_CERTIFICATE_LOST, NULL, NULL);
        }
    }
    g_free(script);
    g_free(host);
}

/* Windows' key Encoding=1 would mean to GKeyFile that the file is in the character set "1". */
static char *without_encoding(const char *text)
{
    char *out = g_strdup(text);

    for (char *at = out; *at;) {
        if (has_prefix_ci(at, "Encoding="))
            *at = '#';
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    return out;
}

void import_pbk(struct import *in, const struct source *s)
{
    GKeyFile *kf = g_key_file_new();
    char *text = without_encoding(s->text);
    GError *error = NULL;
    char **entries = NULL;

    if (!g_key_file_load_from_data(kf, text, strlen(text), G_KEY_FILE_NONE, &error)) {
        import_fail(in, NOTE_DAMAGED, error->message);
        g_clear_error(&error);
    } else {
        entries = g_key_file_get_groups(kf, NULL);
        for (gsize i = 0; entries[i]; i++) {
            const char *other = other_kind(kf, entries[i]);

            if (other)
                notes_add(in->notes, NOTE_SKIPPED, entries[i], other);
            else
                take_entry(in, kf, entries[i]);
        }
    }
    g_strfreev(entries);
    g_key_file_unref(kf);
    g_free(text);
}

/* ---- out ---- */

static void write_dns(const struct export *out, GString *text)
{
    char *dns = profile_setting(out->p, "ipv4", "dns");
    char **list = g_strsplit_set(dns, ";,", 3);
    char *suffix = profile_setting(out->p, "ipv4", "dns-search");

    if (list[0] && *list[0]) {
        g_string_append(text, "IpNameAssign=2\r\n");
        g_string_append_printf(text, "IpDnsAddress=%s\r\n", list[0]);
        g_string_append_printf(text, "IpDns2Address=%s\r\n",
                               list[1] && *list[1] ? list[1] : "0.0.0.0");
    }
    suffix[strcspn(suffix, ";")] = '\0';
    if (*suffix)
        g_string_append_printf(text, "IpDnsSuffix=%s\r\n", suffix);
    g_free(suffix);
    g_strfreev(list);
    g_free(dns);
}

void export_pbk(struct export *out)
{
    static const char *const carried[] = {"gateway",
                                          "ipsec-enabled",
                                          "machine-auth-type",
                                          "refuse-pap",
                                          "refuse-chap",
                                          "refuse-mschapv2",
                                          "refuse-eap",
                                          "refuse-mschap",
                                          "net.l2tpc.policy",
                                          "net.l2tpc.allow",
                                          NULL};
    const char *id = l2tpc_profile_get_id(out->p);
    struct logins l = profile_logins(out->p);
    bool certificate = text_is(export_text(out, L2TPC_PROFILE_DATA, "machine-auth-type"), "tls");
    bool split = profile_setting_true(out->p, "ipv4", "never-default");
    GString *text = text_new(1024);

    if (!value_fits(id, "[]"))
        notes_add(out->notes, NOTE_NO_CHARACTER, "id", NULL);
    g_string_append_printf(text, "[%s]\r\nEncoding=1\r\nPBVersion=4\r\nType=2\r\n", id);
    g_string_append_printf(text, "VpnStrategy=3\r\nDataEncryption=256\r\nAuthRestrictions=%d\r\n",
                           (l.mschapv2 ? AR_MSCHAPV2 : 0) | (l.chap ? AR_CHAP : 0) |
                               (l.pap ? AR_PAP : 0));
    g_string_append_printf(text, "IpPrioritizeRemote=%d\r\nIpSecFlags=%d\r\n", split ? 0 : 1,
                           certificate ? 0 : 1);
    write_dns(out, text);
    g_string_append(text, "\r\nNETCOMPONENTS=\r\nms_msclient=1\r\nms_server=1\r\n\r\n"
                          "MEDIA=rastapi\r\nPort=VPN2-0\r\nDevice=WAN Miniport (L2TP)\r\n\r\n"
                          "DEVICE=vpn\r\n");
    g_string_append_printf(text, "PhoneNumber=%s\r\n",
                           export_text(out, L2TPC_PROFILE_DATA, "gateway"));
    export_lost_others(out, carried);
    export_file(out, "rasphone.pbk", text);
}
