/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of servers: what is read, what is refused and where, and who is taken for whom. */
#include "check.h"
#include "dial/servers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t office_id[] = {1, 2, 3, 4};

static struct ike_facts says(const uint8_t *id, size_t n)
{
    struct ike_facts f = {.cky_r = {1}};

    f.n_vendor_ids = 1;
    f.vendor_bytes[0].n = n;
    memcpy(f.vendor_bytes[0].bytes, id, n < IKE_VENDOR_BYTES_KEPT ? n : IKE_VENDOR_BYTES_KEPT);
    return f;
}

static bool add(struct servers *s, const char *text, struct servers_problem *p)
{
    return servers_add(s, "test", span_str(text), p);
}

TEST(servers_built_in_table)
{
    struct servers *s = servers_new();
    unsigned n = 0;

    CHECK(s != NULL);
    for (const struct server_row *row; (row = servers_at(s, n)); n++) {
        CHECK(row->name[0] && row->source[0] && row->n_conditions > 0);
        CHECK_STR(row->origin, "built-in");
        /* What weakens a dial is no quirk, so that no row can switch it on. */
        CHECK((row->quirks & ~(unsigned)(SERVER_INSTALLS_LATE | SERVER_PORT_1701 | SERVER_UTF8 |
                                         SERVER_ANY_ADDRESS | SERVER_OWN_PORT)) == 0);
    }
    CHECK(n >= 20);
    CHECK_INT(s->n_rows, n);
    servers_free(s);
    servers_free(NULL);
}

#define HEAD "l2tpc-servers 1\n"
#define OFFICE HEAD "server The office\nvendor-id 01020304\n"

TEST(servers_own_rows_come_first)
{
    struct servers *s = servers_new();
    struct ike_facts ike = says(office_id, sizeof(office_id));
    struct l2tp_facts l2tp = {.peer_tunnel_id = 5, .peer_vendor = "xelerance.com"};
    struct servers_problem p;
    struct server_verdict v;

    v = servers_judge(s, &ike, NULL);
    CHECK(v.ike == NULL && v.l2tp == NULL && server_verdict_quirks(&v) == 0);
    CHECK(add(s, OFFICE "quirk installs-late\nsuggest --allow pap\nnote Ask Bob.\n", &p));
    CHECK(add(s, HEAD "server Late\nvendor-id 01*\n\nserver x\nl2tp-vendor xel*\n", &p));
    v = servers_judge(s, &ike, &l2tp);
    CHECK_STR(v.ike->name, "The office");
    CHECK_STR(v.l2tp->name, "x");
    CHECK_STR(v.ike->origin, "test");
    CHECK_INT(v.ike->line, 2);
    CHECK_INT(server_verdict_quirks(&v), SERVER_INSTALLS_LATE);
    CHECK_STR(v.ike->suggest[0], "--allow pap");
    CHECK_STR(v.ike->note, "Ask Bob.");
    CHECK_STR(servers_at(s, 0)->name, "The office");
    CHECK_STR(servers_at(s, 2)->name, "x");
    CHECK_STR(servers_at(s, 3)->origin, "built-in");
    ike.cky_r[0] = 0; /* before message 2 */
    v = servers_judge(s, &ike, NULL);
    CHECK(v.ike == NULL && v.l2tp == NULL);
    ike.cky_r[0] = 1;
    l2tp.peer_tunnel_id = 0; /* before SCCRP */
    CHECK(servers_judge(s, &ike, &l2tp).l2tp == NULL);
    CHECK(servers_judge(NULL, &ike, &l2tp).ike == NULL);
    servers_free(s);
}

static bool holds(const char *conditions, const struct ike_facts *ike,
                  const struct l2tp_facts *l2tp)
{
    struct servers *s = servers_new();
    struct servers_problem p;
    struct server_verdict v;
    char text[512];
    bool got;

    (void)snprintf(text, sizeof(text), HEAD "server it\n%s\n", conditions);
    if (!add(s, text, &p)) {
        printf("    line %u: %s\n", p.line, p.sentence);
        abort();
    }
    v = servers_judge(s, ike, l2tp);
    got = (v.ike && strcmp(v.ike->name, "it") == 0) || (v.l2tp && strcmp(v.l2tp->name, "it") == 0);
    servers_free(s);
    return got;
}

