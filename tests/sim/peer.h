/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small L2TP/IPsec server for tests in virtual time, written independently of the client engines
 * so that a shared misreading of an RFC cannot pass. It is strict: what the client does against an
 * RFC is counted as a complaint. Datagrams and `now` go in, datagrams and a deadline come out.
 */
#ifndef TESTS_SIM_PEER_H
#define TESTS_SIM_PEER_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/failure.h"
#include "base/queue.h"
#include "base/suite.h"
#include "crypto/crypto.h"

#include <stdio.h>

enum peer_port {
    PEER_UDP500,
    PEER_UDP4500,   /* with the marker, ESP or a keepalive, as on the wire */
    PEER_RAWESP,    /* IP protocol 50: the datagram starts with the SPI */
    PEER_CLEAR1701, /* must never be used by a client: counted, never answered */
    PEER_PORTS,
};

enum peer_flavour {
    PEER_PLAIN, /* every answer at once, no waits of its own: a gap in a dial is the client's */
    PEER_SOFTETHER,
    PEER_PPPD,    /* strongSwan, xl2tpd, pppd */
    PEER_WINDOWS, /* NAT-T draft 02 and RFC, LCP with every option, MS-CHAPv2 */
};

enum peer_auth {
    PEER_AUTH_NONE,
    PEER_AUTH_PAP,
    PEER_AUTH_CHAP_MD5,
    PEER_AUTH_MSCHAPV2,
    PEER_AUTH_EAP, /* asked for, never carried out */
};

enum peer_natt {
    PEER_NATT_RFC = 1 << 0,
    PEER_NATT_DRAFT03 = 1 << 1,
    PEER_NATT_DRAFT02 = 1 << 2,
};

/*
 * Bug switches. Those marked "noise" send something bad before the right message: the dial must
 * succeed. All others break the dial in a way that must end in its own failure code, unless the
 * comment says that the client must live with it.
 */
#define PEER_BUG(n) ((uint64_t)1 << (n))
#define BUG_IKE_WRONG_HASH_R PEER_BUG(0)
#define BUG_IKE_WRONG_TRANSFORM PEER_BUG(1) /* MM2: a hash that was not offered */
#define BUG_IKE_FOREIGN_COOKIE PEER_BUG(2)  /* noise */
#define BUG_IKE_TRUNCATED PEER_BUG(3)       /* noise: each message first cut short */
#define BUG_IKE_GARBAGE_CHAIN PEER_BUG(4)   /* noise: each message first with a broken chain */
#define BUG_IKE_KE_ZERO PEER_BUG(5)         /* MM4 */
#define BUG_IKE_KE_ONE PEER_BUG(6)          /* MM4 */
#define BUG_IKE_KE_SHORT PEER_BUG(7)        /* MM4: half of the length */
#define BUG_IKE_KE_MIRROR PEER_BUG(8)       /* MM4: the client's own value */
#define BUG_IKE_NONCE_SHORT PEER_BUG(9)     /* MM4: 4 bytes */
#define BUG_IKE_NATD_SIZE PEER_BUG(10)      /* MM4: NAT-D of 7 bytes */
#define BUG_IKE_NO_PROPOSAL PEER_BUG(11)    /* MM1: NO-PROPOSAL-CHOSEN in clear */
#define BUG_IKE_CLEAR_REFUSALS PEER_BUG(12) /* noise: clear error notify and Delete beside all */
#define BUG_IKE_LIFE_1S PEER_BUG(13)        /* QM2: lifetime of one second */
#define BUG_QM_WRONG_TRANSFORM PEER_BUG(14) /* QM2: another integrity algorithm */
#define BUG_QM_NO_PROPOSAL PEER_BUG(15)     /* protected NO-PROPOSAL-CHOSEN */
#define BUG_QM_NO_KE PEER_BUG(16)           /* PFS taken, KE not sent: lived with, shown */
#define BUG_QM_COMMIT_CONNECTED                                                                    \
    PEER_BUG(17)                         /* lived with: CONNECTED in an Informational, 100 ms      \
                                          */
