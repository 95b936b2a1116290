/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include "base/text.h"

#include <string.h>

static bool seeded(void *ctx, uint8_t *out, size_t n)
{
    struct fuzz_env *e = ctx;

    if (++e->calls == e->fail_at)
        return false;
    for (size_t i = 0; i < n; i++) {
        e->state = e->state * 1664525u + 1013904223u;
        out[i] = (uint8_t)(e->state >> 24);
    }
    return true;
}

static void check_line(void *ctx, enum log_level level, const char *module, const char *line)
{
    (void)ctx;
    FUZZ_REQUIRE(level <= LOG_LEVEL_DEBUG && module);
    fuzz_check_text(line, 4096);
}

void fuzz_env_init(struct fuzz_env *e, uint32_t seed)
{
    *e = (struct fuzz_env){.state = seed};
    e->env = (struct env){.ctx = e, .rand = seeded, .log = check_line};
}

struct crypto *fuzz_crypto(void)
{
    static struct crypto *crypto;

    if (!crypto)
        crypto = crypto_new();
    FUZZ_REQUIRE(crypto);
    return crypto;
}

struct mspan fuzz_copy(struct span s)
{
    struct mspan m = {malloc(s.n ? s.n : 1), s.n};

    FUZZ_REQUIRE(m.p);
    if (s.n > 0)
        memcpy(m.p, s.p, s.n);
    return m;
}

char *fuzz_text(struct span s)
{
    char *text = malloc(s.n + 1);

    FUZZ_REQUIRE(text);
    if (s.n > 0)
        memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return text;
}

bool fuzz_step_next(struct rd *r, struct fuzz_step *out)
{
    struct span s;
    uint16_t n;

    if (!rd_u8(r, &out->op) || !rd_u16(r, &n))
        return false;
    if (n > FUZZ_STEP_MAX)
        n = FUZZ_STEP_MAX;
    if (n > rd_left(r))
        n = (uint16_t)rd_left(r);
    if (!rd_bytes(r, n, &s))
        return false;
    out->bytes = fuzz_copy(s);
    return true;
}

void fuzz_step_done(struct fuzz_step *s)
{
    free(s->bytes.p);
    s->bytes = (struct mspan){NULL, 0};
}

void fuzz_check_text(const char *text, size_t cap)
{
    size_t n = strnlen(text, cap);

    FUZZ_REQUIRE(n < cap);
    for (size_t i = 0; i < n; i++)
        FUZZ_REQUIRE((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}

void fuzz_check_failure(const struct failure *f)
{
    FUZZ_REQUIRE(f->id >= FAILURE_NONE && f->id < FAILURE_COUNT);
    fuzz_check_text(f->waited_for, sizeof(f->waited_for));
    fuzz_check_text(f->peer_text, sizeof(f->peer_text));
    fuzz_check_text(f->value, sizeof(f->value));
    FUZZ_REQUIRE(text_is_utf8(span_str(f->peer_text)) && text_is_utf8(span_str(f->value)));
}
