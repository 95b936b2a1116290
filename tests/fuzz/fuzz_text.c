/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text of a peer on its way to a terminal, and address literals. First byte: the room there is. */
#include "fuzz.h"

#include "base/addr.h"
#include "base/text.h"

#include <string.h>

static void escape(struct span raw, size_t cap)
{
    char *out = malloc(cap ? cap : 1);

    FUZZ_REQUIRE(out);
    text_escape(out, cap, raw);
    if (cap > 0) {
        fuzz_check_text(out, cap);
        FUZZ_REQUIRE(text_is_utf8(span_str(out)));
    }
    text_hex(out, cap, raw);
    if (cap > 0) {
        FUZZ_REQUIRE(strlen(out) < cap && strlen(out) % 2 == 0);
        FUZZ_REQUIRE(strspn(out, "0123456789abcdef") == strlen(out));
    }
    free(out);
}

/* What escaping leaves alone was fit before: so escaping twice changes backslashes alone. */
static void plain_stays(struct span raw)
{
    char out[512];
    bool plain = raw.n < sizeof(out) && text_is_utf8(raw);

    for (size_t i = 0; i < raw.n && plain; i++)
        plain = raw.p[i] >= 0x20 && raw.p[i] < 0x7f && raw.p[i] != '\\';
    if (!plain)
        return;
    text_escape(out, sizeof(out), raw);
    FUZZ_REQUIRE(span_eq(span_str(out), raw));
}

static void address(struct span raw)
{
    char *text = fuzz_text(raw);
    char again[ADDR_TEXT_MAX];
    struct inaddr a;
    struct inaddr b;

    if (inaddr_parse(&a, text)) {
        FUZZ_REQUIRE(a.family == 4 || a.family == 6);
        FUZZ_REQUIRE(inaddr_parse(&b, inaddr_text(&a, again)) && inaddr_eq(&a, &b));
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(span_of(data, size));
    struct mspan raw;
    uint8_t cap;

    if (!rd_u8(&r, &cap))
        return 0;
    raw = fuzz_copy(rd_rest(&r));
    escape(span_ro(raw), cap);
    escape(span_ro(raw), PEER_TEXT_MAX);
    plain_stays(span_ro(raw));
    address(span_ro(raw));
    free(raw.p);
    return 0;
}
