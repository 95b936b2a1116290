/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Vendor IDs that are known by name, from vendor.def. */
#ifndef L2TPC_IKE_VENDOR_H
#define L2TPC_IKE_VENDOR_H

#include "base/limits.h"
#include "base/span.h"

#define VENDOR_TEXT_MAX 48

enum vendor_id {
#define VENDOR(id, name, n, bytes) VENDOR_##id,
#include "ike/vendor.def"
#undef VENDOR
    VENDOR_UNKNOWN,
};

enum vendor_id vendor_find(struct span id);
const char *vendor_name(enum vendor_id id); /* NULL for VENDOR_UNKNOWN */
/* By that name; VENDOR_UNKNOWN when nothing is called so. */
enum vendor_id vendor_named(struct span name);
/* The bytes that count; a version may follow them on the wire. */
struct span vendor_prefix(enum vendor_id id);
/* The bytes to announce: with version 1.0 behind the DPD one, "main mode" behind FRAGMENTATION. */
struct span vendor_bytes(enum vendor_id id);

/* A vendor ID as it came: its length, and of its bytes the first ones. */
struct ike_vendor_bytes {
    size_t n;
    uint8_t bytes[IKE_VENDOR_BYTES_KEPT];
};

/* One more of a server's, unless it is there already or there is no room: its name or hex, and how
 * it came. */
void vendor_keep(char text[][VENDOR_TEXT_MAX], struct ike_vendor_bytes *bytes, unsigned *n,
                 struct span id);

#endif
