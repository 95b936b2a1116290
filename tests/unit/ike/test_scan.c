/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "scan_box.h"

#include <errno.h>
#include <string.h>

TEST(scan_finds_exactly_what_the_server_accepts)
{
    struct box *b =
        box_new(SCAN_USUAL, 0, "aes256-sha1-modp2048,3des-sha1-modp1024,aes256-sha256-ecp256");
    const struct scan_facts *f = scan_facts(b->scan);

    CHECK_INT(box_run(b).id, FAILURE_NONE);
    CHECK(box_polite(b));
    CHECK_INT(f->end, SCAN_COMPLETE);
    CHECK_INT(f->accepted, 3);
    CHECK_INT(box_count(b, SCAN_ACCEPTED), 3);
    CHECK_INT(box_count(b, SCAN_NOT_ASKED), 0);
    CHECK_INT(f->asked, scan_items(b->scan)->n);
    CHECK_INT(box_state(b, "aes256-sha1-modp2048", IKE_AUTH_PSK), SCAN_ACCEPTED);
    CHECK_INT(box_state(b, "3des-sha1-modp1024", IKE_AUTH_PSK), SCAN_ACCEPTED);
    CHECK_INT(box_state(b, "aes256-sha256-ecp256", IKE_AUTH_PSK), SCAN_ACCEPTED);
    CHECK_INT(box_state(b, "aes256-sha1-modp1024", IKE_AUTH_PSK), SCAN_REFUSED);
    /* k accepted, then a refusal for each of the two sets. */
    CHECK_INT(f->sent, 5);
    CHECK(f->natt && f->dpd && !f->fragments && !f->one_by_one);
    CHECK_INT(f->n_vendor_ids, 4);
    box_free(b);
}

TEST(scan_of_every_combination_in_few_messages)
{
    struct box *b = box_new(SCAN_ALL, 0, "aes192-sha384-modp4096,des-md5-modp768");

    CHECK_INT(box_run(b).id, FAILURE_NONE);
    CHECK(box_polite(b));
    CHECK_INT(scan_facts(b->scan)->accepted, 2);
    CHECK(scan_items(b->scan)->n >= 250);
    CHECK_INT(box_count(b, SCAN_NOT_ASKED), 0);
    CHECK_INT(box_state(b, "aes192-sha384-modp4096", IKE_AUTH_PSK), SCAN_ACCEPTED);
    CHECK(scan_facts(b->scan)->sent <= 16);
    CHECK(b->most_offered <= SCAN_SET_MAX && b->most_offered >= 20);
    box_free(b);
}

TEST(scan_of_a_server_that_accepts_everything)
{
    struct box *b = box_new(SCAN_USUAL, 0, NULL);

    CHECK_INT(box_run(b).id, FAILURE_NONE);
    CHECK(box_polite(b));
    CHECK_INT(box_count(b, SCAN_ACCEPTED), scan_items(b->scan)->n);
    CHECK_INT(scan_facts(b->scan)->end, SCAN_COMPLETE);
    CHECK(b->got <= SCAN_MESSAGES);
    box_free(b);

    b = box_new(SCAN_ALL, SCAN_AUTH_PSK, NULL);
    CHECK_INT(box_run(b).id, FAILURE_NONE);
    CHECK(box_polite(b));
    CHECK(scan_facts(b->scan)->end == SCAN_LIMIT || scan_facts(b->scan)->end == SCAN_TIME_IS_UP);
    CHECK(b->got <= SCAN_MESSAGES_ALL && box_count(b, SCAN_NOT_ASKED) > 0);
    box_free(b);
}

