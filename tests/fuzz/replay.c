/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every corpus file once through its target, in the manner of the unit tests: <target>/<file> is a
 * case. Found bugs stay found, also where there is no clang.
 */
#include "base/span.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX (1u << 20)

#define TARGET(name) int target_##name(const uint8_t *data, size_t size);
#include "targets.h"
#undef TARGET

static const struct {
    const char *name;
    int (*run)(const uint8_t *data, size_t size);
} targets[] = {
#define TARGET(name) {#name, target_##name},
#include "targets.h"
#undef TARGET
};

static unsigned passed, failed;

/* On the heap, exactly as long as the file. */
static uint8_t *read_whole(const char *path, size_t *out_n)
{
    FILE *f = fopen(path, "rb");
    uint8_t *big = malloc(INPUT_MAX);
    uint8_t *exact = NULL;

    if (f && big) {
        *out_n = fread(big, 1, INPUT_MAX, f);
        exact = ferror(f) ? NULL : malloc(*out_n ? *out_n : 1);
        if (exact)
            memcpy(exact, big, *out_n);
    }
    if (f)
        (void)fclose(f);
    free(big);
    return exact;
}

static bool sabotaged(void)
{
    const char *s = getenv("L2TPC_SABOTAGE");

    return s && strcmp(s, "1") == 0;
}

static void run_file(size_t target, const char *path, const char *name)
{
    size_t n = 0;
    uint8_t *bytes = read_whole(path, &n);

    /* Told in front: a target that finds something aborts. */
    (void)fprintf(stderr, "replay: %s/%s\n", targets[target].name, name);
    if (bytes && n > 0 && !sabotaged()) {
        (void)targets[target].run(bytes, n);
        (void)printf("ok   %s/%s\n", targets[target].name, name);
        passed++;
    } else {
        (void)printf("    %s is empty, cannot be read, or the run is sabotaged\nFAIL %s/%s\n", path,
                     targets[target].name, name);
        failed++;
    }
    (void)fflush(stdout);
    free(bytes);
}

static bool wanted(const char *target, const char *file, int argc, char **argv)
{
    char name[512];

    (void)snprintf(name, sizeof(name), "%s/%s", target, file);
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], target) == 0 || fnmatch(argv[i], name, 0) == 0)
            return true;
    return argc < 2;
}

static int visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static void run_target(size_t target, bool list, int argc, char **argv)
{
    char path[1024];
    struct dirent **files = NULL;
    int n;

    (void)snprintf(path, sizeof(path), "%s/%s", CORPUS_DIR, targets[target].name);
    n = scandir(path, &files, visible, alphasort);
    if (n <= 0) {
        (void)printf("    no corpus in %s\nFAIL %s/corpus\n", path, targets[target].name);
        failed++;
    }
    for (int i = 0; i < n; i++) {
        const char *name = files[i]->d_name;

        (void)snprintf(path, sizeof(path), "%s/%s/%s", CORPUS_DIR, targets[target].name, name);
        if (list)
            (void)printf("%s/%s\n", targets[target].name, name);
        else if (wanted(targets[target].name, name, argc, argv))
            run_file(target, path, name);
        free(files[i]);
    }
    free(files);
}

int main(int argc, char **argv)
{
    bool list = argc > 1 && strcmp(argv[1], "--list") == 0;

    for (size_t i = 0; i < ARRAY_LEN(targets); i++)
        run_target(i, list, argc, argv);
    if (list)
        return 0;
    (void)printf("%u passed, %u failed, 0 skipped\n", passed, failed);
    return failed || !passed;
}
