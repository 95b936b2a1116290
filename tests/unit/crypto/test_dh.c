/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "crypto/crypto.h"

#include <openssl/err.h>
#include <string.h>

/* Hands out `bytes`, then fails. */
struct script {
    const uint8_t *bytes;
    size_t n;
};

static bool script_rand(void *ctx, uint8_t *out, size_t n)
{
    struct script *s = ctx;

    if (s->n < n)
        return false;
    memcpy(out, s->bytes, n);
    s->bytes += n;
    s->n -= n;
    return true;
}

static struct dh *dh_scripted(struct crypto *c, enum dh_group g, const uint8_t *bytes, size_t n)
{
    struct script s = {bytes, n};
    struct env env = {.ctx = &s, .rand = script_rand};

    return dh_new(c, g, &env);
}

static bool step_rand(void *ctx, uint8_t *out, size_t n)
{
    uint32_t *x = ctx;

    for (size_t i = 0; i < n; i++) {
        *x = *x * 1664525u + 1013904223u;
        out[i] = (uint8_t)(*x >> 24);
    }
    return true;
}

static const enum dh_group groups[] = {
    DH_MODP768,  DH_MODP1024, DH_MODP1536, DH_MODP2048, DH_MODP3072, DH_MODP4096,
    DH_MODP6144, DH_MODP8192, DH_ECP256,   DH_ECP384,   DH_ECP521,   DH_X25519,
};

TEST(crypto_dh_both_sides_agree)
{
    struct crypto *c = crypto_new();
    uint32_t seed = 1;
    struct env env = {.ctx = &seed, .rand = step_rand};

    CHECK(c);
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        struct dh *a = dh_new(c, groups[i], &env);
        struct dh *b = dh_new(c, groups[i], &env);
        uint8_t x[DH_MAX];
        uint8_t y[DH_MAX];

        CHECK(a && b);
        CHECK_INT(dh_public(a).n, dh_public_size(groups[i]));
        CHECK(dh_shared(a, dh_public(b), x) && dh_shared(b, dh_public(a), y));
        CHECK_MEM(x, dh_secret_size(groups[i]), y, dh_secret_size(groups[i]));
        dh_free(a);
        dh_free(b);
    }
    crypto_free(c);
    CHECK_INT(ERR_peek_error(), 0);
}

/*
 * SHA2-256 of g^x and g^xy, x = 81 88 8f.., y = 83 88 8d.., computed apart from any of our code
 * from the closed form of RFC 3526: p = 2^n - 2^(n-64) - 1 + 2^64 (floor(2^(n-130) pi) + k).
 */
static const struct {
    enum dh_group group;
    const char *public, *secret;
} modp_answers[] = {
    {(enum dh_group)1, "6b75cf03565ba4b8ad2e9edf7e91300d9ae7cbed412452c727cd25722fd503b6",
     "b720f7344bcc63d43b4f0176a5e124aabf97e5b1a89dd040170224f2852f446e"},
    {(enum dh_group)2, "1d1c8871b796862926824afadc59aca4d3a0dc32671b4d65255e36ad5a64501c",
     "761e68da4c5c87bc23e4b3ded4f0ecc3cc6111666faf0c6ebccaddf24f6d5442"},
    {(enum dh_group)5, "382ba9500cbfd17855eb965dfde394cbf733f03a049399b0aa4877b0e4752001",
     "af1572da79d81c41f041f18d33560bbaaac5a8ab1a2365d9037992ec8f9e8442"},
    {(enum dh_group)14, "d277b3aca74721f14de596d3565ea0c7ad0035f023c6491af44e2f814c4a02af",
     "d6a4e2e447679e87c2470d3a4c6293200b3f9b2c247c4624e534b313153f86d9"},
    {(enum dh_group)15, "0ff27379bc6fe0967504074df9d0cc537821577d37f5e6faeb85ac4dc6d8c030",
     "0ab7ad9ca764144bc505e63595d8d04d5f2dc8c5d7347db1b5a17178d51c1d8d"},
    {(enum dh_group)16, "100edc2711cb6c7fca2bc1d77116ca8f1db80d518cf5748955889264eb51f7c2",
     "6367af0129059988432482b00d1b858febfb4f5c98deee2b8557151603339093"},
    {(enum dh_group)17, "ee7d6b9bdb0c5a4b51b846b3dc3cebfd9ef0c359505ab2abd116da2b5bb3475a",
     "36b609042ee64f4755d0eaaf5f8d70d52c0ecb74a5195460ca2af37a2b2d4889"},
    {(enum dh_group)18, "730bd546f62ce44a622722b1be198cfe6d031a0eb4ee0324a5afdc79db34ede9",
     "3f2e3c5aa404e437b278b675b29bae840b2ee0081e69a828d72fdfb2556ce4ba"},
};

