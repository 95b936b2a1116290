/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef L2TPC_BASE_VERDICT_H
#define L2TPC_BASE_VERDICT_H

/* What an engine says of one piece of input. */
enum verdict {
    VERDICT_OK,    /* taken */
    VERDICT_DROP,  /* counted, nothing changed */
    VERDICT_FATAL, /* the engine has failed: an event with the failure is queued */
};

#endif
