/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every bound on what a peer can make grow, and every timer, with its reason. */
#ifndef L2TPC_BASE_LIMITS_H
#define L2TPC_BASE_LIMITS_H

#include "base/clock.h"

#include <stdint.h>

/* Retransmission (DESIGN.md, protocol decisions): RTO = clamp(4 x smoothed RTT, MIN, MAX). */
#define RTO_MIN US_MS(200)
#define RTO_MAX US_S(1)
#define RTO_FIRST US_MS(500) /* before any measurement; also main mode 1's floor */
#define IKE_BACKOFF_CAP US_MS(2500)
#define L2TP_BACKOFF_CAP US_S(8) /* RFC 2661 5.8: MUST NOT be below 8 s */

/* Deadlines of a stage from its first send. */
#define IKE_DEADLINE US_S(45)
#define L2TP_DEADLINE US_S(95)
#define PPP_DEADLINE US_S(30)
#define ADDRESS_DEADLINE US_S(5) /* per address while others are left to try */

/* IKE */
#define IKE_MESSAGE_MAX 8192
#define IKE_PAYLOADS_MAX 32
#define IKE_PACKET_MAX                                                                             \
    1280 /* longer IKE messages go in fragments: what every IPv6 path carries, and strongSwan's    \
            own choice; IPv4 paths that carry less have shown it in the MTU (Windows: 576) */
#define IKE_FRAGMENTS_MAX 32        /* of one message; Windows has been seen to send 29 */
#define IKE_FRAGMENTS_WAIT US_S(30) /* for the rest of a message, from its first fragment on */
#define IKE_VENDOR_IDS_MAX 64
#define IKE_VENDOR_IDS_KEPT 16
#define IKE_VENDOR_BYTES_KEPT 40 /* of each: the longest that tells servers apart (Check Point) */
#define IKE_PSK_FRESH US_S(10)   /* typed later than this, the server has forgotten message 4 */
#define IKE_COMMIT_WAIT US_S(2)
#define IKE_HINT_WAIT US_S(3)   /* an unauthenticated refusal waits this long for a valid answer */
#define IKE_RESENDS_MAX 5       /* answers to an exact duplicate */
#define IKE_WRONG_HASHES_MAX 16 /* messages 2 of aggressive mode that cost us a key each */
#define IKE_NONCE_LEN 32
#define IKE_PROBE_AFTER 3         /* unanswered sends of message 5 before port 4500 is probed */
#define IKE_PROBE_MORE 3          /* further unanswered sends once the probe was answered */
#define IKE_PSK_SILENCE US_S(6)   /* silence behind message 5 that may mean a wrong key */
#define IKE_PROBE_WAIT US_S(20)   /* for any sign of port 4500 after message 5 */
#define IKE_DELETED_KEEP US_S(30) /* keys of a deleted IKE SA, to read late Deletes */
#define IKE_QUICK_SLOTS 4         /* quick modes at once */
#define IKE_FINISHED_KEPT 32      /* message ids that must not come again */
#define IKE_SAS_MAX 8             /* ESP pairs remembered for Deletes */
#define IKE_NAT_D_MAX 10
#define IKE_PROPOSALS_MAX 32 /* of a server's own offer */
#define IKE_IDENTITY_MAX 512
#define REVOCATION_WAIT_SOFT US_S(2)  /* for a CA's answer, when we go on without one */
#define REVOCATION_WAIT_HARD US_S(10) /* and when we do not (hostile.md C19) */
#define LIFE_SOFT_FROM 80 /* percent of a lifetime: renewal begins between these two, ... */
#define LIFE_SOFT_TO 90   /* ... at a random point, so that both sides rarely begin at once */
#define IKE_KIN_MAX                                                                                \
    3 /* further IKE SAs: one of ours and one of the server's in the making, one old */
#define IKE_RENEW_DEADLINE US_S(20)  /* per stage of a renewal of phase 1 */
#define IKE_RENEW_HALF_OPEN US_S(10) /* a main mode that the server began waits this long */
#define IKE_RENEW_RESENDS_MAX 10     /* of one answer in a main mode that the server began */
#define IKE_RENEW_TRIES 3            /* quickly; then once a minute */
#define IKE_RENEW_PAUSE US_S(5)
#define IKE_RENEW_PAUSE_LONG US_S(60)
#define IKE_NUDGE_GAP US_S(10) /* between two renewals that a main mode from port 500 hints at */
#define IKE_RENEW_SOON                                                                             \
    US_MS(200)                  /* after a Delete of the IKE SA: more Deletes may be behind it     \
                                 */
#define IKE_RETIRE_OWN US_S(10) /* the server moves its ESP SAs to the new IKE SA meanwhile */
#define IKE_RETIRE_PEER                                                                            \
    US_S(30) /* the server began: deleting the old one is its business at first */
