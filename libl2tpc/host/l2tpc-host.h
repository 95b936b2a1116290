/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libl2tpc-host: what a tunnel changes on this computer when NetworkManager does not do it, and how
 * it is undone. Sockets that need rights, the TUN device, addresses, MTU, routes, policy rules,
 * DNS, the kernel's own packet counts, and a journal from which the next start cleans up after a
 * crash.
 *
 * The requests are plain values without pointers. They are served in the caller's process, or they
 * cross a socket as they stand to a root process, the broker (at the end of this file), so that
 * what talks to the network needs no rights. Every request is checked against a policy that is
 * fixed at the start, by l2tpc_host_new() or l2tpc_host_broker_serve().
 *
 * Threads: a host may be used by one thread at a time; different hosts are independent. Calls may
 * block for a short time (netlink, one fsync, at most 2 seconds of D-Bus), never on the network.
 *
 * Errors: functions return 0 or a negative errno value. Nothing is printed or logged.
 *
 * How a tunnel is routed: every socket towards a server carries `mark`. Each tunnel owns one slot:
 * table `table` + slot and its own rule priorities, all tagged with L2TPC_HOST_PROTOCOL.
 *   priority table + slot           not fwmark MARK lookup TABLE   routes of a split tunnel
 *   priority table + 256 + 3 slot   to PRIVATE lookup main suppress_prefixlength 0
 *   priority table + 258 + 3 slot   not fwmark MARK lookup TABLE   the default route
 * so that a full tunnel takes everything but the neighbours of private address ranges; a route that
 * somebody on the local network announces for public addresses cannot pull traffic out of the
 * tunnel, and the server stays reachable by the mark wherever its address lies. A split route
 * inside a private range goes to table main, where the longer prefix of the local network wins; any
 * other, and any that holds the server's own address, goes to the tunnel's table behind the mark.
 * When a full tunnel's default route is gone, with the TUN's address or the TUN, a worse one that
 * is unreachable holds its traffic back until RELEASE_IP.
 */
#ifndef L2TPC_HOST_H
#define L2TPC_HOST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define L2TPC_HOST_API __attribute__((visibility("default")))
#else
#define L2TPC_HOST_API
#endif

#define L2TPC_HOST_RUN_DIR "/run/l2tpc"
#define L2TPC_HOST_RESOLV_CONF "/etc/resolv.conf"
#define L2TPC_HOST_STATE_DIR "/var/lib/l2tpc/state"
#define L2TPC_HOST_STATE_MAX 16384 /* bytes of what is kept of one connection */
#define L2TPC_HOST_MARK 0x6c32u    /* firewall mark of the sockets towards servers */
#define L2TPC_HOST_TABLE 0x6c32u   /* first routing table and first rule priority */
#define L2TPC_HOST_PROTOCOL 0xc2u  /* rtnetlink protocol of every route and rule of ours */
#define L2TPC_HOST_TUNNELS_MAX 256 /* slots on one computer */

#define L2TPC_HOST_NAME_MAX 64 /* bytes of a tunnel's name, without the NUL */
#define L2TPC_HOST_DNS_MAX 4
#define L2TPC_HOST_SEARCH_MAX 4
#define L2TPC_HOST_ROUTES_MAX 64

typedef struct l2tpc_host l2tpc_host;

/* Where the tunnel's DNS servers go. */
enum l2tpc_host_dns_mode {
    L2TPC_HOST_DNS_AUTO = 0,     /* systemd-resolved when it runs, else the file */
    L2TPC_HOST_DNS_FILE = 1,     /* resolv.conf, in place */
    L2TPC_HOST_DNS_RESOLVED = 2, /* systemd-resolved or fail */
    L2TPC_HOST_DNS_OFF = 3,      /* DNS is left alone */
};

/* Zero-initialise, set `size` to sizeof(l2tpc_host_options), then what differs from the default. */
typedef struct l2tpc_host_options {
    size_t size;
    const char *run_dir;     /* NULL: L2TPC_HOST_RUN_DIR; made with mode 0700 when missing */
    const char *resolv_conf; /* NULL: L2TPC_HOST_RESOLV_CONF; absolute */
    uint32_t mark;           /* 0: L2TPC_HOST_MARK */
    uint32_t table;          /* 0: L2TPC_HOST_TABLE; at most 30000 */
    uint32_t dns_mode;       /* enum l2tpc_host_dns_mode */
    uint32_t allow;          /* policy: bit N lets request type N through; 0: all */
    const char *state_dir;   /* NULL: L2TPC_HOST_STATE_DIR; made with mode 0700 when missing */
} l2tpc_host_options;

