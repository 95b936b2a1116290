/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What session and signer say to each other. First byte: who reads. What is read is bounded, fit to
 * be shown, and says the same when it is written again. */
#include "fuzz.h"

#include "api/signer_wire.h"
#include "io/channel.h"

#include <string.h>

static uint8_t again[CHANNEL_MAX];

static void require_same(struct span message, bool written, struct span out)
{
    FUZZ_REQUIRE(written && out.n == message.n && memcmp(out.p, message.p, out.n) == 0);
}

static void request(struct span message)
{
    struct signer_request *q = malloc(sizeof(*q));
    struct span out = SPAN_NONE;
    bool ok;

    FUZZ_REQUIRE(q);
    if (signer_request_read(message, q)) {
        FUZZ_REQUIRE(q->type >= SIGNER_OPEN && q->type <= SIGNER_FORGET);
        FUZZ_REQUIRE(q->type != SIGNER_SIGN || (q->n_digest > 0 && q->n_digest <= HASH_MAX));
        FUZZ_REQUIRE(q->type != SIGNER_JUDGE || q->peer.leaf < q->peer.chain.n);
        ok = signer_request_write(q, again, sizeof(again), &out);
        require_same(message, ok, out);
    }
    free(q);
}

static void reply(struct span message)
{
    struct signer_reply *p = malloc(sizeof(*p));
    struct span out = SPAN_NONE;
    bool ok;

    FUZZ_REQUIRE(p);
    if (signer_reply_read(message, p)) {
        FUZZ_REQUIRE(p->n_addresses <= DIAL_ADDRESSES_MAX && p->n_signature <= SIGN_MAX);
        FUZZ_REQUIRE(p->type != SIGNER_OPENED || !p->certified || p->chain.n > 0);
        if (p->type == SIGNER_FAILED || p->failed)
            fuzz_check_failure(&p->failure);
        ok = signer_reply_write(p, again, sizeof(again), &out);
        require_same(message, ok, out);
    }
    free(p);
}

static void question(struct span message)
{
    char label[TOKEN_LABEL_MAX];
    struct span out = SPAN_NONE;
    bool ok;

    if (!signer_question_read(message, label))
        return;
    fuzz_check_text(label, sizeof(label));
    ok = signer_question_write(label, again, sizeof(again), &out);
    require_same(message, ok, out);
}

static void answer(struct span message)
{
    struct secret passphrase = {0};
    struct span out = SPAN_NONE;
    bool has;
    bool ok;

    if (!signer_answer_read(message, &has, &passphrase))
        return;
    ok = signer_answer_write(has ? &passphrase : NULL, again, sizeof(again), &out);
    require_same(message, ok, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(struct span) = {request, reply, question, answer};
    struct mspan raw;

    if (size < 1)
        return 0;
    raw = fuzz_copy(span_of(data + 1, size - 1));
    readers[data[0] & 3](span_ro(raw));
    free(raw.p);
    return 0;
}
