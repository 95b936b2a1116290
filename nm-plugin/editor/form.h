/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A form over a profile: each field is a control for one value, and writes it back as soon as it is
 * changed. What has no field stays in the profile as it is.
 */
#ifndef L2TPC_NM_FORM_H
#define L2TPC_NM_FORM_H

#include "toolkit.h"

#include <l2tpc-profile.h>

enum field_kind {
    FIELD_TEXT,
    FIELD_FLAG,   /* yes, or not there */
    FIELD_ON,     /* a flag whose word is "on" */
    FIELD_CHOICE, /* one of `choices` */
    FIELD_WORD,   /* a word of a list */
    FIELD_LOGIN,  /* a way to log in: see form_login_is_on() */
};

/* A label of NULL behind the last; a value of NULL: not there. */
struct field_choice {
    const char *value, *label;
};

struct field {
    enum field_kind kind;
    int table;
    const char *key;
    const char *label; /* msgid with a mnemonic */
    const char *help;  /* msgid, of the tooltip; or NULL */
    const struct field_choice *choices;
    const char *word; /* FIELD_WORD and FIELD_LOGIN; of FIELD_TEXT, a placeholder (msgid) */
};

struct field_page {
    const char *title, *introduction; /* msgids; the second may be NULL */
    const struct field *fields;
    gsize n;
};

extern const struct field_page field_pages[];
extern const gsize field_pages_n;
extern const struct field field_gateway, field_user;

struct form {
    l2tpc_profile *profile;
    GPtrArray *rows; /* struct form_row */
    void (*changed)(void *user);
    void *user;
    gboolean filling; /* the form itself changes its controls */
};

void form_init(struct form *f, l2tpc_profile *profile, void (*changed)(void *), void *user);
void form_clear(struct form *f);
/* One row of a grid of two columns; returns the row behind it. */
int form_add(struct form *f, GtkWidget *grid, int row, const struct field *field);
/* Controls that stand for themselves: writes a text, NULL when it is empty. */
void form_put(struct form *f, int table, const char *key, const char *value);
/* Shows what is wrong with the values, and which fields make no sense as things are. */
void form_refresh(struct form *f);

/* The label of a control in the first column. */
GtkWidget *form_label(const char *mnemonic, GtkWidget *control);
/* A sentence with a sign in front of it, which says what colour alone would not. */
GtkWidget *form_sentence(const char *icon, const char *style, const char *text);

/* ---- ways to log in ---- */

gboolean form_login_is_on(const l2tpc_profile *p, const char *method);
void form_login_set(l2tpc_profile *p, const char *method, gboolean on);
gboolean form_list_has(const char *list, const char *word);
void form_list_set(l2tpc_profile *p, int table, const char *key, const char *word, gboolean on);

#endif
