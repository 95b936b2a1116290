/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The few words that we put together ourselves: states, amounts, durations, failures. */
#ifndef L2D_WORDS_H
#define L2D_WORDS_H

#include "model/snapshot.h"

#include <glib/gi18n.h>

G_BEGIN_DECLS

/* "Connected"; in the user's language. */
const char *l2d_words_state(L2dState state);
/* "net.l2tpc.Dialer-connected-symbolic" */
const char *l2d_words_state_icon(L2dState state);
/* Name of a style of libadwaita: "success", "error", ..., or "dim-label". */
const char *l2d_words_state_style(L2dState state);
/* What an observer counted or saw, as the engine wrote it down in English. */
char *l2d_words_evidence(const char *english);
/* "1:02:03" */
char *l2d_words_duration(gint64 seconds);
/* "1 h 2 min", for a time that is still to come. */
char *l2d_words_remaining(gint64 seconds);
/* A value of the status for people: amounts with their unit, yes and no in the user's language. */
char *l2d_words_value(const L2dSnapshot *snapshot, const char *path);
/* "12.3 MB", and "1.2 MB/s" of what flows in a second. */
char *l2d_words_bytes(guint64 bytes);
char *l2d_words_rate(double bytes_per_second);
/* "0.42 s", "17 ms" */
char *l2d_words_time(double ms);
/* A sentence of the catalogue of failures in the user's language: `english` is what came of its
 * template, whose places are read back from it. */
char *l2d_words_failure(const char *code, gboolean hint, const char *english);

G_END_DECLS

#endif
