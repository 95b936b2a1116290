/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/remote_wire.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX LEARNED_TEXT_MAX /* the longest text of any status field or event */
#define REAL_MAX 1e12

/* ---- orders ---- */

bool remote_order_write(const struct remote_order *o, uint8_t *bytes, size_t cap, struct span *out)
{
    struct wr w = wr_of(bytes, cap);

    wr_u32(&w, o->type);
    if (o->type == REMOTE_START) {
        put_secret(&w, o->has_psk ? &o->psk : NULL);
        put_secret(&w, o->has_password ? &o->password : NULL);
    } else if (o->type == REMOTE_ANSWER) {
        wr_u32(&w, o->need);
        put_secret(&w, o->has_secret ? &o->secret : NULL);
    } else if (o->type == REMOTE_STATUS) {
        wr_u32(&w, o->number);
    }
    return wr_finish(&w, out);
}

bool remote_order_read(struct span message, struct remote_order *out)
{
    struct rd r = rd_of(message);
    bool ok;

    memset(out, 0, sizeof(*out));
    if (!rd_u32(&r, &out->type))
        return false;
    switch (out->type) {
    case REMOTE_START:
        ok = get_secret(&r, &out->has_psk, &out->psk) &&
             get_secret(&r, &out->has_password, &out->password);
        break;
    case REMOTE_ANSWER:
        ok = rd_u32(&r, &out->need) && get_secret(&r, &out->has_secret, &out->secret);
        break;
    case REMOTE_STATUS:
        ok = rd_u32(&r, &out->number);
        break;
    case REMOTE_STOP:
    case REMOTE_NETWORK_CHANGED:
    case REMOTE_CHECK_HOST:
    case REMOTE_REKEY:
        ok = true;
        break;
    default:
        return false;
    }
    return ok && rd_end(&r);
}

/* ---- values ---- */

bool remote_report_type(struct span message, uint32_t *type, struct rd *rest)
{
    *rest = rd_of(message);
    return rd_u32(rest, type);
}

bool remote_log_write(uint32_t level, const char *module, const char *text, uint8_t *bytes,
                      size_t cap, struct span *out)
{
    struct wr w = wr_of(bytes, cap);

    wr_u32(&w, REMOTE_LOG);
    wr_u32(&w, level);
    put_text(&w, module);
    put_text(&w, text);
    return wr_finish(&w, out);
}

bool remote_log_read(struct rd r, struct remote_line *out)
{
    return get_below(&r, LOG_LEVEL_DEBUG + 1, &out->level) &&
           get_text(&r, out->module, sizeof(out->module), false) &&
           get_text(&r, out->text, sizeof(out->text), false) && rd_end(&r);
}

/* Thousandths: what people and JSON are shown has no more digits. */
static void put_real(struct wr *w, double v)
{
    wr_u64(w, v > 0 && v < REAL_MAX ? (uint64_t)llround(v * 1000) : 0);
}

static bool get_real(struct rd *r, double *out)
{
    uint64_t v;

    if (!rd_u64(r, &v) || (double)v > REAL_MAX * 1000)
        return false;
    *out = (double)v / 1000;
    return true;
}

static void put_address(struct wr *w, const l2tpc_address *a)
{
    struct inaddr in = {.family = a->family};

    memcpy(in.bytes, a->bytes, sizeof(in.bytes));
    put_addr(w, &in);
}

static bool get_address(struct rd *r, l2tpc_address *out)
{
    struct inaddr in;

    if (!get_addr(r, &in))
        return false;
    *out = address_of(&in);
    return true;
}

/* Heap, at most TEXT_MAX with its end. */
static bool get_heap_text(struct rd *r, bool lines, char **out)
{
    char *text = malloc(TEXT_MAX);
    bool ok = text && get_text(r, text, TEXT_MAX, lines);

    if (ok)
        *out = strdup(text);
    free(text);
    return ok && *out;
}

/* ---- events ---- */

static void put_need(struct wr *w, const l2tpc_need *n)
{
    wr_u32(w, n->type);
    wr_u32(w, n->id);
    put_text(w, n->interface_name);
    put_address(w, &n->local);
    put_address(w, &n->peer);
    put_address(w, &n->dns[0]);
    put_address(w, &n->dns[1]);
    put_address(w, &n->server);
    wr_u16(w, n->mtu);
    wr_u32(w, n->n_routes);
    for (uint32_t i = 0; i < n->n_routes; i++) {
        put_address(w, &n->routes[i].destination);
        wr_u8(w, n->routes[i].prefix_len);
        wr_u8(w, n->routes[i].origin);
    }
    wr_u32(w, n->n_domains);
    for (uint32_t i = 0; i < n->n_domains; i++)
        put_text(w, n->domains[i]);
}

