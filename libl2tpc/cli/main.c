/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli.h"

#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} verbs[] = {
    {"connect", N_("dial a server and stay connected"), cmd_connect},
    {"run", N_("run one command inside a tunnel, without any right"), cmd_run},
    {"status", N_("show running connections"), cmd_status},
    {"disconnect", N_("end a running connection politely"), cmd_disconnect},
    {"unblock", N_("lift a kill switch that a connection has left"), cmd_unblock},
    {"explain", N_("say what a failure code means and what to do"), cmd_explain},
    {"forget", N_("forget what was learned about a server"), cmd_forget},
    {"certificate", N_("look at certificates, or ask a CA for one"), cmd_certificate},
    {"scan", N_("tell which IKE algorithms a server accepts"), cmd_scan},
    {"servers", N_("list the kinds of server that are known"), cmd_servers},
    {"psk", N_("judge a pre-shared key, or make a good one"), cmd_psk},
    {"import", N_("make profiles of other programs' files"), cmd_import},
    {"export", N_("write a profile for another program"), cmd_export},
    {"migrate", N_("tell what becomes of NetworkManager's L2TP connections"), cmd_migrate},
};

#define N_VERBS (sizeof(verbs) / sizeof(verbs[0]))

/*
 * A file or socket must never become descriptor 0, 1 or 2: what is printed would go there. Closed
 * ones are opened the wrong way round, so that reading and writing still fail.
 */
static bool hold_standard_descriptors(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return false;
    return true;
}

/* Texts that reached nobody are a failure, but a connection that was up is not undone by it. */
static int finish(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    complain(_("The output could not be written."));
    return status == 0 ? EXIT_LOCAL : status;
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
    if (!hold_standard_descriptors())
        return EXIT_LOCAL;
    (void)l2tpc_protect_crypto(); /* before OpenSSL has taken its first block */
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
        return finish(0);
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)printf("l2tpc %s\n", l2tpc_version());
        return finish(0);
    }
    for (size_t i = 0; i < N_VERBS; i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return finish(verbs[i].run(argc - 1, argv + 1));
    complain(_("'%s' is not a command. See: l2tpc --help"), argv[1]);
    return EXIT_USAGE;
}
