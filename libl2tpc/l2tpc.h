/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libl2tpc: an L2TP/IPsec client as a library. It speaks IKE, transport-mode ESP, L2TPv2 and PPP in
 * user space and moves IP packets between the server and a TUN device (or a socket of yours).
 *
 * In short: make a context, fill a config, make a session from both, start it, wait for its
 * descriptor to become readable and take events until DOWN. See libl2tpc/examples/.
 *
 * Return values: int functions return L2TPC_OK (0) or a negative L2TPC_E... value.
 * Threads: unless said otherwise a function may be called from any thread, but not from inside a
 * callback of the same context (log, host_ops). A session's events are to be taken by one thread.
 * Structs carry their size first: set it to sizeof. A program that was compiled with a shorter
 * struct of an earlier version is served as if the rest were zero; one that sets what this version
 * does not know yet gets L2TPC_EINVAL.
 * Strings are UTF-8; those that are returned live as long as the object they came from.
 * No function installs signal handlers, forks, changes the locale or prints.
 */
#ifndef L2TPC_H
#define L2TPC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define L2TPC_API __attribute__((visibility("default")))
#else
#define L2TPC_API
#endif

#define L2TPC_VERSION_MAJOR 0
#define L2TPC_VERSION_MINOR 1
#define L2TPC_VERSION_MICRO 0

enum l2tpc_result {
    L2TPC_OK = 0,
    L2TPC_ENOMEM = -1,    /* memory, or a descriptor, could not be had */
    L2TPC_EINVAL = -2,    /* an argument is out of its bounds */
    L2TPC_EBUSY = -3,     /* not allowed after start */
    L2TPC_ENOTFOUND = -4, /* no such field, need or code */
    L2TPC_ESTATE = -5,    /* not allowed in this state */
};

/* The library's version, "0.1.0". */
L2TPC_API const char *l2tpc_version(void);

typedef struct l2tpc_context l2tpc_context;
typedef struct l2tpc_config l2tpc_config;
typedef struct l2tpc_session l2tpc_session;
typedef struct l2tpc_event l2tpc_event;
typedef struct l2tpc_status l2tpc_status;
typedef struct l2tpc_error l2tpc_error;

/* ------------------------------------------------------------------ what the engine cannot do */

typedef enum l2tpc_need_type {
    L2TPC_NEED_PSK = 1,            /* the IPsec pre-shared key: `secret` */
    L2TPC_NEED_PASSWORD = 2,       /* the user's password: `secret` */
    L2TPC_NEED_UDP_SOCKET = 3,     /* `family`, `port` wanted: `fd`, bound, non-blocking */
    L2TPC_NEED_RAW_ESP_SOCKET = 4, /* `family`: `fd`, IP protocol 50, non-blocking */
    L2TPC_NEED_TUN = 5, /* `interface_name` wanted: `fd`, `interface_name`. A TUN without packet
                           information, with IFF_VNET_HDR (which is faster by far) or without, or a
                           datagram socket that carries IP packets */
    L2TPC_NEED_APPLY_IP = 6,        /* all address fields; done when answered */
    L2TPC_NEED_RELEASE_IP = 7,      /* `interface_name`: undo APPLY_IP; cannot fail */
    L2TPC_NEED_OBSERVER_OPEN = 8,   /* `interface_index` and `server`: `observer` */
    L2TPC_NEED_OBSERVER_SPIS = 9,   /* `observer`, `spi_*`, ports */
    L2TPC_NEED_OBSERVER_READ = 10,  /* `observer`: the three counts since it was opened, `server`;
                                       0: of the newest that the engine has opened */
    L2TPC_NEED_OBSERVER_CLOSE = 11, /* `observer` */
    L2TPC_NEED_PASSPHRASE = 12,     /* of the certificate's key: `secret` */
    L2TPC_NEED_ROUTE = 13,          /* `server`: the way of our sockets: `local`, `mtu`, index */
    L2TPC_NEED_REPAIR_IP = 14, /* `interface_name`: what APPLY_IP made and others have taken away is
                                  made again: `repaired`, how much that was */
} l2tpc_need_type;

/* An IP address: family 4 or 6 (0: none), bytes in network order. */
typedef struct l2tpc_address {
    uint8_t family;
    uint8_t bytes[16];
} l2tpc_address;

#define L2TPC_ROUTES_MAX 40 /* of one server */
#define L2TPC_DOMAINS_MAX 4 /* likewise */

enum l2tpc_route_origin {
    L2TPC_ROUTE_SERVER = 1,  /* the server pushed it, by DHCPINFORM */
    L2TPC_ROUTE_GUESSED = 2, /* from the class of our address, l2tpc_config_set_class_route() */
};

/* An IPv4 network that is reached through the tunnel. */
typedef struct l2tpc_route {
    l2tpc_address destination;
    uint8_t prefix_len;
    uint8_t origin; /* enum l2tpc_route_origin */
} l2tpc_route;

typedef struct l2tpc_need {
    size_t size;   /* of the struct this library was built with */
    uint32_t type; /* enum l2tpc_need_type */
    uint32_t id;   /* for l2tpc_session_answer(); 0 where the answer is taken at once */
    const char *session_name;
    uint8_t family; /* 4 or 6 */
    uint16_t port;  /* host order */
    char interface_name[16];
    uint32_t interface_index;
    l2tpc_address local, peer, dns[2]; /* inside the tunnel */
    l2tpc_address server;              /* outside */
    uint16_t mtu;
    uint32_t observer;
    uint32_t spi_out, spi_in;         /* host order; 0: none yet */
    uint16_t local_port, remote_port; /* of UDP encapsulation, host order; 0: raw ESP */
    char token_label[64]; /* PASSPHRASE: the PIN of this token is meant; "": of a key file */
    /* APPLY_IP: comes again when the server's answer does, within seconds of UP. Bounds are
     * checked: no network wider than 8 bits, no link-local or multicast, host names only. */
    uint32_t n_routes, n_domains;
    l2tpc_route routes[L2TPC_ROUTES_MAX];
    char domains[L2TPC_DOMAINS_MAX][256]; /* to search names in */
} l2tpc_need;

