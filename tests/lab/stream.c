/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Traffic that knows what was lost: numbered UDP packets in both directions, counted by their
 * numbers at both ends, and beside them a TCP connection whose bytes come back and are compared.
 *
 *   stream serve PORT
 *   stream run ADDRESS PORT PACKETS-PER-SECOND SECONDS TCP-BYTES-PER-SECOND
 *
 * `run` prints one JSON object. Its end asks the server how much arrived there; what was sent
 * within the last moment has time to arrive first, so a packet that is counted as lost never came.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FLOWS 16
#define CHUNK 2048
#define SETTLE 2.0 /* seconds for what is under way */
#define ENDING 20.0

enum type {
    DATA = 1,
    END,
    REPORT
};

struct packet {
    uint32_t type, rate;
    uint64_t seq;      /* DATA: this one's number; else how many were sent */
    uint64_t received; /* REPORT: how many different ones arrived */
    uint64_t twice;
    uint64_t lost[8]; /* REPORT: the first numbers that did not */
    uint8_t filling[64];
};

/* What one end has sent and seen of one flow; numbers begin with 0. */
struct count {
    uint64_t sent, received, twice, room;
    double *arrived; /* 0: not yet */
};

struct flow {
    struct sockaddr_in peer;
    struct count count;
    double interval, due, ended; /* ended: 0 while data flows */
};

static double seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double now(void)
{
    return seconds(CLOCK_MONOTONIC);
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void note(struct count *c, uint64_t seq)
{
    if (seq >= 1u << 24)
        return;
    if (seq >= c->room) {
        uint64_t room = seq + 65536;
        double *more = realloc(c->arrived, room * sizeof(*more));

        if (!more)
            die("realloc");
        memset(more + c->room, 0, (room - c->room) * sizeof(*more));
        c->arrived = more;
        c->room = room;
    }
    if (c->arrived[seq] > 0)
        c->twice++;
    else
        c->received++;
    c->arrived[seq] = seconds(CLOCK_REALTIME);
}

static unsigned missing(const struct count *c, uint64_t total, uint64_t *list, unsigned max)
{
    unsigned n = 0;

    for (uint64_t i = 0; i < total && n < max; i++)
        if (i >= c->room || c->arrived[i] <= 0)
            list[n++] = i;
    return n;
}

static int udp_socket(uint16_t port)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    int big = 32 << 20; /* of a busy machine this process may not be served for seconds */

    if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)))
        die("UDP socket");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big)))
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
    return fd;
}

static void send_packet(int fd, const struct sockaddr_in *to, struct packet *p)
{
    /* A full queue loses the packet: that is counted like every other loss. */
    (void)sendto(fd, p, sizeof(*p), 0, (const struct sockaddr *)to, sizeof(*to));
}

static void send_due(int fd, struct flow *f, uint32_t rate)
{
    while (f->ended <= 0 && f->due <= now()) {
        struct packet p = {.type = DATA, .rate = rate, .seq = f->count.sent++};

        send_packet(fd, &f->peer, &p);
        f->due += f->interval;
    }
}

/* ---- the server's end ---- */
struct echo {
    int fd;
    size_t n, at;
    char buffer[1 << 16];
};

static struct flow flows[FLOWS];
static struct echo *echoes[FLOWS];

static struct flow *flow_of(const struct sockaddr_in *peer, const struct packet *p)
{
    struct flow *free_one = NULL;

    for (unsigned i = 0; i < FLOWS; i++) {
        struct flow *f = &flows[i];

        if (f->peer.sin_port == peer->sin_port && f->peer.sin_addr.s_addr == peer->sin_addr.s_addr)
            return f;
        if (!f->peer.sin_port || (f->ended > 0 && now() > f->ended + 60))
            free_one = f;
    }
    if (free_one && p->type == DATA && p->rate) {
        free(free_one->count.arrived);
        *free_one = (struct flow){.peer = *peer, .interval = 1.0 / p->rate, .due = now()};
    }
    return free_one && p->type == DATA && p->rate ? free_one : NULL;
}

