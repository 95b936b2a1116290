/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables of servers: the files of people, and l2tpc servers. */
#include "cli/cli.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define SERVERS_DIR "/etc/l2tpc/servers.d"

static int is_table(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return entry->d_name[0] != '.' && n > 7 && strcmp(entry->d_name + n - 7, ".quirks") == 0;
}

/* A table that is wrong is told of and left out: the dial goes on with the others. */
static void load_one(l2tpc_context *context, const char *dir, const char *name)
{
    l2tpc_servers_problem problem = {.size = sizeof(problem)};
    struct file_bytes file = {0};
    char path[1024];

    if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path) ||
        !file_read(path, &file))
        return;
    if (l2tpc_context_add_servers(context, name, file.bytes, file.n, &problem) != L2TPC_OK)
        complain(_("%s, line %u: %s The file is ignored."), path, problem.line,
                 problem.sentence ? _(problem.sentence) : "");
    file_forget(&file);
}

void servers_load(l2tpc_context *context, const char *dir)
{
    const char *where = dir ? dir : SERVERS_DIR;
    struct dirent **entries = NULL;
    int n = scandir(where, &entries, is_table, alphasort);

    if (n < 0 && (dir || errno != ENOENT))
        complain(_("%s cannot be read: %s."), where, strerror(errno));
    for (int i = 0; i < n; i++) {
        load_one(context, where, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

/* ---- l2tpc servers ---- */

static void print_list(const char *title, const char *list)
{
    while (*list) {
        size_t n = strcspn(list, "\n");

        (void)printf("  %s%s%.*s\n", title ? title : "", title ? " " : "", (int)n, list);
        list += n + (list[n] == '\n');
    }
}

static void print_line(const char *title, const char *text)
{
    if (text[0])
        (void)printf("  %s %s\n", title, text);
}

/* As a table is written, so that a row can be taken over into one of one's own. */
static void print_kind(const l2tpc_server_kind *k)
{
    (void)printf("server %s\n", k->name);
    (void)printf("  # %s, %u\n", k->origin, k->line);
    print_list(NULL, k->conditions);
    print_list("quirk", k->quirks);
    print_list("suggest", k->suggestions);
    print_line("note", k->note);
    print_line("source", k->source);
}

static int list(const char *dir, const char *wanted)
{
    const l2tpc_context_options options = {.size = sizeof(options),
                                           .flags = L2TPC_CONTEXT_CALLER_LOOP};
    l2tpc_server_kind k = {.size = sizeof(k)};
    l2tpc_context *context;
    bool found = false;

    if (l2tpc_context_new(&context, &options) != L2TPC_OK)
        return EXIT_LOCAL;
    servers_load(context, dir);
    for (unsigned i = 0; l2tpc_servers_at(context, i, &k) == L2TPC_OK; i++) {
        if (wanted && strcasecmp(wanted, k.name) != 0)
            continue;
        print_kind(&k);
        found = true;
    }
    l2tpc_context_free(context);
    if (found)
        return 0;
    complain(_("There is no server '%s' in the tables. See: l2tpc servers"), wanted);
    return EXIT_USAGE;
}

int cmd_servers(int argc, char **argv)
{
    static const struct option longs[] = {
        {"servers-dir", required_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *dir = NULL;
    int id;

    opterr = 0;
    while ((id = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
        if (id == 'h') {
            (void)printf("%s\n",
                         _("Usage: l2tpc servers [NAME] [--servers-dir DIR]\nLists the kinds of "
                           "server that are known, and what tells each of them."));
            return 0;
        }
        if (id != 'd') {
            complain(id == ':' ? _("%s needs a value. See: l2tpc servers --help")
                               : _("%s is not an option. See: l2tpc servers --help"),
                     argv[optind - 1]);
            return EXIT_USAGE;
        }
        dir = optarg;
    }
    if (optind + 1 < argc) {
        complain(_("'%s' is one word too many. See: l2tpc servers --help"), argv[optind + 1]);
        return EXIT_USAGE;
    }
    return list(dir, optind < argc ? argv[optind] : NULL);
}