/* An address or prefix. `bytes` in network order, an IPv4 address in the first four. */
typedef struct l2tpc_host_addr {
    uint8_t family;     /* 4 or 6; 0: none */
    uint8_t prefix_len; /* used for routes only */
    uint8_t reserved[2];
    uint8_t bytes[16];
} l2tpc_host_addr;

enum l2tpc_host_request_type {
    L2TPC_HOST_OPEN_UDP = 1,
    L2TPC_HOST_OPEN_RAW_ESP = 2,
    L2TPC_HOST_OPEN_TUN = 3,
    L2TPC_HOST_APPLY_IP = 4,
    L2TPC_HOST_RELEASE_IP = 5,
    L2TPC_HOST_OPEN_OBSERVER = 6,
    L2TPC_HOST_OBSERVER_SET_SPIS = 7,
    L2TPC_HOST_OBSERVER_READ = 8,
    L2TPC_HOST_OBSERVER_CLOSE = 9,
    L2TPC_HOST_BLOCK = 10,
    L2TPC_HOST_UNBLOCK = 11,
    L2TPC_HOST_BLOCK_READ = 12,
    L2TPC_HOST_WAY = 13,
    L2TPC_HOST_HELLO = 14,
    L2TPC_HOST_STATE_PART = 15,
    L2TPC_HOST_OPEN_TCP = 16,
    L2TPC_HOST_REPAIR_IP = 17, /* `u.release_ip`; reply: observer = changes that were gone and
                                  are made again; -ENODEV when the interface is gone itself */
};

/* Reply: fd, port. A bound, marked, non-blocking UDP socket. When `port` is busy any other is taken
 * and the reply says which, and in `detail` who has it, as far as may be seen: "charon (process
 * 812, strongswan.service)", "likely charon (...)", "uid 1000". */
typedef struct l2tpc_host_open_udp {
    uint8_t family; /* 4 or 6 */
    uint8_t reserved;
    uint16_t port; /* host order; 0: any. Below 1024 only 500 is allowed */
    uint32_t mark; /* 0: the host's; anything else must equal the host's */
} l2tpc_host_open_udp;

/* Reply: fd. A marked, non-blocking raw socket of IP protocol 50 that receives every ESP packet of
 * the computer until the caller attaches its SPI filter. */
typedef struct l2tpc_host_open_raw_esp {
    uint8_t family; /* 4 or 6 */
    uint8_t reserved[3];
    uint32_t mark; /* as above */
} l2tpc_host_open_raw_esp;

enum l2tpc_host_tun_flags {
    /* Each packet stands behind a struct virtio_net_hdr (IFF_VNET_HDR), so that the kernel may hand
     * over many as one; only where the kernel has that, which TUNGETIFF tells. For a descriptor
     * that a session of libl2tpc gets. */
    L2TPC_HOST_TUN_VNET_HEADER = 1,
};

/* Reply: fd, name, ifindex. A non-blocking TUN (no packet information header) that lives as long as
 * its descriptor; no IPv6 address of its own, a short queue, not up yet. */
typedef struct l2tpc_host_open_tun {
    char name[16];  /* exact, or with one "%d" that the kernel fills in; NUL-terminated */
    uint32_t mtu;   /* bytes, 68 to 65535; 0: the kernel's default */
    uint32_t flags; /* of l2tpc_host_tun_flags */
} l2tpc_host_open_tun;

enum l2tpc_host_ip_flags {
    L2TPC_HOST_IP_FULL_TUNNEL = 1, /* the IPv4 default route goes into the tunnel */
    L2TPC_HOST_IP_BLOCK_IPV6 = 2,  /* IPv6 beyond the local network is unreachable meanwhile */
    L2TPC_HOST_IP_PEER_ROUTE = 4,  /* a host route to the peer's address inside the tunnel */
    /* A full tunnel gives way to every route of table main but the default, not to those for
     * private ranges alone. Whoever answers DHCP can then pull traffic out of the tunnel. */
    L2TPC_HOST_IP_TRUST_MAIN = 8,
    /* Address, MTU, DNS and the tunnel's own routes are another program's work, NetworkManager's:
     * only what FULL_TUNNEL and BLOCK_IPV6 need is made, a table and rules, with one by which root
     * finds the way to the server in table main, to make the route to it. */
    L2TPC_HOST_IP_ROUTING_ONLY = 16,
};

