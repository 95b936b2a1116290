/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the l2tpc command share. It stands on the installed headers alone. */
#ifndef L2TPC_CLI_CLI_H
#define L2TPC_CLI_CLI_H

#include "cli/protect.h"

#include <l2tpc-host.h>
#include <l2tpc.h>

#include <libintl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <termios.h>

#define _(text) gettext(text)
#define N_(text) text

/* Exit statuses beside 0 and the 3 to 13 of the stages; see l2tpc(1). */
#define EXIT_LOCAL 1
#define EXIT_USAGE 2
#define EXIT_NOT_RUN 126 /* l2tpc run: the command could not be started */

#define SECRET_BYTES_MAX 512

struct secret_bytes {
    bool given;
    size_t n;
    unsigned char bytes[SECRET_BYTES_MAX + 1];
    bool stored; /* in a file, of this owner and with these rights */
    unsigned owner, mode;
};

struct connect_options {
    const char *server, *user, *domain, *name;
    const char *psk_file, *password_file;
    const char *certificate, *key, *passphrase_file, *ca, *server_id, *local_id;
    int secrets_fd; /* -1: none */
    const char *revocation, *ike_mode;
    const char *policy, *ike, *esp, *encapsulation, *until, *interface_name;
    const char *allow[8], *quirk[4];
    unsigned n_allow, n_quirk;
    unsigned timeout, mru, data_threads;
    l2tpc_host_addr route[L2TPC_HOST_ROUTES_MAX];
    unsigned n_routes;
    bool no_default_route, no_dns, keep_ipv6, kill_switch, allow_lan;
    bool json, verbose;
    char **command;          /* l2tpc run: ends with NULL */
    const char *servers_dir; /* NULL: the one in /etc */
    bool no_memory;
    const char *reconnect; /* "on", "off" */
    struct stored *stored; /* the profile that some of the above comes from, or NULL */
    /* NetworkManager sets address, MTU, DNS and routes; ours are the rules of a full tunnel. */
    bool configured_elsewhere;
    const char *server_routes; /* "yes", "no"; NULL: of a split tunnel */
    bool class_route;
};

/* options.c: 0, or the exit status after a sentence or the help has been printed (-1 for help). */
int connect_options_parse(int argc, char **argv, bool with_command, struct connect_options *out);
/* values.c: "10.0.0.0/8" as one more route of the options; false: it is none. */
bool route_parse(const char *text, struct connect_options *o);
/* connect.c: the whole connection; `room` NULL, or where the command of the options is to run. */
struct room;
int connect_with(const struct connect_options *options, struct room *room);
/* What was typed or came from a file may hold escape sequences; a terminal must not obey them. */
void make_harmless(char *text);
/* One sentence on stderr, with "l2tpc: " in front. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool parse_number(const char *text, unsigned least, unsigned most, unsigned *out);

/* secrets.c: false after a sentence. */
bool secret_from_file(const char *path, const char *what, struct secret_bytes *out);
bool secrets_from_fd(int fd, struct secret_bytes *psk, struct secret_bytes *password,
                     struct secret_bytes *passphrase);
void secret_forget(struct secret_bytes *s);
/* A line when others than the owner can read the file that it came from. */
void secret_warn_readers(const struct secret_bytes *s, const char *path, const char *what);
/* Tells the config where it lies, for the status; `path` NULL: it came over a descriptor. */
void secret_tell_origin(l2tpc_config *config, int kind, const struct secret_bytes *s,
                        const char *path);
/* The same of the file that holds the certificate's key. */
void key_tell_origin(l2tpc_config *config, const char *path, bool warn);
/* The verdict for people. */
void psk_sentence(const l2tpc_psk_strength *s, char *out, size_t size);
/* A line on stderr when the key is weak. */
void psk_warn(const void *psk, size_t n);

/* file.c: a whole file on the heap; false after a sentence. */
struct file_bytes {
    unsigned char *bytes;
    size_t n;
};

bool file_read(const char *path, struct file_bytes *out);
/* "pkcs11:...", an object on a token. */
bool is_token_uri(const char *text);
/* False after a sentence: a URI that would show a PIN to everybody. */
bool token_uri_is_discreet(const char *uri);
void file_forget(struct file_bytes *f);

/* servers.c: the tables (*.quirks) of a folder, NULL: the one in /etc; tells of those it leaves
 * out.
 */
void servers_load(l2tpc_context *context, const char *dir);

/* A question on the terminal, without echo. Whoever polls `fd` can be interrupted meanwhile. */
struct prompt {
    int fd; /* -1: nothing is asked */
    struct termios before;
    bool reserved;
    int tty; /* when reserved; -1: there is none */
};

/* The terminal can be asked on later, when nothing can be opened any more. */
void prompt_reserve(struct prompt *p);

bool prompt_open(struct prompt *p, const char *question);
/* Takes the typed line when `fd` is readable, and closes; false when there is none. */
bool prompt_take(struct prompt *p, const char *what, struct secret_bytes *out);
void prompt_close(struct prompt *p); /* the terminal is as it was before */

