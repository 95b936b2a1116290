/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables of servers: any file is read or refused with a line, and what was read can be asked. */
#include "fuzz.h"

#include "dial/servers.h"

#include <string.h>

#define ALL_QUIRKS                                                                                 \
    (unsigned)(SERVER_INSTALLS_LATE | SERVER_PORT_1701 | SERVER_UTF8 | SERVER_ANY_ADDRESS |        \
               SERVER_OWN_PORT)

static void check_row(const struct server_row *row)
{
    FUZZ_REQUIRE(row->name[0] != '\0');
    fuzz_check_text(row->name, sizeof(row->name));
    fuzz_check_text(row->origin, sizeof(row->origin));
    fuzz_check_text(row->note, sizeof(row->note));
    fuzz_check_text(row->source, sizeof(row->source));
    FUZZ_REQUIRE(row->n_conditions > 0 && row->n_conditions <= SERVERS_CONDITIONS_MAX);
    FUZZ_REQUIRE(row->n_suggestions <= SERVER_SUGGESTIONS_MAX);
    FUZZ_REQUIRE((row->quirks & ~ALL_QUIRKS) == 0);
    FUZZ_REQUIRE(row->level == SERVER_BY_L2TP || !(row->quirks & SERVER_UTF8));
    FUZZ_REQUIRE(row->level == SERVER_BY_IKE ||
                 !(row->quirks & ~(unsigned)(SERVER_UTF8 | SERVER_ANY_ADDRESS)));
    for (unsigned i = 0; i < row->n_conditions; i++) {
        FUZZ_REQUIRE(row->condition[i].n <= sizeof(row->condition[i].bytes));
        fuzz_check_text(row->condition[i].text, sizeof(row->condition[i].text));
    }
    for (unsigned i = 0; i < row->n_suggestions; i++)
        fuzz_check_text(row->suggest[i], sizeof(row->suggest[i]));
}

/* A server that says what the first own row wants to hear, as far as that can be said. */
static void pose_as(const struct server_row *row, struct ike_facts *ike, struct l2tp_facts *l2tp)
{
    for (unsigned i = 0; i < row->n_conditions; i++) {
        const struct server_condition *c = &row->condition[i];

        if (c->test == TEST_VENDOR_ID || c->test == TEST_FIRST_VENDOR_ID) {
            ike->vendor_bytes[ike->n_vendor_ids].n = c->n;
            FUZZ_REQUIRE(c->n <= IKE_VENDOR_BYTES_KEPT);
            memcpy(ike->vendor_bytes[ike->n_vendor_ids++].bytes, c->bytes, c->n);
        } else if (c->test == TEST_L2TP_VENDOR) {
            memcpy(l2tp->peer_vendor, c->bytes, c->n);
            l2tp->peer_vendor[c->n] = '\0';
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mspan text = fuzz_copy(span_of(data, size));
    struct servers *s = calloc(1, sizeof(*s)); /* without the built-in table, which takes longer */
    struct ike_facts ike = {.cky_r = {1}};
    struct l2tp_facts l2tp = {.peer_tunnel_id = 1};
    struct servers_problem problem = {0};
    struct server_verdict v;
    unsigned n = 0;
    unsigned before;

    FUZZ_REQUIRE(s != NULL);
    before = s->n_rows;
    if (servers_add(s, "fuzz", span_ro(text), &problem)) {
        FUZZ_REQUIRE(s->own && s->n_rows > before && s->n_rows <= SERVERS_ROWS_MAX);
        pose_as(s->own, &ike, &l2tp);
    } else {
        FUZZ_REQUIRE(!s->own && s->n_rows == before && problem.sentence);
    }
    for (const struct server_row *row; (row = servers_at(s, n)); n++)
        check_row(row);
    FUZZ_REQUIRE(n == s->n_rows);
    v = servers_judge(s, &ike, &l2tp);
    FUZZ_REQUIRE((server_verdict_quirks(&v) & ~ALL_QUIRKS) == 0);
    FUZZ_REQUIRE(!v.ike || v.ike->level == SERVER_BY_IKE);
    FUZZ_REQUIRE(!v.l2tp || v.l2tp->level == SERVER_BY_L2TP);
    servers_free(s);
    free(text.p);
    return 0;
}