TEST(scan_quick_asks_once_per_policy)
{
    struct box *b = box_new(SCAN_QUICK, 0, NULL);

    CHECK_INT(box_run(b).id, FAILURE_NONE);
    CHECK(box_polite(b));
    CHECK_INT(b->got, 4);
    CHECK_INT(scan_facts(b->scan)->accepted, 4);
    CHECK(strcmp(scan_policy(scan_items(b->scan)), "strong") == 0);
    box_free(b);

    b = box_new(SCAN_QUICK, 0, "3des-sha1-modp1024");
    CHECK_INT(box_run(b).id, FAILURE_NONE);
    CHECK_INT(b->got, 4);
    CHECK(strcmp(scan_policy(scan_items(b->scan)), "legacy") == 0);
    box_free(b);
}

TEST(scan_of_other_ways_to_authenticate)
{
    struct box *b = box_new(SCAN_USUAL, SCAN_AUTH_PSK | SCAN_AUTH_RSA | SCAN_AUTH_ECDSA,
                            "aes256-sha256-ecp256");

    b->auth = IKE_AUTH_ECDSA_256;
    CHECK_INT(box_run(b).id, FAILURE_NONE);
    CHECK(box_polite(b));
    CHECK_INT(scan_facts(b->scan)->accepted, 2);
    CHECK_INT(box_state(b, "aes256-sha256-ecp256", IKE_AUTH_PSK), SCAN_ACCEPTED);
    CHECK_INT(box_state(b, "aes256-sha256-ecp256", IKE_AUTH_RSA), SCAN_REFUSED);
    CHECK_INT(box_state(b, "aes256-sha256-ecp256", IKE_AUTH_ECDSA_256), SCAN_ACCEPTED);
    CHECK_INT(box_state(b, "aes256-sha256-ecp256", IKE_AUTH_ECDSA_384), SCAN_REFUSED);
    box_free(b);
}

/* ---- servers that cannot take it ---- */
TEST(scan_one_by_one_when_many_are_met_with_silence)
{
    struct box *b = box_new(SCAN_USUAL, 0, "aes128-sha256-ecp256,3des-sha1-modp1024");

    b->most = 4;
    CHECK_INT(box_run(b).id, FAILURE_NONE);
    CHECK(box_polite(b));
    CHECK(scan_facts(b->scan)->one_by_one);
    CHECK_INT(scan_facts(b->scan)->accepted, 2);
    CHECK_INT(box_state(b, "aes128-sha256-ecp256", IKE_AUTH_PSK), SCAN_ACCEPTED);
    CHECK_INT(box_state(b, "3des-sha1-modp1024", IKE_AUTH_PSK), SCAN_ACCEPTED);
    box_free(b);
}

TEST(scan_one_by_one_when_many_are_called_malformed)
{
    struct box *b = box_new(SCAN_USUAL, 0, "aes128-sha1-modp1024");

    b->most = 1;
    b->complains = NOTIFY_PAYLOAD_MALFORMED;
    CHECK_INT(box_run(b).id, FAILURE_NONE);
    CHECK(box_polite(b));
    CHECK_INT(scan_facts(b->scan)->accepted, 1);
    CHECK_INT(box_state(b, "aes128-sha1-modp1024", IKE_AUTH_PSK), SCAN_ACCEPTED);
    CHECK_INT(box_count(b, SCAN_NOT_ASKED), 0);
    box_free(b);
}

TEST(scan_one_by_one_when_only_the_first_is_looked_at)
{
    struct box *b = box_new(SCAN_USUAL, 0, "aes128-sha1-modp1024,des-md5-modp768");

    b->first_only = true;
    CHECK_INT(box_run(b).id, FAILURE_NONE);
    CHECK(box_polite(b));
    CHECK(scan_facts(b->scan)->one_by_one);
    CHECK_INT(scan_facts(b->scan)->accepted, 2);
    box_free(b);
}

