/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Drives libl2tpc-host through its public header: one command a line on standard input, one line of
 * answer each. Used by tests/host/run inside network namespaces. */
#include "host/l2tpc-host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WORDS 100

/* Dies before the n-th system call from now on that changes something ("killat N"): these stand in
 * for the C library's own, for this program and the libraries below it. */
#define STAND_IN __attribute__((visibility("default")))
static unsigned kill_at;

static unsigned fail_at; /* the same, but the call fails ("failat N") */

static int doomed(void)
{
    if (kill_at > 0 && --kill_at == 0)
        (void)kill(getpid(), SIGKILL);
    if (fail_at == 0 || --fail_at > 0)
        return 0;
    errno = ENOSPC;
    return 1;
}

STAND_IN ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
    return doomed() ? -1 : syscall(SYS_sendmsg, fd, msg, flags);
}

STAND_IN ssize_t sendto(int fd, const void *p, size_t n, int flags, const struct sockaddr *to,
                        socklen_t to_len)
{
    return doomed() ? -1 : syscall(SYS_sendto, fd, p, n, flags, to, to_len);
}

STAND_IN ssize_t write(int fd, const void *p, size_t n)
{
    return doomed() ? -1 : syscall(SYS_write, fd, p, n);
}

STAND_IN ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return doomed() ? -1 : syscall(SYS_pwrite64, fd, p, n, at);
}

STAND_IN int ftruncate(int fd, off_t n)
{
    return doomed() ? -1 : (int)syscall(SYS_ftruncate, fd, n);
}

STAND_IN int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return doomed() ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

STAND_IN int unlinkat(int dir, const char *name, int flags)
{
    return doomed() ? -1 : (int)syscall(SYS_unlinkat, dir, name, flags);
}

static l2tpc_host *host;
static l2tpc_host_client *client; /* requests go to a broker instead */

static int parse_addr(l2tpc_host_addr *out, const char *text)
{
    char copy[80];
    char *slash;

    memset(out, 0, sizeof(*out));
    (void)snprintf(copy, sizeof(copy), "%s", text);
    slash = strchr(copy, '/');
    if (slash)
        *slash = '\0';
    if (inet_pton(AF_INET, copy, out->bytes) == 1)
        out->family = 4;
    else if (inet_pton(AF_INET6, copy, out->bytes) == 1)
        out->family = 6;
    out->prefix_len = (uint8_t)(slash ? atoi(slash + 1) : out->family == 4 ? 32 : 128);
    return out->family != 0;
}

static int serve(l2tpc_host_request *q, l2tpc_host_reply *r)
{
    int rc;

    q->size = sizeof(*q);
    rc = client ? l2tpc_host_client_request(client, q, r) : l2tpc_host_request_serve(host, q, r);
    if (rc < 0)
        printf("error %s %u %s\n", strerrorname_np(-rc), r->sentence, r->detail);
    return rc;
}

static uint32_t number(const char *text)
{
    return (uint32_t)strtoul(text, NULL, 0);
}

static void cmd_new(char **w)
{
    l2tpc_host_options o = {.size = sizeof(o),
                            .run_dir = w[1],
                            .resolv_conf = w[2],
                            .state_dir = getenv("HOST_TOOL_STATE_DIR"),
                            .dns_mode = w[3] ? number(w[3]) : L2TPC_HOST_DNS_FILE,
                            .allow = w[3] && w[4] ? number(w[4]) : 0};
    l2tpc_host_recovery r;
    int rc = l2tpc_host_new(&host, &o);

    if (rc < 0) {
        printf("error %s\n", strerrorname_np(-rc));
        return;
    }
    l2tpc_host_get_recovery(host, &r);
    printf("ok live=%u recovered=%u damaged=%u failed=%u\n", r.live, r.recovered, r.damaged,
           r.failed);
}

/* broker RUN_DIR RESOLV TUNNEL INTERFACE FLAGS ALLOW SOCKETS [ROUTE...]: forks one and asks it from
 * now on */
