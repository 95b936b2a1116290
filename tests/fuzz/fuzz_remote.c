/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What front and engine say to each other. First byte: an order, or a report: an engine that was
 * taken over may send the front anything, which shows it to people and keeps what was learned. */
#include "fuzz.h"

#include "api/remote_wire.h"
#include "io/channel.h"

#include <string.h>

static uint8_t again[CHANNEL_MAX];

static void order(struct span message)
{
    struct remote_order o;
    struct span out = SPAN_NONE;

    if (!remote_order_read(message, &o))
        return;
    FUZZ_REQUIRE(remote_order_write(&o, again, sizeof(again), &out) && out.n == message.n &&
                 memcmp(out.p, message.p, out.n) == 0);
}

/* Lists have an item a line. */
static void check_lines(char *text)
{
    for (char *p = text; *p; p++)
        if (*p == '\n')
            *p = ' ';
    fuzz_check_text(text, LEARNED_TEXT_MAX);
}

static void event(struct rd rest)
{
    l2tpc_event e = {0};
    struct learned l;
    struct span out = SPAN_NONE;

    if (remote_event_read(rest, &e)) {
        FUZZ_REQUIRE(e.type >= L2TPC_EVENT_STAGE_BEGIN && e.type <= L2TPC_EVENT_RECONNECTING);
        FUZZ_REQUIRE(e.type != L2TPC_EVENT_NEED || e.need.type == L2TPC_NEED_PSK ||
                     e.need.type == L2TPC_NEED_PASSWORD);
        FUZZ_REQUIRE(e.type != L2TPC_EVENT_LEARNED || learned_parse(span_str(e.text), &l));
        if (e.has_error)
            fuzz_check_failure(&e.error.failure);
        FUZZ_REQUIRE(remote_event_write(&e, again, sizeof(again), &out));
        if (e.text)
            check_lines(e.text);
    }
    free(e.text);
}

static void status(struct rd rest)
{
    l2tpc_status *st = calloc(1, sizeof(*st));
    struct span out = SPAN_NONE;
    uint32_t number;

    FUZZ_REQUIRE(st);
    if (remote_status_read(rest, &number, st)) {
        const struct kernel_counts none = {0};
        const struct kernel_counts clear = {.known = true, .clear = 1, .esp_out = 14, .esp_in = 14};

        FUZZ_REQUIRE(st->n_evidence == proof_items() && !st->is_l2tp_in_ipsec);
        FUZZ_REQUIRE(!st->value[STATUS_secrets_psk_place].known);
        FUZZ_REQUIRE(!st->value[STATUS_kernel_clear].known);
        remote_status_judge(st, &none, &none); /* nothing that it can say makes up for that */
        FUZZ_REQUIRE(!st->is_l2tp_in_ipsec);
        remote_status_judge(st, &clear, &clear);
        FUZZ_REQUIRE(!st->is_l2tp_in_ipsec && st->value[STATUS_kernel_clear].number == 1);
        FUZZ_REQUIRE(remote_status_write(st, number, again, sizeof(again), &out));
        FUZZ_REQUIRE(l2tpc_status_to_json(st));
        for (unsigned i = 0; i < STATUS_COUNT; i++)
            if (st->value[i].text)
                check_lines(st->value[i].text);
    }
    l2tpc_status_free(st);
}

static void log_line(struct rd rest)
{
    struct remote_line line;
    struct span out = SPAN_NONE;

    if (!remote_log_read(rest, &line))
        return;
    FUZZ_REQUIRE(line.level <= LOG_LEVEL_DEBUG);
    fuzz_check_text(line.module, sizeof(line.module));
    fuzz_check_text(line.text, sizeof(line.text));
    FUZZ_REQUIRE(remote_log_write(line.level, line.module, line.text, again, sizeof(again), &out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mspan raw;
    struct rd rest;
    uint32_t type;

    if (size < 1)
        return 0;
    raw = fuzz_copy(span_of(data + 1, size - 1));
    if (data[0] & 1)
        order(span_ro(raw));
    else if (remote_report_type(span_ro(raw), &type, &rest)) {
        if (type == REMOTE_EVENT)
            event(rest);
        else if (type == REMOTE_LOG)
            log_line(rest);
        else
            status(rest);
    }
    free(raw.p);
    return 0;
}
