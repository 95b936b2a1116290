/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* l2tpc scan: which IKE algorithms a server accepts. */
#include "cli/cli.h"

#include <getopt.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define TIMEOUT_MAX 300
#define ROWS_MAX 100 /* more are for programs to read */

enum option_id {
    OPT_QUICK = 256,
    OPT_ALL,
    OPT_AUTH,
    OPT_TIMEOUT,
    OPT_JSON,
    OPT_VERBOSE,
    OPT_HELP,
};

static const struct {
    const char *name, *value, *text;
    int id;
} rows[] = {
    {"quick", NULL, N_("one answer for each policy, in a few messages"), OPT_QUICK},
    {"all", NULL, N_("ask for every combination of algorithms"), OPT_ALL},
    {"auth", "A", N_("authentication to ask for: psk (default), rsa, ecdsa or all"), OPT_AUTH},
    {"timeout", "S", N_("stop after S seconds, 1 to 300; default 60"), OPT_TIMEOUT},
    {"json", NULL, N_("print one JSON object"), OPT_JSON},
    {"verbose", NULL, N_("print the log to standard error"), OPT_VERBOSE},
    {"help", NULL, N_("this text"), OPT_HELP},
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

struct scan_options {
    const char *server;
    l2tpc_scan_options scan;
    bool quick, all, json, verbose;
};

static void help(void)
{
    (void)printf("%s\n\n", _("Usage: l2tpc scan SERVER[:PORT] [OPTIONS]"));
    (void)printf("%s\n\n",
                 _("Asks the server which IKE algorithms it accepts, slowly and in few messages.\n"
                   "No secret is needed and none is sent."));
    for (size_t i = 0; i < N_ROWS; i++) {
        char left[40];

        (void)snprintf(left, sizeof(left), "--%s%s%s", rows[i].name, rows[i].value ? " " : "",
                       rows[i].value ? rows[i].value : "");
        (void)printf("  %-22s %s\n", left, _(rows[i].text));
    }
}

/* ---- options ---- */
static bool take(struct scan_options *o, int id, const char *value)
{
    unsigned number;

    switch (id) {
    case OPT_QUICK:
        return o->quick = true;
    case OPT_ALL:
        return o->all = true;
    case OPT_AUTH:
        o->scan.auth = value;
        return strcmp(value, "psk") == 0 || strcmp(value, "rsa") == 0 ||
               strcmp(value, "ecdsa") == 0 || strcmp(value, "all") == 0;
    case OPT_TIMEOUT:
        if (!parse_number(value, 1, TIMEOUT_MAX, &number))
            return false;
        o->scan.timeout = number;
        return true;
    case OPT_JSON:
        return o->json = true;
    case OPT_VERBOSE:
        return o->verbose = true;
    default:
        return false;
    }
}

static int check(int argc, char **argv, struct scan_options *o)
{
    if (optind == argc) {
        complain(_("Which server? See: l2tpc scan --help"));
        return EXIT_USAGE;
    }
    if (optind + 1 < argc) {
        complain(_("'%s' is one word too many. See: l2tpc scan --help"), argv[optind + 1]);
        return EXIT_USAGE;
    }
    if (o->quick && o->all) {
        complain(_("--quick and --all do not go together. See: l2tpc scan --help"));
        return EXIT_USAGE;
    }
    o->server = argv[optind];
    o->scan.depth = o->quick ? L2TPC_SCAN_QUICK : o->all ? L2TPC_SCAN_ALL : L2TPC_SCAN_USUAL;
    return 0;
}

/* 0, or the exit status; -1 after the help. */
static int parse(int argc, char **argv, struct scan_options *o)
{
    struct option longs[N_ROWS + 1] = {0};
    int index = 0;
    int id;

    for (size_t i = 0; i < N_ROWS; i++)
        longs[i] = (struct option){
            .name = rows[i].name,
            .has_arg = rows[i].value ? required_argument : no_argument,
            .val = rows[i].id,
        };
    opterr = 0;
    while ((id = getopt_long(argc, argv, ":h", longs, &index)) != -1) {
        char letter[3] = {'-', (char)optopt, '\0'};

        if (id == OPT_HELP || id == 'h') {
            help();
            return -1;
        }
        if (id == '?' || id == ':') {
            complain(id == ':' ? _("%s needs a value. See: l2tpc scan --help")
                               : _("%s is not an option. See: l2tpc scan --help"),
                     optopt > 0 && optopt < OPT_QUICK ? letter : argv[optind - 1]);
            return EXIT_USAGE;
        }
        if (!take(o, id, optarg)) {
            complain(_("--%s does not take '%s'. See: l2tpc scan --help"), longs[index].name,
                     optarg);
            return EXIT_USAGE;
        }
    }
    return check(argc, argv, o);
}

/* ---- what is printed ---- */
static void print_progress(struct output *o, const l2tpc_scan_state *st)
{
    if (o->json || !o->terminal)
        return;
    output_clear_line(o);
    (void)fputs("  ... ", o->out);
    if (st->resting)
        (void)fprintf(o->out,
                      _("the server fell silent after %u answers; waiting half a minute, once"),
                      st->answers);
    else
        (void)fprintf(o->out, _("%u of %u asked, %u accepted"), st->asked, st->suites,
                      st->accepted);
    (void)fflush(o->out);
    o->live = true;
}

static const char *answer_text(int answer)
{
    switch (answer) {
    case L2TPC_SCAN_ACCEPTED:
        return _("accepted");
    case L2TPC_SCAN_REFUSED:
        return _("refused");
    case L2TPC_SCAN_UNANSWERED:
        return _("no answer");
    default:
        return _("not asked");
    }
}

static const char *strength_text(const char *strength)
{
    return strcmp(strength, "strong") == 0       ? _("strong")
           : strcmp(strength, "compatible") == 0 ? _("compatible")
           : strcmp(strength, "legacy") == 0     ? _("legacy, weak")
                                                 : _("broken, in no policy");
}

static void print_suites(l2tpc_scan *scan, int answer, bool with_auth)
{
    l2tpc_scan_suite s = {.size = sizeof(s)};

    for (unsigned i = 0; l2tpc_scan_suite_at(scan, i, &s) == L2TPC_OK; i++)
        if (s.answer == answer)
            (void)printf("  %-24s %s%s%-10s %s\n", s.suite, with_auth ? s.auth : "",
                         with_auth ? "  " : "", answer_text(s.answer), strength_text(s.strength));
}

static const char *yes_no(int v)
{
    return v ? _("yes") : _("no");
}

static void print_server(l2tpc_scan *scan, const l2tpc_scan_state *st)
{
    const char *id;

    if (st->accepted == 0)
        return;
    if (st->maker[0])
        (void)printf(_("By its vendor IDs the server is %s.\n"), st->maker);
    else
        (void)printf("%s\n", _("The server's vendor IDs do not tell what it is."));
    (void)printf(_("NAT traversal: %s. Dead peer detection: %s. IKE fragmentation: %s.\n"),
                 yes_no(st->nat_traversal), yes_no(st->dead_peer_detection),
                 yes_no(st->fragmentation));
    for (unsigned i = 0; (id = l2tpc_scan_vendor_id_at(scan, i)); i++)
        (void)printf("  %s\n", id);
}

/* Why the table has holes. */
static void print_end(const l2tpc_scan_state *st)
{
    if (strcmp(st->end, "silent") == 0)
        (void)printf(_("The server stopped answering after %u answers, so the scan stopped: what "
                       "was not asked may be accepted too.\n"),
                     st->answers);
    else if (strcmp(st->end, "limit") == 0)
        (void)printf(_("The scan stopped at its limit of %u messages: what was not asked may be "
                       "accepted too.\n"),
                     st->messages);
    else if (strcmp(st->end, "timeout") == 0)
        (void)printf("%s\n",
                     _("The time was up: what was not asked may be accepted too (--timeout)."));
    if (st->one_by_one)
        (void)printf("%s\n", _("The server cannot take many proposals at once: dial it with the "
                               "list for --ike cut to one or two."));
}

static void print_result(l2tpc_scan *scan, const l2tpc_scan_state *st, const struct scan_options *o)
{
    bool with_auth = o->scan.auth && strcmp(o->scan.auth, "psk") != 0;
    bool with_rest = st->suites <= ROWS_MAX;

    (void)printf(_("%s (%s): %u of %u proposals accepted, %u messages sent.\n"), o->server,
                 st->address, st->accepted, st->suites, st->messages);
    print_suites(scan, L2TPC_SCAN_ACCEPTED, with_auth);
    if (with_rest) {
        print_suites(scan, L2TPC_SCAN_REFUSED, with_auth);
        print_suites(scan, L2TPC_SCAN_UNANSWERED, with_auth);
    }
    if (with_rest && !o->quick)
        print_suites(scan, L2TPC_SCAN_NOT_ASKED, with_auth);
    print_server(scan, st);
    print_end(st);
    if (st->sentence[0])
        (void)printf("%s\n", _(st->sentence));
    if (st->ike[0])
        (void)printf("  --ike %s\n", st->ike);
    if (st->hint[0])
        (void)printf("%s\n", _(st->hint));
    if (st->accepted > 0)
        (void)printf("%s\n", _("Nobody vouches for these answers: they are not authenticated."));
}

static int report(l2tpc_scan *scan, const struct scan_options *o, struct output *out)
{
    l2tpc_scan_state st = {.size = sizeof(st)};
    const l2tpc_error *error = l2tpc_scan_get_error(scan);

    (void)l2tpc_scan_get_state(scan, &st);
    output_clear_line(out);
    if (o->json) {
        const char *json = l2tpc_scan_to_json(scan);

        (void)printf("%s\n", json ? json : "{}");
    } else if (!error || st.answers > 0) {
        print_result(scan, &st, o);
    }
    if (error)
        output_failure(out, error);
    return error ? l2tpc_error_get_exit_status(error) : 0;
}

/* ---- the run ---- */
static void log_line(void *user, int level, const char *module, const char *line)
{
    (void)user;
    (void)fprintf(stderr, "%c %s: %s\n", "EWID"[level & 3], module, line);
}

static void run(l2tpc_scan *scan, int signal_fd, struct output *out)
{
    struct pollfd p[] = {
        {.fd = l2tpc_scan_get_fd(scan), .events = POLLIN},
        {.fd = signal_fd, .events = POLLIN},
    };
    l2tpc_scan_state st = {.size = sizeof(st), .end = "running"};
    struct signalfd_siginfo info;

    while (strcmp(st.end, "running") == 0) {
        if (poll(p, sizeof(p) / sizeof(p[0]), -1) < 0)
            continue; /* nothing but EINTR can happen to these two */
        if (p[1].revents && read(signal_fd, &info, sizeof(info)) == sizeof(info))
            l2tpc_scan_stop(scan);
        (void)l2tpc_scan_get_state(scan, &st);
        if (strcmp(st.end, "running") == 0)
            print_progress(out, &st);
    }
}

static int open_signals(void)
{
    sigset_t set;

    (void)signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int scan_with(l2tpc_context *context, const struct scan_options *o, struct output *out)
{
    int signal_fd = open_signals();
    l2tpc_scan *scan = NULL;
    int status = EXIT_LOCAL;
    int rc = l2tpc_scan_new(&scan, context, o->server, &o->scan);

    if (rc == L2TPC_EINVAL) {
        complain(_("'%s' cannot be a server. See: l2tpc scan --help"), o->server);
        return EXIT_USAGE;
    }
    if (rc == L2TPC_OK && l2tpc_scan_start(scan) == L2TPC_OK) {
        run(scan, signal_fd, out);
        status = report(scan, o, out);
    } else {
        output_refusal(out, o->server, "failed", "local.memory", "");
    }
    l2tpc_scan_free(scan);
    (void)close(signal_fd);
    return status;
}

int cmd_scan(int argc, char **argv)
{
    struct scan_options o = {.scan = {.size = sizeof(o.scan)}};
    l2tpc_context_options options = {.size = sizeof(options)};
    l2tpc_context *context = NULL;
    struct output out = {.terminal = isatty(STDOUT_FILENO) != 0, .out = stdout};
    int status = parse(argc, argv, &o);

    if (status != 0)
        return status < 0 ? 0 : status;
    out.json = o.json;
    if (o.json) /* programs get English, also where the system words the reason */
        (void)setlocale(LC_MESSAGES, "C");
    /* The questions go past a tunnel that is up; who has no rights for the mark asks without. */
    options.mark = geteuid() == 0 ? L2TPC_HOST_MARK : 0;
    options.log = o.verbose ? log_line : NULL;
    /* Signals are blocked before the library's thread starts. */
    (void)close(open_signals());
    if (l2tpc_context_new(&context, &options) != L2TPC_OK) {
        output_refusal(&out, o.server, "failed", "local.memory", "");
        return EXIT_LOCAL;
    }
    status = scan_with(context, &o, &out);
    l2tpc_context_free(context);
    return status;
}
