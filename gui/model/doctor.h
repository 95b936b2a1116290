/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finds out where a connection breaks. Whoever can ask more than what is recorded is another
 * subclass; the window knows this class alone.
 */
#ifndef L2D_DOCTOR_H
#define L2D_DOCTOR_H

#include "model/diagnosis.h"
#include "model/profile.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define L2D_TYPE_DOCTOR (l2d_doctor_get_type())
G_DECLARE_DERIVABLE_TYPE(L2dDoctor, l2d_doctor, L2D, DOCTOR, GObject)

struct _L2dDoctorClass {
    GObjectClass parent_class;
    /* Owns the task (source: the doctor) and returns an L2dDiagnosis, at once or later. */
    void (*examine)(L2dDoctor *doctor, L2dProfile *profile, GTask *task);
};

void l2d_doctor_examine(L2dDoctor *doctor, L2dProfile *profile, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user);
L2dDiagnosis *l2d_doctor_examine_finish(L2dDoctor *doctor, GAsyncResult *result, GError **error);

/* Goes by what the last dial has left: its stages, its failure and its status. It asks nobody. */
L2dDoctor *l2d_record_doctor_new(void);

G_END_DECLS

#endif
