/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/thread.h"

#include <signal.h>

bool thread_start(pthread_t *out, const pthread_attr_t *attr, void *(*fn)(void *), void *user)
{
    sigset_t all;
    sigset_t before;
    bool ok;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* a new thread inherits it */
    ok = pthread_create(out, attr, fn, user) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}
