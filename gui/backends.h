/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which back end serves this computer. */
#ifndef L2D_BACKENDS_H
#define L2D_BACKENDS_H

#include "model/backend.h"

/* Never NULL: one that can do nothing says why. */
L2dBackend *l2d_backends_choose(void);

#endif
