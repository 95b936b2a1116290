/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ike/ike.h"

struct failure cert_failure(enum cert_verdict verdict, const char *detail)
{
    static const enum failure_id ids[] = {
        [CERT_GOOD] = FAILURE_NONE,
        [CERT_BROKEN] = FAILURE_IKE_AUTH_CERT_INVALID,
        [CERT_UNTRUSTED] = FAILURE_IKE_AUTH_CERT_UNTRUSTED,
        [CERT_EXPIRED] = FAILURE_IKE_AUTH_CERT_EXPIRED,
        [CERT_NOT_YET_VALID] = FAILURE_IKE_AUTH_CERT_NOT_YET_VALID,
        [CERT_CLOCK] = FAILURE_IKE_AUTH_CERT_CLOCK,
        [CERT_REVOKED] = FAILURE_IKE_AUTH_CERT_REVOKED,
        [CERT_WEAK] = FAILURE_IKE_AUTH_CERT_WEAK,
        [CERT_USAGE] = FAILURE_IKE_AUTH_CERT_USAGE,
        [CERT_NAME] = FAILURE_IKE_AUTH_CERT_NAME,
        [CERT_ID] = FAILURE_IKE_AUTH_PEER_ID,
    };
    struct failure f = failure_make(ids[verdict]);

    failure_set_value(&f, span_str(detail));
    return f;
}
