/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DHCPINFORM: the question as RFC 2131 wants it, answers as RFC 2132, 3396, 3397 and 3442 have
 * them, and every way in which one can be wrong. */
#include "check.h"

#include "base/limits.h"
#include "ppp/dhcpinform.h"
#include "wire/rd.h"
#include "wire/wr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOCAL 0xc0a81e0au /* 192.168.30.10 */
#define SERVER 0xc0a81e01u
#define OUTER 0xcb007105u /* 203.0.113.5 */
#define XID 0x01020304u

static bool rand_count(void *ctx, uint8_t *out, size_t n)
{
    const uint32_t xid = XID;
    uint8_t *next = ctx;

    if (n == sizeof(xid)) {
        memcpy(out, &xid, n);
        return true;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = ++*next;
    return true;
}

/* What an answer is made of; what is zero is right. */
struct form {
    const char *options; /* hexadecimal, behind the message type */
    const char *sname, *file;
    uint8_t op, type;
    bool no_type, no_end, no_cookie;
    uint32_t xid, from, to, ciaddr;
    uint16_t from_port, to_port, fragment;
    uint8_t protocol, chaddr;
    bool bad_ip_sum, bad_udp_sum, no_udp_sum;
    int more; /* claimed in the UDP length */
};

static void put_hex(struct wr *w, const char *hex, size_t room)
{
    size_t n = 0;

    for (; hex && hex[0]; hex += 2, n++) {
        const char two[3] = {hex[0], hex[1], '\0'};

        wr_u8(w, (uint8_t)strtoul(two, NULL, 16));
    }
    if (room > n)
        wr_zeros(w, room - n);
}

static uint16_t sum16(const uint8_t *p, size_t n, uint32_t sum)
{
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static struct span answer(const struct form *f, uint8_t bytes[2048])
{
    struct wr w = wr_of(bytes, 2048);
    struct span out = SPAN_NONE;
    uint16_t sum;

    wr_u16(&w, 0x4500);
    wr_u16(&w, 0);
    wr_u16(&w, 7);
    wr_u16(&w, f->fragment);
    wr_u8(&w, 64);
    wr_u8(&w, f->protocol ? f->protocol : 17);
    wr_u16(&w, 0);
    wr_u32(&w, f->from ? f->from : SERVER);
    wr_u32(&w, f->to ? f->to : LOCAL);
    wr_u16(&w, f->from_port ? f->from_port : 67);
    wr_u16(&w, f->to_port ? f->to_port : 68);
    wr_u32(&w, 0);
    wr_u8(&w, f->op ? f->op : 2);
    wr_u8(&w, 1);
    wr_u8(&w, 6);
    wr_u8(&w, 0);
    wr_u32(&w, f->xid ? f->xid : XID);
    wr_u32(&w, 0);
    wr_u32(&w, f->ciaddr ? f->ciaddr : LOCAL);
    wr_zeros(&w, 12);
    wr_u8(&w, f->chaddr ? f->chaddr : 2);
    for (uint8_t i = 6; i <= 10; i++)
        wr_u8(&w, i);
    wr_zeros(&w, 10);
    put_hex(&w, f->sname, 64);
    put_hex(&w, f->file, 128);
    wr_u32(&w, f->no_cookie ? 0 : 0x63825363);
    if (!f->no_type) {
        wr_u16(&w, 0x3501);
        wr_u8(&w, f->type ? f->type : 5);
    }
    put_hex(&w, f->options, 0);
    if (!f->no_end)
        wr_u8(&w, 255);
    if (!wr_finish(&w, &out))
        return SPAN_NONE;
    wr_put_u16(bytes + 2, (uint16_t)out.n);
    wr_put_u16(bytes + 24, (uint16_t)(out.n - 20 + (size_t)f->more));
    sum = sum16(bytes, 20, f->bad_ip_sum);
    wr_put_u16(bytes + 10, sum);
    sum = sum16(bytes + 12, out.n - 12, 17u + (uint32_t)(out.n - 20) + f->bad_udp_sum);
    wr_put_u16(bytes + 26, f->no_udp_sum ? 0 : sum);
    return out;
}

static struct dhcp_question question(void)
{
    return (struct dhcp_question){.xid = XID,
                                  .chaddr = {2, 6, 7, 8, 9, 10},
                                  .local = inaddr_v4(LOCAL),
                                  .outer = inaddr_v4(OUTER)};
}

static bool read_form(const struct form *f, struct dhcp_answer *out)
{
    struct dhcp_question q = question();
    uint8_t bytes[2048];

    memset(out, 0xa5, sizeof(*out));
    return dhcp_answer_read(answer(f, bytes), &q, out);
}

/* The answer as one line. */
static const char *read_options(const char *options)
{
    static char text[1024];
    struct form f = {.options = options};
    struct dhcp_answer a;
    size_t at = 0;
    char address[ADDR_TEXT_MAX];

    text[0] = '\0';
    if (!read_form(&f, &a))
        return "no answer";
    for (unsigned i = 0; i < a.n_routes; i++) {
        struct inaddr d = inaddr_v4(a.route[i].destination);

        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s/%u ", inaddr_text(&d, address),
                               a.route[i].prefix_len);
    }
    for (unsigned i = 0; i < 2; i++)
        if (a.dns[i].family)
            at += (size_t)snprintf(text + at, sizeof(text) - at, "dns=%s ",
                                   inaddr_text(&a.dns[i], address));
    for (unsigned i = 0; i < a.n_domains; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s ", a.domain[i]);
    if (a.n_refused)
        (void)snprintf(text + at, sizeof(text) - at, "refused=%u ", a.n_refused);
    return text;
}

/* ---- the question ---- */

TEST(dhcpinform_question_is_that_of_rfc_2131)
{
    uint8_t next = 4;
    struct env env = {.ctx = &next, .rand = rand_count};
    struct inaddr local = inaddr_v4(LOCAL);
    struct inaddr outer = inaddr_v4(OUTER);
    struct dhcpinform *d = dhcpinform_new(&env, &local, &outer);
    struct msg m;

    CHECK(d != NULL);
    CHECK(!dhcpinform_waits(d));
    dhcpinform_start(d, US_S(100));
    CHECK(dhcpinform_waits(d));
    CHECK(dhcpinform_pop_out(d, &m));
    CHECK_INT(m.n, 328); /* BOOTP of 300 bytes */
    CHECK_INT(sum16(m.bytes, 20, 0), 0);
    CHECK_INT(sum16(m.bytes + 12, m.n - 12, 17 + 308), 0);
    CHECK(memcmp(m.bytes + 12, "\xc0\xa8\x1e\x0a\xff\xff\xff\xff\0\x44\0\x43", 12) == 0);
    CHECK(memcmp(m.bytes + 28, "\1\1\6\0\1\2\3\4\0\0\0\0\xc0\xa8\x1e\x0a", 16) == 0);
    CHECK(memcmp(m.bytes + 28 + 28, "\2\6\7\x8\x9\xa\0", 7) == 0);
    CHECK(memcmp(m.bytes + 28 + 236, "\x63\x82\x53\x63\x35\1\x8\x37\5\x79\xf9\6\xf\x77\xff", 15) ==
          0);
    msg_done(&m);
    CHECK(!dhcpinform_pop_out(d, &m));
    dhcpinform_free(d);
}

TEST(dhcpinform_gives_up_silently)
{
    uint8_t next = 4;
    struct env env = {.ctx = &next, .rand = rand_count};
    struct inaddr local = inaddr_v4(LOCAL);
    struct dhcpinform *d = dhcpinform_new(&env, &local, &local);
    l2tpc_us now = US_S(100);
    l2tpc_us due[] = {US_S(102), US_S(106), US_S(114)};
    struct msg m;

    dhcpinform_start(d, now);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_INT(dhcpinform_deadline(d), due[i]);
        CHECK(dhcpinform_pop_out(d, &m));
        CHECK_INT(m.bytes[28 + 9], i == 0 ? 0 : i == 1 ? 2 : 6); /* seconds since the first */
        msg_done(&m);
        dhcpinform_timer(d, due[i] - 1);
        CHECK(!dhcpinform_pop_out(d, &m));
        dhcpinform_timer(d, due[i]);
    }
    CHECK(!dhcpinform_pop_out(d, &m));
    CHECK(!dhcpinform_waits(d));
    CHECK_INT(dhcpinform_facts(d)->state, DHCPINFORM_SILENT);
    CHECK_INT(dhcpinform_facts(d)->sent, 3);
    CHECK(dhcpinform_deadline(d) == US_NEVER);
    dhcpinform_free(d);
}

TEST(dhcpinform_takes_one_answer)
{
    uint8_t next = 4;
    uint8_t bytes[2048];
    struct env env = {.ctx = &next, .rand = rand_count};
    struct inaddr local = inaddr_v4(LOCAL);
    struct inaddr outer = inaddr_v4(OUTER);
    struct dhcpinform *d = dhcpinform_new(&env, &local, &outer);
    struct form right = {.options = "7906080ac0a81e01"};
    struct form wrong = {.xid = XID + 1};
    struct form second = {.options = "7906080bc0a81e01"};

    CHECK_INT(dhcpinform_input(d, answer(&right, bytes), 0), VERDICT_DROP); /* nothing was asked */
    dhcpinform_start(d, 0);
    CHECK_INT(dhcpinform_input(d, answer(&wrong, bytes), 0), VERDICT_DROP);
    CHECK_INT(dhcpinform_facts(d)->foreign, 1);
    CHECK(dhcpinform_waits(d));
    CHECK_INT(dhcpinform_input(d, answer(&right, bytes), 0), VERDICT_OK);
    CHECK_INT(dhcpinform_facts(d)->state, DHCPINFORM_ANSWERED);
    CHECK_INT(dhcpinform_input(d, answer(&second, bytes), 0), VERDICT_DROP);
    CHECK_INT(dhcpinform_facts(d)->answer.n_routes, 1);
    CHECK_INT(dhcpinform_facts(d)->answer.route[0].destination, 0x0a000000);
    CHECK(dhcpinform_deadline(d) == US_NEVER);
    dhcpinform_free(d);
}

/* ---- what is an answer ---- */

TEST(dhcpinform_answer_is_only_what_fits)
{
    const struct form wrong[] = {
        {.op = 1},
        {.xid = XID + 1},
        {.type = 6},
        {.type = 2},
        {.no_type = true},
        {.no_cookie = true},
        {.chaddr = 3},
        {.ciaddr = LOCAL + 1},
        {.from = LOCAL},
        {.from = 0x7f000001},
        {.from = 0xe0000001},
        {.from = 0xffffffff},
        {.to = LOCAL + 1},
        {.from_port = 68},
        {.to_port = 67},
        {.protocol = 6},
        {.fragment = 1},
        {.fragment = 0x2000},
        {.bad_ip_sum = true},
        {.bad_udp_sum = true},
        {.more = 1},
        {.more = -300},
        {.options = "790608"},                 /* cut off */
        {.options = "79"},                     /* no length */
        {.options = "340100"},                 /* overload of nothing */
        {.options = "340104"},                 /* of something unknown */
        {.options = "34020101"},               /* of two bytes */
        {.options = "340101", .file = "79ff"}, /* cut off in there: longer than the field */
        {.type = 5, .options = "350105"},      /* the type twice is one of two bytes */
    };
    const struct form right[] = {
        {0},
        {.to = 0xffffffff},
        {.no_udp_sum = true},
        {.no_end = true},
        {.fragment = 0x4000},
        {.ciaddr = LOCAL},
        {.options = "0000"},
    };
    struct dhcp_answer a;

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        CHECK_INT(read_form(&wrong[i], &a) ? i : 1000, 1000);
    for (size_t i = 0; i < ARRAY_LEN(right); i++)
        CHECK_INT(read_form(&right[i], &a) ? 1000 : i, 1000);
    CHECK(read_form(&right[0], &a));
    CHECK_INT(inaddr_to_v4(&a.server), SERVER);
}

TEST(dhcpinform_answer_cut_anywhere_is_none)
{
    struct form f = {.options = "790608"
                                "0a"
                                "c0a81e01",
                     .no_udp_sum = true};
    struct dhcp_question q = question();
    struct dhcp_answer a;
    uint8_t bytes[2048];
    struct span whole = answer(&f, bytes);

    for (size_t n = 0; n < whole.n; n++) {
        CHECK(!dhcp_answer_read(span_of(bytes, n), &q, &a));
        CHECK(n >= 24 || !dhcp_answer_may_be(span_of(bytes, n)));
    }
    CHECK(dhcp_answer_may_be(whole));
    CHECK(dhcp_answer_read(whole, &q, &a));
}

TEST(dhcpinform_answer_may_be_looks_at_ports_alone)
{
    const struct form not [] = {
        {.from_port = 68}, {.to_port = 67}, {.protocol = 6}, {.fragment = 1}, {.fragment = 0x2000}};
    uint8_t bytes[2048];

    for (size_t i = 0; i < ARRAY_LEN(not ); i++)
        CHECK(!dhcp_answer_may_be(answer(&not [i], bytes)));
    CHECK(!dhcp_answer_may_be(SPAN_NONE));
}

/* ---- options ---- */

/* The table of RFC 3442, "Classless Static Route Option": each descriptor with its router. */
TEST(dhcpinform_routes_of_rfc_3442)
{
    CHECK_STR(read_options("7905"
                           "00"
                           "c0a81e01"),
              "refused=1 ");
    CHECK_STR(read_options("7906"
                           "080a"
                           "c0a81e01"),
              "10.0.0.0/8 ");
    CHECK_STR(read_options("7908"
                           "180a0000"
                           "c0a81e01"),
              "10.0.0.0/24 ");
    CHECK_STR(read_options("7907"
                           "100a11"
                           "c0a81e01"),
              "10.17.0.0/16 ");
    CHECK_STR(read_options("7908"
                           "180a1b81"
                           "c0a81e01"),
              "10.27.129.0/24 ");
    CHECK_STR(read_options("7909"
                           "190ae50080"
                           "c0a81e01"),
              "10.229.0.128/25 ");
    CHECK_STR(read_options("7909"
                           "200ac67a2f"
                           "c0a81e01"),
              "10.198.122.47/32 ");
    CHECK_STR(read_options("790d"
                           "080a"
                           "c0a81e01"
                           "10ac10"
                           "00000000"),
              "10.0.0.0/8 172.16.0.0/16 ");
    /* What SoftEther 4.43 sends for two networks that its administrator pushes. */
    CHECK_STR(read_options("790f"
                           "180a6200"
                           "c0a81e01"
                           "10ac1d"
                           "c0a81e01"
                           "f90f"
                           "180a6200"
                           "c0a81e01"
                           "10ac1d"
                           "c0a81e01"),
              "10.98.0.0/24 172.29.0.0/16 ");
    CHECK_STR(read_options("f906"
                           "080a"
                           "c0a81e01"),
              "10.0.0.0/8 ");
    /* "the subnet number is masked" */
    CHECK_STR(read_options("7908"
                           "130affff"
                           "c0a81e01"),
              "10.255.224.0/19 ");
    /* RFC 3396: in two pieces, wherever they are cut. */
    CHECK_STR(read_options("7903"
                           "180a62"
                           "7905"
                           "00"
                           "c0a81e01"),
              "10.98.0.0/24 ");
    CHECK_STR(read_options("7900"), "refused=1 ");
}

TEST(dhcpinform_routes_that_are_broken_are_none)
{
    static const char *const broken[] = {
        "7904"
        "c0a81e01", /* less than a route */
        "7905"
        "080ac0a81e", /* router cut off */
        "7905"
        "210a000000", /* 33 bits */
        "7907"
        "080a"
        "c0a81e01"
        "08", /* a good one, then the beginning of one */
        "790c"
        "080a"
        "c0a81e01"
        "200a0000"
        "0000",
        "7906"
        "ff0a"
        "c0a81e01",
    };

    for (size_t i = 0; i < ARRAY_LEN(broken); i++)
        CHECK_STR(read_options(broken[i]), "refused=1 ");
    /* The other of both is not its fault. */
    CHECK_STR(read_options("7904"
                           "c0a81e01"
                           "f906"
                           "080a"
                           "c0a81e01"),
              "10.0.0.0/8 refused=1 ");
}

/* Row of the users' table: anybody behind the server may have sent it. */
TEST(dhcpinform_routes_of_a_rogue_are_left_out)
{
    static const char *const rogue[] = {
        "00",         /* default */
        "0100",       /* half of everything */
        "0180",       /* the other half */
        "070a",       /* 10.0.0.0/7 */
        "087f",       /* this computer */
        "207f000001", /* likewise */
        "0800",       /* "this network" */
        "10a9fe",     /* link-local */
        "20a9fea9fe", /* metadata services of clouds */
        "08e0",       /* groups */
        "20ffffffff", /* everybody */
        "08f0",       /* class E */
        "20cb007105", /* the server's own address */
    };
    char options[64];

    for (size_t i = 0; i < ARRAY_LEN(rogue); i++) {
        (void)snprintf(options, sizeof(options), "79%02zx%sc0a81e01", strlen(rogue[i]) / 2 + 4,
                       rogue[i]);
        CHECK_STR(read_options(options), "refused=1 ");
    }
    /* A network in which the server is: its packets go by their mark. */
    CHECK_STR(read_options("7908"
                           "18cb0071"
                           "c0a81e01"),
              "203.0.113.0/24 ");
}

TEST(dhcpinform_routes_are_bounded)
{
    char options[1024] = "";
    struct form f = {.options = options};
    struct dhcp_answer a;
    size_t at = 0;

    for (unsigned i = 0; i < DHCPINFORM_ROUTES_MAX + 3; i++)
        at += (size_t)snprintf(options + at, sizeof(options) - at, "7907100a%02xc0a81e01", i);
    CHECK(read_form(&f, &a));
    CHECK_INT(a.n_routes, DHCPINFORM_ROUTES_MAX);
    CHECK_INT(a.n_refused, 3);
}

TEST(dhcpinform_options_overload_file_and_sname)
{
    struct form f = {.options = "340103", .file = "7906080ac0a81e01ff", .sname = "0f036c6162ff"};
    struct dhcp_answer a;

    CHECK(read_form(&f, &a));
    CHECK_INT(a.n_routes, 1);
    CHECK_INT(a.n_domains, 1);
    f.options = "340101";
    CHECK(read_form(&f, &a));
    CHECK_INT(a.n_routes, 1);
    CHECK_INT(a.n_domains, 0);
    f.options = "";
    CHECK(read_form(&f, &a));
    CHECK_INT(a.n_routes, 0);
}

TEST(dhcpinform_name_servers)
{
    CHECK_STR(read_options("0604c0a81e01"), "dns=192.168.30.1 ");
    CHECK_STR(read_options("060cc0a81e01c0a81e02c0a81e03"), "dns=192.168.30.1 dns=192.168.30.2 ");
    CHECK_STR(read_options("0603c0a81e"), "");
    CHECK_STR(read_options("0600"), "");
    CHECK_STR(read_options("0610000000007f000001e0000001c0a81e01"), "dns=192.168.30.1 ");
}

TEST(dhcpinform_domain_name)
{
    CHECK_STR(read_options("0f0b6c61622e6578616d706c65"), "lab.example ");
    CHECK_STR(read_options("0f0d6c61622e6578616d706c652e00"), "lab.example ");
    CHECK_STR(read_options("0f00"), "");
    CHECK_STR(read_options("0f012e"), "");
    CHECK_STR(read_options("0f03612062"), ""); /* a blank */
    CHECK_STR(read_options("0f03610a62"), ""); /* another line of resolv.conf */
    CHECK_STR(read_options("0f03610062"), "");
    CHECK_STR(read_options("0f04612e2e62"), ""); /* an empty label */
    CHECK_STR(read_options("0f022d61"), "");
    CHECK_STR(read_options("0f02612d"), "");
    CHECK_STR(read_options("0f03c3a462"), "");
}

/* The example of RFC 3397, section 2: eng.apple.com. and marketing.apple.com. */
TEST(dhcpinform_search_list_of_rfc_3397)
{
    CHECK_STR(read_options("771b"
                           "03656e67"
                           "056170706c65"
                           "03636f6d00"
                           "096d61726b6574696e67"
                           "c004"),
              "eng.apple.com marketing.apple.com ");
    /* The same, cut into two options as the RFC does it. */
    CHECK_STR(read_options("7709"
                           "03656e67056170706c"
                           "7712"
                           "6503636f6d00"
                           "096d61726b6574696e67"
                           "c004"),
              "eng.apple.com marketing.apple.com ");
}

TEST(dhcpinform_search_list_that_is_broken_is_none)
{
    static const char *const broken[] = {
        "7702c000", /* to itself */
        "7704"
        "0161c000", /* a loop */
        "7704"
        "c0020161", /* forwards */
        "770161",   /* a label that is not there */
        "77020161", /* no end */
        "7701c0",   /* half a pointer */
        "7703"
        "804100", /* a length of 128 */
        "770a"
        "03656e67"
        "00"
        "0462"
        "6164"
        "21" /* good, then cut */,
        "7705"
        "03612e6200", /* a dot in a label */
    };

    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        const char *got = read_options(broken[i]);

        CHECK(strcmp(got, "") == 0 || strcmp(got, "no answer") == 0);
    }
    CHECK_STR(read_options("0f036c6162"
                           "7702c000"),
              "lab "); /* the other option is not its fault */
}

TEST(dhcpinform_search_list_is_bounded)
{
    CHECK_STR(read_options("770f"
                           "016100"
                           "016200"
                           "016300"
                           "016400"
                           "016500"),
              "a b c d ");
    CHECK_STR(read_options("7706"
                           "016100"
                           "014100"),
              "a ");
}

TEST(dhcpinform_class_of_an_address)
{
    static const struct {
        uint32_t local, destination;
        uint8_t len; /* 0: none */
    } rows[] = {
        {0x0a010203, 0x0a000000, 8}, {0xac101f05, 0xac100000, 16}, {0xc0a81e0a, 0xc0a81e00, 24},
        {0x7e000001, 0x7e000000, 8}, {0x80000001, 0x80000000, 16}, {0xdfffff01, 0xdfffff00, 24},
        {0x7f000001, 0, 0},          {0xe0000001, 0, 0},           {0xa9fe0101, 0, 0},
        {0x00000001, 0, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct inaddr a = inaddr_v4(rows[i].local);
        struct dhcp_route r = {0};

        CHECK_INT(dhcp_class_route(&a, &r), rows[i].len != 0);
        CHECK_INT(r.destination, rows[i].destination);
        CHECK_INT(r.prefix_len, rows[i].len);
    }
}
