/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the host library share. A plan is the list of changes that one tunnel makes;
 * the journal is a plan on disk, and undoing is walking it backwards. */
#ifndef L2TPC_HOST_HOST_H
#define L2TPC_HOST_HOST_H

#include "base/addr.h"
#include "host/l2tpc-host.h"

#include <sys/types.h>

struct nl_sock;
struct host_observer;

#define HOST_IFNAME 16
#define HOST_ITEMS_MAX 128
#define HOST_OBSERVERS_MAX 64
#define HOST_TUNS_MAX 64
#define HOST_METRIC 50 /* of our routes in table main: below what network managers give a LAN */
#define HOST_METRIC_BACKSTOP 4000000 /* of what holds traffic back without the tunnel's route */

enum item_kind {
    ITEM_TUN,       /* ifindex, name: made by us, gone with its owner unless somebody holds it */
    ITEM_ADDR,      /* ifindex, dst, peer */
    ITEM_ROUTE,     /* table, dst/dst_len, ifindex or 0 for unreachable */
    ITEM_RULE,      /* priority, table, mark (0: none), dst/dst_len */
    ITEM_RP_FILTER, /* name, old_value, new_value */
    ITEM_RESOLV_CONF,
    ITEM_RESOLVED, /* ifindex */
};

struct item {
    enum item_kind kind;
    struct inaddr dst;
    uint8_t dst_len;
    struct inaddr peer; /* ITEM_ADDR, not in the journal: deleting does not need it */
    uint32_t table;
    uint32_t ifindex;
    uint32_t priority;
    uint32_t mark;
    char name[HOST_IFNAME];
    uint8_t old_value, new_value;
};

struct plan {
    struct plan *next;
    char tunnel[L2TPC_HOST_NAME_MAX + 1];
    char interface[HOST_IFNAME];
    uint32_t ifindex;
    uint32_t slot;
    bool has_owner, has_slot;
    pid_t owner_pid;
    uint64_t owner_start; /* clock ticks since boot: tells a recycled process id */
    bool whole;           /* every line of the journal was understood, and the last one is there */
    size_t n_items;
    struct item item[HOST_ITEMS_MAX];
};

/* What the other tunnels of this computer hold. */
struct survey {
    bool slot[L2TPC_HOST_TUNNELS_MAX];
    size_t n_loosened;
    struct item loosened[16]; /* ITEM_RP_FILTER */
};

struct observer_last;

struct l2tpc_host {
    char *run_dir;
    char *resolv_conf;
    char *state_dir;
    uint32_t mark, table, dns_mode, allow;
    struct nl_sock *nl;
    struct nl_sock *watch;
    struct watch_queue *watch_queue;
    l2tpc_host_recovery recovery;
    struct plan *plans; /* what this host applied */
    struct host_observer *observer[HOST_OBSERVERS_MAX];
    uint32_t observer_id[HOST_OBSERVERS_MAX];
    uint32_t observers_made;
    struct observer_last *last_observer; /* what the newest had counted when it was closed */
    uint32_t tun[HOST_TUNS_MAX];         /* indexes of the TUNs made here, a ring */
    uint32_t tuns_made;
    uint8_t *state; /* the parts that have come, L2TPC_HOST_STATE_MAX bytes */
    uint32_t state_have;
};

/* check.c */
bool ifname_valid(const char *name, size_t cap, bool pattern) MUST_USE;
bool domain_valid(const char *name, size_t cap) MUST_USE;
bool host_addr_read(struct inaddr *out, const l2tpc_host_addr *a) MUST_USE;
void host_addr_write(l2tpc_host_addr *out, const struct inaddr *a);
bool prefix_contains(const struct inaddr *prefix, uint8_t len, const struct inaddr *a);
struct inaddr prefix_mask(struct inaddr a, uint8_t len);
bool addr_is_neighbourly(const struct inaddr *prefix, uint8_t len); /* inside a private range */
extern const struct private_range {
    struct inaddr addr;
    uint8_t len;
} private_ranges[];
extern const size_t n_private_ranges;

/* Every bound of an APPLY_IP; 0 or a failed reply. */
int apply_ip_check(const l2tpc_host_apply_ip *q, l2tpc_host_reply *reply);

/* Fails `reply`: status, sentence and a short technical detail. Returns status. */
int reply_fail(l2tpc_host_reply *reply, int status, enum l2tpc_host_sentence sentence,
               const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* sockets.c */
int serve_open_udp(l2tpc_host *h, const l2tpc_host_open_udp *q, l2tpc_host_reply *reply);
int serve_open_raw_esp(l2tpc_host *h, const l2tpc_host_open_raw_esp *q, l2tpc_host_reply *reply);
int serve_open_tcp(const l2tpc_host *h, const l2tpc_host_open_tcp *q, l2tpc_host_reply *reply);
int serve_open_tun(l2tpc_host *h, const l2tpc_host_open_tun *q, l2tpc_host_reply *reply);

/* apply.c */
/* The run directory, opened and locked against other processes. */
struct run {
    int dir;
    int lock;
};
int run_open(const l2tpc_host *h, struct run *out);
void run_close(struct run *run);
int serve_apply_ip(l2tpc_host *h, const l2tpc_host_apply_ip *q, l2tpc_host_reply *reply);
int serve_repair_ip(l2tpc_host *h, const l2tpc_host_release_ip *q, l2tpc_host_reply *reply);
int serve_release_ip(l2tpc_host *h, const l2tpc_host_release_ip *q, l2tpc_host_reply *reply);
void host_recover(l2tpc_host *h);
void host_release_all(l2tpc_host *h);

/* state.c */
int serve_state_part(l2tpc_host *h, const l2tpc_host_state_part *q, l2tpc_host_reply *reply);

/* block.c */
int serve_block(l2tpc_host *h, const l2tpc_host_block *q, l2tpc_host_reply *reply);
int serve_unblock(l2tpc_host *h, const l2tpc_host_unblock *q, l2tpc_host_reply *reply);
int serve_block_read(l2tpc_host_reply *reply);

/* plan.c */
int plan_build(l2tpc_host *h, const l2tpc_host_apply_ip *q, const struct survey *survey,
               struct plan *plan, l2tpc_host_reply *reply);
bool plan_add(struct plan *plan, const struct item *item) MUST_USE;
bool plan_has(const struct plan *plan, const struct item *item);
/* Unmaking what `plan` has would unmake `item` too: the same address with another peer. */
bool plan_clashes(const struct plan *plan, const struct item *item);

/* change.c: make and unmake one item. Unmaking what is not there succeeds. */
int item_do(l2tpc_host *h, int dir, const l2tpc_host_apply_ip *q, const struct plan *plan,
            const struct item *item);
int item_undo(l2tpc_host *h, int dir, const struct plan *plan, const struct item *item,
              bool *out_foreign);
/* `name` is an interface or "all". */
int rp_filter_read(const char *name, uint8_t *out);
/* When the first of an interface's addresses is deleted, the others with the same peer stay and
 * with them the routes. */
int addresses_outlive_the_first(const char *interface);

/* repair.c: makes again what is gone of `plan`; how many items that were, or negative errno. */
int plan_repair(l2tpc_host *h, const struct plan *plan);

#endif
