/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a person, or a program with --json, gets to see of a dial. */
#include "cli/cli.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define TITLE_COLUMNS 40

static const char *title_of(const char *stage)
{
    const char *title = l2tpc_stage_title(stage);

    return title ? _(title) : stage;
}

void output_stage_begin(struct output *o, const char *stage)
{
    if (o->json) {
        (void)fprintf(o->out, "{\"event\":\"stage-begin\",\"stage\":\"%s\"}\n", stage);
        (void)fflush(o->out);
    } else if (o->terminal && strcmp(stage, "up") != 0) {
        (void)fprintf(o->out, "  ... %s", title_of(stage));
        (void)fflush(o->out);
        o->live = true;
    }
}

void output_clear_line(struct output *o)
{
    if (o->live) {
        (void)fputs("\r\033[K", o->out);
        (void)fflush(o->out);
    }
    o->live = false;
}

void output_stage_end(struct output *o, const char *stage, double ms)
{
    if (o->json) {
        long long us = (long long)(ms * 1000 + 0.5);

        (void)fprintf(o->out, "{\"event\":\"stage-end\",\"stage\":\"%s\",\"ms\":%lld.%03lld}\n",
                      stage, us / 1000, us % 1000);
    } else {
        output_clear_line(o);
        (void)fprintf(o->out, "  %-12s %9.1f ms  %s\n", stage, ms, title_of(stage));
    }
    (void)fflush(o->out);
}

static const char *translate(const char *msgid)
{
    return _(msgid);
}

void output_failure(struct output *o, const l2tpc_error *error)
{
    char text[1024];

    if (o->json)
        return; /* the final status says it */
    output_clear_line(o);
    (void)l2tpc_error_message(error, translate, text, sizeof(text));
    complain("%s", text);
    (void)l2tpc_error_hint(error, translate, text, sizeof(text));
    (void)fprintf(stderr, "       %s\n", text);
    (void)fprintf(stderr, "       [%s, %s", l2tpc_error_get_code(error),
                  l2tpc_error_get_stage(error));
    if (l2tpc_error_get_windows_code(error))
        (void)fprintf(stderr, _(", Windows error %d"), l2tpc_error_get_windows_code(error));
    (void)fputs("]\n", stderr);
}

/* The items of a list on one line. */
static void put_list(FILE *out, const char *list)
{
    for (; *list; list++)
        (void)fputs(*list != '\n' ? (char[]){*list, '\0'} : list[1] ? ", " : "", out);
}

static void put_known(const char *title, const char *list)
{
    if (!list || !list[0])
        return;
    (void)fprintf(stderr, "       %s: ", title);
    put_list(stderr, list);
    (void)fputc('\n', stderr);
}

void output_server_advice(struct output *o, const l2tpc_status *status)
{
    const char *notes = l2tpc_status_get(status, "server.notes");
    const char *suggestions = l2tpc_status_get(status, "server.suggestions");

    if (o->json || !((notes && notes[0]) || (suggestions && suggestions[0])))
        return; /* nothing that could help, or the status says it */
    put_known(_("Kind of server"), l2tpc_status_get(status, "server.kind"));
    put_known(_("Known of this kind"), notes);
    put_known(_("Options that may help"), suggestions);
}

static void json_reconnecting(struct output *o, const l2tpc_error *error, unsigned wait_ms)
{
    (void)fprintf(o->out,
                  "{\"event\":\"reconnecting\",\"code\":\"%s\",\"stage\":\"%s\",\"wait_ms\":%u}\n",
                  l2tpc_error_get_code(error), l2tpc_error_get_stage(error), wait_ms);
    (void)fflush(o->out);
}

/* What has failed before is dialed again at once only when there was no way to anywhere. */
static bool waits_for_network(const char *code)
{
    return strcmp(code, "ike.unreachable") == 0 || strncmp(code, "resolve.", 8) == 0;
}

void output_reconnecting(struct output *o, const l2tpc_error *error, unsigned wait_ms)
{
    char text[1024];

    if (o->json) {
        json_reconnecting(o, error, wait_ms);
        return;
    }
    output_clear_line(o);
    (void)l2tpc_error_message(error, translate, text, sizeof(text));
    complain("%s", text);
    if (wait_ms == 0 && waits_for_network(l2tpc_error_get_code(error)))
        (void)fprintf(stderr, "       %s\n", _("Waiting for a network."));
    else if (wait_ms == 0)
        (void)fprintf(stderr, "       %s\n", _("Dialing again."));
    else
        (void)fprintf(stderr, _("       Dialing again in %.1f s.\n"), wait_ms / 1000.0);
}

void output_back(struct output *o, l2tpc_status *status)
{
    if (o->json) {
        output_status(o, status);
        return;
    }
    output_clear_line(o);
    (void)fprintf(o->out, _("Connected again: %s\n"), l2tpc_status_get(status, "ppp.local_ip"));
    (void)fflush(o->out);
}

/* JSON is UTF-8; a path may be anything. */
static bool is_utf8(const char *text)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0 && mbstowcs(NULL, text, 0) != (size_t)-1;
}

static void put_json_string(FILE *out, const char *text)
{
    bool ascii_only = !is_utf8(text);

    (void)fputc('"', out);
    for (; *text; text++) {
        unsigned char ch = (unsigned char)*text;

        if (ch == '"' || ch == '\\')
            (void)fprintf(out, "\\%c", ch);
        else if (ch < 0x20)
            (void)fprintf(out, "\\u%04x", ch);
        else
            (void)fputc(ch >= 0x80 && ascii_only ? '?' : ch, out);
    }
    (void)fputc('"', out);
}

