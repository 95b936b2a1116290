/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session's end of a signer in another process. */
#ifndef L2TPC_API_SIGNER_LINK_H
#define L2TPC_API_SIGNER_LINK_H

#include "api/signer.h"

struct signer_link;

/* One that is out of use may still be answered: the numbers of needs begin anew with each dial. */
struct signer_link *signer_link_new(struct loop *loop, int fd, const struct signer_verbs *verbs,
                                    void *user); /* owns fd always; NULL: no memory */
void signer_link_free(struct signer_link *k);    /* NULL is fine */
void signer_link_open(struct signer_link *k);
void signer_link_sign(struct signer_link *k, uint32_t need, struct span digest);
void signer_link_judge(struct signer_link *k, uint32_t need, const struct ike_peer_cert *peer);
typedef void (*signer_resolved_fn)(void *user, uint32_t need, const struct inaddr *addresses,
                                   unsigned n, const struct failure *f);
void signer_link_resolve(struct signer_link *k, uint32_t need, signer_resolved_fn fn);
/* Nothing that was asked for before is told any more. */
void signer_link_forget(struct signer_link *k);
const struct ike_credential *signer_link_credential(const struct signer_link *k);

#endif
