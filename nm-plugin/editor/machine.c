/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "machine.h"

#include "clinic.h"

#include <glib/gi18n-lib.h>
#include <nma-cert-chooser.h>
#include <nma-ui-utils.h>
#include <string.h>

#define DATA L2TPC_PROFILE_DATA
#define SECRETS L2TPC_PROFILE_SECRETS

void machine_init(struct machine *m, struct form *form, NMConnection *connection)
{
    NMSettingVpn *vpn = nm_connection_get_setting_vpn(connection);

    *m = (struct machine){.form = form};
    m->flags = vpn ? NM_SETTING_VPN(nm_setting_duplicate(NM_SETTING(vpn)))
                   : NM_SETTING_VPN(nm_setting_vpn_new());
}

void machine_clear(struct machine *m)
{
    GtkWidget **controls[] = {&m->password, &m->psk, &m->certificate, &m->ca, &m->check, &m->kind};

    if (m->pending)
        g_source_remove(m->pending);
    m->pending = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(controls); i++) { /* they may live longer than the editor */
        g_signal_handlers_disconnect_by_data(*controls[i], m);
        g_clear_object(controls[i]);
    }
    g_clear_object(&m->flags);
}

static const char *value(const struct machine *m, int table, const char *key)
{
    return l2tpc_profile_get(m->form->profile, table, key);
}

static const char *psk_of(const struct machine *m)
{
    const char *psk = value(m, SECRETS, "ipsec-psk");

    return psk && *psk ? psk : value(m, DATA, "ipsec-psk");
}

/* ---- an entry for a secret ---- */

static void on_password(GtkWidget *entry, struct machine *m)
{
    form_put(m->form, SECRETS, "password", tk_text(entry));
}

static void on_psk(GtkWidget *entry, struct machine *m)
{
    if (m->form->filling)
        return;
    /* Old profiles have it where everybody can read it. */
    l2tpc_profile_set(m->form->profile, DATA, "ipsec-psk", NULL);
    form_put(m->form, SECRETS, "ipsec-psk", tk_text(entry));
    clinic_show_psk(m->psk_verdict, tk_text(entry));
}

static void on_show(GtkWidget *check, GtkWidget *entry)
{
    gtk_entry_set_visibility(GTK_ENTRY(entry), tk_ticked(check));
}

/* The menu changes flags, which are no text. */
static void on_storage(GObject *entry, GParamSpec *spec, struct machine *m)
{
    (void)entry, (void)spec;
    if (!m->form->filling)
        m->form->changed(m->form->user);
}

static GtkWidget *secret_entry(struct machine *m, const char *key, const char *text, gboolean fresh,
                               GCallback changed)
{
    GtkWidget *entry = g_object_ref(gtk_entry_new());

    gtk_entry_set_visibility(GTK_ENTRY(entry), FALSE);
    gtk_entry_set_input_purpose(GTK_ENTRY(entry), GTK_INPUT_PURPOSE_PASSWORD);
    gtk_widget_set_hexpand(entry, TRUE);
    tk_set_text(entry, text);
    if (fresh)
        (void)nm_setting_set_secret_flags(NM_SETTING(m->flags), key,
                                          NM_SETTING_SECRET_FLAG_AGENT_OWNED, NULL);
    nma_utils_setup_password_storage(entry, NM_SETTING_SECRET_FLAG_NONE, NM_SETTING(m->flags), key,
                                     FALSE, FALSE);
    g_signal_connect(entry, "changed", changed, m);
    g_signal_connect(entry, "notify::secondary-icon-name", G_CALLBACK(on_storage), m);
    return entry;
}

static int attach_secret(GtkWidget *grid, int row, const char *label, const char *show,
                         GtkWidget *entry)
{
    GtkWidget *check = gtk_check_button_new_with_mnemonic(show);

    gtk_grid_attach(GTK_GRID(grid), form_label(label, entry), 0, row, 1, 1);
    gtk_grid_attach(GTK_GRID(grid), entry, 1, row, 1, 1);
    gtk_grid_attach(GTK_GRID(grid), check, 1, row + 1, 1, 1);
    g_signal_connect(check, "toggled", G_CALLBACK(on_show), entry);
    return row + 2;
}

int machine_add_password(struct machine *m, GtkWidget *grid, int row, gboolean fresh)
{
    m->password =
        secret_entry(m, "password", value(m, SECRETS, "password"), fresh, G_CALLBACK(on_password));
    return attach_secret(grid, row, _("_Password"), _("Show passw_ord"), m->password);
}

/* ---- certificates ---- */

