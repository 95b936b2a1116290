/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every call of the client's engines into the crypto library and the allocator fails once
 * (hostile.md C17). The linker puts the functions below in between (-Wl,--wrap); they only count
 * while the dial engine is at work, not the world around it.
 */
#include "check.h"
#include "world.h"

#include "crypto/esp_backend.h"
#include "dial/internal.h"
#include "ike/v1/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
    KIND_CRYPTO,
    KIND_ALLOC,
};

static struct {
    enum kind kind;
    unsigned fail_at, calls; /* of that kind */
    unsigned inside;
    bool failed;
} fault;

static bool fails_now(enum kind kind)
{
    if (fault.inside == 0 || fault.kind != kind || ++fault.calls != fault.fail_at)
        return false;
    fault.failed = true;
    return true;
}

/* ---- the crypto library and the allocator ---- */

#define WRAP(kind, type, none, name, parameters, arguments)                                        \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        if (fails_now(kind))                                                                       \
            return none;                                                                           \
        return __real_##name arguments;                                                            \
    }

WRAP(KIND_ALLOC, void *, NULL, malloc, (size_t n), (n))
WRAP(KIND_ALLOC, void *, NULL, calloc, (size_t n, size_t size), (n, size))
WRAP(KIND_ALLOC, void *, NULL, realloc, (void *p, size_t n), (p, n))
WRAP(KIND_ALLOC, void *, NULL, aligned_alloc, (size_t to, size_t n), (to, n))
WRAP(KIND_CRYPTO, bool, false, hash_parts,
     (struct crypto * c, enum hash_id h, const struct span *parts, size_t n, uint8_t *out),
     (c, h, parts, n, out))
WRAP(KIND_CRYPTO, bool, false, hmac_parts,
     (struct crypto * c, enum hash_id h, struct span key, const struct span *parts, size_t n,
      uint8_t *out),
     (c, h, key, parts, n, out))
WRAP(KIND_CRYPTO, bool, false, cbc_crypt,
     (struct crypto * c, enum cipher_id id, struct span key, struct span iv, bool encrypt,
      struct mspan data),
     (c, id, key, iv, encrypt, data))
WRAP(KIND_CRYPTO, bool, false, des_block_56, (const uint8_t *key, const uint8_t *in, uint8_t *out),
     (key, in, out))
WRAP(KIND_CRYPTO, struct dh *, NULL, dh_new,
     (struct crypto * c, enum dh_group g, const struct env *env), (c, g, env))
WRAP(KIND_CRYPTO, bool, false, dh_shared, (const struct dh *dh, struct span peer, uint8_t *out),
     (dh, peer, out))
WRAP(KIND_CRYPTO, struct cipher_ctx *, NULL, cipher_ctx_new,
     (struct crypto * c, enum cipher_id id, struct span key, bool encrypt), (c, id, key, encrypt))
WRAP(KIND_CRYPTO, bool, false, cipher_run_cbc,
     (struct cipher_ctx * ctx, const uint8_t *iv, struct mspan data), (ctx, iv, data))
WRAP(KIND_CRYPTO, struct mac_ctx *, NULL, mac_ctx_new,
     (struct crypto * c, enum hash_id h, struct span key), (c, h, key))
WRAP(KIND_CRYPTO, bool, false, mac_ctx_run, (struct mac_ctx * ctx, struct span data, uint8_t *out),
     (ctx, data, out))

/* ---- the ways into the engine ---- */

#define ENTRY(type, name, parameters, arguments)                                                   \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        type result;                                                                               \
                                                                                                   \
        fault.inside++;                                                                            \
        result = __real_##name arguments;                                                          \
        fault.inside--;                                                                            \
        return result;                                                                             \
    }
#define ENTRY_VOID(name, parameters, arguments)                                                    \
    void __real_##name parameters;                                                                 \
    void __wrap_##name parameters;                                                                 \
    void __wrap_##name parameters                                                                  \
    {                                                                                              \
        fault.inside++;                                                                            \
        __real_##name arguments;                                                                   \
        fault.inside--;                                                                            \
    }

ENTRY_VOID(dial_start, (struct dial * d, l2tpc_us now), (d, now))
ENTRY_VOID(dial_timer, (struct dial * d, l2tpc_us now), (d, now))
ENTRY_VOID(dial_close, (struct dial * d, l2tpc_us now), (d, now))
ENTRY_VOID(dial_note_esp_in, (struct dial * d, const struct endpoint *from, l2tpc_us now),
           (d, from, now))
ENTRY_VOID(dial_answer_resolve,
           (struct dial * d, uint32_t need, const struct inaddr *addresses, unsigned n,
            const struct failure *f, l2tpc_us now),
           (d, need, addresses, n, f, now))
