/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/scan.h"

#include "api/sized.h"
#include "io/notify.h"

#include <stdlib.h>
#include <string.h>

#define N_(s) s

/* ---- what it means ---- */

/* By the strictest policy that connects; the last one: none does. */
static const char *const policies[] = {"strong", "compatible", "legacy", ""};
static const char *const sentences[] = {
    N_("Every policy connects to this server, --policy strong included."),
    N_("--policy compatible, which is the default, connects to this server."),
    N_("Only --policy legacy connects to this server."),
    N_("No policy offers what this server accepts; the list for --ike does."),
};

/* By the best that the server accepts: what its administrator should hear. */
static const char *const hints[] = {
    [SCAN_STRONG] = "",
    [SCAN_COMPATIBLE] =
        N_("Ask the server's administrator to allow AES-256, SHA2-256 and Diffie-Hellman group 14 "
           "or better: what it accepts is out of date."),
    [SCAN_LEGACY] =
        N_("Ask the server's administrator to allow AES-256, SHA2-256 and Diffie-Hellman group 14 "
           "or better: groups of 1024 bits can be broken by those who have the means."),
    [SCAN_BROKEN] =
        N_("Ask the server's administrator to allow AES-256, SHA2-256 and Diffie-Hellman group 14 "
           "or better: DES, MD5 and groups of 768 bits protect nothing any more."),
};
static const char stronger[] =
    N_("The list for --ike is stronger than what that policy would agree on.");

static void fill_meaning(l2tpc_scan *s, l2tpc_scan_state *out)
{
    const struct scan_list *l = scan_items(scanner_scan(s->scanner));
    const char *policy = scan_policy(l);
    enum scan_strength best;
    unsigned which = 0;

    out->policy = policy ? policy : "";
    out->ike = s->ike;
    out->sentence = out->hint = "";
    if (!scan_offer(l, s->ike, sizeof(s->ike), &best))
        return;
    while (strcmp(policies[which], out->policy) != 0)
        which++;
    out->sentence = sentences[which];
    out->hint = which < SCAN_BROKEN && (unsigned)best < which ? stronger : hints[best];
}

static const char *end_text(const l2tpc_scan *s, enum scan_end end)
{
    static const char *const names[] = {
        [SCAN_RUNNING] = "running",    [SCAN_COMPLETE] = "complete",  [SCAN_LIMIT] = "limit",
        [SCAN_TIME_IS_UP] = "timeout", [SCAN_FELL_SILENT] = "silent", [SCAN_FAILED] = "failed",
        [SCAN_STOPPED] = "stopped",
    };

    if (!s->over) /* another address may be next */
        return names[SCAN_RUNNING];
    return names[end == SCAN_RUNNING ? SCAN_FAILED : end];
}

/* By the table of servers, from what it says before any key. */
static const char *maker_of(const l2tpc_scan *s, const struct scan_facts *f)
{
    struct ike_facts said = {.cky_r = {1}, .n_vendor_ids = f->n_vendor_ids};
    struct server_verdict v;

    if (f->accepted == 0)
        return "";
    memcpy(said.vendor_bytes, f->vendor_bytes, sizeof(said.vendor_bytes));
    v = servers_judge(s->context->servers, &said, NULL);
    return v.ike ? v.ike->name : "";
}

void scan_fill_state(l2tpc_scan *s, l2tpc_scan_state *out)
{
    const struct scan *scan = scanner_scan(s->scanner);
    const struct scan_facts *f = scan_facts(scan);
    const struct endpoint *remote = scanner_remote(s->scanner);

    if (remote->addr.family != 0)
        (void)inaddr_text(&remote->addr, s->address);
    *out = (l2tpc_scan_state){
        .size = sizeof(*out),
        .end = end_text(s, f->end),
        .resting = f->resting,
        .suites = scan_items(scan)->n,
        .asked = f->asked,
        .accepted = f->accepted,
        .messages = f->sent,
        .answers = f->answers,
        .one_by_one = f->one_by_one,
        .address = s->address,
        .maker = maker_of(s, f),
        .nat_traversal = f->natt,
        .dead_peer_detection = f->dpd,
        .fragmentation = f->fragments,
    };
    fill_meaning(s, out);
}

