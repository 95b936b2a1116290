/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The answers to calls of net.l2tpc.Tunnel1. */
#include "bus/private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int send_and_free(sd_bus_message *reply, int rc)
{
    if (rc >= 0)
        rc = sd_bus_send(NULL, reply, NULL);
    sd_bus_message_unref(reply);
    return rc;
}

static int get_status(struct bus_tunnel *t, sd_bus_message *m, bool sees)
{
    l2tpc_status *st = snapshot_of(t, sees);
    const char *json = st ? l2tpc_status_to_json(st) : NULL;

    if (!json)
        return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_FAILED, "nothing is known yet");
    return sd_bus_reply_method_return(m, "s", json);
}

static bool is_counter(const l2tpc_status_value *v)
{
    static const char *const groups[] = {"esp.",        "ip.",         "kernel.",  "ike.resent",
                                         "ike.dropped", "l2tp.resent", "recovery."};

    if (strcmp(v->path, "esp.lifetime_s") == 0)
        return false;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        if (strncmp(v->path, groups[i], strlen(groups[i])) == 0)
            return v->known && strcmp(v->kind, "uint") == 0;
    return false;
}

static int get_counters(struct bus_tunnel *t, sd_bus_message *m, bool sees)
{
    l2tpc_status *st = snapshot_of(t, sees);
    l2tpc_status_value v = {.size = sizeof(v)};
    sd_bus_message *reply = NULL;
    int rc = sd_bus_message_new_method_return(m, &reply);

    if (rc >= 0)
        rc = sd_bus_message_open_container(reply, 'a', "{st}");
    for (unsigned i = 0; rc >= 0 && st && l2tpc_status_value_at(st, i, &v) == L2TPC_OK; i++)
        if (is_counter(&v))
            rc = sd_bus_message_append(reply, "{st}", v.path, v.number);
    if (rc >= 0)
        rc = sd_bus_message_close_container(reply);
    return send_and_free(reply, rc);
}

static int get_rows(struct bus_tunnel *t, sd_bus_message *m, bool sees)
{
    l2tpc_status *st = snapshot_of(t, sees);
    l2tpc_status_row row = {.size = sizeof(row)};
    sd_bus_message *reply = NULL;
    int rc = sd_bus_message_new_method_return(m, &reply);

    if (rc >= 0)
        rc = sd_bus_message_open_container(reply, 'a', "(sss)");
    for (unsigned i = 0; rc >= 0 && st && l2tpc_status_row_at(st, i, &row) == L2TPC_OK; i++)
        rc = sd_bus_message_append(reply, "(sss)", row.path, row.title, row.text);
    if (rc >= 0)
        rc = sd_bus_message_close_container(reply);
    return send_and_free(reply, rc);
}

/* Under the lock. */
static int put_lines(struct bus_tunnel *t, sd_bus_message *reply, uint64_t after)
{
    int rc = sd_bus_message_open_container(reply, 'a', "(tuss)");

    for (uint64_t n = t->n_log > LOG_LINES ? t->n_log - LOG_LINES : 0; rc >= 0 && n < t->n_log;
         n++) {
        const struct log_line *l = &t->log[n % LOG_LINES];

        if (l->number > after)
            rc = sd_bus_message_append(reply, "(tuss)", l->number, l->level, l->module, l->text);
    }
    return rc < 0 ? rc : sd_bus_message_close_container(reply);
}

static int get_log(struct bus_tunnel *t, sd_bus_message *m, bool sees)
{
    sd_bus_message *reply = NULL;
    uint64_t after = 0;
    int rc = sd_bus_message_read(m, "t", &after);

    if (rc >= 0 && !sees)
        return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_ACCESS_DENIED,
                                          "the log is its user's alone");
    if (rc >= 0)
        rc = sd_bus_message_new_method_return(m, &reply);
    if (rc < 0)
        return rc;
    (void)pthread_mutex_lock(&t->log_lock);
    rc = put_lines(t, reply, after);
    (void)pthread_mutex_unlock(&t->log_lock);
    return send_and_free(reply, rc);
}

/* A string of JSON; sentences have quotes at times. */
static void put_json(FILE *f, const char *text)
{
    (void)fputc('"', f);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            (void)fprintf(f, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            (void)fprintf(f, "\\u%04x", (unsigned)*text);
        else
            (void)fputc(*text, f);
    }
    (void)fputc('"', f);
}

static void put_finding(FILE *f, const l2tpc_error *e)
{
    char text[1024];
    uint32_t peer;

    (void)fprintf(f, "{\"code\":\"%s\",\"stage\":\"%s\",\"sentence\":", l2tpc_error_get_code(e),
                  l2tpc_error_get_stage(e));
    (void)l2tpc_error_message(e, NULL, text, sizeof(text));
    put_json(f, text);
    (void)fputs(",\"hint\":", f);
    (void)l2tpc_error_hint(e, NULL, text, sizeof(text));
    put_json(f, text);
    (void)fputs(",\"evidence\":[", f);
    if (l2tpc_error_get_peer_code(e, &peer))
        (void)fprintf(f, "\"%u\"", peer);
    (void)fputs("]}", f);
}