TEST(scan_one_by_one_when_a_larger_set_is_too_large)
{
    struct box *b = box_new(SCAN_USUAL, 0, "aes256-sha1-modp2048,des-md5-modp768");

    b->most = 20; /* the first set has fewer, the second more */
    CHECK_INT(box_run(b).id, FAILURE_NONE);
    CHECK(box_polite(b));
    CHECK(scan_facts(b->scan)->one_by_one);
    CHECK_INT(scan_facts(b->scan)->accepted, 2);
    CHECK_INT(box_state(b, "des-md5-modp768", IKE_AUTH_PSK), SCAN_ACCEPTED);
    CHECK_INT(box_count(b, SCAN_UNANSWERED), 0);
    box_free(b);
}

TEST(scan_of_a_server_that_refuses_in_silence)
{
    struct box *b = box_new(SCAN_USUAL, 0, "aes256-sha1-modp2048,aes256-md5-modp1024");

    b->quiet = true;
    CHECK_INT(box_run(b).id, FAILURE_NONE);
    CHECK(box_polite(b));
    CHECK_INT(scan_facts(b->scan)->end, SCAN_COMPLETE);
    CHECK_INT(scan_facts(b->scan)->accepted, 2);
    CHECK_INT(box_count(b, SCAN_NOT_ASKED), 0);
    CHECK(box_count(b, SCAN_UNANSWERED) > 20);
    box_free(b);
}

TEST(scan_rests_once_when_the_server_has_enough)
{
    struct box *b = box_new(SCAN_USUAL, 0, NULL);
    const struct scan_facts *f = scan_facts(b->scan);

    b->half_open = 5; /* as strongSwan: five of one address, for half a minute */
    b->half_open_life = US_S(30);
    CHECK_INT(box_run(b).id, FAILURE_NONE);
    CHECK(box_polite(b));
    CHECK_INT(f->end, SCAN_FELL_SILENT);
    CHECK_INT(f->accepted, 10);
    CHECK(box_count(b, SCAN_NOT_ASKED) > 20 && box_count(b, SCAN_REFUSED) == 0);
    CHECK_INT(box_count(b, SCAN_UNANSWERED), 0);
    CHECK(b->got < 25);
    box_free(b);
}

TEST(scan_rests_once_however_much_time_there_is)
{
    struct box *b = box_new(SCAN_USUAL, 0, NULL);

    b->half_open = 5;
    b->half_open_life = US_S(30);
    box_set_timeout(b, US_S(300));
    CHECK_INT(box_run(b).id, FAILURE_NONE);
    CHECK(box_polite(b) && b->now < US_S(50 + 50));
    CHECK_INT(scan_facts(b->scan)->end, SCAN_FELL_SILENT);
    CHECK_INT(scan_facts(b->scan)->accepted, 10);
    box_free(b);
}

TEST(scan_within_the_time_it_was_given)
{
    struct box *b = box_new(SCAN_ALL, 0, NULL);

    box_set_timeout(b, US_S(5));
    CHECK_INT(box_run(b).id, FAILURE_NONE);
    CHECK(b->now <= US_S(55) && b->got <= 21);
    CHECK_INT(scan_facts(b->scan)->end, SCAN_TIME_IS_UP);
    CHECK(b->least_gap >= SCAN_PACE && !b->bad_message);
    box_free(b);
}

TEST(scan_rest_is_enough_for_a_short_list)
{
    struct box *b = box_new(SCAN_USUAL, 0,
                            "aes256-sha1-modp2048,aes128-sha1-modp2048,3des-sha1-modp2048,"
                            "aes256-sha1-modp1024,aes128-sha1-modp1024,3des-sha1-modp1024");

    b->half_open = 4;
    b->half_open_life = US_S(30);
    CHECK_INT(box_run(b).id, FAILURE_NONE);
    CHECK(box_polite(b));
    CHECK_INT(scan_facts(b->scan)->end, SCAN_COMPLETE);
    CHECK_INT(scan_facts(b->scan)->accepted, 6);
    CHECK_INT(box_count(b, SCAN_NOT_ASKED), 0);
    box_free(b);
}

