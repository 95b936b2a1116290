/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libl2tpc-profile: stored connections to L2TP/IPsec servers, and their import and export. A
 * profile is what NetworkManager stores of a connection of NetworkManager-l2tp: pairs of texts in
 * vpn.data, vpn.secrets and user.data, and the other settings as groups of a keyfile. Our own
 * settings stand in user.data and begin with net.l2tpc. ; see PROFILES in l2tpc(1).
 *
 * The library stands on GLib, neither on libl2tpc nor on libnm. It opens no file and asks nobody:
 * bytes go in, bytes come out. A profile belongs to one thread at a time. Texts are UTF-8.
 * Sentences are msgids of the domain "l2tpc".
 */
#ifndef L2TPC_PROFILE_H
#define L2TPC_PROFILE_H

#include <glib.h>

G_BEGIN_DECLS

#if defined(__GNUC__)
#define L2TPC_PROFILE_API __attribute__((visibility("default")))
#else
#define L2TPC_PROFILE_API
#endif

enum l2tpc_profile_result {
    L2TPC_PROFILE_OK = 0,
    L2TPC_PROFILE_ENOTSUPPORTED = -1, /* something else than an L2TP/IPsec connection */
    L2TPC_PROFILE_EMALFORMED = -2,    /* the right kind of file, but damaged */
    L2TPC_PROFILE_EINVALID = -3,      /* a value that no profile may have */
    L2TPC_PROFILE_EARGUMENT = -4,     /* of the call */
};

#define L2TPC_PROFILE_FILE_MAX (1u << 20) /* bytes of a file that is imported */
#define L2TPC_PROFILE_FILES_MAX 16u

/* ---------------------------------------------------------------------------------------- notes
 */

enum l2tpc_profile_severity {
    L2TPC_PROFILE_ERROR = 0,      /* cannot be dialed, imported or exported */
    L2TPC_PROFILE_WEAKNESS = 1,   /* can, but protects less */
    L2TPC_PROFILE_LOSS = 2,       /* was not understood, or cannot be carried */
    L2TPC_PROFILE_DIFFERENCE = 3, /* is done in another way than NetworkManager-l2tp does it */
};

/* Something that a person should know. `code` is stable; `value` is never a secret. */
typedef struct l2tpc_profile_note {
    const char *code;
    int severity;         /* enum l2tpc_profile_severity */
    const char *sentence; /* msgid; {key} and {value} stand for the two below */
    char *key, *value;    /* "" when there is none */
} l2tpc_profile_note;

/* The sentence with its places filled in; `translated` may be NULL: in English. Free by g_free().
 */
L2TPC_PROFILE_API char *l2tpc_profile_note_text(const l2tpc_profile_note *note,
                                                const char *translated);
/* "error", "weakness", "loss", "difference". */
L2TPC_PROFILE_API const char *l2tpc_profile_severity_name(int severity);
/* All notes there are, from 0, without key and value; FALSE behind the last. */
L2TPC_PROFILE_API gboolean l2tpc_profile_note_at(unsigned index, l2tpc_profile_note *out);

/* ----------------------------------------------------------------------------------------- keys
 */

enum l2tpc_profile_table {
    L2TPC_PROFILE_DATA = 0,    /* vpn.data */
    L2TPC_PROFILE_SECRETS = 1, /* vpn.secrets */
    L2TPC_PROFILE_USER = 2,    /* user.data */
};

/* A key that may stand in a profile. */
typedef struct l2tpc_profile_key {
    int table; /* enum l2tpc_profile_table */
    const char *name;
    const char *type;     /* "text", "name", "flag", "number", "choice", "list", "file", ... */
    unsigned least, most; /* of a number; of a text, its bytes */
    const char *choices;  /* "a|b|c", or "" */
    const char *series; /* who has it: "1.20" (and later), "1.52" of NetworkManager-l2tp, "l2tpc" */
    const char *use;    /* "used", "refused", "unneeded", "differs" */
    const char *meaning; /* msgid */
} l2tpc_profile_key;

/* From 0; FALSE behind the last. */
L2TPC_PROFILE_API gboolean l2tpc_profile_key_at(unsigned index, l2tpc_profile_key *out);
/* What is wrong with this value of this key, or NULL. Free by l2tpc_profile_note_free(). */
L2TPC_PROFILE_API l2tpc_profile_note *l2tpc_profile_value_fault(int table, const char *key,
                                                                const char *value);
L2TPC_PROFILE_API void l2tpc_profile_note_free(l2tpc_profile_note *note);

/* -------------------------------------------------------------------------------------- profile
 */

typedef struct l2tpc_profile l2tpc_profile;

/* One of our own: L2TP inside IPsec under the policy "compatible". */
L2TPC_PROFILE_API l2tpc_profile *l2tpc_profile_new(void);
/* From what an NMConnection holds: tables of texts by texts, copied; each may be NULL. */
L2TPC_PROFILE_API l2tpc_profile *
l2tpc_profile_new_from_tables(GHashTable *data, GHashTable *secrets, GHashTable *user);
/* Wipes the secrets. NULL is fine. */
L2TPC_PROFILE_API void l2tpc_profile_free(l2tpc_profile *profile);

/* NULL when it is not there. */
L2TPC_PROFILE_API const char *l2tpc_profile_get(const l2tpc_profile *profile, int table,
                                                const char *key);