typedef struct l2tpc_answer {
    size_t size;        /* set it to sizeof(l2tpc_answer) */
    int status;         /* 0, or a negative errno value: the need cannot be met */
    const char *detail; /* with status: a few words for the failure; may be NULL */
    const void *secret; /* copied; NULL with status 0 means an empty secret */
    size_t secret_len;  /* bytes, at most 512 */
    int fd;             /* the library owns it from then on */
    char interface_name[16];
    uint32_t observer;
    uint64_t clear, esp_out, esp_in; /* packets */
    l2tpc_address local;             /* our address on the way to the server */
    uint32_t interface_index;
    uint32_t mtu; /* bytes; 0: unknown */
    uint32_t repaired;
    l2tpc_address server; /* OBSERVER_READ: whose packets were counted */
    /* UDP_SOCKET: who has the port that was asked for, so that the socket has another; NULL: it has
     * it, or nobody looked. For the warning local.port-busy. */
    const char *port_holder;
    /* APPLY_IP: what goes through the tunnel now and why, lines of network, space and origin:
     * "10.0.0.0/8 profile". For the status ip.routes; NULL: the need's own. Copied. */
    const char *routes;
} l2tpc_answer;

/*
 * Who serves the needs for descriptors, addresses and observers. `serve` is called with the context
 * locked, from the control thread or from inside an API call; it must not block on the network.
 * It returns 1 when `answer` is filled in, 0 to leave the need to the library, which opens sockets
 * and TUN by itself, reports APPLY_IP as an event only, and has no observer.
 */
typedef struct l2tpc_host_ops {
    size_t size; /* set it to sizeof(l2tpc_host_ops) */
    void *user;
    int (*serve)(void *user, const l2tpc_need *need, l2tpc_answer *answer);
} l2tpc_host_ops;

/* --------------------------------------------------------------------------------------- context
 */

enum l2tpc_context_flags {
    /* No thread of the library's: the caller polls l2tpc_context_get_fd() and dispatches. */
    L2TPC_CONTEXT_CALLER_LOOP = 1,
};

enum l2tpc_log_level {
    L2TPC_LOG_ERROR = 0,
    L2TPC_LOG_WARN = 1,
    L2TPC_LOG_INFO = 2,
    L2TPC_LOG_DEBUG = 3,
};

typedef struct l2tpc_context_options {
    size_t size; /* set it to sizeof(l2tpc_context_options) */
    uint32_t flags;
    /* One line without newline and without secrets; may be NULL. */
    void (*log)(void *user, int level, const char *module, const char *line);
    void *log_user;
    const l2tpc_host_ops *host_ops; /* copied; may be NULL */
    uint32_t mark;                  /* SO_MARK of sockets the library opens; 0: none */
    /* What the engine of l2tpc_session_new_remote() logs, at most a hundred lines a second; from
     * any thread, under a lock of the library's. May be NULL. */
    void (*engine_log)(void *user, int level, const char *module, const char *line);
    void *engine_log_user;
    /*
     * Threads of the library's that move packets: 0, the thread that dispatches does it; 1, one for
     * both directions; 2, one for each. With threads no packet waits for an engine that computes,
     * nor for a call of this API, but what the server says in its tunnel takes one more wake-up.
     * They come with L2TPC_CONTEXT_CALLER_LOOP, too.
     */
    uint32_t data_threads;
} l2tpc_context_options;

/* Holds crypto, sockets, buffers and (by default) the control thread. `options` may be NULL. */
L2TPC_API int l2tpc_context_new(l2tpc_context **out, const l2tpc_context_options *options);
/* Free its sessions first, while there is somebody to say goodbye to their servers. One that is
 * left stands still and can only be freed; host_ops must last until then. NULL is fine. */
L2TPC_API void l2tpc_context_free(l2tpc_context *context);
/* With CALLER_LOOP: readable when l2tpc_context_dispatch() has work; -1 otherwise. */
L2TPC_API int l2tpc_context_get_fd(const l2tpc_context *context);
/* With CALLER_LOOP: does what is due, never blocks. L2TPC_ESTATE without that flag. */
L2TPC_API int l2tpc_context_dispatch(l2tpc_context *context);

/*
 * For a program's main(): from now on all that OpenSSL keeps in this process, for whomever, lies in
 * memory that stands in no core dump, is locked as far as RLIMIT_MEMLOCK lets it, and is wiped when
 * it is given back. A library must not decide that for its program, so libl2tpc never calls it.
 *
 * Without it secrets and keys themselves are kept as l2tpc_config_new() says, but what OpenSSL
 * makes of them - the key schedules of its ciphers, the numbers of a private key - lies on the
 * program's heap while it is in use: in a core dump, and in swap. So do the queues of ipsec-mb.
 *
 * To be called before anything of OpenSSL is used, by anybody, and before there are threads:
 * L2TPC_ESTATE when it is too late, and nothing has changed then. Again, also in a child: locks
 * what may be locked by then. There is nothing to undo. fork() is fine: the child has a copy of all
 * of it, as of any other memory.
 */
L2TPC_API int l2tpc_protect_crypto(void);

/* --------------------------------------------------------------------------------------- servers
 */

/* What is wrong with a table of servers. */
typedef struct l2tpc_servers_problem {
    size_t size;          /* set it to sizeof(l2tpc_servers_problem) */
    unsigned line;        /* from 1; 0: the table as a whole */
    const char *sentence; /* msgid */
} l2tpc_servers_problem;