#define BUG_QM_COMMIT_QM4 PEER_BUG(18)   /* lived with: CONNECTED as message 4, 100 ms */
#define BUG_QM_COMMIT_NEVER PEER_BUG(19) /* lived with: no CONNECTED ever comes */
#define BUG_ESP_BAD_ICV PEER_BUG(20)     /* noise: each packet first with a bad ICV */
#define BUG_ESP_ALL_BAD_ICV PEER_BUG(21) /* every packet is bad */
#define BUG_ESP_REPLAY PEER_BUG(22)      /* noise: each packet twice */
#define BUG_ESP_WRONG_PORTS PEER_BUG(23) /* noise: each packet first with foreign ports */
#define BUG_ESP_DUMMY PEER_BUG(24)       /* noise: a dummy packet before each */
#define BUG_ESP_DELETE_MIDLIFE                                                                     \
    PEER_BUG(25)                             /* lived with: ESP SA deleted at the third IP packet  \
                                              */
#define BUG_L2TP_NO_TUNNEL_ID PEER_BUG(26)   /* SCCRP without Assigned Tunnel ID */
#define BUG_L2TP_WRONG_RESPONSE PEER_BUG(27) /* challenge response wrong */
#define BUG_L2TP_CDN PEER_BUG(28)            /* CDN instead of ICRP: result_code */
#define BUG_L2TP_STOPCCN PEER_BUG(29)        /* StopCCN instead of SCCRP: result_code */
#define BUG_L2TP_MANDATORY_AVP PEER_BUG(30)  /* unknown mandatory AVP in SCCRP */
#define BUG_L2TP_BAD_AVP PEER_BUG(31)        /* AVP of length 3 in SCCRP */
#define BUG_LCP_NAK_LOOP PEER_BUG(32)        /* Naks the MRU for ever */
#define BUG_LCP_INSIST_PAP PEER_BUG(33)      /* asks for PAP whatever is Nak'ed */
#define BUG_LCP_MAGIC_MIRROR PEER_BUG(34)    /* our magic is the client's */
#define BUG_LCP_ACK_WRONG_ID PEER_BUG(35)    /* noise: each Ack first with a foreign id */
#define BUG_AUTH_WRONG_S PEER_BUG(36)
#define BUG_AUTH_NO_S PEER_BUG(37)
#define BUG_AUTH_ERROR PEER_BUG(38)       /* E=auth_error whatever the password */
#define BUG_AUTH_RECHALLENGE PEER_BUG(39) /* never satisfied, never says no */
#define BUG_IPCP_LOOPBACK PEER_BUG(40)    /* address 127.0.0.1 */
#define BUG_IPCP_REJECT_ALL PEER_BUG(41)
#define BUG_PPP_EARLY_IP PEER_BUG(42)          /* noise: IP data before authentication */
#define BUG_PPP_UNKNOWN_PROTOCOLS PEER_BUG(43) /* noise: CCP and a made-up protocol */
#define BUG_L2TP_HELLO_STORM PEER_BUG(44)      /* noise: a HELLO behind every message */

#define BUG_IKE_CLEAR_MM6 PEER_BUG(45)  /* message 6 unencrypted, as some servers send it */
#define BUG_AM_KE_ZERO PEER_BUG(46)     /* aggressive mode 2 */
#define BUG_AUTH_HANG_UP PEER_BUG(47)   /* a wrong login: CDN, and no word of PPP */
#define BUG_AUTH_TERMINATE PEER_BUG(48) /* a wrong login: Terminate-Request alone */

enum peer_aggressive {
    PEER_AGGRESSIVE_NO,   /* a client that tries is complained about */
    PEER_AGGRESSIVE_TOO,  /* beside main mode */
    PEER_AGGRESSIVE_ONLY, /* main mode: INVALID-EXCHANGE-TYPE */
};