/*
 * Configures a TUN device: address, MTU, up, routes, rules, DNS. All is written to the journal
 * before the first change; when a step fails what was done is undone and the reply names the step.
 * For an interface that is already configured by this host the configuration is changed in place:
 * the new parts are made before the old ones are unmade, so that no packet leaves elsewhere
 * meanwhile (only a changed tunnel name, or the same address with another peer, is released first).
 * When that fails the old configuration stays, though its resolv.conf may be back already. DNS
 * servers get a host route into the tunnel; 0.0.0.0, loopback and multicast are refused, as is a
 * local address of that kind or equal to the server's.
 */
typedef struct l2tpc_host_apply_ip {
    char interface[16];                   /* must be a TUN device */
    char tunnel[L2TPC_HOST_NAME_MAX + 4]; /* the journal's name, see l2tpc_host_name_valid() */
    l2tpc_host_addr local;                /* IPv4 */
    l2tpc_host_addr peer;                 /* IPv4; may be none */
    l2tpc_host_addr server;               /* the server's outer address, either family */
    uint32_t mtu;                         /* bytes, 68 to 65535; 0: unchanged */
    uint32_t flags;                       /* enum l2tpc_host_ip_flags */
    uint32_t n_dns;
    uint32_t n_search;
    uint32_t n_routes;
    l2tpc_host_addr dns[L2TPC_HOST_DNS_MAX];
    char search[L2TPC_HOST_SEARCH_MAX][256];
    l2tpc_host_addr routes[L2TPC_HOST_ROUTES_MAX]; /* bits behind the prefix are ignored */
} l2tpc_host_apply_ip;

/* Undoes APPLY_IP. The interface may be gone already. -ENOENT when it was never configured here. */
typedef struct l2tpc_host_release_ip {
    char interface[16];
} l2tpc_host_release_ip;

/* Reply: observer. Counts packets to and from `server` on the outer interface in the kernel,
 * without copying them. What segmentation offload keeps in one piece (UDP_SEGMENT, receive offload)
 * counts once. */
typedef struct l2tpc_host_open_observer {
    uint32_t ifindex;
    l2tpc_host_addr server;
} l2tpc_host_open_observer;

/* From now on ESP with these SPIs is counted, and with those of the call before (the SAs of a rekey
 * overlap). What was counted stays. */
typedef struct l2tpc_host_observer_set_spis {
    uint32_t observer;
    uint32_t out_spi;     /* host order; 0: none yet */
    uint32_t in_spi;      /* host order; 0: none yet */
    uint16_t local_port;  /* UDP encapsulation: our port; 0: any */
    uint16_t remote_port; /* UDP encapsulation: the server's port; 0: any */
} l2tpc_host_observer_set_spis;

/* OBSERVER_READ (reply: counts, since it was opened; source = the server; observer) and
 * OBSERVER_CLOSE. */
typedef struct l2tpc_host_observer_id {
    uint32_t observer; /* READ: 0: the newest that anybody opened here, also when it is closed */
} l2tpc_host_observer_id;

enum l2tpc_host_block_flags {
    L2TPC_HOST_BLOCK_LAN = 1, /* private and link-local ranges stay reachable, but not for DNS */
    /* TCP with the host's mark leaves as well (OPEN_TCP): the server's name and what its CA says of
     * its certificate are asked for before there is a tunnel. UDP with the mark, so DNS also,
     * leaves in any case; everybody else's questions stay in. */
    L2TPC_HOST_BLOCK_LOOKUPS = 2,
};

