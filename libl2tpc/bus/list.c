/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tunnels on the bus, for a command that may wait for them. */
#include "bus/private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_US 2000000
#define ROWS_MAX 256

static sd_bus *open_bus(void)
{
    sd_bus *bus = NULL;

    if (sd_bus_open_system(&bus) < 0 || sd_bus_set_method_call_timeout(bus, PATIENCE_US) < 0)
        bus = sd_bus_close_unref(bus);
    return bus;
}

static bool get_text(sd_bus *bus, const char *name, const char *property, char *out, size_t size)
{
    char *text = NULL;
    bool ok = sd_bus_get_property_string(bus, name, TUNNEL_PATH, TUNNEL_INTERFACE, property, NULL,
                                         &text) >= 0;

    (void)snprintf(out, size, "%s", ok ? text : "");
    free(text);
    return ok;
}

static void get_json(sd_bus *bus, const char *name, struct bus_found *out)
{
    sd_bus_message *reply = NULL;
    const char *json = NULL;

    if (sd_bus_call_method(bus, name, TUNNEL_PATH, TUNNEL_INTERFACE, "GetStatus", NULL, &reply,
                           "") >= 0 &&
        sd_bus_message_read(reply, "s", &json) >= 0)
        out->json = strdup(json);
    sd_bus_message_unref(reply);
}

static void get_rows(sd_bus *bus, const char *name, struct bus_found *out)
{
    sd_bus_message *reply = NULL;
    const char *path;
    const char *title;
    const char *text;

    out->rows = calloc(ROWS_MAX, sizeof(*out->rows));
    if (out->rows &&
        sd_bus_call_method(bus, name, TUNNEL_PATH, TUNNEL_INTERFACE, "GetRows", NULL, &reply, "") >=
            0 &&
        sd_bus_message_enter_container(reply, 'a', "(sss)") > 0)
        while (out->n_rows < ROWS_MAX &&
               sd_bus_message_read(reply, "(sss)", &path, &title, &text) > 0) {
            out->rows[out->n_rows].title = strdup(title);
            out->rows[out->n_rows++].text = strdup(text);
        }
    sd_bus_message_unref(reply);
}

static bool ask(sd_bus *bus, const char *name, struct bus_found *out)
{
    *out = (struct bus_found){.name = ""};
    (void)snprintf(out->uuid, sizeof(out->uuid), "%s", name + sizeof(TUNNEL_PREFIX) - 1);
    if (!get_text(bus, name, "State", out->state, sizeof(out->state)))
        return false; /* it has just ended */
    (void)get_text(bus, name, "Name", out->name, sizeof(out->name));
    (void)get_text(bus, name, "StartedBy", out->started_by, sizeof(out->started_by));
    (void)get_text(bus, name, "Verdict", out->verdict, sizeof(out->verdict));
    get_json(bus, name, out);
    get_rows(bus, name, out);
    return true;
}

unsigned bus_list(struct bus_found *out, unsigned room)
{
    sd_bus *bus = open_bus();
    char **names = NULL;
    unsigned n = 0;

    if (bus && sd_bus_list_names(bus, &names, NULL) >= 0)
        for (char **name = names; *name; name++) {
            if (n < room && strncmp(*name, TUNNEL_PREFIX, sizeof(TUNNEL_PREFIX) - 1) == 0 &&
                strlen(*name) == sizeof(TUNNEL_PREFIX) - 1 + 32 && ask(bus, *name, &out[n]))
                n++;
            free(*name);
        }
    free(names);
    sd_bus_close_unref(bus);
    return n;
}

void bus_list_free(struct bus_found *found, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        for (unsigned r = 0; r < found[i].n_rows; r++) {
            free(found[i].rows[r].title);
            free(found[i].rows[r].text);
        }
        free(found[i].rows);
        free(found[i].json);
    }
}

int bus_disconnect(const char *uuid)
{
    char name[sizeof(TUNNEL_PREFIX) + BUS_UUID_SIZE];
    sd_bus *bus = open_bus();
    int rc = bus ? 0 : -ENOENT;

    (void)snprintf(name, sizeof(name), TUNNEL_PREFIX "%s", uuid);
    if (rc == 0)
        rc = sd_bus_call_method(bus, name, TUNNEL_PATH, TUNNEL_INTERFACE, "Disconnect", NULL, NULL,
                                "");
    sd_bus_close_unref(bus);
    return rc < 0 ? rc : 0;
}
