/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of l2tpc connect. Secrets have no option of their own: argv is public. */
#include "cli/stored.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum option_id {
    OPT_SERVER = 256,
    OPT_USER,
    OPT_DOMAIN,
    OPT_PSK_FILE,
    OPT_PASSWORD_FILE,
    OPT_SECRETS_FD,
    OPT_CERTIFICATE,
    OPT_KEY,
    OPT_PASSPHRASE_FILE,
    OPT_CA,
    OPT_SERVER_ID,
    OPT_REVOCATION,
    OPT_LOCAL_ID,
    OPT_IKE_MODE,
    OPT_POLICY,
    OPT_IKE,
    OPT_ESP,
    OPT_ENCAPSULATION,
    OPT_ROUTE,
    OPT_NO_DEFAULT_ROUTE,
    OPT_SERVER_ROUTES,
    OPT_CLASS_ROUTE,
    OPT_NO_DNS,
    OPT_KEEP_IPV6,
    OPT_KILL_SWITCH,
    OPT_ALLOW_LAN,
    OPT_RECONNECT,
    OPT_NAME,
    OPT_INTERFACE,
    OPT_ALLOW,
    OPT_QUIRK,
    OPT_MRU,
    OPT_DATA_THREADS,
    OPT_TIMEOUT,
    OPT_UNTIL,
    OPT_JSON,
    OPT_VERBOSE,
    OPT_SERVERS_DIR,
    OPT_NO_MEMORY,
    OPT_HELP,
    OPT_SECRET, /* what people try first; told apart before getopt takes it for --psk-file */
};