TEST(scan_stops_when_the_server_has_gone)
{
    struct box *b = box_new(SCAN_USUAL, 0, NULL);

    b->budget = 7;
    CHECK_INT(box_run(b).id, FAILURE_NONE);
    CHECK(box_polite(b));
    CHECK_INT(scan_facts(b->scan)->end, SCAN_FELL_SILENT);
    CHECK_INT(scan_facts(b->scan)->accepted, 7);
    CHECK(b->got <= 7 + 2 * (SCAN_SENDS + SCAN_SENDS_CONTROL));
    box_free(b);
}

TEST(scan_of_a_mute_server_ends_early)
{
    struct box *b = box_new(SCAN_ALL, 0, NULL);
    struct failure f;

    b->mute = true;
    f = box_run(b);
    CHECK_INT(f.id, FAILURE_IKE_NO_ANSWER);
    CHECK(strcmp(f.waited_for, "main mode 2") == 0 && f.sends == b->got);
    CHECK(box_polite(b));
    CHECK_INT(scan_facts(b->scan)->end, SCAN_FAILED);
    CHECK_INT(b->got, SCAN_SENDS + SCAN_TRIALS * SCAN_SENDS_CONTROL);
    CHECK(b->now < US_S(50 + 15));
    CHECK_INT(box_count(b, SCAN_NOT_ASKED), scan_items(b->scan)->n);
    box_free(b);
}

TEST(scan_of_a_mute_address_leaves_time_for_the_next)
{
    struct box *b = box_new(SCAN_USUAL, 0, "3des-sha1-modp1024");

    b->mute = true;
    scan_note_unreachable(b->scan, ECONNREFUSED);
    scan_start(b->scan, &box_stranger, true, b->now);
    CHECK_INT(box_run_on(b).id, FAILURE_IKE_UNREACHABLE);
    CHECK_INT(b->got, SCAN_SENDS_MORE);
    b->mute = false;
    CHECK_INT(box_run(b).id, FAILURE_NONE);
    CHECK_INT(scan_facts(b->scan)->accepted, 1);
    box_free(b);
}

TEST(scan_through_loss)
{
    struct box *b = box_new(SCAN_USUAL, 0, "aes256-sha1-modp2048,3des-sha1-modp1024");

    b->lose = 2;
    CHECK_INT(box_run(b).id, FAILURE_NONE);
    CHECK(box_polite(b));
    CHECK_INT(scan_facts(b->scan)->accepted, 2);
    CHECK_INT(box_count(b, SCAN_NOT_ASKED), 0);
    CHECK_INT(box_count(b, SCAN_UNANSWERED), 0);
    CHECK(scan_facts(b->scan)->resent > 0);
    box_free(b);
}

TEST(scan_of_a_server_that_accepts_nothing)
{
    struct box *b = box_new(SCAN_USUAL, 0, "");
    struct failure f = box_run(b);

    CHECK_INT(f.id, FAILURE_IKE_NO_PROPOSAL);
    CHECK(box_polite(b));
    CHECK_INT(box_count(b, SCAN_REFUSED), scan_items(b->scan)->n);
    box_free(b);

    b = box_new(SCAN_USUAL, 0, "");
    b->notify = NOTIFY_UNSUPPORTED_EXCHANGE_TYPE;
    f = box_run(b);
    CHECK_INT(f.id, FAILURE_IKE_REFUSED);
    CHECK(f.has_peer_code && f.peer_code == 29);
    CHECK(strcmp(f.peer_text, "UNSUPPORTED-EXCHANGE-TYPE") == 0);
    box_free(b);
}

TEST(scan_can_be_stopped)
{
    struct box *b = box_new(SCAN_USUAL, 0, NULL);
    struct scan_event e;

    scan_start(b->scan, &box_at, false, b->now);
    scan_close(b->scan);
    while (scan_pop_event(b->scan, &e) && e.type != SCAN_EVENT_OVER)
        ;
    CHECK(e.type == SCAN_EVENT_OVER && e.failure.id == FAILURE_LOCAL_CANCELLED);
    CHECK(scan_deadline(b->scan) == US_NEVER && !scan_pop_event(b->scan, &e));
    scan_timer(b->scan, b->now + US_S(100));
    CHECK_INT(scan_facts(b->scan)->sent, 1);
    box_free(b);
}

