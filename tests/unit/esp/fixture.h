/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two ends of one SA pair: what `client` seals `server` opens, and the other way round. */
#ifndef TESTS_UNIT_ESP_FIXTURE_H
#define TESTS_UNIT_ESP_FIXTURE_H

#include "esp/private.h"

#define PACKET_MAX 2400

struct ends {
    struct crypto *crypto;
    uint32_t seed;
    struct inaddr client, server;
    struct sa_pair sa;        /* the client's; change it before ends_open() */
    enum esp_backend backend; /* who computes; likewise */
    struct esp_out *client_out, *server_out;
    struct esp_in *client_in, *server_in;
};

extern const struct esp_suite all_suites[];
extern const size_t n_all_suites;

void ends_init(struct ends *e, const struct esp_suite *suite);
bool ends_open(struct ends *e);
void ends_close(struct ends *e);
struct env ends_env(struct ends *e);

/* Seals `n` bytes that count up from `first`; the packet stands in `buffer`. */
enum esp_verdict seal_bytes(struct esp_out *o, uint8_t buffer[PACKET_MAX], size_t n, uint8_t first,
                            struct mspan *packet);
/* Puts an authentic packet around any plaintext: what a peer that holds the keys could send. */
struct mspan forge(struct ends *e, uint8_t buffer[PACKET_MAX], uint32_t seq, struct span plaintext);

#endif
