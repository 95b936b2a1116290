/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"
#include "check.h"
#include "ppp/mschapv2.h"

/* RFC 2759 9.2 */
TEST(ppp_mschapv2_rfc2759_9_2)
{
    struct crypto *c = crypto_new();
    uint8_t authenticator[16], peer[16], challenge[8], hash[16], response[24], proof[20];

    CHECK(c);
    (void)check_hex(authenticator, 16, "5B5D7C7D7B3F2F3E3C2C602132262628");
    (void)check_hex(peer, 16, "21402324255E262A28295F2B3A337C7E");
    CHECK(mschapv2_challenge_hash(c, peer, authenticator, span_str("User"), challenge));
    CHECK_HEX(challenge, 8, "D02E4386BCE91226");
    CHECK(mschapv2_password_hash(c, span_str("clientPass"), false, hash));
    CHECK_HEX(hash, 16, "44EBBA8D5312B8D611474411F56989AE");
    CHECK(mschapv2_challenge_response(challenge, hash, response));
    CHECK_HEX(response, 24, "82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF");
    CHECK(mschapv2_authenticator_response(c, hash, response, challenge, proof));
    CHECK_HEX(proof, 20, "407A5589115FD0D6209F510FE9C04566932CDA56");
    crypto_free(c);
}

TEST(ppp_mschapv2_hashes_the_user_behind_the_domain)
{
    struct span u = mschapv2_user(span_str("BIGCO\\johndoe"));

    CHECK_MEM(u.p, u.n, "johndoe", 7);
    u = mschapv2_user(span_str("johndoe@bigco"));
    CHECK_MEM(u.p, u.n, "johndoe@bigco", 13);
    CHECK_INT(mschapv2_user(span_str("BIGCO\\")).n, 0);
    CHECK_INT(mschapv2_user(span_str("")).n, 0);
}

/* MD4 over UTF-16LE, computed with another implementation. */
TEST(ppp_mschapv2_password_is_utf16_or_widened_bytes)
{
    struct crypto *c = crypto_new();
    uint8_t hash[16];

    CHECK(c);
    CHECK(mschapv2_password_hash(c, span_str(""), false, hash));
    CHECK_HEX(hash, 16, "31d6cfe0d16ae931b73c59d7e0c089c0");
    CHECK(mschapv2_password_hash(c, span_str("p\xc3\xa4ss\xe2\x82\xac\xf0\x9f\x94\x91"), false,
                                 hash));
    CHECK_HEX(hash, 16, "585760e5be8888ff662e31feefe7da3b");
    CHECK(
        mschapv2_password_hash(c, span_str("p\xc3\xa4ss\xe2\x82\xac\xf0\x9f\x94\x91"), true, hash));
    CHECK_HEX(hash, 16, "749a14c19c062f71d4cddceb4985a6f7");
    CHECK(mschapv2_password_hash(c, span_str("p\xe4ss"), false, hash)); /* not UTF-8 */
    CHECK_HEX(hash, 16, "411b68984d6b19bbb302455798320a06");
    crypto_free(c);
}
