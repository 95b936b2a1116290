/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* l2tpc psk: how good a pre-shared key is, and a good one. */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

struct psk_options {
    const char *file;
    int secrets_fd; /* -1: none */
};

static int help(void)
{
    (void)printf("%s\n\n", _("Usage: l2tpc psk check [--psk-file F | --secrets-fd N]\n"
                             "       l2tpc psk generate"));
    (void)printf("%s\n", _("check asks for a pre-shared key, or reads it, and says how hard it is "
                           "to guess.\ngenerate prints a new one: letters and digits that are "
                           "not mistaken for others."));
    return 0;
}

/* It is not said again: it may be the key. */
static int refuse_secret(void)
{
    complain(_("A secret is not an argument, everybody could read it: use --%s-file."), "psk");
    return EXIT_USAGE;
}

/* -1 to go on, or the exit status. */
static int parse(int argc, char **argv, struct psk_options *o)
{
    static const struct option longs[] = {
        {"psk-file", required_argument, NULL, 'f'}, {"secrets-fd", required_argument, NULL, 'd'},
        {"psk", required_argument, NULL, 's'}, /* what people try first */
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
    };
    unsigned number;
    int id;

    opterr = 0;
    while ((id = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
        if (id == 'h')
            return help();
        if (id == 's')
            return refuse_secret();
        if (id == 'f') {
            o->file = optarg;
        } else if (id == 'd' && parse_number(optarg, 0, 65535, &number)) {
            o->secrets_fd = (int)number;
        } else {
            complain(id == ':'   ? _("%s needs a value. See: l2tpc psk --help")
                     : id == 'd' ? _("%s is not the number of a descriptor. See: l2tpc psk --help")
                                 : _("%s is not an option. See: l2tpc psk --help"),
                     argv[optind - 1]);
            return EXIT_USAGE;
        }
    }
    return optind < argc ? refuse_secret() : -1;
}

static bool ask(struct secret_bytes *out)
{
    struct prompt p;

    if (!prompt_open(&p, _("Pre-shared key: "))) {
        complain(_("There is no terminal to ask at: use --psk-file or --secrets-fd."));
        return false;
    }
    return prompt_take(&p, _("pre-shared key"), out);
}

static bool get(const struct psk_options *o, struct secret_bytes *psk)
{
    struct secret_bytes password = {0}, passphrase = {0};
    bool ok;

    if (o->file)
        return secret_from_file(o->file, _("pre-shared key"), psk);
    if (o->secrets_fd < 0)
        return ask(psk);
    ok = secrets_from_fd(o->secrets_fd, psk, &password, &passphrase);
    secret_forget(&password);
    secret_forget(&passphrase);
    return ok;
}

static void say(const char *mark, const char *sentence)
{
    (void)printf("%-5s %s\n", mark, sentence);
}

static int judge(const struct psk_options *o, const struct secret_bytes *psk)
{
    static const char *const marks[] = {N_("good"), N_("note"), N_("bad")};
    l2tpc_psk_strength s = {.size = sizeof(s)};
    char text[512];

    if (l2tpc_psk_estimate(psk->bytes, psk->n, &s) != L2TPC_OK)
        return EXIT_USAGE;
    psk_sentence(&s, text, sizeof(text));
    say(_(marks[s.verdict]), text);
    if (s.hint[0])
        (void)printf("      %s\n", _(s.hint));
    if (s.old_rules)
        say(_("good"), _("It meets the old rule of 8 characters of three kinds."));
    else
        say(_("note"), _("It does not even meet the old rule of 8 characters of three kinds."));
    if (s.odd_ends)
        say(_("note"), _("It begins or ends with a sign, which some servers do not take."));
    if (o->file)
        secret_warn_readers(psk, o->file, _("pre-shared key"));
    return s.verdict == L2TPC_PSK_VERY_WEAK ? EXIT_LOCAL : 0;
}

static int check(const struct psk_options *o)
{
    struct secret_bytes psk = {0};
    int status = EXIT_USAGE;

    if (get(o, &psk)) {
        if (psk.n > 0)
            status = judge(o, &psk);
        else
            complain(_("The pre-shared key is empty."));
    }
    secret_forget(&psk);
    return status;
}

/* Not by way of a buffer that keeps it. */
static bool print_secret(const char *key)
{
    const struct iovec line[] = {{(void *)(uintptr_t)key, strlen(key)}, {(void *)"\n", 1}};
    ssize_t n;

    do
        n = writev(STDOUT_FILENO, line, 2);
    while (n < 0 && errno == EINTR);
    if (n == (ssize_t)strlen(key) + 1)
        return true;
    complain(_("The output could not be written."));
    return false;
}

static int generate(void)
{
    char *key = NULL;
    bool ok;

    if (l2tpc_psk_generate(&key) != L2TPC_OK) {
        complain(_("The system's random number generator did not answer."));
        return EXIT_LOCAL;
    }
    ok = print_secret(key);
    l2tpc_secret_free(key);
    return ok ? 0 : EXIT_LOCAL;
}

int cmd_psk(int argc, char **argv)
{
    struct psk_options o = {.secrets_fd = -1};
    bool checks = argc > 1 && strcmp(argv[1], "check") == 0;
    int status;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return help();
    if (!checks && (argc < 2 || strcmp(argv[1], "generate") != 0)) {
        complain(_("Say check or generate. See: l2tpc psk --help"));
        return EXIT_USAGE;
    }
    status = parse(argc - 1, argv + 1, &o);
    if (status >= 0)
        return status;
    process_protect();
    return checks ? check(&o) : generate();
}
