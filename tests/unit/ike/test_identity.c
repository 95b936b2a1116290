/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Identities as people write them: which kind each spelling is, and what is refused. */
#include "base/limits.h"
#include "check.h"
#include "ike/identity.h"
#include "rig.h"

#include <stdio.h>
#include <string.h>

TEST(identity_spellings)
{
    static const struct {
        const char *text;
        uint8_t type;
        const char *hex;
    } rows[] = {
        {"192.0.2.1", 1, "c0000201"},
        {"2001:db8::1", 5, "20010db8000000000000000000000001"},
        {"ip:192.0.2.1", 1, "c0000201"},
        {"gate", 2, "67617465"},
        {"vpn.example", 2, "76706e2e6578616d706c65"},
        {"@vpn", 2, "76706e"},
        {"@192.0.2.1", 2, "3139322e302e322e31"},
        {"fqdn:a b", 2, "612062"},
        {"m\xc3\xbc.example", 2, "6dc3bc2e6578616d706c65"},
        {"a@b", 3, "614062"},
        {"@@a@b", 3, "614062"},
        {"email:a@b", 3, "614062"},
        {"@#deadBEEF", 11, "deadbeef"},
        {"@[my group]", 11, "6d792067726f7570"},
        {"keyid:my group", 11, "6d792067726f7570"},
        {"keyid:@#00", 11, "40233030"},
        {"keyid:192.0.2.1", 11, "3139322e302e322e31"},
        /* From openssl req -subj with utf8only, which is the default. */
        {"C=CH, CN=a", 9, "3019310b3009060355040613024348310a300806035504030c0161"},
        {"/C=CH/CN=a", 9, "3019310b3009060355040613024348310a300806035504030c0161"},
        {"dn:c=CH,cn = a ", 9, "3019310b3009060355040613024348310a300806035504030c0161"},
        {"CN=a\\,b", 9, "300e310c300a06035504030c03612c62"},
        {"CN=a\\2Cb", 9, "300e310c300a06035504030c03612c62"},
        {"/CN=a,b", 9, "300e310c300a06035504030c03612c62"},
        {"CN=a\\ ", 9, "300d310b300906035504030c026120"},
        {"2.5.4.3=a", 9, "300c310a300806035504030c0161"},
        {"E=a@b", 9, "30143112301006092a864886f70d0109011603614062"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cert_id id = {0};
        uint8_t want[64];
        size_t n = check_hex(want, sizeof(want), rows[i].hex);

        if (identity_parse(rows[i].text, &id) != IDENTITY_OK || id.type != rows[i].type ||
            id.n != n || memcmp(id.bytes, want, n) != 0)
            check_fail(__FILE__, __LINE__, "%s: type %u, %zu bytes", rows[i].text, id.type, id.n);
    }
}

TEST(identity_faults)
{
    static const struct {
        const char *text;
        enum identity_fault fault;
    } rows[] = {
        {"", IDENTITY_EMPTY},
        {"@", IDENTITY_EMPTY},
        {"keyid:", IDENTITY_EMPTY},
        {"@[]", IDENTITY_EMPTY},
        {"a\nb", IDENTITY_CONTROL},
        {"a\x7f", IDENTITY_CONTROL},
        {"a\xff", IDENTITY_CONTROL},
        {"ip:gate", IDENTITY_ADDRESS},
        {"ip:192.0.2.256", IDENTITY_ADDRESS},
        {"@#", IDENTITY_HEX},
        {"@#abc", IDENTITY_HEX},
        {"@#xy", IDENTITY_HEX},
        {"a@", IDENTITY_MAIL},
        {"@@b", IDENTITY_MAIL},
        {"@@a@", IDENTITY_MAIL},
        {"email:a", IDENTITY_MAIL},
        {"CN=", IDENTITY_DN},
        {"=a", IDENTITY_DN},
        {"CN=a,", IDENTITY_OK}, /* as the swans */
        {"CN=a,b", IDENTITY_DN},
        {"NOSUCH=a", IDENTITY_DN},
        {"C=Switzerland", IDENTITY_DN},
        {"CN=a\\", IDENTITY_DN},
        {"CN=a\\00", IDENTITY_DN},
        {"dn:gate", IDENTITY_DN},
        {"my group", IDENTITY_NAME},
        {"@[group", IDENTITY_NAME},
        {"a..b", IDENTITY_NAME},
        {"[2001:db8::1]", IDENTITY_NAME},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cert_id id = {.type = 77};
        enum identity_fault fault = identity_parse(rows[i].text, &id);

        if (fault != rows[i].fault || (fault != IDENTITY_OK && id.type != 77))
            check_fail(__FILE__, __LINE__, "'%s': %d", rows[i].text, (int)fault);
    }
}

TEST(identity_lengths)
{
    char text[2 * IKE_IDENTITY_MAX + 16] = "keyid:";
    struct cert_id id;

    memset(text + 6, 'x', IKE_IDENTITY_MAX);
    CHECK_INT(identity_parse(text, &id), IDENTITY_OK);
    CHECK_INT(id.n, IKE_IDENTITY_MAX);
    text[6 + IKE_IDENTITY_MAX] = 'x';
    CHECK_INT(identity_parse(text, &id), IDENTITY_LONG);
    memset(text, 'a', sizeof(text));
    text[0] = '@';
    text[1] = '#';
    text[2 + 2 * IKE_IDENTITY_MAX] = '\0';
    CHECK_INT(identity_parse(text, &id), IDENTITY_OK);
    text[2 + 2 * IKE_IDENTITY_MAX] = 'a';
    text[4 + 2 * IKE_IDENTITY_MAX] = '\0';
    text[3 + 2 * IKE_IDENTITY_MAX] = 'a';
    CHECK_INT(identity_parse(text, &id), IDENTITY_LONG);
}

TEST(identity_sameness)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"@gate.example", "@GATE.example", true},
        {"@gate", "keyid:gate", false},
        {"keyid:gate", "keyid:GATE", false},
        {"a@b", "A@B", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"CN=Gate", "CN=gate", true},
        {"CN=a  b", "CN=a b", true},
        {"CN=a", "CN=b", false},
        {"C=CH, CN=a", "CN=a, C=CH", false},
        {"@gate", "@gates", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cert_id a;
        struct cert_id b;

        CHECK_INT(identity_parse(rows[i].a, &a), IDENTITY_OK);
        CHECK_INT(identity_parse(rows[i].b, &b), IDENTITY_OK);
        if (identity_same(&a, &b) != rows[i].same || identity_same(&b, &a) != rows[i].same)
            check_fail(__FILE__, __LINE__, "%s and %s", rows[i].a, rows[i].b);
    }
}

