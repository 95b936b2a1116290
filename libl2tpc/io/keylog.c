/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/keylog.h"

#if L2TPC_TEST_HOOKS

#include "base/secret.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "esp/esp.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One write() per line, so that lines of several processes do not mix. */
__attribute__((format(printf, 1, 2))) static void keylog_line(const char *fmt, ...)
{
    const char *path = getenv("L2TPC_KEYLOG");
    char line[1024];
    va_list ap;
    bool given; /* opened by a program that cannot open anything any more */
    int n;
    int fd;

    if (!path || !*path)
        return;
    va_start(ap, fmt);
    n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (n > 0 && (size_t)n < sizeof(line)) {
        given = sscanf(path, "fd:%d", &fd) == 1;
        if (!given)
            fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd >= 0)
            (void)!write(fd, line, (size_t)n);
        if (fd >= 0 && !given)
            (void)close(fd);
    }
    wipe(line, sizeof(line));
}

void keylog_ike(const uint8_t cky_i[8], const uint8_t cky_r[8], struct span cipher_key)
{
    char i[17];
    char r[17];
    char key[129];

    text_hex(i, sizeof(i), span_of(cky_i, 8));
    text_hex(r, sizeof(r), span_of(cky_r, 8));
    text_hex(key, sizeof(key), cipher_key);
    keylog_line("{\"kind\":\"ike\",\"cookie_i\":\"%s\",\"cookie_r\":\"%s\",\"key\":\"%s\"}\n", i, r,
                key);
    wipe(key, sizeof(key));
}

void keylog_skeyid(struct span skeyid)
{
    char key[129];

    if (!getenv("L2TPC_KEYLOG_ALL"))
        return;
    text_hex(key, sizeof(key), skeyid);
    keylog_line("{\"kind\":\"skeyid\",\"key\":\"%s\"}\n", key);
    wipe(key, sizeof(key));
}

void keylog_esp(const struct inaddr *src, const struct inaddr *dst, const struct esp_suite *suite,
                const struct sa_keys *keys)
{
    char cipher[2 * SA_CIPHER_KEY_MAX + 1];
    char integ[2 * SA_INTEG_KEY_MAX + 1];
    char from[ADDR_TEXT_MAX];
    char to[ADDR_TEXT_MAX];

    text_hex(cipher, sizeof(cipher), span_of(keys->cipher_key, keys->cipher_key_len));
    text_hex(integ, sizeof(integ), span_of(keys->integ_key, keys->integ_key_len));
    keylog_line("{\"kind\":\"esp\",\"src\":\"%s\",\"dst\":\"%s\",\"spi\":\"0x%08x\","
                "\"cipher\":\"%s\",\"cipher_key\":\"%s\",\"integ\":\"%s\",\"integ_key\":\"%s\"}\n",
                inaddr_text(src, from), inaddr_text(dst, to), keys->spi, cipher_name(suite->cipher),
                cipher, esp_integ_name(suite), integ);
    wipe(cipher, sizeof(cipher));
    wipe(integ, sizeof(integ));
}

#endif
