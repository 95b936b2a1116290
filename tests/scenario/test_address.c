/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses that are wrong, that change, or of which there are several. */
#include "check.h"
#include "world.h"

/* Row H39: what carried a packet with a good ICV is where the server is. */
TEST(address_of_the_server_is_followed)
{
    struct world_config c;
    struct endpoint before;
    struct endpoint moved;
    struct world *w;

    world_config_default(&c);
    w = world_new(&c);
    CHECK(world_dial(w, US_S(10)));
    before = *data_peer(dial_data(w->dial));
    moved = before;
    moved.port = 33333;
    dial_note_esp_in(w->dial, &moved, w->sim.now);
    CHECK(endpoint_eq(data_peer(dial_data(w->dial)), &moved));
    dial_note_esp_in(w->dial, &before, w->sim.now);
    CHECK(endpoint_eq(data_peer(dial_data(w->dial)), &before));
    CHECK(world_close(w));
    world_free(w);
}

/* No raw socket for an SA that is there already: another address of the name is no help. */
TEST(address_is_settled_before_the_raw_socket)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.peer.no_natt = true;
    c.n_address = 2;
    c.address[1] = inaddr_v4(0xc6336463);
    w = world_new(&c);
    w->goal_lines = 4;
    CHECK(world_until(w, world_has_lines, US_S(2)));
    w->config.script[DIAL_NEED_SOCKETS].answer = ANSWER_FAILURE;
    CHECK(world_until(w, world_is_down, US_S(8)));
    CHECK_STR(failure_code(w->failure.id), "local.socket");
    CHECK_INT(w->elsewhere, 0);
    world_run(w, US_S(1));
    CHECK_INT(peer_facts(w->sim.peer)->ike_established, 0);
    world_free(w);
}

/* Row H73: the server's own address can not be ours. */
TEST(address_of_the_server_is_not_ours)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.peer.client_ip = c.address[0];
    w = world_new(&c);
    CHECK(world_until(w, world_is_down, US_S(10)));
    CHECK_STR(failure_code(w->failure.id), "ppp.ip.bad-address");
    CHECK_INT(w->failure.stage, STAGE_PPP_IP);
    CHECK_INT(w->needs[DIAL_NEED_APPLY_IP], 0);
    world_free(w);
}
