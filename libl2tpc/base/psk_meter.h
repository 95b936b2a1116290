/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How hard a pre-shared key is to guess. Whoever poses as the server once can try keys off line
 * (CVE-2018-5389), 10^12 a second or so: 40 bits last a second, 64 bits months.
 */
#ifndef L2TPC_BASE_PSK_METER_H
#define L2TPC_BASE_PSK_METER_H

#include "base/span.h"

#define PSK_BITS_WEAK 64 /* below: warn */
#define PSK_BITS_BAD 40  /* below: warn loudly */
#define PSK_BITS_GENERATED 128
#define PSK_GENERATED_LEN 24

struct psk_strength {
    unsigned bits;    /* the cheapest way found to come to this key; never above 8 a byte */
    unsigned classes; /* of lower case, upper case, digits, others */
    bool old_rules;   /* 8 characters of three classes, as people were once told */
    bool odd_ends;    /* begins or ends with what is no letter or digit: some servers refuse that */
};

/* At most the first 512 bytes are looked at. Leaves no copy behind. */
struct psk_strength psk_measure(struct span psk);

/*
 * A key from random bytes: letters and digits that are not mistaken for others, 5.7 bits each.
 * False when the bytes were used up, which happens once in a million with 64 of them.
 */
bool psk_generate(struct span random, char out[PSK_GENERATED_LEN + 1]) MUST_USE;

#endif
