/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

#include "ike/policy.h"

#include <string.h>

static bool in_order(const char *list)
{
    struct policy ours;
    struct policy theirs = {0};
    unsigned at = 0;

    if (!policy_named("legacy", &ours) || !policy_parse_ike(list, &theirs, NULL))
        return false;
    for (unsigned i = 0; i < ours.n_ike && at < theirs.n_ike; i++)
        at += memcmp(&ours.ike[i], &theirs.ike[at], sizeof(ours.ike[i])) == 0;
    return at == theirs.n_ike;
}

/* Servers are tuned for these clients; what they offer stands in ours in the same order. */
TEST(policy_holds_the_lists_of_windows_and_apple)
{
    CHECK(in_order("aes256-sha1-ecp384,aes128-sha1-ecp256,aes256-sha1-modp2048,3des-sha1-modp2048,"
                   "3des-sha1-modp1024"));
    CHECK(in_order("aes256-sha256-modp2048,aes256-sha1-modp2048,aes256-sha256-modp1536,"
                   "aes256-sha1-modp1536"));
}

TEST(policy_names)
{
    struct policy strong, compatible, legacy, other;

    CHECK(policy_named("strong", &strong) && policy_named("compatible", &compatible) &&
          policy_named("legacy", &legacy));
    CHECK(!policy_named("Strong", &other) && !policy_named("", &other));
    CHECK(strong.n_ike < compatible.n_ike && compatible.n_ike < legacy.n_ike);
    CHECK(legacy.n_ike <= 16 && legacy.n_esp <= 16);
    for (unsigned i = 0; i < strong.n_ike; i++) {
        CHECK(strong.ike[i].cipher == CIPHER_AES_CBC && strong.ike[i].hash >= HASH_SHA256);
        CHECK(strong.ike[i].group >= DH_MODP2048);
    }
    for (unsigned i = 0; i < compatible.n_ike; i++)
        CHECK(!ike_suite_is_weak(&compatible.ike[i]));
    for (unsigned i = compatible.n_ike; i < legacy.n_ike; i++)
        CHECK(ike_suite_is_weak(&legacy.ike[i]));
    for (unsigned i = 0; i < legacy.n_esp; i++)
        CHECK(!esp_suite_is_weak(&legacy.esp[i]));
    CHECK(strong.esp[0].cipher != CIPHER_AES_GCM);
}

static bool ike_is(const char *list, enum cipher_id cipher, unsigned bits, enum hash_id hash,
                   enum dh_group group)
{
    struct policy p = {0};
    char bad[64];

    if (!policy_parse_ike(list, &p, bad)) {
        check_fail(__FILE__, __LINE__, "%s: bad part \"%s\"", list, bad);
        return false;
    }
    if (p.n_ike == 1 && p.ike[0].cipher == cipher && p.ike[0].key_bits == bits &&
        p.ike[0].hash == hash && p.ike[0].group == group)
        return true;
    check_fail(__FILE__, __LINE__, "%s was understood otherwise", list);
    return false;
}

TEST(policy_ike_spellings)
{
    CHECK(ike_is("aes256-sha1-modp1024", CIPHER_AES_CBC, 256, HASH_SHA1, DH_MODP1024));
    CHECK(ike_is("aes256-sha1-modp1024!", CIPHER_AES_CBC, 256, HASH_SHA1, DH_MODP1024));
    CHECK(ike_is("AES256-SHA2_256;MODP2048", CIPHER_AES_CBC, 256, HASH_SHA256, DH_MODP2048));
    CHECK(ike_is("aes256-sha2;dh14", CIPHER_AES_CBC, 256, HASH_SHA256, DH_MODP2048));
    CHECK(ike_is("aes256-sha2-512-ecp384", CIPHER_AES_CBC, 256, HASH_SHA512, DH_ECP384));
    CHECK(ike_is("aes-sha256-dh19", CIPHER_AES_CBC, 128, HASH_SHA256, DH_ECP256));
    CHECK(ike_is("aes192-sha384-prfsha384-ecp521", CIPHER_AES_CBC, 192, HASH_SHA384, DH_ECP521));
    CHECK(ike_is("3des-sha1-modp1024", CIPHER_3DES_CBC, 0, HASH_SHA1, DH_MODP1024));
    CHECK(ike_is("3des-md5-modp1536", CIPHER_3DES_CBC, 0, HASH_MD5, DH_MODP1536));
    CHECK(ike_is("des-sha-modp768", CIPHER_DES_CBC, 0, HASH_SHA1, DH_MODP768));
    CHECK(ike_is("aes_cbc256", CIPHER_AES_CBC, 256, HASH_SHA1, DH_MODP2048));
    CHECK(ike_is(" aes128 - sha1 - curve25519 , ", CIPHER_AES_CBC, 128, HASH_SHA1, DH_X25519));
}

