/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* l2tpc certificate: the clinic, and a request to a CA. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECKS_MAX 16

/* ---- options of both ---- */

struct certificate_options {
    const char *certificate, *key, *ca, *server_certificate, *server, *passphrase_file;
    const char *name, *san, *algorithm, *out;
};

enum option_id {
    OPT_CERTIFICATE = 256,
    OPT_KEY,
    OPT_CA,
    OPT_SERVER_CERTIFICATE,
    OPT_SERVER,
    OPT_PASSPHRASE_FILE,
    OPT_NAME,
    OPT_SAN,
    OPT_ALGORITHM,
    OPT_OUT,
    OPT_HELP,
};

static const struct option check_longs[] = {
    {"certificate", required_argument, NULL, OPT_CERTIFICATE},
    {"key", required_argument, NULL, OPT_KEY},
    {"ca", required_argument, NULL, OPT_CA},
    {"server-certificate", required_argument, NULL, OPT_SERVER_CERTIFICATE},
    {"server", required_argument, NULL, OPT_SERVER},
    {"passphrase-file", required_argument, NULL, OPT_PASSPHRASE_FILE},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static const struct option request_longs[] = {
    {"name", required_argument, NULL, OPT_NAME},
    {"san", required_argument, NULL, OPT_SAN},
    {"algorithm", required_argument, NULL, OPT_ALGORITHM},
    {"out", required_argument, NULL, OPT_OUT},
    {"passphrase-file", required_argument, NULL, OPT_PASSPHRASE_FILE},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static const char **slot(struct certificate_options *o, int id)
{
    switch (id) {
    case OPT_CERTIFICATE:
        return &o->certificate;
    case OPT_KEY:
        return &o->key;
    case OPT_CA:
        return &o->ca;
    case OPT_SERVER_CERTIFICATE:
        return &o->server_certificate;
    case OPT_SERVER:
        return &o->server;
    case OPT_PASSPHRASE_FILE:
        return &o->passphrase_file;
    case OPT_NAME:
        return &o->name;
    case OPT_SAN:
        return &o->san;
    case OPT_ALGORITHM:
        return &o->algorithm;
    case OPT_OUT:
        return &o->out;
    default:
        return NULL;
    }
}

static int help(void)
{
    (void)printf("%s\n\n", _("Usage: l2tpc certificate check [OPTIONS]\n"
                             "       l2tpc certificate request --name NAME --out FILE [OPTIONS]"));
    (void)printf("%s\n", _("check looks at your certificate, its key, the CA and the clock:\n"
                           "  --certificate F         your certificate, or a URI as pkcs11:...\n"
                           "  --key F                 its private key, if it is in another file\n"
                           "  --ca F                  the CA certificates\n"
                           "  --server-certificate F  a certificate that the server uses\n"
                           "  --server HOST           the name by which the server is dialed\n"
                           "  --passphrase-file F     the passphrase of the key"));
    (void)printf("\n%s\n",
                 _("request makes FILE.key and FILE.csr; give the second to your CA:\n"
                   "  --name NAME             your name or that of this computer\n"
                   "  --san NAME              DNS name, address or mail address to put in\n"
                   "  --algorithm A           rsa (default), ecdsa256, ecdsa384 or ecdsa521\n"
                   "  --passphrase-file F     locks the key with this passphrase"));
    return 0;
}

/* -1 to go on, or the exit status. */
static int parse(int argc, char **argv, const struct option *longs, struct certificate_options *o)
{
    int id;

    opterr = 0;
    while ((id = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
        const char **where = slot(o, id);

        if (id == OPT_HELP || id == 'h')
            return help();
        if (!where) {
            complain(id == ':' ? _("%s needs a value. See: l2tpc certificate --help")
                               : _("%s is not an option. See: l2tpc certificate --help"),
                     argv[optind - 1]);
            return EXIT_USAGE;
        }
        *where = optarg;
    }
    if (optind < argc) {
        complain(_("'%s' is one word too many. See: l2tpc certificate --help"), argv[optind]);
        return EXIT_USAGE;
    }
    return -1;
}

/* ---- check ---- */

/* The sentence with {value} in its place. */
static void print_sentence(const char *sentence, const char *value)
{
    const char *at = strstr(sentence, "{value}");

    if (at)
        (void)printf("%.*s%s%s\n", (int)(at - sentence), sentence, value, at + strlen("{value}"));
    else
        (void)printf("%s\n", sentence);
}

static int print_checks(const l2tpc_check *checks, int n)
{
    static const char *const marks[] = {N_("good"), N_("note"), N_("bad"), N_("-")};
    int status = 0;

    for (int i = 0; i < n; i++) {
        const l2tpc_check *c = &checks[i];

        if (!c->sentence[0])
            continue;
        (void)printf("%-5s ", _(marks[c->state & 3]));
        print_sentence(_(c->sentence), c->value);
        if (c->hint[0])
            (void)printf("      %s\n", _(c->hint));
        if (c->state == L2TPC_CHECK_BAD)
            status = EXIT_LOCAL;
    }
    return status;
}

/* A file, or a URI, which the library reads. */
static bool read_optional(const char *path, struct file_bytes *out, const char **uri)
{
    if (!is_token_uri(path))
        return !path || file_read(path, out);
    *uri = path;
    return token_uri_is_discreet(path);
}

static int check(const struct certificate_options *o)
{
    struct file_bytes certificate = {0}, key = {0}, ca = {0}, server = {0};
    struct secret_bytes passphrase = {0};
    l2tpc_check checks[CHECKS_MAX] = {{.size = sizeof(checks[0])}};
    l2tpc_certificate_check q = {.size = sizeof(q), .server = o->server};
    const char *none = NULL;
    int n = -1;

    if (read_optional(o->certificate, &certificate, &q.certificate_uri) &&
        read_optional(o->key, &key, &q.key_uri) && read_optional(o->ca, &ca, &none) &&
        read_optional(o->server_certificate, &server, &none) &&
        (!o->passphrase_file ||
         secret_from_file(o->passphrase_file, _("passphrase"), &passphrase))) {
        q.certificate = certificate.bytes;
        q.certificate_len = certificate.n;
        q.key = key.bytes;
        q.key_len = key.n;
        q.ca = ca.bytes;
        q.ca_len = ca.n;
        q.server_certificate = server.bytes;
        q.server_certificate_len = server.n;
        q.passphrase = passphrase.given ? passphrase.bytes : NULL;
        q.passphrase_len = passphrase.n;
        n = l2tpc_certificate_examine(&q, checks, CHECKS_MAX);
        if (n < 0)
            complain(_("A URI of a token cannot be used: it is as pkcs11:token=NAME;object=NAME, "
                       "without a module."));
    }
    file_forget(&certificate);
    file_forget(&key);
    file_forget(&ca);
    file_forget(&server);
    secret_forget(&passphrase);
    return n < 0 ? EXIT_USAGE : print_checks(checks, n);
}

/* ---- request ---- */

/* Never over another file: a lost key is lost. */
static bool write_new(const char *base, const char *suffix, const char *text, mode_t mode)
{
    char path[512];
    size_t n = strlen(text);
    size_t done = 0;
    int fd;

    if ((size_t)snprintf(path, sizeof(path), "%s%s", base, suffix) >= sizeof(path))
        return false;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    while (fd >= 0 && done < n) {
        ssize_t put = write(fd, text + done, n - done);

        if (put < 0 && errno != EINTR)
            break;
        done += put > 0 ? (size_t)put : 0;
    }
    if (fd < 0 || done < n || close(fd) < 0) {
        complain(_("%s cannot be written: %s."), path, strerror(errno));
        return false;
    }
    (void)printf("%s\n", path);
    return true;
}

static int request(const struct certificate_options *o)
{
    struct secret_bytes passphrase = {0};
    l2tpc_certificate_request r = {
        .size = sizeof(r), .common_name = o->name, .name = o->san, .algorithm = o->algorithm};
    char *key = NULL;
    char *csr = NULL;
    int status = EXIT_USAGE;

    if (!o->name || !o->out) {
        complain(_("A request needs --name and --out. See: l2tpc certificate --help"));
        return EXIT_USAGE;
    }
    if (o->passphrase_file && !secret_from_file(o->passphrase_file, _("passphrase"), &passphrase))
        return EXIT_USAGE;
    r.passphrase = passphrase.given ? passphrase.bytes : NULL;
    r.passphrase_len = passphrase.n;
    if (l2tpc_certificate_request_new(&r, &key, &csr) == L2TPC_OK)
        status = write_new(o->out, ".key", key, 0600) && write_new(o->out, ".csr", csr, 0644)
                     ? 0
                     : EXIT_LOCAL;
    else
        complain(_("No request can be made of this name, algorithm or passphrase."));
    l2tpc_secret_free(key);
    l2tpc_secret_free(csr);
    secret_forget(&passphrase);
    return status;
}

int cmd_certificate(int argc, char **argv)
{
    struct certificate_options o = {0};
    bool checks = argc > 1 && strcmp(argv[1], "check") == 0;
    int status;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return help();
    if (!checks && (argc < 2 || strcmp(argv[1], "request") != 0)) {
        complain(_("Say check or request. See: l2tpc certificate --help"));
        return EXIT_USAGE;
    }
    process_protect();
    status = parse(argc - 1, argv + 1, checks ? check_longs : request_longs, &o);
    if (status >= 0)
        return status;
    return checks ? check(&o) : request(&o);
}
