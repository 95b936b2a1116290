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

#define NO_SLOT UINT32_MAX

int run_open(const l2tpc_host *h, struct run *out)
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

void run_close(struct run *run)
{
    close(run->lock);
    close(run->dir);
}

/* Walks the first `n` items backwards, without those that `kept` has too; goes on after a failure
 * and returns the first one. */
static int undo_items(l2tpc_host *h, int dir, const struct plan *plan, size_t n,
                      const struct plan *kept, bool *out_foreign)
{
    int first = 0;

    while (n-- > 0) {
        int rc;

        if (kept && plan_has(kept, &plan->item[n]))
            continue;
        rc = item_undo(h, dir, plan, &plan->item[n], out_foreign);
        if (rc < 0 && first == 0)
            first = rc;
    }
    return first;
}

static int undo_plan(l2tpc_host *h, int dir, const struct plan *plan, bool *out_foreign)
{
    int rc = undo_items(h, dir, plan, plan->n_items, NULL, out_foreign);

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
        run_dir_sweep(run.dir);
        free(r);
    }
    run_close(&run);
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

/* Makes what `before` (NULL at first) has not made yet. On failure unmakes it again. */
static int carry_out(l2tpc_host *h, int dir, const l2tpc_host_apply_ip *q, const struct plan *plan,
                     const struct plan *before, l2tpc_host_reply *reply)
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

        /* The servers of a link are set as a whole, so again. */
        if (before && item->kind != ITEM_RESOLVED && plan_has(before, item))
            continue;
        rc = item_do(h, dir, q, plan, item);
        if (rc < 0)
            reply_fail(reply, rc, item_sentence(item), "%s/%u table %u: %s",
                       inaddr_text(&item->dst, text), item->dst_len, item->table,
                       strerrorname_np(-rc));
    }
    if (rc < 0)
        (void)undo_items(h, dir, plan, i, before, &foreign);
    return rc;
}

static bool uses_resolv_conf(const struct plan *plan)
{
    const struct item item = {.kind = ITEM_RESOLV_CONF, .ifindex = plan->ifindex};

    return plan_has(plan, &item);
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
    rc = carry_out(h, dir, q, plan, NULL, reply);
    if (rc < 0) {
        (void)journal_remove(dir, plan->tunnel);
        resolv_forget(dir, plan->tunnel);
    }
    return rc;
}

/* Fills in the plan; its slot is `slot`, or the first free one when that is none. */
static int make_plan(l2tpc_host *h, int dir, const l2tpc_host_apply_ip *q, uint32_t slot,
                     struct plan *plan, l2tpc_host_reply *reply)
{
    struct survey survey = {.n_loosened = 0};
    int rc;

    *plan = (struct plan){.has_owner = true, .has_slot = true, .slot = slot};
    rc = find_interface(h, q, plan, reply);
    if (rc < 0)
        return rc;
    rc = survey_make(h, dir, &survey);
    if (rc < 0)
        return reply_fail(reply, rc, L2TPC_HOST_SENTENCE_JOURNAL, "survey: %s",
                          strerrorname_np(-rc));
    if (slot == NO_SLOT) {
        plan->slot = 0;
        while (plan->slot < L2TPC_HOST_TUNNELS_MAX && survey.slot[plan->slot])
            plan->slot++;
    }
    if (plan->slot == L2TPC_HOST_TUNNELS_MAX)
        return reply_fail(reply, -EUSERS, L2TPC_HOST_SENTENCE_TOO_MANY, "slots");
    return plan_build(h, q, &survey, plan, reply);
}

static int apply_first(l2tpc_host *h, int dir, const l2tpc_host_apply_ip *q, struct plan *plan,
                       l2tpc_host_reply *reply)
{
    int rc = claim_name(h, dir, q->tunnel, plan, reply);

    if (rc == 0)
        rc = make_plan(h, dir, q, NO_SLOT, plan, reply);
    return rc < 0 ? rc : write_and_do(h, dir, q, plan, reply);
}

/* Takes the old resolv.conf item out when the new text differs, so that it is made anew. */
static int renew_resolv_conf(l2tpc_host *h, int dir, const l2tpc_host_apply_ip *q,
                             struct plan *before, const struct plan *plan)
{
    bool wanted = uses_resolv_conf(plan);
    bool foreign = false;
    size_t i = 0;
    int rc;

