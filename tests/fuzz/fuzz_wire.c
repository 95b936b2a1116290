/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reader and writer, driven by a script: the first byte says how much of the input is the message,
 * each later byte is a call. Nothing may be read outside of the message, a failed call may change
 * nothing, and what the writer wrote reads back.
 */
#include "fuzz.h"

#include "wire/wr.h"

#include <string.h>

#define DEPTH 4

static void inside(struct span whole, const struct rd *r)
{
    FUZZ_REQUIRE(r->rest.n <= whole.n);
    FUZZ_REQUIRE(r->rest.n == 0 ||
                 (r->rest.p >= whole.p && r->rest.p + r->rest.n <= whole.p + whole.n));
}

static void read_one(struct rd *stack, unsigned *depth, uint8_t call)
{
    struct rd *r = &stack[*depth];
    struct rd before = *r;
    struct span s;
    struct rd sub;
    uint8_t copy[64];
    uint8_t v8 = 1;
    uint16_t v16 = 1;
    uint32_t v32 = 1;
    uint64_t v64 = 1;
    size_t n = call >> 3;
    size_t taken = 0;
    bool ok = false;

    switch (call & 7) {
    case 0:
        ok = rd_u8(r, &v8);
        taken = 1;
        break;
    case 1:
        ok = rd_u16(r, &v16);
        taken = 2;
        break;
    case 2:
        ok = rd_u32(r, &v32);
        taken = 4;
        break;
    case 3:
        ok = rd_u64(r, &v64);
        taken = 8;
        break;
    case 4:
        ok = rd_copy(r, copy, n);
        taken = n;
        break;
    case 5:
        ok = rd_bytes(r, n == 31 ? SIZE_MAX : n, &s);
        taken = n;
        FUZZ_REQUIRE(!ok || s.n == n);
        break;
    case 6:
        ok = rd_sub(r, n, &sub);
        taken = n;
        if (ok && *depth + 1 < DEPTH)
            stack[++*depth] = sub;
        break;
    case 7:
        ok = rd_skip(r, n);
        taken = n;
        if (!ok && *depth > 0)
            --*depth;
        break;
    }
    if (ok)
        FUZZ_REQUIRE(before.rest.n - r->rest.n == taken);
    else
        FUZZ_REQUIRE(r->rest.n == before.rest.n && r->rest.p == before.rest.p);
    if (!ok)
        FUZZ_REQUIRE(v8 == 1 && v16 == 1 && v32 == 1 && v64 == 1);
}

static void write_one(struct wr *w, uint8_t call, struct wr_box box[DEPTH], unsigned *open)
{
    static const uint8_t some[32] = {1, 2, 3};
    uint8_t *room;
    size_t n = call >> 3;
    size_t before = w->n;

    switch (call & 7) {
    case 0:
        wr_u8(w, call);
        break;
    case 1:
        wr_u16(w, call);
        break;
    case 2:
        wr_u32(w, call);
        break;
    case 3:
        wr_bytes(w, span_of(some, n));
        break;
    case 4:
        if (*open < DEPTH)
            box[(*open)++] = wr_open(w, n & 3);
        break;
    case 5:
        if (*open > 0)
            wr_close(w, box[--*open]);
        break;
    case 6:
        wr_patch_u16(w, n * 4, call);
        break;
    case 7:
        room = wr_room(w, n);
        if (room)
            memset(room, call, n);
        break;
    }
    FUZZ_REQUIRE(w->n >= before && w->n <= w->cap);
}

static void run_writer(struct span script, size_t cap)
{
    struct mspan buffer = fuzz_copy(span_of(script.p, cap < script.n ? cap : script.n));
    struct wr w = wr_of(buffer.p, buffer.n);
    struct wr_box box[DEPTH];
    unsigned open = 0;
    struct span out;
    bool failed = false;

    for (size_t i = 0; i < script.n; i++) {
        write_one(&w, script.p[i], box, &open);
        FUZZ_REQUIRE(!failed || w.failed); /* the error stays */
        failed = w.failed;
    }
    if (wr_finish(&w, &out))
        FUZZ_REQUIRE(!w.failed && out.p == buffer.p && out.n == w.n);
    else
        FUZZ_REQUIRE(w.failed);
    free(buffer.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd input = rd_of(span_of(data, size));
    struct rd stack[DEPTH];
    struct mspan whole;
    struct span message;
    unsigned depth = 0;
    uint8_t n;

    if (!rd_u8(&input, &n) || !rd_bytes(&input, n, &message))
        return 0;
    whole = fuzz_copy(message);
    stack[0] = rd_of(span_ro(whole));
    for (size_t i = 0; i < input.rest.n; i++) {
        read_one(stack, &depth, input.rest.p[i]);
        inside(span_ro(whole), &stack[depth]);
    }
    free(whole.p);
    run_writer(input.rest, n);
    return 0;
}
