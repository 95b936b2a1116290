/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "doctor/catalogue.h"

#include "check.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

TEST(catalogue_is_complete)
{
    unsigned n = 0;

    for (const struct catalogue_row *r; (r = catalogue_at(n)); n++) {
        CHECK_INT(r->id, n + 1);
        CHECK_STR(r->code, failure_code(r->id));
        CHECK(catalogue_find(r->code) == r);
        CHECK(catalogue_of(r->id) == r);
        CHECK(r->stage < STAGE_COUNT);
        CHECK_INT(failure_make(r->id).stage, r->stage);
        CHECK_INT(failure_make(r->id).id, r->id);
    }
    CHECK_INT(n, FAILURE_COUNT - 1);
    CHECK(catalogue_of(FAILURE_NONE) == NULL);
    CHECK(catalogue_of(FAILURE_COUNT) == NULL);
    CHECK(catalogue_at(FAILURE_COUNT) == NULL);
    CHECK(catalogue_at(UINT32_MAX) == NULL);
    CHECK(catalogue_find("ike.none-such") == NULL);
    CHECK(catalogue_find("") == NULL);
}

TEST(catalogue_codes_are_names)
{
    for (unsigned n = 0; catalogue_at(n); n++) {
        const char *code = catalogue_at(n)->code;

        CHECK(strchr(code, '.') != NULL);
        CHECK(strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789.-") == strlen(code));
        CHECK(isalpha((unsigned char)code[0]));
        for (unsigned m = 0; m < n; m++)
            CHECK(strcmp(code, catalogue_at(m)->code) != 0);
    }
}

/* Windows knows its codes between 600 and 900; 0 is for what it has no code for. */
TEST(catalogue_windows_codes)
{
    for (unsigned n = 0; catalogue_at(n); n++) {
        int w = catalogue_at(n)->windows;

        CHECK(w == 0 || (w >= 600 && w < 900));
    }
}

/* Whole sentences: a capital (or an argument) in front, a stop at the end, no argument unknown. */
TEST(catalogue_sentences_render)
{
    for (unsigned n = 0; catalogue_at(n); n++) {
        const struct catalogue_row *r = catalogue_at(n);
        const char *text[] = {r->sentence, r->hint};
        struct failure f = failure_timeout(r->id, "main mode 2", 7);
        char out[1024];

        failure_set_peer_code(&f, 14);
        failure_set_peer_text(&f, span_str("no thanks"));
        failure_set_value(&f, span_str("that"));
        for (size_t i = 0; i < ARRAY_LEN(text); i++) {
            size_t need = failure_render(text[i], &f, "vpn.example.com", out, sizeof(out));

            CHECK_INT(need, strlen(out));
            CHECK(need > 10);
            CHECK(strpbrk(out, "{}") == NULL);
            CHECK(isupper((unsigned char)text[i][0]) || text[i][0] == '{');
            CHECK(strstr(out, "  ") == NULL);
            CHECK(strchr(out, '\n') == NULL);
        }
        CHECK(r->sentence[strlen(r->sentence) - 1] == '.');
    }
}

/* A row without arguments must not show a hole either. */
TEST(catalogue_renders_without_arguments)
{
    for (unsigned n = 0; catalogue_at(n); n++) {
        struct failure f = failure_make(catalogue_at(n)->id);
        char out[1024];

        (void)failure_render(catalogue_at(n)->sentence, &f, "vpn.example.com", out, sizeof(out));
        CHECK(strpbrk(out, "{}") == NULL);
        (void)failure_render(catalogue_at(n)->hint, &f, "vpn.example.com", out, sizeof(out));
        CHECK(strpbrk(out, "{}") == NULL);
    }
}

TEST(render_is_bounded)
{
    struct failure f = failure_make(FAILURE_IKE_NO_ANSWER);
    char out[16];

    memset(out, 'x', sizeof(out));
    CHECK_INT(failure_render("abcdef", &f, "s", out, 4), 6);
    CHECK_STR(out, "abc");
    CHECK(out[4] == 'x');
    CHECK_INT(failure_render("{server}", &f, "a.long.name.example", out, sizeof(out)), 19);
    CHECK_INT(strlen(out), 15);
    CHECK_INT(failure_render("abc", &f, "s", NULL, 0), 3);
    CHECK_INT(failure_render("", &f, "s", out, sizeof(out)), 0);
    CHECK_STR(out, "");
}

/* Braces that are no argument of ours stay; what a peer wrote is never a template. */
TEST(render_takes_nothing_for_a_template)
{
    struct failure f = failure_make(FAILURE_IKE_REFUSED);
    char out[128];

    (void)failure_render("{nonsense} {", &f, "s", out, sizeof(out));
    CHECK_STR(out, "{nonsense} {");
    (void)failure_render("}{server}{", &f, "s", out, sizeof(out));
    CHECK_STR(out, "}s{");
    failure_set_peer_text(&f, span_str("{server} %s %n"));
    (void)failure_render("said: {peer_text}", &f, "s", out, sizeof(out));
    CHECK_STR(out, "said: {server} %s %n");
}

/* Control characters and broken UTF-8 of a peer arrive escaped. */
TEST(render_escapes_the_peer)
{
    static const uint8_t raw[] = {'a', 0x1b, '[', '2', 'J', 0xff, 0xfe, '\n', 0, 'b'};
    struct failure f = failure_make(FAILURE_IKE_REFUSED);
    char out[256];

    failure_set_peer_text(&f, SPAN_ARRAY(raw));
    (void)failure_render("{peer_text}", &f, "s", out, sizeof(out));
    for (const char *p = out; *p; p++)
        CHECK((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f);
    CHECK(out[0] == 'a' && out[strlen(out) - 1] == 'b');
}

TEST(stages_have_names_and_statuses)
{
    for (unsigned s = 0; s < STAGE_COUNT; s++) {
        enum stage back;

        CHECK(stage_parse(&back, stage_name((enum stage)s)));
        CHECK_INT(back, s);
        CHECK(strlen(stage_title((enum stage)s)) > 3);
        CHECK_INT(stage_exit_status((enum stage)s), 3 + s);
    }
    CHECK_STR(stage_name(STAGE_COUNT), "?");
}
