/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sockets of a context, shared by all its sessions: per address family an IKE socket, a NAT-T
 * socket and, where wanted, raw ESP. Received datagrams are handed to the session they belong to:
 * IKE by the initiator's cookie, ESP by SPI. Runs in the loop's thread, or ESP in threads of its
 * own (io/lanes.h); no allocation per packet.
 */
#ifndef L2TPC_IO_HUB_H
#define L2TPC_IO_HUB_H

#include "base/addr.h"
#include "base/failure.h"
#include "dial/dial.h"
#include "io/lanes.h"
#include "io/loop.h"
#include "io/ports.h"
#include "io/run.h"

#define HUB_BATCH 32        /* datagrams of one system call */
#define HUB_RX_LEN 8448     /* IKE_MESSAGE_MAX, an IP header and the marker */
#define HUB_PACKET_MAX 2176 /* the longest IP packet that enters the tunnel */
#define HUB_ESP_MAX 128     /* ESP packets that a member is given at once */
#define HUB_SPIS_MAX 8      /* inbound SAs that a member may name */

struct hub;
struct plane_work;

/* What a plane has learned of the way that its runs take; all zero to begin with. */
struct hub_gso {
    bool off;        /* the kernel, or the interface, does not cut */
    size_t too_long; /* packets of this size and above are longer than the way's MTU; 0: unknown */
    uint64_t joined; /* so many have left in one piece with the one before */
};

/*
 * Storage of its owner, zeroed but for the upper part, between hub_join() and hub_leave(). Inside
 * the callbacks a member may leave and others may join; the hub itself may not be freed.
 */
struct hub_member {
    void *user;
    struct endpoint remote; /* whom it talks to now; to be kept current by the owner */
    bool (*owns_cookie)(void *user, const uint8_t cky_i[8]);
    bool (*owns_spi)(void *user, uint32_t spi);
    /* A datagram as on the wire (with the marker on the NAT-T path; raw ESP without IP header), to
     * be opened in place. `to` is our address, family 0 when unknown. */
    void (*datagram)(void *user, enum dial_path path, const struct endpoint *from,
                     const struct inaddr *to, struct mspan bytes, l2tpc_us now);
    /* Optional: ESP packets of one sender, SPI first, of either path go here and not to datagram();
     * at most HUB_ESP_MAX. They stay where they are until the callback returns. */
    void (*esp)(void *user, enum dial_path path, const struct endpoint *from,
                const struct mspan *packets, unsigned n, l2tpc_us now);
    /* Optional: after a batch of which esp() had something. Like esp() and owns_spi() called by the
     * data thread, where there is one. */
    void (*esp_end)(void *user, l2tpc_us now);
    /* Optional: after a batch in which this member was given something; with data threads, anything
     * but by esp(). */
    void (*batch_end)(void *user, l2tpc_us now);
    /* Optional: ICMP says that `to` cannot be reached. Unauthenticated, a hint only. */
    void (*unreachable)(void *user, const struct endpoint *to, int os_error, l2tpc_us now);
    /* The hub's own: */
    struct hub_member *next, *prev;
    bool joined;
    struct {
        struct hub_member *next;
        bool touched;
    } of[2];       /* by reader: the control side's, the data thread's */
    uint8_t holds; /* which sockets it keeps open, one bit each */
    uint32_t spi[HUB_SPIS_MAX];
    unsigned n_spi;
    bool told; /* these are all, and the hub finds them without asking */
    /* ESP packets of the batch that is handed on which came in one piece with the one before. */
    unsigned joined_in;
};

struct hub_counters {
    uint64_t in, out;
    uint64_t lost;       /* the kernel had no room: as if the network had dropped it */
    uint64_t refused;    /* the kernel would not send: reported as a hint */
    uint64_t unowned;    /* for no session of ours */
    uint64_t malformed;  /* too short or too long to be anything */
    uint64_t keepalives; /* the NAT-T keepalives of the peer */
    uint64_t icmp;
    uint64_t joined_out; /* of `out`: left in one piece with the one before */
};

/* `lanes` NULL: all in the loop's thread. */
struct hub *hub_new(struct loop *loop, struct lanes *lanes, const struct port_options *options);
void hub_free(struct hub *hub); /* closes all sockets; members must have left */

/* Hands in a descriptor in place of one that hub_open_*() would open; owned by the hub from then on
 * when true. False when there is one already or the descriptor is not what it should be. */
bool hub_give(struct hub *hub, enum dial_path path, uint8_t family, int fd) MUST_USE;

void hub_join(struct hub *hub, struct hub_member *member);
void hub_leave(struct hub *hub, struct hub_member *member); /* lets go of its sockets; idempotent */

/* The IKE and the NAT-T socket of a family, opened on first use and kept until the last member that
 * asked has left. Asking again is fine. */
bool hub_open_udp(struct hub *hub, struct hub_member *member, uint8_t family,
                  struct failure *out_failure) MUST_USE;
/* The same for raw ESP. */
bool hub_open_esp(struct hub *hub, struct hub_member *member, uint8_t family,
                  struct failure *out_failure) MUST_USE;
/* Another port for the NAT-T socket, while this member has it for itself: that of the descriptor,
 * or one that the hub opens (-1). False leaves all as it is, the descriptor with its owner. */
bool hub_renew_natt(struct hub *hub, struct hub_member *member, uint8_t family, int fd) MUST_USE;
/* Whether the owner gave it in, so that another one has to come from there as well. */
bool hub_is_given(const struct hub *hub, enum dial_path path, uint8_t family);
/* Local ports of the open sockets, 0 when closed. */
uint16_t hub_port(const struct hub *hub, enum dial_path path, uint8_t family);
int hub_socket(const struct hub *hub, enum dial_path path, uint8_t family); /* or -1 */

/*
 * All inbound SPIs of the member, old ones of a rekeying included, before the next batch after a
 * change. What is for nobody then costs one look, not one for each member; whoever has never called
 * this is asked each time. The kernel drops raw ESP of others; as long as some member with raw ESP
 * has named none, everything comes through.
 */
void hub_set_esp_spis(struct hub *hub, struct hub_member *member, const uint32_t *spis,
                      unsigned n_spis);

/*
 * Sends one datagram, or what is sealed of a run, to one peer. `from` picks the source address;
 * NULL or family 0 leaves it to the kernel. Returns 0, or the errno of a refusal for
 * dial_note_unreachable(). A full buffer is packet loss and counts as sent.
 */
int hub_send(struct hub *hub, enum dial_path path, const struct inaddr *from,
             const struct endpoint *to, struct span datagram);
/* The same with DF, up to what the interface takes: a probe of the path, which nobody may cut. */
void hub_send_whole(struct hub *hub, enum dial_path path, const struct inaddr *from,
                    const struct endpoint *to, struct span datagram);
int hub_send_run(struct hub *hub, enum dial_path path, const struct inaddr *from,
                 const struct endpoint *to, const struct run *run, struct hub_gso *gso);

/* Shared by all planes. */
struct plane_work *hub_work(struct hub *hub);
struct hub_counters hub_counters(const struct hub *hub);
struct lanes *hub_lanes(const struct hub *hub);
struct turns *hub_turns(const struct hub *hub); /* NULL: no lanes */

#endif
