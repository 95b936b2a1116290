/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A back end for tests and pictures that replays what a file holds; no release has it. */
#ifndef L2D_FAKE_BACKEND_H
#define L2D_FAKE_BACKEND_H

#include "model/backend.h"

/*
 * The file: {"trouble": text, "profiles": [{"uuid", "name", "server", "user", "psk", "password",
 * "now": status, "since_ago_s": number, "dial": [step...], "rates": [[in, out]...],
 * "history": [[in, out]...]}]}. A step: {"after_ms": number} with "status": status, or with
 * "secrets": {"message", "again", "fields": [{"key", "kind", "label", "keep", "expect"}]}.
 */
L2dBackend *l2d_fake_backend_new(const char *path);

#endif
