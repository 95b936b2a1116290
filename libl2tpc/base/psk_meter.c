/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The estimate is the cheapest way to write the key down as a row of pieces: a word, a repeat, a
 * sequence, a run of keys, a year, or else single characters. Costs are in 1/256 bit.
 */
#include "base/psk_meter.h"

#include "base/secret.h"

#include <string.h>

#define BIT 256u
#define WORDLIKE_MAX 32 /* what is longer is several words */

struct meter {
    uint8_t text[SECRET_MAX];
    uint32_t cost[SECRET_MAX + 1]; /* of everything before this place */
    size_t n;
    uint32_t single; /* of one character on its own */
};

/* log2(v) in 1/256 bit, v at least 1. */
static uint32_t log2_of(uint32_t v)
{
    uint32_t whole = 0;
    uint64_t x;
    uint32_t part = 0;

    while (v >> (whole + 1))
        whole++;
    x = ((uint64_t)v << 31) >> whole; /* in [1, 2) with 31 places; each squaring gives a bit */
    for (unsigned i = 0; i < 8; i++) {
        x = (x * x) >> 31;
        part <<= 1;
        if (x >> 32) {
            part |= 1;
            x >>= 1;
        }
    }
    return whole * BIT + part;
}

static bool is_lower(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
    return is_lower(c) || is_upper(c);
}

static uint8_t lower(uint8_t c)
{
    return is_upper(c) ? (uint8_t)(c - 'A' + 'a') : c;
}

/* A piece from `at` of `n` bytes for this price. */
static void offer(struct meter *m, size_t at, size_t n, uint32_t price)
{
    if (m->cost[at] + price < m->cost[at + n])
        m->cost[at + n] = m->cost[at] + price;
}

/* What upper case adds: nothing, a guess between two habits, or any place. */
static uint32_t case_cost(const struct meter *m, size_t at, size_t n)
{
    size_t upper = 0;

    for (size_t i = 0; i < n; i++)
        upper += is_upper(m->text[at + i]);
    if (upper == 0)
        return 0;
    return upper == n || (upper == 1 && is_upper(m->text[at])) ? BIT : 4 * BIT;
}

/* ---- words ---- */

static const struct {
    uint8_t n;
    char text[14];
} words[] = {
#define WORD(text) {sizeof(text) - 1, text},
#include "base/psk_words.def"
#undef WORD
};

/* A digit or sign that stands for a letter, as in p@ssw0rd. */
static bool stands_for(uint8_t c, char letter)
{
    static const char pairs[] = "0o1i1l3e4a5s7t@a$s!i";

    for (size_t i = 0; i + 1 < sizeof(pairs); i += 2)
        if ((uint8_t)pairs[i] == c && pairs[i + 1] == letter)
            return true;
    return false;
}

static bool word_is_at(const struct meter *m, size_t at, const char *word, size_t n, bool *swapped)
{
    if (n > m->n - at)
        return false;
    *swapped = false;
    for (size_t i = 0; i < n; i++) {
        if (lower(m->text[at + i]) == (uint8_t)word[i])
            continue;
        if (!stands_for(m->text[at + i], word[i]))
            return false;
        *swapped = true;
    }
    return true;
}

static void offer_words(struct meter *m, size_t at)
{
    bool swapped;

    for (uint32_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (word_is_at(m, at, words[i].text, words[i].n, &swapped))
            offer(m, at, words[i].n,
                  log2_of(i + 2) + case_cost(m, at, words[i].n) + (swapped ? BIT : 0));
}

/* Which letters often follow a letter in the languages of Europe. */
static const char *const follows[26] = {"bcdgilmnprstuvwy",
                                        "aeiloruy",
                                        "aehikloruty",
                                        "adeiorsuy",
                                        "abcdegilmnprstvwxy",
                                        "aefilortu",
                                        "aeghilnorsu",
                                        "aeiortuy",
                                        "acdefglmnoprstvz",
                                        "aeou",
                                        "aeilnosy",
                                        "adefikloptsuvy",
                                        "abeimopuy",
                                        "acdegiknostuvy",
                                        "abcdfghiklmnoprstuvwx",
                                        "aehiloprstu",
                                        "u",
                                        "acdegiklmnorstuvy",
                                        "acehiklmnopqrstuwy",
                                        "aehilorstuwy",
                                        "abcdegilmnprst",
                                        "aeioy",
                                        "aehinor",
                                        "acept",
                                        "aelmopst",
                                        "aeioyz"};

/* The end of the run of letters of one case (the first may be a capital) that reads like a word. */
static size_t wordlike_end(const struct meter *m, size_t at)
{
    size_t i = at;
    bool upper = at + 1 < m->n && is_upper(m->text[at]) && is_upper(m->text[at + 1]);

    if (!is_letter(m->text[at]))
        return at;
    for (i = at + 1; i < m->n && i < at + WORDLIKE_MAX; i++) {
        if (upper ? !is_upper(m->text[i]) : !is_lower(m->text[i]))
            break;
        if (!strchr(follows[lower(m->text[i - 1]) - 'a'], lower(m->text[i])))
            break;
    }
    return i;
}

static void offer_wordlike(struct meter *m, size_t at)
{
    size_t end = wordlike_end(m, at);

    for (size_t n = 4; at + n <= end; n++) {
        uint32_t price = n == 4 ? 13 * BIT : 14 * BIT;

        if (n > 8)
            price += (uint32_t)(n - 8) * BIT * 3 / 2;
        offer(m, at, n, price + case_cost(m, at, n));
    }
}

/* ---- repeats, sequences, keys, years ---- */

/* The same bytes once more, from any place before; the nearest place is the cheapest. */
static void offer_repeats(struct meter *m, size_t at)
{
    size_t done = 2;

    if (at > 0 && m->text[at] == m->text[at - 1])
        offer(m, at, 1, 2 * BIT);
    for (size_t back = 1; back <= at && done < m->n - at; back++) {
        size_t n = 0;

        while (at + n < m->n && m->text[at + n] == m->text[at + n - back])
            n++;
        for (; done < n; done++)
            offer(m, at, done + 1, log2_of((uint32_t)back) + log2_of((uint32_t)done + 1) + BIT);
    }
}

static bool same_kind(uint8_t a, uint8_t b)
{
    return (is_lower(a) && is_lower(b)) || (is_upper(a) && is_upper(b)) ||
           (is_digit(a) && is_digit(b));
}

/* abcd, 4321, acegi: steps of one size. */
static void offer_sequences(struct meter *m, size_t at)
{
    int step = at + 1 < m->n ? m->text[at + 1] - m->text[at] : 0;
    uint32_t start = strchr("aA01zZ9", m->text[at]) ? 2 * BIT : 5 * BIT;
    size_t n = 1;

    if (step == 0 || step > 2 || step < -2)
        return;
    while (at + n < m->n && m->text[at + n] - m->text[at + n - 1] == step &&
           same_kind(m->text[at + n], m->text[at]))
        n++;
    for (size_t k = 3; k <= n; k++)
        offer(m, at, k, start + log2_of((uint32_t)k) + 2 * BIT);
}

static bool is_neighbour(uint8_t a, uint8_t b)
{
    static const char *const rows[] = {"1234567890", "qwertyuiop",          "qwertzuiop",
                                       "azertyuiop", "asdfghjkl",           "zxcvbnm",
                                       "yxcvbnm",    "1qaz2wsx3edc4rfv5tgb"};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *p = a ? strchr(rows[i], lower(a)) : NULL;

        if (p && b && ((uint8_t)p[1] == lower(b) || (p > rows[i] && (uint8_t)p[-1] == lower(b))))
            return true;
    }
    return false;
}