#define IKE_REKEY_DEADLINE US_S(10)        /* per try of a quick mode while a pair lives */
#define IKE_SWITCH_WAIT US_MS(500)         /* and 2 RTT: message 3 must have arrived by then */
#define LIFE_MIN_S 10                      /* shorter cannot be rekeyed in time */
#define LIFE_MIN_BYTES (UINT64_C(1) << 20) /* 1 MiB */
#define IKE_NONCE_MIN 8                    /* RFC 2409 5 */
#define IKE_NONCE_MAX 256                  /* RFC 2409 5 */
#define NATT_KEEPALIVE US_S(20)
#define DPD_IDLE US_S(30)
#define DPD_UNANSWERED US_S(10) /* traffic that goes out and brings nothing back */
#define DPD_UNREACHABLE US_S(1) /* of silence, before ICMP makes us ask */
#define DPD_RETRY US_S(3)
#define DPD_TRIES 5
#define DPD_ANSWERS_PER_S 5
/* Protected traffic that goes out and brings nothing back; the verdict stands within 30 s. */
#define ALIVE_UNANSWERED US_S(10)
#define ALIVE_UNANSWERED_LOGIN US_S(3) /* while a lost tunnel comes back */
#define ALIVE_LOGIN US_S(10)           /* in the first dial: it is asked whether it is there */
#define ALIVE_RETRY US_S(4)
#define ALIVE_DEAD US_S(29)
/* Behind a standstill of this computer (hostile.md F14). */
#define STANDSTILL_SLEPT US_S(1) /* by the clocks: they are read one after the other */
#define STANDSTILL_LATE US_S(2)  /* a timer that comes so late; a busy computer's come earlier */
#define ALIVE_WOKE_RETRY US_S(1)
#define ALIVE_WOKE_DEAD US_S(3)
#define ALIVE_SETTLE US_MS(200) /* what lay in the sockets meanwhile has been read by then */
#define REDIAL_PATIENCE                                                                            \
    US_S(8) /* a server that dies in the middle of a dial is back in a few seconds, and does not   \
               know us any more: waiting for each stage's own deadline would be 45 s */

/* ESP */
#define ESP_WINDOW 1024
#define SA_GRACE US_S(30) /* some servers start their quick mode only when the lifetime is over */
#define SA_BYTES_AHEAD                                                                             \
    US_S(10)                /* at the present rate a pair's bytes must last so long when its       \
                               successor is asked for (one try), ... */
#define SA_BYTES_SOONEST 50 /* ... but half of them are always used */
#define SA_RATE_OVER US_S(1)
/* ESP on a new pair before message 2 of a server that is slow to send it (measured: 18 packets of
 * 130 a second); on SPIs that only the server knows. */
#define EARLY_PACKETS_MAX 1024
#define EARLY_BYTES_MAX (1u << 20)
#define ESP_CHECK_DEADLINE US_S(30)            /* protected packets went out and none came back */
#define ESP_SEQ_SOFT (UINT32_MAX - (1u << 20)) /* rekey here (hostile.md H46) */

#define ESP_BLOCKS64_MAX                                                                           \
    (UINT64_C(8) << 20)         /* bytes under one key of 64-bit blocks (SP 800-67r2) */
#define SA_BLOCKS64_GAP US_S(5) /* not more often for their sake, however fast the line */
#define SA_TRIES 3              /* quick modes for one successor */
#define SA_TRY_PAUSE US_S(2)
#define SA_POLL US_S(1)            /* while the server's own quick mode is under way */
#define SA_RENEW_SOON US_MS(200)   /* after a Delete of the only pair: more may be behind it */
#define SA_STILL_OLD US_MS(300)    /* ESP on the old pair this recently: message 3 may be lost */
#define SA_SWITCH_PATIENCE US_S(5) /* for such a server to show up on the new pair */
#define SA_DELETE_AFTER US_S(5)    /* a pair that was replaced: what was under way has arrived */
#define SA_DELETE_SPARE_AFTER                                                                      \
    US_S(25)                     /* one of two that were made at once: the server chooses first */
#define SA_OLD_KEEP US_S(30)     /* a replaced pair is read for so long (hostile.md H47) */
#define SA_SPARE_WINDOW US_S(10) /* two pairs this close together come from a collision */

/* The data plane */
/* Packets that wait in a TUN for us. Each may be a super-packet of 64 KB, and whoever comes behind
 * them waits for all of them; fewer would lose bursts of small ones. */
#define TUN_QUEUE 100

/* L2TP */
/* Behind quick mode 3, for servers whose IKE daemon has to tell the kernel of the SAs first: what
 * comes before is lost, or answered unprotected and repeated after a second. */
