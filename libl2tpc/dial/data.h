/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The data path of one dial: what the data plane needs to move IP packets between TUN and ESP, and
 * nothing else. It works in place, without allocation, and takes no lock.
 *
 * One thread may send (room, wrap, seal) while another receives (open, take) and a third one, the
 * control side, changes what is agreed: it swaps one pointer. Any thread may read the counters.
 */
#ifndef L2TPC_DIAL_DATA_H
#define L2TPC_DIAL_DATA_H

#include "base/addr.h"
#include "base/sa.h"
#include "base/turns.h"
#include "esp/esp.h"

/* Packets that one call takes. */
#define DATA_BATCH_MAX ESP_BATCH_MAX

/* Writable bytes that data_seal_ip() needs in front of and behind an IP packet. */
#define DATA_HEADROOM (ESP_HEADROOM + 16)
#define DATA_TAILROOM ESP_TAILROOM

enum data_kind {
    DATA_NOTHING, /* dropped and counted */
    DATA_IP,      /* an IP packet for the TUN */
    DATA_CONTROL, /* an L2TP control message, for dial_input_inner() */
    DATA_PPP,     /* a PPP frame that is not IP, for dial_input_inner() */
    DATA_EARLY,   /* an ESP packet whose SA has no keys yet, for dial_input_inner() */
    DATA_DHCP,    /* an IP packet that may answer our DHCPINFORM, for dial_input_inner() */
};

struct data_counters {
    uint64_t ip_in, ip_in_bytes, ip_out, ip_out_bytes;
    uint64_t unknown_spi; /* ESP for no SA of ours */
    uint64_t bad_l2tp;    /* not a message of our tunnel and session */
    uint64_t not_open;    /* IP before PPP had opened it, either direction */
    uint64_t bad_ip;      /* not version 4 or 6, or longer than its frame */
    /* ESP packets that the kernel handled as a part of the one before them (GSO, GRO), and may have
     * counted as one. */
    uint64_t joined_in, joined_out;
};

struct data_path;

/*
 * The control side's. From now on others move the packets, in turns; before the first of them
 * comes.
 */
void data_set_turns(struct data_path *d, struct turns *turns);
/* What was agreed since the last time holds for them from here on. */
void data_publish(struct data_path *d);
/* Wipes what nobody uses any more; false when there is more to come, soon. */
bool data_sweep(struct data_path *d);

/* True when the SPI (host order) is one of our inbound SAs: demultiplexing among sessions. */
bool data_owns_spi(const struct data_path *d, uint32_t spi);
/* The control side's own: `packet` is an ESP packet, SPI first; opened in place, `out` lies inside
 * it. One whose SA has no keys yet is copied and comes out of dial_pop_ip() later. */
enum data_kind data_open(struct data_path *d, struct mspan packet, struct mspan *out);
/* Wraps an IP packet in place; false when the tunnel may not carry it now (counted). */
bool data_seal_ip(struct data_path *d, struct mspan ip, struct mspan *packet) MUST_USE;

/*
 * The same for many packets, in two steps each. Out: where each IP packet is to stand inside the
 * ESP packet that it becomes, then its headers, then all of them sealed. Sealed packets are exactly
 * `total` long, so that they may stand one behind the other.
 */
struct data_room {
    size_t front; /* bytes in front of the IP packet */
    size_t total; /* of the ESP packet */
};
/* Before the first packet of those that leave together: what is agreed now holds for all of them,
 * until the caller's turn is over. */
void data_begin_run(struct data_path *d);
/* False, counted, when the tunnel carries nothing now. */
bool data_room(struct data_path *d, size_t ip_length, struct data_room *out) MUST_USE;
/* Writes PPP and L2TP headers; false, counted, for a packet that may not leave. */
bool data_wrap_ip(struct data_path *d, struct mspan ip, struct mspan *message) MUST_USE;
/* What data_wrap_ip() gave, in the order in which it leaves; at most DATA_BATCH_MAX. */
size_t data_seal_batch(struct data_path *d, struct esp_packet *packets, size_t n);
/* In: ESP packets, at most DATA_BATCH_MAX, then each of them, in order, for what it holds. */
void data_open_batch(struct data_path *d, struct esp_packet *packets, size_t n);
enum data_kind data_take(struct data_path *d, const struct esp_packet *opened, struct mspan *out);

/* The longest inner packet that both ends agreed on; 0 when not known yet. */
uint16_t data_mtu(const struct data_path *d);
/* How sealed packets leave: UDP encapsulation on the NAT-T socket, or raw protocol 50. */
bool data_udp_encapsulated(const struct data_path *d);
/* Where they go now (the port counts only under UDP encapsulation). */
const struct endpoint *data_peer(const struct data_path *d);
struct data_counters data_counters(const struct data_path *d);
/* The last data_open_batch() brought the first good packet of an SA. */
bool data_has_begun(const struct data_path *d);
/* So many more were joined to others on their way. */
void data_note_joined(struct data_path *d, uint64_t in, uint64_t out);

#endif
