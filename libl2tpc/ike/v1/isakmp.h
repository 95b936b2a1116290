/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of IKEv1 as they stand on the wire, and their names, from isakmp.def. */
#ifndef L2TPC_IKE_V1_ISAKMP_H
#define L2TPC_IKE_V1_ISAKMP_H

#include "base/span.h"
#include "base/suite.h"

#define ISAKMP_HEADER_LEN 28
#define ISAKMP_COOKIE_LEN 8
#define ISAKMP_VERSION 0x10 /* major 1, minor 0 */

enum isakmp_flag {
    ISAKMP_FLAG_ENCRYPTION = 1,
    ISAKMP_FLAG_COMMIT = 2,
};

enum isakmp_payload {
#define PAYLOAD(id, number, name) PAYLOAD_##id = (number),
#include "ike/v1/isakmp.def"
};

enum isakmp_exchange {
#define EXCHANGE(id, number, name) EXCHANGE_##id = (number),
#include "ike/v1/isakmp.def"
};

enum isakmp_notify {
#define NOTIFY(id, number, name) NOTIFY_##id = (number),
#include "ike/v1/isakmp.def"
};

/* Below this number a notify tells of an error (RFC 2408 3.14.1). */
#define NOTIFY_STATUS_FIRST 16384

enum isakmp_p1_attr {
#define P1_ATTR(id, number, name) P1_ATTR_##id = (number),
#include "ike/v1/isakmp.def"
};

enum isakmp_p2_attr {
#define P2_ATTR(id, number, name) P2_ATTR_##id = (number),
#include "ike/v1/isakmp.def"
};

enum isakmp_id_type {
#define ID_TYPE(id, number, name) ID_TYPE_##id = (number),
#include "ike/v1/isakmp.def"
};

enum isakmp_doi {
    DOI_IPSEC = 1,
    SITUATION_IDENTITY_ONLY = 1,
};

enum isakmp_protocol {
    PROTOCOL_ISAKMP = 1,
    PROTOCOL_AH = 2,
    PROTOCOL_ESP = 3,
};

enum isakmp_misc {
    P1_TRANSFORM_KEY_IKE = 1,
    CERT_ENCODING_PKCS7 = 1, /* RFC 2408 3.9 */
    CERT_ENCODING_X509 = 4,
    LIFE_SECONDS = 1,
    LIFE_KILOBYTES = 2,
};

enum isakmp_encapsulation {
    ENCAP_MODE_TRANSPORT = 2,
    ENCAP_MODE_UDP_TRANSPORT = 4,           /* RFC 3947 5.1 */
    ENCAP_MODE_UDP_TRANSPORT_DRAFT = 61444, /* drafts 02 and 03 */
};

/* Names as the RFCs spell them; NULL when the number has no row. */
const char *isakmp_notify_name(uint32_t number);
const char *isakmp_exchange_name(uint32_t number);
const char *isakmp_payload_name(uint32_t number);
const char *isakmp_id_type_name(uint32_t number);

/* Neutral names to wire numbers and back; 0 or *_NONE when there is no row. */
uint16_t isakmp_p1_cipher_number(enum cipher_id id);
enum cipher_id isakmp_p1_cipher(uint32_t number);
uint16_t isakmp_p1_hash_number(enum hash_id id);
enum hash_id isakmp_p1_hash(uint32_t number);
uint8_t isakmp_esp_transform_number(enum cipher_id id);
enum cipher_id isakmp_esp_transform(uint32_t number);
uint16_t isakmp_esp_auth_number(enum hash_id id);
enum hash_id isakmp_esp_auth(uint32_t number);

#endif
