/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/tunnel.h"
#include "model/log_line.h"

#include <string.h>

/* Counters inside the tunnel: how much the user's programs have sent and received. */
#define BYTES_IN "ip.bytes_in"
#define BYTES_OUT "ip.bytes_out"

typedef struct {
    L2dSnapshot *snapshot;
    guint watchers;
    gint64 counted_at; /* monotonic; 0: the counters are not known yet */
    guint64 in, out;
    L2dRate history[L2D_HISTORY];
    guint filled;
    GListStore *log;
    guint64 log_end;
} L2dTunnelPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(L2dTunnel, l2d_tunnel, G_TYPE_OBJECT)

static guint changed_signal;

static L2dTunnelPrivate *inside(L2dTunnel *t)
{
    return l2d_tunnel_get_instance_private(t);
}

static void l2d_tunnel_finalize(GObject *object)
{
    l2d_snapshot_unref(inside(L2D_TUNNEL(object))->snapshot);
    g_object_unref(inside(L2D_TUNNEL(object))->log);
    G_OBJECT_CLASS(l2d_tunnel_parent_class)->finalize(object);
}

static void l2d_tunnel_class_init(L2dTunnelClass *class)
{
    G_OBJECT_CLASS(class)->finalize = l2d_tunnel_finalize;
    changed_signal = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
}

static void l2d_tunnel_init(L2dTunnel *t)
{
    inside(t)->snapshot = l2d_snapshot_new_for_state(L2D_STATE_OFF);
    inside(t)->log = g_list_store_new(L2D_TYPE_LOG_LINE);
}

GListModel *l2d_tunnel_get_log(L2dTunnel *t)
{
    return G_LIST_MODEL(inside(t)->log);
}

guint64 l2d_tunnel_get_log_end(L2dTunnel *t)
{
    return inside(t)->log_end;
}

void l2d_tunnel_ask_log(L2dTunnel *t)
{
    if (L2D_TUNNEL_GET_CLASS(t)->ask_log)
        L2D_TUNNEL_GET_CLASS(t)->ask_log(t);
}

void l2d_tunnel_add_log(L2dTunnel *t, guint64 number, guint level, const char *module,
                        const char *text)
{
    L2dTunnelPrivate *p = inside(t);
    g_autoptr(L2dLogLine) line = NULL;

    if (number <= p->log_end)
        return;
    p->log_end = number;
    line = l2d_log_line_new(number, level, module, text);
    g_list_store_append(p->log, line);
    if (g_list_model_get_n_items(G_LIST_MODEL(p->log)) > L2D_LOG_MAX)
        g_list_store_remove(p->log, 0);
}

L2dSnapshot *l2d_tunnel_get_snapshot(L2dTunnel *t)
{
    return inside(t)->snapshot;
}

L2dState l2d_tunnel_get_state(L2dTunnel *t)
{
    return l2d_snapshot_get_state(inside(t)->snapshot);
}

void l2d_tunnel_add_rate(L2dTunnel *t, L2dRate rate)
{
    L2dTunnelPrivate *p = inside(t);

    memmove(p->history, p->history + 1, sizeof(p->history) - sizeof(p->history[0]));
    p->history[L2D_HISTORY - 1] = rate;
    if (p->filled < L2D_HISTORY)
        p->filled++;
}

/* A sample a second, as far apart as the snapshots really came. What nobody has looked at is not
 * known: a gap begins the picture anew. */
static void count(L2dTunnel *t, const L2dSnapshot *s)
{
    L2dTunnelPrivate *p = inside(t);
    gint64 now = g_get_monotonic_time();
    guint64 in = l2d_snapshot_get_number(s, BYTES_IN);
    guint64 out = l2d_snapshot_get_number(s, BYTES_OUT);
    double seconds = (double)(now - p->counted_at) / G_USEC_PER_SEC;

    if (p->counted_at && seconds < 0.5 && in >= p->in && out >= p->out)
        return; /* the state has changed, the second has not ended */
    if (p->counted_at && (seconds > 10 || in < p->in || out < p->out))
        p->filled = 0;
    else if (p->counted_at)
        l2d_tunnel_add_rate(
            t, (L2dRate){(double)(in - p->in) / seconds, (double)(out - p->out) / seconds});
    p->counted_at = now;
    p->in = in;
    p->out = out;
}

void l2d_tunnel_take_snapshot(L2dTunnel *t, L2dSnapshot *s)
{
    L2dTunnelPrivate *p = inside(t);

    l2d_snapshot_unref(p->snapshot);
    p->snapshot = s;
    if (l2d_snapshot_get_state(s) == L2D_STATE_UP) {
        count(t, s);
    } else if (l2d_snapshot_get_state(s) == L2D_STATE_DIALING) {
        p->counted_at = 0;
        p->filled = 0;
    }
    g_signal_emit(t, changed_signal, 0);
}

gint64 l2d_tunnel_get_age(L2dTunnel *t)
{
    const char *since = l2d_snapshot_get(inside(t)->snapshot, "since");
    GDateTime *begin = *since ? g_date_time_new_from_iso8601(since, NULL) : NULL;
    GDateTime *now;
    gint64 age;

    if (!begin || l2d_tunnel_get_state(t) != L2D_STATE_UP) {
        g_clear_pointer(&begin, g_date_time_unref);
        return -1;
    }
    now = g_date_time_new_now_utc();
    age = g_date_time_difference(now, begin) / G_USEC_PER_SEC;
    g_date_time_unref(now);
    g_date_time_unref(begin);
    return MAX(age, 0);
}

static void set_watched(L2dTunnel *t, gboolean watched)
{
    if (L2D_TUNNEL_GET_CLASS(t)->set_watched)
        L2D_TUNNEL_GET_CLASS(t)->set_watched(t, watched);
}

void l2d_tunnel_watch(L2dTunnel *t)
{
    if (inside(t)->watchers++ == 0)
        set_watched(t, TRUE);
}

void l2d_tunnel_unwatch(L2dTunnel *t)
{
    if (--inside(t)->watchers == 0)
        set_watched(t, FALSE);
}

guint l2d_tunnel_get_history(L2dTunnel *t, L2dRate *out)
{
    memcpy(out, inside(t)->history, sizeof(inside(t)->history));
    return inside(t)->filled;
}
