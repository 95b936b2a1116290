/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What happens to a tunnel that is up: rekeying, liveness, endings. */
#include "check.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

static struct world *up_with(const struct world_config *c)
{
    struct world *w = world_new(c);

    if (world_dial(w, US_S(30)))
        return w;
    world_free(w);
    return NULL;
}

static void stream(struct world *w, l2tpc_us every)
{
    w->stream_every = every;
    w->stream_due = w->sim.now;
}

/* Stops the pings and waits for the last answers: how many went without. */
static unsigned lost(struct world *w)
{
    w->stream_every = 0;
    world_run(w, US_S(1));
    return w->pings - w->replies;
}

/* The server rekeys three times while packets flow: none is lost, the traffic moves over. */
static bool rekey(enum encapsulation e, enum peer_flavour flavour)
{
    struct world_config c;
    struct world *w;
    bool ok = true;

    world_config_default(&c);
    c.dial.encapsulation = e;
    c.peer.flavour = flavour;
    w = up_with(&c);
    if (!w)
        return false;
    stream(w, US_MS(5));
    for (unsigned i = 2; i <= 4 && ok; i++) {
        uint32_t old = dial_facts(w->dial)->spi_in;

        world_run(w, US_S(1));
        peer_start_quick(w->sim.peer, w->sim.now);
        world_run(w, US_S(1));
        ok = dial_facts(w->dial)->sa_pairs == i && dial_facts(w->dial)->spi_in != old &&
             dial_facts(w->dial)->spi_in == peer_facts(w->sim.peer)->spi_out;
        if (!ok)
            printf("    rekeying %u did not take\n", i);
    }
    if (lost(w) > 0 || w->refused > 0) {
        printf("    %u of %u lost, %u refused\n", w->pings - w->replies, w->pings, w->refused);
        ok = false;
    }
    ok = ok && !w->failed && world_close(w);
    world_free(w);
    return ok;
}

TEST(life_rekeyed_by_the_server)
{
    CHECK(rekey(ENCAPSULATION_AUTO, PEER_PLAIN));
    CHECK(rekey(ENCAPSULATION_ESP, PEER_PLAIN));
    CHECK(rekey(ENCAPSULATION_AUTO, PEER_PPPD));
    CHECK(rekey(ENCAPSULATION_AUTO, PEER_SOFTETHER));
    CHECK(rekey(ENCAPSULATION_AUTO, PEER_WINDOWS));
}

/* The newest pair is deleted: the older one, which is still there, carries on. */
TEST(life_newest_sa_deleted)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    w = up_with(&c);
    CHECK(w);
    peer_start_quick(w->sim.peer, w->sim.now);
    world_run(w, US_S(1));
    CHECK_INT(dial_facts(w->dial)->sa_pairs, 2);
    peer_delete_esp(w->sim.peer, w->sim.now);
    world_run(w, US_S(1));
    CHECK_INT(dial_facts(w->dial)->spi_in, peer_facts(w->sim.peer)->spi_out);
    CHECK(world_ping(w));
    CHECK(world_until(w, world_ping_answered, US_S(1)));
    world_run(w, US_S(60));
    CHECK(!w->failed);
    world_free(w);
}

/* The only pair is deleted and none comes: the end, in NO_SA_WAIT. */
TEST(life_only_sa_deleted)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    w = up_with(&c);
    CHECK(w);
    peer_set_bugs(w->sim.peer, BUG_QM_NO_PROPOSAL);
    peer_delete_esp(w->sim.peer, w->sim.now);
    CHECK(world_until(w, world_is_down, US_S(10)));
    CHECK_STR(failure_code(w->failure.id), "up.sa-expired");
    CHECK(w->released);
    world_free(w);
}

/* Every rekeying is refused: the tunnel ends when the keys are too old, and not before. */
TEST(life_keys_run_out)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.dial.esp_lifetime_s = 60;
    w = up_with(&c);
    CHECK(w);
    peer_set_bugs(w->sim.peer, BUG_QM_NO_PROPOSAL);
    stream(w, US_S(1));
    world_run(w, US_S(55));
    CHECK(!w->failed);
    CHECK(world_until(w, world_is_down, US_S(60)));
    CHECK_STR(failure_code(w->failure.id), "up.sa-expired");
    printf("    ended %.1f s after the dial\n", (double)(w->failed_at - w->up_at) / 1e6);
    CHECK(w->released);
    world_free(w);
}

/* The server's lifetime is over first: it rekeys in time and nothing is lost. */
TEST(life_server_lifetime)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.peer.esp_life_s = 60;
    w = up_with(&c);
    CHECK(w);
    stream(w, US_MS(100));
    for (unsigned i = 0; i < 5; i++) {
        world_run(w, US_S(50));
        peer_start_quick(w->sim.peer, w->sim.now);
    }
    CHECK_INT(lost(w), 0);
    CHECK(!w->failed);
    CHECK(dial_facts(w->dial)->sa_pairs >= 5);
    CHECK(world_close(w));
    world_free(w);
}

