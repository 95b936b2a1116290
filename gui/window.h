/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The list of connections beside the page of the chosen one. */
#ifndef L2D_WINDOW_H
#define L2D_WINDOW_H

#include "application.h"

G_BEGIN_DECLS

#define L2D_TYPE_WINDOW (l2d_window_get_type())
G_DECLARE_FINAL_TYPE(L2dWindow, l2d_window, L2D, WINDOW, AdwApplicationWindow)

L2dWindow *l2d_window_new(L2dApplication *application);
void l2d_window_show(L2dWindow *window, L2dProfile *profile);
/* Shows it as soon as the list has it. */
void l2d_window_expect(L2dWindow *window, const char *uuid);
/* Shows the profile and connects it; what goes wrong is said in the window. */
void l2d_window_dial(L2dWindow *window, L2dProfile *profile);
void l2d_window_hang_up(L2dWindow *window, L2dProfile *profile);
/* Lets the user choose files. */
void l2d_window_import(L2dWindow *window);
void l2d_window_import_files(L2dWindow *window, GFile **files, guint n_files);
void l2d_window_say(L2dWindow *window, const char *sentence);
/* Asks for what a dial needs, where the profile is shown. */
void l2d_window_ask(L2dWindow *window, L2dProfile *profile, L2dSecretRequest *request);
/* A bar above the list, which stays until it is read. */
void l2d_window_add_bar(L2dWindow *window, GtkWidget *bar);
/* Of a dialog: Escape closes it. */
void l2d_window_close_by_escape(GtkWidget *dialog);
L2dBackend *l2d_window_get_backend(L2dWindow *window);

G_END_DECLS

#endif
