/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The four processes of a dial, for a front that root has started: it forks the signer (key, names,
 * revocation), the engine (talks to the server) and the broker (root; changes this computer), keeps
 * an end of each one's conversation, and gives up its own rights. Nothing here knows options: a
 * front of another kind - a service - brings its config and its policy in the same way.
 */
#ifndef L2TPC_CLI_PROCESSES_H
#define L2TPC_CLI_PROCESSES_H

#include <l2tpc-host.h>
#include <l2tpc.h>

#include <stdbool.h>
#include <sys/types.h>

/* Sanitizers look into their own process at its end, and have something to say. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* What a front brings. All of it outlives the forks; the calls run in the new processes. */
struct processes_wish {
    void *user;
    /* Without secrets, but for what in_signer puts into the signer's copy. */
    l2tpc_config *config;
    /*
     * In the signer, with the rights of who started it: certificate, key and CAs into `config`. 0,
     * or the exit status of the program, after a sentence.
     */
    int (*in_signer)(void *user);
    bool uses_token; /* its middleware wants the user's own files and sockets */
    /* In the engine, with root's rights still: who serves what the session needs by `broker_fd`,
     * and what is to be in its context. */
    void (*in_engine)(void *user, int broker_fd, l2tpc_host_ops *out);
    void (*with_context)(void *user, l2tpc_context *context);
    void (*log)(void *user, int level, const char *module, const char *line);
    unsigned data_threads; /* of the engine */
    /* In the broker: wipes what is not its own; and at its end, when all is undone. */
    void (*in_broker)(void *user);
    void (*at_end)(void *user);
    int lock_fd; /* the broker holds on to it; -1: none */
    const char *run_dir, *state_dir;
    /* What the tunnel may do, and the user: see processes_policies(). */
    l2tpc_host_policy policy;
    const uid_t *owner; /* whose token it is; NULL: of who is behind root, privileges_owner() */
};

struct processes {
    pid_t signer, engine, broker; /* 0: none */
    /* The front's ends; -1: not there, or handed over. The front's context serves
     * L2TPC_NEED_OBSERVER_READ by the broker's, or nothing proves the tunnel. */
    int signer_fd, engine_fd, broker_fd;
    int link[2];          /* between signer and engine, until both are there */
    int engine_broker[2]; /* the engine's door, until the broker is there */
    int signer_broker[2]; /* the signer's */
    int front_broker[2];
};

/*
 * Before any thread, and before any secret is read: signer and engine. 0, or an exit status after
 * in_signer() has said why; -1 with errno.
 */
int processes_start(struct processes *p, const struct processes_wish *w);
/* The broker, which ends when the front does, and then the others with it. False with errno. */
bool processes_start_broker(struct processes *p, const struct processes_wish *w);
/* What the engine may ask of the broker, what only the front may, and the signer's few. */
void processes_policies(const l2tpc_host_policy *whole, l2tpc_host_policy *engine,
                        l2tpc_host_policy *front, l2tpc_host_policy *signer);
/* The ends that were not handed over are closed, then all of them are waited for: the broker until
 * everything is undone. True: one of them crashed, or was killed by its filter. */
bool processes_end(struct processes *p, const char **who, int *signal);

/* privileges.c: give up root for good; false with errno. */
bool privileges_drop(void);          /* a user of its own for this process */
bool privileges_drop_to(uid_t user); /* that user, with its groups and home; 0: without a right */
/* Who stands behind root: the one who called sudo, or root itself. */
uid_t privileges_owner(void);

#endif
