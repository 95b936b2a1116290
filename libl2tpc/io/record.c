/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define RECORD_ITSELF
#include "io/record.h"

#include "io/record_line.h"

#if L2TPC_TEST_HOOKS

#define US(now) ((unsigned long long)(now))

static struct span address_bytes(const struct inaddr *a)
{
    return span_of(a->bytes, inaddr_len(a));
}

static const char *code_of(const struct failure *failure)
{
    return failure ? failure_code(failure->id) : "-";
}

/* ---- birth ---- */

struct dial *record_new(const struct dial_config *config)
{
    const struct policy *p = &config->policy;

#define RECORD_NUMBER(field)                                                                       \
    record_line(SPAN_NONE, "number " #field " %llu", (unsigned long long)config->field);
#define RECORD_TEXT(field) record_line(span_str(config->field), "text " #field);
#include "io/record.def"
    for (unsigned i = 0; i < p->n_ike; i++)
        record_line(SPAN_NONE, "ike %d %u %d %d", (int)p->ike[i].cipher, p->ike[i].key_bits,
                    (int)p->ike[i].hash, (int)p->ike[i].group);
    for (unsigned i = 0; i < p->n_esp; i++)
        record_line(SPAN_NONE, "esp %d %u %d %d", (int)p->esp[i].cipher, p->esp[i].key_bits,
                    (int)p->esp[i].integ, p->esp[i].truncate_96);
    if (config->has_tunnel_secret)
        record_line(secret_span(&config->tunnel_secret), "tunnel-secret");
    record_line(SPAN_NONE, "new");
    return dial_new(config);
}

void record_set_credential(struct dial *d, const struct ike_credential *credential)
{
    for (unsigned i = 0; i < credential->chain->n; i++)
        record_line(cert_list_get(credential->chain, i), "chain");
    for (unsigned i = 0; credential->cas && i < credential->cas->n; i++)
        record_line(cert_list_get(credential->cas, i), "ca");
    record_line(credential->id, "credential %d %u", (int)credential->auth, credential->id_type);
    dial_set_credential(d, credential);
}

void record_start(struct dial *d, l2tpc_us now)
{
    record_line(SPAN_NONE, "start %llu", US(now));
    dial_start(d, now);
}

/* ---- answers ---- */

void record_set_outer_mtu(struct dial *d, unsigned mtu)
{
    record_line(SPAN_NONE, "mtu %u", mtu);
    dial_set_outer_mtu(d, mtu);
}

void record_set_natt_port(struct dial *d, uint16_t port)
{
    record_line(SPAN_NONE, "natt-port %u", port);
    dial_set_natt_port(d, port);
}

void record_answer_resolve(struct dial *d, uint32_t need, const struct inaddr *addresses,
                           unsigned n, const struct failure *failure, l2tpc_us now)
{
    for (unsigned i = 0; i < n; i++)
        record_line(address_bytes(&addresses[i]), "address");
    record_line(SPAN_NONE, "resolved %llu %u %s", US(now), need, code_of(failure));
    dial_answer_resolve(d, need, addresses, n, failure, now);
}

void record_answer_sockets(struct dial *d, uint32_t need, const struct endpoint *local,
                           uint16_t local_natt_port, const struct failure *failure, l2tpc_us now)
{
    record_line(address_bytes(&local->addr), "sockets %llu %u %s %u %u", US(now), need,
                code_of(failure), local->port, local_natt_port);
    dial_answer_sockets(d, need, local, local_natt_port, failure, now);
}

void record_answer_secret(struct dial *d, uint32_t need, const struct span *secret, l2tpc_us now)
{
    record_line(secret ? *secret : SPAN_NONE, "secret %llu %u %d", US(now), need, secret != NULL);
    dial_answer_secret(d, need, secret, now);
}

void record_answer_sign(struct dial *d, uint32_t need, const struct span *signature, l2tpc_us now)
{
    record_line(signature ? *signature : SPAN_NONE, "sign %llu %u %d", US(now), need,
                signature != NULL);
    dial_answer_sign(d, need, signature, now);
}

void record_answer_done(struct dial *d, uint32_t need, const struct failure *failure, l2tpc_us now)
{
    record_line(SPAN_NONE, "done %llu %u %s", US(now), need, code_of(failure));
    dial_answer_done(d, need, failure, now);
}

/* ---- the network and time ---- */

enum verdict record_input(struct dial *d, enum dial_path path, const struct endpoint *from,
                          struct mspan datagram, l2tpc_us now)
{
    record_line(address_bytes(&from->addr), "from %u", from->port);
    record_line(span_ro(datagram), "in %llu %d", US(now), (int)path);
    return dial_input(d, path, from, datagram, now);
}

enum verdict record_input_inner(struct dial *d, enum data_kind kind, struct span inner,
                                l2tpc_us now)
{
    record_line(inner, "inner %llu %d", US(now), (int)kind);
    return dial_input_inner(d, kind, inner, now);
}

void record_note_esp_in(struct dial *d, const struct endpoint *from, l2tpc_us now)
{
    record_line(address_bytes(&from->addr), "from %u", from->port);
    record_line(SPAN_NONE, "esp-in %llu", US(now));
    dial_note_esp_in(d, from, now);
}

void record_note_esp_out(struct dial *d, l2tpc_us now)
{
    record_line(SPAN_NONE, "esp-out %llu", US(now));
    dial_note_esp_out(d, now);
}

void record_note_unreachable(struct dial *d, int os_error, l2tpc_us now)
{
    record_line(SPAN_NONE, "unreachable %llu %d", US(now), os_error);
    dial_note_unreachable(d, os_error, now);
}

void record_timer(struct dial *d, l2tpc_us now)
{
    record_line(SPAN_NONE, "timer %llu", US(now));
    dial_timer(d, now);
}

void record_close(struct dial *d, l2tpc_us now)
{
    record_line(SPAN_NONE, "close %llu", US(now));
    dial_close(d, now);
}

void record_fail(struct dial *d, const struct failure *failure, l2tpc_us now)
{
    record_line(SPAN_NONE, "fail %llu %s", US(now), code_of(failure));
    dial_fail(d, failure, now);
}

/* ---- what comes out ---- */

bool record_pop_out(struct dial *d, enum dial_path *path, struct endpoint *to, struct msg *out)
{
    if (!dial_pop_out(d, path, to, out))
        return false;
    record_line(address_bytes(&to->addr), "to %u", to->port);
    record_line(span_of(out->bytes, out->n), "out %d", (int)*path);
    return true;
}

bool record_pop_event(struct dial *d, struct dial_event *out)
{
    if (!dial_pop_event(d, out))
        return false;
    record_line(span_of(out->digest, out->n_digest), "event %d %s %u %s", (int)out->type,
                stage_name(out->stage), out->need_id,
                out->type == DIAL_EVENT_FAILED ? failure_code(out->failure.id) : "-");
    return true;
}

#endif