/*
 * Puts a table of one's own before the one that is built in; see SERVER TABLES in l2tpc(1). `name`
 * is said in the status beside what came of it. All of it is taken or, with L2TPC_EINVAL, nothing;
 * `problem` may be NULL. Dials ask the table from their second IKE message on.
 */
L2TPC_API int l2tpc_context_add_servers(l2tpc_context *context, const char *name, const void *bytes,
                                        size_t len, l2tpc_servers_problem *problem);

/* A row of the tables. Strings live as long as the context; lists have an item a line. */
typedef struct l2tpc_server_kind {
    size_t size; /* set it to sizeof(l2tpc_server_kind) */
    const char *name, *origin;
    unsigned line;
    char conditions[1024]; /* all of them hold */
    char quirks[128];      /* what is switched on by itself */
    char suggestions[256]; /* options of l2tpc connect that may help */
    const char *note, *source;
} l2tpc_server_kind;

/* In the order in which they are tried, from 0; L2TPC_ENOTFOUND behind the last. */
L2TPC_API int l2tpc_servers_at(l2tpc_context *context, unsigned index, l2tpc_server_kind *out);

/* ---------------------------------------------------------------------------------------- config
 */

/*
 * A config belongs to one thread at a time. Setters check at once and copy. What it holds of
 * secrets and keys stands in locked memory (status key secrets.memory), in no core dump, and is
 * not there in a child process: whoever calls fork() gets zeros on the other side, and there
 * setting a secret or starting a session with this config or context is L2TPC_ESTATE.
 */
L2TPC_API int l2tpc_config_new(l2tpc_config **out);
L2TPC_API void l2tpc_config_free(l2tpc_config *config); /* wipes secrets; NULL is fine */
/* For programs that set a config and then go into the background: a child can use it, too. */
L2TPC_API int l2tpc_config_keep_on_fork(l2tpc_config *config);
/* 1 to 64 of A-Z a-z 0-9 . _ - not starting with '.' or '-' and without ".."; default "l2tpc". */
L2TPC_API int l2tpc_config_set_name(l2tpc_config *config, const char *name);
/* Host name (international ones in UTF-8), address, [v6], each with an optional :port. */
L2TPC_API int l2tpc_config_set_server(l2tpc_config *config, const char *server);
/* At most 255 bytes of UTF-8; a domain is put in front with a backslash. */
L2TPC_API int l2tpc_config_set_user(l2tpc_config *config, const char *user, const char *domain);
/* Secrets that are not set are asked for by NEED events. PSK: 1 to 512 bytes. */
L2TPC_API int l2tpc_config_set_psk(l2tpc_config *config, const void *psk, size_t psk_len);
L2TPC_API int l2tpc_config_set_password(l2tpc_config *config, const void *password, size_t len);
/*
 * A certificate instead of the pre-shared key. `bytes` are a file's: PEM, DER, PKCS#7 or PKCS#12,
 * at most 1 MiB; the key may stand in the same file or come by set_key. What they hold is looked at
 * when the session starts: it then asks for the passphrase of a locked key, unless it is set.
 */
L2TPC_API int l2tpc_config_set_certificate(l2tpc_config *config, const void *bytes, size_t len);
L2TPC_API int l2tpc_config_set_key(l2tpc_config *config, const void *bytes, size_t len);
L2TPC_API int l2tpc_config_set_key_passphrase(l2tpc_config *config, const void *passphrase,
                                              size_t len);
/*
 * Certificate and key on a token, by URI (RFC 7512); the certificate may also be a file's. Without
 * a key URI the key is the one with the certificate's ID. The PIN is the passphrase: it is asked
 * for unless it was set, and tried once only. A URI with pin-value, pin-source, module-path or
 * module-name is refused: a profile is no place for a PIN, nor for code to be loaded.
 */
L2TPC_API int l2tpc_config_set_certificate_uri(l2tpc_config *config, const char *uri);
L2TPC_API int l2tpc_config_set_key_uri(l2tpc_config *config, const char *uri);
/* CA certificates that may vouch for the server, and revocation lists; needed with a certificate.
 */
L2TPC_API int l2tpc_config_set_ca(l2tpc_config *config, const void *bytes, size_t len);
/*
 * Whether the server's certificate was revoked is asked of its CA (OCSP, then a revocation list),
 * over plain HTTP and outside the tunnel, once everything else about it is good. "soft" (default):
 * waits up to two seconds and goes on without an answer; "hard": waits up to ten and fails;
 * "off": asks nobody. One that is known to be revoked is refused always, and lists in the CA file
 * are respected always.
 */
L2TPC_API int l2tpc_config_set_revocation(l2tpc_config *config, const char *policy);
/*
 * IKE identities; at most 512 bytes of:
 *   "192.0.2.1", "2001:db8::1"                    an address
 *   "name", "@name"                               an FQDN
 *   "user@host", "@@user@host"                    a user FQDN
 *   "C=CH, O=Example, CN=gate", "/C=CH/O=..."     a DN, in the order of the certificate
 *   "@#0a1b", "@[group]"                          a key ID ("group name"): bytes, text
 *   "ip:", "fqdn:", "email:", "dn:", "keyid:" and anything: what the prefix says
 * l2tpc_identity_fault() tells what is wrong with one: a msgid, or NULL when nothing is.
 */
L2TPC_API const char *l2tpc_identity_fault(const char *id);
/* What the server must call itself, at most 255 bytes; with a certificate, what its certificate
 * must be made for. Default: any identity with a pre-shared key, the dialed name with a
 * certificate. */
