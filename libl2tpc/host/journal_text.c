/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan as text and back. The reader takes nothing for granted: a power cut or a full disk may
 * have left anything in the file. */
#include "host/journal.h"
#include "host/text_out.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAGIC "l2tpc-journal"
#define WORDS_MAX 5
#define LINE_MAX_LEN 256

static void add_item(struct text *t, const struct item *i)
{
    char addr[ADDR_TEXT_MAX];

    inaddr_text(&i->dst, addr);
    switch (i->kind) {
    case ITEM_TUN:
        text_add(t, "tun %u %s\n", i->ifindex, i->name);
        break;
    case ITEM_ADDR:
        text_add(t, "addr %u %s\n", i->ifindex, addr);
        break;
    case ITEM_ROUTE:
        text_add(t, "route %u %s/%u %u\n", i->table, addr, i->dst_len, i->ifindex);
        break;
    case ITEM_RULE:
        text_add(t, "rule %u %u %u %s/%u\n", i->priority, i->table, i->mark, addr, i->dst_len);
        break;
    case ITEM_RP_FILTER:
        text_add(t, "rp_filter %s %u %u\n", i->name, i->old_value, i->new_value);
        break;
    case ITEM_RESOLV_CONF:
        text_add(t, "resolv-conf\n");
        break;
    case ITEM_RESOLVED:
        text_add(t, "resolved %u\n", i->ifindex);
        break;
    }
}

bool journal_format(const struct plan *plan, char *out, size_t cap, size_t *out_n)
{
    struct text t = {.out = out, .cap = cap};

    text_add(&t, MAGIC " 1\nowner %lld %" PRIu64 "\ntunnel %s\ninterface %s %u\nslot %u\n",
             (long long)plan->owner_pid, plan->owner_start, plan->tunnel, plan->interface,
             plan->ifindex, plan->slot);
    for (size_t i = 0; i < plan->n_items; i++)
        add_item(&t, &plan->item[i]);
    text_add(&t, "end\n");
    if (t.full)
        return false;
    *out_n = t.n;
    return true;
}

/* One line split at single spaces; words are NUL-terminated inside the caller's copy. */
struct words {
    char line[LINE_MAX_LEN];
    char *word[WORDS_MAX];
    size_t n;
};

static bool split(struct words *w, struct span line)
{
    char *p = w->line;

    w->n = 0;
    if (line.n == 0 || line.n >= sizeof(w->line) || memchr(line.p, '\0', line.n))
        return false;
    memcpy(w->line, line.p, line.n);
    w->line[line.n] = '\0';
    for (;;) {
        if (w->n == WORDS_MAX || *p == ' ' || *p == '\0')
            return false;
        w->word[w->n++] = p;
        p = strchr(p, ' ');
        if (!p)
            return true;
        *p++ = '\0';
    }
}

static bool number(const char *word, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    if (*word == '\0')
        return false;
    for (; *word; word++) {
        if (*word < '0' || *word > '9')
            return false;
        if (v > (max - (uint64_t)(*word - '0')) / 10)
            return false;
        v = v * 10 + (uint64_t)(*word - '0');
    }
    *out = v;
    return true;
}

static bool number_u32(const char *word, uint32_t *out)
{
    uint64_t v;

    if (!number(word, UINT32_MAX, &v))
        return false;
    *out = (uint32_t)v;
    return true;
}

static bool number_u8(const char *word, uint8_t *out)
{
    uint64_t v;

    if (!number(word, UINT8_MAX, &v))
        return false;
    *out = (uint8_t)v;
    return true;
}

static bool prefix(char *word, struct item *i)
{
    char *slash = strchr(word, '/');

    if (!slash)
        return false;
    *slash = '\0';
    return inaddr_parse(&i->dst, word) && number_u8(slash + 1, &i->dst_len) &&
           i->dst_len <= 8 * inaddr_len(&i->dst);
}

static bool name(char out[HOST_IFNAME], const char *word)
{
    if (!ifname_valid(word, HOST_IFNAME, false))
        return false;
    (void)snprintf(out, HOST_IFNAME, "%s", word);
    return true;
}

static bool item_tun(struct words *w, struct item *i)
{
    i->kind = ITEM_TUN;
    return number_u32(w->word[1], &i->ifindex) && name(i->name, w->word[2]);
}

static bool item_addr(struct words *w, struct item *i)
{
    i->kind = ITEM_ADDR;
    return number_u32(w->word[1], &i->ifindex) && inaddr_parse(&i->dst, w->word[2]);
}