TEST(policy_lists)
{
    struct policy p = {0};

    CHECK(policy_parse_ike("aes256-sha2_256-ecp384,aes256-sha2_256-modp2048!", &p, NULL));
    CHECK_INT(p.n_ike, 2);
    CHECK_INT(p.ike[0].group, DH_ECP384);
    CHECK_INT(p.ike[1].group, DH_MODP2048);
    CHECK(policy_parse_ike("aes256-sha1-modp2048;3des-sha1-modp1024", &p, NULL));
    CHECK_INT(p.n_ike, 2);
    CHECK(policy_parse_ike("aes256-sha1;modp1024,3des-sha1;modp1024", &p, NULL));
    CHECK_INT(p.n_ike, 2);
    CHECK_INT(p.ike[1].group, DH_MODP1024);
}

TEST(policy_esp_spellings)
{
    struct policy p = {0};

    CHECK(policy_parse_esp("aes256-sha1,aes128gcm16,3des-sha1,aes256-sha256_96,aes_gcm256-null", &p,
                           NULL));
    CHECK_INT(p.n_esp, 5);
    CHECK_INT(p.esp[0].integ, HASH_SHA1);
    CHECK_INT(p.esp[1].cipher, CIPHER_AES_GCM);
    CHECK_INT(p.esp[1].integ, HASH_NONE);
    CHECK_INT(p.esp[2].cipher, CIPHER_3DES_CBC);
    CHECK(p.esp[3].truncate_96 && p.esp[3].integ == HASH_SHA256);
    CHECK(esp_suite_is_weak(&p.esp[3]));
    CHECK_INT(p.esp[4].key_bits, 256);
    CHECK_INT(p.pfs, DH_NONE);
    CHECK(policy_parse_esp("aes256-sha1-modp1024-noesn!", &p, NULL));
    CHECK_INT(p.pfs, DH_MODP1024);
    CHECK(policy_parse_esp("aes", &p, NULL));
    CHECK_INT(p.esp[0].integ, HASH_SHA1);
    CHECK_INT(p.pfs, DH_NONE);
}

TEST(policy_complaints_name_the_part)
{
    static const struct {
        const char *list, *bad;
    } rows[] = {
        {"aes256-sha1-modp1025", "modp1025"},
        {"aes512-sha1", "aes512"},
        {"", ""},
        {",", ""},
        {"aes256--sha1", ""},
        {"aes256-sha1-modp1024,", NULL},
        {"aes256-sha1-aes128", "aes128"},
        {"aes256-sha1-sha256", "sha256"},
        {"sha1-modp1024", "sha1-modp1024"},
        {"aes256gcm16-sha256-modp2048", "aes256gcm16-sha256-modp2048"},
        {"aes256-sha1-prfsha256-modp2048", "aes256-sha1-prfsha256-modp2048"},
        {"aes256-sha1-modp1024 $(x)", "modp1024$(x)"},
        {"aes256-256", "256"},
        {"aes128-sha1!x", "x"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct policy p = {.n_ike = 7};
        char bad[64] = "-";
        bool ok = policy_parse_ike(rows[i].list, &p, bad);

        if (!rows[i].bad) {
            CHECK(ok);
            continue;
        }
        CHECK(!ok);
        CHECK_STR(bad, rows[i].bad);
        CHECK_INT(p.n_ike, 7);
    }
}

TEST(policy_too_much_is_refused)
{
    char list[4096] = "aes256-sha1-modp2048";
    struct policy p = {0};
    char bad[64];
    char longpart[200];

    for (unsigned i = 0; i < IKE_SUITES_MAX; i++)
        strcat(list, ",aes256-sha1-modp2048");
    CHECK(!policy_parse_ike(list, &p, bad));
    memset(longpart, 'a', sizeof(longpart) - 1);
    longpart[sizeof(longpart) - 1] = '\0';
    CHECK(!policy_parse_esp(longpart, &p, bad));
    CHECK(strlen(bad) < 64);
}

TEST(policy_cipher_text)
{
    char out[24];

    CHECK_STR(suite_cipher_text(CIPHER_AES_CBC, 256, out), "AES-CBC-256");
    CHECK_STR(suite_cipher_text(CIPHER_3DES_CBC, 0, out), "3DES-CBC");
    CHECK_STR(suite_cipher_text(CIPHER_AES_GCM, 128, out), "AES-GCM-128");
}
