/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* APPLY_IP, RELEASE_IP and the recovery of what dead processes left. */
#include "host/journal.h"
#include "host/netlink.h"
#include "host/resolver.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The run directory, opened and locked. */
struct run {
    int dir;
    int lock;
};

static int run_open(const l2tpc_host *h, struct run *out)
{
    int dir = run_dir_open(h->run_dir);
    int lock;

    if (dir < 0)
        return dir;
    lock = run_dir_lock(dir);
    if (lock < 0) {
        close(dir);
        return lock;
    }
    *out = (struct run){.dir = dir, .lock = lock};
    return 0;
}

static void run_close(struct run *run)
{
    close(run->lock);
    close(run->dir);
}

/* Walks the first `n` items backwards; goes on after a failure and returns the first one. */
static int undo_items(l2tpc_host *h, int dir, const struct plan *plan, size_t n, bool *out_foreign)
{
    int first = 0;

    while (n-- > 0) {
        int rc = item_undo(h, dir, plan, &plan->item[n], out_foreign);

        if (rc < 0 && first == 0)
            first = rc;
    }
    return first;
}

static int undo_plan(l2tpc_host *h, int dir, const struct plan *plan, bool *out_foreign)
{
    int rc = undo_items(h, dir, plan, plan->n_items, out_foreign);

    return rc < 0 ? rc : journal_remove(dir, plan->tunnel);
}

struct recovery {
    l2tpc_host *h;
    int dir;
    struct plan plan;
};

static int recover_one(void *ctx, const char *tunnel)
{
    struct recovery *r = ctx;
    l2tpc_host_recovery *count = &r->h->recovery;
    bool foreign = false;

    if (journal_read(r->dir, tunnel, &r->plan) < 0) {
        count->failed++;
        return 0;
    }
    if (owner_alive(&r->plan)) {
        count->live++;
        return 0;
    }
    if (undo_plan(r->h, r->dir, &r->plan, &foreign) < 0) {
        count->failed++;
        return 0;
    }
    count->recovered++;
    count->damaged += !r->plan.whole;
    return 0;
}

void host_recover(l2tpc_host *h)
{
    struct recovery *r;
    struct run run;

    if (access(h->run_dir, F_OK) != 0 || run_open(h, &run) < 0)
        return;
    r = calloc(1, sizeof(*r));
    if (r) {
        r->h = h;
        r->dir = run.dir;
        (void)journal_each(run.dir, recover_one, r);
        free(r);
    }
    run_close(&run);
}

static int bad(l2tpc_host_reply *reply, enum l2tpc_host_sentence sentence, const char *what)
{
    return reply_fail(reply, -EINVAL, sentence, "%s", what);
}

static bool usable(const struct inaddr *a)
{
    bool zero_net = a->family == 4 && a->bytes[0] == 0;

    return !zero_net && !inaddr_is_any(a) && !inaddr_is_loopback(a) && !inaddr_is_multicast(a);
}

static int check_addresses(const l2tpc_host_apply_ip *q, l2tpc_host_reply *reply)
{
    struct inaddr a;
    struct inaddr server;

    if (!host_addr_read(&server, &q->server) || !usable(&server))
        return bad(reply, L2TPC_HOST_SENTENCE_BAD_ADDRESS, "server");
    if (!host_addr_read(&a, &q->local) || a.family != 4 || !usable(&a) || inaddr_eq(&a, &server))
        return bad(reply, L2TPC_HOST_SENTENCE_BAD_ADDRESS, "local");
    if (q->peer.family != 0 && (!host_addr_read(&a, &q->peer) || a.family != 4))
        return bad(reply, L2TPC_HOST_SENTENCE_BAD_ADDRESS, "peer");
    for (uint32_t i = 0; i < q->n_dns; i++)
        if (!host_addr_read(&a, &q->dns[i]) || !usable(&a))
            return bad(reply, L2TPC_HOST_SENTENCE_BAD_ADDRESS, "dns");
    for (uint32_t i = 0; i < q->n_routes; i++)
        if (!host_addr_read(&a, &q->routes[i]) || q->routes[i].prefix_len > 8 * inaddr_len(&a) ||
            inaddr_is_multicast(&a) || inaddr_is_loopback(&a))
            return bad(reply, L2TPC_HOST_SENTENCE_BAD_ADDRESS, "route");
    return 0;
}