static bool get_routes(struct rd *r, l2tpc_need *n)
{
    uint32_t count = 0;

    if (!get_below(r, L2TPC_ROUTES_MAX + 1, &count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        l2tpc_route *route = &n->routes[i];

        if (!get_address(r, &route->destination) || route->destination.family != 4 ||
            !rd_u8(r, &route->prefix_len) || route->prefix_len < DHCPINFORM_PREFIX_MIN ||
            route->prefix_len > 32 || !rd_u8(r, &route->origin) ||
            (route->origin != L2TPC_ROUTE_SERVER && route->origin != L2TPC_ROUTE_GUESSED))
            return false;
    }
    n->n_routes = count;
    if (!get_below(r, L2TPC_DOMAINS_MAX + 1, &count))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!get_text(r, n->domains[i], sizeof(n->domains[i]), false))
            return false;
    n->n_domains = count;
    return true;
}

static bool get_need(struct rd *r, l2tpc_event_type type, l2tpc_need *n)
{
    n->size = sizeof(*n);
    if (!rd_u32(r, &n->type) || !rd_u32(r, &n->id) ||
        !get_text(r, n->interface_name, sizeof(n->interface_name), false) ||
        !get_address(r, &n->local) || !get_address(r, &n->peer) || !get_address(r, &n->dns[0]) ||
        !get_address(r, &n->dns[1]) || !get_address(r, &n->server) || !rd_u16(r, &n->mtu) ||
        !get_routes(r, n))
        return false;
    return type == L2TPC_EVENT_NEED
               ? n->type == L2TPC_NEED_PSK || n->type == L2TPC_NEED_PASSWORD
               : type == L2TPC_EVENT_IP_CONFIG && n->type == L2TPC_NEED_APPLY_IP;
}

bool remote_event_write(const l2tpc_event *e, uint8_t *bytes, size_t cap, struct span *out)
{
    struct wr w = wr_of(bytes, cap);

    wr_u32(&w, REMOTE_EVENT);
    wr_u32(&w, e->type);
    wr_u32(&w, (uint32_t)e->stage);
    put_real(&w, e->stage_ms);
    wr_u32(&w, e->wait_ms);
    wr_u8(&w, e->has_need);
    if (e->has_need)
        put_need(&w, &e->need);
    wr_u8(&w, e->has_error);
    if (e->has_error)
        put_failure(&w, &e->error.failure);
    wr_u8(&w, e->text != NULL);
    if (e->text)
        put_text(&w, e->text);
    return wr_finish(&w, out);
}

/* Only what its reader understands is kept, in the words of its writer. */
static bool learned_anew(l2tpc_event *e)
{
    char text[LEARNED_TEXT_MAX];
    struct learned l;

    if (!e->text || !learned_parse(span_str(e->text), &l) ||
        learned_text(&l, text, sizeof(text)) == 0)
        return false;
    free(e->text);
    e->text = strdup(text);
    return e->text != NULL;
}

static bool has_what_it_needs(l2tpc_event *e)
{
    switch (e->type) {
    case L2TPC_EVENT_NEED:
    case L2TPC_EVENT_IP_CONFIG:
        return e->has_need;
    case L2TPC_EVENT_FAILED:
    case L2TPC_EVENT_WARNING:
    case L2TPC_EVENT_RECONNECTING:
        return e->has_error && e->error.failure.id != FAILURE_NONE;
    case L2TPC_EVENT_LEARNED:
        return learned_anew(e);
    case L2TPC_EVENT_RUNG:
        return e->text != NULL;
    default:
        return !e->has_need;
    }
}

bool remote_event_read(struct rd r, l2tpc_event *e)
{
    uint32_t type = 0;
    uint32_t stage = 0;
    bool has_text = false;

    if (!get_below(&r, L2TPC_EVENT_RECONNECTING + 1, &type) || type == 0 ||
        !get_below(&r, STAGE_COUNT, &stage) || !get_real(&r, &e->stage_ms) ||
        !rd_u32(&r, &e->wait_ms) || !get_bool(&r, &e->has_need))
        return false;
    e->type = (l2tpc_event_type)type;
    e->stage = (enum stage)stage;
    if ((e->has_need && !get_need(&r, e->type, &e->need)) || !get_bool(&r, &e->has_error) ||
        (e->has_error && !get_failure(&r, &e->error.failure)) || !get_bool(&r, &has_text) ||
        (has_text && !get_heap_text(&r, e->type == L2TPC_EVENT_LEARNED, &e->text)))
        return false;
    return rd_end(&r) && has_what_it_needs(e);
}

/* ---- the status ---- */

static void put_value(struct wr *w, const struct status_value *v)
{
    wr_u8(w, v->known);
    if (!v->known)
        return;
    wr_u64(w, v->number);
    put_real(w, v->real);
    put_text(w, v->text);
}

static uint32_t state_index(const char *state)
{
    uint32_t i = 0;

    while (i < STATUS_STATES - 1 && strcmp(status_states[i], state) != 0)
        i++;
    return i;
}

bool remote_status_write(const l2tpc_status *st, uint32_t number, uint8_t *bytes, size_t cap,
                         struct span *out)
{
    struct wr w = wr_of(bytes, cap);

