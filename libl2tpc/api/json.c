/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The status as one line of JSON, "schema": 1. Every text has been made valid UTF-8 before. */
#include "api/status.h"
#include "doctor/catalogue.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_string(FILE *f, const char *text, size_t n)
{
    (void)fputc('"', f);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '"' || c == '\\')
            (void)fprintf(f, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            (void)fprintf(f, "\\u%04x", c);
        else
            (void)fputc(c, f);
    }
    (void)fputc('"', f);
}

static void put_text(FILE *f, const char *text)
{
    if (text && text[0])
        put_string(f, text, strlen(text));
    else
        (void)fputs("null", f);
}

/* Three decimals whatever the locale says about the point. */
static void put_real(FILE *f, double v)
{
    long long thousandths = llround(v * 1000);

    (void)fprintf(f, "%lld.%03lld", thousandths / 1000, thousandths % 1000);
}

static void put_list(FILE *f, const char *items)
{
    bool first = true;

    (void)fputc('[', f);
    while (items && *items) {
        size_t n = strcspn(items, "\n");

        if (!first)
            (void)fputc(',', f);
        first = false;
        put_string(f, items, n);
        items += n + (items[n] == '\n');
    }
    (void)fputc(']', f);
}

static void put_value(FILE *f, enum status_kind kind, const struct status_value *v)
{
    if (kind == STATUS_LIST)
        put_list(f, v->known ? v->text : NULL);
    else if (!v->known)
        (void)fputs("null", f);
    else if (kind == STATUS_TEXT)
        put_text(f, v->text);
    else if (kind == STATUS_REAL)
        put_real(f, v->real);
    else if (kind == STATUS_BOOL)
        (void)fputs(v->number ? "true" : "false", f);
    else
        (void)fprintf(f, "%llu", (unsigned long long)v->number);
}

/* The rows of Windows' page, for those who show a status that another process has made. */
static void put_details(FILE *f, const l2tpc_status *st)
{
    (void)fputs(",\"details\":{", f);
    for (unsigned i = 0; i < STATUS_DETAILS; i++) {
        (void)fprintf(f, "%s\"%s\":", i ? "," : "", status_detail_fields[i].key);
        put_text(f, st->detail[i]);
    }
    (void)fputc('}', f);
}

static void put_groups(FILE *f, const l2tpc_status *st)
{
    const char *group = "";

    for (unsigned i = 0; i < STATUS_COUNT; i++) {
        const struct status_field *field = &status_fields[i];

        if (strcmp(group, field->group) != 0) {
            (void)fprintf(f, "%s,\"%s\":{", group[0] ? "}" : "", field->group);
            group = field->group;
        } else {
            (void)fputc(',', f);
        }
        (void)fprintf(f, "\"%s\":", field->key);
        put_value(f, field->kind, &st->value[i]);
    }
    (void)fputc('}', f);
}

static void put_evidence(FILE *f, const l2tpc_status *st)
{
    (void)fputs(",\"evidence\":[", f);
    for (unsigned i = 0; i < st->n_evidence; i++) {
        const struct evidence *e = &st->evidence[i];

        (void)fprintf(f, "%s{\"code\":\"%s\",\"sentence\":", i ? "," : "", e->code);
        put_text(f, e->sentence);
        (void)fputs(",\"value\":", f);
        put_text(f, e->value);
        (void)fprintf(f, ",\"observer\":\"%s\",\"ok\":%s}", e->observer, e->ok ? "true" : "false");
    }
    (void)fputc(']', f);
}

static void put_stages(FILE *f, const l2tpc_status *st)
{
    (void)fputs(",\"stages\":[", f);
    for (unsigned i = 0; i < st->n_stages; i++) {
        (void)fprintf(f, "%s{\"stage\":\"%s\",\"ms\":", i ? "," : "",
                      stage_name(st->stages[i].stage));
        put_real(f, st->stages[i].ms);
        (void)fputc('}', f);
    }
    (void)fputc(']', f);
}

static void put_error(FILE *f, const l2tpc_error *e)
{
    char text[1024];
    uint32_t peer;

    (void)fprintf(f, ",\"error\":{\"code\":\"%s\",\"stage\":\"%s\",\"message\":",
                  l2tpc_error_get_code(e), l2tpc_error_get_stage(e));
    (void)l2tpc_error_message(e, NULL, text, sizeof(text));
    put_text(f, text);
    (void)l2tpc_error_hint(e, NULL, text, sizeof(text));
    (void)fputs(",\"hint\":", f);
    put_text(f, text);
    if (l2tpc_error_get_peer_code(e, &peer))
        (void)fprintf(f, ",\"peer_code\":%u", peer);
    else
        (void)fputs(",\"peer_code\":null", f);
    if (l2tpc_error_get_windows_code(e))
        (void)fprintf(f, ",\"windows_code\":%d}", l2tpc_error_get_windows_code(e));
    else
        (void)fputs(",\"windows_code\":null}", f);
}

char *status_json(const l2tpc_status *st)
{
    char *out = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&out, &n);

    if (!f)
        return NULL;
    (void)fputs("{\"schema\":1,\"name\":", f);
    put_text(f, st->name);
    (void)fprintf(f, ",\"state\":\"%s\",\"is_l2tp_in_ipsec\":%s", st->state,
                  st->is_l2tp_in_ipsec ? "true" : "false");
    put_evidence(f, st);
    put_stages(f, st);
    put_details(f, st);
    put_groups(f, st);
    (void)fputs(",\"interface\":", f);
    put_text(f, st->interface_name);
    (void)fputs(",\"since\":", f);
    put_text(f, st->since);
    (void)fputs(",\"rtt_ms\":", f);
    if (st->rtt_ms > 0)
        put_real(f, st->rtt_ms);
    else
        (void)fputs("null", f);
    if (st->failed)
        put_error(f, &st->error);
    (void)fputc('}', f);
    if (fclose(f) == 0)
        return out;
    free(out);
    return NULL;
}

void json_text(FILE *f, const char *text)
{
    put_text(f, text);
}

void json_error(FILE *f, const l2tpc_error *e)
{
    put_error(f, e);
}
