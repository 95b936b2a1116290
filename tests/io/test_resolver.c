/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "io/env.h"
#include "io/resolver.h"
#include "own_net.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

struct answer {
    unsigned calls, n;
    struct inaddr first, second;
    struct failure failure;
};

static void keep(void *user, const struct inaddr *addresses, unsigned n,
                 const struct failure *failure)
{
    struct answer *a = user;

    a->calls++;
    a->n = n;
    if (n > 0)
        a->first = addresses[0];
    if (n > 1)
        a->second = addresses[1];
    if (failure)
        a->failure = *failure;
}

static bool ask(struct loop *loop, const char *name, struct answer *out)
{
    l2tpc_us give_up = io_now() + US_S(30);

    (void)own_net(); /* no question leaves this computer */
    *out = (struct answer){0};
    if (!resolve_start(loop, name, keep, out) || out->calls != 0)
        return false;
    while (out->calls == 0 && io_now() < give_up)
        (void)loop_dispatch(loop, 200);
    return out->calls == 1;
}

static void check_literal(struct loop *loop, const char *name, const char *want)
{
    struct answer a;
    char text[ADDR_TEXT_MAX];

    CHECK(ask(loop, name, &a));
    CHECK_INT(a.n, 1);
    CHECK_STR(inaddr_text(&a.first, text), want);
}

TEST(literals_need_no_resolver)
{
    struct loop *loop = loop_new();

    CHECK(loop);
    check_literal(loop, "192.0.2.1", "192.0.2.1");
    check_literal(loop, "2001:db8::1", "2001:db8::1");
    check_literal(loop, "[2001:db8::1]", "2001:db8::1");
    loop_free(loop);
}

TEST(names_that_are_none)
{
    static const char *const bad[] = {
        "",    "two words", "[192.0.2.1]", "[::1",       "host:500",
        "a/b", "user@host", "bad\377byte", "fe80::1%lo", "tab\tname",
    };
    struct loop *loop = loop_new();
    struct answer a;
    char longest[300];

    CHECK(loop);
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        CHECK(ask(loop, bad[i], &a));
        CHECK_INT(a.n, 0);
        CHECK_INT(a.failure.id, FAILURE_RESOLVE_BAD_NAME);
    }
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    CHECK(ask(loop, longest, &a));
    CHECK_INT(a.failure.id, FAILURE_RESOLVE_BAD_NAME);
    loop_free(loop);
}

TEST(localhost_has_addresses)
{
    struct loop *loop = loop_new();
    struct answer a;

    CHECK(loop);
    CHECK(ask(loop, "localhost", &a));
    CHECK(a.n >= 1 && a.n <= 2);
    CHECK(inaddr_is_loopback(&a.first));
    if (a.n == 2)
        CHECK(!inaddr_eq(&a.first, &a.second));
    loop_free(loop);
}

TEST(names_that_do_not_exist)
{
    static const char *const missing[] = {"no-such-host.invalid", "b\303\274cher.invalid"};
    struct loop *loop = loop_new();
    struct answer a;

    CHECK(loop);
    for (unsigned i = 0; i < ARRAY_LEN(missing); i++) {
        CHECK(ask(loop, missing[i], &a));
        CHECK_INT(a.n, 0);
        /* Without any DNS server the answer is the temporary one. */
        CHECK(a.failure.id == FAILURE_RESOLVE_NOT_FOUND ||
              a.failure.id == FAILURE_RESOLVE_TEMPORARY);
        CHECK_STR(a.failure.value, missing[i]);
    }
    loop_free(loop);
}

/* Shows this thread, and those it starts from now on, another file in place of `where`. */
static bool own_file(const char *where, const char *text)
{
    char path[] = "/tmp/l2tpc-resolver-XXXXXX";
    int fd = mkstemp(path);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
              fchmod(fd, 0644) == 0 && mount(path, where, NULL, MS_BIND, NULL) == 0;

    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(path);
    }
    return ok;
}

static bool own_hosts(const char *hosts)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           own_file("/etc/nsswitch.conf", "hosts: files\n") && own_file("/etc/hosts", hosts);
}

TEST(international_names_and_many_addresses)
{
    static const char hosts[] = "127.0.0.1 localhost\n"
                                "192.0.2.77 xn--bcher-kva.l2tpc-test\n"
                                "192.0.2.5 many.l2tpc-test\n"
                                "192.0.2.5 many.l2tpc-test\n"
                                "2001:db8::5 many.l2tpc-test\n"
                                "192.0.2.6 many.l2tpc-test\n";
    struct loop *loop = loop_new();
    struct answer a;
    char text[ADDR_TEXT_MAX];

    CHECK(loop);
    if (!own_hosts(hosts)) {
        loop_free(loop);
        SKIP("no right to mount another /etc/hosts");
    }
    CHECK(ask(loop, "many.l2tpc-test", &a));
    CHECK_INT(a.n, 3);
    CHECK(ask(loop, "missing.l2tpc-test", &a));
    CHECK_INT(a.n, 0);
    CHECK_INT(a.failure.id, FAILURE_RESOLVE_NOT_FOUND);
    CHECK(ask(loop, "b\303\274cher.l2tpc-test", &a));
    if (a.n == 0) {
        loop_free(loop);
        SKIP("the system's resolver knows no international names (libidn2)");
    }
    CHECK_STR(inaddr_text(&a.first, text), "192.0.2.77");
    loop_free(loop);
}

TEST(abandoned_answers_never_come)
{
    struct answer a = {0};

    (void)own_net();
    for (unsigned i = 0; i < 20; i++) {
        struct loop *loop = loop_new();
        struct work *r[3];

        CHECK(loop);
        r[0] = resolve_start(loop, "192.0.2.1", keep, &a);
        r[1] = resolve_start(loop, "localhost", keep, &a);
        r[2] = resolve_start(loop, "no-such-host.invalid", keep, &a);
        CHECK(r[0] && r[1] && r[2]);
        if (i % 2) /* once with the answer on its way, once without */
            (void)usleep(2000);
        for (unsigned k = 0; k < 3; k++)
            work_cancel(r[k]);
        CHECK(loop_dispatch(loop, 0));
        loop_free(loop);
    }
    CHECK_INT(a.calls, 0);
}
