/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes what passes a link as a capture file, so that tshark can judge a simulated dial. */
#ifndef TESTS_SIM_PCAP_H
#define TESTS_SIM_PCAP_H

#include "link.h"

struct sim_pcap;

struct sim_pcap *sim_pcap_open(const char *path); /* NULL when it cannot be written */
void sim_pcap_packet(struct sim_pcap *c, const struct simlink_packet *packet);
void sim_pcap_close(struct sim_pcap *c);

#endif
