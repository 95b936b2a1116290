/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The values that the messages between our processes share. Readers believe nothing: lengths,
 * numbers of rows, and that a text can be shown on a terminal.
 */
#ifndef L2TPC_API_WIRE_H
#define L2TPC_API_WIRE_H

#include "dial/dial.h"
#include "wire/rd.h"
#include "wire/wr.h"

/* A 32-bit length and the bytes. */
void put_box(struct wr *w, struct span bytes);
bool get_box(struct rd *r, size_t max, struct span *out) MUST_USE;
/* Text of valid UTF-8 without control characters; `lines`: but for newlines. Shorter than cap. */
void put_text(struct wr *w, const char *text);
bool get_text(struct rd *r, char *out, size_t cap, bool lines) MUST_USE;
bool get_bool(struct rd *r, bool *out) MUST_USE;
/* A number below `end`. */
bool get_below(struct rd *r, uint32_t end, uint32_t *out) MUST_USE;
void put_addr(struct wr *w, const struct inaddr *a);
bool get_addr(struct rd *r, struct inaddr *out) MUST_USE; /* may be none */
void put_failure(struct wr *w, const struct failure *f);
bool get_failure(struct rd *r, struct failure *out) MUST_USE;
void put_certs(struct wr *w, const struct cert_list *list);
bool get_certs(struct rd *r, struct cert_list *out) MUST_USE; /* `out` is empty before */
/* A secret that may be missing. */
void put_secret(struct wr *w, const struct secret *s);
bool get_secret(struct rd *r, bool *has, struct secret *out) MUST_USE;

#endif