struct peer_config {
    enum peer_flavour flavour;
    const char *psk, *user, *password; /* outlive the peer */
    struct policy policy;              /* allowed suites; n == 0: everything that we know */
    bool no_natt, no_raw;              /* refuse UDP encapsulation, raw ESP */
    unsigned natt;                     /* enum peer_natt; 0 = by flavour */
    bool natd_random;                  /* NAT-D of the client is random, so that it must float */
    bool no_dpd;
    size_t longest_echo;   /* longer LCP Echo-Requests are not answered; 0: all are */
    struct endpoint local; /* port 500 */
    uint16_t natt_port;    /* 0 = 4500 */
    enum peer_auth auth[4];
    unsigned n_auth; /* 0 = by flavour */
    struct inaddr client_ip, server_ip, dns[2];
    const char *tunnel_secret; /* NULL: none */
    bool hide_avps;            /* with the secret: SCCRP and ICRP carry hidden AVPs */
    uint16_t window;           /* our L2TP receive window; 0 = 16 */
    uint64_t bugs;
    uint16_t result_code;      /* of BUG_L2TP_CDN and BUG_L2TP_STOPCCN; 0 = 2 */
    unsigned auth_error;       /* of BUG_AUTH_ERROR and of a wrong password; 0 = 691 */
    enum stage silent_from;    /* never answers from this stage on; STAGE_RESOLVE = answers all */
    l2tpc_us login_delay;      /* first CHAP Response to its verdict: a person presses a button */
    l2tpc_us install_delay;    /* quick mode 3 to the SA being usable */
    l2tpc_us hello, dpd, echo; /* intervals of our own probes; 0 = none, SoftEther has its own */
    uint32_t esp_life_s;       /* ours is smaller: RESPONDER-LIFETIME; 0 = the client's */
    uint32_t esp_life_kb;      /* the same in kilobytes; 0 = none */
    l2tpc_us quick_every;      /* we start a quick mode when the newest pair is so old; 0 = never */
    l2tpc_us main_every;       /* and a main mode when the newest IKE SA is */
    l2tpc_us delete_old;       /* we delete what a newer one replaced after so long; 0 = never */
    size_t fragment; /* announces IKE fragments and sends more than that in pieces; 0 = by flavour,
                        and everything whole */
    bool fragments_backwards; /* the last one first */
    /* What it says of itself instead of what its flavour says. */
    struct span vendor_id[16]; /* outlive the peer */
    unsigned n_vendor_ids;
    const char *l2tp_vendor, *l2tp_host;
    uint16_t l2tp_firmware;
    unsigned most_ike, most_esp; /* chokes on an offer of more transforms; 0 = any */
    bool chokes_silently;        /* with no word instead of NO-PROPOSAL-CHOSEN */
    enum peer_wants_1701 {
        PEER_ANY_PORT,
        PEER_1701_REFUSED, /* INVALID-ID-INFORMATION to any other source port in quick mode */
        PEER_1701_MUTE,    /* the pair is made, L2TP from another port goes unheard */
    } wants_1701;
    bool deletes_ike; /* behind a refused quick mode */
    struct span id;   /* type, then data; empty: our address */
    enum peer_aggressive aggressive;
    bool send_early;  /* on a pair that the client began, before message 2 is out: Libreswan */
    bool main_on_500; /* our main modes begin there, also after the float: Libreswan */
    struct span
        dhcp_options;   /* of the answer to a DHCPINFORM, behind the type; empty: none comes */
    unsigned dhcp_deaf; /* so many are not heard first */
    bool dhcp_lies;     /* answers what nobody has asked */
    bool only_newest;   /* a quick mode under an IKE SA that we have begun to renew is not heard:
                           strongSwan */
};