L2TPC_API int l2tpc_config_set_server_id(l2tpc_config *config, const char *id);
/* What we call ourselves. Default: our address, or the subject of our certificate. */
L2TPC_API int l2tpc_config_set_local_id(l2tpc_config *config, const char *id);
/* L2TP tunnel secret; most servers have none. */
L2TPC_API int l2tpc_config_set_tunnel_secret(l2tpc_config *config, const void *secret, size_t len);
/* "strong", "compatible" (default), "legacy". */
L2TPC_API int l2tpc_config_set_policy(l2tpc_config *config, const char *policy);
/* Lists such as "aes256-sha2_256-modp2048,3des-sha1-modp1024"; they replace the policy's. */
L2TPC_API int l2tpc_config_set_ike(l2tpc_config *config, const char *proposals);
L2TPC_API int l2tpc_config_set_esp(l2tpc_config *config, const char *proposals);
/* "auto" (default), "udp", "esp". */
L2TPC_API int l2tpc_config_set_encapsulation(l2tpc_config *config, const char *encapsulation);
/*
 * "main" (default) or "aggressive", which a few servers insist on. In aggressive mode a server
 * gives anyone who asks a hash from which the pre-shared key can be guessed offline; therefore the
 * session fails with ike.aggressive-consent unless l2tpc_config_allow(config, "aggressive") was
 * called too. Only the Diffie-Hellman group of the first IKE proposal is offered, and our identity
 * goes in clear.
 */
L2TPC_API int l2tpc_config_set_ike_mode(l2tpc_config *config, const char *mode);
/*
 * Allows a login method beside MS-CHAPv2 and CHAP: "pap", "none"; or forbids: "!chap-md5". Of the
 * server's certificate: "cn-name", the common name counts when there is no subjectAltName;
 * "sha1-chain", it and those above it may be signed over SHA-1. "aggressive": the consent to
 * aggressive mode, and to servers that send their identity and hash unencrypted in main mode.
 */
L2TPC_API int l2tpc_config_allow(l2tpc_config *config, const char *method);
/* Last stage to reach ("ike-quick", ...); the session then ends politely. Default "up". */
L2TPC_API int l2tpc_config_set_until(l2tpc_config *config, const char *stage);
/* Seconds for the whole dial, 1 to 3600; 0 (default): only the stages' own deadlines. */
L2TPC_API int l2tpc_config_set_timeout(l2tpc_config *config, unsigned seconds);
/* 128 to 1500; 0 (default): 1400. */
L2TPC_API int l2tpc_config_set_mru(l2tpc_config *config, unsigned mru);
/* Wanted interface name, at most 15 bytes, may hold one %d; default "l2tp%d". */
L2TPC_API int l2tpc_config_set_interface(l2tpc_config *config, const char *name);
/* "softether-utf8": MS-CHAPv2 over the UTF-8 bytes of the password. "port-1701": inner source port.
 * "no-fragmentation": IKE fragments are neither announced nor sent.
 * "sha256-96": HMAC-SHA2-256 in ESP is cut to 96 bits, as old servers do it.
 * "no-path-mtu": no LCP echoes as long as a packet, which find out what the way carries whole. */
L2TPC_API int l2tpc_config_set_quirk(l2tpc_config *config, const char *quirk);
/*
 * "on": a tunnel that was up and is lost is dialed again, at once and then 1, 2, 4 ... 60 s apart,
 * as long as a new dial can help: not after a refused login, key or certificate. Its interface,
 * routes and DNS stay meanwhile. Secrets that were asked for are kept until the end. Default "off":
 * a program hears of the loss and decides.
 */
L2TPC_API int l2tpc_config_set_reconnect(l2tpc_config *config, const char *reconnect);
/*
 * "yes": once up, the server is asked by DHCPINFORM (RFC 2131) for routes, search domains and, when
 * IPCP gave none, name servers; an answer comes as another APPLY_IP with its IP_CONFIG event.
 * Nothing waits for it. Whoever is in the network behind the server may answer: networks are
 * bounded (see l2tpc_need). "domains": all but the routes, for a full tunnel, which needs none: one
 * that is narrower than a network nearby would take from what is meant to stay outside. Default
 * "no".
 */
L2TPC_API int l2tpc_config_set_server_routes(l2tpc_config *config, const char *wanted);
/* "yes": the network that the class of our address stands for (10.1.2.3: 10.0.0.0/8) is routed into
 * the tunnel, as Windows does it. Default "no". */
L2TPC_API int l2tpc_config_set_class_route(l2tpc_config *config, const char *wanted);

/*
 * What an earlier dial of this profile has learned about the server: bytes of a LEARNED event. The
 * dial then begins where that one ended, compares who the server is, and takes nothing weaker. What
 * cannot be read counts as nothing learned, and is told by a WARNING event; what was learned about
 * another server is passed over. An empty text takes back an earlier one.
 */
L2TPC_API int l2tpc_config_set_learned(l2tpc_config *config, const void *bytes, size_t len);

/* --------------------------------------------------------------------------------------- secrets
 */

enum l2tpc_psk_verdict {
    L2TPC_PSK_GOOD = 0,
    L2TPC_PSK_WEAK = 1,     /* months, for somebody with money */
    L2TPC_PSK_VERY_WEAK = 2 /* seconds */
};

typedef struct l2tpc_psk_strength {
    size_t size;                 /* set it to sizeof(l2tpc_psk_strength) */
    unsigned bits;               /* an estimate of what an attacker has to try: 2^bits keys */
    int verdict;                 /* enum l2tpc_psk_verdict */
    const char *code;            /* "good", "weak", "very-weak" */
    const char *sentence, *hint; /* msgids; {value} stands for the bits; hint "" when good */
    unsigned length, classes;    /* bytes; kinds of characters, of 4 */
    int old_rules;               /* 1: 8 characters and more, of 3 kinds */
    int odd_ends;                /* 1: begins or ends with a sign, which some servers refuse */
} l2tpc_psk_strength;

/* Keeps nothing of the key. */
L2TPC_API int l2tpc_psk_estimate(const void *psk, size_t psk_len, l2tpc_psk_strength *out);
/* A key of more than 128 random bits, letters and digits; free it by l2tpc_secret_free(). */
L2TPC_API int l2tpc_psk_generate(char **out);