    wr_u32(&w, REMOTE_STATUS_IS);
    wr_u32(&w, number);
    wr_u32(&w, state_index(st->state));
    wr_u64(&w, st->claims.out);
    wr_u64(&w, st->claims.joined_out);
    wr_u64(&w, st->claims.in);
    wr_u64(&w, st->claims.joined_in);
    for (unsigned i = proof_kernel_items(); i < proof_items(); i++) {
        wr_u8(&w, i < st->n_evidence && st->evidence[i].ok);
        put_text(&w, i < st->n_evidence ? st->evidence[i].value : "");
    }
    wr_u32(&w, st->n_stages);
    for (unsigned i = 0; i < st->n_stages; i++) {
        wr_u32(&w, (uint32_t)st->stages[i].stage);
        put_real(&w, st->stages[i].ms);
    }
    for (unsigned i = 0; i < STATUS_COUNT; i++)
        put_value(&w, &st->value[i]);
    put_text(&w, st->interface_name);
    put_text(&w, st->since);
    put_real(&w, st->rtt_ms);
    put_failure(&w, &st->error.failure);
    return wr_finish(&w, out);
}

/* Where secrets lie and how good the key is, is known where they were read; the kernel's counts are
 * the broker's to tell. */
static bool is_fronts(unsigned id)
{
    return strcmp(status_fields[id].group, "kernel") == 0 ||
           strcmp(status_fields[id].group, "secrets") == 0 || id == STATUS_ike_psk_bits ||
           id == STATUS_ike_psk_strength;
}

static bool get_value(struct rd *r, unsigned id, struct status_value *out)
{
    struct status_value v = {0};

    if (!get_bool(r, &v.known) ||
        (v.known && (!rd_u64(r, &v.number) || !get_real(r, &v.real) ||
                     !get_heap_text(r, status_fields[id].kind == STATUS_LIST, &v.text))))
        return false;
    if (is_fronts(id))
        free(v.text);
    else
        *out = v;
    return true;
}

static bool get_evidence(struct rd *r, l2tpc_status *st)
{
    if (!rd_u64(r, &st->claims.out) || !rd_u64(r, &st->claims.joined_out) ||
        !rd_u64(r, &st->claims.in) || !rd_u64(r, &st->claims.joined_in))
        return false;
    for (unsigned i = proof_kernel_items(); i < proof_items(); i++)
        if (!get_bool(r, &st->evidence[i].ok) ||
            !get_text(r, st->evidence[i].value, sizeof(st->evidence[i].value), false))
            return false;
    return true;
}

static bool get_stages(struct rd *r, l2tpc_status *st)
{
    uint32_t n = 0;
    uint32_t stage = 0;

    if (!get_below(r, STAGE_COUNT + 1, &n))
        return false;
    for (unsigned i = 0; i < n; i++) {
        if (!get_below(r, STAGE_COUNT, &stage) || !get_real(r, &st->stages[i].ms))
            return false;
        st->stages[i].stage = (enum stage)stage;
    }
    st->n_stages = n;
    return true;
}

/* The words of the proof are ours, and so is the verdict: nothing, until the kernel was asked. */
static void put_words(l2tpc_status *st)
{
    const char *auth = st->value[STATUS_ike_auth].text;
    bool certificate = auth && strcmp(auth, "psk") != 0;

    st->n_evidence = proof_items();
    for (unsigned i = 0; i < st->n_evidence; i++)
        proof_words(i, certificate, &st->evidence[i]);
}

bool remote_status_read(struct rd r, uint32_t *number, l2tpc_status *st)
{
    uint32_t state = 0;

    if (!rd_u32(&r, number) || !get_below(&r, STATUS_STATES, &state) || !get_evidence(&r, st) ||
        !get_stages(&r, st))
        return false;
    for (unsigned i = 0; i < STATUS_COUNT; i++)
        if (!get_value(&r, i, &st->value[i]))
            return false;
    if (!get_text(&r, st->interface_name, sizeof(st->interface_name), false) ||
        !get_text(&r, st->since, sizeof(st->since), false) || !get_real(&r, &st->rtt_ms) ||
        !get_failure(&r, &st->error.failure) || !rd_end(&r))
        return false;
    st->state = status_states[state];
    st->failed = strcmp(st->state, "failed") == 0;
    put_words(st);
    return true;
}

/* An observer that looks at somebody else proves nothing. */
static bool is_of_server(const l2tpc_status *st, const struct kernel_counts *k)
{
    const struct status_value *v = &st->value[STATUS_server_address];
    struct inaddr shown;

    return v->known && inaddr_parse(&shown, v->text) && inaddr_eq(&shown, &k->server);
}

void remote_status_judge(l2tpc_status *st, const struct kernel_counts *before,
                         const struct kernel_counts *after)
{
    bool apart = after->known && !is_of_server(st, after);
    unsigned n = proof_judge_kernel(&st->claims, before, after, st->evidence);

    for (unsigned i = 0; i < n && apart; i++)
        st->evidence[i].ok = false;
    status_fill_kernel(st, after);
    st->is_l2tp_in_ipsec = st->n_evidence == proof_items();
    for (unsigned i = 0; i < st->n_evidence; i++)
        st->is_l2tp_in_ipsec = st->is_l2tp_in_ipsec && st->evidence[i].ok;
}