static int check_request(const l2tpc_host_apply_ip *q, l2tpc_host_reply *reply)
{
    const uint32_t known = L2TPC_HOST_IP_FULL_TUNNEL | L2TPC_HOST_IP_BLOCK_IPV6 |
                           L2TPC_HOST_IP_PEER_ROUTE | L2TPC_HOST_IP_TRUST_MAIN;

    if (!ifname_valid(q->interface, sizeof(q->interface), false))
        return bad(reply, L2TPC_HOST_SENTENCE_BAD_NAME, "interface name");
    if (!memchr(q->tunnel, '\0', sizeof(q->tunnel)) || !l2tpc_host_name_valid(q->tunnel))
        return bad(reply, L2TPC_HOST_SENTENCE_BAD_NAME, "tunnel name");
    if (q->n_dns > L2TPC_HOST_DNS_MAX || q->n_search > L2TPC_HOST_SEARCH_MAX ||
        q->n_routes > L2TPC_HOST_ROUTES_MAX)
        return bad(reply, L2TPC_HOST_SENTENCE_BAD_REQUEST, "count");
    if ((q->flags & ~known) || (q->mtu != 0 && (q->mtu < 68 || q->mtu > 65535)))
        return bad(reply, L2TPC_HOST_SENTENCE_BAD_REQUEST, "flags or mtu");
    for (uint32_t i = 0; i < q->n_search; i++)
        if (!domain_valid(q->search[i], sizeof(q->search[i])))
            return bad(reply, L2TPC_HOST_SENTENCE_BAD_REQUEST, "search domain");
    return check_addresses(q, reply);
}

struct survey_walk {
    int dir;
    struct survey *survey;
    struct plan plan;
};

static int survey_one(void *ctx, const char *tunnel)
{
    struct survey_walk *w = ctx;
    struct survey *s = w->survey;

    if (journal_read(w->dir, tunnel, &w->plan) < 0)
        return 0;
    if (w->plan.has_slot)
        s->slot[w->plan.slot] = true;
    for (size_t i = 0; i < w->plan.n_items; i++)
        if (w->plan.item[i].kind == ITEM_RP_FILTER && s->n_loosened < ARRAY_LEN(s->loosened))
            s->loosened[s->n_loosened++] = w->plan.item[i];
    return 0;
}

static int survey_make(l2tpc_host *h, int dir, struct survey *out)
{
    struct survey_walk *w = calloc(1, sizeof(*w));
    int rc;

    if (!w)
        return -ENOMEM;
    w->dir = dir;
    w->survey = out;
    rc = journal_each(dir, survey_one, w);
    free(w);
    if (rc == 0)
        rc = net_slots_used(h->nl, h->table, out->slot);
    return rc;
}

/* The name is ours when no live process has it; a dead one's changes are undone first. */
static int claim_name(l2tpc_host *h, int dir, const char *tunnel, struct plan *scratch,
                      l2tpc_host_reply *reply)
{
    bool foreign = false;
    int rc = journal_read(dir, tunnel, scratch);

    if (rc == -ENOENT)
        return 0;
    if (rc == 0 && owner_alive(scratch))
        return reply_fail(reply, -EEXIST, L2TPC_HOST_SENTENCE_ALREADY_UP, "%s", tunnel);
    if (rc == 0)
        rc = undo_plan(h, dir, scratch, &foreign);
    if (rc < 0)
        return reply_fail(reply, rc, L2TPC_HOST_SENTENCE_JOURNAL, "%s: %s", tunnel,
                          strerrorname_np(-rc));
    return 0;
}

