/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OpenSSL 3 gives some of what it reads out of key files back to the heap as it is: the private
 * octets of an EC key, and the input of the key derivation of PKCS#12, in which the passphrase
 * stands. Neither can be reached from outside, and its allocator belongs to the whole program. But
 * what was freed last is what is handed out first: right behind such a call, in the same thread,
 * these blocks are asked for and wiped. tests/canary searches whether that was enough.
 */
#include "base/secret.h"
#include "crypto/x509_private.h"

#include <stdlib.h>

#define STEP 16
#define SIZE_MAX_SCRUBBED 2048 /* a passphrase of 512 bytes is 1026 in UTF-16, next to its salt */
#define BLOCKS 12              /* of each size, and more of the small ones, which come often */
#define BYTES 8192             /* up to so many */

struct freed {
    struct freed *next;
};

void heap_scrub(void)
{
    struct freed *first[SIZE_MAX_SCRUBBED / STEP] = {NULL};

    /* All are held until all are wiped, so that none comes twice. */
    for (size_t i = 0; i < ARRAY_LEN(first); i++) {
        size_t n = (i + 1) * STEP;

        for (size_t k = 0; k < BLOCKS + BYTES / n / 4; k++) {
            struct freed *f = malloc(n);

            if (!f)
                break;
            wipe(f, n);
            f->next = first[i];
            first[i] = f;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(first); i++) {
        while (first[i]) {
            struct freed *next = first[i]->next;

            free(first[i]);
            first[i] = next;
        }
    }
}
