/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of profiles: read with the rights of who asks, written for their owner alone. */
#include "cli/profiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYSTEM_DIR "/etc/l2tpc/profiles"

const char *profiles_dir(void)
{
    static char own[512];
    const char *set = getenv("L2TPC_PROFILES_DIR");
    const char *xdg = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");

    if (set && set[0] == '/')
        return set;
    if (geteuid() == 0)
        return SYSTEM_DIR;
    if (xdg && xdg[0] == '/')
        (void)snprintf(own, sizeof(own), "%s/l2tpc/profiles", xdg);
    else
        (void)snprintf(own, sizeof(own), "%s/.config/l2tpc/profiles", home ? home : "");
    return own;
}

void profiles_say(const char *format, ...)
{
    char text[2048];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    make_harmless(text);
    (void)printf("%s\n", text);
}

struct wiped {
    size_t n;
    unsigned char bytes[];
};

static void wipe_free(void *block)
{
    struct wiped *w = block;

    explicit_bzero(w->bytes, w->n);
    free(w);
}

static ssize_t read_whole(int fd, unsigned char *to, size_t cap)
{
    size_t n = 0;

    while (n < cap) {
        ssize_t got = read(fd, to + n, cap - n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}

static GBytes *read_from(int fd, const char *path)
{
    size_t cap = L2TPC_PROFILE_FILE_MAX + 1; /* one more shows that it is too large */
    struct wiped *w = calloc(1, sizeof(*w) + cap);
    ssize_t n = w ? read_whole(fd, w->bytes, cap) : -1;

    if (n < 0) {
        complain(_("%s cannot be read: %s."), path, strerror(errno));
        free(w);
        return NULL;
    }
    w->n = (size_t)n;
    return g_bytes_new_with_free_func(w->bytes, w->n, wipe_free, w);
}

GBytes *profiles_read(const char *path, struct stat *st)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe without a writer: no wait */
    struct stat own;
    GBytes *bytes = NULL;

    if (fd < 0 || fstat(fd, &own) < 0)
        complain(_("%s cannot be read: %s."), path, strerror(errno));
    else if (!S_ISREG(own.st_mode))
        complain(_("%s is not a file."), path);
    else
        bytes = read_from(fd, path);
    if (fd >= 0)
        (void)close(fd);
    if (st)
        *st = own;
    return bytes;
}

bool profiles_find(const char *which, char *out, size_t size)
{
    bool path = strchr(which, '/') != NULL;
    int n = path ? snprintf(out, size, "%s", which)
                 : snprintf(out, size, "%s/%s%s", profiles_dir(), which, PROFILE_SUFFIX);

    if (n <= 0 || (size_t)n >= size || (!path && which[0] == '.')) {
        complain(_("'%s' cannot name a profile."), which);
        return false;
    }
    if (!path && access(out, F_OK) < 0 && errno == ENOENT) {
        complain(_("There is no profile '%s' in %s. See: l2tpc import --help"), which,
                 profiles_dir());
        return false;
    }
    return true;
}

void profiles_complain(const char *path, const GPtrArray *notes)
{
    for (guint i = 0; i < notes->len; i++) {
        const l2tpc_profile_note *n = g_ptr_array_index(notes, i);
        char *text;

        if (n->severity != L2TPC_PROFILE_ERROR)
            continue;
        text = l2tpc_profile_note_text(n, _(n->sentence));
        complain("%s: %s", path, text);
        g_free(text);
    }
}

l2tpc_profile *profiles_load(const char *path, struct stat *st)
{
    GBytes *bytes = profiles_read(path, st);
    l2tpc_profile_file f = {.name = (char *)path, .bytes = bytes};
    GPtrArray *profiles = NULL;
    GPtrArray *notes = NULL;
    l2tpc_profile *p = NULL;

    if (!bytes)
        return NULL;
    if (l2tpc_profile_import(&f, 1, &profiles, &notes) == L2TPC_PROFILE_OK) {
        if (profiles->len == 1)
            p = g_ptr_array_steal_index(profiles, 0);
        else
            complain(_("%s holds several connections. See: l2tpc import --help"), path);
        g_ptr_array_unref(profiles);
    } else {
        profiles_complain(path, notes);
    }
    g_ptr_array_unref(notes);
    g_bytes_unref(bytes);
    return p;
}

static bool write_whole(int fd, const unsigned char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return fsync(fd) == 0;
}

bool profiles_write(const char *path, GBytes *bytes)
{
    gsize n = 0;
    const unsigned char *p = g_bytes_get_data(bytes, &n);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool ok;

    if (fd < 0 && errno == EEXIST) {
        complain(_("%s is there already; it is not overwritten."), path);
        return false;
    }
    ok = fd >= 0 && write_whole(fd, p, n);
    if (!ok)
        complain(_("%s cannot be written: %s."), path, strerror(errno));
    if (fd >= 0 && close(fd) < 0)
        ok = false;
    if (fd >= 0 && !ok)
        (void)unlink(path);
    return ok;
}

void profiles_print_note(const l2tpc_profile_note *n)
{
    const char *kind = n->severity == L2TPC_PROFILE_ERROR      ? _("error")
                       : n->severity == L2TPC_PROFILE_WEAKNESS ? _("weaker")
                       : n->severity == L2TPC_PROFILE_LOSS     ? _("lost")
                                                               : _("differs");
    /* What a foreign file is comes as a msgid of its own. */
    l2tpc_profile_note translated = *n;
    char *text;

    translated.value = *n->value ? _(n->value) : n->value;
    text = l2tpc_profile_note_text(&translated, _(n->sentence));
    profiles_say("  %s: %s [%s]", kind, text, n->code);
    g_free(text);
}

void profiles_print_notes(const GPtrArray *notes)
{
    for (guint i = 0; i < notes->len; i++)
        profiles_print_note(g_ptr_array_index(notes, i));
}

static int judge(l2tpc_config *config, const l2tpc_profile_option *o)
{
    static const struct {
        const char *name;
        int (*set)(l2tpc_config *, const char *);
    } rows[] = {
        {"server", l2tpc_config_set_server},
        {"ike", l2tpc_config_set_ike},
        {"esp", l2tpc_config_set_esp},
        {"server-id", l2tpc_config_set_server_id},
        {"local-id", l2tpc_config_set_local_id},
        {"policy", l2tpc_config_set_policy},
        {"allow", l2tpc_config_allow},
        {"quirk", l2tpc_config_set_quirk},
        {"ike-mode", l2tpc_config_set_ike_mode},
        {"encapsulation", l2tpc_config_set_encapsulation},
        {"reconnect", l2tpc_config_set_reconnect},
        {"server-routes", l2tpc_config_set_server_routes},
        {"revocation", l2tpc_config_set_revocation},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].name, o->name) == 0)
            return rows[i].set(config, o->value);
    if (strcmp(o->name, "user") == 0)
        return l2tpc_config_set_user(config, o->value, NULL);
    if (strcmp(o->name, "psk") == 0)
        return l2tpc_config_set_psk(config, o->value, o->value_len);
    return L2TPC_OK;
}

bool profiles_option_fits(l2tpc_config *config, const l2tpc_profile_option *option)
{
    return judge(config, option) == L2TPC_OK;
}