static int find_interface(l2tpc_host *h, const l2tpc_host_apply_ip *q, struct plan *plan,
                          l2tpc_host_reply *reply)
{
    struct net_link link;
    int rc = net_link_get(h->nl, q->interface, 0, &link);

    if (rc == 0 && (strcmp(link.kind, "tun") != 0 || link.type != ARPHRD_NONE))
        return reply_fail(reply, -EACCES, L2TPC_HOST_SENTENCE_INTERFACE, "%s is no TUN device",
                          q->interface);
    if (rc < 0)
        return reply_fail(reply, rc, L2TPC_HOST_SENTENCE_INTERFACE, "%s: %s", q->interface,
                          strerrorname_np(-rc));
    plan->ifindex = link.ifindex;
    memcpy(plan->interface, link.name, sizeof(plan->interface));
    memcpy(plan->tunnel, q->tunnel, sizeof(plan->tunnel)); /* its length was checked */
    plan->whole = true;
    rc = owner_self(&plan->owner_pid, &plan->owner_start);
    if (rc < 0)
        return reply_fail(reply, rc, L2TPC_HOST_SENTENCE_JOURNAL, "/proc/self/stat: %s",
                          strerrorname_np(-rc));
    return 0;
}

static enum l2tpc_host_sentence item_sentence(const struct item *i)
{
    switch (i->kind) {
    case ITEM_ROUTE:
        return L2TPC_HOST_SENTENCE_ROUTE;
    case ITEM_RULE:
        return L2TPC_HOST_SENTENCE_RULE;
    case ITEM_RP_FILTER:
        return L2TPC_HOST_SENTENCE_SYSCTL;
    case ITEM_RESOLV_CONF:
    case ITEM_RESOLVED:
        return L2TPC_HOST_SENTENCE_DNS;
    case ITEM_TUN:
    case ITEM_ADDR:
        break;
    }
    return L2TPC_HOST_SENTENCE_INTERFACE;
}

static int carry_out(l2tpc_host *h, int dir, const l2tpc_host_apply_ip *q, const struct plan *plan,
                     l2tpc_host_reply *reply)
{
    char text[ADDR_TEXT_MAX];
    bool foreign = false;
    size_t i = 0;
    int rc = net_link_set(h->nl, plan->ifindex, q->mtu, true);

    if (rc < 0)
        reply_fail(reply, rc, L2TPC_HOST_SENTENCE_INTERFACE, "%s: %s", plan->interface,
                   strerrorname_np(-rc));
    for (; rc == 0 && i < plan->n_items; i++) {
        const struct item *item = &plan->item[i];

        rc = item_do(h, dir, q, plan, item);
        if (rc < 0)
            reply_fail(reply, rc, item_sentence(item), "%s/%u table %u: %s",
                       inaddr_text(&item->dst, text), item->dst_len, item->table,
                       strerrorname_np(-rc));
    }
    if (rc < 0)
        (void)undo_items(h, dir, plan, i, &foreign);
    return rc;
}

static bool uses_resolv_conf(const struct plan *plan)
{
    for (size_t i = 0; i < plan->n_items; i++)
        if (plan->item[i].kind == ITEM_RESOLV_CONF)
            return true;
    return false;
}

/* The journal first, then the changes; on failure neither is left. */
static int write_and_do(l2tpc_host *h, int dir, const l2tpc_host_apply_ip *q,
                        const struct plan *plan, l2tpc_host_reply *reply)
{
    int rc = uses_resolv_conf(plan) ? resolv_prepare(h, dir, q) : 0;

    if (rc == 0)
        rc = journal_write(dir, plan);
    if (rc < 0) {
        resolv_forget(dir, plan->tunnel);
        return reply_fail(reply, rc, L2TPC_HOST_SENTENCE_JOURNAL, "%s: %s", plan->tunnel,
                          strerrorname_np(-rc));
    }
    rc = carry_out(h, dir, q, plan, reply);
    if (rc < 0) {
        (void)journal_remove(dir, plan->tunnel);
        resolv_forget(dir, plan->tunnel);
    }
    return rc;
}