struct peer_facts {
    unsigned ike_sas, ike_established; /* now */
    unsigned esp_pairs;
    uint32_t spi_in, spi_out; /* of the newest pair, seen from the peer */
    bool udp_encapsulated, pfs, floated;
    bool tunnel_up, session_up, lcp_up, authenticated, ip_up;
    char user[64]; /* as the client sent it */
    enum peer_auth auth;
    uint16_t client_port; /* inner */
    /* Ever since the peer was made. */
    unsigned own_mains, own_quicks; /* that we began and the client ended well */
    unsigned main_modes, quick_modes, mm5_failed, mm5_seen;
    unsigned mm5_modes;     /* main modes that got as far as message 5, however often it came */
    unsigned choked;        /* offers of more transforms than it bears */
    unsigned clear_1701;    /* L2TP outside of ESP: must stay 0 */
    unsigned l2tp_messages; /* control messages that were not a ZLB, duplicates included */
    unsigned l2tp_duplicates;
    unsigned ip_echoed, ip_in;
    unsigned esp_in, esp_bad, esp_replayed, esp_unknown_spi;
    unsigned keepalives, dpd_answers, dpd_probes;
    unsigned lcp_echo_replies, protocol_rejects;
    size_t longest_echo; /* an LCP Echo-Request that was answered, its header included */
    unsigned deletes_esp, deletes_ike, stopccns, cdns, terminates; /* received */
    unsigned fragments_in, fragments_out;                          /* of IKE */
    unsigned complaints;
    char complaint[160];    /* the first one */
    uint8_t client_id[600]; /* body of the last ID payload of phase 1 */
    size_t client_id_n;
    unsigned dhcp_informs;
    unsigned aggressive_modes; /* first messages of aggressive mode, repeated ones too */
};

struct peer;

struct peer *peer_new(const struct peer_config *config, const struct env *env, struct crypto *c);
void peer_free(struct peer *p);
void peer_input(struct peer *p, enum peer_port port, const struct endpoint *from,
                struct span datagram, l2tpc_us now);
bool peer_pop_out(struct peer *p, enum peer_port *port, struct endpoint *to,
                  struct msg *out) MUST_USE;
void peer_timer(struct peer *p, l2tpc_us now);
l2tpc_us peer_deadline(const struct peer *p);
const struct peer_facts *peer_facts(struct peer *p);

/* On demand; each does nothing when there is nothing to do it to. */
void peer_start_quick(struct peer *p, l2tpc_us now);
void peer_start_main(struct peer *p, l2tpc_us now);       /* where the newest IKE SA leads to */
void peer_start_aggressive(struct peer *p, l2tpc_us now); /* its first message only */
void peer_dpd_probe(struct peer *p, l2tpc_us now);
void peer_delete_esp(struct peer *p, l2tpc_us now); /* the newest pair */
void peer_delete_ike(struct peer *p, l2tpc_us now);
void peer_terminate(struct peer *p, const char *text, l2tpc_us now); /* LCP Terminate-Request */
void peer_cdn(struct peer *p, uint16_t result, uint16_t error, const char *text, l2tpc_us now);
void peer_stopccn(struct peer *p, uint16_t result, uint16_t error, const char *text, l2tpc_us now);
void peer_hello(struct peer *p, l2tpc_us now);
void peer_lcp_echo(struct peer *p, l2tpc_us now);
void peer_lcp_reopen(struct peer *p, l2tpc_us now);
void peer_send_ip(struct peer *p, struct span packet, l2tpc_us now);
void peer_forget(struct peer *p);                    /* as after a reboot: no Delete goes out */
void peer_silence(struct peer *p, enum stage stage); /* from now on; STAGE_RESOLVE ends it */
/* The keys of all SAs that live, as tshark's -o options, one a line. */
void peer_write_keys(struct peer *p, FILE *f);
void peer_set_bugs(struct peer *p, uint64_t bugs);
void peer_set_id(struct peer *p, struct span id);

#endif
