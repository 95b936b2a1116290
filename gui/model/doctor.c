/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/doctor.h"
#include "model/words.h"

#include <l2tpc.h>
#include <string.h>

G_DEFINE_ABSTRACT_TYPE(L2dDoctor, l2d_doctor, G_TYPE_OBJECT)

static void l2d_doctor_class_init(L2dDoctorClass *class)
{
    (void)class;
}

static void l2d_doctor_init(L2dDoctor *doctor)
{
    (void)doctor;
}

void l2d_doctor_examine(L2dDoctor *doctor, L2dProfile *profile, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user)
{
    L2D_DOCTOR_GET_CLASS(doctor)->examine(doctor, profile,
                                          g_task_new(doctor, cancellable, callback, user));
}

L2dDiagnosis *l2d_doctor_examine_finish(L2dDoctor *doctor, GAsyncResult *result, GError **error)
{
    g_return_val_if_fail(g_task_is_valid(result, doctor), NULL);
    return g_task_propagate_pointer(G_TASK(result), error);
}

/* ---- by the record of the last dial ---- */

#define L2D_TYPE_RECORD_DOCTOR (l2d_record_doctor_get_type())
G_DECLARE_FINAL_TYPE(L2dRecordDoctor, l2d_record_doctor, L2D, RECORD_DOCTOR, L2dDoctor)

struct _L2dRecordDoctor {
    L2dDoctor parent;
};

G_DEFINE_TYPE(L2dRecordDoctor, l2d_record_doctor, L2D_TYPE_DOCTOR)

/* What is asked of the record. */
struct record {
    L2dSnapshot *snapshot;
    const L2dFailure *failure; /* NULL: nothing failed */
    int failed;                /* number of its stage; behind the last when there is none */
    gboolean local, answered;
};

static int number_of(const char *stage)
{
    const char *at;
    int i = 0;

    while ((at = l2tpc_stage_at((unsigned)i)) && strcmp(at, stage) != 0)
        i++;
    return i;
}

static L2dStage *begun(const struct record *r, const char *stage)
{
    GPtrArray *all = l2d_snapshot_get_stages(r->snapshot);

    for (guint i = 0; i < all->len; i++) {
        L2dStage *s = g_ptr_array_index(all, i);

        if (g_str_equal(s->name, stage))
            return s;
    }
    return NULL;
}

/* The titles of stages that belong together begin with the name of their layer and a colon. */
static char *layer_of(const char *stage)
{
    const char *title = l2tpc_stage_title(stage);
    const char *colon = title ? strchr(title, ':') : NULL;

    return colon ? g_strndup(title, (gsize)(colon - title)) : NULL;
}

static gboolean is_silence(const char *code)
{
    return g_str_has_suffix(code, ".no-answer") || g_str_has_suffix(code, ".unreachable") ||
           g_str_has_suffix(code, ".cut-off") || g_str_has_prefix(code, "resolve.");
}

static struct record read_record(L2dSnapshot *snapshot)
{
    struct record r = {.snapshot = snapshot, .failure = l2d_snapshot_get_failure(snapshot)};
    g_autofree char *layer = NULL;
    int first = 0;

    while (l2tpc_stage_at((unsigned)first) && !(layer = layer_of(l2tpc_stage_at((unsigned)first))))
        first++;
    r.failed = number_of(r.failure ? r.failure->stage : "");
    r.local = r.failure && g_str_has_prefix(r.failure->code, "local.");
    /* Whoever got past the first stage with the server has heard of it. */
    r.answered = r.failure ? r.failed > first ||
                                 (r.failed == first && !r.local && !is_silence(r.failure->code))
                           : l2d_snapshot_get_stages(snapshot)->len > (guint)first + 1;
    if (r.failure && !*r.failure->stage) /* nobody knows how far it came */
        r.answered = FALSE;
    return r;
}

static void add_layer(L2dDiagnosis *d, const struct record *r, char *title, int from, int to)
{
    L2dStepState state = L2D_STEP_PASSED;
    g_autofree char *evidence = NULL;
    double ms = 0;

    for (int i = from; i < to; i++) {
        L2dStage *s = begun(r, l2tpc_stage_at((unsigned)i));

        if (!s || i >= r->failed)
            state = L2D_STEP_UNKNOWN;
        else
            ms += s->ms;
    }
    if (r->failure && !r->local && r->failed >= from && r->failed < to)
        state = L2D_STEP_FAILED;
    if (state == L2D_STEP_PASSED) {
        g_autofree char *time = l2d_words_time(ms);

        /* TRANSLATORS: %s is a time, as 17 ms. */
        evidence = g_strdup_printf(_("Done in %s."), time);
    } else if (state == L2D_STEP_FAILED) {
        const char *stage = l2tpc_stage_title(r->failure->stage);

        /* TRANSLATORS: %s is the title of a stage. */
        evidence = g_strdup_printf(_("It ended at this stage: %s."), _(stage));
    } else {
        evidence = g_strdup(_("It was not reached."));
    }
    l2d_diagnosis_add_layer(d, title, state, evidence);
}

