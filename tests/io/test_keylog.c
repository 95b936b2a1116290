/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "io/keylog.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TEST(key_log_lines)
{
    static const char want[] =
        "{\"kind\":\"ike\",\"cookie_i\":\"0102030405060708\",\"cookie_r\":\"1112131415161718\","
        "\"key\":\"aabb\"}\n"
        "{\"kind\":\"esp\",\"src\":\"192.0.2.1\",\"dst\":\"192.0.2.2\",\"spi\":\"0x00001234\","
        "\"cipher\":\"AES-CBC\",\"cipher_key\":\"0506\",\"integ\":\"HMAC-SHA1-96\","
        "\"integ_key\":\"070809\"}\n";
    static const uint8_t i[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const uint8_t r[8] = {0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18};
    static const uint8_t key[] = {0xaa, 0xbb};
    struct inaddr src = inaddr_v4(0xc0000201);
    struct inaddr dst = inaddr_v4(0xc0000202);
    struct esp_suite suite = {.cipher = CIPHER_AES_CBC, .key_bits = 128, .integ = HASH_SHA1};
    struct sa_keys keys = {.spi = 0x1234,
                           .cipher_key = {5, 6},
                           .cipher_key_len = 2,
                           .integ_key = {7, 8, 9},
                           .integ_key_len = 3};
    char path[] = "/tmp/l2tpc-keylog-XXXXXX";
    char got[1024] = "";
    int fd = mkstemp(path);

    CHECK(fd >= 0);
    (void)unsetenv("L2TPC_KEYLOG");
    keylog_ike(i, r, SPAN_ARRAY(key));
    CHECK_INT(setenv("L2TPC_KEYLOG", path, 1), 0);
    keylog_ike(i, r, SPAN_ARRAY(key));
    keylog_esp(&src, &dst, &suite, &keys);
    CHECK(read(fd, got, sizeof(got) - 1) > 0);
    CHECK_MEM(got, strlen(got), want, sizeof(want) - 1);
    (void)unsetenv("L2TPC_KEYLOG");
    (void)close(fd);
    (void)unlink(path);
}