static bool sha256_is(struct span bytes, const char *hex)
{
    uint8_t want[32];
    uint8_t got[32];

    check_hex(want, sizeof(want), hex);
    return hash_parts(NULL, HASH_SHA256, &bytes, 1, got) && memcmp(got, want, 32) == 0;
}

TEST(crypto_modp_known_answers)
{
    struct crypto *c = crypto_new();
    uint8_t x[128];
    uint8_t y[128];

    for (size_t i = 0; i < sizeof(x); i++) {
        x[i] = (uint8_t)(0x81 + 7 * i);
        y[i] = (uint8_t)(0x83 + 5 * i);
    }
    CHECK(c);
    for (size_t i = 0; i < ARRAY_LEN(modp_answers); i++) {
        struct dh *a = dh_scripted(c, modp_answers[i].group, x, sizeof(x));
        struct dh *b = dh_scripted(c, modp_answers[i].group, y, sizeof(y));
        uint8_t secret[DH_MAX];

        CHECK(a && b);
        CHECK(sha256_is(dh_public(a), modp_answers[i].public));
        CHECK(dh_shared(a, dh_public(b), secret));
        CHECK(sha256_is(span_of(secret, dh_secret_size(modp_answers[i].group)),
                        modp_answers[i].secret));
        dh_free(a);
        dh_free(b);
    }
    crypto_free(c);
}

static const struct {
    enum dh_group group;
    const char *i, *gi, *r, *gr, *secret;
} curve_answers[] = {
    /* RFC 5903 8.1, 8.2, 8.3 */
    {DH_ECP256, "C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433",
     "DAD0B65394221CF9B051E1FECA5787D098DFE637FC90B9EF945D0C3772581180"
     "5271A0461CDB8252D61F1C456FA3E59AB1F45B33ACCF5F58389E0577B8990BB3",
     "C6EF9C5D78AE012A011164ACB397CE2088685D8F06BF9BE0B283AB46476BEE53",
     "D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63"
     "56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB",
     "D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE"},
    {DH_ECP384,
     "099F3C7034D4A2C699884D73A375A67F7624EF7C6B3C0F160647B67414DCE655"
     "E35B538041E649EE3FAEF896783AB"
     "194",
     "667842D7D180AC2CDE6F74F37551F55755C7645C20EF73E31634FE72B4C55EE6"
     "DE3AC808ACB4BDB4C88732AEE95F4"
     "1AA"
     "9482ED1FC0EEB9CAFC4984625CCFC23F65032149E0E144ADA024181535A0F38E"
     "EB9FCFF3C2C947DAE69B4C634573A"
     "81C",
     "41CB0779B4BDB85D47846725FBEC3C9430FAB46CC8DC5060855CC9BDA0AA2942"
     "E0308312916B8ED2960E4BD55A744"
     "8FC",
     "E558DBEF53EECDE3D3FCCFC1AEA08A89A987475D12FD950D83CFA41732BC509D"
     "0D1AC43A0336DEF96FDA41D0774A3"
     "571"
     "DCFBEC7AACF3196472169E838430367F66EEBE3C6E70C416DD5F0C68759DD1FF"
     "F83FA40142209DFF5EAAD96DB9E63"
     "86C",
     "11187331C279962D93D604243FD592CB9D0A926F422E47187521287E7156C5C4"
     "D603135569B9E9D09CF5D4A270F59"
     "746"},
    {DH_ECP521,
     "0037ADE9319A89F4DABDB3EF411AACCCA5123C61ACAB57B5393DCE47608172A0"
     "95AA85A30FE1C2952C6771D937BA9"
     "777"
     "F5957B2639BAB072462F68C27A57382D4A52",
     "0015417E84DBF28C0AD3C278713349DC7DF153C897A1891BD98BAB4357C9ECBE"
     "E1E3BF42E00B8E380AEAE57C2D107"
     "564"
     "941885942AF5A7F4601723C4195D176CED3E"
     "017CAE20B6641D2EEB695786D8C946146239D099E18E1D5A514C739D7CB4A10A"
     "D8A788015AC405D7799DC75E7B7D5"
     "B6C"
     "F2261A6A7F1507438BF01BEB6CA3926F9582",
     "0145BA99A847AF43793FDD0E872E7CDFA16BE30FDC780F97BCCC3F078380201E"
     "9C677D600B343757A3BDBF2A3163E"
     "4C2"
     "F869CCA7458AA4A4EFFC311F5CB151685EB9",
     "00D0B3975AC4B799F5BEA16D5E13E9AF971D5E9B984C9F39728B5E5739735A21"
     "9B97C356436ADC6E95BB0352F6BE6"
     "4A6"
     "C2912D4EF2D0433CED2B6171640012D9460F"
     "015C68226383956E3BD066E797B623C27CE0EAC2F551A10C2C724D9852077B87"
     "220B6536C5C408A1D2AEBB8E86D67"
     "8AE"
     "49CB57091F4732296579AB44FCD17F0FC56A",
     "01144C7D79AE6956BC8EDB8E7C787C4521CB086FA64407F97894E5E6B2D79B04"
     "D1427E73CA4BAA240A34786859810"
     "C06"
     "B3C715A3A8CC3151F2BEE417996D19F3DDEA"},
    /* RFC 7748 6.1 */
    {DH_X25519, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
     "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
     "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
     "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
     "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"},
};

