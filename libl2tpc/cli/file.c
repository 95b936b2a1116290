/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates and keys: whole files, or the URIs of objects on tokens. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (1u << 20)

/*
 * A service that opens what a user's profile names, with that user's rights, waits for nobody: a
 * pipe would hold it for as long as the user likes. Who runs the command may give it one.
 */
static int open_whole(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0 &&
        (S_ISREG(st.st_mode) || (getuid() == geteuid() && fcntl(fd, F_SETFL, O_RDONLY) == 0)))
        return fd;
    if (fd >= 0) {
        close(fd);
        errno = EINVAL;
    }
    return -1;
}

bool file_read(const char *path, struct file_bytes *out)
{
    int fd = open_whole(path);
    unsigned char *bytes = fd >= 0 ? malloc(FILE_MAX + 1) : NULL;
    size_t n = 0;
    ssize_t got = bytes ? 1 : -1;

    while (bytes && n <= FILE_MAX && (got = read(fd, bytes + n, FILE_MAX + 1 - n)) != 0) {
        if (got < 0 && errno != EINTR)
            break;
        n += got > 0 ? (size_t)got : 0;
    }
    if (got < 0)
        complain(_("%s cannot be read: %s."), path, strerror(errno));
    else if (n > FILE_MAX || n == 0)
        complain(_("%s is empty or longer than 1 MiB."), path);
    if (fd >= 0)
        close(fd);
    *out = (struct file_bytes){bytes, n};
    if (got >= 0 && n > 0 && n <= FILE_MAX)
        return true;
    file_forget(out);
    return false;
}

void file_forget(struct file_bytes *f)
{
    if (f->bytes)
        explicit_bzero(f->bytes, f->n);
    free(f->bytes);
    *f = (struct file_bytes){0};
}

/* ---- tokens ---- */

bool is_token_uri(const char *text)
{
    return text && strncmp(text, "pkcs11:", 7) == 0;
}

bool token_uri_is_discreet(const char *uri)
{
    if (!strstr(uri, "pin-value") && !strstr(uri, "pin-source"))
        return true;
    complain(_("The PIN of a token is not an argument, everybody could read it: use "
               "--passphrase-file."));
    return false;
}
