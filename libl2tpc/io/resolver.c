/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/resolver.h"

#include "dial/dial.h"
#include "io/env.h"
#include "io/sockaddr.h"

#include <errno.h>
#include <locale.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 255
#define PAST_WAIT US_S(2) /* less than RESOLVE_AGAIN_WAIT: the system is asked as well */

struct resolve {
    resolve_fn fn;
    char name[NAME_MAX_LEN + 1];
    struct inaddr addresses[DIAL_ADDRESSES_MAX];
    unsigned n;
    struct failure failure;
    struct dns_servers servers; /* none: the system's resolver alone */
    struct port_options ports;
};

static void resolve_add(struct resolve *r, const struct inaddr *a)
{
    for (unsigned i = 0; i < r->n; i++)
        if (inaddr_eq(&r->addresses[i], a))
            return;
    if (r->n < DIAL_ADDRESSES_MAX)
        r->addresses[r->n++] = *a;
}

static struct failure failure_of(const char *name, int code, int os_error)
{
    struct failure f;

    switch (code) {
    case EAI_AGAIN:
    case EAI_FAIL:
        f = failure_make(FAILURE_RESOLVE_TEMPORARY);
        break;
    case EAI_SYSTEM:
        f = failure_make(FAILURE_RESOLVE_TEMPORARY);
        f.os_error = os_error;
        break;
    case EAI_MEMORY:
        f = failure_make(FAILURE_LOCAL_MEMORY);
        break;
    default:
        f = failure_make(FAILURE_RESOLVE_NOT_FOUND);
        break;
    }
    failure_set_value(&f, span_str(name));
    return f;
}

static bool is_ascii(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s >= 0x80)
            return false;
    return true;
}

static void look_up_by_system(struct resolve *r)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *list = NULL;
    locale_t utf8 = (locale_t)0;
    int code;

    if (!is_ascii(r->name)) {
        /* AI_IDN reads the name in the character set of the thread's locale. */
        utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
        if (utf8)
            (void)uselocale(utf8);
        hints.ai_flags |= AI_IDN;
    }
    code = getaddrinfo(r->name, NULL, &hints, &list);
    if (code != 0)
        r->failure = failure_of(r->name, code, errno);
    for (const struct addrinfo *i = code == 0 ? list : NULL; i; i = i->ai_next) {
        union sockaddr_any sa = {0};
        struct endpoint e;

        if (i->ai_addrlen > sizeof(sa))
            continue;
        memcpy(&sa, i->ai_addr, i->ai_addrlen);
        if (sockaddr_read(&sa, &e))
            resolve_add(r, &e.addr);
    }
    if (code == 0 && r->n == 0)
        r->failure = failure_of(r->name, EAI_NONAME, 0);
    if (code == 0)
        freeaddrinfo(list);
    if (utf8) {
        (void)uselocale(LC_GLOBAL_LOCALE);
        freelocale(utf8);
    }
}

static void look_up(void *block)
{
    struct resolve *r = block;

    if (r->servers.n > 0)
        r->n = dns_look_up(&r->servers, &r->ports, r->name, us_add(io_now(), PAST_WAIT),
                           r->addresses, DIAL_ADDRESSES_MAX);
    if (r->n == 0)
        look_up_by_system(r);
}

static void answer(void *user, void *block)
{
    struct resolve *r = block;

    r->fn(user, r->addresses, r->n, r->n > 0 ? NULL : &r->failure);
}

/* "192.0.2.1", "2001:db8::1", "[2001:db8::1]" */
static bool read_literal(const char *name, struct inaddr *out)
{
    char inner[ADDR_TEXT_MAX];
    size_t n = strlen(name);

    if (n < 2 || name[0] != '[' || name[n - 1] != ']')
        return inaddr_parse(out, name);
    if (n - 2 >= sizeof(inner))
        return false;
    memcpy(inner, name + 1, n - 2);
    inner[n - 2] = '\0';
    return inaddr_parse(out, inner) && out->family == 6;
}

/* What cannot be a host name: the resolver would look for it all the same. */
static bool bad_name(const char *name)
{
    size_t n = strlen(name);

    if (n == 0 || n > NAME_MAX_LEN)
        return true;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)name[i] <= ' ' || name[i] == 0x7f || strchr("/[]%@:", name[i]))
            return true;
    return !text_is_utf8(span_str(name));
}

/* An answer that needs no look-up. */
static bool answer_at_once(struct resolve *r, const char *name)
{
    struct inaddr literal;

    if (read_literal(name, &literal)) {
        resolve_add(r, &literal);
        return true;
    }
    if (!bad_name(name))
        return false;
    r->failure = failure_make(FAILURE_RESOLVE_BAD_NAME);
    failure_set_value(&r->failure, span_str(name));
    return true;
}

struct work *resolve_start_past(struct loop *loop, const char *name,
                                const struct dns_servers *servers, const struct port_options *ports,
                                resolve_fn fn, void *user)
{
    static const struct work_verbs verbs = {.run = look_up, .done = answer, .free = free};
    static const struct work_verbs known = {.done = answer, .free = free};
    struct resolve *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->fn = fn;
    r->servers = *servers;
    r->ports = *ports;
    if (answer_at_once(r, name))
        return work_start(loop, &known, r, user);
    memcpy(r->name, name, strlen(name) + 1);
    return work_start(loop, &verbs, r, user);
}

struct work *resolve_start(struct loop *loop, const char *name, resolve_fn fn, void *user)
{
    const struct dns_servers nobody = {.n = 0};
    const struct port_options none = {.has_mark = false};

    return resolve_start_past(loop, name, &nobody, &none, fn, user);
}