static void add_layers(L2dDiagnosis *d, const struct record *r)
{
    g_autofree char *layer = NULL;
    const char *stage;
    int from = 0;
    int i = 0;

    for (; (stage = l2tpc_stage_at((unsigned)i)); i++) {
        g_autofree char *next = layer_of(stage);

        if (g_strcmp0(layer, next) == 0)
            continue;
        if (layer)
            add_layer(d, r, g_steal_pointer(&layer), from, i);
        g_free(layer);
        layer = g_steal_pointer(&next);
        from = i;
    }
    if (layer)
        add_layer(d, r, g_steal_pointer(&layer), from, i);
}

static void add_places(L2dDiagnosis *d, const struct record *r)
{
    const char *code = r->failure ? r->failure->code : "";
    gboolean lookup = g_str_has_prefix(code, "resolve.");
    gboolean no_way = g_str_has_suffix(code, ".unreachable") || lookup;
    L2dStepState beyond = r->answered ? L2D_STEP_PASSED : L2D_STEP_UNKNOWN;
    const char *passed = _("Packets went out, and answers came back.");
    const char *unknown = _("Nothing came back that could tell.");

    l2d_diagnosis_add_place(
        d, _("This computer"), "computer-symbolic", r->local ? L2D_STEP_FAILED : L2D_STEP_PASSED,
        r->local ? r->failure->sentence : _("It did everything that it has to do for the dial."));
    l2d_diagnosis_add_place(d, _("First hop"), "network-wired-symbolic", beyond,
                            r->answered ? passed : unknown);
    l2d_diagnosis_add_place(d, _("Network"), "network-workgroup-symbolic",
                            no_way ? L2D_STEP_FAILED : beyond,
                            lookup        ? _("It could not tell the address of the server.")
                            : no_way      ? _("It says that the server cannot be reached.")
                            : r->answered ? passed
                                          : unknown);
    l2d_diagnosis_add_place(d, _("Server"), "network-server-symbolic",
                            r->answered                   ? L2D_STEP_PASSED
                            : is_silence(code) && !no_way ? L2D_STEP_FAILED
                                                          : L2D_STEP_UNKNOWN,
                            r->answered                   ? _("It answered.")
                            : is_silence(code) && !no_way ? _("It did not answer.")
                                                          : unknown);
}

static void add_number(L2dDiagnosis *d, const char *title, gint64 number)
{
    g_autofree char *text = number >= 0 ? g_strdup_printf("%" G_GINT64_FORMAT, number) : NULL;

    l2d_diagnosis_add_fact(d, title, text ? text : "");
}

static void add_facts(L2dDiagnosis *d, const struct record *r)
{
    GPtrArray *stages = l2d_snapshot_get_stages(r->snapshot);
    GPtrArray *evidence = l2d_snapshot_get_evidence(r->snapshot);
    const L2dStage *last = stages->len ? g_ptr_array_index(stages, stages->len - 1) : NULL;
    l2tpc_status_field f = {.size = sizeof(f)};

    if (r->failure) {
        l2d_diagnosis_add_fact(d, _("Code of the failure"), r->failure->code);
        add_number(d, _("The server's number for it"), r->failure->peer_code);
        add_number(d, _("Windows' number for it"), r->failure->windows_code);
    }
    if (last && r->failure) {
        g_autofree char *time = l2d_words_time(last->ms);

        l2d_diagnosis_add_fact(d, _("Time at the last stage"), time);
    }
    for (guint i = 0; i < evidence->len; i++) {
        const L2dEvidence *e = g_ptr_array_index(evidence, i);

        if (e->ok)
            l2d_diagnosis_add_fact(d, _(e->sentence), *e->value ? e->value : _("yes"));
    }
    /* What is known of the way, in the order and the words of the status: its first groups. */
    for (unsigned i = 0; l2tpc_status_field_at(i, &f) == L2TPC_OK; i++) {
        static const char *const groups[] = {"server", "local", "nat", NULL};

        if (g_strv_contains(groups, f.group)) {
            g_autofree char *value = l2d_words_value(r->snapshot, f.path);

            l2d_diagnosis_add_fact(d, _(f.title), value);
        }
    }
}

static void diagnosis_free(gpointer data)
{
    l2d_diagnosis_free(data);
}

static void examine(L2dDoctor *doctor, L2dProfile *profile, GTask *task)
{
    L2dTunnel *t = l2d_profile_get_tunnel(profile);
    struct record r;
    L2dDiagnosis *d;

    (void)doctor;
    if (t) {
        r = read_record(l2d_tunnel_get_snapshot(t));
        d = l2d_diagnosis_new(r.failure ? r.failure->sentence : "",
                              r.failure ? r.failure->hint : "");
        add_places(d, &r);
        add_layers(d, &r);
        add_facts(d, &r);
        g_task_return_pointer(task, d, diagnosis_free);
    } else {
        g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "%s",
                                _("This connection has not been dialed yet."));
    }
    g_object_unref(task);
}

static void l2d_record_doctor_class_init(L2dRecordDoctorClass *class)
{
    L2D_DOCTOR_CLASS(class)->examine = examine;
}

static void l2d_record_doctor_init(L2dRecordDoctor *self)
{
    (void)self;
}

L2dDoctor *l2d_record_doctor_new(void)
{
    return g_object_new(L2D_TYPE_RECORD_DOCTOR, NULL);
}