TEST(servers_conditions)
{
    struct ike_facts ike = says(office_id, sizeof(office_id));
    struct l2tp_facts l2tp = {.peer_tunnel_id = 5,
                              .peer_vendor = "Vendor Ltd",
                              .peer_hostname = "gw",
                              .peer_firmware = 0x0690};

    ike.n_vendor_ids = 2;
    ike.vendor_bytes[1].n = 8;
    memcpy(ike.vendor_bytes[1].bytes, "\x09\x00\x26\x89\xdf\xd6\xb7\x12", 8);
    CHECK(holds("vendor-id 01020304", &ike, NULL));
    CHECK(!holds("vendor-id 010203", &ike, NULL) && holds("vendor-id 010203*", &ike, NULL));
    CHECK(!holds("vendor-id 0102030405*", &ike, NULL));
    CHECK(!holds("no-vendor-id 01020304", &ike, NULL) && holds("no-vendor-id 05", &ike, NULL));
    CHECK(holds("first-vendor-id 01*", &ike, NULL) && !holds("first-vendor-id 09*", &ike, NULL));
    CHECK(holds("vendor-name XAUTH", &ike, NULL) && !holds("no-vendor-name XAUTH", &ike, NULL));
    CHECK(!holds("first-vendor-name XAUTH", &ike, NULL));
    CHECK(holds("vendor-ids-at-most 2", &ike, NULL) && !holds("vendor-ids-at-most 1", &ike, NULL));
    CHECK(holds("l2tp-vendor Vendor Ltd", &ike, &l2tp) && holds("l2tp-vendor Ven*", &ike, &l2tp));
    CHECK(!holds("l2tp-vendor Vendor", &ike, &l2tp) && !holds("l2tp-vendor Ven*", &ike, NULL));
    CHECK(holds("l2tp-host gw", &ike, &l2tp) && !holds("l2tp-host gw2", &ike, &l2tp));
    CHECK(holds("l2tp-firmware 0x0690", &ike, &l2tp) && holds("l2tp-firmware 1680", &ike, &l2tp));
    CHECK(holds("l2tp-firmware 01680", &ike, &l2tp)); /* not octal */
    CHECK(!holds("l2tp-firmware 1", &ike, &l2tp));
    CHECK(holds("vendor-name XAUTH\nl2tp-host gw", &ike, &l2tp));
    CHECK(!holds("vendor-name FRAGMENTATION\nl2tp-host gw", &ike, &l2tp));
    CHECK(!holds("no-vendor-name XAUTH\nl2tp-host gw", &ike, &l2tp));
}

/* An ID that is longer than what is kept of it is compared by what is kept, and by its length. */
TEST(servers_long_vendor_id)
{
    static const char forty[] = "ffffffffffffffffffffffffffffffffffffffff"
                                "ffffffffffffffffffffffffffffffffffffffff";
    uint8_t id[60];
    struct ike_facts ike;
    char line[128];

    memset(id, 0xff, sizeof(id));
    ike = says(id, sizeof(id));
    (void)snprintf(line, sizeof(line), "vendor-id %s*", forty);
    CHECK(holds(line, &ike, NULL));
    (void)snprintf(line, sizeof(line), "vendor-id %s", forty);
    CHECK(!holds(line, &ike, NULL));
}

#define EIGHT(s) s s s s s s s s
#define LONG EIGHT("12345678") EIGHT("12345678") EIGHT("12345678") EIGHT("12345678")