TEST(life_dpd_answered)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.peer.dpd = US_S(10);
    w = up_with(&c);
    CHECK(w);
    world_run(w, US_S(100));
    CHECK(peer_facts(w->sim.peer)->dpd_answers >= 9);
    CHECK(!w->failed);
    CHECK(world_clean(w));
    world_free(w);
}

/* An idle tunnel: our own probes, echoes and keepalives keep it alive for an hour. */
static bool idle(bool nat, bool no_dpd)
{
    struct world_config c;
    struct world *w;
    bool ok;

    world_config_default(&c);
    c.link.nat = nat;
    c.link.nat_addr = inaddr_v4(0xcb007107);
    c.peer.no_dpd = no_dpd;
    w = up_with(&c);
    if (!w)
        return false;
    world_run(w, US_S(3590));
    ok = !w->failed && world_clean(w);
    ok = ok && world_ping(w) && world_until(w, world_ping_answered, US_S(1));
    printf("    %s%s: %u keepalives, %llu DPD\n", nat ? "NAT" : "no NAT", no_dpd ? ", no DPD" : "",
           peer_facts(w->sim.peer)->keepalives,
           (unsigned long long)dial_facts(w->dial)->ike->dpd_sent);
    world_free(w);
    return ok;
}

TEST(life_idle_for_an_hour)
{
    CHECK(idle(false, false));
    CHECK(idle(true, false));
    CHECK(idle(true, true));
}

static l2tpc_us last_to_peer, longest_gap;
static bool gaps(void *ctx, const struct simlink_packet *k)
{
    (void)ctx;
    if (k->dir == SIMLINK_TO_PEER && k->port == PEER_UDP4500) {
        longest_gap = us_max(longest_gap, k->at - last_to_peer);
        last_to_peer = k->at;
    }
    return false;
}

/* Behind a NAT something leaves at least every 20 s, whatever else is quiet. */
TEST(life_keepalive_behind_nat)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.link.nat = true;
    c.link.nat_addr = inaddr_v4(0xcb007107);
    c.link.hook = gaps;
    c.peer.no_dpd = true;
    w = up_with(&c);
    CHECK(w);
    last_to_peer = w->sim.now;
    longest_gap = 0;
    world_run(w, US_S(600));
    printf("    the longest silence of ours was %.1f s\n", (double)longest_gap / 1e6);
    CHECK(longest_gap <= US_S(20));
    CHECK(!w->failed);
    world_free(w);
}

/* The NAT forgets its mapping: the server follows what the client sends, or is told by a probe. */
TEST(life_nat_rebinds)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.link.nat = true;
    c.link.nat_addr = inaddr_v4(0xcb007107);
    w = up_with(&c);
    CHECK(w);
    world_run(w, US_S(3));
    simlink_rebind(w->sim.link);
    stream(w, US_S(1));
    world_run(w, US_S(60));
    CHECK(!w->failed);
    printf("    %u of %u pings unanswered\n", lost(w), w->pings);
    CHECK(lost(w) <= 15);
    world_free(w);
}

/* ---- the server is gone ---- */

static bool noticed_within(struct world *w, l2tpc_us limit, const char *what)
{
    l2tpc_us from = w->sim.now;

    if (!world_until(w, world_is_down, limit + US_S(5)) || !w->failed) {
        printf("    %s: not noticed\n", what);
        return false;
    }
    printf("    %s: noticed after %.1f s, down after %.1f s\n", what,
           (double)(w->failed_at - from) / 1e6, (double)(w->down_at - from) / 1e6);
    return strcmp(failure_code(w->failure.id), "up.peer-dead") == 0 &&
           w->failed_at - from <= limit && w->released && w->violations == 0;
}

/* A reboot of the server: nothing says so, so silence has to. */
static bool reboot(bool traffic, bool no_dpd, enum encapsulation e, enum peer_flavour flavour,
                   l2tpc_us limit)
{
    struct world_config c;
    struct world *w;
    char what[80];
    bool ok;

    world_config_default(&c);
    c.peer.no_dpd = no_dpd;
    c.peer.flavour = flavour;
    c.dial.encapsulation = e;
    w = up_with(&c);
    if (!w)
        return false;
    world_run(w, US_S(7));
    if (traffic)
        stream(w, US_MS(200));
    world_run(w, US_S(1));
    peer_forget(w->sim.peer);
    snprintf(what, sizeof(what), "flavour %d, %s%s", (int)flavour, traffic ? "traffic" : "idle",
             no_dpd ? ", no DPD" : "");
    ok = noticed_within(w, limit, what);
    world_free(w);
    return ok;
}

TEST(life_reboot_under_traffic)
{
    CHECK(reboot(true, false, ENCAPSULATION_AUTO, PEER_PLAIN, US_S(31)));
    CHECK(reboot(true, false, ENCAPSULATION_ESP, PEER_PLAIN, US_S(31)));
    CHECK(reboot(true, false, ENCAPSULATION_AUTO, PEER_SOFTETHER, US_S(31)));
    CHECK(reboot(true, true, ENCAPSULATION_AUTO, PEER_PLAIN, US_S(40)));
}