enum l2tpc_secret_kind {
    L2TPC_SECRET_PSK = 0,
    L2TPC_SECRET_PASSWORD = 1,
    L2TPC_SECRET_KEY = 2, /* of the certificate */
};

enum l2tpc_secret_store {
    L2TPC_STORE_UNKNOWN = 0,
    L2TPC_STORE_FILE = 1, /* path, owner, mode */
    L2TPC_STORE_NONE = 2, /* given for this time only, by a program or a pipe */
};

/* Where a secret of the config lies, for the status; what a NEED brings is "asked" by itself. */
typedef struct l2tpc_secret_origin {
    size_t size;      /* set it to sizeof(l2tpc_secret_origin) */
    int kind;         /* enum l2tpc_secret_kind */
    int store;        /* enum l2tpc_secret_store */
    const char *path; /* copied, at most 255 bytes */
    const char *owner;
    unsigned mode; /* as in struct stat; of it the rights */
} l2tpc_secret_origin;

L2TPC_API int l2tpc_config_set_secret_origin(l2tpc_config *config,
                                             const l2tpc_secret_origin *origin);

/* ---------------------------------------------------------------------------------- certificates
 */

enum l2tpc_check_state {
    L2TPC_CHECK_GOOD = 0,
    L2TPC_CHECK_WARNING = 1,
    L2TPC_CHECK_BAD = 2,
    L2TPC_CHECK_UNKNOWN = 3, /* there is nothing to look at */
};

typedef struct l2tpc_check {
    size_t size;                 /* set it to sizeof(l2tpc_check) */
    const char *code;            /* "clock", "ca", "key", "valid", "usage", "expiry", "server" */
    int state;                   /* enum l2tpc_check_state */
    const char *sentence, *hint; /* msgids; {value} stands for `value`; hint "" when all is well */
    char value[128];             /* a date, a name */
} l2tpc_check;

typedef struct l2tpc_certificate_check {
    size_t size; /* set it to sizeof(l2tpc_certificate_check) */
    /* Bytes of files as for l2tpc_config_set_certificate(); NULL: none. */
    const void *certificate, *key, *ca, *server_certificate;
    size_t certificate_len, key_len, ca_len, server_certificate_len;
    const void *passphrase;
    size_t passphrase_len;
    const char *server; /* the name to be dialed, to hold against server_certificate; or NULL */
    int64_t now;        /* seconds since 1970; 0: this computer's clock */
    /* On a token, as for l2tpc_config_set_certificate_uri(), with its PIN as the passphrase; it is
     * asked to sign something, and the call waits for it. NULL: none. */
    const char *certificate_uri, *key_uri;
} l2tpc_certificate_check;

/*
 * Looks at certificates before anything is dialed. Fills at most `max` items, returns how many
 * there are, or a negative result. A locked key without its passphrase is an item, not an error.
 */
L2TPC_API int l2tpc_certificate_examine(const l2tpc_certificate_check *check, l2tpc_check *out,
                                        size_t max);

typedef struct l2tpc_certificate_request {
    size_t size;             /* set it to sizeof(l2tpc_certificate_request) */
    const char *common_name; /* 1 to 64 bytes of UTF-8 */
    const char *name;        /* a DNS name, address or mail address for subjectAltName; or NULL */
    const char *algorithm;   /* "rsa" (default when NULL), "ecdsa256", "ecdsa384", "ecdsa521" */
    const void *passphrase;  /* locks the key; NULL: not locked */
    size_t passphrase_len;
} l2tpc_certificate_request;

/* A new key and the request to give to a CA, as PEM; both to be freed by l2tpc_secret_free(). */
L2TPC_API int l2tpc_certificate_request_new(const l2tpc_certificate_request *request,
                                            char **out_key, char **out_csr);
/* Wipes and frees; NULL is fine. */
L2TPC_API void l2tpc_secret_free(char *text);

/* --------------------------------------------------------------------------------------- session
 */

/* Copies the config. L2TPC_EINVAL when no server is set. */
L2TPC_API int l2tpc_session_new(l2tpc_session **out, l2tpc_context *context,
                                const l2tpc_config *config);
/* Ends at once if still running (without politeness), wipes. NULL is fine. */
L2TPC_API void l2tpc_session_free(l2tpc_session *session);
/* Once per session. */
L2TPC_API int l2tpc_session_start(l2tpc_session *session);
/* Polite end; the DOWN event follows within seconds. Repeating it is fine. */
L2TPC_API void l2tpc_session_stop(l2tpc_session *session);
/*
 * Links, addresses or routes of this computer have changed: a tunnel that is to reconnect and whose
 * way to the server now begins at another address is dialed from there at once. When nothing of
 * that has changed nothing happens. Let a second pass without changes first. A session whose
 * host_ops serve ROUTE goes back to the address that it had, and looks no name up unless it has
 * a signer in another process.
 */
L2TPC_API void l2tpc_session_network_changed(l2tpc_session *session);
/*
 * Something was changed that may be the tunnel's: its interface was set down, its address, a route
 * or a rule is gone. What is missing is made again (REPAIR_IP), once; when it is taken away again
 * within a minute the tunnel ends with local.configure. Nothing is sent. To be called at once.
 */
L2TPC_API void l2tpc_session_check_host(l2tpc_session *session);
/* Readable when an event waits. Never read it yourself; closed by l2tpc_session_free(). */
L2TPC_API int l2tpc_session_get_fd(const l2tpc_session *session);
/* The next event, owned by the caller, or NULL. */
L2TPC_API l2tpc_event *l2tpc_session_next_event(l2tpc_session *session);
/* Answers a NEED event. L2TPC_ENOTFOUND when it is no longer open. */
L2TPC_API int l2tpc_session_answer(l2tpc_session *session, uint32_t need,
                                   const l2tpc_answer *answer);
