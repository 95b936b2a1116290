/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes of this computer's network, told to the session when they are over. */
#include "cli/cli.h"

#include <time.h>

#define QUIET_MS 1000 /* a link that comes up brings a dozen changes */
#define LOOK_MS 200   /* to what may be damage of the tunnel's own; several changes come together */
#define LOOKS_MS 500  /* between two looks */
#define WAIT_MS 4000  /* but somewhere always changes something */

static long long now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void network_open(struct network *n, l2tpc_host *host)
{
    *n = (struct network){.host = host, .fd = l2tpc_host_watch_fd(host)};
}

void network_input(struct network *n)
{
    l2tpc_host_event e = {0};

    while (l2tpc_host_watch_next(n->host, &e) == 1) {
        long long now = now_ms();

        if (n->look_due == 0)
            n->look_due =
                now + LOOK_MS > n->looked + LOOKS_MS ? now + LOOK_MS : n->looked + LOOKS_MS;
        if (e.change == L2TPC_HOST_CHANGE_OURS)
            continue;
        if (n->due == 0)
            n->last = now + WAIT_MS;
        n->due = now + QUIET_MS < n->last ? now + QUIET_MS : n->last;
    }
}

int network_timeout(const struct network *n)
{
    long long next =
        n->due == 0 || (n->look_due != 0 && n->look_due < n->due) ? n->look_due : n->due;
    long long left = next - now_ms();

    return next == 0 ? -1 : left > 0 ? (int)left : 0;
}

bool network_look(struct network *n)
{
    if (n->look_due == 0 || now_ms() < n->look_due)
        return false;
    n->look_due = 0;
    n->looked = now_ms();
    return true;
}

bool network_changed(struct network *n)
{
    if (n->due == 0 || now_ms() < n->due)
        return false;
    n->due = 0;
    return true;
}
