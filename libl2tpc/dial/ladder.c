/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dial/ladder.h"

#include <string.h>

const char *rung_name(enum rung r)
{
    static const char *const names[RUNG_COUNT] = {
        [RUNG_WHOLE] = "whole-list",
        [RUNG_LEARNED] = "learned",
        [RUNG_ONE_IKE] = "one-ike-suite",
        [RUNG_RAW_ESP] = "raw-esp",
        [RUNG_UDP] = "udp",
        [RUNG_PORT] = "port-1701",
        [RUNG_ONE_ESP] = "one-esp-suite",
    };

    return (unsigned)r < RUNG_COUNT ? names[r] : "?";
}

/* ---- the order of single suites ---- */
/* What office servers take, the most likely first; of equals the stronger one. */
static const struct ike_suite likely_ike[] = {
    {CIPHER_AES_CBC, 256, HASH_SHA1, DH_MODP2048}, {CIPHER_AES_CBC, 256, HASH_SHA256, DH_MODP2048},
    {CIPHER_AES_CBC, 128, HASH_SHA1, DH_MODP2048}, {CIPHER_3DES_CBC, 0, HASH_SHA1, DH_MODP1024},
    {CIPHER_AES_CBC, 256, HASH_SHA1, DH_MODP1024}, {CIPHER_AES_CBC, 128, HASH_SHA1, DH_MODP1024},
    {CIPHER_3DES_CBC, 0, HASH_SHA1, DH_MODP2048},  {CIPHER_AES_CBC, 256, HASH_SHA1, DH_ECP384},
};

static const struct esp_suite likely_esp[] = {
    {CIPHER_AES_CBC, 256, HASH_SHA1, false},   {CIPHER_AES_CBC, 128, HASH_SHA1, false},
    {CIPHER_AES_CBC, 256, HASH_SHA256, false}, {CIPHER_3DES_CBC, 0, HASH_SHA1, false},
    {CIPHER_AES_CBC, 128, HASH_SHA256, false},
};

static int find_ike(const struct policy *p, const struct ike_suite *s)
{
    for (unsigned i = 0; i < p->n_ike; i++)
        if (ike_suite_eq(&p->ike[i], s))
            return (int)i;
    return -1;
}

/* By the profile's own row, whether its SHA-2 is cut or not. */
static int find_esp(const struct policy *p, const struct esp_suite *s)
{
    for (unsigned i = 0; i < p->n_esp; i++)
        if (p->esp[i].cipher == s->cipher && p->esp[i].key_bits == s->key_bits &&
            p->esp[i].integ == s->integ)
            return (int)i;
    return -1;
}

static void add_one_ike(struct ladder *l, const struct ike_suite *s)
{
    if (l->n_one_ike == LADDER_ONES || find_ike(&l->config.policy, s) < 0 ||
        ike_suite_strength(s) < ladder_floor_ike(l))
        return;
    for (unsigned i = 0; i < l->n_one_ike; i++)
        if (ike_suite_eq(&l->one_ike[i], s))
            return;
    l->one_ike[l->n_one_ike++] = *s;
}

static void add_one_esp(struct ladder *l, const struct esp_suite *wanted)
{
    int at = find_esp(&l->config.policy, wanted);
    const struct esp_suite *s = at < 0 ? NULL : &l->config.policy.esp[at];

    if (l->n_one_esp == LADDER_ONES || !s || esp_suite_strength(s) < ladder_floor_esp(l))
        return;
    for (unsigned i = 0; i < l->n_one_esp; i++)
        if (esp_suite_eq(&l->one_esp[i], s))
            return;
    l->one_esp[l->n_one_esp++] = *s;
}

/* One row is the whole list already. */
static void list_ones(struct ladder *l)
{
    const struct policy *p = &l->config.policy;

    if (l->config.learned && l->learned.has_ike)
        add_one_ike(l, &l->learned.ike);
    for (unsigned i = 0; i < ARRAY_LEN(likely_ike); i++)
        add_one_ike(l, &likely_ike[i]);
    for (unsigned i = 0; i < p->n_ike; i++)
        add_one_ike(l, &p->ike[i]);
    if (l->config.learned && l->learned.has_esp)
        add_one_esp(l, &l->learned.esp);
    for (unsigned i = 0; i < ARRAY_LEN(likely_esp); i++)
        add_one_esp(l, &likely_esp[i]);
    for (unsigned i = 0; i < p->n_esp; i++)
        add_one_esp(l, &p->esp[i]);
    if (p->n_ike == 1)
        l->n_one_ike = 0;
    if (p->n_esp == 1)
        l->n_one_esp = 0;
}