/* ---- answers that are none (hostile.md C7, H1-H4, H10-H16) ---- */
static unsigned lie_kind;
#define LIES 20

static void tell_lie(struct box *b, const uint8_t *cky_i, struct span transform)
{
    uint8_t bytes[512];
    uint8_t changed[128];
    struct span t = span_of(changed, transform.n);
    struct wr w = wr_of(bytes, sizeof(bytes));

    memcpy(changed, transform.p, transform.n);
    if (lie_kind < 6) /* each of the six attributes' values, one bit */
        changed[4 + 4 * lie_kind + 3] ^= 0x40;
    else if (lie_kind == 6)
        changed[1] = 2; /* not KEY_IKE */
    else if (lie_kind == 7)
        t.n -= 8; /* without a lifetime */
    else if (lie_kind == 8)
        memcpy(changed + 8, changed + 4, 4); /* one twice */
    box_write_mm2(&w, cky_i, lie_kind == 9 ? 0 : 0x99, t);
    switch (lie_kind) {
    case 10:
        memcpy(w.p + 8, cky_i, 8);
        break;
    case 11:
        w.p[0] ^= 1; /* not our cookie */
        break;
    case 12:
        w.p[17] = 0x20;
        break;
    case 13:
        w.p[18] = EXCHANGE_AGGRESSIVE;
        break;
    case 14:
        w.p[19] = ISAKMP_FLAG_ENCRYPTION;
        break;
    case 15:
        w.p[23] = 1; /* a message id */
        break;
    case 16:
        w.p[28 + 4 + 3] = 2; /* DOI */
        break;
    case 17:
        w.p[28 + 4 + 7] = 2; /* situation */
        break;
    case 18:
        w.p[28 + 4 + 8 + 7] = 2; /* two transforms, it says */
        break;
    default:
        break;
    }
    box_finish(b, &w, lie_kind == 19);
    if (lie_kind == 18) /* a header that is longer than its datagram */
        b->flight[b->n_flight - 1].bytes[27] += 1;
}

TEST(scan_takes_nothing_that_it_did_not_offer)
{
    for (lie_kind = 0; lie_kind < LIES; lie_kind++) {
        struct box *b = box_new(SCAN_USUAL, 0, "aes256-sha1-modp2048");

        b->lie = tell_lie;
        if (box_run(b).id != FAILURE_NONE || scan_facts(b->scan)->accepted != 1 ||
            box_state(b, "aes256-sha1-modp2048", IKE_AUTH_PSK) != SCAN_ACCEPTED || !box_polite(b) ||
            scan_facts(b->scan)->dropped == 0)
            check_fail(__FILE__, __LINE__, "lie %u: %u accepted, %u dropped", lie_kind,
                       scan_facts(b->scan)->accepted, scan_facts(b->scan)->dropped);
        box_free(b);

        /* And alone it is no answer: what was said is the refusal, or nothing. */
        b = box_new(SCAN_USUAL, 0, "");
        b->lie = tell_lie;
        b->quiet = true;
        if (scan_facts(b->scan)->accepted != 0 || box_run(b).id == FAILURE_NONE || !box_polite(b))
            check_fail(__FILE__, __LINE__, "lie %u was believed", lie_kind);
        box_free(b);
    }
}

static void refuse_first(struct box *b, const uint8_t *cky_i, struct span transform)
{
    (void)transform;
    box_say_notify(b, cky_i, NOTIFY_NO_PROPOSAL_CHOSEN);
    b->flight[b->n_flight - 1].at -= US_MS(20); /* it overtakes the answer */
}