/* Rule C6: whatever the type, its length and its bytes are looked at before they are used. */
TEST(c06_identity_every_type_and_length)
{
    static const uint8_t fills[] = {0x00, 'a', 0x30, 0xff};
    uint8_t body[4 + 600] = {0};
    struct rig *r = rig_new();
    unsigned accepted = 0;

    rig_start(r);
    for (size_t k = 0; k < ARRAY_LEN(fills); k++) {
        memset(body + 4, fills[k], 600);
        for (unsigned type = 0; type < 256; type++) {
            for (size_t n = 0; n <= 604; n++) {
                struct failure f = {0};
                struct identity id;

                body[0] = (uint8_t)type;
                if (identity_accept(r->ike, span_of(body, n), &id, &f)) {
                    accepted++;
                    CHECK(id.type == type && id.data.n == n - 4 && id.data.n > 0 &&
                          id.data.n <= IKE_IDENTITY_MAX);
                    identity_note(r->ike, &id);
                    CHECK(text_is_utf8(span_str(ike_facts(r->ike)->peer_id)));
                } else {
                    CHECK_INT(f.id, FAILURE_IKE_AUTH_PEER_ID);
                    CHECK(f.value[0] && text_is_utf8(span_str(f.value)) && !strchr(f.value, 0x1b));
                    CHECK_STR(f.expected, "a well-formed identity");
                }
            }
        }
    }
    CHECK(accepted > 4000 && accepted < 10000);
    rig_free(r);
}
