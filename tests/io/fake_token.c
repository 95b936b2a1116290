/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A PKCS#11 module whose token behaves as L2TPC_FAKE_TOKEN says, for what softhsm2 never does:
 * "locked", "locks", "removed", "always" (a PIN for each signature), "wrong". Each login is a line
 * of the file L2TPC_FAKE_LOG.
 */
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNUSED __attribute__((unused))

static bool confirmed; /* by a context-specific login */

static bool is(const char *how)
{
    const char *now = getenv("L2TPC_FAKE_TOKEN");

    return now && strcmp(now, how) == 0;
}

static void pad(unsigned char *out, size_t n, const char *text)
{
    memset(out, ' ', n);
    memcpy(out, text, strlen(text));
}

static CK_RV fine(UNUSED void *reserved)
{
    return CKR_OK;
}

static CK_RV get_info(CK_INFO *out)
{
    *out = (CK_INFO){.cryptokiVersion = {2, 40}};
    pad(out->manufacturerID, sizeof(out->manufacturerID), "l2tpc");
    pad(out->libraryDescription, sizeof(out->libraryDescription), "fake");
    return CKR_OK;
}

static CK_RV get_slots(UNUSED CK_BBOOL present, CK_SLOT_ID *out, CK_ULONG *n)
{
    if (out && *n > 0)
        out[0] = 1;
    *n = 1;
    return CKR_OK;
}

static CK_RV get_slot(UNUSED CK_SLOT_ID slot, CK_SLOT_INFO *out)
{
    *out = (CK_SLOT_INFO){.flags = CKF_TOKEN_PRESENT};
    pad(out->slotDescription, sizeof(out->slotDescription), "fake");
    pad(out->manufacturerID, sizeof(out->manufacturerID), "l2tpc");
    return CKR_OK;
}

static CK_RV get_token(UNUSED CK_SLOT_ID slot, CK_TOKEN_INFO *out)
{
    *out = (CK_TOKEN_INFO){.flags = CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED |
                                    (is("locked") ? CKF_USER_PIN_LOCKED : 0)};
    pad(out->label, sizeof(out->label), "l2tpc-fake");
    pad(out->manufacturerID, sizeof(out->manufacturerID), "l2tpc");
    pad(out->model, sizeof(out->model), "fake");
    pad(out->serialNumber, sizeof(out->serialNumber), "1");
    return CKR_OK;
}

static CK_RV open_session(UNUSED CK_SLOT_ID slot, UNUSED CK_FLAGS flags, UNUSED void *user,
                          UNUSED CK_NOTIFY notify, CK_SESSION_HANDLE *out)
{
    *out = 7;
    return CKR_OK;
}

static CK_RV close_session(UNUSED CK_SESSION_HANDLE session)
{
    return CKR_OK;
}

static CK_RV login(UNUSED CK_SESSION_HANDLE session, CK_USER_TYPE who, UNUSED unsigned char *pin,
                   UNUSED CK_ULONG n)
{
    FILE *log = fopen(getenv("L2TPC_FAKE_LOG"), "a");

    if (!log || fprintf(log, "%lu\n", who) < 0 || fclose(log) != 0)
        return CKR_GENERAL_ERROR;
    confirmed = who == CKU_CONTEXT_SPECIFIC;
    return is("wrong") ? CKR_PIN_INCORRECT : is("locks") ? CKR_PIN_LOCKED : CKR_OK;
}

static bool found;

static CK_RV find_init(UNUSED CK_SESSION_HANDLE session, CK_ATTRIBUTE *a, CK_ULONG n)
{
    for (CK_ULONG i = 0; i < n; i++)
        if (a[i].type == CKA_CLASS)
            found = *(CK_OBJECT_CLASS *)a[i].pValue == CKO_PRIVATE_KEY;
    return CKR_OK;
}

static CK_RV find(UNUSED CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *out, UNUSED CK_ULONG max,
                  CK_ULONG *n)
{
    *n = found;
    out[0] = 3;
    found = false;
    return CKR_OK;
}

static CK_RV get_attribute(UNUSED CK_SESSION_HANDLE session, UNUSED CK_OBJECT_HANDLE object,
                           CK_ATTRIBUTE *a, UNUSED CK_ULONG n)
{
    if (a->type != CKA_ALWAYS_AUTHENTICATE || a->ulValueLen < sizeof(CK_BBOOL))
        return CKR_ATTRIBUTE_TYPE_INVALID;
    *(CK_BBOOL *)a->pValue = is("always") ? CK_TRUE : CK_FALSE;
    a->ulValueLen = sizeof(CK_BBOOL);
    return CKR_OK;
}

static CK_RV sign_init(UNUSED CK_SESSION_HANDLE session, UNUSED CK_MECHANISM *m,
                       UNUSED CK_OBJECT_HANDLE key)
{
    confirmed = false;
    return CKR_OK;
}

static CK_RV sign(UNUSED CK_SESSION_HANDLE session, UNUSED unsigned char *data, UNUSED CK_ULONG n,
                  unsigned char *out, CK_ULONG *n_out)
{
    if (is("removed"))
        return CKR_DEVICE_REMOVED;
    if (is("always") && !confirmed)
        return CKR_USER_NOT_LOGGED_IN;
    memset(out, 1, 4);
    *n_out = 4;
    return CKR_OK;
}

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **out)
{
    static CK_FUNCTION_LIST list = {
        .version = {2, 40},
        .C_Initialize = fine,
        .C_Finalize = fine,
        .C_GetInfo = get_info,
        .C_GetFunctionList = C_GetFunctionList,
        .C_GetSlotList = get_slots,
        .C_GetSlotInfo = get_slot,
        .C_GetTokenInfo = get_token,
        .C_OpenSession = open_session,
        .C_CloseSession = close_session,
        .C_CloseAllSessions = close_session,
        .C_Login = login,
        .C_Logout = close_session,
        .C_FindObjectsInit = find_init,
        .C_FindObjects = find,
        .C_FindObjectsFinal = close_session,
        .C_GetAttributeValue = get_attribute,
        .C_SignInit = sign_init,
        .C_Sign = sign,
    };

    *out = &list;
    return CKR_OK;
}