static void cmd_broker(char **w)
{
    l2tpc_host_options o = {
        .size = sizeof(o), .run_dir = w[1], .resolv_conf = w[2], .dns_mode = L2TPC_HOST_DNS_FILE};
    l2tpc_host_policy p = {.size = sizeof(p),
                           .flags = number(w[5]),
                           .allow = number(w[6]),
                           .sockets_max = number(w[7])};
    int pair[2];
    pid_t pid;
    int rc;

    (void)snprintf(p.tunnel, sizeof(p.tunnel), "%s", w[3]);
    (void)snprintf(p.interface, sizeof(p.interface), "%s", w[4]);
    for (w += 8; *w && p.n_routes < L2TPC_HOST_ROUTES_MAX; w++)
        (void)parse_addr(&p.routes[p.n_routes++], *w);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        printf("error socketpair\n");
        return;
    }
    pid = fork();
    if (pid == 0) {
        (void)close(pair[0]);
        (void)l2tpc_host_broker_serve(pair[1], &o, &p);
        _exit(0);
    }
    (void)close(pair[1]);
    rc = l2tpc_host_client_new(&client, pair[0]);
    if (rc < 0)
        printf("error %s\n", strerrorname_np(-rc));
    else
        printf("ok pid=%d mark=0x%x\n", pid, l2tpc_host_client_get_mark(client));
}

static l2tpc_host_client *doors[2];

static bool open_doors(int pairs[2][2])
{
    for (int i = 0; i < 2; i++)
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pairs[i]) != 0)
            return false;
    return true;
}

/* doors RUN_DIR RESOLV TUNNEL FLAGS ALLOW-0 ALLOW-1: a broker with two: the first ends it, the
 * second has the tunnel, and is asked from now on */
static void cmd_doors(char **w)
{
    l2tpc_host_options o = {
        .size = sizeof(o), .run_dir = w[1], .resolv_conf = w[2], .dns_mode = L2TPC_HOST_DNS_FILE};
    l2tpc_host_door d[2] = {{.flags = L2TPC_HOST_DOOR_LAST}, {.flags = L2TPC_HOST_DOOR_TUNNEL}};
    int pairs[2][2];
    pid_t pid;
    int rc = 0;

    if (!open_doors(pairs)) {
        printf("error socketpair\n");
        return;
    }
    for (int i = 0; i < 2; i++) {
        d[i].fd = pairs[i][1];
        d[i].policy = (l2tpc_host_policy){.size = sizeof(d[i].policy),
                                          .flags = number(w[4]),
                                          .allow = number(w[5 + i]),
                                          .sockets_max = 8,
                                          .interface = "l2tp%d"};
        (void)snprintf(d[i].policy.tunnel, sizeof(d[i].policy.tunnel), "%s", w[3]);
    }
    pid = fork();
    if (pid == 0) {
        (void)close(pairs[0][0]);
        (void)close(pairs[1][0]);
        (void)l2tpc_host_broker_serve_doors(d, 2, &o);
        _exit(0);
    }
    for (int i = 0; i < 2 && rc == 0; i++) {
        (void)close(pairs[i][1]);
        rc = l2tpc_host_client_new(&doors[i], pairs[i][0]);
    }
    client = doors[1];
    if (rc < 0)
        printf("error %s\n", strerrorname_np(-rc));
    else
        printf("ok pid=%d\n", pid);
}

/* door N: asks that one from now on */
static void cmd_door(char **w)
{
    client = doors[number(w[1]) & 1];
    printf("ok\n");
}

/* shut N: closes that one, and asks the other */
static void cmd_shut(char **w)
{
    uint32_t n = number(w[1]) & 1;

    l2tpc_host_client_free(doors[n]);
    doors[n] = NULL;
    client = doors[1 - n];
    printf("ok\n");
}

/* stuff N: requests, and no reply is read */
static void cmd_stuff(char **w)
{
    const l2tpc_host_request q = {.size = sizeof(q), .type = L2TPC_HOST_HELLO};
    uint32_t sent = 0;

    while (sent < number(w[1]) &&
           send(l2tpc_host_client_fd(client), &q, sizeof(q), MSG_NOSIGNAL) == sizeof(q))
        sent++;
    printf("ok sent=%u\n", sent);
}

/* garbage BYTES SIZE TYPE [fd]: a packet that no client sends, and what the broker says to it */
static void cmd_garbage(char **w)
{
    static uint8_t bytes[2 * sizeof(l2tpc_host_request)];
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS}};
    uint32_t head[2] = {number(w[2]) ? number(w[2]) : (uint32_t)sizeof(l2tpc_host_request),
                        number(w[3])};
    size_t n = number(w[1]) ? number(w[1]) : sizeof(l2tpc_host_request);
    struct iovec iov = {bytes, n < sizeof(bytes) ? n : sizeof(bytes)};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    l2tpc_host_reply r;
    int zero = 0;

    memset(bytes, 0xa5, sizeof(bytes));
    memcpy(bytes, head, sizeof(head));
    if (w[4]) {
        memcpy(CMSG_DATA(&control.header), &zero, sizeof(zero));
        m.msg_control = &control;
        m.msg_controllen = sizeof(control);
    }
    if (sendmsg(l2tpc_host_client_fd(client), &m, MSG_NOSIGNAL) != (ssize_t)iov.iov_len ||
        recv(l2tpc_host_client_fd(client), &r, sizeof(r), 0) != sizeof(r))
        printf("error gone\n");
    else if (r.status < 0)
        printf("error %s %u %s\n", strerrorname_np(-r.status), r.sentence, r.detail);
    else
        printf("ok\n");
}