static const struct {
    const char *name, *value, *text;
    int id;
} rows[] = {
    {"server", "HOST", N_("name or address of the server, with :PORT if IKE is not on 500"),
     OPT_SERVER},
    {"user", "NAME", N_("user name"), OPT_USER},
    {"domain", "D", N_("put DOMAIN\\ in front of the user name"), OPT_DOMAIN},
    {"psk-file", "F", N_("read the IPsec pre-shared key from F; - is standard input"),
     OPT_PSK_FILE},
    {"password-file", "F", N_("read the password from F; - is standard input"), OPT_PASSWORD_FILE},
    {"secrets-fd", "N", N_("read lines psk=..., password=... and passphrase=... from descriptor N"),
     OPT_SECRETS_FD},
    {"certificate", "F",
     N_("use the certificate in F (PEM, DER, PKCS#12) or at a URI pkcs11:... of a token instead "
        "of a shared key"),
     OPT_CERTIFICATE},
    {"key", "F",
     N_("read the certificate's private key from F, or use that of a token: pkcs11:..."), OPT_KEY},
    {"passphrase-file", "F",
     N_("read the passphrase of the private key, or the PIN of the token, from F"),
     OPT_PASSPHRASE_FILE},
    {"ca", "F", N_("read from F the CA certificates that may vouch for the server"), OPT_CA},
    {"revocation", "P",
     N_("ask whether the server's certificate was revoked: soft (default), hard (needs an answer) "
        "or off"),
     OPT_REVOCATION},
    {"server-id", "ID", N_("IKE identity that the server must have, if it is not HOST"),
     OPT_SERVER_ID},
    {"local-id", "ID", N_("IKE identity of this computer, as @name, user@host or keyid:GROUP"),
     OPT_LOCAL_ID},
    {"ike-mode", "M", N_("main (default), or aggressive with --allow aggressive"), OPT_IKE_MODE},
    {"policy", "P", N_("strong, compatible (default) or legacy algorithms"), OPT_POLICY},
    {"ike", "S", N_("IKE proposals instead of the policy's, as aes256-sha256-modp2048,..."),
     OPT_IKE},
    {"esp", "S", N_("ESP proposals instead of the policy's, as aes256-sha1,..."), OPT_ESP},
    {"encapsulation", "E", N_("auto (default), udp or esp"), OPT_ENCAPSULATION},
    {"route", "CIDR", N_("send this network into the tunnel; may be repeated"), OPT_ROUTE},
    {"no-default-route", NULL, N_("only the networks of --route use the tunnel"),
     OPT_NO_DEFAULT_ROUTE},
    {"server-routes", "yes|no",
     N_("ask the server for routes and search domains by DHCPINFORM; yes is the default with "
        "--no-default-route"),
     OPT_SERVER_ROUTES},
    {"class-route", NULL,
     N_("with --no-default-route: also the network that the class of our address stands for, as "
        "Windows does"),
     OPT_CLASS_ROUTE},
    {"no-dns", NULL, N_("leave the DNS settings of this computer alone"), OPT_NO_DNS},
    {"keep-ipv6", NULL, N_("let IPv6 go past the tunnel instead of blocking it"), OPT_KEEP_IPV6},
    {"kill-switch", NULL, N_("let nothing past the tunnel, even when it breaks, until you end it"),
     OPT_KILL_SWITCH},
    {"allow-lan", NULL, N_("with --kill-switch: private networks nearby stay reachable"),
     OPT_ALLOW_LAN},
    {"reconnect", "on|off",
     N_("on, the default: dial again when the tunnel is lost; off: that is the end"),
     OPT_RECONNECT},
    {"name", "N", N_("name of the connection for status and disconnect"), OPT_NAME},
    {"interface", "IF", N_("name of the network interface, default l2tp%d"), OPT_INTERFACE},
    {"allow", "METHOD",
     N_("also accept the login method pap or none (!chap-md5 forbids one), aggressive, or of the "
        "server's certificate cn-name or sha1-chain"),
     OPT_ALLOW},
    {"quirk", "Q", N_("softether-utf8, port-1701, no-fragmentation, sha256-96 or no-path-mtu"),
     OPT_QUIRK},
    {"mru", "BYTES", N_("largest packet we ask for, 128 to 1500"), OPT_MRU},
    {"data-threads", "N",
     N_("threads that only move packets: 0 (default), 1, or 2, one for each direction"),
     OPT_DATA_THREADS},
    {"timeout", "S", N_("give up when not connected after S seconds"), OPT_TIMEOUT},
    {"until", "STAGE", N_("stop politely when STAGE is done, as ike-quick"), OPT_UNTIL},
    {"servers-dir", "DIR", N_("read tables of servers from DIR, not from /etc/l2tpc/servers.d"),
     OPT_SERVERS_DIR},
    {"json", NULL, N_("print one JSON object a line"), OPT_JSON},
    {"verbose", NULL, N_("print the log to standard error"), OPT_VERBOSE},
    {"no-memory", NULL, N_("neither use nor keep what was learned about the server"),
     OPT_NO_MEMORY},
    {"help", NULL, N_("this text"), OPT_HELP},
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static void introduce_run(void)
{
    (void)printf("%s\n\n", _("Usage: l2tpc run --server HOST --user NAME [OPTIONS] -- COMMAND"));
    (void)printf("%s\n\n", _("Dials the server and runs COMMAND with the tunnel as its only "
                             "network, as an ordinary user.\nNothing else on this computer "
                             "changes; the exit status is that of COMMAND."));
}

static void introduce_connect(void)
{
    (void)printf("%s\n\n",
                 _("Usage: l2tpc connect --server HOST --user NAME [OPTIONS]\n       l2tpc "
                   "connect PROFILE [OPTIONS]"));
    (void)printf("%s\n\n", _("Dials the server, configures this computer and stays connected "
                             "until Ctrl-C or l2tpc disconnect.\nSecrets that are not given are "
                             "asked for."));
}

/* What is about this computer's own network means nothing to a command that has its own. */
static bool is_for_connect_alone(int id)
{
    return id == OPT_ROUTE || id == OPT_NO_DEFAULT_ROUTE || id == OPT_NO_DNS ||
           id == OPT_SERVER_ROUTES || id == OPT_CLASS_ROUTE || id == OPT_KEEP_IPV6 ||
           id == OPT_KILL_SWITCH || id == OPT_ALLOW_LAN || id == OPT_INTERFACE || id == OPT_UNTIL;
}

static void help(bool with_command)
{
    if (with_command)
        introduce_run();
    else
        introduce_connect();
    for (size_t i = 0; i < N_ROWS; i++) {
        char left[40];

        if (with_command && is_for_connect_alone(rows[i].id))
            continue;
        (void)snprintf(left, sizeof(left), "--%s%s%s", rows[i].name, rows[i].value ? " " : "",
                       rows[i].value ? rows[i].value : "");
        (void)printf("  %-22s %s\n", left, _(rows[i].text));
    }
}

/* True when this option may not be given once more. */
static bool is_full(const struct connect_options *o, int id)
{
    return (id == OPT_ROUTE && o->n_routes == L2TPC_HOST_ROUTES_MAX) ||
           (id == OPT_ALLOW && o->n_allow == sizeof(o->allow) / sizeof(o->allow[0])) ||
           (id == OPT_QUIRK && o->n_quirk == sizeof(o->quirk) / sizeof(o->quirk[0]));
}

static bool add_word(const char **list, unsigned *n, const char *word)
{
    list[(*n)++] = word;
    return true;
}

/* Where a plain text option goes, or NULL for the others. */
static const char **text_slot(struct connect_options *o, int id)
{
    switch (id) {
    case OPT_SERVER:
        return &o->server;
    case OPT_USER:
        return &o->user;
    case OPT_DOMAIN:
        return &o->domain;
    case OPT_PSK_FILE:
        return &o->psk_file;
    case OPT_PASSWORD_FILE:
        return &o->password_file;
    case OPT_CERTIFICATE:
        return &o->certificate;
    case OPT_KEY:
        return &o->key;
    case OPT_PASSPHRASE_FILE:
        return &o->passphrase_file;
    case OPT_CA:
        return &o->ca;
    case OPT_SERVER_ID:
        return &o->server_id;
    case OPT_REVOCATION:
        return &o->revocation;
    case OPT_LOCAL_ID:
        return &o->local_id;
    case OPT_IKE_MODE:
        return &o->ike_mode;
    case OPT_POLICY:
        return &o->policy;
    case OPT_IKE:
        return &o->ike;
    case OPT_ESP:
        return &o->esp;
    case OPT_ENCAPSULATION:
        return &o->encapsulation;
    case OPT_RECONNECT:
        return &o->reconnect;
    case OPT_SERVER_ROUTES:
        return &o->server_routes;
    case OPT_NAME:
        return &o->name;
    case OPT_INTERFACE:
        return &o->interface_name;
    case OPT_SERVERS_DIR:
        return &o->servers_dir;
    case OPT_UNTIL:
        return &o->until;
    default:
        return NULL;
    }
}

static bool take_option(struct connect_options *o, int id, const char *value)
{
    const char **slot = text_slot(o, id);
    unsigned number = 0;

    if (slot) {
        *slot = value;
        return true;
    }
    switch (id) {
    case OPT_SECRETS_FD:
        if (!parse_number(value, 0, 65535, &number))
            return false;
        o->secrets_fd = (int)number;
        return true;
    case OPT_ROUTE:
        return route_parse(value, o);
    case OPT_ALLOW:
        return add_word(o->allow, &o->n_allow, value);
    case OPT_QUIRK:
        return add_word(o->quirk, &o->n_quirk, value);
    case OPT_MRU:
        return parse_number(value, 128, 1500, &o->mru);
    case OPT_DATA_THREADS:
        return parse_number(value, 0, 2, &o->data_threads);
    case OPT_TIMEOUT:
        return parse_number(value, 1, 3600, &o->timeout);
    case OPT_NO_DEFAULT_ROUTE:
        return o->no_default_route = true;
    case OPT_CLASS_ROUTE:
        return o->class_route = true;
    case OPT_NO_DNS:
        return o->no_dns = true;
    case OPT_KEEP_IPV6:
        return o->keep_ipv6 = true;
    case OPT_KILL_SWITCH:
        return o->kill_switch = true;
    case OPT_ALLOW_LAN:
        return o->allow_lan = true;
    case OPT_JSON:
        return o->json = true;
    case OPT_VERBOSE:
        return o->verbose = true;
    case OPT_NO_MEMORY:
        return o->no_memory = true;
    default:
        return false;
    }
}

static int check(const struct connect_options *o)
{
    if (!o->server) {
        complain(_("Which server? Say --server HOST."));
        return EXIT_USAGE;
    }
    if (!o->user && !o->until) {
        complain(_("Which user? Say --user NAME."));
        return EXIT_USAGE;
    }
    if (o->certificate && o->psk_file) {
        complain(
            _("A server is dialed with a certificate or with a pre-shared key, not with both."));
        return EXIT_USAGE;
    }
    if (is_token_uri(o->certificate) && o->key && !is_token_uri(o->key)) {
        complain(_("A key in a file cannot go with a certificate on a token."));
        return EXIT_USAGE;
    }
    if (!o->certificate && (o->key || o->ca || o->passphrase_file || o->revocation)) {
        complain(_("--key, --ca, --passphrase-file and --revocation go with --certificate."));
        return EXIT_USAGE;
    }
    if (o->kill_switch && (o->no_default_route || o->keep_ipv6)) {
        complain(_("--kill-switch lets nothing past the tunnel: it does not go with "
                   "--no-default-route or --keep-ipv6."));
        return EXIT_USAGE;
    }
    if (o->class_route && !o->no_default_route) {
        complain(_("--class-route goes with --no-default-route."));
        return EXIT_USAGE;
    }
    if (o->allow_lan && !o->kill_switch) {
        complain(_("--allow-lan goes with --kill-switch."));
        return EXIT_USAGE;
    }
    if (o->name && !l2tpc_host_name_valid(o->name)) {
        complain(_("'%s' cannot name a connection: use 1 to 64 letters, digits, '.', '_' and '-'."),
                 o->name);
        return EXIT_USAGE;
    }
    if (o->psk_file && o->password_file && strcmp(o->psk_file, "-") == 0 &&
        strcmp(o->password_file, "-") == 0) {
        complain(_("Standard input can give one secret only; use --secrets-fd for both."));
        return EXIT_USAGE;
    }
    return 0;
}

static int refuse_option(int id, char **argv)
{
    char letter[3] = {'-', (char)optopt, '\0'};

    /* A letter may stand in the middle of its word, so getopt names it. */
    complain(id == ':' ? _("%s needs a value. See: l2tpc connect --help")
                       : _("%s is not an option. See: l2tpc connect --help"),
             optopt > 0 && optopt < OPT_SERVER ? letter : argv[optind - 1]);
    return EXIT_USAGE;
}

/* What stands behind the options: nothing, a profile, or the command. */
static int take_command(int argc, char **argv, bool wanted, struct connect_options *out)
{
    /* A profile, under what the options say; it names its server itself. */
    if (!wanted && optind + 1 == argc && !out->server) {
        int status = stored_into_options(argv[optind++], out);

        if (status != 0)
            return status;
    }
    if (!out->name && !wanted)
        out->name = "l2tpc";
    if (!out->reconnect)
        out->reconnect = wanted ? "off" : "on";
    if (!wanted && optind < argc) {
        complain(_("'%s' is one word too many. See: l2tpc connect --help"), argv[argc - 1]);
        return EXIT_USAGE;
    }
    if (wanted && optind == argc) {
        complain(_("Which command is to run? See: l2tpc run --help"));
        return EXIT_USAGE;
    }
    out->command = wanted ? argv + optind : NULL;
    return check(out);
}

int connect_options_parse(int argc, char **argv, bool with_command, struct connect_options *out)
{
    struct option longs[N_ROWS + 3] = {0};
    int index = 0;
    int id;

    *out = (struct connect_options){.secrets_fd = -1};
    for (size_t i = 0; i < N_ROWS; i++)
        longs[i] = (struct option){
            .name = rows[i].name,
            .has_arg = rows[i].value ? required_argument : no_argument,
            .val = rows[i].id,
        };
    longs[N_ROWS] = (struct option){"psk", required_argument, NULL, OPT_SECRET};
    longs[N_ROWS + 1] = (struct option){"password", required_argument, NULL, OPT_SECRET};
    opterr = 0;
    while ((id = getopt_long(argc, argv, with_command ? "+:h" : ":h", longs, &index)) != -1) {
        if (id == OPT_HELP || id == 'h') {
            help(with_command);
            return -1;
        }
        if (id == '?' || id == ':')
            return refuse_option(id, argv);
        if (id == OPT_SECRET) {
            complain(_("A secret is not an argument, everybody could read it: use --%s-file."),
                     longs[index].name);
            return EXIT_USAGE;
        }
        if (with_command && is_for_connect_alone(id)) {
            complain(_("--%s is for l2tpc connect: a command that runs has a network of its own."),
                     longs[index].name);
            return EXIT_USAGE;
        }
        if (is_full(out, id)) {
            complain(_("--%s was given too often. See: l2tpc connect --help"), longs[index].name);
            return EXIT_USAGE;
        }
        if (!take_option(out, id, optarg)) {
            complain(_("--%s does not take '%s'. See: l2tpc connect --help"), longs[index].name,
                     optarg);
            return EXIT_USAGE;
        }
    }
    return take_command(argc, argv, with_command, out);
}
