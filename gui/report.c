/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"
#include "model/log_line.h"
#include "model/redaction.h"
#include "model/words.h"

#include <l2tpc.h>
#include <string.h>

/* What in the status tells who and where. */
static const struct {
    const char *path, *kind;
} identities[] = {
    {"name", "connection"},
    {"server.name", "server"},
    {"server.address", "address"},
    {"local.address", "address"},
    {"details.client_ipv4", "address"},
    {"details.server_ipv4", "address"},
    {"details.client_ipv6", "address"},
    {"details.server_ipv6", "address"},
    {"details.origin", "address"},
    {"details.destination", "address"},
    {"ike.peer_id", "identity"},
    {"ike.peer_id_before", "identity"},
    {"ike.peer_issuer", "identity"},
    {"l2tp.peer_hostname", "host"},
    {"ppp.local_ip", "address"},
    {"ppp.peer_ip", "address"},
    {"ppp.dns", "address"},
    {"secrets.psk_place", "file"},
    {"secrets.psk_readers", "account"},
    {"secrets.password_place", "file"},
    {"secrets.password_readers", "account"},
    {"secrets.key_place", "file"},
    {"secrets.key_readers", "account"},
    {"learned.fingerprint", "fingerprint"},
};

static L2dRedaction *redaction_for(L2dProfile *profile, L2dSnapshot *snapshot)
{
    L2dRedaction *r = l2d_redaction_new();

    l2d_redaction_add(r, "server", l2d_profile_get_server(profile));
    l2d_redaction_add(r, "user", l2d_profile_get_user(profile));
    l2d_redaction_add(r, "connection", l2d_profile_get_name(profile));
    l2d_redaction_add(r, "connection", l2d_profile_get_uuid(profile));
    l2d_redaction_add(r, "account", g_get_user_name());
    l2d_redaction_add(r, "host", g_get_host_name());
    for (guint i = 0; i < G_N_ELEMENTS(identities); i++) {
        const char *value = l2d_snapshot_get(snapshot, identities[i].path);

        if (*value && *value != '(') /* "(none)" */
            l2d_redaction_add(r, identities[i].kind, value);
    }
    return r;
}

static void put_log(GString *out, L2dTunnel *tunnel)
{
    GListModel *lines = l2d_tunnel_get_log(tunnel);

    for (guint i = 0; i < g_list_model_get_n_items(lines); i++) {
        g_autoptr(L2dLogLine) line = g_list_model_get_item(lines, i);
        g_autofree char *text = l2d_log_line_to_text(line);

        g_string_append_printf(out, "%s\n", text);
    }
}

char *l2d_report_new(L2dProfile *profile, const char *diagnosis)
{
    L2dTunnel *t = l2d_profile_get_tunnel(profile);
    g_autoptr(L2dSnapshot) empty = l2d_snapshot_new_for_state(L2D_STATE_OFF);
    L2dSnapshot *snapshot = t ? l2d_tunnel_get_snapshot(t) : empty;
    const L2dFailure *f = l2d_snapshot_get_failure(snapshot);
    g_autoptr(L2dRedaction) r = redaction_for(profile, snapshot);
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *status = l2d_snapshot_to_text(snapshot);

    g_string_append_printf(out, "l2tpc %s\n\n", l2tpc_version());
    if (f)
        g_string_append_printf(out, "%s (%s)\n%s\n\n", f->sentence, f->code, f->hint);
    g_string_append_printf(out, "%s\n%s\n", diagnosis, status);
    if (t)
        put_log(out, t);
    return l2d_redaction_apply(r, out->str);
}