/* ---- the first try ---- */
static void put_first(struct policy *p, const struct learned *l)
{
    int ike = l->has_ike ? find_ike(p, &l->ike) : -1;
    int esp = l->has_esp ? find_esp(p, &l->esp) : -1;

    if (ike > 0) {
        struct ike_suite first = p->ike[ike];

        memmove(&p->ike[1], &p->ike[0], (size_t)ike * sizeof(p->ike[0]));
        p->ike[0] = first;
    }
    if (esp > 0) {
        struct esp_suite first = p->esp[esp];

        memmove(&p->esp[1], &p->esp[0], (size_t)esp * sizeof(p->esp[0]));
        p->esp[0] = first;
    }
}

/* Has it another way to begin a quick mode? */
static bool quick_goes_on(const struct ladder *l)
{
    return l->n_one_esp > 0 || (!l->config.port_is_set && !l->port_tried);
}

static void try_whole(struct ladder *l)
{
    l->now = (struct ladder_try){
        .rung = RUNG_WHOLE,
        .policy = l->config.policy,
        .encapsulation = l->config.encapsulation,
        .mm1_sends = l->n_one_ike > 0 ? LADDER_MM1_SENDS : 0,
        .quick_wait = quick_goes_on(l) ? LADDER_QUICK_WAIT : 0,
    };
}

static void try_learned(struct ladder *l)
{
    struct ladder_try *t = &l->now;
    const struct learned *k = &l->learned;

    t->rung = RUNG_LEARNED;
    put_first(&t->policy, k);
    if (k->one_ike && k->has_ike && find_ike(&t->policy, &k->ike) == 0) {
        t->one_ike = true;
        t->policy.n_ike = 1;
        t->mm1_sends = LADDER_MM1_SENDS;
    }
    if (k->one_esp && k->has_esp && find_esp(&t->policy, &k->esp) == 0) {
        t->one_esp = true;
        t->policy.n_esp = 1;
        t->quick_wait = LADDER_QUICK_WAIT;
    }
    if (l->config.encapsulation == ENCAPSULATION_AUTO)
        t->encapsulation = k->encapsulation;
    t->port_1701 = !l->config.port_is_set && k->inner_port == L2TP_PORT;
}

static void add_row(struct ladder *l, enum failure_id why)
{
    if (l->n_rows < LADDER_ROWS_MAX)
        l->row[l->n_rows++] = (struct ladder_row){l->now.rung, why};
}

void ladder_init(struct ladder *l, const struct ladder_config *config, l2tpc_us now)
{
    memset(l, 0, sizeof(*l));
    l->config = *config;
    l->started = now;
    if (config->learned) {
        l->learned = *config->learned;
        l->config.learned = &l->learned;
    }
    list_ones(l);
    try_whole(l);
    if (config->aggressive)
        l->now.mm1_sends = 0;
    else if (config->learned)
        try_learned(l);
    add_row(l, FAILURE_NONE);
}

void ladder_note_person(struct ladder *l, l2tpc_us now)
{
    l->started = now;
}

/* ---- what a failure is ---- */
static bool is_about_list(const struct failure *f)
{
    return f->stage == STAGE_IKE_PHASE1 &&
           (f->id == FAILURE_IKE_NO_ANSWER || f->id == FAILURE_IKE_NO_PROPOSAL ||
            f->id == FAILURE_IKE_REFUSED || f->id == FAILURE_IKE_PROTOCOL);
}

static bool is_about_quick(const struct failure *f)
{
    return f->id == FAILURE_IKE_QUICK_NO_PROPOSAL || f->id == FAILURE_IKE_QUICK_REFUSED ||
           f->id == FAILURE_IKE_QUICK_TIMEOUT;
}

static bool is_authentication(const struct failure *f)
{
    return f->stage == STAGE_IKE_AUTH && f->id != FAILURE_IKE_PORT_4500;
}

static void tell_first(struct ladder *l, const struct failure *f)
{
    if (l->told.id == FAILURE_NONE)
        l->told = *f;
}

/* ---- rungs of phase 1 ---- */
static bool differs_in_phase1(const struct ladder *l)
{
    return l->now.rung == RUNG_LEARNED &&
           (l->now.one_ike || l->now.encapsulation != l->config.encapsulation);
}

static enum ladder_step next_list(struct ladder *l, const struct ladder_end *end)
{
    l2tpc_us spent = end->now - l->started;