/* NULL removes. Nothing is judged here. */
L2TPC_PROFILE_API void l2tpc_profile_set(l2tpc_profile *profile, int table, const char *key,
                                         const char *value);
/* All of a table, to be read; changes by l2tpc_profile_set() alone. */
L2TPC_PROFILE_API GHashTable *l2tpc_profile_get_table(const l2tpc_profile *profile, int table);
/* The name for people (connection.id), "" when there is none; good until it is changed. */
L2TPC_PROFILE_API const char *l2tpc_profile_get_id(const l2tpc_profile *profile);
L2TPC_PROFILE_API void l2tpc_profile_set_id(l2tpc_profile *profile, const char *id);
/*
 * The other settings, as a keyfile of NetworkManager spells them: [connection], [ipv4], [ipv6] and
 * whatever else, and of [vpn] what is no data (user-name, persistent, timeout). Belongs to the
 * profile; may be changed.
 */
L2TPC_PROFILE_API GKeyFile *l2tpc_profile_get_settings(const l2tpc_profile *profile);
/* What its import had to say: l2tpc_profile_note. */
L2TPC_PROFILE_API GPtrArray *l2tpc_profile_get_notes(const l2tpc_profile *profile);
/*
 * FALSE: nobody has chosen a policy in it (net.l2tpc.policy), so it is a profile of
 * NetworkManager-l2tp and carries its owner's consent to that plugin's algorithms and logins.
 */
L2TPC_PROFILE_API gboolean l2tpc_profile_is_ours(const l2tpc_profile *profile);

/*
 * All that is to be said of it: l2tpc_profile_note, errors first. Free by g_ptr_array_unref(). With
 * an error in it l2tpc_profile_get_dial() refuses.
 */
L2TPC_PROFILE_API GPtrArray *l2tpc_profile_check(const l2tpc_profile *profile);

/*
 * A setting of a dial. `name` is that of an option of l2tpc connect, and of a setter of l2tpc.h:
 * "server", "user", "domain", "policy", "ike", "esp", "encapsulation", "server-id", "local-id",
 * "ike-mode", "allow" and "quirk" (once each a value), "reconnect", "revocation", "timeout", "mru",
 * "certificate", "key", "ca" (paths or pkcs11: URIs), the secrets "psk", "password" and
 * "passphrase", and what concerns this computer: "route" (CIDR, repeated), "no-default-route",
 * "no-dns", "keep-ipv6", "kill-switch", "allow-lan" (value "yes"). `value` is not terminated by its
 * length alone: it has a NUL behind it, but a pre-shared key may hold others.
 */
typedef struct l2tpc_profile_option {
    const char *name;
    char *value;
    gsize value_len;
    gboolean is_secret; /* wiped with the list */
} l2tpc_profile_option;

/*
 * What is to be dialed: l2tpc_profile_option, to be freed by g_ptr_array_unref(). Notes as of
 * l2tpc_profile_check(); `out_notes` may be NULL. With an error among them nothing is given and the
 * result is L2TPC_PROFILE_EINVALID.
 */
L2TPC_PROFILE_API int l2tpc_profile_get_dial(const l2tpc_profile *profile, GPtrArray **out_options,
                                             GPtrArray **out_notes);

/*
 * The bytes that a pre-shared key in a profile, or said by a person, stands for: "0s" is followed
 * by base64, everything else is the key itself. `*out_len` bytes and a NUL behind them, to be wiped
 * and freed by g_free(); NULL when l2tpc_profile_value_fault() has something to say of it.
 */
L2TPC_PROFILE_API char *l2tpc_profile_decode_psk(const char *psk, gsize *out_len);

/* ----------------------------------------------------------------------------- import and export
 */

typedef struct l2tpc_profile_format {
    const char *name;   /* "networkmanager", "nm-l2tp", "apple", "rasphone", ... */
    const char *title;  /* msgid */
    const char *suffix; /* of a file, ".nmconnection"; "" for several files */
} l2tpc_profile_format;

/* From 0; FALSE behind the last. */
L2TPC_PROFILE_API gboolean l2tpc_profile_format_at(unsigned index, l2tpc_profile_format *out);

typedef struct l2tpc_profile_file {
    char *name; /* without a folder */
    GBytes *bytes;
} l2tpc_profile_file;

/*
 * Which format it is, is seen from the contents, never from the name. Gives the profiles in the
 * files (l2tpc_profile, freed with the array) with notes of their own, and in `out_notes` what
 * concerns the files: on failure the reason, an error. ipsec.conf, xl2tpd.conf, ipsec.secrets,
 * chap-secrets and pppd's options are parts of one profile. ENOTSUPPORTED tells a foreign file at
 * once: nothing of it is parsed.
 */
L2TPC_PROFILE_API int l2tpc_profile_import(const l2tpc_profile_file *files, gsize n_files,
                                           GPtrArray **out_profiles, GPtrArray **out_notes);

enum l2tpc_profile_export_flags {
    L2TPC_PROFILE_WITH_SECRETS = 1, /* the bytes are then wiped with the array */
};

/* l2tpc_profile_file, one or more, with the names to be given to them; notes: what is lost. */
L2TPC_PROFILE_API int l2tpc_profile_export(const l2tpc_profile *profile, const char *format,
                                           unsigned flags, GPtrArray **out_files,
                                           GPtrArray **out_notes);

G_END_DECLS

#endif
