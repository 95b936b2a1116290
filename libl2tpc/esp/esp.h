/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Transport-mode ESP (RFC 4303) around one UDP flow: ours <-> the server's 1701. No clock and no
 * I/O: seal and open are pure but for the sequence number, the IV pool and the replay window.
 * Both work in place, without allocation. Numbers and counters may be read by other threads than
 * the one that seals, or opens.
 */
#ifndef L2TPC_ESP_ESP_H
#define L2TPC_ESP_ESP_H

#include "base/addr.h"
#include "base/env.h"
#include "base/sa.h"
#include "crypto/crypto.h"

/* Room that esp_seal() needs in front of (ESP header, IV, UDP) and behind (padding, ICV) a payload.
 */
#define ESP_HEADROOM 40
#define ESP_TAILROOM 64

struct esp_counters {
    uint64_t packets, bytes; /* sealed, or opened and accepted; bytes of whole ESP packets */
    uint64_t replayed;       /* sequence 0, seen, or left of the window */
    uint64_t bad_icv;
    uint64_t malformed; /* too short, not block aligned, bad padding, wrong next header or ports */
    uint64_t bad_udp_sum; /* counted; dropped only where no NAT is in between */
    /*
     * Among malformed, before anything was accepted: authentic if SHA2-256 were cut to the other
     * length. Suite.truncate_96 is not what the peer does.
     */
    uint64_t cut_otherwise;
};

enum esp_verdict {
    ESP_OK,
    ESP_DUMMY, /* next header 59: valid, nothing in it */
    ESP_REPLAYED,
    ESP_BAD_ICV,
    ESP_MALFORMED,
    ESP_EXHAUSTED, /* seal: the sequence numbers have run out */
    ESP_FAILED,    /* the crypto library refused */
    ESP_KEYLESS,   /* set by callers alone: of an SA without keys yet */
};

/* Packets that one call of esp_seal_batch() or esp_open_batch() takes. */
#define ESP_BATCH_MAX 64

/* One packet of a batch. */
struct esp_packet {
    /*
     * Sealing: the UDP payload, then the ESP packet around it. Opening: the ESP packet, then the
     * UDP payload in it. Untouched unless the verdict is ESP_OK.
     */
    struct mspan data;
    enum esp_verdict verdict;
};

struct esp_out;
struct esp_in;

/*
 * Addresses are those of the outer packet: the pseudo-header of the inner UDP checksum. `env` is
 * copied; its rand is called by esp_seal() about once in 256 packets, on the caller's thread. NULL
 * for a suite that does not exist, keys of another length, or weak DES keys.
 */
struct esp_out *esp_out_new(struct crypto *c, const struct env *env, const struct sa_pair *sa,
                            const struct inaddr *local, const struct inaddr *remote);
void esp_out_free(struct esp_out *o); /* wipes */
/*
 * `payload` is the UDP payload; ESP_HEADROOM writable bytes stand in front of it and ESP_TAILROOM
 * behind. On ESP_OK `packet` is the ESP packet, SPI first, that must leave next. The inner UDP
 * header is made here: checksum zero on IPv4 under UDP encapsulation, correct otherwise.
 */
enum esp_verdict esp_seal(struct esp_out *o, struct mspan payload, struct mspan *packet);
/*
 * The same for up to ESP_BATCH_MAX payloads of one SA, all of which are at their final place;
 * sequence numbers rise in the order of the array. What is written is exactly esp_out_size() bytes
 * from esp_out_head() before each payload on, so that packets may stand back to back. Returns how
 * many are ESP_OK; n beyond ESP_BATCH_MAX is refused as a whole (ESP_FAILED).
 */
size_t esp_seal_batch(struct esp_out *o, struct esp_packet *packets, size_t n);
size_t esp_out_head(const struct esp_out *o);           /* ESP header, IV, UDP header */
size_t esp_out_size(const struct esp_out *o, size_t n); /* the packet around n bytes of payload */
/* What computes full batches: "OpenSSL", "ipsec-mb AVX-512". */
const char *esp_out_backend(const struct esp_out *o);
uint32_t esp_out_spi(const struct esp_out *o);
uint32_t esp_out_seq(const struct esp_out *o); /* the last one used */
/* Past ESP_SEQ_SOFT: it is time for a new SA. */
bool esp_out_is_worn(const struct esp_out *o);
struct esp_counters esp_out_counters(const struct esp_out *o);

struct esp_in *esp_in_new(struct crypto *c, const struct sa_pair *sa, const struct inaddr *local,
                          const struct inaddr *remote);
void esp_in_free(struct esp_in *i); /* wipes */
/*
 * Opens in place. Order: length and alignment, window check, ICV, window moved, padding, next
 * header, inner UDP. On ESP_OK `payload` is the UDP payload inside `packet`.
 */
enum esp_verdict esp_open(struct esp_in *i, struct mspan packet, struct mspan *payload);
/*
 * The same for up to ESP_BATCH_MAX packets of one SA. Each is judged as if it had come alone, in
 * the order of the array: of two copies the first counts. Returns how many are ESP_OK.
 */
size_t esp_open_batch(struct esp_in *i, struct esp_packet *packets, size_t n);
uint32_t esp_in_spi(const struct esp_in *i);
struct esp_counters esp_in_counters(const struct esp_in *i);
/* Nothing has been good on it yet. */
bool esp_in_is_unused(const struct esp_in *i);

/* Bytes by which a UDP payload of n bytes grows on its way into an ESP packet of this suite. */
size_t esp_overhead(const struct esp_suite *suite, size_t n);
/* Largest UDP payload whose ESP packet is at most `packet` bytes long. */
size_t esp_payload_max(const struct esp_suite *suite, size_t packet);
/* "AES-CBC-256", "HMAC-SHA1-96": what was negotiated, for the status. */
const char *esp_integ_name(const struct esp_suite *suite);

#endif