/* What is known of the server since the dial is up, as the LEARNED event has it, into `buffer`;
 * returns the bytes needed without NUL, 0 when nothing is known yet. */
L2TPC_API size_t l2tpc_session_get_learned(l2tpc_session *session, char *buffer, size_t size);
/* A snapshot of everything negotiated and counted; freed by l2tpc_status_free(). */
L2TPC_API int l2tpc_session_get_status(l2tpc_session *session, l2tpc_status **out);
/*
 * The same without waiting for an engine in another process, which may not answer for long, or for
 * ever: the event STATUS says that l2tpc_session_take_status() has it. There is one question at a
 * time; asking again until then is fine and does nothing. L2TPC_ESTATE when nobody can answer.
 */
L2TPC_API int l2tpc_session_ask_status(l2tpc_session *session);
/* To be freed by l2tpc_status_free(); L2TPC_ENOTFOUND when none has come. */
L2TPC_API int l2tpc_session_take_status(l2tpc_session *session, l2tpc_status **out);
/* New keys for ESP now instead of when their time has come; REKEYED follows when the server has
 * them, too. L2TPC_ESTATE when the tunnel is not up. */
L2TPC_API int l2tpc_session_rekey(l2tpc_session *session);

/* ---------------------------------------------------------------------------------- processes
 */

/*
 * A program with something to protect runs its parts in processes of their own, each with as few
 * rights as it can do with: the engine talks to the server, the signer holds the key and looks up
 * names, the front talks to the user. The library forks nobody; it has the two ends of each
 * conversation, over SOCK_SEQPACKET pairs. All processes run one version of the library.
 */

/*
 * In the engine, before l2tpc_session_start(): names are looked up, certificates opened and judged
 * and hashes signed by a signer behind `fd`, which the session owns from then on, also when this
 * fails. What its config says of certificate, key, CAs and revocation counts, not the session's.
 */
L2TPC_API int l2tpc_session_set_signer(l2tpc_session *session, int fd);

/*
 * In the engine, instead of l2tpc_session_start() and events: another process does with the session
 * what a program does, over `fd`. Its context must have L2TPC_CONTEXT_CALLER_LOOP. Returns when the
 * other end is closed and the server was told, at most 300 ms later; `fd` is closed then.
 */
L2TPC_API int l2tpc_session_serve(l2tpc_session *session, int fd);

typedef struct l2tpc_remote_options {
    size_t size;   /* set it to sizeof(l2tpc_remote_options) */
    int engine_fd; /* the other end of l2tpc_session_serve() */
    int signer_fd; /* the other end of user_fd of l2tpc_signer_serve(); -1: there is none */
} l2tpc_remote_options;

/*
 * In the front: a session like any other whose dial runs behind `engine_fd`. The secrets of the
 * config go there with l2tpc_session_start(), the passphrase to the signer alone. When a process
 * ends before its time the session fails with local.engine or local.signer. Owns the descriptors,
 * also when it fails. Of the context only the log is used, and the host_ops for OBSERVER_READ: what
 * the kernel has counted is not believed of the engine, and without it nothing proves the tunnel.
 */
L2TPC_API int l2tpc_session_new_remote(l2tpc_session **out, l2tpc_context *context,
                                       const l2tpc_config *config,
                                       const l2tpc_remote_options *options);

typedef struct l2tpc_signer_options {
    size_t size;    /* set it to sizeof(l2tpc_signer_options) */
    int session_fd; /* the other end of l2tpc_session_set_signer() */
    int user_fd;    /* who is asked for a passphrase or PIN; -1: nobody */
    /*
     * Opens a UDP or (`stream`) TCP socket of family 4 or 6 whose packets go past the tunnel and
     * its kill switch: non-blocking, or -1. Called from any thread, also from several. With it the
     * name servers that are there when the signer starts are asked for a name that is looked up
     * again, and CAs can be reached while a tunnel is up. May be NULL.
     */
    int (*open_socket)(void *user, int family, int stream);
    void *user;
} l2tpc_signer_options;

/* The whole life of a signer: serves until one of the other ends is closed. Owns the descriptors.
 * `config` as for the session. It has threads of its own. */
L2TPC_API int l2tpc_signer_serve(const l2tpc_config *config, const l2tpc_signer_options *options);

/* ---------------------------------------------------------------------------------------- events
 */

typedef enum l2tpc_event_type {
    L2TPC_EVENT_STAGE_BEGIN = 1, /* stage */
    L2TPC_EVENT_STAGE_END = 2,   /* stage, its milliseconds */
    L2TPC_EVENT_NEED = 3,        /* need: PSK, PASSWORD or PASSPHRASE */
    L2TPC_EVENT_IP_CONFIG = 4, /* need: addresses that were (or, without host_ops, are to be) set */
    L2TPC_EVENT_UP = 5,
    L2TPC_EVENT_REKEYED = 6,
    L2TPC_EVENT_FAILED = 7,   /* error; DOWN follows */
    L2TPC_EVENT_DOWN = 8,     /* the last one */
    L2TPC_EVENT_RUNG = 9,     /* text: the dial goes on in another way, "raw-esp" */
    L2TPC_EVENT_WARNING = 10, /* error, which ends nothing */
    L2TPC_EVENT_LEARNED = 11, /* text: to be kept for l2tpc_config_set_learned(), at most 16 KiB */
    L2TPC_EVENT_RECONNECTING = 12, /* error: why the tunnel, or its dial, was lost; the wait */
    L2TPC_EVENT_STATUS = 13,       /* what l2tpc_session_ask_status() has asked for is there */
} l2tpc_event_type;