static gboolean look(gpointer data)
{
    struct machine *m = data;

    m->pending = 0;
    clinic_show_certificate(m->certificate_verdict, value(m, DATA, "machine-cert"),
                            value(m, DATA, "machine-key"), value(m, DATA, "machine-ca"),
                            value(m, SECRETS, "machine-certpass"), FALSE);
    return G_SOURCE_REMOVE;
}

static void look_soon(struct machine *m)
{
    if (m->pending)
        g_source_remove(m->pending);
    m->pending = g_timeout_add(300, look, m);
}

static void on_check(GtkWidget *button, struct machine *m)
{
    (void)button;
    clinic_show_certificate(m->certificate_verdict, value(m, DATA, "machine-cert"),
                            value(m, DATA, "machine-key"), value(m, DATA, "machine-ca"),
                            value(m, SECRETS, "machine-certpass"), TRUE);
}

static void take(struct machine *m, const char *key, char *chosen)
{
    l2tpc_profile_set(m->form->profile, DATA, key, chosen && *chosen ? chosen : NULL);
    g_free(chosen);
}

static void on_chosen(NMACertChooser *chooser, struct machine *m)
{
    NMSetting8021xCKScheme scheme;
    const char *pass;

    (void)chooser;
    if (m->form->filling)
        return;
    take(m, "machine-cert", nma_cert_chooser_get_cert(NMA_CERT_CHOOSER(m->certificate), &scheme));
    take(m, "machine-key", nma_cert_chooser_get_key(NMA_CERT_CHOOSER(m->certificate), &scheme));
    take(m, "machine-ca", nma_cert_chooser_get_cert(NMA_CERT_CHOOSER(m->ca), &scheme));
    pass = nma_cert_chooser_get_key_password(NMA_CERT_CHOOSER(m->certificate));
    form_put(m->form, SECRETS, "machine-certpass", pass);
    look_soon(m);
}

static NMSetting8021xCKScheme scheme_of(const char *place)
{
    return g_str_has_prefix(place, "pkcs11:") ? NM_SETTING_802_1X_CK_SCHEME_PKCS11
                                              : NM_SETTING_802_1X_CK_SCHEME_PATH;
}

static void fill_choosers(struct machine *m)
{
    NMACertChooser *own = NMA_CERT_CHOOSER(m->certificate);
    const char *place;

    m->form->filling = TRUE;
    if ((place = value(m, DATA, "machine-cert")) && *place)
        nma_cert_chooser_set_cert(own, place, scheme_of(place));
    if ((place = value(m, DATA, "machine-key")) && *place)
        nma_cert_chooser_set_key(own, place, scheme_of(place));
    if ((place = value(m, SECRETS, "machine-certpass")) && *place)
        nma_cert_chooser_set_key_password(own, place);
    if ((place = value(m, DATA, "machine-ca")) && *place)
        nma_cert_chooser_set_cert(NMA_CERT_CHOOSER(m->ca), place, scheme_of(place));
    m->form->filling = FALSE;
}

static GtkWidget *certificate_part(struct machine *m, gboolean fresh)
{
    GtkWidget *column = tk_column(6);

    m->certificate = nma_cert_chooser_new(_("Our"), NMA_CERT_CHOOSER_FLAG_NONE);
    m->ca = nma_cert_chooser_new(_("CA"),
                                 NMA_CERT_CHOOSER_FLAG_CERT | NMA_CERT_CHOOSER_FLAG_NO_PASSWORDS);
    m->certificate_verdict = tk_column(4);
    m->check = gtk_button_new_with_mnemonic(_("Chec_k"));
    gtk_widget_set_halign(m->check, GTK_ALIGN_START);
    gtk_widget_set_tooltip_text(m->check,
                                _("Looks at the certificates; a token is asked to sign something"));
    if (fresh)
        (void)nm_setting_set_secret_flags(NM_SETTING(m->flags), "machine-certpass",
                                          NM_SETTING_SECRET_FLAG_AGENT_OWNED, NULL);
    nma_cert_chooser_setup_key_password_storage(NMA_CERT_CHOOSER(m->certificate),
                                                NM_SETTING_SECRET_FLAG_NONE, NM_SETTING(m->flags),
                                                "machine-certpass", FALSE, FALSE);
    g_object_ref(m->certificate);
    g_object_ref(m->ca);
    g_object_ref(m->check);
    fill_choosers(m);
    g_signal_connect(m->certificate, "changed", G_CALLBACK(on_chosen), m);
    g_signal_connect(m->ca, "changed", G_CALLBACK(on_chosen), m);
    g_signal_connect(m->check, "clicked", G_CALLBACK(on_check), m);
    tk_append(column, m->certificate, FALSE);
    tk_append(column, m->ca, FALSE);
    tk_append(column, m->certificate_verdict, FALSE);
    tk_append(column, m->check, FALSE);
    return column;
}

