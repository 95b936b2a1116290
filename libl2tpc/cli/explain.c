/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* l2tpc explain: the catalogue of failures, for people. */
#include "cli/cli.h"

#include <string.h>

static void print_one(const l2tpc_explanation *e)
{
    (void)printf("%s\n  %s\n  %s\n", e->code, _(e->sentence), _(e->hint));
    (void)printf(_("  Stage: %s. Exit status: %d."), e->stage, e->exit_status);
    if (e->windows_code)
        (void)printf(_(" Windows error: %d."), e->windows_code);
    (void)putchar('\n');
}

int cmd_explain(int argc, char **argv)
{
    l2tpc_explanation e = {.size = sizeof(e)};
    unsigned number;
    bool found = false;

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        (void)printf("%s\n", _("Usage: l2tpc explain CODE\nCODE is a failure code such as "
                               "ike.no-proposal, or a Windows error number; without one the "
                               "codes are listed."));
        return 0;
    }
    if (argc < 2) {
        for (unsigned i = 0; l2tpc_explain_at(i, &e) == L2TPC_OK; i++)
            (void)printf("%-28s %s\n", e.code, _(e.sentence));
        return 0;
    }
    if (argc > 2) {
        complain(_("'%s' is one word too many. See: l2tpc explain --help"), argv[2]);
        return EXIT_USAGE;
    }
    if (l2tpc_explain(argv[1], &e) == L2TPC_OK) {
        print_one(&e);
        return 0;
    }
    for (unsigned i = 0;
         parse_number(argv[1], 600, 999, &number) && l2tpc_explain_at(i, &e) == L2TPC_OK; i++) {
        if (e.windows_code == (int)number) {
            print_one(&e);
            found = true;
        }
    }
    if (found)
        return 0;
    complain(_("There is no failure code '%s'. See: l2tpc explain"), argv[1]);
    return EXIT_USAGE;
}
