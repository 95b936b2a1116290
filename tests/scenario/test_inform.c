/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DHCPINFORM in whole dials: answered, late, by nobody, by a liar. The dial is up before either. */
#include "check.h"
#include "dial/data_path.h"
#include "world.h"

/* 10.98.0.0/24, then everything; search domain "lab"; a name server. */
static const uint8_t pushed[] = {121, 13, 24, 10, 98,  0,   10,  0, 0, 1,  0, 10, 0,
                                 0,   1,  15, 3,  'l', 'a', 'b', 6, 4, 10, 7, 7,  7};

static void is_up(struct world *w)
{
    CHECK(world_until(w, world_is_up, US_S(10)));
    CHECK(w->up);
}

static struct world *dial_with(struct world_config *c, unsigned deaf)
{
    struct world *w;

    c->dial.dhcpinform = true;
    if (c->peer.dhcp_options.n == 0)
        c->peer.dhcp_options = SPAN_ARRAY(pushed);
    c->peer.dhcp_deaf = deaf;
    w = world_new(c);
    is_up(w);
    return w;
}

static unsigned up_takes_ms(void)
{
    struct world_config c;
    struct world *w;
    unsigned ms;

    world_config_default(&c);
    w = world_new(&c);
    is_up(w);
    ms = (unsigned)(w->up_at / 1000);
    world_free(w);
    return ms;
}

static void is_pushed(const struct world *w)
{
    const struct dial_facts *f = dial_facts(w->dial);

    CHECK_INT(f->dhcpinform->state, DHCPINFORM_ANSWERED);
    CHECK(f->pushed != NULL);
    CHECK_INT(f->pushed->n_routes, 1);
    CHECK_INT(f->pushed->route[0].destination, 0x0a620000);
    CHECK_INT(f->pushed->n_refused, 1);
    CHECK_STR(f->pushed->domain[0], "lab");
}

TEST(inform_answered_is_another_apply_ip)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    w = dial_with(&c, 0);
    CHECK_INT(w->up_at / 1000, up_takes_ms());
    world_run(w, US_S(1));
    CHECK_INT(peer_facts(w->sim.peer)->dhcp_informs, 1);
    CHECK_INT(w->needs[DIAL_NEED_APPLY_IP], 2);
    is_pushed(w);
    CHECK_INT(w->strays, 0); /* it did not go to the TUN */
    CHECK(!dial_data(w->dial)->now.dhcp_awaited);
    CHECK(world_ping(w));
    CHECK(world_close(w));
    CHECK(world_clean(w));
    world_free(w);
}

/* A tunnel is not lost to routes that this computer cannot set. */
TEST(inform_that_cannot_be_applied_is_left_out)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    w = dial_with(&c, 0);
    w->config.script[DIAL_NEED_APPLY_IP].answer = ANSWER_FAILURE;
    world_run(w, US_S(10));
    CHECK_INT(w->needs[DIAL_NEED_APPLY_IP], 3);
    CHECK(!w->failed && dial_facts(w->dial)->pushed == NULL);
    CHECK_INT(w->ip.dns[0].family, 4); /* IPCP's, as before */
    CHECK(world_ping(w));
    CHECK(world_close(w));
    CHECK(world_clean(w));
    world_free(w);
}

/* Name servers of DHCP count where IPCP had none, and only there. */
TEST(inform_dns_is_the_second_choice)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.peer.dns[0] = inaddr_v4(0x0a000001);
    w = dial_with(&c, 0);
    world_run(w, US_S(1));
    CHECK_INT(inaddr_to_v4(&w->ip.dns[0]), 0x0a000001);
    world_free(w);
    c.peer.dns[0].family = c.peer.dns[1].family = 0;
    w = dial_with(&c, 0);
    CHECK_INT(w->ip.dns[0].family, 0);
    world_run(w, US_S(1));
    CHECK_INT(inaddr_to_v4(&w->ip.dns[0]), 0x0a070707);
    world_free(w);
}

