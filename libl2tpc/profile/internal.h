/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of libl2tpc-profile share. */
#ifndef L2TPC_PROFILE_INTERNAL_H
#define L2TPC_PROFILE_INTERNAL_H

#include "profile/l2tpc-profile.h"

#include <stdbool.h>
#include <stdint.h>

#define N_(text) text

#define SERVICE_L2TP "org.freedesktop.NetworkManager.l2tp"
#define SERVICE_OURS "org.freedesktop.NetworkManager.l2tpc"
#define USER_PREFIX "net.l2tpc."
#define PROFILES_MAX 64u /* of one file */
#define ROUTES_MAX 64u   /* of one profile; more than any dial takes */

struct l2tpc_profile {
    GHashTable *table[3]; /* by enum l2tpc_profile_table; secrets are wiped when they go */
    GKeyFile *settings;
    GPtrArray *notes;
    char *id; /* as it was last asked for */
};

/* ---- notes.c ---- */

enum note_id {
#define NOTE(id, code, severity, sentence) NOTE_##id,
#include "profile/notes.def"
#undef NOTE
    N_NOTES
};

GPtrArray *notes_new(void);
/* `key` and `value` may be NULL; control characters in them are shown as '?'. */
void notes_add(GPtrArray *notes, enum note_id id, const char *key, const char *value);
l2tpc_profile_note *note_new(enum note_id id, const char *key, const char *value);
void notes_take(GPtrArray *notes, l2tpc_profile_note *note); /* owns it; NULL is fine */
bool notes_have_error(const GPtrArray *notes);
void notes_sort(GPtrArray *notes); /* by severity, otherwise as they came */

/* ---- keys.c ---- */

/* NULL when there is no such key. */
bool key_find(int table, const char *name, l2tpc_profile_key *out);
bool text_is(const char *text, const char *other); /* both may be NULL */
bool key_yes(const l2tpc_profile *p, int table, const char *key);

/* ---- profile.c ---- */

l2tpc_profile *profile_empty(void);
void secret_free(void *text); /* wipes */
char *secret_dup(const char *text, gsize n);
/* A buffer for secrets: large enough not to move, wiped by text_wipe(). */
GString *text_new(gsize expected);
void text_wipe(GString *text);
GBytes *text_to_bytes(GString *text); /* takes it; the bytes are wiped when they go */
/* Judges, and sets, or leaves an error among the profile's notes. */
bool profile_put(l2tpc_profile *p, int table, const char *key, const char *value);
bool profile_put_id(l2tpc_profile *p, const char *id);
/* A pre-shared key as its bytes: what others mean literally may begin with 0s. */
bool profile_put_psk(l2tpc_profile *p, const void *bytes, gsize n);
/* A setting such as [ipv4] never-default, spelled as in a keyfile. */
void profile_put_setting(l2tpc_profile *p, const char *group, const char *key, const char *value);
/* "" when it is not there; free by g_free(). */
char *profile_setting(const l2tpc_profile *p, const char *group, const char *key);
bool profile_setting_true(const l2tpc_profile *p, const char *group, const char *key);
/* "10.0.0.0/8" as the next route of [ipv4] or [ipv6]; an error note when it is none. */
void profile_put_route(l2tpc_profile *p, const char *origin, const char *cidr);
/* All of them, by (index from 0): CIDR, and what stands behind it ("" or ",next hop,metric"). */
bool profile_route_at(const l2tpc_profile *p, unsigned index, char **out_cidr, char **out_rest);
const char *profile_psk(const l2tpc_profile *p); /* wherever it stands; NULL */
/* What the login may be, by all settings together. */
struct logins {
    bool mschapv2, chap, pap, none;
};
struct logins profile_logins(const l2tpc_profile *p);
/* An item of a list such as net.l2tpc.allow. */
bool list_has(const char *list, const char *item);
void profile_allow(l2tpc_profile *p, const char *what);
/* The same, of what an import makes: only these ways to log in, weak ones with a note. */
void profile_set_logins(l2tpc_profile *p, struct logins l);
/* Removes what cannot be in one line of a plain file; false: the value holds such a sign. */
bool value_fits(const char *value, const char *forbidden);
/* Valid CIDR of a route, canonical, or NULL. */
char *route_canonical(const char *text);

