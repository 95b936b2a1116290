/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which server this is, by what it says of itself, and what is known of its kind: a table of rows
 * that comes with the library (data/servers.quirks) and that people extend with files of their own.
 *
 * What a server says proves nothing: vendor IDs are not even authenticated. So a row can only
 * switch on what makes no dial weaker; everything else is a suggestion to a person.
 */
#ifndef L2TPC_DIAL_SERVERS_H
#define L2TPC_DIAL_SERVERS_H

#include "base/limits.h"
#include "base/span.h"
#include "ike/ike.h"
#include "l2tp/l2tp.h"

/* What a row may switch on by itself. */
enum server_quirk {
    SERVER_INSTALLS_LATE =
        1 << 0,                  /* the daemon tells the kernel of its SAs: SCCRQ waits a little */
    SERVER_PORT_1701 = 1 << 1,   /* inner source port 1701 */
    SERVER_UTF8 = 1 << 2,        /* MS-CHAPv2 hashes the UTF-8 bytes of the password */
    SERVER_ANY_ADDRESS = 1 << 3, /* an inner address that is asked for counts as a static one */
    SERVER_OWN_PORT = 1 << 4,    /* serves one tunnel for each of our ports, dead ones included */
};

/* When a row can be judged: from main mode on, or when SCCRP has come. */
enum server_level {
    SERVER_BY_IKE,
    SERVER_BY_L2TP,
};

enum server_test {
    TEST_VENDOR_ID,
    TEST_NO_VENDOR_ID,
    TEST_FIRST_VENDOR_ID,
    TEST_VENDOR_IDS_AT_MOST,
    TEST_L2TP_VENDOR,
    TEST_L2TP_HOST,
    TEST_L2TP_FIRMWARE,
};

struct server_condition {
    enum server_test test;
    bool prefix; /* the bytes are how it begins */
    uint8_t n;
    uint8_t bytes[64];
    uint16_t number;
    char text[80]; /* the line as it was written: the evidence */
};

#define SERVER_NAME_MAX 65
#define SERVER_WORDS_MAX 241
#define SERVER_SUGGESTIONS_MAX 2

struct server_row {
    struct server_row *next;
    char origin[SERVER_NAME_MAX]; /* the file, or "built-in" */
    unsigned line;
    char name[SERVER_NAME_MAX];
    enum server_level level;
    struct server_condition condition[SERVERS_CONDITIONS_MAX];
    unsigned n_conditions;                                 /* all must hold */
    unsigned quirks;                                       /* enum server_quirk bits */
    char suggest[SERVER_SUGGESTIONS_MAX][SERVER_NAME_MAX]; /* options of l2tpc connect */
    unsigned n_suggestions;
    char note[SERVER_WORDS_MAX];   /* a sentence for people; "" */
    char source[SERVER_WORDS_MAX]; /* where that is known from; "" */
};

struct servers {
    struct server_row *own, *own_last; /* files of people, in the order they came */
    struct server_row *built_in;
    unsigned n_rows;
};

struct servers_problem {
    unsigned line;        /* from 1; 0: the file as a whole */
    const char *sentence; /* a msgid */
};

/* With the table that is built in. NULL: no memory. */
struct servers *servers_new(void);
void servers_free(struct servers *s); /* NULL is fine */
/* All of the file or, with the problem said, nothing of it. */
bool servers_add(struct servers *s, const char *origin, struct span file,
                 struct servers_problem *out_problem) MUST_USE;
/* Rows in the order in which they are tried, from 0; NULL behind the last. */
const struct server_row *servers_at(const struct servers *s, unsigned index);

/* servers_text.c: rows in order on the heap; NULL with the problem. */
struct server_row *servers_parse(const char *origin, struct span file, unsigned rows_max,
                                 unsigned *out_n, struct servers_problem *out_problem);
void servers_rows_free(struct server_row *rows);
const char *server_quirk_name(unsigned bit); /* "installs-late"; NULL when there is no such bit */

/* What a dial has learned of its server. NULL: nothing that is known. */
struct server_verdict {
    const struct server_row *ike, *l2tp;
};

/* The first row of each level that holds; `l2tp` NULL: no SCCRP yet. `s` NULL: no table. */
struct server_verdict servers_judge(const struct servers *s, const struct ike_facts *ike,
                                    const struct l2tp_facts *l2tp);
/* What may be switched on: IKE rows speak of IKE, L2TP rows of what the tunnel protects. */
unsigned server_verdict_quirks(const struct server_verdict *v);

#endif