/* ---- one or the other ---- */

static void show_part(struct machine *m)
{
    gboolean tls = g_strcmp0(value(m, DATA, "machine-auth-type"), "tls") == 0;

    gtk_widget_set_visible(m->psk_part, !tls);
    gtk_widget_set_visible(m->certificate_part, tls);
}

static void on_kind(GtkComboBox *combo, struct machine *m)
{
    form_put(m->form, DATA, "machine-auth-type",
             gtk_combo_box_get_active(combo) == 1 ? "tls" : "psk");
    show_part(m);
    look_soon(m);
}

static GtkWidget *psk_part(struct machine *m, gboolean fresh)
{
    GtkWidget *grid = tk_grid();
    int row;

    m->psk = secret_entry(m, "ipsec-psk", psk_of(m), fresh, G_CALLBACK(on_psk));
    row = attach_secret(grid, 0, _("Pre-shared _key"), _("Sho_w key"), m->psk);
    gtk_widget_set_tooltip_text(m->psk, _("Bytes that are no text: 0s and base64 behind it"));
    m->psk_verdict = tk_column(4);
    clinic_show_psk(m->psk_verdict, psk_of(m));
    gtk_grid_attach(GTK_GRID(grid), m->psk_verdict, 1, row, 1, 1);
    return grid;
}

int machine_add(struct machine *m, GtkWidget *grid, int row, gboolean fresh)
{
    GtkSizeGroup *labels = gtk_size_group_new(GTK_SIZE_GROUP_HORIZONTAL);
    GtkWidget *kind = g_object_ref(gtk_combo_box_text_new());
    GtkWidget *label = form_label(_("_Authentication"), kind);

    gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(kind), _("Pre-shared key"));
    gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(kind), _("Certificate"));
    gtk_combo_box_set_active(GTK_COMBO_BOX(kind),
                             g_strcmp0(value(m, DATA, "machine-auth-type"), "tls") == 0);
    gtk_widget_set_tooltip_text(kind, _("How this computer and the server know each other"));
    gtk_widget_set_hexpand(kind, TRUE);
    g_signal_connect(kind, "changed", G_CALLBACK(on_kind), m);
    gtk_grid_attach(GTK_GRID(grid), label, 0, row, 1, 1);
    gtk_grid_attach(GTK_GRID(grid), kind, 1, row, 1, 1);
    m->kind = kind;
    m->psk_part = psk_part(m, fresh);
    m->certificate_part = certificate_part(m, fresh);
    gtk_grid_attach(GTK_GRID(grid), m->psk_part, 0, row + 1, 2, 1);
    gtk_grid_attach(GTK_GRID(grid), m->certificate_part, 0, row + 2, 2, 1);
    gtk_size_group_add_widget(labels, label);
    gtk_size_group_add_widget(labels, gtk_grid_get_child_at(GTK_GRID(m->psk_part), 0, 0));
    nma_cert_chooser_add_to_size_group(NMA_CERT_CHOOSER(m->certificate), labels);
    nma_cert_chooser_add_to_size_group(NMA_CERT_CHOOSER(m->ca), labels);
    g_object_unref(labels);
    tk_show(m->psk_part);
    tk_show(m->certificate_part);
    tk_hide(m->psk_part);
    tk_hide(m->certificate_part);
    show_part(m);
    (void)look(m);
    return row + 3;
}

/* ---- back ---- */

static void store_flags(l2tpc_profile *p, const char *key, NMSettingSecretFlags flags)
{
    char *name = g_strconcat(key, "-flags", NULL);
    char number[16];

    (void)g_snprintf(number, sizeof(number), "%u", (unsigned)flags);
    /* None is the default; what was written out stays so. */
    if (flags != NM_SETTING_SECRET_FLAG_NONE || l2tpc_profile_get(p, DATA, name))
        l2tpc_profile_set(p, DATA, name, number);
    if (flags & (NM_SETTING_SECRET_FLAG_NOT_SAVED | NM_SETTING_SECRET_FLAG_NOT_REQUIRED))
        l2tpc_profile_set(p, SECRETS, key, NULL);
    g_free(name);
}

void machine_store(const struct machine *m, l2tpc_profile *p)
{
    gboolean tls = g_strcmp0(l2tpc_profile_get(p, DATA, "machine-auth-type"), "tls") == 0;

    store_flags(p, "password", nma_utils_menu_to_secret_flags(m->password));
    store_flags(p, "ipsec-psk", nma_utils_menu_to_secret_flags(m->psk));
    if (tls)
        store_flags(p, "machine-certpass",
                    nma_cert_chooser_get_key_password_flags(NMA_CERT_CHOOSER(m->certificate)));
}
