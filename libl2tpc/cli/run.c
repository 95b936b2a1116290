/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* l2tpc run: one command whose network is the tunnel, for users without any right. */
#include "cli/cli.h"
#include "cli/room.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* What is in the way of most people, by the step that failed. */
static const char *advice(const struct room *r)
{
    if (strncmp(r->error, "/dev/net/tun", 12) == 0)
        return _("Users need to be able to open /dev/net/tun (mode 0666), as udev sets it up.");
    return _("The system may forbid user namespaces: see kernel.unprivileged_userns_clone, "
             "user.max_user_namespaces and kernel.apparmor_restrict_unprivileged_userns.");
}

int cmd_run(int argc, char **argv)
{
    struct connect_options options;
    struct room room;
    char name[24];
    int status = connect_options_parse(argc, argv, true, &options);

    if (status != 0)
        return status < 0 ? 0 : status;
    if (!options.name) {
        (void)snprintf(name, sizeof(name), "run-%ld", (long)getpid());
        options.name = name;
        options.no_memory = true; /* nobody will ask for this name again */
    }
    /* UDP needs no right, protocol 50 does. */
    if (options.encapsulation && strcmp(options.encapsulation, "esp") == 0) {
        complain(_("--encapsulation esp needs rights that l2tpc run does without."));
        return EXIT_USAGE;
    }
    options.encapsulation = "udp";
    /* What the command inherits it may read again from its start. */
    if (options.secrets_fd > STDERR_FILENO)
        (void)fcntl(options.secrets_fd, F_SETFD, FD_CLOEXEC);
    if (!room_open(&room)) {
        complain(_("No network for the command could be made: %s."), room.error);
        complain("%s", advice(&room));
        room_close(&room);
        return EXIT_LOCAL;
    }
    status = connect_with(&options, &room);
    room_close(&room);
    return status;
}
