/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/resolver.h"
#include "host/text_out.h"

#include <stdio.h>
#include <string.h>

#define SERVERS_MAX 3 /* MAXNS of resolv.h: the C library reads no more */
#define DOMAINS_MAX 6

static bool take_line(struct span *text, struct span *out)
{
    const uint8_t *nl;

    if (text->n == 0)
        return false;
    nl = memchr(text->p, '\n', text->n);
    *out = span_of(text->p, nl ? (size_t)(nl - text->p) : text->n);
    *text = nl ? span_of(nl + 1, text->n - out->n - 1) : SPAN_NONE;
    return true;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool take_word(struct span *line, struct span *out)
{
    size_t n = 0;

    while (line->n > 0 && is_blank(*line->p))
        *line = span_of(line->p + 1, line->n - 1);
    while (n < line->n && !is_blank(line->p[n]))
        n++;
    *out = span_of(line->p, n);
    if (n > 0) /* an empty span may have no bytes to count from */
        *line = span_of(line->p + n, line->n - n);
    return n > 0;
}

static bool word_is(struct span word, const char *text)
{
    return span_eq(word, span_str(text));
}

static unsigned add_servers(struct text *t, const l2tpc_host_apply_ip *q)
{
    char text[ADDR_TEXT_MAX];
    struct inaddr a;
    unsigned n = 0;

    for (uint8_t family = 4; family <= 6; family = (uint8_t)(family + 2))
        for (uint32_t i = 0; i < q->n_dns && n < SERVERS_MAX; i++)
            if (q->dns[i].family == family && host_addr_read(&a, &q->dns[i])) {
                text_add(t, "nameserver %s\n", inaddr_text(&a, text));
                n++;
            }
    return n;
}

static void add_old_servers(struct text *t, struct span old, unsigned n)
{
    struct span line;
    struct span key;
    struct span value;

    while (n < SERVERS_MAX && take_line(&old, &line))
        if (take_word(&line, &key) && word_is(key, "nameserver") && take_word(&line, &value)) {
            text_add(t, "nameserver %.*s\n", (int)value.n, (const char *)value.p);
            n++;
        }
}

static void add_search(struct text *t, const l2tpc_host_apply_ip *q, struct span old)
{
    struct span list = SPAN_NONE;
    struct span line;
    struct span word;
    unsigned n = 0;

    while (take_line(&old, &line)) /* the last such line counts */
        if (take_word(&line, &word) && (word_is(word, "search") || word_is(word, "domain")))
            list = line;
    for (uint32_t i = 0; i < q->n_search; i++, n++)
        text_add(t, "%s%s", n ? " " : "search ", q->search[i]);
    for (; n < DOMAINS_MAX && take_word(&list, &word); n++)
        text_add(t, "%s%.*s", n ? " " : "search ", (int)word.n, (const char *)word.p);
    if (n > 0)
        text_add(t, "\n");
}

bool resolv_compose(const l2tpc_host_apply_ip *q, struct span old, char *out, size_t cap,
                    size_t *out_n)
{
    struct text t = {.out = out, .cap = cap};
    struct span rest = old;
    struct span line;
    unsigned n;

    text_add(&t, "# Written by l2tpc for the tunnel %s; the file before comes back when it ends.\n",
             q->tunnel);
    n = add_servers(&t, q);
    if (!(q->flags & L2TPC_HOST_IP_FULL_TUNNEL))
        add_old_servers(&t, old, n);
    add_search(&t, q, old);
    while (take_line(&rest, &line)) {
        struct span copy = line;
        struct span key;

        if (take_word(&copy, &key) && (word_is(key, "options") || word_is(key, "sortlist")))
            text_add(&t, "%.*s\n", (int)line.n, (const char *)line.p);
    }
    *out_n = t.n;
    return !t.full;
}
