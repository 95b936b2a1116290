/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "host/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char sample[] = "l2tpc-journal 1\n"
                             "owner 4321 987654321\n"
                             "tunnel office\n"
                             "interface l2tp0 7\n"
                             "slot 3\n"
                             "tun 7 l2tp0\n"
                             "addr 7 10.0.0.2\n"
                             "route 254 10.20.0.0/16 7\n"
                             "route 27701 0.0.0.0/0 7\n"
                             "route 27701 ::/0 0\n"
                             "rp_filter eth0 1 2\n"
                             "rule 27960 254 0 fe80::/10\n"
                             "rule 27961 27701 27698 0.0.0.0/0\n"
                             "resolv-conf\n"
                             "resolved 7\n"
                             "end\n";

static struct plan plan;
static char text[JOURNAL_MAX];

static void parse(const char *s)
{
    journal_parse(&plan, span_str(s));
}

TEST(journal_round_trip)
{
    size_t n;

    parse(sample);
    CHECK(plan.whole);
    CHECK_INT(plan.n_items, 10);
    CHECK_INT(plan.owner_pid, 4321);
    CHECK_INT(plan.owner_start, 987654321);
    CHECK_INT(plan.slot, 3);
    CHECK(strcmp(plan.tunnel, "office") == 0);
    CHECK_INT(plan.item[5].new_value, 2);
    CHECK_INT(plan.item[7].mark, 27698);
    CHECK(journal_format(&plan, text, sizeof(text), &n));
    CHECK_MEM(text, n, sample, strlen(sample));
    CHECK(!journal_format(&plan, text, n, &n));
}

/* Whatever a crash leaves: never more items than whole lines, never "whole". */
TEST(journal_cut_at_every_byte)
{
    for (size_t cut = 0; cut < strlen(sample); cut++) {
        char *copy = malloc(cut + 1);
        size_t lines = 0;

        CHECK(copy);
        memcpy(copy, sample, cut);
        for (size_t i = 0; i < cut; i++)
            lines += copy[i] == '\n';
        journal_parse(&plan, span_of(copy, cut));
        free(copy);
        CHECK(!plan.whole);
        CHECK_INT(plan.n_items, lines > 5 ? lines - 5 : 0);
    }
}

TEST(journal_flip_every_bit)
{
    char copy[sizeof(sample)];

    for (size_t i = 0; i < strlen(sample); i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(copy, sample, sizeof(sample));
            copy[i] = (char)(copy[i] ^ (1 << bit));
            journal_parse(&plan, span_of(copy, strlen(sample)));
            CHECK(plan.n_items <= 10);
            CHECK(!memchr(plan.interface, '/', sizeof(plan.interface)));
            for (size_t k = 0; k < plan.n_items; k++) {
                CHECK(!memchr(plan.item[k].name, '/', sizeof(plan.item[k].name)));
                CHECK(plan.item[k].dst_len <= 8 * inaddr_len(&plan.item[k].dst));
            }
        }
}

TEST(journal_hostile_lines)
{
    static const char *const lines[] = {
        "rp_filter ../../../tmp/x 1 2",
        "rp_filter eth0 1 7",
        "rp_filter eth0 1 ",
        "route 1 10.0.0.0/33 7",
        "route 1 10.0.0.0 7",
        "route 1 10.0.0.0/8 4294967296",
        "route -1 10.0.0.0/8 7",
        "route 1 10.0.0.0/8 7 8",
        "route  1 10.0.0.0/8 7",
        "route 1 localhost/8 7",
        "addr 7 10.0.0.256",
        "slot 256",
        "slot 3 4",
        "owner 0 1",
        "owner 1 18446744073709551616",
        "owner -1 1",
        "tunnel ../x",
        "tunnel a b",
        "interface a/b 1",
        "interface lo",
        "resolv-conf /etc/passwd",
        "exec /bin/sh",
        "",
        " ",
        "rule 1 2 3 10.0.0.0/256",
        "tun 7 l2tp0123456789012345",
        "tun 7 .x",
        "interface abcdefghijklmnop 1",
    };

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        (void)snprintf(text, sizeof(text), "l2tpc-journal 1\n%s\nend\n", lines[i]);
        parse(text);
        if (plan.n_items != 0 || plan.has_owner || plan.has_slot || plan.tunnel[0])
            check_fail(__FILE__, __LINE__, "accepted: %s", lines[i]);
        CHECK(!plan.whole);
    }
}

TEST(journal_hostile_content)
{
    size_t n = 0;

    journal_parse(&plan, span_of("l2tpc-journal 1\nslot 1\0\nend\n", 27));
    CHECK(!plan.has_slot);
    memset(text, 'a', sizeof(text));
    journal_parse(&plan, span_of(text, sizeof(text)));
    CHECK(!plan.whole);
    memset(text, '\n', sizeof(text));
    journal_parse(&plan, span_of(text, sizeof(text)));
    CHECK(!plan.whole);
    /* More items than any plan has: the rest is dropped, and said to be. */
    n += (size_t)snprintf(text, sizeof(text), "%.*s", (int)strlen(sample) - 4, sample);
    for (unsigned i = 0; i < 300; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "route 254 10.0.0.%u/32 7\n", i % 256);
    (void)snprintf(text + n, sizeof(text) - n, "end\n");
    parse(text);
    CHECK(!plan.whole);
    CHECK_INT(plan.n_items, HOST_ITEMS_MAX);
    (void)snprintf(text, sizeof(text), "%sslot 4\n", sample);
    parse(text);
    CHECK(!plan.whole);
    CHECK_INT(plan.slot, 3);
}

static int seen(void *ctx, const char *tunnel)
{
    (void)tunnel;
    ++*(int *)ctx;
    return 0;
}

TEST(journal_files)
{
    char path[64];
    int count = 0;
    int lock;
    int dir;

    (void)snprintf(path, sizeof(path), "/tmp/unit-host-%d", getpid());
    CHECK_INT(mkdir(path, 0700), 0);
    dir = run_dir_open(path);
    CHECK(dir >= 0);
    lock = run_dir_lock(dir);
    CHECK(lock >= 0);
    parse(sample);
    CHECK_INT(journal_write(dir, &plan), 0);
    CHECK_INT(journal_write(dir, &plan), 0);
    CHECK_INT(journal_each(dir, seen, &count), 0);
    CHECK_INT(count, 1);
    memset(&plan, 0, sizeof(plan));
    CHECK_INT(journal_read(dir, "office", &plan), 0);
    CHECK(plan.whole);
    CHECK(!owner_alive(&plan));
    CHECK_INT(owner_self(&plan.owner_pid, &plan.owner_start), 0);
    CHECK(owner_alive(&plan));
    plan.owner_start++; /* a recycled process id */
    CHECK(!owner_alive(&plan));
    CHECK_INT(journal_read(dir, "other", &plan), -ENOENT);
    CHECK_INT(symlinkat("/etc/passwd", dir, "link.journal"), 0);
    CHECK_INT(journal_read(dir, "link", &plan), -ELOOP);
    CHECK_INT(journal_remove(dir, "link"), 0);
    CHECK_INT(journal_remove(dir, "office"), 0);
    CHECK_INT(journal_remove(dir, "office"), 0);
    CHECK_INT(chmod(path, 0777), 0);
    CHECK_INT(run_dir_open(path), -EPERM);
    close(lock);
    close(dir);
    CHECK_INT(rmdir(path), 0);
}