TEST(life_reboot_idle)
{
    CHECK(reboot(false, false, ENCAPSULATION_AUTO, PEER_PLAIN, US_S(60)));
    CHECK(reboot(false, true, ENCAPSULATION_AUTO, PEER_PLAIN, US_S(60)));
}

TEST(life_network_gone)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    w = up_with(&c);
    CHECK(w);
    stream(w, US_MS(200));
    world_run(w, US_S(3));
    for (unsigned p = 0; p < PEER_PORTS; p++)
        simlink_config(w->sim.link)->blocked[p][0] = simlink_config(w->sim.link)->blocked[p][1] =
            true;
    CHECK(noticed_within(w, US_S(31), "no network"));
    CHECK(dial_facts(w->dial)->ike->dpd_sent >= 5);
    world_free(w);
}

/* An outage that is over before the verdict costs nothing but its packets. */
TEST(life_outage_of_20_seconds)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    w = up_with(&c);
    CHECK(w);
    stream(w, US_MS(200));
    for (unsigned on = 0; on < 2; on++) {
        for (unsigned p = 0; p < PEER_PORTS; p++)
            simlink_config(w->sim.link)->blocked[p][0] =
                simlink_config(w->sim.link)->blocked[p][1] = on == 0;
        world_run(w, US_S(20));
    }
    CHECK(!w->failed);
    CHECK(world_ping(w));
    CHECK(world_until(w, world_ping_answered, US_S(1)));
    w->stream_every = 0;
    CHECK(world_close(w));
    world_free(w);
}

/* ---- the server ends it ---- */

enum ending {
    END_TERMINATE,
    END_CDN,
    END_STOPCCN,
    END_DELETE_ALL,
};

static void end_by_delete(struct world *w)
{
    peer_delete_esp(w->sim.peer, w->sim.now);
    peer_delete_ike(w->sim.peer, w->sim.now);
}

TEST(life_ended_by_the_server)
{
    for (unsigned e = END_TERMINATE; e <= END_DELETE_ALL; e++) {
        struct world_config c;
        struct world *w;
        l2tpc_us from;

        world_config_default(&c);
        w = up_with(&c);
        CHECK(w);
        world_run(w, US_S(2));
        from = w->sim.now;
        if (e == END_TERMINATE)
            peer_terminate(w->sim.peer, "maintenance", from);
        else if (e == END_CDN)
            peer_cdn(w->sim.peer, 3, 0, "administrator", from);
        else if (e == END_STOPCCN)
            peer_stopccn(w->sim.peer, 6, 0, "shutting down", from);
        else
            end_by_delete(w);
        CHECK(world_until(w, world_is_down, US_S(6)));
        printf("    ending %u: %s \"%s\" after %.3f s\n", e, failure_code(w->failure.id),
               w->failure.peer_text, (double)(w->down_at - from) / 1e6);
        CHECK_STR(failure_code(w->failure.id), "up.peer-closed");
        CHECK_INT(w->failure.stage, STAGE_UP);
        CHECK(w->released);
        world_run(w, US_S(1));
        CHECK(world_clean(w));
        CHECK_INT(peer_facts(w->sim.peer)->ike_established, 0);
        /* Without ESP there is no way to end the tunnel politely. */
        CHECK_INT(peer_facts(w->sim.peer)->tunnel_up, e == END_DELETE_ALL);
        world_free(w);
    }
}

/* Row H31: without an IKE SA the ESP pair lives on. */
TEST(life_ike_sa_deleted)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    w = up_with(&c);
    CHECK(w);
    peer_delete_ike(w->sim.peer, w->sim.now);
    for (unsigned minute = 0; minute < 5; minute++) {
        world_run(w, US_S(60));
        CHECK(!w->failed);
        CHECK(world_ping(w));
        CHECK(world_until(w, world_ping_answered, US_S(1)));
    }
    dial_close(w->dial, w->sim.now);
    CHECK(world_until(w, world_is_down, US_S(5)));
    CHECK(!w->failed);
    CHECK(w->released);
    world_free(w);
}

TEST(life_lcp_reopened)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    w = up_with(&c);
    CHECK(w);
    peer_lcp_reopen(w->sim.peer, w->sim.now);
    world_run(w, US_S(3));
    CHECK(!w->failed);
    CHECK(peer_facts(w->sim.peer)->ip_up);
    CHECK(world_ping(w));
    CHECK(world_until(w, world_ping_answered, US_S(1)));
    CHECK(world_close(w));
    world_free(w);
}

TEST(life_probed_by_every_means)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.peer.hello = US_S(8);
    c.peer.echo = US_S(5);
    c.peer.dpd = US_S(10);
    w = up_with(&c);
    CHECK(w);
    stream(w, US_S(3));
    world_run(w, US_S(300));
    CHECK(!w->failed);
    CHECK_INT(lost(w), 0);
    CHECK(peer_facts(w->sim.peer)->lcp_echo_replies >= 50);
    CHECK(world_close(w));
    world_free(w);
}
