/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* l2tpc connect PROFILE: the settings of a profile under those of the command line. */
#include "cli/stored.h"

#include "cli/profiles.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stored {
    l2tpc_profile *profile;
    GPtrArray *options;
    struct secret_bytes secret[3]; /* by enum l2tpc_secret_kind; KEY: the passphrase */
    struct stat st;
    char path[1024];
    char name[65];
    char uuid[40];
};

const struct secret_bytes *stored_secret(const struct stored *s, int kind)
{
    static const struct secret_bytes none;

    return s ? &s->secret[kind] : &none;
}

const char *stored_uuid(const struct stored *s)
{
    return s && s->uuid[0] ? s->uuid : NULL;
}

const char *stored_path(const struct stored *s)
{
    return s ? s->path : NULL;
}

void stored_forget_secrets(struct stored *s)
{
    if (!s)
        return;
    for (int i = 0; i < 3; i++)
        secret_forget(&s->secret[i]);
    l2tpc_profile_free(s->profile);
    s->profile = NULL;
    for (guint i = 0; s->options && i < s->options->len; i++) {
        l2tpc_profile_option *o = g_ptr_array_index(s->options, i);

        if (o->is_secret)
            explicit_bzero(o->value, o->value_len);
    }
}

void stored_free(struct stored *s)
{
    if (!s)
        return;
    stored_forget_secrets(s);
    if (s->options)
        g_ptr_array_unref(s->options);
    free(s);
}

/*
 * A profile says where everything goes, so nobody else may have written it: neither another user
 * nor a group.
 */
static bool is_safe(const struct stored *s)
{
    if (s->st.st_mode & 022) {
        complain(_("%s can be changed by other users; it is not used."), s->path);
        return false;
    }
    return true;
}

static void take_secret(struct stored *s, int kind, const l2tpc_profile_option *o)
{
    struct secret_bytes *to = &s->secret[kind];

    if (o->value_len > SECRET_BYTES_MAX)
        return;
    to->given = true;
    to->n = o->value_len;
    memcpy(to->bytes, o->value, o->value_len);
    to->stored = true;
    to->owner = s->st.st_uid;
    to->mode = s->st.st_mode & 07777;
}

/* Of a profile's setting the command line has its own: nothing is to be taken. */
static bool is_overruled(const struct connect_options *o, const char *name)
{
    bool own_key = o->psk_file || o->certificate;

    if (strcmp(name, "ike") == 0)
        return o->ike || o->policy;
    if (strcmp(name, "esp") == 0)
        return o->esp || o->policy;
    if (strcmp(name, "domain") == 0)
        return o->user != NULL;
    return own_key && (strcmp(name, "certificate") == 0 || strcmp(name, "key") == 0 ||
                       strcmp(name, "ca") == 0 || strcmp(name, "revocation") == 0 ||
                       strcmp(name, "psk") == 0 || strcmp(name, "passphrase") == 0);
}

/* Where a plain text goes; NULL for the others. */
static const char **slot(struct connect_options *o, const char *name)
{
    const struct {
        const char *name;
        const char **at;
    } rows[] = {
        {"server", &o->server},
        {"user", &o->user},
        {"domain", &o->domain},
        {"policy", &o->policy},
        {"ike", &o->ike},
        {"esp", &o->esp},
        {"encapsulation", &o->encapsulation},
        {"server-id", &o->server_id},
        {"local-id", &o->local_id},
        {"ike-mode", &o->ike_mode},
        {"reconnect", &o->reconnect},
        {"server-routes", &o->server_routes},
        {"revocation", &o->revocation},
        {"certificate", &o->certificate},
        {"key", &o->key},
        {"ca", &o->ca},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].at;
    return NULL;
}

static bool *flag(struct connect_options *o, const char *name)
{
    return strcmp(name, "no-default-route") == 0 ? &o->no_default_route
           : strcmp(name, "class-route") == 0    ? &o->class_route
           : strcmp(name, "no-dns") == 0         ? &o->no_dns
           : strcmp(name, "keep-ipv6") == 0      ? &o->keep_ipv6
           : strcmp(name, "kill-switch") == 0    ? &o->kill_switch
           : strcmp(name, "allow-lan") == 0      ? &o->allow_lan
                                                 : NULL;
}

/* Before those of the command line, which then have the last word. */
static bool put_first(const char **list, unsigned *n, size_t room, const char *word, unsigned at)
{
    if (*n == room)
        return false;
    memmove(list + at + 1, list + at, (*n - at) * sizeof(*list));
    list[at] = word;
    (*n)++;
    return true;
}

struct taking {
    struct stored *s;
    struct connect_options *o;
    const struct connect_options given; /* the command line */
    unsigned n_allow, n_quirk;
};

static bool take_number(unsigned *to, const char *value)
{
    return *to > 0 || parse_number(value, 1, 65535, to);
}

