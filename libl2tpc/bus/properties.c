/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A status as properties. A field of status.def is one by its path; the others stand in a table. */
#include "bus/private.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_(text) text
#define NAME_SIZE 64

struct view {
    struct bus_tunnel *tunnel;
    l2tpc_status *status; /* may be NULL */
    bool sees;
};

void bus_property_name(const char *path, char *out, size_t size)
{
    bool begins = true;
    size_t n = 0;

    for (; *path && n + 1 < size; path++) {
        if (*path == '.' || *path == '_') {
            begins = true;
            continue;
        }
        out[n++] = (char)(begins ? toupper((unsigned char)*path) : *path);
        begins = false;
    }
    out[n] = '\0';
}

static const char *text_of(const struct view *v, const char *path)
{
    const char *text = v->status ? l2tpc_status_get(v->status, path) : NULL;

    return text ? text : "";
}

static int put_name(sd_bus_message *m, const struct view *v)
{
    return sd_bus_message_append(m, "s", text_of(v, "name"));
}

static int put_uuid(sd_bus_message *m, const struct view *v)
{
    return sd_bus_message_append(m, "s", v->tunnel->uuid);
}

static int put_started_by(sd_bus_message *m, const struct view *v)
{
    return sd_bus_message_append(m, "s", v->tunnel->options.started_by);
}

static int put_state(sd_bus_message *m, const struct view *v)
{
    return sd_bus_message_append(m, "s", v->status ? text_of(v, "state") : v->tunnel->state);
}

static int put_stage(sd_bus_message *m, const struct view *v)
{
    return sd_bus_message_append(m, "s", v->tunnel->stage);
}

static int put_identity_shown(sd_bus_message *m, const struct view *v)
{
    return sd_bus_message_append(m, "b", v->sees);
}

static int put_known_fields(sd_bus_message *m, const struct view *v)
{
    l2tpc_status_value value = {.size = sizeof(value)};
    char name[NAME_SIZE];
    int rc = sd_bus_message_open_container(m, 'a', "s");

    for (unsigned i = 0;
         rc >= 0 && v->status && l2tpc_status_value_at(v->status, i, &value) == L2TPC_OK; i++) {
        if (!value.known)
            continue;
        bus_property_name(value.path, name, sizeof(name));
        rc = sd_bus_message_append(m, "s", name);
    }
    return rc < 0 ? rc : sd_bus_message_close_container(m);
}

static bool is_proven(const struct view *v)
{
    return v->status && l2tpc_status_is_l2tp_in_ipsec(v->status);
}

static int put_proven(sd_bus_message *m, const struct view *v)
{
    return sd_bus_message_append(m, "b", is_proven(v));
}

static int put_verdict(sd_bus_message *m, const struct view *v)
{
    return sd_bus_message_append(m, "s",
                                 is_proven(v) ? N_("this is L2TP inside IPsec")
                                              : N_("NOT proven to be L2TP inside IPsec"));
}

static int put_evidence(sd_bus_message *m, const struct view *v)
{
    l2tpc_evidence e = {.size = sizeof(e)};
    int rc = sd_bus_message_open_container(m, 'a', "(ssssb)");

    for (unsigned i = 0;
         rc >= 0 && v->status && l2tpc_status_evidence_at(v->status, i, &e) == L2TPC_OK; i++)
        rc = sd_bus_message_append(m, "(ssssb)", e.code, e.sentence, e.value, e.observer, e.ok);
    return rc < 0 ? rc : sd_bus_message_close_container(m);
}

static int put_stage_times(sd_bus_message *m, const struct view *v)
{
    const char *stage;
    double ms;
    int rc = sd_bus_message_open_container(m, 'a', "(sd)");

    for (unsigned i = 0;
         rc >= 0 && v->status && l2tpc_status_stage_at(v->status, i, &stage, &ms) == L2TPC_OK; i++)
        rc = sd_bus_message_append(m, "(sd)", stage, ms);
    return rc < 0 ? rc : sd_bus_message_close_container(m);
}

static int put_interface(sd_bus_message *m, const struct view *v)
{
    return sd_bus_message_append(m, "s", text_of(v, "interface"));
}

static int put_since(sd_bus_message *m, const struct view *v)
{
    return sd_bus_message_append(m, "s", text_of(v, "since"));
}

static int put_rtt(sd_bus_message *m, const struct view *v)
{
    return sd_bus_message_append(m, "d", v->status ? l2tpc_status_get_rtt_ms(v->status) : 0.0);
}

static int put_last_error(sd_bus_message *m, const struct view *v)
{
    const l2tpc_error *e = v->status ? l2tpc_status_get_error(v->status) : NULL;
    char message[1024] = "";
    char hint[1024] = "";
    char peer[32] = "";
    uint32_t code;

    if (!e)
        return sd_bus_message_append(m, "(ssssas)", "", "", "", "", 0);
    (void)l2tpc_error_message(e, NULL, message, sizeof(message));
    (void)l2tpc_error_hint(e, NULL, hint, sizeof(hint));
    if (l2tpc_error_get_peer_code(e, &code)) {
        (void)snprintf(peer, sizeof(peer), "%u", code);
        return sd_bus_message_append(m, "(ssssas)", l2tpc_error_get_stage(e),
                                     l2tpc_error_get_code(e), message, hint, 1, peer);
    }
    return sd_bus_message_append(m, "(ssssas)", l2tpc_error_get_stage(e), l2tpc_error_get_code(e),
                                 message, hint, 0);
}

static int put_age(sd_bus_message *m, const struct view *v)
{
    return sd_bus_message_append(m, "t", snapshot_age_ms(v->tunnel));
}