L2TPC_API void l2tpc_event_free(l2tpc_event *event); /* NULL is fine */
L2TPC_API l2tpc_event_type l2tpc_event_get_type(const l2tpc_event *event);
/* "ike-quick"; the current stage for events that have none of their own. */
L2TPC_API const char *l2tpc_event_get_stage(const l2tpc_event *event);
L2TPC_API double l2tpc_event_get_stage_ms(const l2tpc_event *event);
/* RECONNECTING: until the next dial begins. */
L2TPC_API unsigned l2tpc_event_get_wait_ms(const l2tpc_event *event);
L2TPC_API const l2tpc_need *l2tpc_event_get_need(const l2tpc_event *event);   /* or NULL */
L2TPC_API const l2tpc_error *l2tpc_event_get_error(const l2tpc_event *event); /* or NULL */
L2TPC_API const char *l2tpc_event_get_text(const l2tpc_event *event);         /* or NULL */

/* ---------------------------------------------------------------------------------------- errors
 */

/* Turns a msgid into the user's language, such as gettext(); NULL: English. */
typedef const char *(*l2tpc_translate)(const char *msgid);

L2TPC_API const char *l2tpc_error_get_code(const l2tpc_error *error);  /* "ike.no-proposal" */
L2TPC_API const char *l2tpc_error_get_stage(const l2tpc_error *error); /* where it happened */
/* The peer's own number (notify type, StopCCN or CDN result, MS-CHAP E=): 1 and *out, or 0. */
L2TPC_API int l2tpc_error_get_peer_code(const l2tpc_error *error, uint32_t *out);
L2TPC_API int l2tpc_error_get_windows_code(const l2tpc_error *error); /* 0: none */
L2TPC_API int l2tpc_error_get_exit_status(const l2tpc_error *error);  /* of the l2tpc command */
/* A sentence and the next thing to try, into `buffer`; both return the bytes needed without NUL. */
L2TPC_API size_t l2tpc_error_message(const l2tpc_error *error, l2tpc_translate translate,
                                     char *buffer, size_t size);
L2TPC_API size_t l2tpc_error_hint(const l2tpc_error *error, l2tpc_translate translate, char *buffer,
                                  size_t size);

/* A row of the catalogue of failures, for `l2tpc explain`. Strings are msgids with {placeholders}.
 */
typedef struct l2tpc_explanation {
    size_t size; /* set it to sizeof(l2tpc_explanation) */
    const char *code, *stage, *sentence, *hint;
    int windows_code, exit_status;
} l2tpc_explanation;

/* By code; L2TPC_ENOTFOUND. */
L2TPC_API int l2tpc_explain(const char *code, l2tpc_explanation *out);
/* By number from 0; L2TPC_ENOTFOUND behind the last. */
L2TPC_API int l2tpc_explain_at(unsigned index, l2tpc_explanation *out);
/* Title of a stage (a msgid), NULL when there is no such stage; and the stages in order, from 0. */
L2TPC_API const char *l2tpc_stage_title(const char *stage);
L2TPC_API const char *l2tpc_stage_at(unsigned index);

/* ---------------------------------------------------------------------------------------- status
 */

L2TPC_API void l2tpc_status_free(l2tpc_status *status); /* NULL is fine */
/* Another of the same contents; NULL without memory, or of NULL. */
L2TPC_API l2tpc_status *l2tpc_status_copy(const l2tpc_status *status);
/* JSON, "schema": 1, one line; owned by the status. NULL without memory. */
L2TPC_API const char *l2tpc_status_to_json(l2tpc_status *status);

typedef struct l2tpc_status_row {
    size_t size;       /* set it to sizeof(l2tpc_status_row) */
    const char *path;  /* "ike.encryption" */
    const char *title; /* msgid: "IKE encryption" */
    const char *text;  /* the value for people; "" when unknown */
} l2tpc_status_row;

/* The rows in the order of display, from 0; L2TPC_ENOTFOUND behind the last. */
L2TPC_API int l2tpc_status_row_at(const l2tpc_status *status, unsigned index,
                                  l2tpc_status_row *out);
/* A row without a value: what may stand in a status, for those who have one from elsewhere. */
typedef struct l2tpc_status_field {
    size_t size;                     /* set it to sizeof(l2tpc_status_field) */
    const char *path;                /* "ike.encryption", as in the JSON */
    const char *title;               /* msgid: "IKE encryption" */
    const char *group, *group_title; /* "ike"; msgid of a heading */
    const char *kind;                /* "text", "uint", "real", "bool", "list" */
} l2tpc_status_field;

/* The fields in the order of display, from 0; L2TPC_ENOTFOUND behind the last. */
L2TPC_API int l2tpc_status_field_at(unsigned index, l2tpc_status_field *out);
/* A value by path ("esp.packets_in") as text; NULL when there is no such path. */
L2TPC_API const char *l2tpc_status_get(const l2tpc_status *status, const char *path);
/* A value for another format than JSON. */
typedef struct l2tpc_status_value {
    size_t size;             /* set it to sizeof(l2tpc_status_value) */
    const char *path, *kind; /* as in l2tpc_status_field */
    int known;               /* 0: the next three are empty */
    const char *text;        /* for people; of a list, an item a line */
    uint64_t number;         /* "uint", "bool" */
    double real;             /* "real" */
} l2tpc_status_value;

/* The values in the order of the JSON, from 0; L2TPC_ENOTFOUND behind the last. */
L2TPC_API int l2tpc_status_value_at(const l2tpc_status *status, unsigned index,
                                    l2tpc_status_value *out);
/* The round trip through the tunnel; 0: not measured. */
L2TPC_API double l2tpc_status_get_rtt_ms(const l2tpc_status *status);
/* Why it failed, owned by the status; NULL when it did not. */
L2TPC_API const l2tpc_error *l2tpc_status_get_error(const l2tpc_status *status);
/*
 * Takes away what tells who uses the tunnel and with whom: names, addresses, identities, places of
 * secrets, the words of the server. What is left may be shown to every user of the computer.
 */
