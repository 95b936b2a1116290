/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The back end of a computer that has no service for us: it says so. */
#ifndef L2D_NONE_BACKEND_H
#define L2D_NONE_BACKEND_H

#include "model/backend.h"

L2dBackend *l2d_none_backend_new(void);
/* What it says, translated. */
const char *l2d_none_backend_sentence(void);

#endif