void scan_fill_suite(const l2tpc_scan *s, unsigned index, l2tpc_scan_suite *out)
{
    static const char *const strengths[] = {
        [SCAN_STRONG] = "strong",
        [SCAN_COMPATIBLE] = "compatible",
        [SCAN_LEGACY] = "legacy",
        [SCAN_BROKEN] = "broken",
    };
    static const int answers[] = {
        [SCAN_NOT_ASKED] = L2TPC_SCAN_NOT_ASKED,
        [SCAN_ACCEPTED] = L2TPC_SCAN_ACCEPTED,
        [SCAN_REFUSED] = L2TPC_SCAN_REFUSED,
        [SCAN_UNANSWERED] = L2TPC_SCAN_UNANSWERED,
    };
    const struct scan_item *item = &scan_items(scanner_scan(s->scanner))->item[index];

    *out = (l2tpc_scan_suite){
        .size = sizeof(*out),
        .suite = s->suite[index],
        .auth = item->auth == IKE_AUTH_RSA         ? "rsa"
                : item->auth == IKE_AUTH_ECDSA_256 ? "ecdsa-256"
                : item->auth == IKE_AUTH_ECDSA_384 ? "ecdsa-384"
                : item->auth == IKE_AUTH_ECDSA_521 ? "ecdsa-521"
                                                   : "psk",
        .strength = strengths[scan_strength(&item->suite)],
        .answer = answers[item->state],
        .lifetime = item->lifetime_s,
    };
}

/* ---- life ---- */
static void on_changed(void *user, const struct failure *over)
{
    l2tpc_scan *s = user;

    if (over) {
        s->over = true;
        s->error.failure = *over;
    }
    notify_set(s->event_fd);
}

static int open_socket(void *user, enum dial_path path, uint8_t family, uint16_t port)
{
    l2tpc_scan *s = user;
    const l2tpc_host_ops *ops = &s->context->ops;
    l2tpc_answer answer = {.size = sizeof(answer), .fd = -1};
    l2tpc_need need = {.size = sizeof(need),
                       .type = L2TPC_NEED_UDP_SOCKET,
                       .session_name = "scan",
                       .family = family,
                       .port = port};

    (void)path;
    return ops->serve && ops->serve(ops->user, &need, &answer) && answer.status == 0 ? answer.fd
                                                                                     : -1;
}

static bool read_options(const l2tpc_scan_options *options, struct scan_config *out)
{
    static const struct {
        const char *name;
        unsigned auths;
    } rows[] = {
        {"psk", SCAN_AUTH_PSK},
        {"rsa", SCAN_AUTH_RSA},
        {"ecdsa", SCAN_AUTH_ECDSA},
        {"all", SCAN_AUTH_PSK | SCAN_AUTH_RSA | SCAN_AUTH_ECDSA},
    };
    static const enum scan_depth depths[] = {
        [L2TPC_SCAN_USUAL] = SCAN_USUAL,
        [L2TPC_SCAN_QUICK] = SCAN_QUICK,
        [L2TPC_SCAN_ALL] = SCAN_ALL,
    };
    l2tpc_scan_options o = {0};

    if (options && !sized_read(&o, sizeof(o), options))
        return false;
    if (o.depth >= ARRAY_LEN(depths) || o.timeout > SCAN_TIME_MAX_S)
        return false;
    out->depth = depths[o.depth];
    out->timeout = US_S(o.timeout);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(o.auth ? o.auth : "psk", rows[i].name) == 0) {
            out->auths = rows[i].auths;
            return true;
        }
    }
    return false;
}

/* The server's name is judged as that of a dial. */
static int read_server(l2tpc_scan *s, const char *server)
{
    l2tpc_config *c;
    int result = l2tpc_config_new(&c);

    if (result != L2TPC_OK)
        return result;
    result = l2tpc_config_set_server(c, server);
    memcpy(s->error.server, c->server, sizeof(s->error.server));
    s->port = c->port;
    l2tpc_config_free(c);
    return result;
}

