/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stands in for systemd-resolved on a private bus: owns its name and prints what it is told, one
 * call a line. With the argument "refuse" every call ends in an error. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

static int answer(sd_bus_message *m, void *refuse, int rc)
{
    printf("\n");
    if (rc < 0)
        return rc;
    if (refuse)
        return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_FAILED, "refused");
    return sd_bus_reply_method_return(m, "");
}

static int set_dns(sd_bus_message *m, void *refuse, sd_bus_error *error)
{
    int ifindex;
    int family;
    const void *bytes;
    size_t n;
    char text[64];
    int rc;

    (void)error;
    rc = sd_bus_message_read(m, "i", &ifindex);
    printf("SetLinkDNS %d", ifindex);
    if (rc >= 0)
        rc = sd_bus_message_enter_container(m, 'a', "(iay)");
    while (rc >= 0 && (rc = sd_bus_message_enter_container(m, 'r', "iay")) > 0) {
        rc = sd_bus_message_read(m, "i", &family);
        if (rc >= 0)
            rc = sd_bus_message_read_array(m, 'y', &bytes, &n);
        if (rc >= 0)
            printf(" %s", inet_ntop(family, bytes, text, sizeof(text)));
        if (rc >= 0)
            rc = sd_bus_message_exit_container(m);
    }
    return answer(m, refuse, rc);
}

static int set_domains(sd_bus_message *m, void *refuse, sd_bus_error *error)
{
    int ifindex;
    const char *domain;
    int route_only;
    int rc;

    (void)error;
    rc = sd_bus_message_read(m, "i", &ifindex);
    printf("SetLinkDomains %d", ifindex);
    if (rc >= 0)
        rc = sd_bus_message_enter_container(m, 'a', "(sb)");
    while (rc >= 0 && (rc = sd_bus_message_read(m, "(sb)", &domain, &route_only)) > 0)
        printf(" %s%s", route_only ? "~" : "", domain);
    return answer(m, refuse, rc);
}

static int set_default_route(sd_bus_message *m, void *refuse, sd_bus_error *error)
{
    int ifindex = 0;
    int on = 0;
    int rc = sd_bus_message_read(m, "ib", &ifindex, &on);

    (void)error;
    printf("SetLinkDefaultRoute %d %d", ifindex, on);
    return answer(m, refuse, rc);
}

static int revert(sd_bus_message *m, void *refuse, sd_bus_error *error)
{
    int ifindex = 0;
    int rc = sd_bus_message_read(m, "i", &ifindex);

    (void)error;
    printf("RevertLink %d", ifindex);
    return answer(m, refuse, rc);
}

static const sd_bus_vtable methods[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("SetLinkDNS", "ia(iay)", "", set_dns, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("SetLinkDomains", "ia(sb)", "", set_domains, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("SetLinkDefaultRoute", "ib", "", set_default_route, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("RevertLink", "i", "", revert, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

int main(int argc, char **argv)
{
    static char refuse_mark;
    sd_bus *bus = NULL;
    void *refuse = argc > 1 && strcmp(argv[1], "refuse") == 0 ? &refuse_mark : NULL;
    int rc = sd_bus_open_system(&bus);

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (rc >= 0)
        rc = sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/resolve1",
                                      "org.freedesktop.resolve1.Manager", methods, refuse);
    if (rc >= 0)
        rc = sd_bus_request_name(bus, "org.freedesktop.resolve1", 0);
    if (rc >= 0)
        printf("ready\n");
    while (rc >= 0) {
        rc = sd_bus_process(bus, NULL);
        if (rc == 0)
            rc = sd_bus_wait(bus, UINT64_MAX);
    }
    sd_bus_unref(bus);
    return 1;
}
