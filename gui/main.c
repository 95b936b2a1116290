/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "application.h"

#include <glib/gi18n.h>
#include <locale.h>

/* Tests run a program that was only built, with catalogues that were only built. */
static const char *locale_dir(void)
{
#if L2TPC_TEST_HOOKS
    if (g_getenv("L2TPC_GUI_LOCALE_DIR"))
        return g_getenv("L2TPC_GUI_LOCALE_DIR");
#endif
    return L2TPC_LOCALE_DIR;
}

int main(int argc, char **argv)
{
    g_autoptr(L2dApplication) application = NULL;

    (void)setlocale(LC_ALL, "");
    (void)bindtextdomain(GETTEXT_PACKAGE, locale_dir());
    (void)bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    (void)textdomain(GETTEXT_PACKAGE);
    g_set_application_name(_("L2TP Dialer"));
    application = l2d_application_new();
    return g_application_run(G_APPLICATION(application), argc, argv);
}