static const struct fixed {
    const char *name, *type;
    int (*put)(sd_bus_message *m, const struct view *v);
} fixed[] = {
    {"Name", "s", put_name},
    {"ConnectionUuid", "s", put_uuid},
    {"StartedBy", "s", put_started_by},
    {"State", "s", put_state},
    {"Stage", "s", put_stage},
    {"IdentityShown", "b", put_identity_shown},
    {"KnownFields", "as", put_known_fields},
    {"IsL2tpInIpsec", "b", put_proven},
    {"Verdict", "s", put_verdict},
    {"Evidence", "a(ssssb)", put_evidence},
    {"StageTimes", "a(sd)", put_stage_times},
    {"Interface", "s", put_interface},
    {"Since", "s", put_since},
    {"RttMs", "d", put_rtt},
    {"LastError", "(ssssas)", put_last_error},
    {"StatusAgeMs", "t", put_age},
};

#define N_FIXED (sizeof(fixed) / sizeof(fixed[0]))

static int put_list(sd_bus_message *m, const char *items)
{
    int rc = sd_bus_message_open_container(m, 'a', "s");

    while (rc >= 0 && *items) {
        size_t n = strcspn(items, "\n");
        char *item = strndup(items, n);

        rc = item ? sd_bus_message_append(m, "s", item) : -ENOMEM;
        free(item);
        items += n + (items[n] == '\n');
    }
    return rc < 0 ? rc : sd_bus_message_close_container(m);
}

static const char *type_of(const char *kind)
{
    return strcmp(kind, "uint") == 0   ? "t"
           : strcmp(kind, "real") == 0 ? "d"
           : strcmp(kind, "bool") == 0 ? "b"
           : strcmp(kind, "list") == 0 ? "as"
                                       : "s";
}

/* Three decimals, as in the JSON. */
static double rounded(double v)
{
    return (double)(long long)(v * 1000 + 0.5) / 1000;
}

static int put_value(sd_bus_message *m, const l2tpc_status_value *v)
{
    const char *type = type_of(v->kind);
    int rc = sd_bus_message_open_container(m, 'v', type);

    if (rc < 0)
        return rc;
    if (strcmp(type, "t") == 0)
        rc = sd_bus_message_append(m, "t", v->number);
    else if (strcmp(type, "d") == 0)
        rc = sd_bus_message_append(m, "d", rounded(v->real));
    else if (strcmp(type, "b") == 0)
        rc = sd_bus_message_append(m, "b", v->number != 0);
    else if (strcmp(type, "as") == 0)
        rc = put_list(m, v->text);
    else
        rc = sd_bus_message_append(m, "s", v->text);
    return rc < 0 ? rc : sd_bus_message_close_container(m);
}

static int put_fixed(sd_bus_message *m, const struct fixed *f, const struct view *v)
{
    int rc = sd_bus_message_open_container(m, 'v', f->type);

    if (rc >= 0)
        rc = f->put(m, v);
    return rc < 0 ? rc : sd_bus_message_close_container(m);
}

/* Without a status every field is there all the same, and none is known. */
static int value_at(const struct view *v, unsigned i, l2tpc_status_value *out)
{
    l2tpc_status_field field = {.size = sizeof(field)};

    if (v->status)
        return l2tpc_status_value_at(v->status, i, out);
    for (unsigned at = 0; l2tpc_status_field_at(at, &field) == L2TPC_OK; at++) {
        if (strcmp(field.group, "details") == 0 || i-- > 0)
            continue;
        *out = (l2tpc_status_value){
            .size = sizeof(*out), .path = field.path, .kind = field.kind, .text = ""};
        return L2TPC_OK;
    }
    return L2TPC_ENOTFOUND;
}

int properties_append_all(struct bus_tunnel *t, sd_bus_message *reply, bool sees)
{
    const struct view v = {t, snapshot_of(t, sees), sees};
    l2tpc_status_value value = {.size = sizeof(value)};
    char name[NAME_SIZE];
    int rc = sd_bus_message_open_container(reply, 'a', "{sv}");

    for (size_t i = 0; rc >= 0 && i < N_FIXED; i++) {
        rc = sd_bus_message_open_container(reply, 'e', "sv");
        if (rc >= 0)
            rc = sd_bus_message_append(reply, "s", fixed[i].name);
        if (rc >= 0)
            rc = put_fixed(reply, &fixed[i], &v);
        if (rc >= 0)
            rc = sd_bus_message_close_container(reply);
    }
    for (unsigned i = 0; rc >= 0 && value_at(&v, i, &value) == L2TPC_OK; i++) {
        bus_property_name(value.path, name, sizeof(name));
        rc = sd_bus_message_open_container(reply, 'e', "sv");
        if (rc >= 0)
            rc = sd_bus_message_append(reply, "s", name);
        if (rc >= 0)
            rc = put_value(reply, &value);
        if (rc >= 0)
            rc = sd_bus_message_close_container(reply);
    }
    return rc < 0 ? rc : sd_bus_message_close_container(reply);
}

int properties_append(struct bus_tunnel *t, sd_bus_message *reply, const char *wanted, bool sees)
{
    const struct view v = {t, snapshot_of(t, sees), sees};
    l2tpc_status_value value = {.size = sizeof(value)};
    char name[NAME_SIZE];

    for (size_t i = 0; i < N_FIXED; i++)
        if (strcmp(fixed[i].name, wanted) == 0)
            return put_fixed(reply, &fixed[i], &v);
    for (unsigned i = 0; value_at(&v, i, &value) == L2TPC_OK; i++) {
        bus_property_name(value.path, name, sizeof(name));
        if (strcmp(name, wanted) == 0)
            return put_value(reply, &value);
    }
    return -ENOENT;
}
