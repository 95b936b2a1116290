/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parser of ISAKMP messages and everything that reads a payload's body. First byte: 0 to 15 the
 * bytes are the body of one payload of a kind, else a datagram with its header put right.
 */
#include "fuzz.h"

#include "ike/policy.h"
#include "ike/v1/engine.h"
#include "ike/vendor.h"

#include <string.h>

static void inside(struct span whole, struct span part)
{
    FUZZ_REQUIRE(part.n <= whole.n);
    FUZZ_REQUIRE(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static void small_payloads(struct span body)
{
    struct notify n;
    struct delete_payload d;
    struct identity id;
    struct inaddr oa;
    char text[PEER_TEXT_MAX];

    if (isakmp_parse_notify(body, &n)) {
        inside(body, n.spi);
        inside(body, n.data);
        (void)isakmp_notify_name(n.type);
    }
    if (isakmp_parse_delete(body, &d)) {
        inside(body, d.spis);
        FUZZ_REQUIRE(d.spis.n == (size_t)d.spi_size * d.n_spis);
    }
    if (isakmp_parse_identity(body, &id)) {
        inside(body, id.data);
        FUZZ_REQUIRE(id.data.n <= IKE_IDENTITY_MAX);
        identity_text(&id, text, sizeof(text));
        fuzz_check_text(text, sizeof(text));
        (void)isakmp_id_type_name(id.type);
    }
    if (isakmp_parse_nat_oa(body, &oa))
        FUZZ_REQUIRE(oa.family == 4 || oa.family == 6);
    if (vendor_name(vendor_find(body)))
        fuzz_check_text(vendor_name(vendor_find(body)), 48);
}

static void sa_payload(struct span body)
{
    struct policy policy;
    struct phase1_choice p1 = {0};
    struct esp_choice esp = {0};
    struct esp_offer offer = {.policy = &policy,
                              .encapsulation = ENCAP_MODE_UDP_TRANSPORT,
                              .lifetime_s = 3600,
                              .spi = 0x12345678};
    uint32_t seconds = 3600;
    uint64_t bytes = 0;
    uint8_t number;

    FUZZ_REQUIRE(policy_named("legacy", &policy));
    for (unsigned i = 0; i < 2; i++) {
        offer.pfs = policy.pfs = i ? DH_MODP1024 : DH_NONE;
        if (proposal_read_esp(body, &offer, &esp) == OFFER_OK) {
            FUZZ_REQUIRE(esp.spi > 255 && esp.lifetime_s >= LIFE_MIN_S && esp.lifetime_s <= 3600);
            inside(body, esp.attributes);
        }
        if (proposal_choose_esp(body, &offer, &esp, &number) == OFFER_OK) {
            FUZZ_REQUIRE(esp.spi > 255 && esp.lifetime_s <= 3600);
            inside(body, esp.attributes);
        }
    }
    if (proposal_read_phase1(body, &policy, 28800, &p1) == OFFER_OK)
        FUZZ_REQUIRE(p1.lifetime_s >= LIFE_MIN_S && p1.lifetime_s <= 28800);
    if (proposal_lower_lifetime(body, &seconds, &bytes))
        FUZZ_REQUIRE(seconds <= 3600 && seconds >= LIFE_MIN_S);
}

static void chain(uint8_t first, struct span body)
{
    struct chain c;
    struct span part;

    if (!isakmp_split(first, body, &c))
        return;
    FUZZ_REQUIRE(c.n <= IKE_PAYLOADS_MAX && c.n_vid <= IKE_VENDOR_IDS_MAX);
    inside(body, c.after_first);
    for (unsigned m = MESSAGE_MM2; m <= MESSAGE_MM6_SIG; m++) {
        (void)!isakmp_check((enum isakmp_message)m, &c);
        (void)isakmp_is_encrypted((enum isakmp_message)m);
    }
    for (unsigned i = 0; i < c.n; i++) {
        inside(body, c.at[i].body);
        FUZZ_REQUIRE(chain_count(&c, c.at[i].type) > 0 && chain_get(&c, c.at[i].type, 0, &part));
        (void)isakmp_payload_name(c.at[i].type);
        small_payloads(c.at[i].body);
        if (c.at[i].type == PAYLOAD_SA)
            sa_payload(c.at[i].body);
    }
    for (unsigned i = 0; i < c.n_vid; i++) {
        inside(body, c.vid[i]);
        small_payloads(c.vid[i]);
    }
}

static void datagram(struct mspan m, bool repair)
{
    struct isakmp_header h;
    struct span body;

    if (repair && m.n >= ISAKMP_HEADER_LEN) {
        m.p[17] = ISAKMP_VERSION;
        m.p[24] = m.p[25] = 0;
        m.p[26] = (uint8_t)(m.n >> 8);
        m.p[27] = (uint8_t)m.n;
    }
    if (!isakmp_parse_header(span_ro(m), &h, &body))
        return;
    inside(span_ro(m), body);
    (void)isakmp_exchange_name(h.exchange);
    chain(h.next_payload, body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(span_of(data, size));
    struct mspan m;
    uint8_t how;

    if (!rd_u8(&r, &how) || rd_left(&r) > IKE_MESSAGE_MAX + 100)
        return 0;
    m = fuzz_copy(rd_rest(&r));
    if (how < 16) {
        small_payloads(span_ro(m));
        sa_payload(span_ro(m));
        chain(how, span_ro(m));
    } else {
        datagram(m, how & 1);
    }
    free(m.p);
    return 0;
}