ENTRY_VOID(dial_answer_sockets,
           (struct dial * d, uint32_t need, const struct endpoint *local, uint16_t port,
            const struct failure *f, l2tpc_us now),
           (d, need, local, port, f, now))
ENTRY_VOID(dial_answer_secret,
           (struct dial * d, uint32_t need, const struct span *secret, l2tpc_us now),
           (d, need, secret, now))
ENTRY_VOID(dial_answer_done,
           (struct dial * d, uint32_t need, const struct failure *f, l2tpc_us now),
           (d, need, f, now))
ENTRY(enum verdict, dial_input,
      (struct dial * d, enum dial_path path, const struct endpoint *from, struct mspan bytes,
       l2tpc_us now),
      (d, path, from, bytes, now))
ENTRY(enum verdict, dial_input_inner,
      (struct dial * d, enum data_kind kind, struct span inner, l2tpc_us now),
      (d, kind, inner, now))
ENTRY(enum data_kind, data_open, (struct data_path * d, struct mspan packet, struct mspan *out),
      (d, packet, out))
ENTRY(bool, data_seal_ip, (struct data_path * d, struct mspan ip, struct mspan *packet),
      (d, ip, packet))
ENTRY(bool, dial_pop_out,
      (struct dial * d, enum dial_path *path, struct endpoint *to, struct msg *out),
      (d, path, to, out))

/* ---- dials ---- */

static bool is_zero(const void *p, size_t n)
{
    const uint8_t *b = p;

    for (size_t i = 0; i < n; i++)
        if (b[i] != 0)
            return false;
    return true;
}

/* Nothing of the IKE SA is left when the dial is down. */
static bool wiped(const struct world *w)
{
    const struct ike *ike = w->dial->ike;

    return !ike ||
           (!ike->has_keys && is_zero(&ike->secrets->keys, sizeof(ike->secrets->keys)) &&
            is_zero(ike->secrets->gxy, sizeof(ike->secrets->gxy)) && ike->renewal.psk->n == 0);
}

/* 1: the fault came; 0: the dial has fewer calls than that; -1: something is wrong. */
static int one_dial(enum kind kind, unsigned n, bool pfs)
{
    struct world_config c;
    struct world *w;
    int result;

    world_config_default(&c);
    c.policy = NULL;
    c.dial.policy = (struct policy){.ike = {{CIPHER_AES_CBC, 128, HASH_SHA256, DH_ECP256}},
                                    .n_ike = 1,
                                    .esp = {{CIPHER_AES_CBC, 128, HASH_SHA1, false}},
                                    .n_esp = 1,
                                    .pfs = pfs ? DH_ECP256 : DH_NONE};
    c.seed = 1 + n;
    memset(&fault, 0, sizeof(fault));
    fault.kind = kind;
    fault.fail_at = n;
    w = world_new(&c);
    /* Calls into ipsec-mb cannot fail, and how many there are is the processor's affair. */
    if (kind == KIND_CRYPTO && !crypto_use_esp_backend(w->crypto, ESP_BACKEND_OPENSSL))
        abort();
    result = world_until(w, world_is_up, US_S(120)) ? 1 : -1;
    if (w->up && !w->failed) {
        (void)world_ping(w);
        world_run(w, US_S(1));
        dial_close(w->dial, w->sim.now);
    }
    /* A message that found no memory counts as one for which there was no room. */
    if (!world_until(w, world_is_down, US_S(20)) || !wiped(w) ||
        (w->violations > 0 && !strstr(w->violation, "overflowed")) ||
        peer_facts(w->sim.peer)->clear_1701 > 0)
        result = -1;
    if (!w->up && !w->failed)
        result = -1;
    if (result < 0)
        printf("    call %u: %s, %s %s\n", n, w->up ? "up" : failure_code(w->failure.id),
               w->violation, wiped(w) ? "" : "keys are left");
    world_free(w);
    return result > 0 && !fault.failed ? 0 : result;
}

static void every_call(enum kind kind, bool pfs, unsigned least)
{
    unsigned n = 1;
    int result;

    while ((result = one_dial(kind, n, pfs)) == 1)
        n++;
    CHECK_INT(result, 0);
    printf("    %u calls\n", n - 1);
    CHECK(n > least);
}

TEST(c17_every_crypto_call_fails_once)
{
    every_call(KIND_CRYPTO, false, 80);
}

TEST(c17_every_crypto_call_fails_once_with_pfs)
{
    every_call(KIND_CRYPTO, true, 80);
}

TEST(c17_every_allocation_fails_once)
{
    every_call(KIND_ALLOC, false, 60);
}