    if (uses_resolv_conf(before)) {
        if (wanted && resolv_same(dir, q))
            return 0;
        rc = resolv_restore(h, dir, before->tunnel, &foreign);
        if (rc < 0)
            return rc;
        while (before->item[i].kind != ITEM_RESOLV_CONF)
            i++;
        before->n_items--;
        memmove(&before->item[i], &before->item[i + 1],
                (before->n_items - i) * sizeof(before->item[0]));
    }
    return wanted ? resolv_prepare(h, dir, q) : 0;
}

/*
 * Changes a tunnel that is up without a moment in which its traffic would leave elsewhere: what is
 * new is made first, then what is gone is unmade. The journal holds both meanwhile. A new address
 * with the same peer is "secondary" for the kernel: with the old one it would go as well, and with
 * the last address every route. Where that cannot be switched off, they are made again.
 */
static int apply_again(l2tpc_host *h, int dir, const l2tpc_host_apply_ip *q, struct plan *before,
                       const struct plan *plan, const struct plan *both, l2tpc_host_reply *reply)
{
    bool foreign = false;
    int rc = renew_resolv_conf(h, dir, q, before, plan);

    if (rc == 0)
        rc = journal_write(dir, both);
    if (rc < 0)
        return reply_fail(reply, rc, L2TPC_HOST_SENTENCE_JOURNAL, "%s: %s", plan->tunnel,
                          strerrorname_np(-rc));
    rc = carry_out(h, dir, q, plan, before, reply);
    if (rc < 0) {
        (void)journal_write(dir, before); /* else the fuller one stays, which undoes no less */
        return rc;
    }
    (void)addresses_outlive_the_first(plan->interface);
    (void)undo_items(h, dir, before, before->n_items, plan, &foreign);
    (void)journal_write(dir, plan);
    *before = *plan;
    rc = plan_repair(h, plan);
    if (rc < 0)
        return reply_fail(reply, rc, L2TPC_HOST_SENTENCE_INTERFACE, "%s: %s", plan->interface,
                          strerrorname_np(-rc));
    return 0;
}

/* The item of resolv.conf, which is one whatever the interface, as one of `ifindex`. */
static void move_resolv_conf(struct plan *plan, uint32_t ifindex)
{
    for (size_t i = 0; i < plan->n_items; i++)
        if (plan->item[i].kind == ITEM_RESOLV_CONF)
            plan->item[i].ifindex = ifindex;
}

/*
 * The same for plans that do not fit side by side: the address with another peer, another TUN. What
 * is gone is unmade first, but rules and what holds a full tunnel's traffic back are in both and
 * stay: there is a moment without a way, none with another one.
 */
static int apply_instead(l2tpc_host *h, int dir, const l2tpc_host_apply_ip *q, struct plan *before,
                         const struct plan *plan, l2tpc_host_reply *reply)
{
    bool foreign = false;
    int rc = renew_resolv_conf(h, dir, q, before, plan);

    move_resolv_conf(before, plan->ifindex);
    if (rc == 0)
        rc = undo_items(h, dir, before, before->n_items, plan, &foreign);
    if (rc == 0)
        rc = journal_write(dir, plan);
    if (rc < 0) {
        (void)undo_plan(h, dir, before, &foreign);
        return reply_fail(reply, rc, L2TPC_HOST_SENTENCE_JOURNAL, "%s: %s", plan->tunnel,
                          strerrorname_np(-rc));
    }
    rc = carry_out(h, dir, q, plan, before, reply);
    if (rc == 0) {
        rc = plan_repair(h, plan);
        if (rc < 0)
            reply_fail(reply, rc, L2TPC_HOST_SENTENCE_INTERFACE, "%s: %s", plan->interface,
                       strerrorname_np(-rc));
    }
    if (rc < 0) {
        (void)undo_plan(h, dir, plan, &foreign);
        return rc;
    }
    *before = *plan;
    return 0;
}

