/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scan against the simulated server, which was written without a look at our engines. */
#include "check.h"
#include "peer.h"
#include "sim_env.h"

#include "ike/policy.h"
#include "ike/v1/scan.h"

#include <string.h>

#define RTT US_MS(40)
#define WAY_MAX 16

struct way {
    l2tpc_us at;
    struct msg m;
    bool to_server;
};

struct net {
    struct sim_env env, peer_env;
    struct crypto *crypto;
    struct peer *peer;
    struct scan *scan;
    struct endpoint client, server;
    struct way way[WAY_MAX];
    unsigned n;
    l2tpc_us now;
};

static void open_net(struct net *n, const char *accepts, struct peer_config *c,
                     enum scan_depth depth)
{
    struct scan_config s = {.depth = depth};

    memset(n, 0, sizeof(*n));
    sim_env_init(&n->env, "client", 1);
    sim_env_init(&n->peer_env, "server", 2);
    n->crypto = crypto_new();
    n->client = (struct endpoint){.addr = inaddr_v4(0xc0000202), .port = 500};
    n->server = (struct endpoint){.addr = inaddr_v4(0xc6336401), .port = 500};
    c->local = n->server;
    c->psk = "never needed";
    c->user = c->password = "";
    if (!policy_named("legacy", &c->policy) || !policy_parse_ike(accepts, &c->policy, NULL))
        check_fail(__FILE__, __LINE__, "%s", accepts);
    n->peer = peer_new(c, &n->peer_env.env, n->crypto);
    s.env = &n->env.env;
    n->scan = scan_new(&s);
    n->now = US_S(10);
}

static void close_net(struct net *n)
{
    for (unsigned i = 0; i < n->n; i++)
        msg_done(&n->way[i].m);
    scan_free(n->scan);
    peer_free(n->peer);
    crypto_free(n->crypto);
}

static void put(struct net *n, const struct msg *m, bool to_server)
{
    if (n->n == WAY_MAX) {
        check_fail(__FILE__, __LINE__, "too much under way");
        return;
    }
    n->way[n->n++] = (struct way){n->now + RTT / 2, *m, to_server};
}

static l2tpc_us next_time(const struct net *n)
{
    l2tpc_us at = us_min(scan_deadline(n->scan), peer_deadline(n->peer));

    for (unsigned i = 0; i < n->n; i++)
        at = us_min(at, n->way[i].at);
    return us_max(at, n->now);
}

static void deliver(struct net *n)
{
    for (unsigned i = 0; i < n->n;) {
        struct way w = n->way[i];

        if (w.at > n->now) {
            i++;
            continue;
        }
        n->way[i] = n->way[--n->n];
        if (w.to_server)
            peer_input(n->peer, PEER_UDP500, &n->client, span_of(w.m.bytes, w.m.n), n->now);
        else
            (void)scan_input(n->scan, &n->server, span_of(w.m.bytes, w.m.n), n->now);
        msg_done(&w.m);
    }
}

static struct failure run(struct net *n)
{
    struct scan_event e;
    struct endpoint to;
    enum peer_port port;
    struct msg m;

    scan_start(n->scan, &n->server, false, n->now);
    for (unsigned steps = 0; steps < 5000; steps++) {
        while (scan_pop_out(n->scan, &m))
            put(n, &m, true);
        while (peer_pop_out(n->peer, &port, &to, &m))
            put(n, &m, false);
        while (scan_pop_event(n->scan, &e))
            if (e.type == SCAN_EVENT_OVER)
                return e.failure;
        n->now = next_time(n);
        deliver(n);
        scan_timer(n->scan, n->now);
        peer_timer(n->peer, n->now);
    }
    return failure_make(FAILURE_LOCAL_TIMEOUT);
}

/* The accepted ones are the suites of the list and no others. */
static bool found(const struct net *n, const char *accepts)
{
    const struct scan_list *l = scan_items(n->scan);
    struct policy p = {0};

    if (!policy_parse_ike(accepts, &p, NULL))
        return false;
    for (unsigned i = 0; i < l->n; i++) {
        bool listed = false;

        for (unsigned k = 0; k < p.n_ike; k++)
            listed = listed || scan_same_suite(&p.ike[k], &l->item[i].suite);
        if (listed != (l->item[i].state == SCAN_ACCEPTED))
            return false;
    }
    return scan_facts(n->scan)->accepted == p.n_ike;
}

TEST(scan_finds_what_each_server_is_set_to)
{
    static const char *const lists[] = {
        "aes256-sha256-modp2048",
        "3des-sha1-modp1024",
        "aes256-sha1-ecp384,aes128-sha1-ecp256,3des-sha1-modp1024",
        "aes256-sha256-modp2048,aes256-sha1-modp2048,aes128-sha1-modp1024,3des-sha1-modp1024",
    };

    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        for (unsigned f = PEER_PLAIN; f <= PEER_WINDOWS; f++) {
            struct peer_config c = {.flavour = (enum peer_flavour)f};
            struct net n;

            open_net(&n, lists[i], &c, i % 2 ? SCAN_ALL : SCAN_USUAL);
            CHECK_INT(run(&n).id, FAILURE_NONE);
            CHECK(found(&n, lists[i]));
            CHECK_INT(scan_facts(n.scan)->end, SCAN_COMPLETE);
            /* It is strict: nothing of ours was against an RFC, and no key was ever near. */
            CHECK_INT(peer_facts(n.peer)->complaints, 0);
            CHECK_INT(peer_facts(n.peer)->mm5_seen, 0);
            CHECK_INT(peer_facts(n.peer)->ike_established, 0);
            close_net(&n);
        }
    }
}

TEST(scan_through_what_servers_do_wrong)
{
    static const uint64_t noise[] = {BUG_IKE_FOREIGN_COOKIE, BUG_IKE_TRUNCATED,
                                     BUG_IKE_GARBAGE_CHAIN, BUG_IKE_CLEAR_REFUSALS};
    const char *list = "aes256-sha1-modp2048,3des-sha1-modp1024";

    for (size_t i = 0; i < ARRAY_LEN(noise); i++) {
        struct peer_config c = {.bugs = noise[i]};
        struct net n;

        open_net(&n, list, &c, SCAN_USUAL);
        CHECK_INT(run(&n).id, FAILURE_NONE);
        CHECK(found(&n, list));
        close_net(&n);
    }
}

TEST(scan_of_a_server_that_answers_what_was_not_offered)
{
    struct peer_config c = {.bugs = BUG_IKE_WRONG_TRANSFORM};
    struct net n;

    open_net(&n, "aes256-sha1-modp2048", &c, SCAN_USUAL);
    CHECK(run(&n).id != FAILURE_NONE);
    CHECK_INT(scan_facts(n.scan)->accepted, 0);
    close_net(&n);
}
