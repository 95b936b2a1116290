/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where secrets come from: files, a descriptor, the terminal. Raw bytes throughout. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void secret_forget(struct secret_bytes *s)
{
    explicit_bzero(s, sizeof(*s));
}

/* Everything up to the end of file; false when it is longer than cap or cannot be read. */
static bool read_all(int fd, unsigned char *buffer, size_t cap, size_t *out_n)
{
    size_t n = 0;

    for (;;) {
        unsigned char extra;
        ssize_t got = n < cap ? read(fd, buffer + n, cap - n) : read(fd, &extra, 1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            break;
        if (n == cap) {
            errno = EFBIG;
            return false;
        }
        n += (size_t)got;
    }
    *out_n = n;
    return true;
}

static bool set_bytes(struct secret_bytes *out, const unsigned char *p, size_t n, const char *what)
{
    if (n > SECRET_BYTES_MAX) {
        complain(_("The %s is longer than %d bytes."), what, SECRET_BYTES_MAX);
        return false;
    }
    if (n > 0 && p[n - 1] == '\r') /* taken as it is, but hard to see */
        complain(_("Note: the %s ends with a carriage return."), what);
    out->given = true;
    out->n = n;
    if (n > 0)
        memcpy(out->bytes, p, n);
    return true;
}

bool secret_from_file(const char *path, const char *what, struct secret_bytes *out)
{
    bool standard_input = strcmp(path, "-") == 0;
    int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    unsigned char buffer[SECRET_BYTES_MAX + 2];
    size_t n = 0;
    struct stat st;
    bool ok = false;

    if (fd < 0 || fstat(fd, &st) < 0) {
        complain(_("The %s cannot be read from %s: %s."), what, path, strerror(errno));
    } else if (S_ISDIR(st.st_mode)) {
        complain(_("The %s cannot be read from %s: it is a directory."), what, path);
    } else if (!read_all(fd, buffer, sizeof(buffer), &n)) {
        if (errno == EFBIG)
            complain(_("The %s is longer than %d bytes."), what, SECRET_BYTES_MAX);
        else
            complain(_("The %s cannot be read from %s: %s."), what, path, strerror(errno));
    } else {
        if (n > 0 && buffer[n - 1] == '\n') /* the one newline that an editor adds */
            n--;
        ok = set_bytes(out, buffer, n, what);
        out->stored = !standard_input && S_ISREG(st.st_mode);
        out->owner = st.st_uid;
        out->mode = st.st_mode & 07777;
    }
    if (fd >= 0 && !standard_input)
        close(fd);
    explicit_bzero(buffer, sizeof(buffer));
    return ok;
}

void secret_warn_readers(const struct secret_bytes *s, const char *path, const char *what)
{
    if (s->stored && s->mode & 0044)
        complain(s->mode & 0004 ? _("Warning: everybody on this computer can read the %s in %s.")
                                : _("Warning: a group of users can read the %s in %s."),
                 what, path);
}

void secret_tell_origin(l2tpc_config *config, int kind, const struct secret_bytes *s,
                        const char *path)
{
    const struct passwd *owner = s->stored ? getpwuid((uid_t)s->owner) : NULL;
    char number[16];
    l2tpc_secret_origin o = {
        .size = sizeof(o),
        .kind = kind,
        .store = s->stored ? L2TPC_STORE_FILE : L2TPC_STORE_NONE,
        .path = path,
        .owner = number,
        .mode = s->mode,
    };

    (void)snprintf(number, sizeof(number), "%u", s->owner);
    if (owner)
        o.owner = owner->pw_name;
    if (s->given)
        (void)l2tpc_config_set_secret_origin(config, &o);
}

static bool holds(const struct file_bytes *f, const char *words)
{
    return memmem(f->bytes, f->n, words, strlen(words)) != NULL;
}

/*
 * A key that opens without a passphrase: whoever reads the file has it. A PKCS#12 file (version 3
 * behind the head of its SEQUENCE) may have none, too; one that is locked guards itself.
 */
static bool holds_open_key(const char *path)
{
    static const unsigned char version_3[] = {0x02, 0x01, 0x03};
    struct file_bytes f = {0};
    bool open_key = false;

    if (!file_read(path, &f))
        return false;
    if (holds(&f, "-----BEGIN"))
        open_key = holds(&f, "PRIVATE KEY-----") && !holds(&f, "ENCRYPTED");
    else if (f.n > 8 && f.bytes[0] == 0x30)
        open_key = memmem(f.bytes, 8, version_3, sizeof(version_3)) != NULL;
    file_forget(&f);
    return open_key;
}

void key_tell_origin(l2tpc_config *config, const char *path, bool warn)
{
    struct secret_bytes key = {.given = true};
    struct stat st;

    if (!path || stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    key.stored = true;
    key.owner = st.st_uid;
    key.mode = st.st_mode & 07777;
    secret_tell_origin(config, L2TPC_SECRET_KEY, &key, path);
    if (warn && holds_open_key(path))
        secret_warn_readers(&key, path, _("private key"));
}

void psk_sentence(const l2tpc_psk_strength *s, char *out, size_t size)
{
    char bits[16];

    (void)snprintf(bits, sizeof(bits), "%u", s->bits);
    fill_value(_(s->sentence), bits, out, size);
}

void psk_warn(const void *psk, size_t n)
{
    l2tpc_psk_strength s = {.size = sizeof(s)};
    char text[512];

    if (l2tpc_psk_estimate(psk, n, &s) != L2TPC_OK || s.verdict == L2TPC_PSK_GOOD)
        return;
    psk_sentence(&s, text, sizeof(text));
    complain(_("Warning: %s"), text);
}

static bool take_line(const unsigned char *line, size_t n, struct secret_bytes *psk,
                      struct secret_bytes *password, struct secret_bytes *passphrase)
{
    if (n >= 4 && memcmp(line, "psk=", 4) == 0)
        return set_bytes(psk, line + 4, n - 4, _("pre-shared key"));
    if (n >= 9 && memcmp(line, "password=", 9) == 0)
        return set_bytes(password, line + 9, n - 9, _("password"));
    if (n >= 11 && memcmp(line, "passphrase=", 11) == 0)
        return set_bytes(passphrase, line + 11, n - 11, _("passphrase"));
    if (n == 0)
        return true;
    complain(_("The secrets descriptor holds a line that is none of psk=, password= and "
               "passphrase=."));
    return false;
}

bool secrets_from_fd(int fd, struct secret_bytes *psk, struct secret_bytes *password,
                     struct secret_bytes *passphrase)
{
    unsigned char buffer[3 * SECRET_BYTES_MAX + 64];
    size_t n = 0;
    bool ok = true;

    if (!read_all(fd, buffer, sizeof(buffer), &n)) {
        complain(_("The secrets cannot be read from descriptor %d: %s."), fd, strerror(errno));
        ok = false;
    } else if (n == 0) {
        complain(_("Descriptor %d gave no secrets."), fd);
        ok = false;
    }
    for (size_t at = 0; ok && at < n;) {
        unsigned char *end = memchr(buffer + at, '\n', n - at);
        size_t len = end ? (size_t)(end - (buffer + at)) : n - at;

        ok = take_line(buffer + at, len, psk, password, passphrase);
        at += len + 1;
    }
    explicit_bzero(buffer, sizeof(buffer));
    return ok;
}

static int open_tty(void)
{
    return open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
}

void prompt_reserve(struct prompt *p)
{
    p->tty = open_tty();
    p->reserved = true;
}

bool prompt_open(struct prompt *p, const char *question)
{
    struct termios quiet;

    p->fd = p->reserved ? fcntl(p->tty, F_DUPFD_CLOEXEC, 3) : open_tty();
    if (p->fd < 0)
        return false;
    if (tcgetattr(p->fd, &p->before) < 0) {
        close(p->fd);
        p->fd = -1;
        return false;
    }
    quiet = p->before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    quiet.c_lflag |= ICANON | ECHONL;
    (void)tcsetattr(p->fd, TCSAFLUSH, &quiet);
    (void)dprintf(p->fd, "%s", question);
    return true;
}

bool prompt_take(struct prompt *p, const char *what, struct secret_bytes *out)
{
    ssize_t n = read(p->fd, out->bytes, sizeof(out->bytes));
    bool whole = n > 0 && out->bytes[n - 1] == '\n';

    prompt_close(p); /* what is left of a line that is too long goes away with it */
    if (n <= 0)
        return false;
    if (n > SECRET_BYTES_MAX && !whole) {
        complain(_("The %s is longer than %d bytes."), what, SECRET_BYTES_MAX);
        return false;
    }
    out->n = (size_t)n - (whole ? 1 : 0);
    out->given = true;
    return true;
}

void prompt_close(struct prompt *p)
{
    if (p->fd < 0)
        return;
    (void)tcsetattr(p->fd, TCSAFLUSH, &p->before);
    close(p->fd);
    p->fd = -1;
}