int l2tpc_scan_new(l2tpc_scan **out, l2tpc_context *context, const char *server,
                   const l2tpc_scan_options *options)
{
    struct scanner_hooks hooks = {.changed = on_changed, .open_socket = open_socket};
    struct scan_config config = {0};
    l2tpc_scan *s;
    int result;

    if (!out || !context || !server || !read_options(options, &config))
        return L2TPC_EINVAL;
    s = calloc(1, sizeof(*s));
    if (!s)
        return L2TPC_ENOMEM;
    result = read_server(s, server);
    if (result != L2TPC_OK) {
        free(s);
        return result;
    }
    s->context = context;
    s->depth = config.depth;
    s->event_fd = notify_open();
    config.env = &context->env;
    hooks.user = s;
    pthread_mutex_lock(&context->lock);
    if (s->event_fd >= 0)
        s->scanner = scanner_new(context->loop, context->hub, &context->ports, s->error.server,
                                 s->port, &config, &hooks);
    if (s->scanner)
        context->holders++;
    pthread_mutex_unlock(&context->lock);
    if (!s->scanner) {
        notify_close(s->event_fd);
        free(s);
        return L2TPC_ENOMEM;
    }
    for (unsigned i = 0; i < scan_items(scanner_scan(s->scanner))->n; i++)
        (void)scan_suite_text(&scan_items(scanner_scan(s->scanner))->item[i].suite, s->suite[i]);
    *out = s;
    return L2TPC_OK;
}

void l2tpc_scan_free(l2tpc_scan *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->context->lock);
    scanner_free(s->scanner);
    pthread_mutex_unlock(&s->context->lock);
    context_drop(s->context);
    notify_close(s->event_fd);
    free(s->json);
    free(s);
}

int l2tpc_scan_start(l2tpc_scan *s)
{
    int result = L2TPC_EBUSY;

    if (!s)
        return L2TPC_EINVAL;
    pthread_mutex_lock(&s->context->lock);
    if (!s->started) {
        s->started = true;
        result = L2TPC_OK;
        scanner_start(s->scanner);
    }
    pthread_mutex_unlock(&s->context->lock);
    return result;
}

void l2tpc_scan_stop(l2tpc_scan *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->context->lock);
    if (s->started && !s->over)
        scanner_stop(s->scanner);
    pthread_mutex_unlock(&s->context->lock);
}

int l2tpc_scan_get_fd(const l2tpc_scan *s)
{
    return s ? s->event_fd : -1;
}

/* ---- what it knows ---- */
int l2tpc_scan_get_state(l2tpc_scan *s, l2tpc_scan_state *out)
{
    l2tpc_scan_state state;

    if (!s || !sized_ok(out))
        return L2TPC_EINVAL;
    pthread_mutex_lock(&s->context->lock);
    notify_clear(s->event_fd);
    scan_fill_state(s, &state);
    pthread_mutex_unlock(&s->context->lock);
    sized_write(out, &state, sizeof(state));
    return L2TPC_OK;
}

int l2tpc_scan_suite_at(l2tpc_scan *s, unsigned index, l2tpc_scan_suite *out)
{
    l2tpc_scan_suite suite = {0};

    if (!s || !sized_ok(out))
        return L2TPC_EINVAL;
    pthread_mutex_lock(&s->context->lock);
    if (index < scan_items(scanner_scan(s->scanner))->n)
        scan_fill_suite(s, index, &suite);
    pthread_mutex_unlock(&s->context->lock);
    if (suite.size == 0)
        return L2TPC_ENOTFOUND;
    sized_write(out, &suite, sizeof(suite));
    return L2TPC_OK;
}

const char *l2tpc_scan_vendor_id_at(l2tpc_scan *s, unsigned index)
{
    const char *text = NULL;

    if (!s)
        return NULL;
    pthread_mutex_lock(&s->context->lock);
    if (index < scan_facts(scanner_scan(s->scanner))->n_vendor_ids)
        text = scan_facts(scanner_scan(s->scanner))->vendor_ids[index];
    pthread_mutex_unlock(&s->context->lock);
    return text;
}

const l2tpc_error *l2tpc_scan_get_error(l2tpc_scan *s)
{
    const l2tpc_error *error = NULL;

    if (!s)
        return NULL;
    pthread_mutex_lock(&s->context->lock);
    if (s->over && s->error.failure.id != FAILURE_NONE)
        error = &s->error;
    pthread_mutex_unlock(&s->context->lock);
    return error;
}

const char *l2tpc_scan_to_json(l2tpc_scan *s)
{
    char *json;

    if (!s)
        return NULL;
    pthread_mutex_lock(&s->context->lock);
    json = scan_json(s);
    pthread_mutex_unlock(&s->context->lock);
    free(s->json);
    s->json = json;
    return json;
}