/* way2 ADDRESS: the broker's word on it */
static void cmd_way2(char **w)
{
    l2tpc_host_request q = {.type = L2TPC_HOST_WAY};
    l2tpc_host_reply r;

    (void)parse_addr(&q.u.way.destination, w[1]);
    if (serve(&q, &r) == 0)
        printf("ok via=%s ifindex=%u mtu=%u source=%u.%u.%u.%u\n", r.name, r.ifindex, r.mtu,
               r.source.bytes[0], r.source.bytes[1], r.source.bytes[2], r.source.bytes[3]);
}

static void cmd_tun(char **w)
{
    l2tpc_host_request q = {.type = L2TPC_HOST_OPEN_TUN};
    l2tpc_host_reply r;

    (void)snprintf(q.u.open_tun.name, sizeof(q.u.open_tun.name), "%s", w[1]);
    q.u.open_tun.mtu = w[2] ? number(w[2]) : 0;
    q.u.open_tun.flags = w[2] && w[3] ? number(w[3]) : 0;
    if (serve(&q, &r) == 0)
        printf("ok name=%s ifindex=%u fd=%d\n", r.name, r.ifindex, r.fd);
}

static void cmd_udp(char **w)
{
    l2tpc_host_request q = {.type = L2TPC_HOST_OPEN_UDP};
    l2tpc_host_reply r;

    q.u.open_udp.family = (uint8_t)number(w[1]);
    q.u.open_udp.port = (uint16_t)number(w[2]);
    q.u.open_udp.mark = w[3] ? number(w[3]) : 0;
    if (serve(&q, &r) == 0)
        printf("ok port=%u fd=%d\n", r.port, r.fd);
}

static void cmd_tcp(char **w)
{
    l2tpc_host_request q = {.type = L2TPC_HOST_OPEN_TCP};
    l2tpc_host_reply r;

    q.u.open_tcp.family = (uint8_t)number(w[1]);
    if (serve(&q, &r) == 0)
        printf("ok fd=%d\n", r.fd);
}

static void cmd_esp(char **w)
{
    l2tpc_host_request q = {.type = L2TPC_HOST_OPEN_RAW_ESP};
    l2tpc_host_reply r;

    q.u.open_raw_esp.family = (uint8_t)number(w[1]);
    if (serve(&q, &r) == 0)
        printf("ok fd=%d\n", r.fd);
}

static void apply_word(l2tpc_host_apply_ip *a, const char *key, const char *value)
{
    if (strcmp(key, "if") == 0)
        (void)snprintf(a->interface, sizeof(a->interface), "%s", value);
    else if (strcmp(key, "name") == 0)
        (void)snprintf(a->tunnel, sizeof(a->tunnel), "%s", value);
    else if (strcmp(key, "local") == 0)
        (void)parse_addr(&a->local, value);
    else if (strcmp(key, "peer") == 0)
        (void)parse_addr(&a->peer, value);
    else if (strcmp(key, "server") == 0)
        (void)parse_addr(&a->server, value);
    else if (strcmp(key, "mtu") == 0)
        a->mtu = number(value);
    else if (strcmp(key, "flags") == 0)
        a->flags = number(value);
    else if (strcmp(key, "dns") == 0 && a->n_dns < L2TPC_HOST_DNS_MAX)
        (void)parse_addr(&a->dns[a->n_dns++], value);
    else if (strcmp(key, "search") == 0 && a->n_search < L2TPC_HOST_SEARCH_MAX)
        (void)snprintf(a->search[a->n_search++], sizeof(a->search[0]), "%s", value);
    else if (strcmp(key, "route") == 0 && a->n_routes < L2TPC_HOST_ROUTES_MAX)
        (void)parse_addr(&a->routes[a->n_routes++], value);
}

static void cmd_apply(char **w)
{
    l2tpc_host_request q = {.type = L2TPC_HOST_APPLY_IP};
    l2tpc_host_reply r;

    for (w++; *w; w++) {
        char *eq = strchr(*w, '=');

        if (!eq)
            continue;
        *eq = '\0';
        apply_word(&q.u.apply_ip, *w, eq + 1);
    }
    if (serve(&q, &r) == 0)
        printf("ok ifindex=%u sentence=%u\n", r.ifindex, r.sentence);
}

