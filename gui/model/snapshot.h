/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is known of a tunnel at one moment: an immutable value, whoever said it. Its values are
 * found by the paths of the status ("esp.spi_in"); no meaning of any of them is known here.
 */
#ifndef L2D_SNAPSHOT_H
#define L2D_SNAPSHOT_H

#include <glib-object.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef enum {
    L2D_STATE_OFF,
    L2D_STATE_DIALING,
    L2D_STATE_UP,
    L2D_STATE_RECONNECTING,
    L2D_STATE_CLOSING,
    L2D_STATE_FAILED,
} L2dState;

typedef struct {
    char *code, *sentence, *value, *observer; /* the sentence is a msgid */
    gboolean ok;
} L2dEvidence;

typedef struct {
    char *name; /* "ike-quick" */
    double ms;
} L2dStage;

typedef struct {
    char *code, *stage, *sentence, *hint; /* for people, in their language where we can */
    gint64 peer_code, windows_code;       /* -1: none */
} L2dFailure;

typedef struct L2dSnapshot L2dSnapshot;

#define L2D_TYPE_SNAPSHOT (l2d_snapshot_get_type())
GType l2d_snapshot_get_type(void);

/* The object that l2tpc status --json prints; NULL when it is none. */
L2dSnapshot *l2d_snapshot_new_from_json(JsonObject *object);
/* For what happens before there is a tunnel, or when nobody can say more. */
L2dSnapshot *l2d_snapshot_new_for_state(L2dState state);
L2dSnapshot *l2d_snapshot_ref(L2dSnapshot *snapshot);
void l2d_snapshot_unref(L2dSnapshot *snapshot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(L2dSnapshot, l2d_snapshot_unref)

L2dState l2d_snapshot_get_state(const L2dSnapshot *snapshot);
/* The evidence proves it. */
gboolean l2d_snapshot_is_proven(const L2dSnapshot *snapshot);
/* Never NULL: "" when it is not known. The items of a list stand on lines of their own. */
const char *l2d_snapshot_get(const L2dSnapshot *snapshot, const char *path);
guint64 l2d_snapshot_get_number(const L2dSnapshot *snapshot, const char *path);
GPtrArray *l2d_snapshot_get_evidence(const L2dSnapshot *snapshot);       /* L2dEvidence */
GPtrArray *l2d_snapshot_get_stages(const L2dSnapshot *snapshot);         /* L2dStage */
const L2dFailure *l2d_snapshot_get_failure(const L2dSnapshot *snapshot); /* or NULL */
/* As it was received, indented; to be freed. */
char *l2d_snapshot_to_json(const L2dSnapshot *snapshot);
/* Every label and value, one a line, in the user's language; to be freed. */
char *l2d_snapshot_to_text(const L2dSnapshot *snapshot);

G_END_DECLS

#endif