L2TPC_API void l2tpc_status_hide_identity(l2tpc_status *status);
/* 1 when the evidence proves L2TP inside IPsec, else 0. */
L2TPC_API int l2tpc_status_is_l2tp_in_ipsec(const l2tpc_status *status);

typedef struct l2tpc_evidence {
    size_t size;                                    /* set it to sizeof(l2tpc_evidence) */
    const char *code, *sentence, *value, *observer; /* sentence is a msgid; observer: kernel, peer,
                                                       engine */
    int ok;
} l2tpc_evidence;

L2TPC_API int l2tpc_status_evidence_at(const l2tpc_status *status, unsigned index,
                                       l2tpc_evidence *out);
/* Stages that have begun, in order, with their milliseconds so far. */
L2TPC_API int l2tpc_status_stage_at(const l2tpc_status *status, unsigned index,
                                    const char **out_stage, double *out_ms);

/* ------------------------------------------------------------------------------------------- scan
 */

/*
 * Asks a server which IKE proposals it accepts, by the first message of main mode alone: no secret,
 * no user, one message at a time, at most four a second and 64 in all (200 with L2TPC_SCAN_ALL),
 * and none after its end. Nobody vouches for the answers, so that all of it is a hint. It may run
 * beside sessions of the same context. The strings that these functions give live as long as the
 * scan; one thread at a time reads them.
 */
typedef struct l2tpc_scan l2tpc_scan;

enum l2tpc_scan_depth {
    L2TPC_SCAN_USUAL = 0, /* what servers for L2TP are known to be set to */
    L2TPC_SCAN_QUICK = 1, /* one answer per policy */
    L2TPC_SCAN_ALL = 2,   /* every combination */
};

typedef struct l2tpc_scan_options {
    size_t size;      /* set it to sizeof(l2tpc_scan_options) */
    uint32_t depth;   /* enum l2tpc_scan_depth */
    uint32_t timeout; /* seconds for the whole run, 1 to 300; 0: 60 */
    const char *auth; /* "psk" (default when NULL), "rsa", "ecdsa", "all" */
} l2tpc_scan_options;

/* `server` as for l2tpc_config_set_server(); `options` may be NULL. */
L2TPC_API int l2tpc_scan_new(l2tpc_scan **out, l2tpc_context *context, const char *server,
                             const l2tpc_scan_options *options);
/* Ends at once if still running. Free it before its context: one that is left stands still, like a
 * session. NULL is fine. */
L2TPC_API void l2tpc_scan_free(l2tpc_scan *scan);
/* Once per scan. */
L2TPC_API int l2tpc_scan_start(l2tpc_scan *scan);
/* Ends it where it is; what was found stays. Repeating it is fine. */
L2TPC_API void l2tpc_scan_stop(l2tpc_scan *scan);
/* Readable when there is something new for l2tpc_scan_get_state(). Never read it yourself. */
L2TPC_API int l2tpc_scan_get_fd(const l2tpc_scan *scan);

typedef struct l2tpc_scan_state {
    size_t size; /* set it to sizeof(l2tpc_scan_state) */
    /* "running"; then "complete", "limit" (of messages), "timeout", "silent" (the server stopped
     * answering), "failed" (it never answered) or "stopped". */
    const char *end;
    int resting;              /* it fell silent: waits once, half a minute */
    uint32_t suites;          /* that can be asked for */
    uint32_t asked, accepted; /* of them */
    uint32_t messages;        /* sent */
    uint32_t answers;         /* that counted */
    int one_by_one;           /* the server cannot take many proposals at once */
    const char *address;      /* of the server; "" before it is known */
    const char *maker;        /* "strongSwan": a guess by vendor IDs; "" unknown */
    int nat_traversal, dead_peer_detection, fragmentation; /* 1: its vendor IDs say so */
    const char *policy; /* the strictest policy that connects, or "" */
    const char *ike;    /* the best that it accepts, as for l2tpc_config_set_ike(), or "" */
    const char *sentence, *hint; /* msgids: what it means, what to tell the administrator; or "" */
} l2tpc_scan_state;

L2TPC_API int l2tpc_scan_get_state(l2tpc_scan *scan, l2tpc_scan_state *out);

enum l2tpc_scan_answer {
    L2TPC_SCAN_NOT_ASKED = 0,
    L2TPC_SCAN_ACCEPTED = 1,
    L2TPC_SCAN_REFUSED = 2,
    L2TPC_SCAN_UNANSWERED =
        3, /* silence, from a server that answers to others: refused, most likely */
};

typedef struct l2tpc_scan_suite {
    size_t size;          /* set it to sizeof(l2tpc_scan_suite) */
    const char *suite;    /* "aes256-sha256-modp2048" */
    const char *auth;     /* "psk", "rsa", "ecdsa-256", "ecdsa-384", "ecdsa-521" */
    const char *strength; /* "strong", "compatible", "legacy", "broken" (in no policy) */
    int answer;           /* enum l2tpc_scan_answer */
    uint32_t lifetime;    /* seconds, as accepted; else 0 */
} l2tpc_scan_suite;

/* The suites in the order of asking, from 0; L2TPC_ENOTFOUND behind the last. */
L2TPC_API int l2tpc_scan_suite_at(l2tpc_scan *scan, unsigned index, l2tpc_scan_suite *out);
/* The server's vendor IDs by name, or in hex; NULL behind the last. */
L2TPC_API const char *l2tpc_scan_vendor_id_at(l2tpc_scan *scan, unsigned index);
/* Why nothing is known to be accepted; NULL while it runs and when something is. */
L2TPC_API const l2tpc_error *l2tpc_scan_get_error(l2tpc_scan *scan);
/* Everything as one line of JSON, "schema": 1; until the next call. NULL without memory. */
L2TPC_API const char *l2tpc_scan_to_json(l2tpc_scan *scan);

#ifdef __cplusplus
}
#endif

#endif