    if (differs_in_phase1(l)) {
        try_whole(l);
        return LADDER_IKE;
    }
    tell_first(l, &end->failure);
    if (l->next_ike == 0)
        l->ike_by_silence = end->failure.id == FAILURE_IKE_NO_ANSWER;
    if (l->next_ike < l->n_one_ike) {
        l->now.rung = RUNG_ONE_IKE;
        l->now.one_ike = true;
        l->now.policy.ike[0] = l->one_ike[l->next_ike++];
        l->now.policy.n_ike = 1;
        l->now.mm1_sends = LADDER_ONE_SENDS;
        return LADDER_IKE;
    }
    /* A server that is starting up, or a long way off. */
    if (!l->ike_by_silence || l->last_ike || l->n_one_ike == 0 || spent >= IKE_DEADLINE)
        return LADDER_OVER;
    l->last_ike = true;
    try_whole(l);
    l->now.mm1_sends = 0;
    l->now.mm1_wait = IKE_DEADLINE - spent;
    return LADDER_IKE;
}

bool ladder_has_raw(const struct ladder *l, unsigned mm5)
{
    return l->config.encapsulation == ENCAPSULATION_AUTO && !l->config.aggressive &&
           !l->raw_tried && !l->udp_tried && l->now.encapsulation != ENCAPSULATION_ESP &&
           mm5 < LADDER_MM5_MAX && !l->authentication_failed;
}

/* Only where raw ESP came from memory: a server that offers NAT traversal gets UDP at once. */
bool ladder_has_udp(const struct ladder *l, unsigned mm5)
{
    return l->config.encapsulation == ENCAPSULATION_AUTO && !l->config.aggressive &&
           !l->raw_tried && !l->udp_tried && l->now.encapsulation == ENCAPSULATION_ESP &&
           mm5 < LADDER_MM5_MAX && !l->authentication_failed;
}

static enum ladder_step next_raw(struct ladder *l, const struct ladder_end *end)
{
    /* Behind a NAT that is known for one, raw ESP finds no way back. */
    if (!ladder_has_raw(l, end->mm5) || end->nat_local == IKE_NAT_YES ||
        end->nat_remote == IKE_NAT_YES)
        return LADDER_OVER;
    tell_first(l, &end->failure);
    l->raw_tried = true;
    l->now.rung = RUNG_RAW_ESP;
    l->now.encapsulation = ENCAPSULATION_ESP;
    l->now.mm5_wait = LADDER_MM5_WAIT;
    return LADDER_IKE;
}

static enum ladder_step next_udp(struct ladder *l, const struct ladder_end *end)
{
    if (end->udp_encapsulated || !ladder_has_udp(l, end->mm5))
        return LADDER_OVER;
    tell_first(l, &end->failure);
    l->udp_tried = true;
    l->now.rung = RUNG_UDP;
    l->now.encapsulation = ENCAPSULATION_AUTO;
    return LADDER_IKE;
}

/* ---- rungs of quick mode ---- */
static bool next_port(struct ladder *l, bool silent)
{
    if (l->config.port_is_set || l->port_tried || l->now.port_1701)
        return false;
    l->port_tried = true;
    l->port_by_silence = silent;
    l->now.rung = RUNG_PORT;
    l->now.port_1701 = true;
    return true;
}

static bool next_one_esp(struct ladder *l, bool silent)
{
    if (l->next_esp >= l->n_one_esp)
        return false;
    if (l->next_esp == 0)
        l->esp_by_silence = silent;
    l->now.rung = RUNG_ONE_ESP;
    l->now.one_esp = true;
    l->now.policy.esp[0] = l->one_esp[l->next_esp++];
    l->now.policy.n_esp = 1;
    l->now.quick_wait = LADDER_QUICK_WAIT;
    return true;
}

static void whole_esp(struct ladder *l)
{
    memcpy(l->now.policy.esp, l->config.policy.esp, sizeof(l->now.policy.esp));
    l->now.policy.n_esp = l->config.policy.n_esp;
    l->now.one_esp = false;
    l->now.port_1701 = false;
}

static enum ladder_step next_quick(struct ladder *l, const struct ladder_end *end)
{
    bool silent = end->failure.id == FAILURE_IKE_QUICK_TIMEOUT;

