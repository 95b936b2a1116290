/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the files of esp/ and its tests alone. */
#ifndef L2TPC_ESP_PRIVATE_H
#define L2TPC_ESP_PRIVATE_H

#include "base/tally.h"
#include "crypto/esp_backend.h"
#include "esp/esp.h"
#include "esp/window.h"

#define ESP_HEADER 8  /* SPI, sequence number */
#define ESP_TRAILER 2 /* pad length, next header */
#define ESP_IV_MAX 16
#define ESP_ICV_MAX 32
#define ESP_ICV_96 12
#define ESP_ICV_128 16
#define ESP_IV_POOL 1024

#define UDP_HEADER 8
#define UDP_PAYLOAD_MAX (UINT16_MAX - UDP_HEADER)

enum next_header {
    NEXT_HEADER_UDP = 17,
    NEXT_HEADER_NONE = 59, /* RFC 4303 2.6: a dummy packet */
};

/* What a suite means in bytes. */
struct esp_sizes {
    size_t iv;
    size_t align; /* of payload, padding and trailer together */
    size_t icv;
    size_t integ_key; /* 0 with AES-GCM */
};

/* False for a suite that cannot exist: no NULL cipher, no unauthenticated CBC. */
bool esp_sizes_of(const struct esp_suite *suite, struct esp_sizes *out) MUST_USE;

/* Bytes of the ESP packet around n bytes of UDP payload. */
size_t esp_sealed_size(const struct esp_sizes *s, size_t n);

_Static_assert(ESP_HEADER == ESP_JOB_HEADER && ESP_BATCH_MAX <= ESP_JOBS_MAX, "the back ends");

/* One keyed direction. */
struct esp_key {
    uint32_t spi;
    struct esp_sizes sizes;
    bool gcm;
    struct esp_crypt *crypt;
};

bool esp_key_init(struct esp_key *k, struct crypto *c, const struct esp_suite *suite,
                  const struct sa_keys *keys, bool seal) MUST_USE;
void esp_key_wipe(struct esp_key *k);

/* The one inner UDP flow, seen from the packet's sender. */
struct inner_flow {
    uint16_t source, destination;
    bool without_sum; /* zero on the way out; not relied upon on the way in */
    uint64_t pseudo;  /* the sum of what never changes: addresses and protocol */
};

void inner_flow_init(struct inner_flow *f, const struct inaddr *source,
                     const struct inaddr *destination, uint16_t source_port,
                     uint16_t destination_port);
/*
 * With `sum` 0 the checksum to send, which is never zero; with `sum` as received 0xffff when it is
 * right.
 */
uint16_t inner_sum(const struct inner_flow *f, uint16_t length, uint16_t sum, struct span payload);

/* The esp_counters of an SA while it is in use. */
struct esp_counts {
    tally packets, bytes, replayed, bad_icv, malformed, bad_udp_sum, cut_otherwise;
};

static inline struct esp_counters esp_counts_read(const struct esp_counts *c)
{
    return (struct esp_counters){
        .packets = tally_read(&c->packets),
        .bytes = tally_read(&c->bytes),
        .replayed = tally_read(&c->replayed),
        .bad_icv = tally_read(&c->bad_icv),
        .malformed = tally_read(&c->malformed),
        .bad_udp_sum = tally_read(&c->bad_udp_sum),
        .cut_otherwise = tally_read(&c->cut_otherwise),
    };
}

struct esp_out {
    struct esp_key key;
    struct env env;
    struct inner_flow flow;
    _Atomic uint32_t seq; /* the last one used; its one writer seals */
    struct esp_counts counts;
    size_t pool_size; /* 0 with GCM, whose IVs are numbers */
    size_t pool_left;
    uint8_t pool[]; /* IVs not used yet, taken from the end */
};

struct esp_in {
    struct esp_key key;
    struct inner_flow flow;
    struct window window;
    struct esp_counts counts;
};

#endif
