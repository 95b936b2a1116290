/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "window.h"

#include <glib/gi18n-lib.h>
#include <nma-vpn-password-dialog.h>

/* libnma's dialog has three entries. */
static const struct slot {
    void (*show)(NMAVpnPasswordDialog *, gboolean);
    void (*label)(NMAVpnPasswordDialog *, const char *);
    void (*set)(NMAVpnPasswordDialog *, const char *);
    const char *(*get)(NMAVpnPasswordDialog *);
} slots[] = {
    {nma_vpn_password_dialog_set_show_password, nma_vpn_password_dialog_set_password_label,
     nma_vpn_password_dialog_set_password, nma_vpn_password_dialog_get_password},
    {nma_vpn_password_dialog_set_show_password_secondary,
     nma_vpn_password_dialog_set_password_secondary_label,
     nma_vpn_password_dialog_set_password_secondary,
     nma_vpn_password_dialog_get_password_secondary},
    {nma_vpn_password_dialog_set_show_password_ternary,
     nma_vpn_password_dialog_set_password_ternary_label,
     nma_vpn_password_dialog_set_password_ternary, nma_vpn_password_dialog_get_password_ternary},
};

static gboolean ask_some(const char *title, const char *message, struct asked **some, gsize n)
{
    GtkWidget *widget = nma_vpn_password_dialog_new(title, message, NULL);
    NMAVpnPasswordDialog *dialog = NMA_VPN_PASSWORD_DIALOG(widget);
    gboolean ok;

    for (gsize i = 0; i < G_N_ELEMENTS(slots); i++)
        slots[i].show(dialog, i < n);
    for (gsize i = 0; i < n; i++) {
        char *label = g_strdup_printf("%s:", _(some[i]->label));

        slots[i].label(dialog, label);
        slots[i].set(dialog, some[i]->value);
        g_free(label);
    }
    nma_vpn_password_dialog_focus_password(dialog);
#if GTK_MAJOR_VERSION == 3
    gtk_widget_show(widget);
#endif
    ok = nma_vpn_password_dialog_run_and_block(dialog);
    for (gsize i = 0; ok && i < n; i++)
        asked_set(some[i], slots[i].get(dialog));
    return ok;
}

gboolean window_ask(const char *title, const char *message, struct asked *a, gsize n)
{
    struct asked *some[G_N_ELEMENTS(slots)];
    gsize k = 0;

#if GTK_MAJOR_VERSION == 3
    if (!gtk_init_check(NULL, NULL))
        return FALSE;
#else
    if (!gtk_init_check())
        return FALSE;
#endif
    for (gsize i = 0; i < n; i++) {
        if (a[i].ask)
            some[k++] = &a[i];
        if (k > 0 && (k == G_N_ELEMENTS(slots) || i + 1 == n)) {
            if (!ask_some(title, message, some, k))
                return FALSE;
            k = 0;
        }
    }
    return TRUE;
}