TEST(crypto_curves_known_answers)
{
    struct crypto *c = crypto_new();

    CHECK(c);
    for (size_t i = 0; i < ARRAY_LEN(curve_answers); i++) {
        enum dh_group g = curve_answers[i].group;
        uint8_t x[66], y[66], secret[DH_MAX];
        struct dh *a = dh_scripted(c, g, x, check_hex(x, sizeof(x), curve_answers[i].i));
        struct dh *b = dh_scripted(c, g, y, check_hex(y, sizeof(y), curve_answers[i].r));

        CHECK(a && b);
        CHECK_HEX(dh_public(a).p, dh_public(a).n, curve_answers[i].gi);
        CHECK_HEX(dh_public(b).p, dh_public(b).n, curve_answers[i].gr);
        CHECK(dh_shared(a, dh_public(b), secret));
        CHECK_HEX(secret, dh_secret_size(g), curve_answers[i].secret);
        CHECK(dh_shared(b, dh_public(a), secret));
        CHECK_HEX(secret, dh_secret_size(g), curve_answers[i].secret);
        dh_free(a);
        dh_free(b);
    }
    crypto_free(c);
}

static const char *const prime_1024 =
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74"
    "020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437"
    "4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed"
    "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff";
static const char *const prime_2048 =
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74"
    "020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437"
    "4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed"
    "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf05"
    "98da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb"
    "9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b"
    "e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf695581718"
    "3995497cea956ae515d2261898fa051015728e5a8aacaa68ffffffffffffffff";

/* Every refusal must also leave `out` as it was. */
static bool refused(const struct dh *dh, const uint8_t *peer, size_t n)
{
    uint8_t out[DH_MAX];
    uint8_t before[DH_MAX];

    memset(out, 0x5a, sizeof(out));
    memset(before, 0x5a, sizeof(before));
    return !dh_shared(dh, span_of(peer, n), out) && memcmp(out, before, sizeof(out)) == 0;
}

static void modp_borders(enum dh_group g, const char *prime)
{
    struct crypto *c = crypto_new();
    uint32_t seed = 3;
    struct env env = {.ctx = &seed, .rand = step_rand};
    struct dh *dh = dh_new(c, g, &env);
    uint8_t p[DH_MAX];
    uint8_t out[DH_MAX];
    size_t n = check_hex(p, sizeof(p), prime);

    CHECK(dh && n == dh_public_size(g));
    CHECK(refused(dh, p, n)); /* p */
    p[n - 1] = 0xfe;
    CHECK(refused(dh, p, n)); /* p - 1 */
    p[n - 1] = 0xfd;
    CHECK(dh_shared(dh, span_of(p, n), out)); /* p - 2 is a fair value */
    check_hex(p, sizeof(p), prime);
    memset(p + n - 8, 0, 8);
    for (size_t i = n - 8; i > 0 && ++p[i - 1] == 0;)
        i--;
    CHECK(refused(dh, p, n)); /* p + 1 */
    dh_free(dh);
    crypto_free(c);
}

TEST(c09_modp_refuses_the_borders_of_the_field)
{
    modp_borders(DH_MODP1024, prime_1024);
    modp_borders(DH_MODP2048, prime_2048);
}

