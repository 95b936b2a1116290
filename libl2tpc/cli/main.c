/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli.h"

#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} verbs[] = {
    {"connect", N_("dial a server and stay connected"), cmd_connect},
    {"status", N_("show running connections"), cmd_status},
    {"disconnect", N_("end a running connection politely"), cmd_disconnect},
    {"explain", N_("say what a failure code means and what to do"), cmd_explain},
};

#define N_VERBS (sizeof(verbs) / sizeof(verbs[0]))

void complain(const char *format, ...)
{
    va_list ap;

    (void)fputs("l2tpc: ", stderr);
    va_start(ap, format);
    (void)vfprintf(stderr, format, ap);
    va_end(ap);
    (void)fputc('\n', stderr);
}

bool parse_number(const char *text, unsigned least, unsigned most, unsigned *out)
{
    unsigned long v;

    if (!*text || strlen(text) > 9 || strspn(text, "0123456789") != strlen(text))
        return false;
    v = strtoul(text, NULL, 10);
    if (v < least || v > most)
        return false;
    *out = (unsigned)v;
    return true;
}

static void help(FILE *out)
{
    (void)fprintf(out, "%s\n\n", _("l2tpc - connect to L2TP/IPsec servers"));
    (void)fprintf(out, "%s\n", _("Usage: l2tpc COMMAND [OPTIONS]"));
    for (size_t i = 0; i < N_VERBS; i++)
        (void)fprintf(out, "  %-12s %s\n", verbs[i].name, _(verbs[i].summary));
    (void)fprintf(out, "\n%s\n",
                  _("l2tpc COMMAND --help tells more; l2tpc --version names the version."));
}

int main(int argc, char **argv)
{
    (void)setlocale(LC_ALL, "");
    (void)bindtextdomain("l2tpc", L2TPC_LOCALE_DIR);
    (void)textdomain("l2tpc");
    if (argc < 2) {
        help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        help(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)printf("l2tpc %s\n", l2tpc_version());
        return 0;
    }
    for (size_t i = 0; i < N_VERBS; i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    complain(_("'%s' is not a command. See: l2tpc --help"), argv[1]);
    return EXIT_USAGE;
}