TEST(inform_answered_late)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    w = dial_with(&c, 2);
    CHECK_INT(w->up_at / 1000, up_takes_ms());
    world_run(w, US_MS(5900));
    CHECK_INT(w->needs[DIAL_NEED_APPLY_IP], 1);
    world_run(w, US_MS(400));
    CHECK_INT(peer_facts(w->sim.peer)->dhcp_informs, 3);
    CHECK_INT(w->needs[DIAL_NEED_APPLY_IP], 2);
    is_pushed(w);
    CHECK(world_close(w));
    CHECK(world_clean(w));
    world_free(w);
}

TEST(inform_answered_by_nobody)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    w = dial_with(&c, 99);
    CHECK_INT(w->up_at / 1000, up_takes_ms());
    world_run(w, US_S(60));
    CHECK_INT(peer_facts(w->sim.peer)->dhcp_informs, DHCPINFORM_TRIES);
    CHECK_INT(w->needs[DIAL_NEED_APPLY_IP], 1);
    CHECK_INT(dial_facts(w->dial)->dhcpinform->state, DHCPINFORM_SILENT);
    CHECK(dial_facts(w->dial)->pushed == NULL);
    CHECK(!w->failed);
    CHECK(world_close(w));
    CHECK(world_clean(w));
    world_free(w);
}

/* What is no answer of ours is somebody else's packet: it goes where others go. */
TEST(inform_answered_by_a_liar)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.peer.dhcp_lies = true;
    w = dial_with(&c, 0);
    world_run(w, US_S(20));
    CHECK_INT(w->needs[DIAL_NEED_APPLY_IP], 1);
    CHECK_INT(dial_facts(w->dial)->dhcpinform->foreign, DHCPINFORM_TRIES);
    CHECK_INT(dial_facts(w->dial)->dhcpinform->state, DHCPINFORM_SILENT);
    CHECK(dial_facts(w->dial)->pushed == NULL);
    CHECK_INT(w->strays, DHCPINFORM_TRIES);
    CHECK(world_close(w));
    world_free(w);
}

/* What the dial before had is in force until there is something newer, so nothing is ever away. */
TEST(inform_of_the_dial_before_holds)
{
    const struct dhcp_answer before = {.route = {{0x0a630000, 24}}, .n_routes = 1};
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.dial.pushed = &before;
    w = dial_with(&c, 99);
    CHECK_INT(dial_facts(w->dial)->pushed->route[0].destination, 0x0a630000);
    world_run(w, US_S(30)); /* and where nobody says anything else */
    CHECK_INT(dial_facts(w->dial)->pushed->route[0].destination, 0x0a630000);
    world_free(w);
    w = dial_with(&c, 0);
    world_run(w, US_S(1));
    is_pushed(w);
    world_free(w);
}

TEST(inform_is_not_sent_unless_wanted)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.peer.dhcp_options = SPAN_ARRAY(pushed);
    w = world_new(&c);
    CHECK(world_dial(w, US_S(10)));
    world_run(w, US_S(30));
    CHECK_INT(peer_facts(w->sim.peer)->dhcp_informs, 0);
    CHECK(dial_facts(w->dial)->dhcpinform == NULL);
    world_free(w);
}

TEST(inform_class_route_follows_the_address)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.dial.class_route = true;
    c.peer.client_ip = inaddr_v4(0xac101f05);
    w = world_new(&c);
    CHECK(world_dial(w, US_S(10)));
    CHECK(dial_facts(w->dial)->has_class_route);
    CHECK_INT(dial_facts(w->dial)->class_route.destination, 0xac100000);
    CHECK_INT(dial_facts(w->dial)->class_route.prefix_len, 16);
    world_free(w);
}

TEST(inform_ends_with_the_dial)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    w = dial_with(&c, 99);
    world_run(w, US_MS(500));
    CHECK(world_close(w));
    world_run(w, US_S(30));
    CHECK_INT(peer_facts(w->sim.peer)->dhcp_informs, 1);
    CHECK(world_clean(w));
    world_free(w);
}
