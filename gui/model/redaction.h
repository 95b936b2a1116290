/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Takes out of a text who and where: what is known to be a name, an identity or a place of a file,
 * and whatever has the form of an address. The same one has the same number everywhere, so that the
 * text can still be followed.
 */
#ifndef L2D_REDACTION_H
#define L2D_REDACTION_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct L2dRedaction L2dRedaction;

L2dRedaction *l2d_redaction_new(void);
void l2d_redaction_free(L2dRedaction *redaction);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(L2dRedaction, l2d_redaction_free)

/* `kind` stands in its place with a number: "server" makes "[server 1]". "" and what is in there
 * already are fine; a list has an item a line. */
void l2d_redaction_add(L2dRedaction *redaction, const char *kind, const char *text);
char *l2d_redaction_apply(L2dRedaction *redaction, const char *text);

G_END_DECLS

#endif