void fill_value(const char *msgid, const char *value, char *out, size_t size)
{
    size_t at = 0;

    out[0] = '\0';
    while (*msgid && at + 1 < size) {
        if (strncmp(msgid, "{value}", 7) == 0) {
            at += (size_t)snprintf(out + at, size - at, "%s", value);
            msgid += 7;
        } else {
            out[at++] = *msgid++;
            out[at] = '\0';
        }
    }
}

void output_refusal(struct output *o, const char *name, const char *state, const char *code,
                    const char *value)
{
    l2tpc_explanation e = {.size = sizeof(e)};
    char sentence[768];
    char hint[768];

    if (l2tpc_explain(code, &e) != L2TPC_OK)
        return;
    fill_value(o->json ? e.sentence : _(e.sentence), value, sentence, sizeof(sentence));
    fill_value(o->json ? e.hint : _(e.hint), value, hint, sizeof(hint));
    if (!o->json) {
        complain("%s", sentence);
        (void)fprintf(stderr, "       %s\n       [%s]\n", hint, code);
        return;
    }
    (void)fputs("{\"schema\":1,\"name\":", o->out);
    put_json_string(o->out, name);
    (void)fprintf(o->out,
                  ",\"state\":\"%s\",\"is_l2tp_in_ipsec\":false,\"error\":{\"code\":\"%s\","
                  "\"stage\":\"%s\",\"message\":",
                  state, code, e.stage);
    put_json_string(o->out, sentence);
    (void)fputs(",\"hint\":", o->out);
    put_json_string(o->out, hint);
    (void)fputs(",\"peer_code\":null,\"windows_code\":null}}\n", o->out);
}

void output_rung(struct output *o, const char *rung)
{
    if (o->json && rung)
        (void)fprintf(o->out, "{\"event\":\"rung\",\"rung\":\"%s\"}\n", rung);
    (void)fflush(o->out);
}

void output_warning(struct output *o, const l2tpc_error *error)
{
    const char *code = l2tpc_error_get_code(error);
    char sentence[1024];
    char hint[1024];

    (void)l2tpc_error_message(error, o->json ? NULL : translate, sentence, sizeof(sentence));
    (void)l2tpc_error_hint(error, o->json ? NULL : translate, hint, sizeof(hint));
    if (!o->json) {
        output_clear_line(o);
        complain("%s", sentence);
        (void)fprintf(stderr, "       %s\n       [%s]\n", hint, code);
        return;
    }
    (void)fprintf(o->out, "{\"event\":\"warning\",\"code\":\"%s\",\"message\":", code);
    put_json_string(o->out, sentence);
    (void)fputs(",\"hint\":", o->out);
    put_json_string(o->out, hint);
    (void)fputs("}\n", o->out);
    (void)fflush(o->out);
}

static void print_evidence(FILE *out, const l2tpc_status *status)
{
    l2tpc_evidence e = {.size = sizeof(e)};

    for (unsigned i = 0; l2tpc_status_evidence_at(status, i, &e) == L2TPC_OK; i++)
        (void)fprintf(out, "  [%s] %s: %s (%s)\n", e.ok ? _("yes") : _("NO"), _(e.sentence),
                      e.value, e.observer);
}

/* Columns on a terminal, which are neither the bytes of a text nor its characters. */
static int columns_of(const char *text)
{
    wchar_t wide[128];
    size_t n = mbstowcs(wide, text, sizeof(wide) / sizeof(wide[0]));
    int columns = n < sizeof(wide) / sizeof(wide[0]) ? wcswidth(wide, n) : -1;

    return columns < 0 ? (int)strlen(text) : columns;
}

void output_row(FILE *out, const char *msgid, const char *text)
{
    const char *title = _(msgid);
    int columns = columns_of(title);

    (void)fprintf(out, "  %s%*s ", title, columns < TITLE_COLUMNS ? TITLE_COLUMNS - columns : 0,
                  "");
    put_list(out, text);
    (void)fputc('\n', out);
}

static void print_rows(FILE *out, const l2tpc_status *status)
{
    l2tpc_status_row row = {.size = sizeof(row)};

    for (unsigned i = 0; l2tpc_status_row_at(status, i, &row) == L2TPC_OK; i++)
        if (row.text[0])
            output_row(out, row.title, row.text);
}

static void print_details(FILE *out, const l2tpc_status *status)
{
    (void)fprintf(out, "%s: %s, %s\n", l2tpc_status_get(status, "name"),
                  l2tpc_status_get(status, "state"),
                  l2tpc_status_is_l2tp_in_ipsec(status) ? _("this is L2TP inside IPsec")
                                                        : _("NOT proven to be L2TP inside IPsec"));
    print_evidence(out, status);
    print_rows(out, status);
}

void output_reached(struct output *o, const char *stage, l2tpc_status *status)
{
    if (o->json)
        return; /* the final status says it */
    output_clear_line(o);
    (void)fprintf(o->out, _("Stopped behind %s, as asked.\n"), stage);
    print_rows(o->out, status);
}

void output_status(struct output *o, l2tpc_status *status)
{
    if (o->json) {
        const char *json = l2tpc_status_to_json(status);

        (void)fprintf(o->out, "%s\n", json ? json : "{}");
    } else {
        output_clear_line(o);
        print_details(o->out, status);
    }
    (void)fflush(o->out);
}