    /* Behind a NAT that was not there the last time, servers refuse our address as a selector. */
    if (ladder_has_udp(l, end->mm5))
        return next_udp(l, end);
    if (l->now.rung == RUNG_LEARNED && (l->now.one_esp || l->now.port_1701)) {
        whole_esp(l);
        l->now.rung = RUNG_WHOLE;
        return LADDER_QUICK;
    }
    tell_first(l, &end->failure);
    /* A refusal may mean the port; silence rather means the list. */
    if (!silent && next_port(l, false))
        return LADDER_QUICK;
    if (l->raw_tried) /* the same, most likely */
        return LADDER_OVER;
    if (l->now.rung == RUNG_PORT)
        whole_esp(l);
    if (next_one_esp(l, silent))
        return LADDER_QUICK;
    whole_esp(l);
    if (next_port(l, silent))
        return LADDER_QUICK;
    if (!silent || l->last_quick)
        return LADDER_OVER;
    l->last_quick = true;
    l->now.rung = RUNG_WHOLE;
    l->now.quick_wait = LADDER_QUICK_LAST;
    return LADDER_QUICK;
}

bool ladder_take_port(struct ladder *l, l2tpc_us now)
{
    if (l->authentication_failed || now >= us_add(l->started, LADDER_TIME) || !next_port(l, true))
        return false;
    add_row(l, FAILURE_L2TP_NO_ANSWER);
    return true;
}

/* ---- the next one ---- */
static enum ladder_step choose(struct ladder *l, const struct ladder_end *end)
{
    const struct failure *f = &end->failure;

    if (is_about_list(f))
        return next_list(l, end);
    if (f->id == FAILURE_IKE_PORT_4500)
        return next_raw(l, end);
    if (is_about_quick(f))
        return next_quick(l, end);
    if (f->id == FAILURE_ESP_NOTHING_BACK)
        return next_udp(l, end);
    return LADDER_OVER;
}

enum ladder_step ladder_next(struct ladder *l, const struct ladder_end *end)
{
    enum ladder_step step;

    l->authentication_failed = l->authentication_failed || is_authentication(&end->failure);
    if (l->authentication_failed || l->n_rows == LADDER_ROWS_MAX ||
        end->now >= us_add(l->started, LADDER_TIME))
        return LADDER_OVER;
    step = choose(l, end);
    if (step == LADDER_IKE && l->config.aggressive)
        return LADDER_OVER;
    if (step != LADDER_OVER)
        add_row(l, end->failure.id);
    return step;
}

struct failure ladder_verdict(const struct ladder *l, const struct failure *last)
{
    const struct failure *told = &l->told;

    if (told->id == FAILURE_NONE)
        return *last;
    if ((is_about_list(last) && is_about_list(told)) ||
        (is_about_quick(last) && is_about_quick(told)))
        return *told;
    /* Both ways are closed: the firewall's owner is to open the first one. */
    if (told->id == FAILURE_IKE_PORT_4500 &&
        (last->id == FAILURE_ESP_NOTHING_BACK || is_about_list(last) || is_about_quick(last) ||
         last->stage == STAGE_RESOLVE || last->id == FAILURE_LOCAL_SOCKET ||
         last->id == FAILURE_LOCAL_RIGHTS))
        return *told;
    if (told->id == FAILURE_ESP_NOTHING_BACK &&
        (last->id == FAILURE_IKE_PORT_4500 || last->id == FAILURE_IKE_ENCAPSULATION ||
         is_about_list(last)))
        return *told;
    return *last;
}

/* ---- memory ---- */
static enum strength lower(enum strength a, enum strength b)
{
    return a < b ? a : b;
}

enum strength ladder_floor_ike(const struct ladder *l)
{
    return l->config.learned ? lower(l->learned.floor_ike, policy_best_ike(&l->config.policy))
                             : STRENGTH_NONE;
}

enum strength ladder_floor_esp(const struct ladder *l)
{
    return l->config.learned ? lower(l->learned.floor_esp, policy_best_esp(&l->config.policy))
                             : STRENGTH_NONE;
}

/* What may have been lost, and not disliked, is no reason to begin lower the next time. */
static bool is_sure(const struct ladder *l, bool by_silence, bool lossy, bool known)
{
    return !by_silence || !lossy || (l->config.learned && known);
}

void ladder_learn(const struct ladder *l, bool lossy, struct learned *out)
{
    const struct ladder_try *t = &l->now;
    const struct learned *k = &l->learned;

    out->one_ike = t->one_ike && is_sure(l, l->ike_by_silence, lossy, k->one_ike);
    out->one_esp = t->one_esp && is_sure(l, l->esp_by_silence, lossy, k->one_esp);
    if (t->port_1701 && is_sure(l, l->port_by_silence, lossy, k->inner_port == L2TP_PORT))
        out->inner_port = L2TP_PORT;
    out->encapsulation =
        l->config.encapsulation == ENCAPSULATION_AUTO ? t->encapsulation : ENCAPSULATION_AUTO;
    if (l->config.learned) {
        out->floor_ike = k->floor_ike;
        out->floor_esp = k->floor_esp;
    }
}