TEST(servers_refusals_name_the_line)
{
    static const struct {
        const char *text;
        unsigned line;
        const char *words;
    } rows[] = {
        {"", 0, "no server"},
        {"l2tpc-servers 2\n", 1, "first line"},
        {"# a\n\nserver x\n", 3, "first line"},
        {HEAD, 1, "no server"},
        {HEAD "vendor-id 01\n", 2, "begin with: server"},
        {HEAD "server\n", 2, "no value"},
        {HEAD "server \n", 2, "empty"},
        {HEAD "server x\n", 2, "condition"},
        {HEAD "server x\nserver y\nvendor-id 01\n", 3, "condition"},
        {OFFICE "colour red\n", 4, "not known"},
        {OFFICE "vendor-id 0\n", 4, "two digits"},
        {OFFICE "vendor-id *\n", 4, "two digits"},
        {OFFICE "vendor-id 0G\n", 4, "0-9 and a-f"},
        {OFFICE "vendor-id FF\n", 4, "0-9 and a-f"},
        {OFFICE "vendor-name nobody\n", 4, "no vendor ID of that name"},
        {OFFICE "vendor-ids-at-most x\n", 4, "0 to 65535"},
        {OFFICE "vendor-ids-at-most -1\n", 4, "0 to 65535"},
        {OFFICE "l2tp-firmware 65536\n", 4, "0 to 65535"},
        {OFFICE "l2tp-vendor *\n", 4, "1 to 64"},
        {OFFICE "l2tp-host 12345678901234567890123456789012345678901234567890123456789012345\n", 4,
         "1 to 64"},
        {OFFICE "quirk sha256-96\n", 4, "no quirk"},
        {OFFICE "quirk softether-utf8\n", 4, "needs a condition of L2TP"},
        {OFFICE "l2tp-host x\nquirk port-1701\n", 5, "too late"},
        {OFFICE "quirk installs-late\nl2tp-host x\n", 5, "too late"},
        {OFFICE "suggest pap\n", 4, "option"},
        {OFFICE "suggest --a\nsuggest --b\nsuggest --c\n", 6, "too many suggestions"},
        {OFFICE "note a\nnote b\n", 5, "twice"},
        {OFFICE "note a\\b\n", 4, "backslash"},
        {OFFICE "note " LONG "\n", 4, "too long"},
        {OFFICE "note " LONG LONG "\n", 4, "too long"},
        {OFFICE "note a\tb\n", 4, "control"},
        {OFFICE "note \xff\n", 4, "UTF-8"},
        {OFFICE "note a\r\n", 4, "control"},
        {OFFICE "note a", 4, "no end"},
        {OFFICE EIGHT("vendor-id 01\n"), 11, "too many conditions"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct servers *s = servers_new();
        unsigned before = s->n_rows;
        struct servers_problem p = {99, ""};

        if (add(s, rows[i].text, &p) || p.line != rows[i].line ||
            !strstr(p.sentence, rows[i].words)) {
            printf("    row %zu: line %u, '%s'\n", i, p.line, p.sentence);
            CHECK(false);
        }
        CHECK_INT(s->n_rows, before);
        CHECK(s->own == NULL);
        servers_free(s);
    }
}

TEST(servers_are_bounded)
{
    static char text[SERVERS_FILE_MAX + 64];
    struct servers *s = servers_new();
    struct servers_problem p;
    size_t at = (size_t)snprintf(text, sizeof(text), HEAD);

    for (unsigned i = 0; i < SERVERS_ROWS_MAX; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "server %u\nvendor-id 01\n", i);
    CHECK(!servers_add(s, "many", span_of(text, at), &p));
    CHECK(strstr(p.sentence, "too many servers") != NULL);
    memset(text, '\n', sizeof(text));
    CHECK(!servers_add(s, "long", SPAN_ARRAY(text), &p));
    CHECK(strstr(p.sentence, "64 KiB") != NULL);
    CHECK_STR(server_quirk_name(SERVER_INSTALLS_LATE), "installs-late");
    CHECK(server_quirk_name(1u << 30) == NULL);
    servers_free(s);
}
