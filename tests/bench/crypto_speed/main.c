/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bench-crypto [--rounds N] [--json FILE] [--quick]: nanoseconds per packet of sealing and opening.
 * All contenders of a cell take turns within every round, and medians are compared, so that what
 * else the machine does hits all of them alike: the ratios mean something, the nanoseconds little.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS_MAX 401

static const struct suite suites[] = {
    {"AES-128-GCM", {CIPHER_AES_GCM, 128, HASH_NONE, false}},
    {"AES-256-GCM", {CIPHER_AES_GCM, 256, HASH_NONE, false}},
    {"AES-128-CBC SHA1", {CIPHER_AES_CBC, 128, HASH_SHA1, false}},
    {"AES-256-CBC SHA1", {CIPHER_AES_CBC, 256, HASH_SHA1, false}},
    {"AES-128-CBC SHA256", {CIPHER_AES_CBC, 128, HASH_SHA256, false}},
    {"AES-256-CBC SHA256", {CIPHER_AES_CBC, 256, HASH_SHA256, false}},
    {"AES-256-CBC SHA384", {CIPHER_AES_CBC, 256, HASH_SHA384, false}},
    {"AES-256-CBC SHA512", {CIPHER_AES_CBC, 256, HASH_SHA512, false}},
    {"3DES SHA1", {CIPHER_3DES_CBC, 0, HASH_SHA1, false}},
};

enum who {
    RAW_EVP,
    OURS_OPENSSL,
    RAW_NARROW,
    RAW_WIDE,
    OURS_AUTO,
    PACKET_OPENSSL,
    PACKET_AUTO,
    PACKET_NULL,
    N_WHO
};

static const struct contender *const contenders[N_WHO] = {
    &raw_evp,   &ours_openssl,   &raw_mb_narrow, &raw_mb_wide,
    &ours_auto, &packet_openssl, &packet_auto,   &packet_null,
};

static struct ring ring;
static unsigned reached, missed;
static FILE *json;
static bool is_first = true;

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static struct sa_pair sa_for(const struct esp_suite *suite)
{
    struct sa_pair sa = {.suite = *suite, .udp_encapsulated = true};

    sa.local_port = 40001;
    sa.remote_port = 1701;
    sa.out.spi = 0x1234;
    sa.out.cipher_key_len =
        (uint8_t)(cipher_key_len(suite->cipher, suite->key_bits) + cipher_salt(suite->cipher));
    sa.out.integ_key_len = (uint8_t)hash_size(suite->integ);
    for (size_t i = 0; i < sizeof(sa.out.cipher_key); i++)
        sa.out.cipher_key[i] = (uint8_t)(i * 7 + 1);
    for (size_t i = 0; i < sizeof(sa.out.integ_key); i++)
        sa.out.integ_key[i] = (uint8_t)(i * 5 + 3);
    sa.in = sa.out;
    return sa;
}

/* Medians in nanoseconds per packet; 0 for who has no part in it. */
static void measure(const struct cell *cell, unsigned rounds, double out[N_WHO])
{
    static double samples[N_WHO][ROUNDS_MAX];
    struct sa_pair sa = sa_for(&cell->suite->esp);
    void *who[N_WHO];

    if (!ring_make(&ring, cell, &sa))
        abort();
    for (unsigned w = 0; w < N_WHO; w++)
        who[w] = contenders[w]->create(cell, &sa, &ring);
    for (unsigned r = 0; r < rounds; r++)
        for (unsigned k = 0; k < N_WHO; k++) {
            unsigned w = (k + r) % N_WHO; /* nobody always follows the same one */
            double begin;

            if (!who[w])
                continue;
            ring_reset(&ring, cell);
            begin = now_ns();
            contenders[w]->run(who[w]);
            samples[w][r] = (now_ns() - begin) / RING;
        }
    for (unsigned w = 0; w < N_WHO; w++) {
        out[w] = 0;
        if (!who[w])
            continue;
        qsort(samples[w], rounds, sizeof(double), by_size);
        out[w] = samples[w][rounds / 2];
        contenders[w]->destroy(who[w]);
    }
}

/* The faster of the two ways to use ipsec-mb alone. */
static double best_raw_mb(const double ns[N_WHO])
{
    if (ns[RAW_NARROW] == 0 || ns[RAW_WIDE] == 0)
        return ns[RAW_NARROW] + ns[RAW_WIDE];
    return ns[RAW_NARROW] < ns[RAW_WIDE] ? ns[RAW_NARROW] : ns[RAW_WIDE];
}

static void column(double ns)
{
    if (ns == 0)
        printf(" %7s", "-");
    else
        printf(" %7.0f", ns);
}

