/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A scan as the API holds it. */
#ifndef L2TPC_API_SCAN_H
#define L2TPC_API_SCAN_H

#include "api/internal.h"
#include "io/scanner.h"

struct l2tpc_scan {
    l2tpc_context *context;
    struct scanner *scanner;
    bool started, over;
    int event_fd;
    struct l2tpc_error error; /* id 0: none */
    uint16_t port;
    enum scan_depth depth;
    /* What the functions hand out. */
    char address[ADDR_TEXT_MAX];
    char ike[SCAN_OFFER_MAX * (SCAN_SUITE_TEXT + 1)];
    char suite[SCAN_ITEMS_MAX][SCAN_SUITE_TEXT];
    char *json;
};

/* Under the context's lock. */
void scan_fill_state(l2tpc_scan *s, l2tpc_scan_state *out);
void scan_fill_suite(const l2tpc_scan *s, unsigned index, l2tpc_scan_suite *out);
char *scan_json(l2tpc_scan *s);

#endif
