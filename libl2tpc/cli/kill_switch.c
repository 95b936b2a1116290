/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kill switch of a connection, and l2tpc unblock, which lifts one that outlived it. */
#include "cli/cli.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int kill_switch_hold(struct adapter *a, const char *interface_name, const l2tpc_host_addr *local,
                     l2tpc_host_reply *reply)
{
    l2tpc_host_request q = {.size = sizeof(q), .type = L2TPC_HOST_BLOCK};

    (void)snprintf(q.u.block.tunnel, sizeof(q.u.block.tunnel), "%s", a->options->name);
    (void)snprintf(q.u.block.interface, sizeof(q.u.block.interface), "%s", interface_name);
    if (local)
        q.u.block.local = *local;
    q.u.block.flags =
        L2TPC_HOST_BLOCK_LOOKUPS | (a->options->allow_lan ? L2TPC_HOST_BLOCK_LAN : 0u);
    if (adapter_ask(a, &q, reply) == 0)
        a->blocking = true;
    return reply->status;
}

static int lift(const struct adapter *a, const char *name, l2tpc_host_reply *reply)
{
    l2tpc_host_request q = {.size = sizeof(q), .type = L2TPC_HOST_UNBLOCK};

    (void)snprintf(q.u.unblock.tunnel, sizeof(q.u.unblock.tunnel), "%s", name);
    return adapter_ask(a, &q, reply);
}

/* One of the names, which a space is between; those that found no room are taken for ours. */
static bool is_named(const l2tpc_host_reply *holders, const char *name)
{
    size_t n = strlen(name);
    const char *at = holders->detail;

    if (holders->observer == 0)
        return false;
    if (strlen(at) + 1 == sizeof(holders->detail))
        return true;
    while ((at = strstr(at, name))) {
        if ((at == holders->detail || at[-1] == ' ') && (at[n] == '\0' || at[n] == ' '))
            return true;
        at += n;
    }
    return false;
}

static bool holds(const struct adapter *a)
{
    l2tpc_host_request q = {.size = sizeof(q), .type = L2TPC_HOST_BLOCK_READ};
    l2tpc_host_reply reply;

    if (!a->by_broker)
        return a->blocking;
    return a->options->kill_switch && a->client && adapter_ask(a, &q, &reply) == 0 &&
           is_named(&reply, a->options->name);
}

void kill_switch_end(struct adapter *a, bool by_user)
{
    l2tpc_host_reply reply;

    if (!holds(a))
        return;
    if (!by_user)
        complain(_("The network stays blocked by the kill switch. Dial again, or lift it: "
                   "sudo l2tpc unblock %s"),
                 a->options->name);
    else if (lift(a, a->options->name, &reply) != 0)
        complain(_("The kill switch could not be lifted: %s. Try: sudo l2tpc unblock"),
                 reply.detail);
}

static bool read_holders(l2tpc_host *host, l2tpc_host_reply *reply)
{
    l2tpc_host_request q = {.size = sizeof(q), .type = L2TPC_HOST_BLOCK_READ};

    return l2tpc_host_request_serve(host, &q, reply) == 0 && reply->observer > 0;
}

void kill_switch_tell(void)
{
    l2tpc_host_options options = {.size = sizeof(options), .run_dir = run_dir()};
    l2tpc_host_reply reply;
    l2tpc_host *host;

    if (geteuid() != 0 || l2tpc_host_new(&host, &options) != 0)
        return;
    if (read_holders(host, &reply))
        (void)printf(
            _("The network is blocked by the kill switch of %s: nothing leaves but through "
              "a tunnel. %llu packets were held back. To lift it: sudo l2tpc unblock\n"),
            reply.detail, (unsigned long long)reply.clear);
    l2tpc_host_free(host);
}

static int unblock(l2tpc_host *host, const char *name)
{
    l2tpc_host_reply before;
    l2tpc_host_reply reply;
    bool held = read_holders(host, &before);
    int rc = lift(&(struct adapter){.host = host}, name, &reply);

    if (rc == 0) {
        (void)printf(_("Lifted. The kill switch was held by %s and held back %llu packets.\n"),
                     before.detail, (unsigned long long)before.clear);
        return 0;
    }
    if (rc == -ENOENT && !held)
        complain(_("No kill switch is in force."));
    else if (rc == -ENOENT)
        complain(_("%s holds no kill switch; these do: %s"), name, before.detail);
    else if (rc == -EPERM || rc == -EACCES)
        complain(_("Lifting the kill switch needs root: sudo l2tpc unblock"));
    else
        complain(_("The kill switch could not be lifted: %s. Try: sudo l2tpc unblock"),
                 reply.detail);
    return EXIT_LOCAL;
}

int cmd_unblock(int argc, char **argv)
{
    static const char usage[] = N_("Usage: l2tpc unblock [NAME]");
    l2tpc_host_options options = {.size = sizeof(options), .run_dir = run_dir()};
    l2tpc_host *host;
    int status;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        (void)printf("%s\n", _(usage));
        return 0;
    }
    if (argc > 2 || (argc == 2 && !l2tpc_host_name_valid(argv[1]))) {
        complain(_("'%s' is not the name of a connection. %s"), argv[argc - 1], _(usage));
        return EXIT_USAGE;
    }
    if (geteuid() != 0) {
        complain(_("Lifting the kill switch needs root: sudo l2tpc unblock"));
        return EXIT_LOCAL;
    }
    if (l2tpc_host_new(&host, &options) != 0) {
        complain(_("The kill switch could not be lifted: %s. Try: sudo l2tpc unblock"),
                 strerror(ENOMEM));
        return EXIT_LOCAL;
    }
    status = unblock(host, argc == 2 ? argv[1] : "");
    l2tpc_host_free(host);
    return status;
}
