/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/runner_hooks.h"

#if L2TPC_TEST_HOOKS

#include "base/secret.h"
#include "crypto/esp_backend.h"
#include "dial/test_hooks.h"
#include "io/keylog.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void runner_test_init(struct runner_test *t)
{
    const char *lie = getenv("L2TPC_TEST_LIE");

    t->lie = lie && strcmp(lie, "esp") == 0;
    t->leak = lie && (strcmp(lie, "clear") == 0 || strcmp(lie, "kernel") == 0);
    t->leak_fd = t->leak ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
}

void runner_test_life(struct dial_config *config)
{
    const char *life = getenv("L2TPC_TEST_LIFE");
    unsigned ike, esp, kb;

    if (!life || sscanf(life, "%u %u %u", &ike, &esp, &kb) != 3)
        return;
    config->ike_lifetime_s = ike;
    config->esp_lifetime_s = esp;
    config->esp_lifetime_kb = kb;
}

void runner_test_backend(struct crypto *c)
{
    static const struct {
        const char *name;
        enum esp_backend backend;
    } rows[] = {
        {"openssl", ESP_BACKEND_OPENSSL}, {"sse", ESP_BACKEND_SSE},   {"avx2", ESP_BACKEND_AVX2},
        {"avx512", ESP_BACKEND_AVX512},   {"null", ESP_BACKEND_NULL},
    };
    const char *wanted = getenv("L2TPC_TEST_CRYPTO");

    /* Who is not here is not used; esp.backend of the status says who was. */
    for (size_t i = 0; wanted && i < ARRAY_LEN(rows); i++)
        if (strcmp(wanted, rows[i].name) == 0 && crypto_use_esp_backend(c, rows[i].backend))
            return;
}

int64_t runner_test_wall(int64_t now)
{
    const char *clock = getenv("L2TPC_TEST_CLOCK");

    return clock ? strtoll(clock, NULL, 10) : now;
}

void runner_test_keys(struct dial *d, const struct inaddr *local, const struct inaddr *remote)
{
    struct ike_test_key ike;
    struct sa_pair sa;

    while (dial_test_next_ike_key(d, &ike)) {
        keylog_ike(ike.cky_i, ike.cky_r, span_of(ike.key, ike.n));
        for (size_t i = 0; i < ARRAY_LEN(ike.skeyid); i++)
            keylog_skeyid(span_of(ike.skeyid[i], ike.n_skeyid));
    }
    while (dial_test_next_sa(d, &sa)) {
        keylog_esp(local, remote, &sa.suite, &sa.out);
        keylog_esp(remote, local, &sa.suite, &sa.in);
    }
    wipe(&ike, sizeof(ike));
    wipe(&sa, sizeof(sa));
}

void runner_test_leak(struct runner_test *t, const struct inaddr *remote)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(1701)};

    if (!t->leak || t->leaked || remote->family != 4)
        return;
    t->leaked = true;
    memcpy(&to.sin_addr, remote->bytes, 4);
    if (t->leak_fd < 0)
        return;
    (void)sendto(t->leak_fd, "clear", 5, 0, (const struct sockaddr *)&to, sizeof(to));
    close(t->leak_fd);
}

const struct dial_facts *runner_test_facts(struct runner_test *t, const struct dial_facts *facts)
{
    if (!t->lie)
        return facts;
    t->facts = *facts;
    t->facts.spi_in ^= 0x01010101;
    t->facts.spi_out ^= 0x01010101;
    return &t->facts;
}

#endif
