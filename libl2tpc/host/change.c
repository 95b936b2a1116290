/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/journal.h"
#include "host/netlink.h"
#include "host/resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void conf_path(char out[80], const char *name, const char *key)
{
    (void)snprintf(out, 80, "/proc/sys/net/ipv4/conf/%.15s/%s", name, key);
}

int rp_filter_read(const char *name, uint8_t *out)
{
    char path[80];
    uint8_t text[8];
    ssize_t n;

    conf_path(path, name, "rp_filter");
    n = run_file_read(AT_FDCWD, path, text, sizeof(text));
    if (n < 0)
        return (int)n;
    if (n < 1 || text[0] < '0' || text[0] > '2')
        return -EIO;
    *out = (uint8_t)(text[0] - '0');
    return 0;
}

static int conf_write(const char *name, const char *key, uint8_t value)
{
    char path[80];
    char digit = (char)('0' + value);
    int fd;
    int rc;

    conf_path(path, name, key);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    rc = write(fd, &digit, 1) == 1 ? 0 : -errno;
    close(fd);
    return rc;
}

static int rp_filter_write(const char *name, uint8_t value)
{
    return conf_write(name, "rp_filter", value);
}

int addresses_outlive_the_first(const char *interface)
{
    return conf_write(interface, "promote_secondaries", 1);
}

struct others {
    int dir;
    const char *tunnel;
    const char *name;
    struct plan plan;
};

static int also_loosened(void *ctx, const char *tunnel)
{
    struct others *o = ctx;

    if (strcmp(tunnel, o->tunnel) == 0 || journal_read(o->dir, tunnel, &o->plan) < 0)
        return 0;
    for (size_t i = 0; i < o->plan.n_items; i++)
        if (o->plan.item[i].kind == ITEM_RP_FILTER && strcmp(o->plan.item[i].name, o->name) == 0)
            return 1;
    return 0;
}

/* The last tunnel that needed it puts the value back, unless somebody else changed it. */
static int rp_filter_undo(int dir, const struct plan *plan, const struct item *item)
{
    struct others others = {.dir = dir, .tunnel = plan->tunnel, .name = item->name};
    uint8_t now;
    int rc = rp_filter_read(item->name, &now);

    if (rc == -ENOENT || (rc == 0 && now != item->new_value))
        return 0;
    if (rc == 0 && journal_each(dir, also_loosened, &others) == 1)
        return 0;
    return rc < 0 ? rc : rp_filter_write(item->name, item->old_value);
}

int item_do(l2tpc_host *h, int dir, const l2tpc_host_apply_ip *q, const struct plan *plan,
            const struct item *item)
{
    int rc;

    switch (item->kind) {
    case ITEM_TUN:
        return 0;
    case ITEM_ADDR:
        return net_addr(h->nl, true, item);
    case ITEM_ROUTE:
        rc = net_route(h->nl, true, item);
        break;
    case ITEM_RULE:
        rc = net_rule(h->nl, true, item);
        break;
    case ITEM_RP_FILTER:
        return rp_filter_write(item->name, item->new_value);
    case ITEM_RESOLV_CONF:
        return resolv_write(h, dir, plan->tunnel);
    case ITEM_RESOLVED:
        return resolved_set(item->ifindex, q);
    default:
        return -EINVAL;
    }
    /* A kernel without IPv6 has nothing to block. */
    if (item->dst.family == 6 && (rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP))
        return 0;
    return rc;
}

static int tun_undo(l2tpc_host *h, const struct plan *plan, const struct item *item)
{
    struct net_link link;

    /* A live owner closes its descriptor; this is for what somebody else keeps open. */
    if (plan->owner_pid == getpid())
        return 0;
    if (net_link_get(h->nl, NULL, item->ifindex, &link) < 0 || strcmp(link.kind, "tun") != 0 ||
        strcmp(link.name, item->name) != 0)
        return 0;
    return net_link_delete(h->nl, item->ifindex);
}

static int addr_undo(l2tpc_host *h, const struct plan *plan, const struct item *item)
{
    struct net_link link;
    int rc = net_link_get(h->nl, NULL, item->ifindex, &link);

    if (rc < 0)
        return rc; /* no such link is no error to the caller */
    return strcmp(link.name, plan->interface) == 0 ? net_addr(h->nl, false, item) : 0;
}

int item_undo(l2tpc_host *h, int dir, const struct plan *plan, const struct item *item,
              bool *out_foreign)
{
    int rc = 0;

    switch (item->kind) {
    case ITEM_TUN:
        rc = tun_undo(h, plan, item);
        break;
    case ITEM_ADDR:
        rc = addr_undo(h, plan, item);
        break;
    case ITEM_ROUTE:
        rc = net_route(h->nl, false, item);
        break;
    case ITEM_RULE:
        rc = net_rule(h->nl, false, item);
        break;
    case ITEM_RP_FILTER:
        return rp_filter_undo(dir, plan, item);
    case ITEM_RESOLV_CONF:
        return resolv_restore(h, dir, plan->tunnel, out_foreign);
    case ITEM_RESOLVED:
        (void)resolved_revert(item->ifindex); /* gone with the link or with the daemon */
        return 0;
    }
    if (rc == -ESRCH || rc == -ENOENT || rc == -ENODEV || rc == -EADDRNOTAVAIL ||
        rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP)
        return 0;
    return rc;
}