static void print_row(const struct cell *cell, const double ns[N_WHO])
{
    printf("%-19s %-4s %5zu %3zu", cell->suite->name, cell->seal ? "seal" : "open", cell->payload,
           cell->batch);
    for (unsigned w = 0; w < N_WHO; w++)
        column(ns[w]);
    printf("  %5.2f", ns[RAW_EVP] / ns[OURS_OPENSSL]);
    if (best_raw_mb(ns) > 0)
        printf(" %5.2f", best_raw_mb(ns) / ns[OURS_AUTO]);
    else
        printf(" %5s", "-");
    printf(" %5.1f\n", ns[PACKET_OPENSSL] / ns[PACKET_AUTO]);
    fflush(stdout);
}

static void write_row(const struct cell *cell, const double ns[N_WHO])
{
    if (!json)
        return;
    fprintf(json, "%s\n  {\"suite\": \"%s\", \"direction\": \"%s\", \"bytes\": %zu, \"batch\": %zu",
            is_first ? "" : ",", cell->suite->name, cell->seal ? "seal" : "open", cell->payload,
            cell->batch);
    for (unsigned w = 0; w < N_WHO; w++)
        if (ns[w] > 0)
            fprintf(json, ", \"%s\": %.1f", contenders[w]->name, ns[w]);
    fprintf(json, "}");
    is_first = false;
}

static void goal(const struct cell *cell, const char *what, double is, double want)
{
    bool ok = is >= want;

    reached += ok;
    missed += !ok;
    printf("%-7s %s: %s of %zu bytes, batch %zu: %.0f %% (goal %.0f %%)\n",
           ok ? "reached" : "missed", cell->suite->name, what, cell->payload, cell->batch, is * 100,
           want * 100);
}

/* Wrapper against library, at full size; few packets of CBC are not what ipsec-mb is for. */
static void judge(const struct cell *cell, const double ns[N_WHO])
{
    bool is_gcm = cell->suite->esp.cipher == CIPHER_AES_GCM;
    double raw = best_raw_mb(ns);

    if (cell->payload != 1400)
        return;
    if (cell->batch == 1 || cell->batch == 32)
        goal(cell, cell->seal ? "back end / raw EVP, seal" : "back end / raw EVP, open",
             ns[RAW_EVP] / ns[OURS_OPENSSL], 0.95);
    if (raw > 0 && (is_gcm || cell->batch > 1))
        goal(cell, cell->seal ? "back end / raw ipsec-mb, seal" : "back end / raw ipsec-mb, open",
             raw / ns[OURS_AUTO], 0.85);
}

static void header(void)
{
    printf("ns per packet             bytes  at%8s%8s%8s%8s%8s%8s%8s%8s  EVP   mb    gain\n", "raw",
           "back", "raw mb", "raw mb", "back", "ESP", "ESP", "ESP");
    printf("%-33s%8s%8s%8s%8s%8s%8s%8s%8s  ratio ratio\n", "", "EVP", "OpenSSL", "SSE", "widest",
           "chosen", "OpenSSL", "chosen", "null");
}

static void run_all(unsigned rounds, bool quick)
{
    static const size_t sizes[] = {1400, 256, 64}, batches[] = {1, 8, 32};
    static struct cell cells[ARRAY_LEN(suites) * 2 * 9];
    static double ns[ARRAY_LEN(cells)][N_WHO];
    size_t n = 0;

    for (size_t s = 0; s < ARRAY_LEN(suites); s++)
        for (unsigned seal = 2; seal-- > 0;)
            for (size_t k = 0; k < (quick ? 1 : ARRAY_LEN(sizes)); k++)
                for (size_t b = 0; b < ARRAY_LEN(batches); b++)
                    cells[n++] = (struct cell){&suites[s], seal, sizes[k], batches[b]};
    header();
    for (size_t i = 0; i < n; i++) {
        bool slow = cells[i].suite->esp.cipher == CIPHER_3DES_CBC;

        measure(&cells[i], slow ? rounds / 4 + 1 : rounds, ns[i]);
        print_row(&cells[i], ns[i]);
        write_row(&cells[i], ns[i]);
    }
    for (size_t i = 0; i < n; i++)
        judge(&cells[i], ns[i]);
}

int main(int argc, char **argv)
{
    unsigned rounds = 201;
    bool quick = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            quick = true;
        } else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
            rounds = (unsigned)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            json = fopen(argv[++i], "w");
            if (!json) {
                perror(argv[i]);
                return 1;
            }
        } else {
            fprintf(stderr, "usage: bench-crypto [--rounds N] [--json FILE] [--quick]\n");
            return 2;
        }
    }
    if (rounds == 0 || rounds > ROUNDS_MAX)
        rounds = ROUNDS_MAX;
    if (json)
        fprintf(json, "[");
    run_all(rounds, quick);
    if (json) {
        fprintf(json, "\n]\n");
        fclose(json);
    }
    printf("%u reached, %u missed\n", reached, missed);
    return 0;
}