static void cmd_release(char **w)
{
    l2tpc_host_request q = {.type = L2TPC_HOST_RELEASE_IP};
    l2tpc_host_reply r;

    (void)snprintf(q.u.release_ip.interface, sizeof(q.u.release_ip.interface), "%s", w[1]);
    if (serve(&q, &r) == 0)
        printf("ok sentence=%u\n", r.sentence);
}

static void cmd_repair(char **w)
{
    l2tpc_host_request q = {.type = L2TPC_HOST_REPAIR_IP};
    l2tpc_host_reply r;

    (void)snprintf(q.u.release_ip.interface, sizeof(q.u.release_ip.interface), "%s", w[1]);
    if (serve(&q, &r) == 0)
        printf("ok made=%u\n", r.observer);
}

static void cmd_observe(char **w)
{
    l2tpc_host_request q = {.type = L2TPC_HOST_OPEN_OBSERVER};
    l2tpc_host_reply r;

    q.u.open_observer.ifindex = number(w[1]);
    (void)parse_addr(&q.u.open_observer.server, w[2]);
    if (serve(&q, &r) == 0)
        printf("ok observer=%u\n", r.observer);
}

static void cmd_spis(char **w)
{
    l2tpc_host_request q = {.type = L2TPC_HOST_OBSERVER_SET_SPIS};
    l2tpc_host_reply r;

    q.u.observer_set_spis.observer = number(w[1]);
    q.u.observer_set_spis.out_spi = number(w[2]);
    q.u.observer_set_spis.in_spi = number(w[3]);
    q.u.observer_set_spis.local_port = (uint16_t)number(w[4]);
    q.u.observer_set_spis.remote_port = (uint16_t)number(w[5]);
    if (serve(&q, &r) == 0)
        printf("ok\n");
}

static void cmd_count(char **w)
{
    l2tpc_host_request q = {.type = L2TPC_HOST_OBSERVER_READ};
    l2tpc_host_reply r;

    q.u.observer.observer = number(w[1]);
    if (serve(&q, &r) == 0)
        printf("ok clear=%llu out=%llu in=%llu\n", (unsigned long long)r.clear,
               (unsigned long long)r.esp_out, (unsigned long long)r.esp_in);
}

static void cmd_unobserve(char **w)
{
    l2tpc_host_request q = {.type = L2TPC_HOST_OBSERVER_CLOSE};
    l2tpc_host_reply r;

    q.u.observer.observer = number(w[1]);
    if (serve(&q, &r) == 0)
        printf("ok\n");
}

static void cmd_way(char **w)
{
    l2tpc_host_addr to;
    l2tpc_host_way way;
    char text[64];
    int rc;

    (void)parse_addr(&to, w[1]);
    rc = l2tpc_host_route_to(&to, w[2] ? number(w[2]) : 0, &way);
    if (rc < 0)
        printf("error %s\n", strerrorname_np(-rc));
    else
        printf("ok via=%s ifindex=%u mtu=%u local=%u source=%s\n", way.interface, way.ifindex,
               way.mtu, way.is_local,
               inet_ntop(way.source.family == 6 ? AF_INET6 : AF_INET, way.source.bytes, text,
                         sizeof(text)));
}

/* Events of up to a second, ended by the first pause of 200 ms. */
static void cmd_watch(char **w)
{
    struct pollfd p = {.fd = l2tpc_host_watch_fd(host), .events = POLLIN};
    l2tpc_host_event e;

    (void)w;
    printf("%s", p.fd < 0 ? "error" : "ok");
    while (p.fd >= 0 && poll(&p, 1, 200) > 0)
        while (l2tpc_host_watch_next(host, &e) > 0)
            printf(" %u:%u", e.change, e.ifindex);
    printf("\n");
}

/* block NAME IF|- LOCAL|- FLAGS [ASKER] */
static void cmd_block(char **w)
{
    l2tpc_host_request q = {.type = L2TPC_HOST_BLOCK};
    l2tpc_host_reply r;

    (void)snprintf(q.u.block.tunnel, sizeof(q.u.block.tunnel), "%s", w[1]);
    if (strcmp(w[2], "-") != 0)
        (void)snprintf(q.u.block.interface, sizeof(q.u.block.interface), "%s", w[2]);
    if (strcmp(w[3], "-") != 0)
        (void)parse_addr(&q.u.block.local, w[3]);
    q.u.block.flags = number(w[4]);
    q.u.block.asker = w[5] ? number(w[5]) : 0;
    if (serve(&q, &r) == 0)
        printf("ok\n");
}