static int apply_locked(l2tpc_host *h, int dir, const l2tpc_host_apply_ip *q, struct plan *plan,
                        l2tpc_host_reply *reply)
{
    struct survey survey = {.n_loosened = 0};
    int rc = claim_name(h, dir, q->tunnel, plan, reply);

    if (rc < 0)
        return rc;
    *plan = (struct plan){.has_owner = true, .has_slot = true};
    rc = find_interface(h, q, plan, reply);
    if (rc < 0)
        return rc;
    rc = survey_make(h, dir, &survey);
    if (rc < 0)
        return reply_fail(reply, rc, L2TPC_HOST_SENTENCE_JOURNAL, "survey: %s",
                          strerrorname_np(-rc));
    while (plan->slot < L2TPC_HOST_TUNNELS_MAX && survey.slot[plan->slot])
        plan->slot++;
    if (plan->slot == L2TPC_HOST_TUNNELS_MAX)
        return reply_fail(reply, -EUSERS, L2TPC_HOST_SENTENCE_TOO_MANY, "slots");
    rc = plan_build(h, q, &survey, plan, reply);
    return rc < 0 ? rc : write_and_do(h, dir, q, plan, reply);
}

/* Takes the plan for an interface out of the host's list. */
static struct plan *plan_take(l2tpc_host *h, const char *interface)
{
    for (struct plan **at = &h->plans; *at; at = &(*at)->next) {
        struct plan *plan = *at;

        if (strcmp(plan->interface, interface) == 0) {
            *at = plan->next;
            return plan;
        }
    }
    return NULL;
}

static int release(l2tpc_host *h, int dir, struct plan *plan, l2tpc_host_reply *reply)
{
    bool foreign = false;
    int rc = undo_plan(h, dir, plan, &foreign);

    if (rc < 0)
        return reply_fail(reply, rc, L2TPC_HOST_SENTENCE_ROUTE, "%s: %s", plan->interface,
                          strerrorname_np(-rc));
    if (foreign)
        reply->sentence = L2TPC_HOST_SENTENCE_DNS_FOREIGN;
    return 0;
}

int serve_apply_ip(l2tpc_host *h, const l2tpc_host_apply_ip *q, l2tpc_host_reply *reply)
{
    struct plan *plan;
    struct plan *before;
    struct run run;
    int rc = check_request(q, reply);

    if (rc < 0)
        return rc;
    rc = run_open(h, &run);
    if (rc < 0)
        return reply_fail(reply, rc, L2TPC_HOST_SENTENCE_JOURNAL, "%.96s: %s", h->run_dir,
                          strerrorname_np(-rc));
    before = plan_take(h, q->interface);
    plan = calloc(1, sizeof(*plan));
    if (!plan)
        rc = reply_fail(reply, -ENOMEM, L2TPC_HOST_SENTENCE_JOURNAL, "memory");
    if (before)
        (void)release(h, run.dir, before, reply);
    free(before);
    if (rc == 0)
        rc = apply_locked(h, run.dir, q, plan, reply);
    run_close(&run);
    if (rc < 0) {
        free(plan);
        return rc;
    }
    plan->next = h->plans;
    h->plans = plan;
    reply->ifindex = plan->ifindex;
    memcpy(reply->name, plan->interface, sizeof(reply->name));
    return 0;
}

int serve_release_ip(l2tpc_host *h, const l2tpc_host_release_ip *q, l2tpc_host_reply *reply)
{
    struct plan *plan;
    struct run run;
    int rc;

    if (!ifname_valid(q->interface, sizeof(q->interface), false))
        return bad(reply, L2TPC_HOST_SENTENCE_BAD_NAME, "interface name");
    plan = plan_take(h, q->interface);
    if (!plan)
        return reply_fail(reply, -ENOENT, L2TPC_HOST_SENTENCE_NOT_FOUND, "%s", q->interface);
    rc = run_open(h, &run);
    if (rc == 0) {
        rc = release(h, run.dir, plan, reply);
        run_close(&run);
    } else {
        reply_fail(reply, rc, L2TPC_HOST_SENTENCE_JOURNAL, "%.96s: %s", h->run_dir,
                   strerrorname_np(-rc));
    }
    free(plan);
    return rc;
}

void host_release_all(l2tpc_host *h)
{
    while (h->plans) {
        l2tpc_host_release_ip q;
        l2tpc_host_reply reply = {.status = 0};

        memcpy(q.interface, h->plans->interface, sizeof(q.interface));
        (void)serve_release_ip(h, &q, &reply);
    }
}
