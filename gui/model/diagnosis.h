/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a connection breaks: the places that its packets pass, from this computer to the server,
 * and the layers that are built through them, each with what is known of it. A value, whoever found
 * out.
 */
#ifndef L2D_DIAGNOSIS_H
#define L2D_DIAGNOSIS_H

#include <glib-object.h>

G_BEGIN_DECLS

typedef enum {
    L2D_STEP_UNKNOWN,
    L2D_STEP_PASSED,
    L2D_STEP_FAILED,
} L2dStepState;

typedef struct {
    char *title; /* for people, as all texts here */
    const char *icon;
    L2dStepState state;
    char *evidence; /* "" when nothing is known */
} L2dStep;

/* A fact beneath the picture. */
typedef struct {
    char *title, *value;
} L2dFact;

typedef struct {
    char *sentence, *hint; /* "": nothing failed */
    GPtrArray *places;     /* L2dStep, in the order of a packet's way */
    GPtrArray *layers;     /* L2dStep, in the order in which they are built */
    GPtrArray *facts;      /* L2dFact */
} L2dDiagnosis;

L2dDiagnosis *l2d_diagnosis_new(const char *sentence, const char *hint);
void l2d_diagnosis_free(L2dDiagnosis *diagnosis);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(L2dDiagnosis, l2d_diagnosis_free)

void l2d_diagnosis_add_place(L2dDiagnosis *diagnosis, const char *title, const char *icon,
                             L2dStepState state, const char *evidence);
/* Takes over `title`. */
void l2d_diagnosis_add_layer(L2dDiagnosis *diagnosis, char *title, L2dStepState state,
                             const char *evidence);
/* Nothing happens when the value is "". */
void l2d_diagnosis_add_fact(L2dDiagnosis *diagnosis, const char *title, const char *value);
/* "works", "failed", "not known". */
const char *l2d_diagnosis_word(L2dStepState state);
/* The picture as one text, a line for each place and layer; to be freed. */
char *l2d_diagnosis_to_text(const L2dDiagnosis *diagnosis);

G_END_DECLS

#endif
