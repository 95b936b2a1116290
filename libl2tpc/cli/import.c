/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* l2tpc import: files of other programs become profiles. */
#include "cli/profiles.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

struct import_options {
    const char *to, *name;
    bool check;
};

static void help(void)
{
    l2tpc_profile_format f;

    (void)printf("%s\n\n", _("Usage: l2tpc import FILE... [--to DIR] [--name N] [--check]"));
    (void)printf("%s\n\n",
                 _("Makes profiles of what other programs have stored or exported, and says what "
                   "was lost.\nWhat a file is, is seen from its contents. ipsec.conf, "
                   "xl2tpd.conf, ipsec.secrets,\nchap-secrets and pppd's options are given "
                   "together."));
    (void)printf("  %-12s %s\n", "--to DIR", _("write to this folder instead of the profiles'"));
    (void)printf("  %-12s %s\n", "--name N", _("name of the profile, instead of the file's"));
    (void)printf("  %-12s %s\n\n", "--check", _("say what would come of it, and write nothing"));
    for (unsigned i = 0; l2tpc_profile_format_at(i, &f); i++)
        (void)printf("  %-15s %s\n", f.name, _(f.title));
}

static bool save(l2tpc_profile *p, const struct import_options *o)
{
    const char *dir = o->to ? o->to : profiles_dir();
    GPtrArray *files = NULL;
    GPtrArray *notes = NULL;
    bool ok = false;
    char path[2048];

    if (l2tpc_profile_export(p, "networkmanager", L2TPC_PROFILE_WITH_SECRETS, &files, &notes) !=
        L2TPC_PROFILE_OK) {
        profiles_complain(l2tpc_profile_get_id(p), notes);
        g_ptr_array_unref(notes);
        return false;
    }
    if (g_mkdir_with_parents(dir, 0700) < 0) {
        complain(_("%s cannot be made: %s."), dir, strerror(errno));
    } else {
        const l2tpc_profile_file *f = g_ptr_array_index(files, 0);

        if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, f->name) < sizeof(path))
            ok = profiles_write(path, f->bytes);
    }
    if (ok)
        profiles_say("%s", path);
    g_ptr_array_unref(files);
    g_ptr_array_unref(notes);
    return ok;
}

/* What a dial of it would say as well: errors, so that nobody is surprised later. */
static void print_dial_errors(const l2tpc_profile *p)
{
    GPtrArray *notes = l2tpc_profile_check(p);

    for (guint i = 0; i < notes->len; i++) {
        const l2tpc_profile_note *n = g_ptr_array_index(notes, i);

        if (n->severity == L2TPC_PROFILE_ERROR)
            profiles_print_note(n);
    }
    g_ptr_array_unref(notes);
}

static int take_profiles(GPtrArray *profiles, const struct import_options *o)
{
    int status = 0;

    if (o->name && profiles->len > 1) {
        complain(_("The files hold %u connections; leave out --name."), profiles->len);
        return EXIT_USAGE;
    }
    for (guint i = 0; i < profiles->len; i++) {
        l2tpc_profile *p = g_ptr_array_index(profiles, i);

        if (o->name)
            l2tpc_profile_set_id(p, o->name);
        else if (!*l2tpc_profile_get_id(p))
            l2tpc_profile_set_id(p, "l2tp");
        if (o->check)
            profiles_say("%s", l2tpc_profile_get_id(p));
        else if (!save(p, o))
            status = EXIT_LOCAL;
        profiles_print_notes(l2tpc_profile_get_notes(p));
        print_dial_errors(p);
    }
    return status;
}

static int import_all(char **paths, int n, const struct import_options *o)
{
    l2tpc_profile_file files[L2TPC_PROFILE_FILES_MAX] = {0};
    GPtrArray *profiles = NULL;
    GPtrArray *notes = NULL;
    int status = 0;

    for (int i = 0; i < n && status == 0; i++) {
        files[i].name = paths[i];
        files[i].bytes = profiles_read(paths[i], NULL);
        if (!files[i].bytes)
            status = EXIT_USAGE;
    }
    if (status == 0 &&
        l2tpc_profile_import(files, (gsize)n, &profiles, &notes) != L2TPC_PROFILE_OK) {
        profiles_complain(paths[0], notes);
        status = EXIT_USAGE;
    } else if (status == 0) {
        status = take_profiles(profiles, o);
        profiles_print_notes(notes);
        g_ptr_array_unref(profiles);
    }
    if (notes)
        g_ptr_array_unref(notes);
    for (int i = 0; i < n; i++)
        g_bytes_unref(files[i].bytes);
    return status;
}

int cmd_import(int argc, char **argv)
{
    static const struct option longs[] = {
        {"to", required_argument, NULL, 't'},
        {"name", required_argument, NULL, 'n'},
        {"check", no_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct import_options o = {0};
    int id;

    opterr = 0;
    while ((id = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
        if (id == 'h') {
            help();
            return 0;
        }
        if (id != 't' && id != 'n' && id != 'c') {
            complain(id == ':' ? _("%s needs a value. See: l2tpc import --help")
                               : _("%s is not an option. See: l2tpc import --help"),
                     argv[optind - 1]);
            return EXIT_USAGE;
        }
        if (id == 'c')
            o.check = true;
        else
            *(id == 't' ? &o.to : &o.name) = optarg;
    }
    if (optind == argc) {
        complain(_("Which file is to be imported? See: l2tpc import --help"));
        return EXIT_USAGE;
    }
    if (argc - optind > (int)L2TPC_PROFILE_FILES_MAX) {
        complain(_("%d files are too many at once: %u is the most."), argc - optind,
                 L2TPC_PROFILE_FILES_MAX);
        return EXIT_USAGE;
    }
    if (o.name && (!*o.name || strchr(o.name, '/') || o.name[0] == '.')) {
        complain(_("'%s' cannot name a profile."), o.name);
        return EXIT_USAGE;
    }
    return import_all(argv + optind, argc - optind, &o);
}