/*
 * BLOCK: from now on no packet leaves this computer but through the tunnels that hold the block,
 * and towards servers (UDP and ESP with the host's mark), so that nothing escapes before a tunnel
 * is up, between two of them, or after a process has died: it stands until UNBLOCK, or the next
 * boot. DHCP and neighbour discovery go on. May be repeated as more becomes known; each call
 * changes all of it at once, in one transaction. Interface and address of a holder are those of its
 * last call and go when it lets go; the flags are those of the last call of any. One nftables
 * table, inet "l2tpc-block". -EOPNOTSUPP when the kernel has no nf_tables; -ENOSPC beyond
 * L2TPC_HOST_TUNNELS_MAX holders.
 */
typedef struct l2tpc_host_block {
    char tunnel[L2TPC_HOST_NAME_MAX + 4]; /* who holds it */
    char interface[16];                   /* its TUN; "": not known yet */
    l2tpc_host_addr local; /* its IPv4 address: not taken from elsewhere; may be none */
    uint32_t flags;        /* enum l2tpc_host_block_flags */
    uint32_t asker; /* with BLOCK_LOOKUPS: a user who cannot mark its sockets and may ask all the
                       same, on port 53, and TCP 80 and 443, while this holder holds; 0: nobody */
} l2tpc_host_block;

/* UNBLOCK: this holder lets go; "": all do. When nobody is left, the table goes. -ENOENT: it did
 * not hold. BLOCK_READ has no argument; reply: observer = holders, detail = their names, clear =
 * packets that were held back. */
typedef struct l2tpc_host_unblock {
    char tunnel[L2TPC_HOST_NAME_MAX + 4];
} l2tpc_host_unblock;

/* WAY: how packets of our sockets leave for `destination`, see l2tpc_host_route_to(). Reply:
 * source, ifindex, mtu, name of the interface. HELLO has no argument; reply: observer = the host's
 * mark. */
typedef struct l2tpc_host_way_to {
    l2tpc_host_addr destination;
} l2tpc_host_way_to;

/* STATE_PART: a piece of what l2tpc_host_state_write() would write; the pieces come in order and
 * from 0, and the one that ends at `total` writes them all. */
typedef struct l2tpc_host_state_part {
    char tunnel[L2TPC_HOST_NAME_MAX + 4];
    uint32_t offset;
    uint32_t total;
    uint32_t n;
    uint8_t bytes[2048];
} l2tpc_host_state_part;

/* A TCP socket that is not connected yet and carries the host's mark: it goes past every tunnel and
 * kill switch, as what is asked of CAs and name servers does. Reply: fd, non-blocking. */
typedef struct l2tpc_host_open_tcp {
    uint8_t family; /* 4 or 6 */
    uint32_t mark;  /* 0: the host's own */
} l2tpc_host_open_tcp;

typedef struct l2tpc_host_request {
    uint32_t size; /* sizeof(l2tpc_host_request) */
    uint32_t type; /* enum l2tpc_host_request_type: which member of `u` is meant */
    union {
        l2tpc_host_open_udp open_udp;
        l2tpc_host_open_raw_esp open_raw_esp;
        l2tpc_host_open_tun open_tun;
        l2tpc_host_apply_ip apply_ip;
        l2tpc_host_release_ip release_ip;
        l2tpc_host_open_observer open_observer;
        l2tpc_host_observer_set_spis observer_set_spis;
        l2tpc_host_observer_id observer;
        l2tpc_host_block block;
        l2tpc_host_unblock unblock;
        l2tpc_host_way_to way;
        l2tpc_host_state_part state_part;
        l2tpc_host_open_tcp open_tcp;
    } u;
} l2tpc_host_request;

