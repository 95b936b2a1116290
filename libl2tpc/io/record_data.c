/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Apart from record.c, as the plane may be linked without a dial engine. */
#define RECORD_ITSELF
#include "io/record.h"
#include "io/record_line.h"

#if L2TPC_TEST_HOOKS

/* In place, so that what goes in is written first. */
enum data_kind record_open(struct data_path *d, struct mspan packet, struct mspan *out)
{
    enum data_kind kind;

    record_line(span_ro(packet), "open");
    kind = data_open(d, packet, out);
    record_line(kind == DATA_NOTHING ? SPAN_NONE : span_ro(*out), "opened %d", (int)kind);
    return kind;
}

bool record_seal_ip(struct data_path *d, struct mspan ip, struct mspan *packet)
{
    bool ok;

    record_line(span_ro(ip), "seal");
    ok = data_seal_ip(d, ip, packet);
    record_line(ok ? span_ro(*packet) : SPAN_NONE, "sealed %d", ok);
    return ok;
}

#endif
