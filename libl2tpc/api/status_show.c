/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Snapshots for other formats, and for people who are not to know whose tunnel it is. */
#include "api/sized.h"
#include "api/status.h"

#include <stdlib.h>
#include <string.h>

int l2tpc_status_value_at(const l2tpc_status *st, unsigned index, l2tpc_status_value *out)
{
    const struct status_value *v;
    l2tpc_status_value value = {.size = sizeof(value)};

    if (!st || !sized_ok(out))
        return L2TPC_EINVAL;
    if (index >= STATUS_COUNT)
        return L2TPC_ENOTFOUND;
    v = &st->value[index];
    value.path = status_fields[index].path;
    value.kind = status_kinds[status_fields[index].kind];
    value.known = v->known;
    value.text = v->known && v->text ? v->text : "";
    value.number = v->known ? v->number : 0;
    value.real = v->known ? v->real : 0;
    sized_write(out, &value, sizeof(value));
    return L2TPC_OK;
}

const l2tpc_error *l2tpc_status_get_error(const l2tpc_status *st)
{
    return st && st->failed ? &st->error : NULL;
}

double l2tpc_status_get_rtt_ms(const l2tpc_status *st)
{
    return st ? st->rtt_ms : 0;
}

static bool is_public(unsigned id)
{
    static const bool listed[STATUS_COUNT] = {
#define PUBLIC(group, key) [STATUS_##group##_##key] = true,
#include "api/status_public.def"
#undef PUBLIC
    };

    return listed[id];
}

void l2tpc_status_hide_identity(l2tpc_status *st)
{
    static const enum status_detail_id addresses[] = {
        STATUS_DETAIL_client_ipv4, STATUS_DETAIL_server_ipv4, STATUS_DETAIL_client_ipv6,
        STATUS_DETAIL_server_ipv6, STATUS_DETAIL_origin,      STATUS_DETAIL_destination};

    if (!st)
        return;
    for (unsigned i = 0; i < STATUS_COUNT; i++) {
        if (is_public(i))
            continue;
        free(st->value[i].text);
        st->value[i] = (struct status_value){0};
    }
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++)
        memset(st->detail[addresses[i]], 0, sizeof(st->detail[0]));
    /* The peer's items name its identity and the numbers of its tunnel. */
    for (unsigned i = 0; i < st->n_evidence; i++)
        if (strcmp(st->evidence[i].observer, "peer") == 0)
            memset(st->evidence[i].value, 0, sizeof(st->evidence[i].value));
    memset(st->name, 0, sizeof(st->name));
    /* The words of a failure may hold names and what the server has said. */
    memset(st->error.server, 0, sizeof(st->error.server));
    memset(st->error.failure.peer_text, 0, sizeof(st->error.failure.peer_text));
    memset(st->error.failure.value, 0, sizeof(st->error.failure.value));
    memset(st->error.failure.expected, 0, sizeof(st->error.failure.expected));
    free(st->json);
    st->json = NULL;
}
