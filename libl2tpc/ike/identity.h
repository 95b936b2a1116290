/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Identities of phase 1 as people write them. The kind is told by a prefix, or else, as strongSwan
 * and Libreswan do, by the first of these that fits:
 *
 *   ip: fqdn: email: dn: keyid:    that kind, whatever follows looks like
 *   @#0a1b  @[text]                key ID: bytes, text
 *   @@user@host                    user FQDN
 *   @name                          FQDN
 *   192.0.2.1  2001:db8::1         address
 *   C=CH, O=Example  /C=CH/O=...   distinguished name
 *   user@host                      user FQDN
 *   name                           FQDN
 */
#ifndef L2TPC_IKE_IDENTITY_H
#define L2TPC_IKE_IDENTITY_H

#include "crypto/x509.h"

enum identity_fault {
    IDENTITY_OK,
    IDENTITY_EMPTY,
    IDENTITY_LONG,    /* more than IKE_IDENTITY_MAX bytes */
    IDENTITY_CONTROL, /* control bytes, or no UTF-8 */
    IDENTITY_ADDRESS, /* ip: and no address */
    IDENTITY_HEX,     /* @# and no hex digits in pairs */
    IDENTITY_MAIL,    /* nothing on one side of the at sign */
    IDENTITY_DN,      /* no list of TYPE=value, an unknown TYPE or an impossible value */
    IDENTITY_NAME,    /* no prefix, and no host name either */
};

/* `out` is untouched unless OK. */
enum identity_fault identity_parse(const char *text, struct cert_id *out) MUST_USE;
/* They name the same: names in any case, a DN in any string type, all else byte for byte. */
bool identity_same(const struct cert_id *a, const struct cert_id *b);

#endif
