/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ike/v1/isakmp.h"

#include "wire/dict.h"

static const struct dict notify_names[] = {
#define NOTIFY(id, number, name) {number, name},
#include "ike/v1/isakmp.def"
};

static const struct dict exchange_names[] = {
#define EXCHANGE(id, number, name) {number, name},
#include "ike/v1/isakmp.def"
};

static const struct dict payload_names[] = {
#define PAYLOAD(id, number, name) {number, name},
#include "ike/v1/isakmp.def"
};

static const struct dict id_type_names[] = {
#define ID_TYPE(id, number, name) {number, name},
#include "ike/v1/isakmp.def"
};

const char *isakmp_notify_name(uint32_t number)
{
    return DICT_NAME(notify_names, number);
}

const char *isakmp_exchange_name(uint32_t number)
{
    return DICT_NAME(exchange_names, number);
}

const char *isakmp_payload_name(uint32_t number)
{
    return DICT_NAME(payload_names, number);
}

const char *isakmp_id_type_name(uint32_t number)
{
    return DICT_NAME(id_type_names, number);
}

/* A neutral id beside its wire number: internal ids are unreachable from the wire. */
struct number_row {
    unsigned id;
    uint32_t number;
};

static const struct number_row p1_ciphers[] = {
#define P1_CIPHER(id, number, name) {CIPHER_##id, number},
#include "ike/v1/isakmp.def"
};

static const struct number_row p1_hashes[] = {
#define P1_HASH(id, number, name) {HASH_##id, number},
#include "ike/v1/isakmp.def"
};

static const struct number_row esp_transforms[] = {
#define ESP_TRANSFORM(id, number, name) {CIPHER_##id, number},
#include "ike/v1/isakmp.def"
};

static const struct number_row esp_auths[] = {
#define ESP_AUTH(id, number, name) {HASH_##id, number},
#include "ike/v1/isakmp.def"
};

static uint32_t number_of(const struct number_row *rows, size_t n_rows, unsigned id)
{
    for (size_t i = 0; i < n_rows; i++)
        if (rows[i].id == id)
            return rows[i].number;
    return 0;
}

static unsigned id_of(const struct number_row *rows, size_t n_rows, uint32_t number)
{
    for (size_t i = 0; i < n_rows; i++)
        if (rows[i].number == number)
            return rows[i].id;
    return 0;
}

uint16_t isakmp_p1_cipher_number(enum cipher_id id)
{
    return (uint16_t)number_of(p1_ciphers, ARRAY_LEN(p1_ciphers), id);
}

enum cipher_id isakmp_p1_cipher(uint32_t number)
{
    return (enum cipher_id)id_of(p1_ciphers, ARRAY_LEN(p1_ciphers), number);
}

uint16_t isakmp_p1_hash_number(enum hash_id id)
{
    return (uint16_t)number_of(p1_hashes, ARRAY_LEN(p1_hashes), id);
}

enum hash_id isakmp_p1_hash(uint32_t number)
{
    return (enum hash_id)id_of(p1_hashes, ARRAY_LEN(p1_hashes), number);
}

uint8_t isakmp_esp_transform_number(enum cipher_id id)
{
    return (uint8_t)number_of(esp_transforms, ARRAY_LEN(esp_transforms), id);
}

enum cipher_id isakmp_esp_transform(uint32_t number)
{
    return (enum cipher_id)id_of(esp_transforms, ARRAY_LEN(esp_transforms), number);
}

uint16_t isakmp_esp_auth_number(enum hash_id id)
{
    return (uint16_t)number_of(esp_auths, ARRAY_LEN(esp_auths), id);
}

enum hash_id isakmp_esp_auth(uint32_t number)
{
    return (enum hash_id)id_of(esp_auths, ARRAY_LEN(esp_auths), number);
}