static int diagnose(struct bus_tunnel *t, sd_bus_message *m, bool sees)
{
    l2tpc_status *st = snapshot_of(t, sees);
    const l2tpc_error *e = st ? l2tpc_status_get_error(st) : NULL;
    char *json = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&json, &n);
    int rc;

    if (!f)
        return -ENOMEM;
    (void)fputs("{\"schema\":1,\"findings\":[", f);
    if (e)
        put_finding(f, e);
    (void)fputs("]}", f);
    rc = fclose(f) == 0 ? sd_bus_reply_method_return(m, "s", json) : -ENOMEM;
    free(json);
    return rc;
}

static int refuse(sd_bus_message *m)
{
    return sd_bus_reply_method_errorf(
        m, SD_BUS_ERROR_ACCESS_DENIED,
        "root, who has started it and its profile's users alone may do that");
}

static int rekey(struct bus_tunnel *t, sd_bus_message *m, const struct caller *caller)
{
    if (!access_owns(t, caller->uid))
        return refuse(m);
    if (!t->options.rekey)
        return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_NOT_SUPPORTED,
                                          "keys are changed by themselves");
    if (!t->options.rekey(t->options.user))
        return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_FAILED, "not now");
    return sd_bus_reply_method_return(m, "");
}

static int disconnect(struct bus_tunnel *t, sd_bus_message *m, const struct caller *caller)
{
    if (!access_owns(t, caller->uid))
        return refuse(m);
    if (!t->options.disconnect)
        return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_NOT_SUPPORTED,
                                          "whoever started it ends it");
    t->options.disconnect(t->options.user);
    return sd_bus_reply_method_return(m, "");
}

static int call_method(struct bus_tunnel *t, sd_bus_message *m, const struct caller *caller)
{
    static const struct {
        const char *name;
        int (*serve)(struct bus_tunnel *, sd_bus_message *, bool);
    } rows[] = {{"GetStatus", get_status},
                {"GetCounters", get_counters},
                {"GetRows", get_rows},
                {"GetLog", get_log},
                {"Diagnose", diagnose}};
    const char *member = sd_bus_message_get_member(m);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].name, member) == 0 &&
            sd_bus_message_has_signature(m, strcmp(member, "GetLog") == 0 ? "t" : ""))
            return rows[i].serve(t, m, caller->sees);
    if (strcmp(member, "Rekey") == 0 && sd_bus_message_has_signature(m, ""))
        return rekey(t, m, caller);
    if (strcmp(member, "Disconnect") == 0 && sd_bus_message_has_signature(m, ""))
        return disconnect(t, m, caller);
    return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_UNKNOWN_METHOD, "no such method");
}

static int get_properties(struct bus_tunnel *t, sd_bus_message *m, bool sees)
{
    bool all = sd_bus_message_is_method_call(m, NULL, "GetAll") > 0;
    sd_bus_message *reply = NULL;
    const char *interface;
    const char *name = NULL;
    int rc;

    if (!sd_bus_message_has_signature(m, all ? "s" : "ss") ||
        (!all && !sd_bus_message_is_method_call(m, NULL, "Get")))
        return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_PROPERTY_READ_ONLY,
                                          "all of it is read only");
    rc = sd_bus_message_read(m, "s", &interface);
    if (rc >= 0 && !all)
        rc = sd_bus_message_read(m, "s", &name);
    if (rc < 0)
        return rc;
    if (strcmp(interface, TUNNEL_INTERFACE) != 0)
        return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_UNKNOWN_INTERFACE, "no such interface");
    rc = sd_bus_message_new_method_return(m, &reply);
    if (rc >= 0)
        rc = all ? properties_append_all(t, reply, sees) : properties_append(t, reply, name, sees);
    if (rc == -ENOENT) {
        sd_bus_message_unref(reply);
        return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_UNKNOWN_PROPERTY, "no such property");
    }
    return send_and_free(reply, rc);
}

static bool wants_status(sd_bus_message *m)
{
    static const char *const without[] = {"GetLog", "Disconnect", "Rekey"};

    for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++)
        if (strcmp(without[i], sd_bus_message_get_member(m)) == 0)
            return false;
    return true;
}

/* Called once more for a call that had to wait: then what is known is fresh, or its engine silent.
 */
int serve_call(struct bus_tunnel *t, sd_bus_message *m, const struct caller *caller)
{
    const char *interface = sd_bus_message_get_interface(m);

    if (wants_status(m) && snapshot_await(t, m, caller))
        return 0;
    if (interface && strcmp(interface, "org.freedesktop.DBus.Properties") == 0)
        return get_properties(t, m, caller->sees);
    return call_method(t, m, caller);
}