#define SCCRQ_HOLD US_MS(20)
#define L2TP_WINDOW 8      /* our Receive Window Size */
#define L2TP_WINDOW_CAP 16 /* of what a peer announces */
#define L2TP_HELLO US_S(60)
#define L2TP_MESSAGE_MAX 1500
#define L2TP_FORMER_SENDS                                                                          \
    4                     /* of the StopCCN for a tunnel that was lost; servers may not know it    \
                           */
#define L2TP_FORMER_MAX 3 /* tunnels that the server may still hold, the newest ones */
#define L2TP_FORMER_NS 4  /* messages that may have been under way when it was lost */
#define L2TP_PORT 1701
#define OUTER_MTU_MAX 1500 /* Ethernet's; assumed where nothing is known */
#define OUTER_MTU_MIN_IPV4                                                                         \
    576 /* less than every host must take (RFC 1122 3.3.2) is not believed                         \
         */
#define OUTER_MTU_MIN_IPV6 1280
#define L2TP_DATA_ENVELOPE (8 + 4) /* L2TP data header and PPP header around an IP packet */

/* RFC 8899: the longest packet that the way to the server carries whole */
#define PATH_MTU_MAX_PROBES 3 /* 5.1.2 */
#define PATH_MTU_PROBE_MIN                                                                         \
    US_MS(400) /* PROBE_TIMER, from the round trip (5.1.1): four of them; SoftEther has ticks */
#define PATH_MTU_PROBE_MAX US_S(2)
#define PATH_MTU_RAISE US_S(600) /* PMTU_RAISE_TIMER */
#define PATH_MTU_CLOSE 8u        /* bytes between what was carried and what was lost */
#define PATH_MTU_NUMBERS 128     /* of LCP echoes that are probes; the others belong to liveness */

/* PPP */
#define PPP_MRU 1400
#define PPP_FRAME_MAX 2052 /* the largest MRU that is accepted, with its header */
#define PPP_RESTART US_S(1)
#define PPP_NAKS_MAX 5 /* then Reject */
#define PPP_ROUNDS_MAX 20
#define PPP_ECHO US_S(20)
#define PPP_ECHO_TRIES 4
#define PPP_ECHO_RETRY US_MS(2500) /* between unanswered echoes: dead 30 s after the last sign */
#define PPP_CHAP_RESEND US_S(3)    /* our unanswered Response: authentication servers are slow */
#define PPP_LOGIN_DEADLINE                                                                         \
    US_S(90) /* from our first login on, while the server is there: a person may have to press a   \
                button (RADIUS with push approval) */
#define PPP_CHAP_GAP US_S(10)  /* at most one new Response (hostile.md H69) */
#define PPP_REJECT_GAP US_S(1) /* between two Protocol-Rejects or Code-Rejects */
#define PPP_REOPENS_MAX 3      /* reopened within PPP_REOPEN_WINDOW (hostile.md H67) */
#define PPP_REOPEN_WINDOW US_S(60)
#define PPP_MRU_MIN 128
#define PPP_MRU_MAX 2048
#define PPP_MRU_DEFAULT 1500 /* RFC 1661 6.1: in force when nothing was agreed */

/* Scan: asking a server what it accepts. A half-made SA stays at the server until it expires, so
 * that what counts is how many messages leave and how fast. */
#define SCAN_ITEMS_MAX 640
#define SCAN_SET_MAX 26       /* suites of one message 1: it fits one datagram on any path */
#define SCAN_OFFER_MAX 8      /* suites of the list for --ike */
#define SCAN_SUITE_TEXT 32    /* "aes256-sha512-curve25519" with the NUL */
#define SCAN_MESSAGES 64      /* resent ones included */
#define SCAN_MESSAGES_ALL 200 /* every combination was asked for */
#define SCAN_PACE US_MS(250)  /* between two messages, whatever they are */
#define SCAN_SENDS 3          /* of one message */
#define SCAN_SENDS_CONTROL 2  /* of a question whose answer is known */
#define SCAN_SENDS_MORE 2     /* while other addresses are left */
#define SCAN_TRIALS 3         /* common suites asked alone before a mute server is given up */
#define SCAN_HINT US_MS(250)  /* a refusal waits so long for a valid message 2 that belies it */
#define SCAN_WAIT_FIRST US_S(1)
#define SCAN_WAIT_MIN US_MS(500)
#define SCAN_REST US_S(30) /* servers forget half-made SAs in half a minute (strongSwan: 30 s) */
#define SCAN_TIME US_S(60)
#define SCAN_TIME_MAX_S 300