static bool take(struct taking *t, const l2tpc_profile_option *p)
{
    struct connect_options *o = t->o;
    const char **text = slot(o, p->name);

    if (text) {
        if (!*text)
            *text = p->value;
        return true;
    }
    if (flag(o, p->name))
        return *flag(o, p->name) = true;
    if (strcmp(p->name, "psk") == 0)
        take_secret(t->s, L2TPC_SECRET_PSK, p);
    else if (strcmp(p->name, "password") == 0)
        take_secret(t->s, L2TPC_SECRET_PASSWORD, p);
    else if (strcmp(p->name, "passphrase") == 0)
        take_secret(t->s, L2TPC_SECRET_KEY, p);
    else if (strcmp(p->name, "allow") == 0)
        return put_first(o->allow, &o->n_allow, sizeof(o->allow) / sizeof(o->allow[0]), p->value,
                         t->n_allow++);
    else if (strcmp(p->name, "quirk") == 0)
        return put_first(o->quirk, &o->n_quirk, sizeof(o->quirk) / sizeof(o->quirk[0]), p->value,
                         t->n_quirk++);
    else if (strcmp(p->name, "mru") == 0)
        return take_number(&o->mru, p->value);
    else if (strcmp(p->name, "timeout") == 0)
        return take_number(&o->timeout, p->value);
    else if (strcmp(p->name, "route") == 0 && t->given.n_routes == 0)
        return o->n_routes < L2TPC_HOST_ROUTES_MAX && route_parse(p->value, o);
    return true;
}

static void take_uuid(struct stored *s)
{
    char *uuid =
        g_key_file_get_string(l2tpc_profile_get_settings(s->profile), "connection", "uuid", NULL);

    (void)snprintf(s->uuid, sizeof(s->uuid), "%s", uuid ? uuid : "");
    g_free(uuid);
}

/* The profile's name as that of a connection: other signs than are allowed there become '-'. */
static void name_connection(struct stored *s)
{
    const char *id = l2tpc_profile_get_id(s->profile);
    size_t n = 0;

    for (const char *c = id; *c && n < sizeof(s->name) - 1; c++) {
        bool fine = g_ascii_isalnum(*c) || *c == '_' ||
                    ((*c == '.' || *c == '-') && n > 0 && s->name[n - 1] != '.');

        if (((unsigned char)*c & 0xc0) == 0x80) /* one '-' a character */
            continue;
        s->name[n] = fine ? *c : n > 0 ? '-' : '_';
        n++;
    }
    s->name[n] = '\0';
}

/* What protects less is told before the dial. */
static void warn(const GPtrArray *notes)
{
    for (guint i = 0; i < notes->len; i++) {
        const l2tpc_profile_note *n = g_ptr_array_index(notes, i);
        char *text = l2tpc_profile_note_text(n, _(n->sentence));

        if (n->severity == L2TPC_PROFILE_WEAKNESS)
            complain(_("Warning: %s"), text);
        g_free(text);
    }
}

static int take_all(struct taking *t)
{
    const struct stored *s = t->s;
    l2tpc_config *config;
    int status = 0;

    if (l2tpc_config_new(&config) != L2TPC_OK)
        return EXIT_LOCAL;
    for (guint i = 0; status == 0 && i < s->options->len; i++) {
        const l2tpc_profile_option *p = g_ptr_array_index(s->options, i);

        if (is_overruled(&t->given, p->name) || (profiles_option_fits(config, p) && take(t, p)))
            continue;
        complain(_("%s: --%s does not take '%s'. See: l2tpc connect --help"), s->path, p->name,
                 p->is_secret ? "" : p->value);
        status = EXIT_USAGE;
    }
    l2tpc_config_free(config);
    return status;
}

static int fill(struct stored *s, struct connect_options *o)
{
    struct taking t = {.s = s, .o = o, .given = *o};
    GPtrArray *notes = NULL;
    int status = EXIT_USAGE;

    if (l2tpc_profile_get_dial(s->profile, &s->options, &notes) == L2TPC_PROFILE_OK)
        status = take_all(&t);
    else
        profiles_complain(s->path, notes);
    if (status == 0 && !o->json)
        warn(notes);
    g_ptr_array_unref(notes);
    return status;
}

int stored_into_options(const char *which, struct connect_options *o)
{
    struct stored *s = calloc(1, sizeof(*s));
    int status = EXIT_USAGE;

    if (!s)
        return EXIT_LOCAL;
    o->stored = s;
    if (profiles_find(which, s->path, sizeof(s->path)))
        s->profile = profiles_load(s->path, &s->st);
    if (s->profile && is_safe(s)) {
        name_connection(s);
        take_uuid(s);
        status = fill(s, o);
    }
    if (!o->name && s->name[0])
        o->name = s->name;
    if (status != 0) {
        stored_free(s);
        o->stored = NULL;
    }
    return status;
}
