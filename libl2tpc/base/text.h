/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text that came from a peer, made fit to be shown: bounded, printable, valid UTF-8. */
#ifndef L2TPC_BASE_TEXT_H
#define L2TPC_BASE_TEXT_H

#include "base/span.h"

/* Longest text of a peer that is kept, with the NUL (hostile.md C37). */
#define PEER_TEXT_MAX 129

/* Control bytes, backslashes and broken UTF-8 become \xNN; cut at a whole character. */
void text_escape(char *out, size_t cap, struct span raw);

/* Lower-case hex of up to (cap - 1) / 2 bytes. */
void text_hex(char *out, size_t cap, struct span raw);

/* Well-formed UTF-8 (no surrogates, no overlong forms). */
bool text_is_utf8(struct span raw);

#endif