static void cmd_unblock(char **w)
{
    l2tpc_host_request q = {.type = L2TPC_HOST_UNBLOCK};
    l2tpc_host_reply r;

    (void)snprintf(q.u.unblock.tunnel, sizeof(q.u.unblock.tunnel), "%s",
                   strcmp(w[1], "-") == 0 ? "" : w[1]);
    if (serve(&q, &r) == 0)
        printf("ok\n");
}

static void cmd_blocked(char **w)
{
    l2tpc_host_request q = {.type = L2TPC_HOST_BLOCK_READ};
    l2tpc_host_reply r;

    (void)w;
    if (serve(&q, &r) == 0)
        printf("ok holders=%u names=%s packets=%llu\n", r.observer, r.detail,
               (unsigned long long)r.clear);
}

static void say_result(int rc)
{
    if (rc < 0)
        printf("error %s\n", strerrorname_np(-rc));
    else
        printf("ok n=%d\n", rc);
}

/* "state NAME", "learn NAME TEXT", "forget NAME". */
static void cmd_state(char **w)
{
    char text[8192];
    int n = l2tpc_host_state_read(host, w[1], text, sizeof(text) - 1);

    if (n < 0) {
        say_result(n);
        return;
    }
    text[n] = '\0';
    printf("ok n=%d text=%s\n", n, text);
}

static void cmd_learn(char **w)
{
    say_result(l2tpc_host_state_write(host, w[1], w[2], strlen(w[2])));
}

static void cmd_forget(char **w)
{
    say_result(l2tpc_host_state_forget(host, w[1]));
}

static void cmd_killat(char **w)
{
    printf("ok\n");
    (void)fflush(stdout);
    kill_at = number(w[1]);
}

/* Says how much of the last count was left: 0 when its call has failed. */
static void cmd_failat(char **w)
{
    printf("ok left=%u\n", fail_at);
    (void)fflush(stdout);
    fail_at = number(w[1]);
}

static void cmd_free(char **w)
{
    (void)w;
    l2tpc_host_free(host);
    host = NULL;
    printf("ok\n");
}

static const struct {
    const char *name;
    int min;
    void (*run)(char **w);
} commands[] = {
    {"new", 3, cmd_new},         {"broker", 8, cmd_broker},
    {"garbage", 4, cmd_garbage}, {"way2", 2, cmd_way2},
    {"tun", 2, cmd_tun},         {"udp", 3, cmd_udp},
    {"esp", 2, cmd_esp},         {"apply", 2, cmd_apply},
    {"release", 2, cmd_release}, {"observe", 3, cmd_observe},
    {"spis", 6, cmd_spis},       {"count", 2, cmd_count},
    {"way", 2, cmd_way},         {"watch", 1, cmd_watch},
    {"free", 1, cmd_free},       {"unobserve", 2, cmd_unobserve},
    {"block", 5, cmd_block},     {"unblock", 2, cmd_unblock},
    {"blocked", 1, cmd_blocked}, {"killat", 2, cmd_killat},
    {"failat", 2, cmd_failat},   {"state", 2, cmd_state},
    {"learn", 3, cmd_learn},     {"forget", 2, cmd_forget},
    {"doors", 7, cmd_doors},     {"door", 2, cmd_door},
    {"shut", 2, cmd_shut},       {"stuff", 2, cmd_stuff},
    {"tcp", 2, cmd_tcp},         {"repair", 2, cmd_repair},
};

static void run_line(char *line)
{
    char *w[WORDS + 1] = {NULL};
    int n = 0;

    for (char *p = strtok(line, " \n"); p && n < WORDS; p = strtok(NULL, " \n"))
        w[n++] = p;
    for (size_t i = 0; n > 0 && i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(w[0], commands[i].name) != 0 || n < commands[i].min)
            continue;
        if (!host && !client && commands[i].run != cmd_new && commands[i].run != cmd_way &&
            commands[i].run != cmd_broker && commands[i].run != cmd_doors) {
            printf("error no host\n");
            return;
        }
        commands[i].run(w);
        if (commands[i].run != cmd_killat)
            kill_at = 0;
        return;
    }
    printf("error unknown command\n");
}

int main(void)
{
    char line[8192];

    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof(line), stdin))
        run_line(line);
    l2tpc_host_client_free(client);
    l2tpc_host_free(host);
    return 0;
}
