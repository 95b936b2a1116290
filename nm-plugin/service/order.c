/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service/order.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

bool order_add(struct order *o, const char *name, const char *value)
{
    size_t a = strlen(name) + 1;
    size_t b = strlen(value) + 1;

    if (a + b > sizeof(o->bytes) - o->n)
        return false;
    memcpy(o->bytes + o->n, name, a);
    memcpy(o->bytes + o->n + a, value, b);
    o->n += a + b;
    return true;
}

/* The text at `*at`, which ends before the order does; NULL when there is none. */
static const char *take_text(const struct order *o, size_t *at)
{
    const char *text = o->bytes + *at;
    const char *end = *at < o->n ? memchr(text, '\0', o->n - *at) : NULL;

    if (!end)
        return NULL;
    *at = (size_t)(end - o->bytes) + 1;
    return text;
}

static const char **slot(struct connect_options *o, const char *name)
{
    const struct {
        const char *name;
        const char **at;
    } rows[] = {
        {"name", &o->name},
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
        {"interface", &o->interface_name},
        {"until", &o->until},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].at;
    return NULL;
}

static bool *flag(struct wanted *w, const char *name)
{
    struct connect_options *o = &w->options;
    const struct {
        const char *name;
        bool *at;
    } rows[] = {
        {"no-default-route", &o->no_default_route},
        {"no-dns", &o->no_dns},
        {"class-route", &o->class_route},
        {"keep-ipv6", &o->keep_ipv6},
        {"kill-switch", &o->kill_switch},
        {"allow-lan", &o->allow_lan},
        {"no-memory", &o->no_memory},
        {"configured-elsewhere", &o->configured_elsewhere},
        {"verbose", &w->verbose},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].at;
    return NULL;
}

static bool take_word(const char **list, unsigned *n, size_t room, const char *word)
{
    if (*n == room)
        return false;
    list[(*n)++] = word;
    return true;
}

static bool take_owner(uid_t *to, const char *value)
{
    char *end;
    unsigned long n = strtoul(value, &end, 10);

    *to = (uid_t)n;
    return *value >= '0' && *value <= '9' && *end == '\0' && n < UINT32_MAX;
}

static bool take(struct wanted *w, const char *name, const char *value)
{
    struct connect_options *o = &w->options;

    if (slot(o, name)) {
        *slot(o, name) = value;
        return true;
    }
    if (flag(w, name))
        return *flag(w, name) = true;
    if (strcmp(name, "allow") == 0)
        return take_word(o->allow, &o->n_allow, COUNT(o->allow), value);
    if (strcmp(name, "quirk") == 0)
        return take_word(o->quirk, &o->n_quirk, COUNT(o->quirk), value);
    if (strcmp(name, "mru") == 0)
        return parse_number(value, 128, 1500, &o->mru);
    if (strcmp(name, "timeout") == 0)
        return parse_number(value, 1, 3600, &o->timeout);
    if (strcmp(name, "route") == 0)
        return o->n_routes < L2TPC_HOST_ROUTES_MAX && route_parse(value, o);
    if (strcmp(name, "owner") == 0)
        return take_owner(&w->owner, value);
    return false;
}

const char *wanted_read(struct wanted *w)
{
    size_t at = 0;
    const char *name;
    const char *value;

    w->options = (struct connect_options){.secrets_fd = -1};
    w->owner = 0;
    w->verbose = false;
    while ((name = take_text(&w->order, &at))) {
        value = take_text(&w->order, &at);
        if (!value || !take(w, name, value))
            return name;
    }
    if (at != w->order.n || !w->options.name || !l2tpc_host_name_valid(w->options.name))
        return "name";
    if (!w->options.server)
        return "server";
    w->options.verbose = w->verbose;
    return NULL;
}

const char *wanted_fill(const struct wanted *w, l2tpc_config *config)
{
    const struct connect_options *o = &w->options;
    const struct {
        const char *name, *value;
        int (*set)(l2tpc_config *, const char *);
    } rows[] = {
        {"name", o->name, l2tpc_config_set_name},
        {"server", o->server, l2tpc_config_set_server},
        {"ike-mode", o->ike_mode, l2tpc_config_set_ike_mode},
        {"policy", o->policy, l2tpc_config_set_policy},
        {"ike", o->ike, l2tpc_config_set_ike},
        {"esp", o->esp, l2tpc_config_set_esp},
        {"encapsulation", o->encapsulation, l2tpc_config_set_encapsulation},
        {"interface", o->interface_name, l2tpc_config_set_interface},
        {"reconnect", o->reconnect, l2tpc_config_set_reconnect},
        {"server-routes", server_routes_wanted(o), l2tpc_config_set_server_routes},
        {"class-route", o->class_route ? "yes" : "no", l2tpc_config_set_class_route},
        {"server-id", o->server_id, l2tpc_config_set_server_id},
        {"local-id", o->local_id, l2tpc_config_set_local_id},
        {"revocation", o->revocation, l2tpc_config_set_revocation},
        {"until", o->until, l2tpc_config_set_until},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].value && rows[i].set(config, rows[i].value) != L2TPC_OK)
            return rows[i].name;
    for (unsigned i = 0; i < o->n_allow; i++)
        if (l2tpc_config_allow(config, o->allow[i]) != L2TPC_OK)
            return "allow";
    for (unsigned i = 0; i < o->n_quirk; i++)
        if (l2tpc_config_set_quirk(config, o->quirk[i]) != L2TPC_OK)
            return "quirk";
    if (o->user && l2tpc_config_set_user(config, o->user, o->domain) != L2TPC_OK)
        return "user";
    if (l2tpc_config_set_timeout(config, o->timeout) != L2TPC_OK)
        return "timeout";
    return l2tpc_config_set_mru(config, o->mru) == L2TPC_OK ? NULL : "mru";
}