TEST(c09_dh_refuses_bad_public_values)
{
    struct crypto *c = crypto_new();
    uint32_t seed = 2;
    struct env env = {.ctx = &seed, .rand = step_rand};

    CHECK(c);
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        struct dh *a = dh_new(c, groups[i], &env);
        struct dh *b = dh_new(c, groups[i], &env);
        size_t n = dh_public_size(groups[i]);
        bool modp = groups[i] <= DH_MODP8192;
        uint8_t v[DH_MAX + 1] = {0};

        CHECK(a && b);
        CHECK(refused(a, v, 0));
        CHECK(refused(a, v, n)); /* 0; (0, 0); small order */
        v[n - 1] = 1;
        CHECK(refused(a, v, n) || !modp);
        CHECK(refused(a, dh_public(a).p, n)); /* our own */
        memset(v, 0xff, sizeof(v));
        CHECK(refused(a, v, n) || groups[i] == DH_X25519); /* at or above the prime */
        memcpy(v + 1, dh_public(b).p, n);
        v[0] = 0;
        CHECK(refused(a, v, n + 1)); /* too long, though of the same value */
        v[0] = 4;
        CHECK(refused(a, v, n + 1)); /* with the form byte */
        CHECK(modp || refused(a, dh_public(b).p, n - 1));
        memcpy(v, dh_public(b).p, n);
        v[n - 1] ^= 1; /* off the curve */
        CHECK(modp || groups[i] == DH_X25519 || refused(a, v, n));
        dh_free(a);
        dh_free(b);
    }
    crypto_free(c);
    CHECK_INT(ERR_peek_error(), 0);
}

TEST(crypto_x25519_refuses_small_order)
{
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    struct crypto *c = crypto_new();
    uint32_t seed = 4;
    struct env env = {.ctx = &seed, .rand = step_rand};
    struct dh *dh = dh_new(c, DH_X25519, &env);

    CHECK(dh);
    for (size_t i = 0; i < ARRAY_LEN(points); i++) {
        uint8_t p[32];

        check_hex(p, sizeof(p), points[i]);
        CHECK(refused(dh, p, 32));
    }
    dh_free(dh);
    crypto_free(c);
}

/* A peer that strips leading zeros: the value is the same, the secret keeps its full length. */
TEST(crypto_modp_takes_a_short_public_value)
{
    struct crypto *c = crypto_new();
    uint32_t seed = 5;
    struct env env = {.ctx = &seed, .rand = step_rand};
    struct dh *dh = dh_new(c, DH_MODP1024, &env);
    uint8_t full[128] = {0};
    uint8_t x[DH_MAX];
    uint8_t y[DH_MAX];
    unsigned short_secrets = 0;

    CHECK(dh);
    for (unsigned i = 0; i < 600; i++) {
        full[126] = (uint8_t)(i >> 8);
        full[127] = (uint8_t)i;
        if (i < 2)
            continue;
        CHECK(dh_shared(dh, SPAN_ARRAY(full), x));
        CHECK(dh_shared(dh, span_of(full + 126 + (i < 256), i < 256 ? 1 : 2), y));
        CHECK_MEM(x, 128, y, 128);
        short_secrets += x[0] == 0;
    }
    CHECK(short_secrets > 0);
    dh_free(dh);
    crypto_free(c);
}

TEST(crypto_dh_private_values)
{
    static uint8_t ones[66 * 100];
    static const uint8_t zeros[66 * 100];
    struct crypto *c = crypto_new();
    uint8_t twice[64];

    CHECK(c);
    /* A source that fails, or never gives a scalar below the order. */
    memset(ones, 0xff, sizeof(ones));
    for (size_t i = 0; i < ARRAY_LEN(groups); i++)
        CHECK(!dh_scripted(c, groups[i], ones, 31));
    CHECK(!dh_scripted(c, DH_ECP256, ones, sizeof(ones)));
    CHECK(!dh_scripted(c, DH_ECP521, ones, sizeof(ones)));
    CHECK(!dh_scripted(c, DH_ECP384, zeros, sizeof(zeros)));
    /* Above the order once: the next one is taken. */
    memset(twice, 0xff, 32);
    check_hex(twice + 32, 32, curve_answers[0].i);
    struct dh *dh = dh_scripted(c, DH_ECP256, twice, sizeof(twice));
    CHECK(dh);
    CHECK_HEX(dh_public(dh).p, dh_public(dh).n, curve_answers[0].gi);
    dh_free(dh);
    dh_free(NULL);
    crypto_free(c);
}

TEST(crypto_dh_names_and_sizes)
{
    CHECK_STR(dh_name(DH_MODP2048), "MODP2048");
    CHECK_STR(dh_name(DH_NONE), "none");
    CHECK_INT(dh_public_size(DH_ECP521), 132);
    CHECK_INT(dh_secret_size(DH_ECP521), 66);
    CHECK_INT(dh_public_size(DH_MODP8192), DH_MAX);
    for (int g = -1; g < 300; g++) {
        bool known = false;

        for (size_t i = 0; i < ARRAY_LEN(groups); i++)
            known = known || groups[i] == (enum dh_group)g;
        CHECK((dh_public_size((enum dh_group)g) > 0) == known);
        CHECK((dh_secret_size((enum dh_group)g) > 0) == known);
    }
    CHECK(!dh_scripted(NULL, (enum dh_group)99, NULL, 0));
}
