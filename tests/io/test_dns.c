/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The little DNS that asks past a tunnel: queries, answers of anybody, and a server of its own. */
#include "check.h"
#include "io/dns.h"
#include "io/dns_wire.h"
#include "io/env.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* www.example.com A, with an alias before the address; after RFC 1035 4.1. */
static const char answer_hex[] = "1234 8180 0001 0002 0000 0000"
                                 "03777777076578616d706c6503636f6d00 0001 0001"
                                 "c00c 0005 0001 00000e10 0006 03657863c010"
                                 "c02d 0001 0001 00000e10 0004 c0000207";

struct case_file {
    uint8_t query[DNS_QUERY_MAX], answer[DNS_ANSWER_MAX];
    size_t n_query, n_answer;
};

static bool begin(struct case_file *c)
{
    c->n_answer = check_hex(c->answer, sizeof(c->answer), answer_hex);
    return dns_query("www.example.com", DNS_A, 0x1234, c->query, &c->n_query);
}

static bool reads(const struct case_file *c, struct inaddr *out, unsigned *n)
{
    return dns_answer(span_of(c->query, c->n_query), span_of(c->answer, c->n_answer), out, 4, n);
}

TEST(dns_queries)
{
    struct case_file c;
    uint8_t want[64];
    size_t n =
        check_hex(want, sizeof(want),
                  "1234 0100 0001 0000 0000 0000 03777777076578616d706c6503636f6d00 0001 0001");
    char longest[70];

    CHECK(begin(&c));
    CHECK_MEM(c.query, c.n_query, want, n);
    CHECK(dns_query("www.example.com.", DNS_A, 0x1234, c.query, &c.n_query) && c.n_query == n);
    CHECK(!dns_query("", DNS_A, 1, c.query, &n) && !dns_query(".", DNS_A, 1, c.query, &n));
    CHECK(!dns_query("a..b", DNS_A, 1, c.query, &n) && !dns_query("a b", DNS_A, 1, c.query, &n));
    CHECK(!dns_query("b\xc3\xbc.example", DNS_A, 1, c.query, &n));
    memset(longest, 'a', sizeof(longest));
    longest[64] = '\0';
    CHECK(!dns_query(longest, DNS_A, 1, c.query, &n));
    longest[63] = '\0';
    CHECK(dns_query(longest, DNS_A, 1, c.query, &n));
}

TEST(dns_answers)
{
    struct case_file c;
    struct inaddr a[4];
    struct inaddr want = inaddr_v4(0xc0000207);
    unsigned n;

    CHECK(begin(&c) && reads(&c, a, &n));
    CHECK(n == 1 && inaddr_eq(&a[0], &want));
    for (size_t cut = 0; cut < c.n_answer; cut++) {
        struct case_file less = c;

        less.n_answer = cut;
        CHECK(!reads(&less, a, &n));
    }
}

TEST(dns_answers_to_others)
{
    struct case_file c;
    struct inaddr a[4];
    unsigned n = 7;

    CHECK(begin(&c));
    c.answer[1]++; /* another ID */
    CHECK(!reads(&c, a, &n));
    c.answer[1]--;
    c.answer[14]++; /* another name */
    CHECK(!reads(&c, a, &n));
    c.answer[14]--;
    c.answer[2] = 1; /* a query */
    CHECK(!reads(&c, a, &n) && n == 7);
    c.answer[2] = 0x81;
    c.answer[3] = 0x83; /* there is no such name */
    CHECK(reads(&c, a, &n) && n == 0);
    c.answer[3] = 0x80;
    c.answer[40] = 3; /* the alias is of another class: nobody's concern */
    CHECK(reads(&c, a, &n) && n == 1);
    CHECK(dns_query("www.example.com", DNS_AAAA, 0x1234, c.query, &c.n_query));
    c.answer[30] = DNS_AAAA; /* IPv6 was asked for, and IPv4 is no answer to that */
    CHECK(reads(&c, a, &n) && n == 0);
}

static int no_socket(void *user, uint8_t family, bool stream)
{
    (void)family;
    (void)stream;
    ++*(unsigned *)user;
    return -1;
}

TEST(dns_asks_nobody_without_a_socket)
{
    struct dns_servers servers = {.n = 2, .at = {inaddr_v4(0x7f000001), inaddr_v4(0x7f000002)}};
    unsigned asked = 0;
    struct port_options ports = {.open_socket = no_socket, .open_user = &asked};
    struct inaddr a[4];

    CHECK(dns_look_up(&servers, &ports, "gate", us_add(io_now(), US_S(5)), a, 4) == 0);
    CHECK(asked == 2);
    ports.open_socket = NULL;
    CHECK(dns_look_up(&servers, &ports, "gate", us_add(io_now(), US_S(5)), a, 4) == 0);
}
