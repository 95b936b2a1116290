/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps what a dial has learned of its server under the name of the connection; and l2tpc forget.
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *state_dir(void)
{
    const char *set = getenv("L2TPC_STATE_DIR");

    return set && set[0] == '/' && strlen(set) < 200 ? set : L2TPC_HOST_STATE_DIR;
}

static void note(const struct adapter *a, const char *what, int rc)
{
    if (a->options->verbose)
        (void)fprintf(stderr, "I memory: %s %s: %s\n", what, a->options->name,
                      rc < 0 ? strerror(-rc) : "ok");
}

void memory_load(struct adapter *a, l2tpc_config *config)
{
    bool off = a->options->no_memory || !a->host; /* l2tpc run has nowhere to keep anything */
    char *text = off ? NULL : malloc(L2TPC_HOST_STATE_MAX + 1);
    int n;

    if (!text)
        return;
    n = l2tpc_host_state_read(a->host, a->options->name, text, L2TPC_HOST_STATE_MAX + 1);
    note(a, "read", n);
    /* What is too long to be read is there, and unreadable. */
    if (n == -EFBIG)
        (void)l2tpc_config_set_learned(config, text, L2TPC_HOST_STATE_MAX + 1);
    else if (n > 0)
        (void)l2tpc_config_set_learned(config, text, (size_t)n);
    else if (n == 0)
        (void)l2tpc_config_set_learned(config, "\n", 1);
    free(text);
}

void memory_save(struct adapter *a, const char *text)
{
    int rc;

    if (!text || a->options->no_memory || (!a->host && !a->client))
        return;
    rc = a->client ? l2tpc_host_client_state_write(a->client, a->options->name, text, strlen(text))
                   : l2tpc_host_state_write(a->host, a->options->name, text, strlen(text));
    note(a, "written", rc);
    if (rc < 0 && (a->client || geteuid() == 0))
        complain(_("What was learned about the server could not be kept in %s: %s"), state_dir(),
                 strerror(-rc));
}

static int forget(const char *name)
{
    l2tpc_host_options options = {
        .size = sizeof(options), .run_dir = run_dir(), .state_dir = state_dir()};
    l2tpc_host *host;
    int rc = l2tpc_host_new(&host, &options);

    if (rc == 0) {
        rc = l2tpc_host_state_forget(host, name);
        l2tpc_host_free(host);
    }
    if (rc == 0 || rc == -ENOENT) {
        (void)printf(rc == 0 ? _("What was learned about %s is forgotten.\n")
                             : _("Nothing was learned about %s.\n"),
                     name);
        return 0;
    }
    if (rc == -EACCES || rc == -EPERM)
        complain(_("This user may not read %s: try sudo l2tpc forget %s"), state_dir(), name);
    else
        complain(_("What was learned about %s could not be removed: %s"), name, strerror(-rc));
    return EXIT_LOCAL;
}

int cmd_forget(int argc, char **argv)
{
    static const char *const usage = N_("Usage: l2tpc forget NAME");

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        (void)printf("%s\n\n%s\n", _(usage),
                     _("Forgets what worked with the server of the connection NAME, which "
                       "identity it had and how\nstrong its algorithms were. The next dial "
                       "learns it anew."));
        return 0;
    }
    if (argc != 2 || !l2tpc_host_name_valid(argv[1])) {
        complain("%s", _(usage));
        return EXIT_USAGE;
    }
    return forget(argv[1]);
}
