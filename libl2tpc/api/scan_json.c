/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a scan has found as one line of JSON, "schema": 1. */
#include "api/scan.h"
#include "api/status.h"

#include <stdio.h>
#include <stdlib.h>

static void put_suites(FILE *f, const l2tpc_scan *s)
{
    static const char *const answers[] = {
        [L2TPC_SCAN_NOT_ASKED] = "not-asked",
        [L2TPC_SCAN_ACCEPTED] = "accepted",
        [L2TPC_SCAN_REFUSED] = "refused",
        [L2TPC_SCAN_UNANSWERED] = "unanswered",
    };
    unsigned n = scan_items(scanner_scan(s->scanner))->n;

    (void)fputs(",\"suites\":[", f);
    for (unsigned i = 0; i < n; i++) {
        l2tpc_scan_suite suite;

        scan_fill_suite(s, i, &suite);
        (void)fprintf(f,
                      "%s{\"suite\":\"%s\",\"auth\":\"%s\",\"answer\":\"%s\",\"strength\":\"%s\"",
                      i ? "," : "", suite.suite, suite.auth, answers[suite.answer], suite.strength);
        if (suite.lifetime)
            (void)fprintf(f, ",\"lifetime_s\":%u}", suite.lifetime);
        else
            (void)fputs(",\"lifetime_s\":null}", f);
    }
    (void)fputc(']', f);
}

/* What message 2 said; the words of a failed scan would be made up. */
static void put_peer(FILE *f, const l2tpc_scan *s, const l2tpc_scan_state *st)
{
    const struct scan_facts *facts = scan_facts(scanner_scan(s->scanner));

    (void)fputs(",\"peer\":{\"maker\":", f);
    json_text(f, st->maker);
    (void)fputs(",\"vendor_ids\":[", f);
    for (unsigned i = 0; i < facts->n_vendor_ids; i++) {
        if (i > 0)
            (void)fputc(',', f);
        json_text(f, facts->vendor_ids[i]);
    }
    (void)fputc(']', f);
    if (st->accepted > 0)
        (void)fprintf(f, ",\"nat_traversal\":%s,\"dpd\":%s,\"fragmentation\":%s}",
                      st->nat_traversal ? "true" : "false",
                      st->dead_peer_detection ? "true" : "false",
                      st->fragmentation ? "true" : "false");
    else
        (void)fputs(",\"nat_traversal\":null,\"dpd\":null,\"fragmentation\":null}", f);
}

char *scan_json(l2tpc_scan *s)
{
    static const char *const depths[] = {
        [SCAN_USUAL] = "usual", [SCAN_QUICK] = "quick", [SCAN_ALL] = "all"};
    l2tpc_scan_state st;
    char *out = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&out, &n);

    if (!f)
        return NULL;
    scan_fill_state(s, &st);
    (void)fputs("{\"schema\":1,\"scan\":{\"server\":", f);
    json_text(f, s->error.server);
    (void)fputs(",\"address\":", f);
    json_text(f, st.address);
    (void)fprintf(f, ",\"port\":%u,\"depth\":\"%s\",\"end\":\"%s\",\"messages\":%u,\"answers\":%u",
                  s->port, depths[s->depth], st.end, st.messages, st.answers);
    (void)fprintf(f, ",\"asked\":%u,\"accepted\":%u,\"one_by_one\":%s,\"policy\":", st.asked,
                  st.accepted, st.one_by_one ? "true" : "false");
    json_text(f, st.policy);
    (void)fputs(",\"ike\":", f);
    json_text(f, st.ike);
    (void)fputs(",\"sentence\":", f);
    json_text(f, st.sentence);
    (void)fputs(",\"hint\":", f);
    json_text(f, st.hint);
    (void)fputc('}', f);
    put_peer(f, s, &st);
    put_suites(f, s);
    if (s->over && s->error.failure.id != FAILURE_NONE)
        json_error(f, &s->error);
    (void)fputc('}', f);
    if (fclose(f) == 0)
        return out;
    free(out);
    return NULL;
}
