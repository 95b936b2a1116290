/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/snapshot.h"
#include "model/words.h"

#include <l2tpc.h>
#include <string.h>

struct L2dSnapshot {
    grefcount references;
    L2dState state;
    gboolean proven;
    GHashTable *values; /* path -> text */
    GPtrArray *evidence, *stages;
    L2dFailure *failure;
    JsonNode *source; /* NULL: nobody has said anything */
};

G_DEFINE_BOXED_TYPE(L2dSnapshot, l2d_snapshot, l2d_snapshot_ref, l2d_snapshot_unref)

static void evidence_free(gpointer data)
{
    L2dEvidence *e = data;

    g_free(e->code);
    g_free(e->sentence);
    g_free(e->value);
    g_free(e->observer);
    g_free(e);
}

static void stage_free(gpointer data)
{
    L2dStage *s = data;

    g_free(s->name);
    g_free(s);
}

static void failure_free(L2dFailure *f)
{
    if (!f)
        return;
    g_free(f->code);
    g_free(f->stage);
    g_free(f->sentence);
    g_free(f->hint);
    g_free(f);
}

L2dSnapshot *l2d_snapshot_new_for_state(L2dState state)
{
    L2dSnapshot *s = g_new0(L2dSnapshot, 1);

    g_ref_count_init(&s->references);
    s->state = state;
    s->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    s->evidence = g_ptr_array_new_with_free_func(evidence_free);
    s->stages = g_ptr_array_new_with_free_func(stage_free);
    return s;
}

L2dSnapshot *l2d_snapshot_ref(L2dSnapshot *s)
{
    g_ref_count_inc(&s->references);
    return s;
}

void l2d_snapshot_unref(L2dSnapshot *s)
{
    if (!s || !g_ref_count_dec(&s->references))
        return;
    g_hash_table_unref(s->values);
    g_ptr_array_unref(s->evidence);
    g_ptr_array_unref(s->stages);
    failure_free(s->failure);
    g_clear_pointer(&s->source, json_node_unref);
    g_free(s);
}

/* Members that are missing, or of another kind than we expect, count as unknown: the other end may
 * be older or newer than we are. */
static const char *text_member(JsonObject *o, const char *name)
{
    JsonNode *n = json_object_get_member(o, name);

    if (!n || !JSON_NODE_HOLDS_VALUE(n) || json_node_get_value_type(n) != G_TYPE_STRING)
        return "";
    return json_node_get_string(n);
}

static gint64 number_member(JsonObject *o, const char *name)
{
    JsonNode *n = json_object_get_member(o, name);

    if (!n || !JSON_NODE_HOLDS_VALUE(n) || json_node_get_value_type(n) != G_TYPE_INT64)
        return -1;
    return json_node_get_int(n);
}

static double real_member(JsonObject *o, const char *name)
{
    JsonNode *n = json_object_get_member(o, name);

    return n && JSON_NODE_HOLDS_VALUE(n) ? json_node_get_double(n) : 0;
}

static gboolean true_member(JsonObject *o, const char *name)
{
    JsonNode *n = json_object_get_member(o, name);

    return n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_boolean(n);
}

static JsonArray *list_member(JsonObject *o, const char *name)
{
    JsonNode *n = json_object_get_member(o, name);

    return n && JSON_NODE_HOLDS_ARRAY(n) ? json_node_get_array(n) : NULL;
}

static JsonObject *object_at(JsonArray *list, guint i)
{
    JsonNode *n = json_array_get_element(list, i);

    return JSON_NODE_HOLDS_OBJECT(n) ? json_node_get_object(n) : NULL;
}

static char *list_text(JsonArray *list)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < json_array_get_length(list); i++) {
        JsonNode *n = json_array_get_element(list, i);

        if (!JSON_NODE_HOLDS_VALUE(n) || json_node_get_value_type(n) != G_TYPE_STRING)
            continue;
        if (text->len)
            g_string_append_c(text, '\n');
        g_string_append(text, json_node_get_string(n));
    }
    return g_string_free(text, FALSE);
}

