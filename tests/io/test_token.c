/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys on a token, against softhsm2: a token of this test's own in a folder of its own. */
#include "check.h"
#include "io/token.h"

#include "../unit/crypto/x509_fixture.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

struct bench {
    struct crypto *c;
    char folder[64];
};

static bool shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static bool shell(const char *format, ...)
{
    char command[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    return system(command) == 0; /* NOLINT: of this test's own words */
}

/* Two pairs of certificate and key, and a second token of another name with the first pair. */
static bool fill(const char *token)
{
    static const char *const pairs[][3] = {{"client", "rsa", "01"}, {"ec256", "ec", "02"}};

    if (!shell("softhsm2-util --init-token --free --label %s --so-pin 5678 --pin 1234 > /dev/null",
               token))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        if (!shell("softhsm2-util --import %s/x509/%s.key --token %s --label %s --id %s --pin 1234 "
                   "> /dev/null",
                   VECTOR_DIR, pairs[i][0], token, pairs[i][1], pairs[i][2]) ||
            !shell("openssl x509 -in %s/x509/%s.pem -outform DER | pkcs11-tool --module "
                   "/usr/lib/softhsm/libsofthsm2.so --token-label %s --login --pin 1234 "
                   "--write-object /dev/stdin --type cert --label %s --id %s > /dev/null 2>&1",
                   VECTOR_DIR, pairs[i][0], token, pairs[i][1], pairs[i][2]))
            return false;
    return true;
}

/* Lines of the file, each a login. */
static unsigned logins(const char *path)
{
    FILE *f = fopen(path, "r");
    unsigned n = 0;

    for (int c; f && (c = fgetc(f)) != EOF;)
        n += c == '\n';
    if (f)
        (void)fclose(f);
    return n;
}

/* p11-kit finds the module by the configuration of this test's own user, who must not be root. */
static bool install_fake(const char *home, char log[96])
{
    if (getuid() == 0 && (chown(home, 65534, 65534) < 0 || !shell("cp %s %s/", FAKE_TOKEN, home) ||
                          setgid(65534) < 0 || setuid(65534) < 0))
        return false;
    (void)snprintf(log, 96, "%s/log", home);
    (void)setenv("HOME", home, 1);
    (void)unsetenv("XDG_CONFIG_HOME");
    (void)setenv("L2TPC_FAKE_LOG", log, 1);
    (void)shell("test -e %s/libfake-token.so || cp %s %s/", home, FAKE_TOKEN, home);
    return shell("mkdir -p %s/.config/pkcs11/modules && echo 'module: %s/libfake-token.so' > "
                 "%s/.config/pkcs11/modules/fake.module",
                 home, home, home);
}

static bool can_run(void)
{
    return shell("command -v softhsm2-util pkcs11-tool openssl > /dev/null") &&
           access("/usr/share/p11-kit/modules/softhsm2.module", R_OK) == 0;
}

static bool bench_open(struct bench *b)
{
    char path[96];
    FILE *f;

    *b = (struct bench){.c = crypto_new(), .folder = "/tmp/l2tpc-token-XXXXXX"};
    if (!b->c || !mkdtemp(b->folder))
        return false;
    (void)snprintf(path, sizeof(path), "%s/conf", b->folder);
    f = fopen(path, "w");
    if (!f || fprintf(f, "directories.tokendir = %s\nlog.level = ERROR\n", b->folder) < 0 ||
        fclose(f) != 0)
        return false;
    (void)setenv("SOFTHSM2_CONF", path, 1);
    return fill("alice") && fill("bob");
}

static void bench_close(struct bench *b)
{
    crypto_free(b->c);
    (void)shell("rm -rf %s", b->folder);
}

static struct token *open_with(const char *certificate, const char *key, const char *pin,
                               enum token_result *r)
{
    struct token_wish wish = {.arena = NULL};
    struct span word = span_str(pin ? pin : "");
    char label[TOKEN_LABEL_MAX];

    (void)snprintf(wish.certificate, sizeof(wish.certificate), "%s", certificate);
    (void)snprintf(wish.key, sizeof(wish.key), "%s", key);
    return token_open(&wish, pin ? &word : NULL, r, label);
}

static enum token_result result_with(const char *certificate, const char *key, const char *pin)
{
    enum token_result r;

    token_close(open_with(certificate, key, pin, &r));
    return r;
}

TEST(token_uris)
{
    CHECK(token_is_uri("pkcs11:token=a") && !token_is_uri("a.pem") && !token_is_uri("PKCS11:"));
    CHECK(token_uri_ok("pkcs11:token=alice;object=rsa"));
    CHECK(token_uri_ok("pkcs11:model=SoftHSM%20v2;id=%01"));
    CHECK(!token_uri_ok("alice.pem"));
    if (FAKE_TOKEN[0]) /* without p11-kit nobody reads them that closely */
        CHECK(!token_uri_ok("pkcs11:token=%zz"));
    CHECK(!token_uri_ok("pkcs11:token=alice?pin-value=1234"));
    CHECK(!token_uri_ok("pkcs11:token=alice?pin-source=file:/etc/pin"));
    CHECK(!token_uri_ok("pkcs11:token=alice?module-path=/tmp/evil.so"));
    CHECK(!token_uri_ok("pkcs11:token=alice?module-name=evil"));
}

static void sign_and_verify(struct bench *b, const char *certificate, const char *key,
                            enum ike_auth auth, size_t size)
{
    uint8_t signature[SIGN_MAX], hash[64];
    enum token_result r;
    struct token *t = open_with(certificate, key, "1234", &r);
    size_t n;

    CHECK_INT(r, TOKEN_OK);
    for (size_t h = 0; h < 3; h++) { /* SHA-1, SHA2-256, SHA2-512 */
        static const size_t lengths[] = {20, 32, 64};

        for (size_t i = 0; i < lengths[h]; i++)
            hash[i] = (uint8_t)(i * 7 + h);
        CHECK_INT(token_sign(t, auth, span_of(hash, lengths[h]), signature, &n), TOKEN_OK);
        CHECK_INT(n, size);
        CHECK(cert_verify_hash(b->c, token_certificate(t), auth, span_of(hash, lengths[h]),
                               span_of(signature, n)));
        hash[0] ^= 1;
        CHECK(!cert_verify_hash(b->c, token_certificate(t), auth, span_of(hash, lengths[h]),
                                span_of(signature, n)));
    }
    token_close(t);
}

static void each_reason_is_told(void)
{
    static const struct {
        const char *certificate, *key, *pin;
        enum token_result want;
    } rows[] = {
        {"pkcs11:token=alice;object=rsa", "", NULL, TOKEN_PIN_NEEDED},
        {"pkcs11:token=alice;object=rsa", "", "9999", TOKEN_PIN_WRONG},
        {"pkcs11:token=alice;object=rsa", "", "", TOKEN_PIN_WRONG},
        {"pkcs11:token=carol;object=rsa", "", "1234", TOKEN_MISSING},
        {"pkcs11:object=rsa", "", "1234", TOKEN_SEVERAL}, /* of alice and of bob */
        {"pkcs11:token=alice", "", "1234", TOKEN_SEVERAL},
        {"pkcs11:token=alice;object=dsa", "", "1234", TOKEN_NO_OBJECT},
        {"", "pkcs11:token=alice;object=dsa", "1234", TOKEN_NO_OBJECT},
        {"", "pkcs11:token=alice;id=%02", "1234", TOKEN_OK},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_INT(result_with(rows[i].certificate, rows[i].key, rows[i].pin), rows[i].want);
}

static void gone(struct bench *b)
{
    uint8_t hash[32] = {1}, signature[SIGN_MAX];
    enum token_result r;
    struct token *t = open_with("pkcs11:token=alice;object=rsa", "", "1234", &r);
    size_t n;

    CHECK_INT(r, TOKEN_OK);
    CHECK(shell("rm -rf %s/*-*", b->folder));
    CHECK(token_sign(t, IKE_AUTH_RSA, SPAN_ARRAY(hash), signature, &n) != TOKEN_OK);
    token_close(t);
    CHECK_INT(result_with("pkcs11:token=alice;object=rsa", "", "1234"), TOKEN_MISSING);
}

TEST(token_softhsm)
{
    struct bench b;
    enum token_result built;

    token_close(open_with("pkcs11:token=nobody", "", NULL, &built));
    if (built == TOKEN_UNSUPPORTED || !can_run())
        SKIP("softhsm2, opensc or p11-kit is missing (tests/packages/token)");
    CHECK(bench_open(&b));
    sign_and_verify(&b, "pkcs11:token=alice;object=rsa", "", IKE_AUTH_RSA, 256);
    sign_and_verify(&b, "pkcs11:token=alice;object=ec", "", IKE_AUTH_ECDSA_256, 64);
    sign_and_verify(&b, "pkcs11:token=bob;id=%01", "pkcs11:token=bob;object=rsa", IKE_AUTH_RSA,
                    256);
    each_reason_is_told();
    gone(&b);
    bench_close(&b);
}

/* The last one: whoever was root is nobody from here on. */
TEST(token_that_locks_itself_or_is_taken_out)
{
    static const struct {
        const char *how;
        enum token_result opened, signed_;
        unsigned logins; /* the PIN was said so often */
    } rows[] = {
        {"good", TOKEN_OK, TOKEN_OK, 1},           {"wrong", TOKEN_PIN_WRONG, TOKEN_OK, 1},
        {"locked", TOKEN_PIN_LOCKED, TOKEN_OK, 0}, {"locks", TOKEN_PIN_LOCKED, TOKEN_OK, 1},
        {"removed", TOKEN_OK, TOKEN_GONE, 1},      {"always", TOKEN_OK, TOKEN_OK, 2},
    };
    uint8_t hash[32] = {1}, signature[SIGN_MAX];
    char home[] = "/tmp/l2tpc-fake-XXXXXX", log[96];
    size_t n;

    if (!FAKE_TOKEN[0])
        SKIP("built without p11-kit");
    CHECK(mkdtemp(home) && install_fake(home, log));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum token_result r;
        struct token *t;

        (void)unlink(log);
        (void)setenv("L2TPC_FAKE_TOKEN", rows[i].how, 1);
        t = open_with("", "pkcs11:token=l2tpc-fake", "1234", &r);
        CHECK_INT(r, rows[i].opened);
        if (t)
            CHECK_INT(token_sign(t, IKE_AUTH_RSA, SPAN_ARRAY(hash), signature, &n),
                      rows[i].signed_);
        token_close(t);
        CHECK_INT(logins(log), rows[i].logins);
    }
    (void)shell("rm -rf %s", home);
}