/* adapter.c: libl2tpc-host as the host_ops of libl2tpc. */
struct adapter {
    l2tpc_host *host; /* in this process, or */
    l2tpc_host_client *client;
    const struct connect_options *options;
    bool blocking;  /* the kill switch is in force */
    bool by_broker; /* no host here: a client is made when it is first needed, of */
    int broker_fd;
    char detail[192];
    char routes[8192]; /* what the last APPLY_IP was about, for the status */
};

int adapter_serve(void *user, const l2tpc_need *need, l2tpc_answer *answer);
int adapter_ask(const struct adapter *a, const l2tpc_host_request *request,
                l2tpc_host_reply *reply);
const char *run_dir(void);
/*
 * Makes the run directory, private to this user. NULL, or the failure code; `value` (at least 256
 * bytes) then holds its argument.
 */
const char *run_dir_make(char *value);

/* policy.c: whether the server is asked for routes, as l2tpc_config_set_server_routes() takes it.
 * Unless somebody wants it only that of a split tunnel: the other has no use for them. */
const char *server_routes_wanted(const struct connect_options *o);
/* All that this connection will ever ask the broker for, from its options alone. */
l2tpc_host_policy connect_policy(const struct connect_options *o);

/* kill_switch.c: before the first packet, and again with the TUN's name and our address; 0 or a
 * negative errno value. */
int kill_switch_hold(struct adapter *a, const char *interface_name, const l2tpc_host_addr *local,
                     l2tpc_host_reply *reply);
/* The connection is over: only its user lifts what it held. Whoever has a broker asks it what that
 * is: the block was made on behalf of another process. */
void kill_switch_end(struct adapter *a, bool by_user);
/* One sentence on standard output when something is held on this computer. */
void kill_switch_tell(void);
/* memory.c: what was learned of the server, by the name of the connection. */
const char *state_dir(void);
void memory_load(struct adapter *a, l2tpc_config *config);
void memory_save(struct adapter *a, const char *text);

/* control.c: the socket by which other commands reach a running connection. */
struct control {
    int listen_fd, lock_fd;
    unsigned owner;  /* the user who started it; the process may have become another since */
    bool is_brokers; /* another process removes the files */
    char path[160], lock_path[160];
};

struct control_request {
    int fd; /* to answer on, then closed by control_done() */
    enum control_verb {
        CONTROL_STATUS_TEXT,
        CONTROL_STATUS_JSON,
        CONTROL_DISCONNECT
    } verb;
};

/* As run_dir_make(). */
const char *control_open(struct control *c, const char *name, char *value);
void control_close(struct control *c);
/* The files alone. */
void control_remove(struct control *c);
/* Accepts one caller; false when it was nobody who may ask. */
bool control_accept(struct control *c, struct control_request *out);
void control_reply(const struct control_request *r, const char *text);

/* network.c: changes of links, addresses and routes, once they are over. */
struct network {
    l2tpc_host *host;
    int fd;                     /* to be polled; negative: none */
    long long due, last;        /* ms; 0: nothing has changed */
    long long look_due, looked; /* at what is the tunnel's own: soon, and not too often */
};

void network_open(struct network *n, l2tpc_host *host);
void network_input(struct network *n);
bool network_look(struct network *n);         /* true once: something may be gone */
int network_timeout(const struct network *n); /* for poll() */
bool network_changed(struct network *n);      /* true once, when it is quiet again */

/* output.c */
/* The msgid with {value} filled in. */
void fill_value(const char *msgid, const char *value, char *out, size_t size);

struct output {
    bool json, terminal, live;
    FILE *out;
};

/* On a terminal the line of the running stage goes away: something else is to stand there. */
void output_clear_line(struct output *o);
void output_stage_begin(struct output *o, const char *stage);
void output_stage_end(struct output *o, const char *stage, double ms);
void output_failure(struct output *o, const l2tpc_error *error);
/* After it: what the table of servers knows of the one that was dialed. */
void output_server_advice(struct output *o, const l2tpc_status *status);
/* The dial goes on in another way. */
void output_rung(struct output *o, const char *rung);
/* The words of a failure, but the dial goes on. */
void output_warning(struct output *o, const l2tpc_error *error);
/* The tunnel was lost: why, and when it is dialed again. */
void output_reconnecting(struct output *o, const l2tpc_error *error, unsigned wait_ms);
/* It is back. */
void output_back(struct output *o, l2tpc_status *status);
/* A failure without a session: its code and the argument of its sentence. */
void output_refusal(struct output *o, const char *name, const char *state, const char *code,
                    const char *value);
/* JSON, or for people the verdict, its evidence and the rows. */
void output_status(struct output *o, l2tpc_status *status);
/* A row of it; the title is a msgid. */
void output_row(FILE *out, const char *msgid, const char *text);
/* The end of a dial that was to go no further than this stage. */
void output_reached(struct output *o, const char *stage, l2tpc_status *status);

/* The verbs. */
int cmd_connect(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_disconnect(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_certificate(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_unblock(int argc, char **argv);
int cmd_scan(int argc, char **argv);
int cmd_servers(int argc, char **argv);
int cmd_psk(int argc, char **argv);
int cmd_forget(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_migrate(int argc, char **argv);

#endif
