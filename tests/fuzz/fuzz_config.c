/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The setters of the public config, as a front end would call them with whatever a person typed. */
#include "fuzz.h"

#include "api/internal.h"
#include "l2tpc.h"

#include <string.h>

static int set_two(l2tpc_config *c, char *text)
{
    char *second = strchr(text, '\x1f');

    if (!second)
        return l2tpc_config_set_user(c, text, NULL);
    *second++ = '\0';
    return l2tpc_config_set_user(c, text, second);
}

static int set_secret(l2tpc_config *c, uint8_t op, struct span bytes)
{
    switch (op % 3) {
    case 0:
        return l2tpc_config_set_psk(c, bytes.p, bytes.n);
    case 1:
        return l2tpc_config_set_password(c, bytes.p, bytes.n);
    default:
        return l2tpc_config_set_tunnel_secret(c, bytes.p, bytes.n);
    }
}

static int set_text(l2tpc_config *c, uint8_t op, char *text)
{
    switch (op % 17) {
    case 0:
        return l2tpc_config_set_server(c, text);
    case 1:
        return l2tpc_config_set_name(c, text);
    case 2:
        return set_two(c, text);
    case 3:
        return l2tpc_config_set_policy(c, text);
    case 4:
        return l2tpc_config_set_ike(c, text);
    case 5:
        return l2tpc_config_set_esp(c, text);
    case 6:
        return l2tpc_config_set_encapsulation(c, text);
    case 7:
        return l2tpc_config_allow(c, text);
    case 8:
        return l2tpc_config_set_until(c, text);
    case 9:
        return l2tpc_config_set_interface(c, text);
    case 10:
        return l2tpc_config_set_quirk(c, text);
    case 11:
        return l2tpc_config_set_local_id(c, text);
    case 12:
        return l2tpc_config_set_server_id(c, text);
    case 13:
        return l2tpc_config_set_ike_mode(c, text);
    case 14:
        return l2tpc_identity_fault(text) ? L2TPC_EINVAL : l2tpc_config_set_local_id(c, text);
    case 15:
        return l2tpc_config_set_server_routes(c, text);
    default:
        return l2tpc_config_set_mru(c, (unsigned)strtoul(text, NULL, 10));
    }
}

static void check_config(const struct l2tpc_config *c)
{
    FUZZ_REQUIRE(memchr(c->server, '\0', sizeof(c->server)) && c->port > 0);
    FUZZ_REQUIRE(memchr(c->name, '\0', sizeof(c->name)) && c->name[0] != '\0');
    FUZZ_REQUIRE(!strchr(c->name, '/') && strcmp(c->name, "..") != 0);
    FUZZ_REQUIRE(memchr(c->user, '\0', sizeof(c->user)));
    FUZZ_REQUIRE(memchr(c->interface_name, '\0', sizeof(c->interface_name)));
    FUZZ_REQUIRE(!strchr(c->interface_name, '/'));
    fuzz_check_text(c->server, sizeof(c->server));
    FUZZ_REQUIRE(!c->own_id.type || (c->own_id.n > 0 && c->own_id.n <= CERT_ID_MAX));
    FUZZ_REQUIRE(!c->peer_id.type || (c->peer_id.n > 0 && c->peer_id.n <= CERT_ID_MAX));
    FUZZ_REQUIRE(c->policy.n_ike > 0 && c->policy.n_esp > 0);
    FUZZ_REQUIRE(c->mru == 0 || (c->mru >= 128 && c->mru <= 1500));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(span_of(data, size));
    l2tpc_config *c;
    struct fuzz_step s;

    FUZZ_REQUIRE(l2tpc_config_new(&c) == L2TPC_OK);
    for (unsigned i = 0; i < FUZZ_STEPS_MAX && fuzz_step_next(&r, &s); i++) {
        char *text = fuzz_text(span_ro(s.bytes));
        int rc =
            s.op & 0x80 ? set_secret(c, s.op & 0x7f, span_ro(s.bytes)) : set_text(c, s.op, text);

        FUZZ_REQUIRE(rc == L2TPC_OK || rc == L2TPC_EINVAL);
        check_config(c);
        free(text);
        fuzz_step_done(&s);
    }
    l2tpc_config_free(c);
    return 0;
}
