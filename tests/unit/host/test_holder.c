/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has a port: found by the kernel's list, named as far as it may be looked at. */
#include "check.h"
#include "host/holder.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A socket on a port that was free; -1: this computer has no such addresses. */
static int take_port(int family, uint16_t *port)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr *sa = family == AF_INET6 ? (struct sockaddr *)&six : (struct sockaddr *)&four;
    socklen_t n = family == AF_INET6 ? sizeof(six) : sizeof(four);
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && bind(fd, sa, n) == 0 && getsockname(fd, sa, &n) == 0) {
        *port = ntohs(family == AF_INET6 ? six.sin6_port : four.sin_port);
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool is_me(const struct holder *h)
{
    return h->pid == getpid() && h->uid == geteuid() && !h->likely;
}

TEST(holder_is_found_and_named)
{
    struct holder h;
    char text[128];
    char wanted[128];
    uint16_t port = 0;
    int fd = take_port(AF_INET, &port);

    CHECK(fd >= 0);
    CHECK(prctl(PR_SET_NAME, "a b\n\x1b[31m") == 0);
    CHECK(holder_find(4, port, &h) && is_me(&h));
    CHECK(strcmp(h.name, "a_b") == 0 || strcmp(h.name, "a_b__[31m") == 0);
    (void)snprintf(wanted, sizeof(wanted), "%s (process %d", h.name, (int)getpid());
    holder_text(&h, text, sizeof(text));
    CHECK(strncmp(text, wanted, strlen(wanted)) == 0);
    close(fd);
    CHECK(!holder_find(4, port, &h));
}

/* It has the port of both families, and stands in the other list. */
TEST(holder_of_both_families_is_found)
{
    struct holder h;
    uint16_t port = 0;
    int fd = take_port(AF_INET6, &port);

    if (fd < 0)
        return;
    CHECK(holder_find(4, port, &h) && is_me(&h));
    CHECK(holder_find(6, port, &h) && is_me(&h));
    close(fd);
}

/* What a child without rights, and without the socket, says of this process. */
static int ask_as_nobody(int fd, uint16_t port, const char *wanted)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        struct holder h;
        char text[128] = "";

        close(fd);
        if (setgid(65534) != 0 || setuid(65534) != 0 || !holder_find(4, port, &h))
            _exit(2);
        holder_text(&h, text, sizeof(text));
        _exit(strncmp(text, wanted, strlen(wanted)) != 0);
    }
    return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}

/* The kernel tells the user of each socket; IKE daemons are known by their names. */
TEST(holder_that_may_not_be_looked_at_is_told_all_the_same)
{
    char wanted[64];
    uint16_t port = 0;
    int fd = take_port(AF_INET, &port);

    CHECK(fd >= 0);
    if (geteuid() == 0) {
        CHECK(prctl(PR_SET_NAME, "charon") == 0);
        (void)snprintf(wanted, sizeof(wanted), "likely charon (process %d", (int)getpid());
        CHECK_INT(ask_as_nobody(fd, port, wanted), 0);
        CHECK(prctl(PR_SET_NAME, "unheard-of") == 0);
        CHECK_INT(ask_as_nobody(fd, port, "uid 0"), 0);
    }
    close(fd);
}