/* The union of two plans; false when they do not fit side by side. */
static bool join(struct plan *both, const struct plan *before, const struct plan *plan)
{
    if (strcmp(before->tunnel, plan->tunnel) != 0 || before->ifindex != plan->ifindex ||
        before->slot != plan->slot)
        return false;
    *both = *before;
    for (size_t i = 0; i < plan->n_items; i++) {
        const struct item *item = &plan->item[i];

        if (!plan_has(before, item) && (plan_clashes(before, item) || !plan_add(both, item)))
            return false;
    }
    return true;
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

static void plan_keep(l2tpc_host *h, struct plan *plan)
{
    plan->next = h->plans;
    h->plans = plan;
}

/* Of `before`, `plan` and `both` the one that is in force afterwards goes to the host's list. */
static int apply_over(l2tpc_host *h, int dir, const l2tpc_host_apply_ip *q, struct plan *before,
                      struct plan *plan, struct plan *both, l2tpc_host_reply *reply)
{
    int rc = make_plan(h, dir, q, before->slot, plan, reply);

    if (rc == 0 && join(both, before, plan)) {
        rc = apply_again(h, dir, q, before, plan, both, reply);
        plan_keep(h, before);
        free(plan);
        return rc;
    }
    if (rc == 0 && strcmp(before->tunnel, plan->tunnel) == 0 && before->slot == plan->slot) {
        rc = apply_instead(h, dir, q, before, plan, reply);
    } else {
        rc = release(h, dir, before, reply);
        if (rc == 0)
            rc = apply_first(h, dir, q, before, reply);
    }
    free(plan);
    if (rc == 0)
        plan_keep(h, before);
    else
        free(before);
    return rc;
}

static int apply_open(l2tpc_host *h, int dir, const l2tpc_host_apply_ip *q, l2tpc_host_reply *reply)
{
    struct plan *plan = calloc(1, sizeof(*plan));
    struct plan *both = calloc(1, sizeof(*both));
    struct plan *before = NULL;
    int rc;

    if (!plan || !both) {
        free(plan);
        free(both);
        return reply_fail(reply, -ENOMEM, L2TPC_HOST_SENTENCE_JOURNAL, "memory");
    }
    before = plan_take(h, q->interface);
    if (before) {
        rc = apply_over(h, dir, q, before, plan, both, reply);
    } else {
        rc = apply_first(h, dir, q, plan, reply);
        if (rc == 0)
            plan_keep(h, plan);
        else
            free(plan);
    }
    free(both);
    return rc;
}

int serve_apply_ip(l2tpc_host *h, const l2tpc_host_apply_ip *q, l2tpc_host_reply *reply)
{
    struct run run;
    int rc = apply_ip_check(q, reply);

    if (rc < 0)
        return rc;
    rc = run_open(h, &run);
    if (rc < 0)
        return reply_fail(reply, rc, L2TPC_HOST_SENTENCE_JOURNAL, "%.96s: %s", h->run_dir,
                          strerrorname_np(-rc));
    rc = apply_open(h, run.dir, q, reply);
    run_close(&run);
    if (rc == 0) {
        reply->ifindex = h->plans->ifindex;
        memcpy(reply->name, h->plans->interface, sizeof(reply->name));
    }
    return rc;
}

static int release_open(l2tpc_host *h, struct plan *plan, l2tpc_host_reply *reply)
{
    struct run run;
    int rc = run_open(h, &run);

    if (rc < 0)
        return reply_fail(reply, rc, L2TPC_HOST_SENTENCE_JOURNAL, "%.96s: %s", h->run_dir,
                          strerrorname_np(-rc));
    rc = release(h, run.dir, plan, reply);
    run_close(&run);
    return rc;
}

int serve_release_ip(l2tpc_host *h, const l2tpc_host_release_ip *q, l2tpc_host_reply *reply)
{
    struct plan *plan;
    int rc;

    if (!ifname_valid(q->interface, sizeof(q->interface), false))
        return reply_fail(reply, -EINVAL, L2TPC_HOST_SENTENCE_BAD_NAME, "interface name");
    plan = plan_take(h, q->interface);
    if (!plan)
        return reply_fail(reply, -ENOENT, L2TPC_HOST_SENTENCE_NOT_FOUND, "%s", q->interface);
    rc = release_open(h, plan, reply);
    if (rc < 0)
        plan_keep(h, plan); /* to be tried again */
    else
        free(plan);
    return rc;
}

void host_release_all(l2tpc_host *h)
{
    l2tpc_host_reply reply;

    while (h->plans) {
        struct plan *plan = h->plans;

        h->plans = plan->next;
        (void)release_open(h, plan, &reply);
        free(plan);
    }
}