static char *value_text(JsonNode *n)
{
    if (JSON_NODE_HOLDS_ARRAY(n))
        return list_text(json_node_get_array(n));
    if (!JSON_NODE_HOLDS_VALUE(n))
        return NULL;
    switch (json_node_get_value_type(n)) {
    case G_TYPE_STRING:
        return g_strdup(json_node_get_string(n));
    case G_TYPE_BOOLEAN:
        return g_strdup(json_node_get_boolean(n) ? "yes" : "no");
    case G_TYPE_INT64:
        return g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(n));
    case G_TYPE_DOUBLE:
        return g_strdup_printf("%.1f", json_node_get_double(n));
    default:
        return NULL;
    }
}

static void take_value(L2dSnapshot *s, char *path, JsonNode *n)
{
    char *text = value_text(n);

    if (text && *text)
        g_hash_table_insert(s->values, g_steal_pointer(&path), g_steal_pointer(&text));
    g_free(path);
    g_free(text);
}

static void take_members(L2dSnapshot *s, JsonObject *o)
{
    JsonObjectIter groups;
    JsonObjectIter keys;
    const char *group;
    const char *key;
    JsonNode *n;
    JsonNode *v;

    json_object_iter_init(&groups, o);
    while (json_object_iter_next(&groups, &group, &n)) {
        if (!JSON_NODE_HOLDS_OBJECT(n)) {
            if (JSON_NODE_HOLDS_VALUE(n))
                take_value(s, g_strdup(group), n);
            continue;
        }
        json_object_iter_init(&keys, json_node_get_object(n));
        while (json_object_iter_next(&keys, &key, &v))
            take_value(s, g_strdup_printf("%s.%s", group, key), v);
    }
}

static void take_evidence(L2dSnapshot *s, JsonArray *list)
{
    for (guint i = 0; list && i < json_array_get_length(list); i++) {
        JsonObject *o = object_at(list, i);
        L2dEvidence *e;

        if (!o)
            continue;
        e = g_new0(L2dEvidence, 1);
        e->code = g_strdup(text_member(o, "code"));
        e->sentence = g_strdup(text_member(o, "sentence"));
        e->value = g_strdup(text_member(o, "value"));
        e->observer = g_strdup(text_member(o, "observer"));
        e->ok = true_member(o, "ok");
        g_ptr_array_add(s->evidence, e);
    }
}

static void take_stages(L2dSnapshot *s, JsonArray *list)
{
    for (guint i = 0; list && i < json_array_get_length(list); i++) {
        JsonObject *o = object_at(list, i);
        L2dStage *stage;

        if (!o)
            continue;
        stage = g_new0(L2dStage, 1);
        stage->name = g_strdup(text_member(o, "stage"));
        stage->ms = real_member(o, "ms");
        g_ptr_array_add(s->stages, stage);
    }
}

static L2dFailure *take_failure(JsonNode *n)
{
    JsonObject *o = n && JSON_NODE_HOLDS_OBJECT(n) ? json_node_get_object(n) : NULL;
    L2dFailure *f;

    if (!o)
        return NULL;
    f = g_new0(L2dFailure, 1);
    f->code = g_strdup(text_member(o, "code"));
    f->stage = g_strdup(text_member(o, "stage"));
    f->sentence = l2d_words_failure(f->code, FALSE, text_member(o, "message"));
    f->hint = l2d_words_failure(f->code, TRUE, text_member(o, "hint"));
    f->peer_code = number_member(o, "peer_code");
    f->windows_code = number_member(o, "windows_code");
    return f;
}

static L2dState state_named(const char *name)
{
    static const char *const names[] = {
        [L2D_STATE_OFF] = "down",        [L2D_STATE_DIALING] = "dialing",
        [L2D_STATE_UP] = "up",           [L2D_STATE_RECONNECTING] = "reconnecting",
        [L2D_STATE_CLOSING] = "closing", [L2D_STATE_FAILED] = "failed",
    };

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(names[i], name) == 0)
            return (L2dState)i;
    return L2D_STATE_OFF;
}

/* While a tunnel is on its way back the status has the code of what broke it, without what stood in
 * the places of its sentence. */
