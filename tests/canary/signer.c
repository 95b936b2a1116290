/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opens a key and signs with it, as a dial with a certificate does; then stands still, so that its
 * memory can be searched. canary-signer CERTIFICATE KEY [PASSPHRASE-FILE]; KEY "-" when it stands
 * in the first file. Prints "up" with the key in memory, waits for a line, prints "freed".
 */
#include "base/secret.h"
#include "crypto/x509.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static uint8_t file[65536];

static struct span take(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, file, sizeof(file)) : -1;

    if (fd >= 0)
        close(fd);
    return span_of(file, n > 0 ? (size_t)n : 0);
}

static void say(const char *line)
{
    (void)!write(STDOUT_FILENO, line, strlen(line));
}

static void wait_for_line(void)
{
    char c = 0;

    while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
        ;
}

static bool add(struct credential *own, const char *path, const struct span *passphrase)
{
    struct span bytes = take(path);
    bool ok = bytes.n > 0 && credential_add(own, bytes, passphrase) == KEYFILE_OK;

    wipe(file, sizeof(file));
    return ok;
}

int main(int argc, char **argv)
{
    struct crypto *c = crypto_new();
    struct credential *own = c ? credential_new(c) : NULL;
    uint8_t hash[32] = {1, 2, 3};
    uint8_t signature[SIGN_MAX];
    struct secret word = {0};
    struct span passphrase;
    size_t n = 0;
    bool ok = own && argc >= 3;

    if (ok && argc > 3) {
        ok = secret_set(&word, take(argv[3]));
        wipe(file, sizeof(file));
    }
    passphrase = secret_span(&word);
    ok = ok && add(own, argv[1], argc > 3 ? &passphrase : NULL) &&
         (strcmp(argv[2], "-") == 0 || add(own, argv[2], argc > 3 ? &passphrase : NULL)) &&
         credential_finish(own) == KEYFILE_OK &&
         credential_sign(own, SPAN_ARRAY(hash), signature, &n) &&
         credential_signed(own, SPAN_ARRAY(hash), span_of(signature, n));
    secret_wipe(&word);
    say(ok ? "up\n" : "refused\n");
    wait_for_line();
    credential_free(own);
    crypto_free(c);
    say("freed\n");
    wait_for_line();
    return ok ? 0 : 1;
}
