/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tunnel without TUN and rights: its IP packets come and go by a datagram socket. Sends pings.
 *   dial_socket SERVER USER PSK-FILE PASSWORD-FILE IPV4-ADDRESS
 */
#include <arpa/inet.h>
#include <l2tpc.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static struct in_addr to, local;
static int pair[2]; /* ours, and the one that takes the place of a TUN */

/* The other sockets are left to the library: UDP needs no right. */
static int serve(void *user, const l2tpc_need *need, l2tpc_answer *answer)
{
    (void)user;
    if (need->type == L2TPC_NEED_TUN)
        answer->fd = pair[1];
    if (need->type == L2TPC_NEED_APPLY_IP)
        memcpy(&local, need->local.bytes, sizeof(local));
    return need->type == L2TPC_NEED_TUN || need->type == L2TPC_NEED_APPLY_IP;
}

static void read_secret(const char *path, char out[256])
{
    FILE *f = fopen(path, "r");

    out[f && fgets(out, 256, f) ? strcspn(out, "\n") : 0] = '\0';
    (void)(f && fclose(f));
}

static uint16_t checksum(const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    sum = (sum >> 16) + (sum & 0xffff);
    return htons((uint16_t) ~(sum + (sum >> 16)));
}

/* True when an answer came within a second; what else the tunnel brings is not for us. */
static int ping(void)
{
    struct {
        struct iphdr ip;
        struct icmphdr icmp;
    } p = {.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_ICMP},
           .icmp = {.type = ICMP_ECHO}};
    struct pollfd wait = {.fd = pair[0], .events = POLLIN};

    p.ip.tot_len = htons(sizeof(p));
    p.ip.saddr = local.s_addr, p.ip.daddr = to.s_addr;
    p.ip.check = checksum(&p.ip, sizeof(p.ip));
    p.icmp.checksum = checksum(&p.icmp, sizeof(p.icmp));
    (void)send(pair[0], &p, sizeof(p), 0);
    while (poll(&wait, 1, 1000) > 0)
        if (recv(pair[0], &p, sizeof(p), 0) == sizeof(p) && p.ip.saddr == to.s_addr &&
            p.ip.protocol == IPPROTO_ICMP && p.icmp.type == ICMP_ECHOREPLY)
            return 1;
    return 0;
}

/* True once the tunnel is up, or with `end` once it is no more. */
static int wait_for(l2tpc_session *session, l2tpc_event_type end)
{
    struct pollfd p = {.fd = l2tpc_session_get_fd(session), .events = POLLIN};
    l2tpc_event_type type = 0;

    while (type != end && type != L2TPC_EVENT_DOWN && poll(&p, 1, -1) > 0) {
        l2tpc_event *e = l2tpc_session_next_event(session);

        type = e ? l2tpc_event_get_type(e) : 0;
        if (type == L2TPC_EVENT_FAILED)
            printf("failed: %s\n", l2tpc_error_get_code(l2tpc_event_get_error(e)));
        l2tpc_event_free(e);
    }
    return type == end;
}

int main(int argc, char **argv)
{
    l2tpc_host_ops ops = {.size = sizeof(ops), .serve = serve};
    l2tpc_context_options options = {.size = sizeof(options), .host_ops = &ops};
    l2tpc_context *context = NULL;
    l2tpc_config *config = NULL;
    l2tpc_session *session = NULL;
    char psk[256], password[256];
    int answered = 0;

    if (argc != 6 || !inet_aton(argv[5], &to) || socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0)
        return 2;
    read_secret(argv[3], psk);
    read_secret(argv[4], password);
    if (l2tpc_context_new(&context, &options) == 0 && l2tpc_config_new(&config) == 0 &&
        l2tpc_config_set_server(config, argv[1]) == 0 &&
        l2tpc_config_set_user(config, argv[2], NULL) == 0 &&
        l2tpc_config_set_psk(config, psk, strlen(psk)) == 0 &&
        l2tpc_config_set_password(config, password, strlen(password)) == 0 &&
        l2tpc_config_set_encapsulation(config, "udp") == 0 &&
        l2tpc_session_new(&session, context, config) == 0 && l2tpc_session_start(session) == 0 &&
        wait_for(session, L2TPC_EVENT_UP)) {
        for (int i = 0; i < 5 && !answered; i++)
            answered = ping();
        printf("%s %s\n", answered ? "answer from" : "no answer from", argv[5]);
        l2tpc_session_stop(session);
        (void)wait_for(session, L2TPC_EVENT_DOWN);
    }
    l2tpc_session_free(session);
    l2tpc_config_free(config);
    l2tpc_context_free(context);
    return !answered;
}
