/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/failure.h"

#include <stdio.h>
#include <string.h>

/* Marks a msgid for xgettext; translation is the shells' business. */
#define N_(s) s

static const struct {
    const char *name, *title;
    int status;
} stages[] = {
#define STAGE(id, name, status, title) [STAGE_##id] = {name, title, status},
#include "base/stage.def"
#undef STAGE
};

static const struct {
    const char *code;
    enum stage stage;
} failures[] = {
    [FAILURE_NONE] = {"none", STAGE_RESOLVE},
#define FAILURE(id, code, stage, windows, sentence, hint) [FAILURE_##id] = {code, STAGE_##stage},
#include "base/failure.def"
#undef FAILURE
};

struct failure failure_make(enum failure_id id)
{
    return (struct failure){.id = id, .stage = failures[id].stage};
}

struct failure failure_timeout(enum failure_id id, const char *waited_for, unsigned sends)
{
    struct failure f = failure_make(id);

    (void)snprintf(f.waited_for, sizeof(f.waited_for), "%s", waited_for);
    f.sends = sends;
    return f;
}

void failure_set_peer_code(struct failure *f, uint32_t code)
{
    f->has_peer_code = true;
    f->peer_code = code;
}

void failure_set_peer_text(struct failure *f, struct span raw)
{
    text_escape(f->peer_text, sizeof(f->peer_text), raw);
}

void failure_set_value(struct failure *f, struct span raw)
{
    text_escape(f->value, sizeof(f->value), raw);
}

void failure_set_expected(struct failure *f, struct span raw)
{
    text_escape(f->expected, sizeof(f->expected), raw);
}

const char *stage_name(enum stage s)
{
    return (unsigned)s < ARRAY_LEN(stages) ? stages[s].name : "?";
}

const char *stage_title(enum stage s)
{
    return (unsigned)s < ARRAY_LEN(stages) ? stages[s].title : "?";
}

int stage_exit_status(enum stage s)
{
    return (unsigned)s < ARRAY_LEN(stages) ? stages[s].status : 1;
}

bool stage_parse(enum stage *out, const char *name)
{
    for (unsigned i = 0; i < ARRAY_LEN(stages); i++) {
        if (strcmp(stages[i].name, name) == 0) {
            *out = (enum stage)i;
            return true;
        }
    }
    return false;
}

const char *failure_code(enum failure_id id)
{
    return (unsigned)id < ARRAY_LEN(failures) ? failures[id].code : "?";
}