/* What went wrong, or what a person may want to know. Numbers are stable. */
enum l2tpc_host_sentence {
    L2TPC_HOST_SENTENCE_NONE = 0,
    L2TPC_HOST_SENTENCE_BAD_REQUEST = 1, /* a field is out of its bounds; detail: which */
    L2TPC_HOST_SENTENCE_NOT_ALLOWED = 2, /* the policy says no */
    L2TPC_HOST_SENTENCE_BAD_NAME = 3,    /* tunnel or interface name; detail: which */
    L2TPC_HOST_SENTENCE_BAD_ADDRESS = 4, /* detail: the address */
    L2TPC_HOST_SENTENCE_SOCKET = 5,
    L2TPC_HOST_SENTENCE_TUN = 6,
    L2TPC_HOST_SENTENCE_INTERFACE = 7, /* not there, or not a TUN device; or its address, MTU */
    L2TPC_HOST_SENTENCE_ROUTE = 8,     /* detail: the route */
    L2TPC_HOST_SENTENCE_RULE = 9,
    L2TPC_HOST_SENTENCE_DNS = 10,
    L2TPC_HOST_SENTENCE_SYSCTL = 11,
    L2TPC_HOST_SENTENCE_JOURNAL = 12,    /* the run directory: full, read-only, not ours */
    L2TPC_HOST_SENTENCE_ALREADY_UP = 13, /* a live process has a tunnel of this name */
    L2TPC_HOST_SENTENCE_NOT_FOUND = 14,  /* no such tunnel or observer here */
    L2TPC_HOST_SENTENCE_OBSERVER = 15,
    L2TPC_HOST_SENTENCE_DNS_FOREIGN = 16, /* status 0: somebody changed resolv.conf; left alone */
    L2TPC_HOST_SENTENCE_TOO_MANY = 17,    /* all slots are taken */
    L2TPC_HOST_SENTENCE_BLOCK = 18,       /* nftables */
    L2TPC_HOST_SENTENCE_BROKER = 19,      /* the root process is gone, or does not answer */
    L2TPC_HOST_SENTENCE_STATE = 20,       /* the state directory */
};

typedef struct l2tpc_host_reply {
    uint32_t size;     /* set by the host: sizeof(l2tpc_host_reply) */
    int32_t status;    /* 0 or a negative errno value */
    uint32_t sentence; /* enum l2tpc_host_sentence */
    int32_t fd;        /* -1, or a descriptor (close-on-exec) that the caller now owns */
    uint32_t ifindex;
    uint32_t observer;
    uint32_t port; /* host order */
    char name[16];
    uint32_t reserved;
    uint64_t clear;   /* UDP 1701, GRE and TCP 1723 to or from the server; must stay 0 */
    uint64_t esp_out; /* ESP packets, raw or in UDP, that left for the server */
    uint64_t esp_in;  /* ESP packets that came from the server */
    char detail[128]; /* short and technical, not translated; may be empty */
    l2tpc_host_addr source;
    uint32_t mtu; /* bytes */
} l2tpc_host_reply;

/* What l2tpc_host_new() found of earlier processes. */
typedef struct l2tpc_host_recovery {
    uint32_t live;      /* journals of running processes, left alone */
    uint32_t recovered; /* journals of dead processes, undone and removed */
    uint32_t damaged;   /* of those: not whole; undone as far as they could be read */
    uint32_t failed;    /* journals that could not be undone now and stay for the next start */
} l2tpc_host_recovery;

/*
 * Makes a host and undoes what dead processes left behind. Needs no rights by itself: without them
 * the requests fail with -EPERM. `options` may be NULL; strings in it are copied.
 * -EINVAL: an option is out of bounds. -ENOMEM. Trouble with the run directory is not reported here
 * but by the first APPLY_IP, so that sockets can be had without one.
 */
L2TPC_HOST_API int l2tpc_host_new(l2tpc_host **out, const l2tpc_host_options *options);

/* Releases every tunnel that this host configured, closes its observers, frees. NULL is fine.
 * Descriptors that were handed out stay open. */
L2TPC_HOST_API void l2tpc_host_free(l2tpc_host *host);

/* The result of the recovery made by l2tpc_host_new(). */
L2TPC_HOST_API void l2tpc_host_get_recovery(const l2tpc_host *host, l2tpc_host_recovery *out);

/* Serves one request. `reply` is always filled in; returns reply->status. */
L2TPC_HOST_API int l2tpc_host_request_serve(l2tpc_host *host, const l2tpc_host_request *request,
                                            l2tpc_host_reply *reply);

/* The mark that sockets towards servers carry. */
L2TPC_HOST_API uint32_t l2tpc_host_get_mark(const l2tpc_host *host);

/* 1 when `name` can name a tunnel: 1 to 64 of A-Z a-z 0-9 . _ - that do not start with '.' or '-'
 * and hold no "..". 0 otherwise; NULL is 0. May be called from any thread. */
L2TPC_HOST_API int l2tpc_host_name_valid(const char *name);

/*
 * What was learned about the server of a connection, kept beyond its process: one file per name in
 * the state directory, readable by its owner alone. `name` as for l2tpc_host_name_valid(), else
 * -EINVAL; a directory that others may write to is -EPERM. May be called from any thread.
 */
