/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Test builds only: with L2TPC_RECORD=FILE in the environment everything that passes between the
 * driver and the dial engine is written down in order, one line each: configuration, random draws,
 * datagrams and time on the way in, answers to needs, datagrams and events on the way out. Whoever
 * includes this last calls the engine through the recorder, so that the driver's own text is that
 * of a release. One dial per file. It holds the dial's secrets: for a lab's alone.
 *
 * A line is "KIND NUMBER... BYTES", bytes as hex and "-" for none; tests/captures/README.md has the
 * kinds.
 */
#ifndef L2TPC_IO_RECORD_H
#define L2TPC_IO_RECORD_H

#if L2TPC_TEST_HOOKS

#include "dial/dial.h"

bool record_is_on(void);
void record_rand(const uint8_t *bytes, size_t n);

struct dial *record_new(const struct dial_config *config);
void record_set_credential(struct dial *d, const struct ike_credential *credential);
void record_start(struct dial *d, l2tpc_us now);
void record_set_outer_mtu(struct dial *d, unsigned mtu);
void record_set_natt_port(struct dial *d, uint16_t port);
void record_answer_resolve(struct dial *d, uint32_t need, const struct inaddr *addresses,
                           unsigned n, const struct failure *failure, l2tpc_us now);
void record_answer_sockets(struct dial *d, uint32_t need, const struct endpoint *local,
                           uint16_t local_natt_port, const struct failure *failure, l2tpc_us now);
void record_answer_secret(struct dial *d, uint32_t need, const struct span *secret, l2tpc_us now);
void record_answer_sign(struct dial *d, uint32_t need, const struct span *signature, l2tpc_us now);
void record_answer_done(struct dial *d, uint32_t need, const struct failure *failure, l2tpc_us now);
enum verdict record_input(struct dial *d, enum dial_path path, const struct endpoint *from,
                          struct mspan datagram, l2tpc_us now);
enum verdict record_input_inner(struct dial *d, enum data_kind kind, struct span inner,
                                l2tpc_us now);
void record_note_esp_in(struct dial *d, const struct endpoint *from, l2tpc_us now);
void record_note_esp_out(struct dial *d, l2tpc_us now);
void record_note_unreachable(struct dial *d, int os_error, l2tpc_us now);
void record_timer(struct dial *d, l2tpc_us now);
void record_close(struct dial *d, l2tpc_us now);
void record_fail(struct dial *d, const struct failure *failure, l2tpc_us now);
bool record_pop_out(struct dial *d, enum dial_path *path, struct endpoint *to, struct msg *out);
bool record_pop_event(struct dial *d, struct dial_event *out);
enum data_kind record_open(struct data_path *d, struct mspan packet, struct mspan *out);
bool record_seal_ip(struct data_path *d, struct mspan ip, struct mspan *packet);

#ifndef RECORD_ITSELF
#define dial_new record_new
#define dial_set_credential record_set_credential
#define dial_start record_start
#define dial_set_outer_mtu record_set_outer_mtu
#define dial_set_natt_port record_set_natt_port
#define dial_answer_resolve record_answer_resolve
#define dial_answer_sockets record_answer_sockets
#define dial_answer_secret record_answer_secret
#define dial_answer_sign record_answer_sign
#define dial_answer_done record_answer_done
#define dial_input record_input
#define dial_input_inner record_input_inner
#define dial_note_esp_in record_note_esp_in
#define dial_note_esp_out record_note_esp_out
#define dial_note_unreachable record_note_unreachable
#define dial_timer record_timer
#define dial_close record_close
#define dial_fail record_fail
#define dial_pop_out record_pop_out
#define dial_pop_event record_pop_event
#define data_open record_open
#define data_seal_ip record_seal_ip
#endif

#else

static inline bool record_is_on(void)
{
    return false;
}

static inline void record_rand(const uint8_t *bytes, size_t n)
{
    (void)bytes;
    (void)n;
}

#endif
#endif
