/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "host/resolver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TEST(tunnel_names)
{
    char longest[L2TPC_HOST_NAME_MAX + 2];
    static const char *const good[] = {"a", "office", "A.b_c-9", "9", "_", "a.b"};
    static const char *const refused[] = {"",     ".",    "..",   ".a",  "-a",  "a/b",
                                          "../x", "a..b", "a b",  "a\n", "a\t", "\xc3\xa9",
                                          "a:b",  "a\\",  "a\"b", "a%d", "a;b"};

    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        CHECK(l2tpc_host_name_valid(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        CHECK(!l2tpc_host_name_valid(refused[i]));
    CHECK(!l2tpc_host_name_valid(NULL));
    memset(longest, 'a', sizeof(longest));
    longest[L2TPC_HOST_NAME_MAX] = '\0';
    CHECK(l2tpc_host_name_valid(longest));
    longest[L2TPC_HOST_NAME_MAX] = 'a';
    longest[L2TPC_HOST_NAME_MAX + 1] = '\0';
    CHECK(!l2tpc_host_name_valid(longest));
}

TEST(interface_names)
{
    CHECK(ifname_valid("l2tp0", HOST_IFNAME, false));
    CHECK(ifname_valid("l2tp%d", HOST_IFNAME, true));
    CHECK(!ifname_valid("l2tp%d", HOST_IFNAME, false));
    CHECK(!ifname_valid("l2tp%d%d", HOST_IFNAME, true));
    CHECK(!ifname_valid("l2tp%s", HOST_IFNAME, true));
    CHECK(!ifname_valid("l2tp%", HOST_IFNAME, true));
    CHECK(!ifname_valid("", HOST_IFNAME, true));
    CHECK(!ifname_valid("..", HOST_IFNAME, true));
    CHECK(!ifname_valid("a/b", HOST_IFNAME, true));
    CHECK(!ifname_valid("a b", HOST_IFNAME, true));
    CHECK(!ifname_valid("0123456789abcdef", HOST_IFNAME, true));
    CHECK(ifname_valid("0123456789abcde", HOST_IFNAME, true));
}

TEST(search_domains)
{
    CHECK(domain_valid("example.com", 256));
    CHECK(domain_valid("_tcp.corp", 256));
    CHECK(!domain_valid("", 256));
    CHECK(!domain_valid(".", 256));
    CHECK(!domain_valid("a..b", 256));
    CHECK(!domain_valid("-a.b", 256));
    CHECK(!domain_valid("a b", 256));
    CHECK(!domain_valid("a\nnameserver 192.0.2.1", 256));
    CHECK(!domain_valid("abc", 3));
}

static struct inaddr addr(const char *text)
{
    struct inaddr a = {.family = 0};

    if (!inaddr_parse(&a, text))
        abort();
    return a;
}

TEST(prefixes)
{
    struct inaddr a = prefix_mask(addr("10.255.255.255"), 9);
    struct inaddr b = addr("10.128.0.0");
    struct inaddr c = addr("2001:db8::1");
    struct inaddr any4 = {.family = 4};

    CHECK(inaddr_eq(&a, &b));
    a = prefix_mask(c, 32);
    CHECK(prefix_contains(&a, 32, &c));
    CHECK(!prefix_contains(&any4, 0, &c));
    CHECK(prefix_contains(&any4, 0, &b));
    CHECK(addr_is_neighbourly(&b, 9));
    a = addr("10.0.0.0");
    CHECK(addr_is_neighbourly(&a, 8));
    CHECK(!addr_is_neighbourly(&a, 7));
    a = addr("172.32.0.0");
    CHECK(!addr_is_neighbourly(&a, 16));
    a = addr("fd00::");
    CHECK(addr_is_neighbourly(&a, 8));
}

static void set_dns(l2tpc_host_apply_ip *q, const char *text)
{
    struct inaddr a = addr(text);

    host_addr_write(&q->dns[q->n_dns++], &a);
}

static void compose(const l2tpc_host_apply_ip *q, const char *old, const char *want)
{
    char out[2048];
    size_t n;
    size_t head;

    CHECK(resolv_compose(q, span_str(old), out, sizeof(out), &n));
    CHECK(memcmp(out, "# Written by l2tpc for the tunnel t;", 36) == 0);
    head = (size_t)((const char *)memchr(out, '\n', n) - out) + 1;
    CHECK_MEM(out + head, n - head, want, strlen(want));
    CHECK(!resolv_compose(q, span_str(old), out, n, &n));
}

TEST(resolv_conf_text)
{
    l2tpc_host_apply_ip q = {.tunnel = "t", .flags = L2TPC_HOST_IP_FULL_TUNNEL};
    static const char old[] = "# hello\nnameserver 192.0.2.53\ndomain old.example\n"
                              "search  lan home.example\t\nnameserver 192.0.2.54\n"
                              "nameserver 192.0.2.55\noptions edns0 trust-ad\nsortlist 10.0.0.0";

    set_dns(&q, "fd00::53");
    set_dns(&q, "10.0.0.53");
    compose(&q, old,
            "nameserver 10.0.0.53\nnameserver fd00::53\nsearch lan home.example\n"
            "options edns0 trust-ad\nsortlist 10.0.0.0\n");
    q.flags = 0;
    q.n_search = 1;
    (void)snprintf(q.search[0], sizeof(q.search[0]), "corp.example");
    compose(&q, old,
            "nameserver 10.0.0.53\nnameserver fd00::53\nnameserver 192.0.2.53\n"
            "search corp.example lan home.example\noptions edns0 trust-ad\nsortlist 10.0.0.0\n");
    compose(&q, "", "nameserver 10.0.0.53\nnameserver fd00::53\nsearch corp.example\n");
    compose(&q, "nameserver", "nameserver 10.0.0.53\nnameserver fd00::53\nsearch corp.example\n");
}

/* What the policy and the bounds refuse before anything is touched. */
TEST(requests_refused)
{
    const l2tpc_host_options o = {.size = sizeof(o),
                                  .run_dir = "/nonexistent/run",
                                  .resolv_conf = "/nonexistent/resolv.conf",
                                  .allow = 1u << L2TPC_HOST_APPLY_IP | 1u << L2TPC_HOST_OPEN_UDP |
                                           1u << L2TPC_HOST_OPEN_TUN};
    l2tpc_host_options wrong = o;
    l2tpc_host_request q = {.size = sizeof(q), .type = L2TPC_HOST_OPEN_RAW_ESP};
    l2tpc_host_reply r;
    l2tpc_host *h = NULL;

    wrong.table = 40000;
    CHECK_INT(l2tpc_host_new(&h, &wrong), -EINVAL);
    wrong = o;
    wrong.run_dir = "run";
    CHECK_INT(l2tpc_host_new(&h, &wrong), -EINVAL);
    CHECK_INT(l2tpc_host_new(&h, &o), 0);
    CHECK_INT(l2tpc_host_request_serve(h, &q, &r), -EACCES);
    CHECK_INT(r.sentence, L2TPC_HOST_SENTENCE_NOT_ALLOWED);
    q.type = 99;
    CHECK_INT(l2tpc_host_request_serve(h, &q, &r), -EINVAL);
    q.type = L2TPC_HOST_OPEN_UDP;
    q.size = 4;
    CHECK_INT(l2tpc_host_request_serve(h, &q, &r), -EINVAL);
    q.size = sizeof(q);
    CHECK_INT(l2tpc_host_request_serve(h, &q, &r), -EAFNOSUPPORT);
    q.u.open_udp.family = 4;
    q.u.open_udp.port = 53;
    CHECK_INT(l2tpc_host_request_serve(h, &q, &r), -EACCES);
    q.u.open_udp.port = 0;
    q.u.open_udp.mark = 1;
    CHECK_INT(l2tpc_host_request_serve(h, &q, &r), -EACCES);
    q = (l2tpc_host_request){.size = sizeof(q), .type = L2TPC_HOST_OPEN_TUN};
    memset(q.u.open_tun.name, 'a', sizeof(q.u.open_tun.name));
    CHECK_INT(l2tpc_host_request_serve(h, &q, &r), -EINVAL);
    CHECK_INT(r.sentence, L2TPC_HOST_SENTENCE_BAD_NAME);
    l2tpc_host_free(h);
}

static int apply_with(l2tpc_host *h, void (*change)(l2tpc_host_apply_ip *), uint32_t *out_sentence)
{
    static l2tpc_host_request q;
    l2tpc_host_reply r;
    struct inaddr a;
    int rc;

    q = (l2tpc_host_request){.size = sizeof(q), .type = L2TPC_HOST_APPLY_IP};
    (void)snprintf(q.u.apply_ip.interface, sizeof(q.u.apply_ip.interface), "l2tp0");
    (void)snprintf(q.u.apply_ip.tunnel, sizeof(q.u.apply_ip.tunnel), "t");
    a = addr("10.0.0.2");
    host_addr_write(&q.u.apply_ip.local, &a);
    a = addr("192.0.2.1");
    host_addr_write(&q.u.apply_ip.server, &a);
    change(&q.u.apply_ip);
    rc = l2tpc_host_request_serve(h, &q, &r);
    *out_sentence = r.sentence;
    return rc;
}

static void no_change(l2tpc_host_apply_ip *q)
{
    (void)q;
}

static void long_tunnel(l2tpc_host_apply_ip *q)
{
    memset(q->tunnel, 'a', sizeof(q->tunnel));
}

static void many_routes(l2tpc_host_apply_ip *q)
{
    q->n_routes = L2TPC_HOST_ROUTES_MAX + 1;
}

static void wide_prefix(l2tpc_host_apply_ip *q)
{
    q->n_routes = 1;
    q->routes[0] = (l2tpc_host_addr){.family = 4, .prefix_len = 33, .bytes = {10}};
}

static void loopback_dns(l2tpc_host_apply_ip *q)
{
    set_dns(q, "127.0.0.53");
}

static void zero_dns(l2tpc_host_apply_ip *q)
{
    set_dns(q, "0.0.0.0");
}

static void multicast_dns(l2tpc_host_apply_ip *q)
{
    set_dns(q, "224.0.0.251");
}

static void local_is_server(l2tpc_host_apply_ip *q)
{
    q->local = q->server;
}

static void broadcast_local(l2tpc_host_apply_ip *q)
{
    memset(q->local.bytes, 0xff, 4);
}

static void unknown_flag(l2tpc_host_apply_ip *q)
{
    q->flags = 0x80;
}

static void search_injection(l2tpc_host_apply_ip *q)
{
    q->n_search = 1;
    (void)snprintf(q->search[0], sizeof(q->search[0]), "a\nnameserver 192.0.2.66");
}

TEST(apply_refused)
{
    static const struct {
        void (*change)(l2tpc_host_apply_ip *);
        uint32_t sentence;
    } rows[] = {
        {long_tunnel, L2TPC_HOST_SENTENCE_BAD_NAME},
        {many_routes, L2TPC_HOST_SENTENCE_BAD_REQUEST},
        {wide_prefix, L2TPC_HOST_SENTENCE_BAD_ADDRESS},
        {loopback_dns, L2TPC_HOST_SENTENCE_BAD_ADDRESS},
        {zero_dns, L2TPC_HOST_SENTENCE_BAD_ADDRESS},
        {multicast_dns, L2TPC_HOST_SENTENCE_BAD_ADDRESS},
        {local_is_server, L2TPC_HOST_SENTENCE_BAD_ADDRESS},
        {broadcast_local, L2TPC_HOST_SENTENCE_BAD_ADDRESS},
        {unknown_flag, L2TPC_HOST_SENTENCE_BAD_REQUEST},
        {search_injection, L2TPC_HOST_SENTENCE_BAD_REQUEST},
    };
    const l2tpc_host_options o = {.size = sizeof(o), .run_dir = "/nonexistent/run"};
    l2tpc_host *h = NULL;
    uint32_t sentence;

    CHECK_INT(l2tpc_host_new(&h, &o), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_INT(apply_with(h, rows[i].change, &sentence), -EINVAL);
        CHECK_INT(sentence, rows[i].sentence);
    }
    /* Nothing wrong but the run directory: nothing is touched either. */
    CHECK_INT(apply_with(h, no_change, &sentence), -ENOENT);
    CHECK_INT(sentence, L2TPC_HOST_SENTENCE_JOURNAL);
    l2tpc_host_free(h);
}