static void serve_udp(int fd)
{
    struct sockaddr_in from;
    socklen_t n = sizeof(from);
    struct packet p;

    while (recvfrom(fd, &p, sizeof(p), 0, (struct sockaddr *)&from, &n) == sizeof(p)) {
        struct flow *f = flow_of(&from, &p);

        if (f && p.type == DATA) {
            note(&f->count, p.seq);
        } else if (f && p.type == END) {
            struct packet report = {.type = REPORT, .seq = f->count.sent};

            if (f->ended <= 0)
                f->ended = now();
            report.received = f->count.received;
            report.twice = f->count.twice;
            (void)missing(&f->count, p.seq, report.lost, 8);
            if (now() > f->ended + SETTLE)
                send_packet(fd, &from, &report);
        }
        n = sizeof(from);
    }
}

static bool serve_tcp(struct echo *e, short events)
{
    ssize_t n;

    if (events & (POLLIN | POLLHUP | POLLERR) && e->n == 0) {
        n = read(e->fd, e->buffer, sizeof(e->buffer));
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return false;
        e->n = n > 0 ? (size_t)n : 0;
        e->at = 0;
    }
    if (e->n) {
        n = write(e->fd, e->buffer + e->at, e->n);
        if (n < 0 && errno != EAGAIN)
            return false;
        if (n > 0) {
            e->at += (size_t)n;
            e->n -= (size_t)n;
        }
    }
    return true;
}

static void take_caller(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

    for (unsigned i = 0; fd >= 0 && i < FLOWS; i++)
        if (!echoes[i]) {
            echoes[i] = calloc(1, sizeof(*echoes[i]));
            if (!echoes[i])
                die("calloc");
            echoes[i]->fd = fd;
            return;
        }
    if (fd >= 0)
        close(fd);
}

static void serve(uint16_t port)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    int udp = udp_socket(port);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int yes = 1;

    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (listener < 0 || bind(listener, (struct sockaddr *)&any, sizeof(any)) || listen(listener, 9))
        die("TCP socket");
    for (;;) {
        struct pollfd fds[FLOWS + 2] = {{.fd = udp, .events = POLLIN},
                                        {.fd = listener, .events = POLLIN}};

        for (unsigned i = 0; i < FLOWS; i++) {
            fds[i + 2].fd = echoes[i] ? echoes[i]->fd : -1;
            fds[i + 2].events = echoes[i] && echoes[i]->n ? POLLOUT : POLLIN;
        }
        (void)poll(fds, FLOWS + 2, 5);
        serve_udp(udp);
        if (fds[1].revents)
            take_caller(listener);
        for (unsigned i = 0; i < FLOWS; i++)
            if (echoes[i] && fds[i + 2].fd >= 0 && fds[i + 2].revents &&
                !serve_tcp(echoes[i], fds[i + 2].revents)) {
                close(echoes[i]->fd);
                free(echoes[i]);
                echoes[i] = NULL;
            }
        for (unsigned i = 0; i < FLOWS; i++)
            if (flows[i].peer.sin_port)
                send_due(udp, &flows[i], 0);
    }
}

/* ---- the client's end ---- */
struct transfer {
    int fd;
    uint64_t sent, received;
    bool wrong, closed;
    double due, interval;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
    (void)signal;
    interrupted = 1;
}

static uint8_t pattern(uint64_t at)
{
    return (uint8_t)(at * 2654435761u >> 13);
}

static void pump_tcp(struct transfer *t, bool ending)
{
    uint8_t bytes[CHUNK];
    ssize_t n;

    while (t->fd >= 0 && (n = recv(t->fd, bytes, sizeof(bytes), 0)) >= 0) {
        if (n == 0) {
            t->closed = true;
            break;
        }
        for (ssize_t i = 0; i < n; i++)
            t->wrong = t->wrong || bytes[i] != pattern(t->received++);
    }
    if (t->fd < 0 || t->closed || ending || t->due > now())
        return;
    for (unsigned i = 0; i < CHUNK; i++)
        bytes[i] = pattern(t->sent + i);
    n = send(t->fd, bytes, CHUNK, MSG_NOSIGNAL);
    if (n > 0)
        t->sent += (uint64_t)n;
    t->due = now() + t->interval;
}

