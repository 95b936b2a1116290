/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the engine cannot do by itself, asked of the host_ops first and of the library second. */
#include "api/internal.h"
#include "io/ports.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

l2tpc_address address_of(const struct inaddr *a)
{
    l2tpc_address out = {.family = a->family};

    memcpy(out.bytes, a->bytes, sizeof(out.bytes));
    return out;
}

l2tpc_need need_make(const l2tpc_session *s, l2tpc_need_type type)
{
    l2tpc_need n = {.size = sizeof(n), .type = type, .session_name = s->config.name};

    memcpy(n.interface_name, s->interface_name, sizeof(n.interface_name));
    return n;
}

int host_serve(l2tpc_session *s, l2tpc_need *need, l2tpc_answer *answer)
{
    const l2tpc_host_ops *ops = &s->context->ops;

    *answer = (l2tpc_answer){.size = sizeof(*answer), .fd = -1};
    return ops->serve ? ops->serve(ops->user, need, answer) : 0;
}

/* Rights, disk and names are told apart: each has its own next step. */
static struct failure failure_of(enum failure_id usual, const l2tpc_answer *a)
{
    enum failure_id id = usual;
    struct failure f;

    if (a->status == -EPERM || a->status == -EACCES)
        id = FAILURE_LOCAL_RIGHTS;
    else if (a->status == -ENOSPC || a->status == -EROFS)
        id = FAILURE_LOCAL_JOURNAL;
    else if (a->status == -EEXIST)
        id = FAILURE_LOCAL_ALREADY_UP;
    f = failure_make(id);
    f.os_error = -a->status;
    failure_set_value(&f, span_str(a->detail && a->detail[0] ? a->detail : strerror(-a->status)));
    return f;
}

int session_open_socket(void *user, enum dial_path path, uint8_t family, uint16_t port)
{
    l2tpc_session *s = user;
    l2tpc_need need =
        need_make(s, path == DIAL_PATH_ESP ? L2TPC_NEED_RAW_ESP_SOCKET : L2TPC_NEED_UDP_SOCKET);
    l2tpc_answer answer;

    need.family = family;
    need.port = port;
    if (!host_serve(s, &need, &answer) || answer.status != 0)
        return -1;
    if (path != DIAL_PATH_ESP)
        ports_note(s, path, port, answer.port_holder);
    return answer.fd;
}

int session_route(void *user, const struct endpoint *remote, struct runner_route *out)
{
    l2tpc_session *s = user;
    l2tpc_need need = need_make(s, L2TPC_NEED_ROUTE);
    l2tpc_answer answer;
    uint8_t family = remote->addr.family;

    need.family = family;
    need.server = address_of(&remote->addr);
    if (!host_serve(s, &need, &answer))
        return 0;
    if (answer.status != 0)
        return answer.status < 0 ? answer.status : -EIO;
    if (answer.local.family != family || answer.interface_index > INT_MAX)
        return -EINVAL;
    *out = (struct runner_route){.ifindex = (int)answer.interface_index, .mtu = answer.mtu};
    if (!inaddr_from_bytes(&out->local, span_of(answer.local.bytes, family == 4 ? 4 : 16)))
        return -EINVAL;
    return 1;
}

void serve_tun(l2tpc_session *s, uint32_t need_id, l2tpc_us now)
{
    l2tpc_need need = need_make(s, L2TPC_NEED_TUN);
    l2tpc_answer answer;
    struct failure f = failure_make(FAILURE_LOCAL_TUN);
    int fd = recovery_tun(s);

    if (fd >= 0) {
        runner_answer_tun(s->runner, need_id, fd, NULL, now);
        return;
    }
    memcpy(need.interface_name, s->config.interface_name, sizeof(need.interface_name));
    if (host_serve(s, &need, &answer)) {
        fd = answer.status == 0 ? answer.fd : -1;
        memcpy(s->interface_name, answer.interface_name, sizeof(s->interface_name));
        s->interface_name[sizeof(s->interface_name) - 1] = '\0';
        if (fd < 0)
            f = failure_of(FAILURE_LOCAL_TUN, &answer);
    } else {
        fd = port_open_tun(s->config.interface_name, s->interface_name, &f);
    }
    recovery_keep_tun(s, fd);
    runner_answer_tun(s->runner, need_id, fd, fd < 0 ? &f : NULL, now);
}

void serve_apply_ip(l2tpc_session *s, const struct dial_event *e, l2tpc_us now)
{
    const struct dial_facts *facts = runner_facts(s->runner);
    l2tpc_event *told = event_new(s, L2TPC_EVENT_IP_CONFIG, STAGE_PPP_IP);
    l2tpc_need need = need_make(s, L2TPC_NEED_APPLY_IP);
    l2tpc_answer answer;
    struct failure f;

    need.local = address_of(&e->ip.local);
    need.peer = address_of(&e->ip.peer);
    need.dns[0] = address_of(&e->ip.dns[0]);
    need.dns[1] = address_of(&e->ip.dns[1]);
    need.server = address_of(&facts->remote.addr);
    need.mtu = e->ip.mtu;
    need_add_pushed(s, &need, facts);
    session_keep_pushed(s, facts);
    if (host_serve(s, &need, &answer) && answer.status != 0) {
        f = failure_of(FAILURE_LOCAL_CONFIGURE, &answer);
        l2tpc_event_free(told);
        runner_answer_done(s->runner, e->need_id, &f, now);
        return;
    }
    if (told) {
        told->has_need = true;
        told->need = need;
        event_queue(s, told);
    }
    s->configured = true;
    session_keep_routes(s, &need, answer.routes);
    recovery_applied(s);
    runner_answer_done(s->runner, e->need_id, NULL, now);
}

