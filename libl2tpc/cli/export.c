/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* l2tpc export and l2tpc migrate: profiles for other programs, and those of NetworkManager. */
#include "cli/profiles.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_DIR "/etc/NetworkManager/system-connections"

struct export_options {
    const char *format, *out;
    bool secrets;
};

static void help(void)
{
    l2tpc_profile_format f;

    (void)printf("%s\n\n", _("Usage: l2tpc export PROFILE --to FORMAT [--out PATH [--secrets]]"));
    (void)printf("%s\n\n", _("Writes a profile as another program reads it, and says what that "
                             "format cannot carry.\nPROFILE is a name or the path of a file."));
    (void)printf("  %-12s %s\n", "--to FORMAT", _("one of those below"));
    (void)printf("  %-12s %s\n", "--out PATH",
                 _("a new file, or a folder for the files; otherwise standard output"));
    (void)printf("  %-12s %s\n\n", "--secrets", _("with the secrets, into a file for you alone"));
    for (unsigned i = 0; l2tpc_profile_format_at(i, &f); i++)
        (void)printf("  %-15s %s\n", f.name, _(f.title));
}

static bool is_format(const char *name)
{
    l2tpc_profile_format f;

    for (unsigned i = 0; l2tpc_profile_format_at(i, &f); i++)
        if (strcmp(f.name, name) == 0)
            return true;
    complain(_("'%s' is not a format. See: l2tpc export --help"), name);
    return false;
}

/* Several files are told apart by a line in front of each. */
static void print_files(const GPtrArray *files)
{
    for (guint i = 0; i < files->len; i++) {
        const l2tpc_profile_file *f = g_ptr_array_index(files, i);
        gsize n = 0;
        const char *p = g_bytes_get_data(f->bytes, &n);

        if (files->len > 1)
            (void)printf("%s# %s\n", i > 0 ? "\n" : "", f->name);
        (void)fwrite(p, 1, n, stdout);
    }
}

static bool write_files(const GPtrArray *files, const char *out)
{
    bool folder = g_file_test(out, G_FILE_TEST_IS_DIR) || files->len > 1;
    char path[2048];

    if (folder && g_mkdir_with_parents(out, 0700) < 0) {
        complain(_("%s cannot be made: %s."), out, strerror(errno));
        return false;
    }
    for (guint i = 0; i < files->len; i++) {
        const l2tpc_profile_file *f = g_ptr_array_index(files, i);
        int n = folder ? snprintf(path, sizeof(path), "%s/%s", out, f->name)
                       : snprintf(path, sizeof(path), "%s", out);

        if ((size_t)n >= sizeof(path) || !profiles_write(path, f->bytes))
            return false;
        profiles_say("%s", path);
    }
    return true;
}

static void complain_losses(const GPtrArray *notes)
{
    for (guint i = 0; i < notes->len; i++) {
        const l2tpc_profile_note *n = g_ptr_array_index(notes, i);
        char *text = l2tpc_profile_note_text(n, _(n->sentence));

        complain(_("Lost: %s"), text);
        g_free(text);
    }
}

static int export_one(const char *which, const struct export_options *o)
{
    GPtrArray *files = NULL;
    GPtrArray *notes = NULL;
    l2tpc_profile *p;
    char path[1024];
    int status = 0;

    if (!profiles_find(which, path, sizeof(path)) || !(p = profiles_load(path, NULL)))
        return EXIT_USAGE;
    if (l2tpc_profile_export(p, o->format, o->secrets ? L2TPC_PROFILE_WITH_SECRETS : 0, &files,
                             &notes) != L2TPC_PROFILE_OK) {
        profiles_complain(path, notes);
        status = EXIT_USAGE;
    } else {
        if (!o->out)
            print_files(files);
        else if (!write_files(files, o->out))
            status = EXIT_LOCAL;
        if (status == 0)
            complain_losses(notes);
        g_ptr_array_unref(files);
    }
    g_ptr_array_unref(notes);
    l2tpc_profile_free(p);
    return status;
}