static void take_packets(int fd, struct flow *f, struct packet *report)
{
    struct packet p;

    while (recv(fd, &p, sizeof(p), 0) == sizeof(p)) {
        if (p.type == DATA)
            note(&f->count, p.seq);
        else if (p.type == REPORT)
            *report = p;
    }
}

static void print_lost(const char *name, const uint64_t *lost, unsigned n, double began,
                       double interval)
{
    printf(", \"%s\": [", name);
    for (unsigned i = 0; i < n; i++)
        printf("%s{\"seq\": %llu, \"at\": %.3f}", i ? ", " : "", (unsigned long long)lost[i],
               began + (double)lost[i] * interval);
    printf("]");
}

/* "at" is the wall clock when the packet was due, for finding the place in a capture. */
static void print(const struct flow *f, const struct packet *report, const struct transfer *t,
                  double began)
{
    uint64_t lost[8] = {0};
    unsigned n = missing(&f->count, report->seq, lost, 8);
    uint64_t lost_up = f->count.sent - report->received;

    printf("{\"reported\": %s, \"up\": {\"sent\": %llu, \"received\": %llu, \"twice\": %llu}, "
           "\"down\": {\"sent\": %llu, \"received\": %llu, \"twice\": %llu}, "
           "\"tcp\": {\"sent\": %llu, \"received\": %llu, \"same\": %s}",
           report->type == REPORT ? "true" : "false", (unsigned long long)f->count.sent,
           (unsigned long long)report->received, (unsigned long long)report->twice,
           (unsigned long long)report->seq, (unsigned long long)f->count.received,
           (unsigned long long)f->count.twice, (unsigned long long)t->sent,
           (unsigned long long)t->received, t->wrong ? "false" : "true");
    print_lost("lost_up", report->lost, lost_up < 8 ? (unsigned)lost_up : 8, began, f->interval);
    print_lost("lost_down", lost, n, began, f->interval);
    printf("}\n");
}

static void run(char **argv)
{
    struct flow f = {.peer = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[3]))}};
    uint32_t rate = (uint32_t)atoi(argv[4]);
    struct transfer t = {.fd = -1, .interval = (double)CHUNK / atof(argv[6])};
    struct packet report = {0};
    double began = seconds(CLOCK_REALTIME), end, asked = 0;
    int fd = udp_socket(0);

    if (inet_pton(AF_INET, argv[2], &f.peer.sin_addr) != 1 || rate == 0)
        die("arguments");
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    if (atof(argv[6]) > 0) {
        t.fd = socket(AF_INET, SOCK_STREAM, 0);
        if (t.fd < 0 || connect(t.fd, (struct sockaddr *)&f.peer, sizeof(f.peer)))
            die("connect");
        (void)fcntl(t.fd, F_SETFL, O_NONBLOCK);
    }
    f.interval = 1.0 / rate;
    f.due = now();
    end = now() + atof(argv[5]);
    while (report.type != REPORT && now() < end + ENDING) {
        struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = t.fd, .events = POLLIN}};

        (void)poll(fds, t.closed ? 1 : 2, rate > 200 ? 2 : 5);
        take_packets(fd, &f, &report);
        if (f.ended <= 0 && (now() >= end || interrupted))
            f.ended = end = now();
        send_due(fd, &f, rate);
        pump_tcp(&t, f.ended > 0);
        if (f.ended > 0 && now() > asked + 0.25) {
            struct packet p = {.type = END, .seq = f.count.sent};

            asked = now();
            send_packet(fd, &f.peer, &p);
        }
    }
    print(&f, &report, &t, began);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        serve((uint16_t)atoi(argv[2]));
    else if (argc == 7 && strcmp(argv[1], "run") == 0)
        run(argv);
    else
        fprintf(stderr, "usage: stream serve PORT | run ADDRESS PORT RATE SECONDS TCP-RATE\n");
    return argc == 7 ? 0 : 2;
}