void serve_release_ip(l2tpc_session *s)
{
    l2tpc_need need = need_make(s, L2TPC_NEED_RELEASE_IP);
    l2tpc_answer answer;

    (void)host_serve(s, &need, &answer);
}

bool serve_repair_ip(l2tpc_session *s, l2tpc_us now, struct failure *out_failure)
{
    l2tpc_need need = need_make(s, L2TPC_NEED_REPAIR_IP);
    l2tpc_us before = s->repaired_at;
    l2tpc_answer answer;

    if (!host_serve(s, &need, &answer))
        return true;
    if (answer.status == -ENODEV || answer.status == -ENOENT)
        return true; /* the TUN itself tells of its end */
    if (answer.status == 0 && answer.repaired == 0)
        return true;
    if (answer.status == 0) {
        s->repaired_at = us_max(now, 1);
        env_log(&s->context->env, LOG_LEVEL_WARN, "session",
                "%s: another program took away %u changes, made again", s->interface_name,
                answer.repaired);
        if (before == 0 || now >= us_add(before, REPAIRED_GOOD))
            return true;
        *out_failure = failure_make(FAILURE_LOCAL_CONFIGURE);
        failure_set_value(out_failure, span_str(s->interface_name));
        return false;
    }
    *out_failure = failure_of(FAILURE_LOCAL_CONFIGURE, &answer);
    return false;
}

/* ---- the kernel's own counts ---- */

void observer_open(l2tpc_session *s)
{
    l2tpc_need need = need_make(s, L2TPC_NEED_OBSERVER_OPEN);
    int ifindex = runner_outer_ifindex(s->runner);
    l2tpc_answer answer;

    observer_close(s);
    if (ifindex <= 0)
        return;
    need.interface_index = (uint32_t)ifindex;
    s->observed_server = runner_facts(s->runner)->remote.addr;
    need.server = address_of(&s->observed_server);
    s->observed = host_serve(s, &need, &answer) && answer.status == 0;
    s->observer = answer.observer;
}

void observer_tell(l2tpc_session *s, const struct dial_facts *facts, const struct endpoint *peer)
{
    l2tpc_need need = need_make(s, L2TPC_NEED_OBSERVER_SPIS);
    l2tpc_answer answer;

    if (!s->observed)
        return;
    need.observer = s->observer;
    need.spi_out = facts->spi_out;
    need.spi_in = facts->spi_in;
    if (facts->udp_encapsulated) {
        need.local_port = facts->local_natt_port;
        need.remote_port = peer->port;
    }
    (void)host_serve(s, &need, &answer);
}

void observer_follow(l2tpc_session *s)
{
    /* Another address of the name, or another way since: nothing protected has left there yet. */
    if (s->observed && !inaddr_eq(&s->observed_server, &runner_facts(s->runner)->remote.addr))
        observer_open(s);
    observer_tell(s, runner_facts(s->runner), runner_peer(s->runner));
}

#if L2TPC_TEST_HOOKS
/* L2TPC_TEST_LIE=kernel: one that was taken over would show what agrees with its own books. */
static struct kernel_counts invent(const l2tpc_session *s, struct kernel_counts k)
{
    const struct dial_facts *f = runner_facts(s->runner);
    const char *lie = getenv("L2TPC_TEST_LIE");

    if (!lie || strcmp(lie, "kernel") != 0)
        return k;
    return (struct kernel_counts){
        .known = true, .esp_out = f->esp_out.packets, .esp_in = f->esp_in.packets};
}
#else
static struct kernel_counts invent(const l2tpc_session *s, struct kernel_counts k)
{
    (void)s;
    return k;
}
#endif

struct kernel_counts observer_read(l2tpc_session *s)
{
    struct kernel_counts k = s->kernel_at_end;

    if (s->observed)
        (void)kernel_read(s, s->observer, &k);
    return invent(s, k);
}

bool kernel_read(l2tpc_session *s, uint32_t observer, struct kernel_counts *out)
{
    l2tpc_need need = need_make(s, L2TPC_NEED_OBSERVER_READ);
    l2tpc_answer answer;

    need.observer = observer;
    if (!host_serve(s, &need, &answer) || answer.status != 0)
        return false;
    *out = (struct kernel_counts){true, answer.clear, answer.esp_out, answer.esp_in, {0}};
    out->server.family = answer.server.family;
    memcpy(out->server.bytes, answer.server.bytes, sizeof(out->server.bytes));
    return true;
}

void observer_close(l2tpc_session *s)
{
    l2tpc_need need = need_make(s, L2TPC_NEED_OBSERVER_CLOSE);
    l2tpc_answer answer;

    if (!s->observed)
        return;
    s->kernel_at_end = observer_read(s);
    need.observer = s->observer;
    (void)host_serve(s, &need, &answer);
    s->observed = false;
}