int cmd_export(int argc, char **argv)
{
    static const struct option longs[] = {
        {"to", required_argument, NULL, 't'},
        {"out", required_argument, NULL, 'o'},
        {"secrets", no_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct export_options o = {0};
    int id;

    opterr = 0;
    while ((id = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
        if (id == 'h') {
            help();
            return 0;
        }
        if (id != 't' && id != 'o' && id != 's') {
            complain(id == ':' ? _("%s needs a value. See: l2tpc export --help")
                               : _("%s is not an option. See: l2tpc export --help"),
                     argv[optind - 1]);
            return EXIT_USAGE;
        }
        if (id == 's')
            o.secrets = true;
        else
            *(id == 't' ? &o.format : &o.out) = optarg;
    }
    if (optind + 1 != argc || !o.format) {
        complain(_("Which profile, and to which format? See: l2tpc export --help"));
        return EXIT_USAGE;
    }
    if (o.secrets && !o.out) {
        complain(_("--secrets goes with --out: secrets are never printed."));
        return EXIT_USAGE;
    }
    return is_format(o.format) ? export_one(argv[optind], &o) : EXIT_USAGE;
}

/* ---- migrate ---- */

struct migration {
    unsigned n, n_refused;
};

static int is_candidate(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static const l2tpc_profile_option *misfit(const GPtrArray *options)
{
    const l2tpc_profile_option *found = NULL;
    l2tpc_config *config;

    if (l2tpc_config_new(&config) != L2TPC_OK)
        return NULL;
    for (guint i = 0; i < options->len && !found; i++)
        if (!profiles_option_fits(config, g_ptr_array_index(options, i)))
            found = g_ptr_array_index(options, i);
    l2tpc_config_free(config);
    return found;
}

static void judge(struct migration *m, l2tpc_profile *p, const char *path)
{
    GPtrArray *options = NULL;
    GPtrArray *notes = NULL;
    bool ok = l2tpc_profile_get_dial(p, &options, &notes) == L2TPC_PROFILE_OK;
    const l2tpc_profile_option *fault = ok ? misfit(options) : NULL;

    m->n++;
    m->n_refused += !ok || fault ? 1 : 0;
    profiles_say("%s  (%s)", l2tpc_profile_get_id(p), path);
    profiles_say("  %s",
                 ok && !fault ? _("can be dialed as it is") : _("cannot be dialed as it is"));
    if (fault)
        profiles_say(_("  error: --%s does not take '%s'"), fault->name,
                     fault->is_secret ? "" : fault->value);
    profiles_print_notes(notes);
    g_ptr_array_unref(notes);
    if (options)
        g_ptr_array_unref(options);
}

/* Files of other kinds of connection are passed over; what is damaged is told of. */
static void look_at(struct migration *m, const char *path)
{
    GBytes *bytes = profiles_read(path, NULL);
    l2tpc_profile_file f = {.name = (char *)path, .bytes = bytes};
    GPtrArray *profiles = NULL;
    GPtrArray *notes = NULL;
    int result;

    if (!bytes)
        return;
    result = l2tpc_profile_import(&f, 1, &profiles, &notes);
    if (result == L2TPC_PROFILE_OK) {
        for (guint i = 0; i < profiles->len; i++)
            judge(m, g_ptr_array_index(profiles, i), path);
        g_ptr_array_unref(profiles);
    } else if (result != L2TPC_PROFILE_ENOTSUPPORTED) {
        profiles_complain(path, notes);
        m->n_refused++;
    }
    g_ptr_array_unref(notes);
    g_bytes_unref(bytes);
}

static int migrate(const char *dir)
{
    struct dirent **entries = NULL;
    struct migration m = {0};
    int n = scandir(dir, &entries, is_candidate, alphasort);

    if (n < 0) {
        complain(_("%s cannot be read: %s."), dir, strerror(errno));
        return EXIT_LOCAL;
    }
    for (int i = 0; i < n; i++) {
        char path[2048];

        if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name) < sizeof(path))
            look_at(&m, path);
        free(entries[i]);
    }
    free(entries);
    if (m.n == 0)
        profiles_say(_("There is no L2TP connection in %s."), dir);
    return m.n_refused > 0 ? EXIT_LOCAL : 0;
}

int cmd_migrate(int argc, char **argv)
{
    static const struct option longs[] = {
        {"check", no_argument, NULL, 'c'},
        {"from", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *dir = CONNECTIONS_DIR;
    bool check = false;
    int id;

    opterr = 0;
    while ((id = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
        if (id == 'h') {
            (void)printf("%s\n", _("Usage: l2tpc migrate --check [--from DIR]\nLists the "
                                   "connections of NetworkManager-l2tp on this computer, and what "
                                   "l2tpc will do\ndifferently with each. Nothing is changed: "
                                   "they are used as they are."));
            return 0;
        }
        if (id != 'c' && id != 'f') {
            complain(id == ':' ? _("%s needs a value. See: l2tpc migrate --help")
                               : _("%s is not an option. See: l2tpc migrate --help"),
                     argv[optind - 1]);
            return EXIT_USAGE;
        }
        if (id == 'c')
            check = true;
        else
            dir = optarg;
    }
    if (!check || optind < argc) {
        complain(_("Say l2tpc migrate --check: connections are used as they are, there is nothing "
                   "else to do."));
        return EXIT_USAGE;
    }
    return migrate(dir);
}
