/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A profile as the files of a set-up by hand. */
#include "profile/internal.h"

#include <string.h>

static void write_ipsec_conf(struct export *out, const char *name)
{
    const char *ike = export_text(out, L2TPC_PROFILE_DATA, "ipsec-ike");
    const char *esp = export_text(out, L2TPC_PROFILE_DATA, "ipsec-esp");
    const char *peer = export_text(out, L2TPC_PROFILE_DATA, "ipsec-remote-id");
    const char *own = export_text(out, L2TPC_PROFILE_USER, "net.l2tpc.local-id");
    const char *certificate = export_text(out, L2TPC_PROFILE_DATA, "machine-cert");
    bool tls = text_is(export_text(out, L2TPC_PROFILE_DATA, "machine-auth-type"), "tls");
    GString *text = text_new(1024);

    if (!*own)
        own = export_text(out, L2TPC_PROFILE_DATA, "ipsec-group-name");
    g_string_append_printf(text, "conn %s\n\ttype=transport\n\tkeyexchange=ikev1\n\tauto=add\n",
                           name);
    g_string_append_printf(text, "\tleft=%%defaultroute\n\tleftprotoport=udp/l2tp\n\tright=%s\n",
                           export_text(out, L2TPC_PROFILE_DATA, "gateway"));
    g_string_append_printf(text, "\trightprotoport=udp/l2tp\n\tauthby=%s\n",
                           tls ? "rsasig" : "secret");
    if (tls && *certificate)
        g_string_append_printf(text, "\tleftcert=%s\n", certificate);
    if (*peer)
        g_string_append_printf(text, "\trightid=\"%s\"\n", peer);
    if (*own)
        g_string_append_printf(text, "\tleftid=\"%s\"\n", own);
    if (*ike)
        g_string_append_printf(text, "\tike=%s\n", ike);
    if (*esp)
        g_string_append_printf(text, "\tesp=%s\n", esp);
    if (text_is(export_text(out, L2TPC_PROFILE_USER, "net.l2tpc.encapsulation"), "udp") ||
        key_yes(out->p, L2TPC_PROFILE_DATA, "ipsec-forceencaps"))
        g_string_append(text, "\tforceencaps=yes\n");
    export_file(out, "ipsec.conf", text);
}

static void write_xl2tpd_conf(struct export *out, const char *name)
{
    GString *text = text_new(512);

    g_string_append_printf(text, "[lac %s]\nlns = %s\n", name,
                           export_text(out, L2TPC_PROFILE_DATA, "gateway"));
    g_string_append(text, "pppoptfile = /etc/ppp/options.l2tpd.client\nlength bit = yes\n");
    if (text_is(export_text(out, L2TPC_PROFILE_USER, "net.l2tpc.reconnect"), "on"))
        g_string_append(text, "redial = yes\nredial timeout = 10\n");
    export_file(out, "xl2tpd.conf", text);
}

static void append_quoted(struct export *out, GString *text, const char *key, const char *value)
{
    if (!value_fits(value, "\""))
        notes_add(out->notes, NOTE_NO_CHARACTER, key, NULL);
    g_string_append_c(text, '"');
    for (const char *c = value; *c; c++) {
        if (*c == '\\')
            g_string_append_c(text, '\\');
        g_string_append_c(text, *c);
    }
    g_string_append_c(text, '"');
}

static void write_secrets(struct export *out, const char *user)
{
    const char *psk = export_secret(out, "ipsec-psk");
    const char *password = export_secret(out, "password");
    GString *text;

    if (psk) {
        char *base64 = g_base64_encode((const guchar *)psk, strlen(psk));

        text = text_new(1024);
        g_string_append_printf(text, "%%any %s : PSK 0s%s\n",
                               export_text(out, L2TPC_PROFILE_DATA, "gateway"), base64);
        secret_free(base64);
        export_file(out, "ipsec.secrets", text);
    }
    if (password) {
        text = text_new(1024);
        append_quoted(out, text, "user", user);
        g_string_append(text, " * ");
        append_quoted(out, text, "password", password);
        g_string_append(text, " *\n");
        export_file(out, "chap-secrets", text);
    }
}

void export_swan(struct export *out)
{
    static const char *const carried[] = {"gateway",
                                          "user",
                                          "domain",
                                          "ipsec-enabled",
                                          "ipsec-psk",
                                          "machine-auth-type",
                                          "machine-cert",
                                          "refuse-pap",
                                          "refuse-chap",
                                          "refuse-mschapv2",
                                          "refuse-eap",
                                          "refuse-mschap",
                                          "mru",
                                          "ipsec-ike",
                                          "ipsec-esp",
                                          "ipsec-remote-id",
                                          "ipsec-group-name",
                                          "ipsec-forceencaps",
                                          "net.l2tpc.policy",
                                          "net.l2tpc.allow",
                                          "net.l2tpc.local-id",
                                          "net.l2tpc.encapsulation",
                                          "net.l2tpc.reconnect",
                                          NULL};
    char *user = export_user(out);
    char *name = export_name(out);
    GString *text = text_new(1024);

    for (char *c = name; *c; c++)
        if (!g_ascii_isalnum(*c) && !strchr("._-", *c))
            *c = '-';
    write_ipsec_conf(out, name);
    write_xl2tpd_conf(out, name);
    g_string_append(text, "name ");
    append_quoted(out, text, "user", user);
    g_string_append_c(text, '\n');
    pppd_write(out, text);
    export_file(out, "options.l2tpd.client", text);
    write_secrets(out, user);
    if (text_is(export_text(out, L2TPC_PROFILE_DATA, "machine-auth-type"), "tls"))
        export_lost(out, L2TPC_PROFILE_DATA, "machine-key");
    export_lost_others(out, carried);
    g_free(name);
    g_free(user);
}