/* ---- suites.c: lists of proposals, one by one ---- */

struct suite_names {
    char cipher[24], hash[16], group[16]; /* "aes256", "sha256", "modp2048"; "" when not said */
};

/* The proposals of ipsec-ike or ipsec-esp in one spelling; free by g_array_unref(). */
GArray *suites_of(const char *list);
/* Puts "aes256-sha256-modp2048" behind what is there. */
void suite_append(GString *list, const char *cipher, const char *hash, const char *group);
/* Looks up `from` in rows of {theirs, ours}; NULL. */
const char *name_ours(const char *const (*rows)[2], const char *theirs);
const char *name_theirs(const char *const (*rows)[2], const char *ours);
void suites_note_weak(GPtrArray *notes, const char *key, const char *list);
extern const char NM_L2TP_IKE[], NM_L2TP_ESP[];

/* ---- import.c ---- */

struct import {
    GPtrArray *profiles; /* l2tpc_profile */
    GPtrArray *notes;
    GPtrArray *files; /* struct source, for parts of one profile; NULL otherwise */
};

/* A file whose bytes are text: UTF-8, terminated, without byte order mark. */
struct source {
    const char *name;
    const char *text;
    gsize n;
    int kind; /* swan.c: which part */
};

/* A new profile of ours in the list, or NULL when there are too many. */
l2tpc_profile *import_profile(struct import *in, const char *id);
void import_fail(struct import *in, enum note_id id, const char *value);

typedef void import_function(struct import *in, const struct source *s);
import_function import_keyfile, import_nm_conf, import_apple, import_onc, import_pbk,
    import_powershell, import_swan, import_mikrotik, import_openwrt;

/* Which part of a strongSwan, Libreswan, xl2tpd and pppd set-up a text is; 0: none. */
int swan_part(const char *text);
bool swan_part_stands_alone(int part);

/* cms.c: what a signed message holds, or NULL; the notes tell. */
GBytes *cms_open(const void *bytes, gsize n, GPtrArray *notes);

/* sniff.c: what a foreign file is, as a msgid, or NULL. */
const char *foreign_text(const char *text);

/* ---- export.c ---- */

struct export
{
    const l2tpc_profile *p;
    bool with_secrets;
    GPtrArray *files, *notes;
    char *psk; /* as its bytes are */
};

void export_file(struct export *out, const char *name, GString *text); /* takes the text */
/* One of its settings cannot be carried; nothing when it is not set. */
void export_lost(struct export *out, int table, const char *key);
/* All keys of data and user that are set and not in this list (NULL at its end). */
void export_lost_others(struct export *out, const char *const *carried);
const char *export_secret(const struct export *out, const char *key); /* NULL when left out */
const char *export_text(const struct export *out, int table, const char *key); /* "" */
char *export_user(const struct export *out); /* DOMAIN\user; free by g_free() */
/* The id as a part of a file name. */
char *export_name(const struct export *out);

typedef void export_function(struct export *out);
export_function export_keyfile, export_nm_conf, export_apple, export_onc, export_pbk,
    export_powershell, export_swan, export_mikrotik, export_openwrt;

/* pppd.c: the options of pppd, put together at the end. */
struct pppd {
    struct logins refused, required;
};

/* One option, given as its words; false: it is none that means anything here. */
bool pppd_option(l2tpc_profile *p, struct pppd *state, char **words);
void pppd_end(l2tpc_profile *p, const struct pppd *state);
/* Is this line one of pppd's options? For telling what a file is. */
bool pppd_knows(const char *line);
/* The options of a profile, a line each, without user and password. */
void pppd_write(const struct export *out, GString *text);

/* lines.c: texts line by line */
struct lines {
    const char *at;
};

/* The next line without its end and without blanks around it; free by secret_free(). NULL: no
 * more. */
char *line_next(struct lines *l);
/* A line as words, by the rules of a shell; NULL when a quote is open. Free by words_free(). */
char **line_words(const char *line);
void words_free(char **words);                               /* wipes */
bool text_has_line(const char *text, const char *beginning); /* blanks in front do not count */
bool has_prefix_ci(const char *text, const char *prefix);
bool contains_ci(const char *text, const char *needle);

#endif