static bool item_route(struct words *w, struct item *i)
{
    i->kind = ITEM_ROUTE;
    return number_u32(w->word[1], &i->table) && prefix(w->word[2], i) &&
           number_u32(w->word[3], &i->ifindex);
}

static bool item_rule(struct words *w, struct item *i)
{
    i->kind = ITEM_RULE;
    return number_u32(w->word[1], &i->priority) && number_u32(w->word[2], &i->table) &&
           number_u32(w->word[3], &i->mark) && prefix(w->word[4], i);
}

static bool item_rp_filter(struct words *w, struct item *i)
{
    i->kind = ITEM_RP_FILTER;
    return name(i->name, w->word[1]) && number_u8(w->word[2], &i->old_value) &&
           number_u8(w->word[3], &i->new_value) && i->old_value <= 2 && i->new_value <= 2;
}

static bool item_resolv_conf(struct words *w, struct item *i)
{
    (void)w;
    i->kind = ITEM_RESOLV_CONF;
    return true;
}

static bool item_resolved(struct words *w, struct item *i)
{
    i->kind = ITEM_RESOLVED;
    return number_u32(w->word[1], &i->ifindex);
}

static const struct {
    const char *key;
    size_t n_words;
    bool (*read)(struct words *w, struct item *i);
} item_lines[] = {
    {"tun", 3, item_tun},
    {"addr", 3, item_addr},
    {"route", 4, item_route},
    {"rule", 5, item_rule},
    {"rp_filter", 4, item_rp_filter},
    {"resolv-conf", 1, item_resolv_conf},
    {"resolved", 2, item_resolved},
};

static bool read_owner(struct words *w, struct plan *p)
{
    uint64_t pid;

    if (w->n != 3 || !number(w->word[1], INT32_MAX, &pid) || pid == 0 ||
        !number(w->word[2], UINT64_MAX, &p->owner_start))
        return false;
    p->owner_pid = (pid_t)pid;
    p->has_owner = true;
    return true;
}

static bool read_head(struct words *w, struct plan *p)
{
    uint64_t v;

    if (strcmp(w->word[0], "owner") == 0)
        return read_owner(w, p);
    if (strcmp(w->word[0], "tunnel") == 0) {
        if (w->n != 2 || !l2tpc_host_name_valid(w->word[1]))
            return false;
        (void)snprintf(p->tunnel, sizeof(p->tunnel), "%s", w->word[1]);
        return true;
    }
    if (strcmp(w->word[0], "interface") == 0)
        return w->n == 3 && name(p->interface, w->word[1]) && number_u32(w->word[2], &p->ifindex);
    if (strcmp(w->word[0], "slot") == 0) {
        if (w->n != 2 || !number(w->word[1], L2TPC_HOST_TUNNELS_MAX - 1, &v))
            return false;
        p->slot = (uint32_t)v;
        p->has_slot = true;
        return true;
    }
    return false;
}

static bool read_line(struct plan *p, struct span line)
{
    struct words w;
    struct item item = {.kind = ITEM_TUN};

    if (!split(&w, line))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(item_lines); i++)
        if (strcmp(w.word[0], item_lines[i].key) == 0)
            return w.n == item_lines[i].n_words && item_lines[i].read(&w, &item) &&
                   plan_add(p, &item);
    return read_head(&w, p);
}

void journal_parse(struct plan *out, struct span text)
{
    static const char magic[] = MAGIC " 1";
    static const char last[] = "end";
    bool first = true;
    bool ended = false;

    *out = (struct plan){.whole = true};
    while (text.n > 0) {
        const uint8_t *nl = memchr(text.p, '\n', text.n);
        struct span line = span_of(text.p, nl ? (size_t)(nl - text.p) : text.n);
        size_t taken = nl ? line.n + 1 : line.n;

        /* A last line without its newline is cut off: its numbers may have lost digits. */
        if (!nl || ended)
            out->whole = false;
        else if (first)
            out->whole = span_eq(line, span_str(magic));
        else if (span_eq(line, span_str(last)))
            ended = true;
        else if (!read_line(out, line))
            out->whole = false;
        first = false;
        text = span_of(text.p + taken, text.n - taken);
    }
    if (!ended || !out->has_owner || !out->has_slot || !out->tunnel[0] || !out->interface[0])
        out->whole = false;
}
