/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A data path without cryptography: a packet is the SPI, a byte of enum data_kind, seven zeros, the
 * payload, and four bytes of trailer.
 */
#ifndef TESTS_IO_FAKE_DATA_H
#define TESTS_IO_FAKE_DATA_H

#include "dial/data.h"

#define FAKE_HEADER 12
#define FAKE_TRAILER 4

struct data_path {
    uint32_t spi_in, spi_out;
    bool closed; /* carries nothing */
    bool udp;
    uint16_t mtu;
    struct endpoint peer;
    struct data_counters counters;
};

#endif