/* The bytes read, -ENOENT when nothing was learned, -EFBIG when there is more than `size`. */
L2TPC_HOST_API int l2tpc_host_state_read(l2tpc_host *host, const char *name, void *buffer,
                                         size_t size);
/* Whole or not at all, on disk before it returns. -EFBIG beyond L2TPC_HOST_STATE_MAX. */
L2TPC_HOST_API int l2tpc_host_state_write(l2tpc_host *host, const char *name, const void *bytes,
                                          size_t len);
/* -ENOENT when there was nothing to forget. */
L2TPC_HOST_API int l2tpc_host_state_forget(l2tpc_host *host, const char *name);

/* The way out to an address. */
typedef struct l2tpc_host_way {
    l2tpc_host_addr source; /* our address on it */
    uint32_t ifindex;
    uint32_t mtu; /* of the interface, or less when the kernel knows a narrower path; bytes */
    char interface[16];
    uint32_t is_local; /* 1: the destination is this computer */
} l2tpc_host_way;

/* Asks the kernel how packets with `mark` (0: none) leave for `destination`. Needs no rights.
 * -ENETUNREACH, -EHOSTUNREACH, -EACCES as the route says; -EINVAL for a bad address. May be called
 * from any thread. */
L2TPC_HOST_API int l2tpc_host_route_to(const l2tpc_host_addr *destination, uint32_t mark,
                                       l2tpc_host_way *out);

/* Changes of this computer's network that a tunnel cares about. */
enum l2tpc_host_change {
    L2TPC_HOST_CHANGE_NONE = 0,
    L2TPC_HOST_CHANGE_LINK_GONE = 1, /* the interface was deleted */
    L2TPC_HOST_CHANGE_LINK_DOWN = 2, /* it is down or lost its carrier */
    L2TPC_HOST_CHANGE_LINK_UP = 3,
    L2TPC_HOST_CHANGE_ADDRESS = 4, /* it gained or lost an address */
    L2TPC_HOST_CHANGE_ROUTE = 5,   /* a route that is not ours came or went through it */
    L2TPC_HOST_CHANGE_LOST = 6,    /* too many at once: look at everything again; ifindex 0 */
    L2TPC_HOST_CHANGE_OURS = 7,    /* a route or rule of a tunnel was taken away, maybe by us */
};

typedef struct l2tpc_host_event {
    uint32_t change; /* enum l2tpc_host_change */
    uint32_t ifindex;
} l2tpc_host_event;

/* A descriptor that is readable when l2tpc_host_watch_next() has something, or a negative errno
 * value. Opened by the first call, owned by the host; never read it yourself. */
L2TPC_HOST_API int l2tpc_host_watch_fd(l2tpc_host *host);

/* 1 and an event, 0 when there is none, or a negative errno value. Never blocks. */
L2TPC_HOST_API int l2tpc_host_watch_next(l2tpc_host *host, l2tpc_host_event *out);

/*
 * The broker: a root process that serves requests over a SOCK_SEQPACKET socket pair. A packet is
 * one l2tpc_host_request as it stands in memory, its answer one l2tpc_host_reply, with the
 * descriptor, if any, as SCM_RIGHTS. Both ends are of one program, so there is no version to agree
 * on. What the other end may ask for is fixed beforehand; anything else is refused with
 * L2TPC_HOST_SENTENCE_NOT_ALLOWED and changes nothing.
 */

enum l2tpc_host_policy_flags {
    L2TPC_HOST_POLICY_FULL_TUNNEL = 1, /* APPLY_IP may take the default route and block IPv6 */
    L2TPC_HOST_POLICY_DNS = 2,         /* ... may set name servers and search domains */
    L2TPC_HOST_POLICY_TRUST_MAIN = 4,  /* ... may set L2TPC_HOST_IP_TRUST_MAIN */
    L2TPC_HOST_POLICY_BLOCK = 8,       /* the kill switch, held and lifted in this tunnel's name */
    L2TPC_HOST_POLICY_BLOCK_LAN = 16,  /* ... with L2TPC_HOST_BLOCK_LAN */
    L2TPC_HOST_POLICY_LOOKUPS = 32,    /* ... with L2TPC_HOST_BLOCK_LOOKUPS */
    /* APPLY_IP may route IPv4 networks that stand in no list here, as the server pushes them: of 8
     * bits or more, and neither of this computer nor link-local, multicast or the server itself. */
    L2TPC_HOST_POLICY_SERVER_ROUTES = 64,
};