TEST(scan_believes_an_answer_more_than_a_refusal_before_it)
{
    struct box *b = box_new(SCAN_USUAL, 0, "aes256-sha1-modp2048,3des-sha1-modp1024");

    b->lie = refuse_first;
    CHECK_INT(box_run(b).id, FAILURE_NONE);
    CHECK_INT(scan_facts(b->scan)->accepted, 2);
    CHECK(box_polite(b));
    box_free(b);
}

/* ---- what it means ---- */
TEST(scan_strengths)
{
    static const struct {
        const char *suite;
        enum scan_strength strength;
    } rows[] = {
        {"aes256-sha512-modp4096", SCAN_STRONG},     {"aes128-sha256-x25519", SCAN_STRONG},
        {"aes256-sha1-modp2048", SCAN_COMPATIBLE},   {"3des-sha256-modp2048", SCAN_COMPATIBLE},
        {"aes256-sha256-modp1536", SCAN_COMPATIBLE}, {"aes256-sha256-modp1024", SCAN_LEGACY},
        {"3des-sha1-modp1536", SCAN_LEGACY},         {"aes256-md5-modp2048", SCAN_BROKEN},
        {"des-sha1-modp2048", SCAN_BROKEN},          {"aes256-sha256-modp768", SCAN_BROKEN},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct policy p = {0};
        char text[SCAN_SUITE_TEXT];

        CHECK(policy_parse_ike(rows[i].suite, &p, NULL));
        CHECK_INT(scan_strength(&p.ike[0]), rows[i].strength);
        CHECK(strcmp(scan_suite_text(&p.ike[0], text), rows[i].suite) == 0);
    }
}

TEST(scan_every_text_is_what_ike_takes)
{
    struct scan_list l;

    scan_list_fill(&l, SCAN_ALL, SCAN_AUTH_PSK | SCAN_AUTH_RSA | SCAN_AUTH_ECDSA);
    CHECK(l.n > 500 && l.n < SCAN_ITEMS_MAX);
    for (unsigned i = 0; i < l.n; i++) {
        struct policy p = {0};
        char text[SCAN_SUITE_TEXT];

        CHECK(policy_parse_ike(scan_suite_text(&l.item[i].suite, text), &p, NULL));
        CHECK(p.n_ike == 1 && scan_same_suite(&p.ike[0], &l.item[i].suite));
        for (unsigned k = 0; k < i; k++)
            CHECK(l.item[k].auth != l.item[i].auth ||
                  !scan_same_suite(&l.item[k].suite, &l.item[i].suite));
    }
}

TEST(scan_offers_the_best_there_is)
{
    struct scan_list l;
    enum scan_strength best;
    char text[SCAN_OFFER_MAX * SCAN_SUITE_TEXT];

    scan_list_fill(&l, SCAN_USUAL, SCAN_AUTH_PSK);
    CHECK(!scan_offer(&l, text, sizeof(text), &best) && text[0] == '\0' && !scan_policy(&l));
    for (unsigned i = 0; i < l.n; i++)
        if (scan_strength(&l.item[i].suite) == SCAN_LEGACY)
            l.item[i].state = SCAN_ACCEPTED;
    CHECK(scan_offer(&l, text, sizeof(text), &best) && best == SCAN_LEGACY);
    CHECK(strncmp(text, "aes256-sha1-modp1024,aes128-sha1-modp1024,3des-sha1-modp1024,", 61) == 0);
    CHECK(strcmp(scan_policy(&l), "legacy") == 0);
    for (unsigned i = 0; i < l.n; i++)
        if (scan_strength(&l.item[i].suite) == SCAN_STRONG)
            l.item[i].state = SCAN_ACCEPTED;
    CHECK(scan_offer(&l, text, sizeof(text), &best) && best == SCAN_STRONG);
    CHECK(strcmp(scan_policy(&l), "strong") == 0 && !strstr(text, "sha1"));
    CHECK(!scan_offer(&l, text, 1, &best) || text[0] == '\0');
}
