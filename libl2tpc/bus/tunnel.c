/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The object's life on the bus, and what it says of itself. */
#include "bus/private.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t bus_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int on_call(sd_bus_message *m, void *user, sd_bus_error *error)
{
    struct bus_tunnel *t = user;
    const struct caller *caller;
    const char *interface = sd_bus_message_get_interface(m);

    (void)error;
    if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Introspectable", "Introspect"))
        return sd_bus_reply_method_return(m, "s", bus_introspection) < 0 ? -ENOMEM : 1;
    if (!interface || (strcmp(interface, TUNNEL_INTERFACE) != 0 &&
                       strcmp(interface, "org.freedesktop.DBus.Properties") != 0))
        return 0;
    caller = access_known(t, m);
    return (caller ? serve_call(t, m, caller) : access_ask(t, m)) < 0 ? -EIO : 1;
}

/* A UUID of whatever spelling; else random, of version 4. */
static bool take_uuid(struct bus_tunnel *t)
{
    const char *text = t->options.uuid ? t->options.uuid : "";
    unsigned char bytes[16];
    size_t n = 0;

    for (; *text && n < 32; text++)
        if (isxdigit((unsigned char)*text))
            t->uuid[n++] = (char)tolower((unsigned char)*text);
        else if (*text != '-')
            break;
    if (n == 32 && !*text)
        return true;
    if (getentropy(bytes, sizeof(bytes)) != 0)
        return false;
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof(bytes); i++)
        (void)snprintf(t->uuid + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

static void leave(struct bus_tunnel *t)
{
    access_forget(t);
    snapshot_leave(t);
    t->name = sd_bus_slot_unref(t->name);
    t->object = sd_bus_slot_unref(t->object);
    sd_bus_close(t->bus);
    t->bus = sd_bus_unref(t->bus);
}

static bool enter(struct bus_tunnel *t)
{
    char name[sizeof(TUNNEL_PREFIX) + BUS_UUID_SIZE];

    if (!take_uuid(t) || sd_bus_open_system(&t->bus) < 0)
        return false;
    (void)snprintf(name, sizeof(name), TUNNEL_PREFIX "%s", t->uuid);
    /* Not root, or another of this name: it is reachable by its unique name alone, for nobody. */
    return sd_bus_add_object(t->bus, &t->object, TUNNEL_PATH, on_call, t) >= 0 &&
           sd_bus_request_name_async(t->bus, &t->name, name, 0, NULL, NULL) >= 0;
}

struct bus_tunnel *bus_tunnel_open(const struct bus_tunnel_options *options)
{
    struct bus_tunnel *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->options = *options;
    if (t->options.n_users > BUS_USERS_MAX)
        t->options.n_users = BUS_USERS_MAX;
    (void)snprintf(t->state, sizeof(t->state), "dialing");
    (void)pthread_mutex_init(&t->log_lock, NULL);
    if (enter(t)) {
        bus_tunnel_dispatch(t); /* what the C library opens, it opens now */
        return t;
    }
    leave(t);
    (void)pthread_mutex_destroy(&t->log_lock);
    free(t);
    return NULL;
}

void bus_tunnel_close(struct bus_tunnel *t)
{
    if (!t)
        return;
    if (t->bus)
        leave(t);
    snapshot_forget(t);
    (void)pthread_mutex_destroy(&t->log_lock);
    free(t);
}

int bus_tunnel_fd(const struct bus_tunnel *t)
{
    return t && t->bus ? sd_bus_get_fd(t->bus) : -1;
}

short bus_tunnel_events(const struct bus_tunnel *t)
{
    int events = t && t->bus ? sd_bus_get_events(t->bus) : 0;

    return (short)(events < 0 ? 0 : events);
}

int bus_tunnel_timeout(const struct bus_tunnel *t, int otherwise)
{
    uint64_t until;
    uint64_t now = bus_now();
    int ms;

    if (!t || !t->bus || sd_bus_get_timeout(t->bus, &until) < 0)
        return otherwise;
    if (snapshot_deadline(t) < until)
        until = snapshot_deadline(t);
    if (until == UINT64_MAX)
        return otherwise;
    ms = until <= now ? 0 : until - now > 60000000 ? 60000 : (int)((until - now + 999) / 1000);
    return otherwise < 0 || ms < otherwise ? ms : otherwise;
}

void bus_tunnel_dispatch(struct bus_tunnel *t)
{
    int rc = 1;

    for (unsigned i = 0; t && t->bus && i < ROUND_MAX && rc > 0; i++)
        rc = sd_bus_process(t->bus, NULL);
    if (t && t->bus)
        snapshot_tick(t);
    if (t && t->bus && (rc < 0 || !sd_bus_is_open(t->bus)))
        leave(t); /* the bus is gone, and the tunnel does not care */
}

/* ---- what happens ---- */

static void note(struct bus_tunnel *t, uint32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void note(struct bus_tunnel *t, uint32_t level, const char *format, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    bus_tunnel_log(t, (int)level, "tunnel", text);
}

void bus_tunnel_log(struct bus_tunnel *t, int level, const char *module, const char *line)
{
    struct log_line *l;

    if (!t)
        return;
    (void)pthread_mutex_lock(&t->log_lock);
    l = &t->log[t->n_log % LOG_LINES];
    l->number = ++t->n_log;
    l->level = (uint32_t)level;
    (void)snprintf(l->module, sizeof(l->module), "%s", module);
    (void)snprintf(l->text, sizeof(l->text), "%s", line);
    (void)pthread_mutex_unlock(&t->log_lock);
}

static int append_changes(sd_bus_message *m, const struct bus_tunnel *t)
{
    return sd_bus_message_append(m, "sa{sv}as", TUNNEL_INTERFACE, 2, "State", "s", t->state,
                                 "Stage", "s", t->stage, 6, "Interface", "Since", "LastError",
                                 "IsL2tpInIpsec", "Evidence", "StageTimes");
}

static void tell_changes(struct bus_tunnel *t)
{
    sd_bus_message *m = NULL;

    if (t->bus && sd_bus_is_ready(t->bus) > 0 &&
        sd_bus_message_new_signal(t->bus, &m, TUNNEL_PATH, "org.freedesktop.DBus.Properties",
                                  "PropertiesChanged") >= 0 &&
        append_changes(m, t) >= 0)
        (void)sd_bus_send(t->bus, m, NULL);
    sd_bus_message_unref(m);
}

static void tell_stage(struct bus_tunnel *t, const char *stage, const char *what, double ms)
{
    if (t->bus && sd_bus_is_ready(t->bus) > 0)
        (void)sd_bus_emit_signal(t->bus, TUNNEL_PATH, TUNNEL_INTERFACE, "StageChanged", "ssd",
                                 stage, what, ms);
}

static void set_state(struct bus_tunnel *t, const char *state)
{
    (void)snprintf(t->state, sizeof(t->state), "%s", state);
    snapshot_forget(t);
    tell_changes(t);
}

static void note_error(struct bus_tunnel *t, uint32_t level, const l2tpc_error *e)
{
    char text[1024] = "";

    (void)l2tpc_error_message(e, NULL, text, sizeof(text));
    note(t, level, "%s: %.150s", l2tpc_error_get_code(e), text);
}

void bus_tunnel_on_event(struct bus_tunnel *t, const l2tpc_event *e)
{
    const char *stage = l2tpc_event_get_stage(e);

    if (!t)
        return;
    switch (l2tpc_event_get_type(e)) {
    case L2TPC_EVENT_STAGE_BEGIN:
        (void)snprintf(t->stage, sizeof(t->stage), "%s", stage);
        note(t, L2TPC_LOG_INFO, "%s begins", stage);
        tell_stage(t, stage, "begin", 0);
        set_state(t, "dialing");
        break;
    case L2TPC_EVENT_STAGE_END:
        note(t, L2TPC_LOG_INFO, "%s took %.1f ms", stage, l2tpc_event_get_stage_ms(e));
        tell_stage(t, stage, "end", l2tpc_event_get_stage_ms(e));
        break;
    case L2TPC_EVENT_UP:
        note(t, L2TPC_LOG_INFO, "up");
        set_state(t, "up");
        break;
    case L2TPC_EVENT_REKEYED:
        note(t, L2TPC_LOG_INFO, "new keys");
        break;
    case L2TPC_EVENT_RUNG:
        note(t, L2TPC_LOG_INFO, "goes on in another way: %s", l2tpc_event_get_text(e));
        break;
    case L2TPC_EVENT_WARNING:
        note_error(t, L2TPC_LOG_WARN, l2tpc_event_get_error(e));
        break;
    case L2TPC_EVENT_RECONNECTING:
        note_error(t, L2TPC_LOG_WARN, l2tpc_event_get_error(e));
        set_state(t, "reconnecting");
        break;
    case L2TPC_EVENT_FAILED:
        note_error(t, L2TPC_LOG_ERROR, l2tpc_event_get_error(e));
        set_state(t, "failed");
        break;
    case L2TPC_EVENT_DOWN:
        note(t, L2TPC_LOG_INFO, "down");
        break;
    default:
        break;
    }
}