/* Zero-initialise and set `size`. Host and peer routes to the addresses that the server names
 * (inside address, name servers) need no permission of their own. */
typedef struct l2tpc_host_policy {
    uint32_t size;
    uint32_t allow;                       /* bit N lets request type N through */
    uint32_t flags;                       /* enum l2tpc_host_policy_flags */
    uint32_t sockets_max;                 /* UDP and ESP sockets in all of its life */
    char tunnel[L2TPC_HOST_NAME_MAX + 4]; /* the one name that requests may use */
    char interface[16];                   /* of the one TUN, exact or with one "%d" */
    uint32_t n_routes;
    l2tpc_host_addr routes[L2TPC_HOST_ROUTES_MAX]; /* what APPLY_IP may route beside them */
    uint32_t asker;                                /* the one that BLOCK may name; 0: none */
} l2tpc_host_policy;

/*
 * Makes a host with `options` and serves `fd` until the other end is closed; then undoes everything
 * but the kill switch, and returns. `fd` stays open. 0, or a negative errno value: -EINVAL for a
 * policy that is out of bounds; what l2tpc_host_new() said, after the other end was told.
 * The caller sees to it that signals do not end the process before that.
 */
L2TPC_HOST_API int l2tpc_host_broker_serve(int fd, const l2tpc_host_options *options,
                                           const l2tpc_host_policy *policy);

#define L2TPC_HOST_DOORS_MAX 4

enum l2tpc_host_door_flags {
    L2TPC_HOST_DOOR_LAST = 1,   /* when its other end is closed the broker undoes all, and ends */
    L2TPC_HOST_DOOR_TUNNEL = 2, /* when its other end is closed what was changed is undone */
};

/* One of several processes that a broker serves, each by a policy of its own: who talks to the
 * server needs no right to lift the kill switch, nor to write what was learned. */
typedef struct l2tpc_host_door {
    int fd;
    uint32_t flags; /* enum l2tpc_host_door_flags */
    l2tpc_host_policy policy;
} l2tpc_host_door;

/* As l2tpc_host_broker_serve() for up to L2TPC_HOST_DOORS_MAX others. A door that does not read its
 * replies is closed: nobody waits for one of them. */
L2TPC_HOST_API int l2tpc_host_broker_serve_doors(const l2tpc_host_door *doors, uint32_t n,
                                                 const l2tpc_host_options *options);

/* The other end. A client may be used by one thread at a time, but for its descriptor. */
typedef struct l2tpc_host_client l2tpc_host_client;

/* Waits until the broker is there and has undone what dead processes left behind. Owns `fd` from
 * then on, also when it fails: -ENOMEM, -EPIPE when there is no broker, or its own trouble. */
L2TPC_HOST_API int l2tpc_host_client_new(l2tpc_host_client **out, int fd);

/* The broker undoes everything once this has returned. NULL is fine. */
L2TPC_HOST_API void l2tpc_host_client_free(l2tpc_host_client *client);

/* As l2tpc_host_request_serve(). -EPIPE with L2TPC_HOST_SENTENCE_BROKER when the broker is gone;
 * so is, from then on, one that has not answered within 10 seconds. */
L2TPC_HOST_API int l2tpc_host_client_request(l2tpc_host_client *client,
                                             const l2tpc_host_request *request,
                                             l2tpc_host_reply *reply);

/* l2tpc_host_state_write() in the broker. */
L2TPC_HOST_API int l2tpc_host_client_state_write(l2tpc_host_client *client, const char *name,
                                                 const void *bytes, size_t len);

/* Only to be polled, for no event at all: POLLHUP says that the broker is gone. */
L2TPC_HOST_API int l2tpc_host_client_fd(const l2tpc_host_client *client);

/* The mark that the broker's sockets carry. */
L2TPC_HOST_API uint32_t l2tpc_host_client_get_mark(const l2tpc_host_client *client);

#ifdef __cplusplus
}
#endif

#endif