static void offer_keys(struct meter *m, size_t at)
{
    size_t n = 1;

    while (at + n < m->n && is_neighbour(m->text[at + n - 1], m->text[at + n]))
        n++;
    for (size_t k = 4; k <= n; k++)
        offer(m, at, k, 6 * BIT + (uint32_t)k * BIT / 2 + case_cost(m, at, k));
}

static void offer_years(struct meter *m, size_t at)
{
    const uint8_t *p = m->text + at;

    if (m->n - at >= 4 && ((p[0] == '1' && p[1] == '9') || (p[0] == '2' && p[1] == '0')) &&
        is_digit(p[2]) && is_digit(p[3]))
        offer(m, at, 4, 7 * BIT);
}

/* One sign between two pieces is a habit, not a secret. */
static void offer_separator(struct meter *m, size_t at)
{
    if (at > 0 && at + 1 < m->n && strchr(" -_.", m->text[at]) && m->text[at])
        offer(m, at, 1, 3 * BIT);
}

static unsigned pool(const struct meter *m, unsigned *classes)
{
    bool small = false;
    bool large = false;
    bool digits = false;
    bool signs = false;
    bool bytes = false;

    for (size_t i = 0; i < m->n; i++) {
        uint8_t c = m->text[i];

        small = small || is_lower(c);
        large = large || is_upper(c);
        digits = digits || is_digit(c);
        signs = signs || (c >= 0x20 && c < 0x7f && !is_letter(c) && !is_digit(c));
        bytes = bytes || c < 0x20 || c >= 0x7f;
    }
    *classes = (unsigned)small + large + digits + (signs || bytes);
    return small * 26u + large * 26u + digits * 10u + signs * 33u + bytes * 128u;
}

static void walk(struct meter *m)
{
    for (size_t i = 1; i <= m->n; i++)
        m->cost[i] = UINT32_MAX / 2;
    for (size_t at = 0; at < m->n; at++) {
        offer(m, at, 1, m->single);
        offer_words(m, at);
        offer_wordlike(m, at);
        offer_repeats(m, at);
        offer_sequences(m, at);
        offer_keys(m, at);
        offer_years(m, at);
        offer_separator(m, at);
    }
}

struct psk_strength psk_measure(struct span psk)
{
    struct meter m = {.n = psk.n < SECRET_MAX ? psk.n : SECRET_MAX};
    struct psk_strength s = {0};

    if (m.n == 0)
        return s;
    memcpy(m.text, psk.p, m.n);
    m.single = log2_of(pool(&m, &s.classes));
    walk(&m);
    s.bits = m.cost[m.n] / BIT;
    s.old_rules = m.n >= 8 && s.classes >= 3;
    s.odd_ends = !(is_letter(m.text[0]) || is_digit(m.text[0])) ||
                 !(is_letter(m.text[m.n - 1]) || is_digit(m.text[m.n - 1]));
    wipe(&m, sizeof(m));
    return s;
}

bool psk_generate(struct span random, char out[PSK_GENERATED_LEN + 1])
{
    /* Without 0 O o, 1 I l i: 55 characters, so that 24 of them hold 138 bits. */
    static const char alphabet[] = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    const unsigned size = sizeof(alphabet) - 1;
    size_t n = 0;

    for (size_t i = 0; i < random.n && n < PSK_GENERATED_LEN; i++)
        if (random.p[i] < 256 / size * size) /* every character as likely as the next */
            out[n++] = alphabet[random.p[i] % size];
    out[n] = '\0';
    return n == PSK_GENERATED_LEN;
}