static L2dFailure *interruption(const char *code)
{
    l2tpc_explanation row = {.size = sizeof(row)};
    gboolean known = l2tpc_explain(code, &row) == L2TPC_OK;
    L2dFailure *f;

    if (!*code)
        return NULL;
    f = g_new0(L2dFailure, 1);
    f->code = g_strdup(code);
    f->stage = g_strdup("");
    f->sentence = g_strdup(known && !strchr(row.sentence, '{') ? _(row.sentence)
                                                               : _("The tunnel was interrupted."));
    f->hint = g_strdup(_("It is being made again by itself."));
    f->peer_code = f->windows_code = -1;
    return f;
}

L2dSnapshot *l2d_snapshot_new_from_json(JsonObject *o)
{
    L2dSnapshot *s;

    if (!json_object_has_member(o, "state"))
        return NULL;
    s = l2d_snapshot_new_for_state(state_named(text_member(o, "state")));
    s->proven = true_member(o, "is_l2tp_in_ipsec");
    take_members(s, o);
    take_evidence(s, list_member(o, "evidence"));
    take_stages(s, list_member(o, "stages"));
    s->failure = take_failure(json_object_get_member(o, "error"));
    if (!s->failure && s->state == L2D_STATE_RECONNECTING)
        s->failure = interruption(l2d_snapshot_get(s, "recovery.last_failure"));
    s->source = json_node_new(JSON_NODE_OBJECT);
    json_node_set_object(s->source, o);
    return s;
}

L2dState l2d_snapshot_get_state(const L2dSnapshot *s)
{
    return s->state;
}

gboolean l2d_snapshot_is_proven(const L2dSnapshot *s)
{
    return s->proven;
}

const char *l2d_snapshot_get(const L2dSnapshot *s, const char *path)
{
    const char *text = g_hash_table_lookup(s->values, path);

    return text ? text : "";
}

guint64 l2d_snapshot_get_number(const L2dSnapshot *s, const char *path)
{
    return g_ascii_strtoull(l2d_snapshot_get(s, path), NULL, 10);
}

GPtrArray *l2d_snapshot_get_evidence(const L2dSnapshot *s)
{
    return s->evidence;
}

GPtrArray *l2d_snapshot_get_stages(const L2dSnapshot *s)
{
    return s->stages;
}

const L2dFailure *l2d_snapshot_get_failure(const L2dSnapshot *s)
{
    return s->failure;
}

char *l2d_snapshot_to_json(const L2dSnapshot *s)
{
    return s->source ? json_to_string(s->source, TRUE) : g_strdup("{}");
}

static void put_line(GString *out, const char *title, const char *text)
{
    g_autofree char *one = g_strdelimit(g_strdup(text), "\n", ' ');

    if (*text)
        g_string_append_printf(out, "%s: %s\n", title, one);
}

char *l2d_snapshot_to_text(const L2dSnapshot *s)
{
    l2tpc_status_field f = {.size = sizeof(f)};
    GString *out = g_string_new(NULL);
    const char *group = "";

    put_line(out, l2d_snapshot_get(s, "name"), l2d_words_state(s->state));
    g_string_append_printf(out, "%s\n",
                           s->proven ? _("This is L2TP inside IPsec")
                                     : _("This is not proven to be L2TP inside IPsec"));
    for (guint i = 0; i < s->evidence->len; i++) {
        const L2dEvidence *e = g_ptr_array_index(s->evidence, i);

        g_string_append_printf(out, "%s %s", e->ok ? "+" : "-", _(e->sentence));
        if (*e->value)
            g_string_append_printf(out, ": %s", e->value);
        g_string_append_c(out, '\n');
    }
    for (unsigned i = 0; l2tpc_status_field_at(i, &f) == L2TPC_OK; i++) {
        g_autofree char *text = l2d_words_value(s, f.path);

        if (*text && g_strcmp0(group, f.group) != 0) {
            g_string_append_printf(out, "\n%s\n", _(f.group_title));
            group = f.group;
        }
        put_line(out, _(f.title), text);
    }
    for (guint i = 0; i < s->stages->len; i++) {
        const L2dStage *stage = g_ptr_array_index(s->stages, i);
        const char *title = l2tpc_stage_title(stage->name);
        g_autofree char *time = l2d_words_time(stage->ms);

        if (i == 0)
            g_string_append_c(out, '\n');
        put_line(out, title ? _(title) : stage->name, time);
    }
    return g_string_free(out, FALSE);
}
