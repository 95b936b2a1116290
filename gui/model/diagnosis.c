/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/diagnosis.h"

#include <glib/gi18n.h>

static void step_free(gpointer data)
{
    L2dStep *s = data;

    g_free(s->title);
    g_free(s->evidence);
    g_free(s);
}

static void fact_free(gpointer data)
{
    L2dFact *f = data;

    g_free(f->title);
    g_free(f->value);
    g_free(f);
}

L2dDiagnosis *l2d_diagnosis_new(const char *sentence, const char *hint)
{
    L2dDiagnosis *d = g_new0(L2dDiagnosis, 1);

    d->sentence = g_strdup(sentence);
    d->hint = g_strdup(hint);
    d->places = g_ptr_array_new_with_free_func(step_free);
    d->layers = g_ptr_array_new_with_free_func(step_free);
    d->facts = g_ptr_array_new_with_free_func(fact_free);
    return d;
}

void l2d_diagnosis_free(L2dDiagnosis *d)
{
    if (!d)
        return;
    g_free(d->sentence);
    g_free(d->hint);
    g_ptr_array_unref(d->places);
    g_ptr_array_unref(d->layers);
    g_ptr_array_unref(d->facts);
    g_free(d);
}

static L2dStep *step_new(char *title, L2dStepState state, const char *evidence)
{
    L2dStep *s = g_new0(L2dStep, 1);

    s->title = title;
    s->state = state;
    s->evidence = g_strdup(evidence);
    return s;
}

void l2d_diagnosis_add_place(L2dDiagnosis *d, const char *title, const char *icon,
                             L2dStepState state, const char *evidence)
{
    L2dStep *s = step_new(g_strdup(title), state, evidence);

    s->icon = icon;
    g_ptr_array_add(d->places, s);
}

void l2d_diagnosis_add_layer(L2dDiagnosis *d, char *title, L2dStepState state, const char *evidence)
{
    g_ptr_array_add(d->layers, step_new(title, state, evidence));
}

void l2d_diagnosis_add_fact(L2dDiagnosis *d, const char *title, const char *value)
{
    L2dFact *f;

    if (!*value)
        return;
    f = g_new0(L2dFact, 1);
    f->title = g_strdup(title);
    f->value = g_strdup(value);
    g_ptr_array_add(d->facts, f);
}

const char *l2d_diagnosis_word(L2dStepState state)
{
    switch (state) {
    case L2D_STEP_PASSED:
        return _("works");
    case L2D_STEP_FAILED:
        return _("failed");
    case L2D_STEP_UNKNOWN:
    default:
        return _("not known");
    }
}

static void put_steps(GString *out, const GPtrArray *steps)
{
    for (guint i = 0; i < steps->len; i++) {
        const L2dStep *s = g_ptr_array_index(steps, i);

        g_string_append_printf(out, "%s: %s", s->title, l2d_diagnosis_word(s->state));
        if (*s->evidence)
            g_string_append_printf(out, ". %s", s->evidence);
        g_string_append_c(out, '\n');
    }
}

char *l2d_diagnosis_to_text(const L2dDiagnosis *d)
{
    GString *out = g_string_new(NULL);

    put_steps(out, d->places);
    put_steps(out, d->layers);
    return g_string_free(out, FALSE);
}
