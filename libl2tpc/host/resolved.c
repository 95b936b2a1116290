/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* systemd-resolved, per link: org.freedesktop.resolve1(5). Its settings go with the interface. */
#include "host/resolver.h"

#include <errno.h>

#if HAVE_RESOLVED

#include <sys/socket.h>
#include <systemd/sd-bus.h>

#define TIMEOUT_US 2000000

static const char name[] = "org.freedesktop.resolve1";
static const char path[] = "/org/freedesktop/resolve1";
static const char manager[] = "org.freedesktop.resolve1.Manager";

static int open_bus(sd_bus **out)
{
    int rc = sd_bus_open_system(out);

    if (rc >= 0)
        rc = sd_bus_set_method_call_timeout(*out, TIMEOUT_US);
    return rc;
}

int resolved_present(void)
{
    sd_bus *bus = NULL;
    sd_bus_message *reply = NULL;
    int owned = 0;

    if (open_bus(&bus) >= 0 &&
        sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                           "org.freedesktop.DBus", "NameHasOwner", NULL, &reply, "s", name) >= 0 &&
        sd_bus_message_read(reply, "b", &owned) < 0)
        owned = 0;
    sd_bus_message_unref(reply);
    sd_bus_flush_close_unref(bus);
    return owned != 0;
}

static int begin(sd_bus *bus, const char *method, uint32_t ifindex, sd_bus_message **out)
{
    int rc = sd_bus_message_new_method_call(bus, out, name, path, manager, method);

    return rc < 0 ? rc : sd_bus_message_append(*out, "i", (int)ifindex);
}

static int finish(sd_bus *bus, sd_bus_message *m, int rc)
{
    if (rc >= 0)
        rc = sd_bus_call(bus, m, TIMEOUT_US, NULL, NULL);
    sd_bus_message_unref(m);
    return rc < 0 ? rc : 0;
}

static int append_server(sd_bus_message *m, const l2tpc_host_addr *a)
{
    struct inaddr addr;
    int rc;

    if (!host_addr_read(&addr, a))
        return -EINVAL;
    rc = sd_bus_message_open_container(m, 'r', "iay");
    if (rc >= 0)
        rc = sd_bus_message_append(m, "i", addr.family == 6 ? AF_INET6 : AF_INET);
    if (rc >= 0)
        rc = sd_bus_message_append_array(m, 'y', addr.bytes, inaddr_len(&addr));
    return rc < 0 ? rc : sd_bus_message_close_container(m);
}

static int set_servers(sd_bus *bus, uint32_t ifindex, const l2tpc_host_apply_ip *q)
{
    sd_bus_message *m = NULL;
    int rc = begin(bus, "SetLinkDNS", ifindex, &m);

    if (rc >= 0)
        rc = sd_bus_message_open_container(m, 'a', "(iay)");
    for (uint32_t i = 0; i < q->n_dns && rc >= 0; i++)
        rc = append_server(m, &q->dns[i]);
    if (rc >= 0)
        rc = sd_bus_message_close_container(m);
    return finish(bus, m, rc);
}

static int set_domains(sd_bus *bus, uint32_t ifindex, const l2tpc_host_apply_ip *q)
{
    sd_bus_message *m = NULL;
    int rc = begin(bus, "SetLinkDomains", ifindex, &m);

    if (rc >= 0)
        rc = sd_bus_message_open_container(m, 'a', "(sb)");
    for (uint32_t i = 0; i < q->n_search && rc >= 0; i++)
        rc = sd_bus_message_append(m, "(sb)", q->search[i], 0);
    /* "." routes every name to this link, before those of other links. */
    if (rc >= 0 && (q->flags & L2TPC_HOST_IP_FULL_TUNNEL))
        rc = sd_bus_message_append(m, "(sb)", ".", 1);
    if (rc >= 0)
        rc = sd_bus_message_close_container(m);
    return finish(bus, m, rc);
}

static int set_default_route(sd_bus *bus, uint32_t ifindex, const l2tpc_host_apply_ip *q)
{
    sd_bus_message *m = NULL;
    /* Without a domain a split tunnel's servers would never be asked otherwise. */
    int on = (q->flags & L2TPC_HOST_IP_FULL_TUNNEL) || q->n_search == 0;
    int rc = begin(bus, "SetLinkDefaultRoute", ifindex, &m);

    if (rc >= 0)
        rc = sd_bus_message_append(m, "b", on);
    return finish(bus, m, rc);
}

int resolved_set(uint32_t ifindex, const l2tpc_host_apply_ip *q)
{
    sd_bus *bus = NULL;
    int rc = open_bus(&bus);

    if (rc >= 0)
        rc = set_servers(bus, ifindex, q);
    if (rc >= 0)
        rc = set_domains(bus, ifindex, q);
    if (rc >= 0)
        rc = set_default_route(bus, ifindex, q);
    sd_bus_flush_close_unref(bus);
    return rc < 0 ? rc : 0;
}

int resolved_revert(uint32_t ifindex)
{
    sd_bus *bus = NULL;
    sd_bus_message *m = NULL;
    int rc = open_bus(&bus);

    if (rc >= 0)
        rc = begin(bus, "RevertLink", ifindex, &m);
    rc = finish(bus, m, rc);
    sd_bus_flush_close_unref(bus);
    return rc;
}

#else

int resolved_present(void)
{
    return 0;
}

int resolved_set(uint32_t ifindex, const l2tpc_host_apply_ip *q)
{
    (void)ifindex;
    (void)q;
    return -EOPNOTSUPP;
}

int resolved_revert(uint32_t ifindex)
{
    (void)ifindex;
    return 0;
}

#endif
