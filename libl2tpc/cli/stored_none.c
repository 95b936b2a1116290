/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same without libl2tpc-profile: says so. */
#include "cli/stored.h"

static int missing(void)
{
    complain(_("This l2tpc was built without profiles (libl2tpc-profile)."));
    return EXIT_USAGE;
}

int stored_into_options(const char *which, struct connect_options *o)
{
    (void)which;
    (void)o;
    return missing();
}

const struct secret_bytes *stored_secret(const struct stored *s, int kind)
{
    static const struct secret_bytes none;

    (void)s;
    (void)kind;
    return &none;
}

const char *stored_path(const struct stored *s)
{
    (void)s;
    return NULL;
}

const char *stored_uuid(const struct stored *s)
{
    (void)s;
    return NULL;
}

void stored_forget_secrets(struct stored *s)
{
    (void)s;
}

void stored_free(struct stored *s)
{
    (void)s;
}

int cmd_import(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return missing();
}

int cmd_export(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return missing();
}

int cmd_migrate(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return missing();
}