/* The ladder (dial/ladder.h) */
#define LADDER_ONES 6    /* tries with one suite; more would look like a scan, and take too long */
#define LADDER_MM5_MAX 3 /* main modes that reach message 5 in one dial (hostile.md C13) */
#define LADDER_ROWS_MAX 24
#define LADDER_TIME US_S(30)        /* no rung begins later: a dial ends within 50 s */
#define LADDER_MM1_SENDS 3          /* unanswered message 1 with the whole list: 3.5 s */
#define LADDER_ONE_SENDS 2          /* and with one suite: 1.5 s */
#define LADDER_HINT_WAIT US_MS(500) /* behind the first refusal, which has had IKE_HINT_WAIT */
#define LADDER_QUICK_WAIT US_S(3)
#define LADDER_QUICK_LAST US_S(15) /* the last one: before DPD gives up, which began before it */
#define LADDER_MM5_WAIT US_S(20)   /* behind a rung that message 5 has been sent on before */
#define LADDER_PROBE_WAIT US_S(8)  /* for any sign of port 4500, when raw ESP is the next rung */
#define LADDER_PORT_WAIT US_S(2)   /* and 4 RTT: SCCRQ unanswered; then source port 1701 */
#define LADDER_ESP_WAIT US_S(6)    /* raw ESP brings nothing back; then UDP encapsulation */
#define LEARNED_TEXT_MAX 16384
#define LEARNED_FINGERPRINT_MAX 129

/* How often data threads tell the engines that packets pass, at most: seconds are what those count,
 * and bytes of a lifetime with room to spare. */
#define DATA_NOTE_GAP US_MS(100)
/* For what a data thread may still use to be wiped. */
#define DATA_SWEEP_AFTER US_MS(10)

/* Memory for secrets: pages are locked this many at a time. Older systems let a user lock 64 kB in
 * all, and a config and a context have to fit there. */
#define ARENA_CHUNK (16u << 10)
#define ARENA_BLOCK_MAX (1u << 20) /* a key file: CERT_FILE_MAX */
/* Descriptors of one process that are looked through for a socket. */
#define HOLDER_FDS_MAX 20000
/* Memory for OpenSSL: addresses are set aside for so much, and become memory step by step. */
#define HEAP_ROOM ((size_t)64 << 20)
#define HEAP_STEP ((size_t)64 << 10)

/* Polite end: how long a Terminate, CDN, StopCCN or Delete may wait for its answer. */
#define NO_SA_WAIT US_S(5) /* all SAs deleted: the server may be about to start a quick mode */
#define CLOSE_WAIT US_MS(1500)

/* Tables of servers: files that a person wrote, or a package brought. */
#define SERVERS_FILE_MAX (64u << 10)
#define SERVERS_LINE_MAX 400
#define SERVERS_ROWS_MAX 256     /* of all files together; each is looked at for every dial */
#define SERVERS_CONDITIONS_MAX 8 /* of one row */
/* Reconnecting: a tunnel that was up is dialed again at once, then 1, 2, 4 ... s apart. */
#define RECONNECT_FIRST US_S(1)
#define RECONNECT_CAP US_S(60)
#define RECONNECT_CLOSED                                                                           \
    US_S(4) /* at least, after a server's own end: SoftEther is done with its tunnel 3 s later,    \
               and its thread spins when the next one comes before */
#define RECONNECT_GOOD US_S(60)    /* up for less, the waits go on where they were */
#define RECONNECT_RESOLVE_EVERY 3  /* dials; the others go to the address that worked */
#define RESOLVE_AGAIN_WAIT US_S(3) /* for a name that led somewhere before (hostile.md F16) */
#define RECONNECT_NO_WAY                                                                           \
    US_S(5) /* without any way to the server: looked at so often, for those who tell us of no      \
               changes of the network; a look sends nothing */
#define REPAIRED_GOOD                                                                              \
    US_S(60) /* taken away again sooner, another program and we would go on for ever */
#define RECONNECT_TOKEN US_MS(200) /* a token that is busy is looked at again */
#define RECONNECT_STOP US_MS(80)   /* a user who ends it waits for no goodbye */

/* DHCPINFORM through the tunnel (RFC 2131 3.4): what the server adds to IPCP. Nothing waits for it.
 */
#define DHCPINFORM_TRIES 3
#define DHCPINFORM_WAIT US_S(2) /* for the first answer; each further one gets twice that */
#define DHCPINFORM_PACKET_MAX                                                                      \
    576 /* RFC 2131 2: what everybody must take, and we ask for no more                            \
         */
#define DHCPINFORM_ANSWER_MAX 1500
#define DHCPINFORM_ROUTES_MAX 32
/* A wider network is not taken from a server that nobody chose for it: two of one bit would make a
 * full tunnel of a split one. */
#define DHCPINFORM_PREFIX_MIN 8
#define DHCPINFORM_DOMAINS_MAX 4
#define DHCPINFORM_DOMAIN_MAX 254 /* RFC 1035 2.3.4 as text, with its end */

#endif
