/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/token.h"

#include "base/text.h"

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MAX 32
#define FOUND_MAX 2 /* one is what is wanted, two are too many */
#define ID_MAX 256

struct token {
    CK_FUNCTION_LIST **modules;
    CK_FUNCTION_LIST *module;
    CK_SESSION_HANDLE session;
    CK_SLOT_ID slot;
    CK_TOKEN_INFO info;
    bool logged_in;
    CK_OBJECT_HANDLE key;
    bool each_time; /* the key wants the PIN for every signature: it is kept for that */
    struct secret *pin;
    struct arena *arena; /* held; NULL: the heap */
    uint8_t *certificate;
    size_t n_certificate;
};

static const struct vault *vault_of(const struct token *t)
{
    return t->arena ? arena_vault(t->arena) : NULL;
}

/* ---- URIs ---- */

bool token_is_uri(const char *text)
{
    return strncmp(text, "pkcs11:", 7) == 0;
}

static P11KitUri *parse(const char *text)
{
    P11KitUri *uri = p11_kit_uri_new();

    if (uri && p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri) == P11_KIT_URI_OK &&
        !p11_kit_uri_any_unrecognized(uri))
        return uri;
    p11_kit_uri_free(uri);
    return NULL;
}

bool token_uri_ok(const char *text)
{
    P11KitUri *uri = token_is_uri(text) && strlen(text) < TOKEN_URI_MAX ? parse(text) : NULL;
    bool ok = uri && !p11_kit_uri_get_pin_value(uri) && !p11_kit_uri_get_pin_source(uri) &&
              !p11_kit_uri_get_module_path(uri) && !p11_kit_uri_get_module_name(uri);

    p11_kit_uri_free(uri);
    return ok;
}

/* ---- which token ---- */

static enum token_result result_of(CK_RV rv)
{
    switch (rv) {
    case CKR_OK:
        return TOKEN_OK;
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
        return TOKEN_PIN_WRONG;
    case CKR_PIN_LOCKED:
        return TOKEN_PIN_LOCKED;
    case CKR_USER_NOT_LOGGED_IN:
        return TOKEN_PIN_NEEDED;
    case CKR_DEVICE_REMOVED:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_TOKEN_NOT_RECOGNIZED:
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SESSION_CLOSED:
    case CKR_SLOT_ID_INVALID:
        return TOKEN_GONE;
    case CKR_HOST_MEMORY:
        return TOKEN_MEMORY;
    default:
        return TOKEN_FAILED;
    }
}

static bool slot_fits(CK_FUNCTION_LIST *m, CK_SLOT_ID slot, P11KitUri *uri, CK_TOKEN_INFO *info)
{
    CK_SLOT_ID wanted = p11_kit_uri_get_slot_id(uri);
    CK_INFO library;
    CK_SLOT_INFO slot_info;

    return (wanted == (CK_SLOT_ID)-1 || wanted == slot) && m->C_GetInfo(&library) == CKR_OK &&
           p11_kit_uri_match_module_info(uri, &library) &&
           m->C_GetSlotInfo(slot, &slot_info) == CKR_OK &&
           p11_kit_uri_match_slot_info(uri, &slot_info) &&
           m->C_GetTokenInfo(slot, info) == CKR_OK && (info->flags & CKF_TOKEN_INITIALIZED) &&
           p11_kit_uri_match_token_info(uri, info);
}

struct place {
    CK_FUNCTION_LIST *module;
    CK_SLOT_ID slot;
    CK_TOKEN_INFO info;
};

static bool open_place(struct token *t, const struct place *p)
{
    t->module = p->module;
    t->slot = p->slot;
    t->info = p->info;
    return p->module->C_OpenSession(p->slot, CKF_SERIAL_SESSION, NULL, NULL, &t->session) == CKR_OK;
}

/* Module and slot of each token that fits; as many as there is room for. */
static unsigned find_places(struct token *t, P11KitUri *uri, struct place *out, unsigned max)
{
    unsigned n = 0;

    for (CK_FUNCTION_LIST **m = t->modules; *m; m++) {
        CK_SLOT_ID slots[SLOTS_MAX];
        CK_ULONG count = SLOTS_MAX;

        if ((*m)->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
            continue;
        for (CK_ULONG i = 0; i < count && n < max; i++) {
            out[n] = (struct place){.module = *m, .slot = slots[i]};
            n += slot_fits(*m, slots[i], uri, &out[n].info);
        }
    }
    return n;
}

/* ---- which object ---- */

/* Of the URI what names an object, with the class that is looked for. */
static CK_ULONG wanted_attributes(P11KitUri *uri, CK_OBJECT_CLASS *class, CK_ATTRIBUTE out[3])
{
    static const CK_ATTRIBUTE_TYPE types[] = {CKA_ID, CKA_LABEL};
    CK_ULONG n = 0;

    out[n++] = (CK_ATTRIBUTE){CKA_CLASS, class, sizeof(*class)};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        CK_ATTRIBUTE *a = p11_kit_uri_get_attribute(uri, types[i]);

        if (a)
            out[n++] = *a;
    }
    return n;
}

static enum token_result find_one(struct token *t, CK_ATTRIBUTE *attributes, CK_ULONG n,
                                  CK_OBJECT_HANDLE *out)
{
    CK_OBJECT_HANDLE found[FOUND_MAX];
    CK_ULONG count = 0;
    CK_RV rv = t->module->C_FindObjectsInit(t->session, attributes, n);

    if (rv == CKR_OK) {
        rv = t->module->C_FindObjects(t->session, found, FOUND_MAX, &count);
        (void)t->module->C_FindObjectsFinal(t->session);
    }
    if (rv != CKR_OK)
        return result_of(rv);
    if (count != 1)
        return count == 0 ? TOKEN_NO_OBJECT : TOKEN_SEVERAL;
    *out = found[0];
    return TOKEN_OK;
}

/* Fetches one attribute; at most `cap` bytes. */
static bool read_attribute(struct token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                           void *out, size_t cap, size_t *n)
{
    CK_ATTRIBUTE a = {type, out, cap};

    if (t->module->C_GetAttributeValue(t->session, object, &a, 1) != CKR_OK || a.ulValueLen > cap)
        return false;
    *n = a.ulValueLen;
    return true;
}

static enum token_result read_certificate(struct token *t, P11KitUri *uri, uint8_t id[ID_MAX],
                                          size_t *n_id)
{
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_ATTRIBUTE attributes[3];
    CK_OBJECT_HANDLE object;
    enum token_result r =
        find_one(t, attributes, wanted_attributes(uri, &class, attributes), &object);

    if (r != TOKEN_OK)
        return r;
    free(t->certificate); /* of a look before the PIN */
    t->certificate = malloc(CERTS_BYTES_MAX);
    if (!t->certificate)
        return TOKEN_MEMORY;
    if (!read_attribute(t, object, CKA_VALUE, t->certificate, CERTS_BYTES_MAX, &t->n_certificate))
        return TOKEN_NO_OBJECT;
    if (!read_attribute(t, object, CKA_ID, id, ID_MAX, n_id))
        *n_id = 0;
    return TOKEN_OK;
}

/* ---- the PIN ---- */

static enum token_result give_pin(struct token *t, CK_USER_TYPE who, const struct span *pin)
{
    bool pad = t->info.flags & CKF_PROTECTED_AUTHENTICATION_PATH; /* it is typed at the reader */
    uint8_t copy[SECRET_MAX];
    CK_RV rv;

    if (!pad && !pin)
        return TOKEN_PIN_NEEDED;
    if (!pad && pin->n > sizeof(copy))
        return TOKEN_PIN_WRONG;
    if (!pad && pin->n > 0)
        memcpy(copy, pin->p, pin->n);
    rv = t->module->C_Login(t->session, who, pad ? NULL : copy, pad ? 0 : pin->n);
    wipe(copy, sizeof(copy));
    return rv == CKR_USER_ALREADY_LOGGED_IN ? TOKEN_OK : result_of(rv);
}

static enum token_result log_in(struct token *t, const struct span *pin)
{
    enum token_result r;

    if (t->logged_in || !(t->info.flags & CKF_LOGIN_REQUIRED))
        return TOKEN_OK;
    if (t->info.flags & CKF_USER_PIN_LOCKED)
        return TOKEN_PIN_LOCKED;
    r = give_pin(t, CKU_USER, pin);
    t->logged_in = r == TOKEN_OK;
    return r;
}

/* ---- the key ---- */

/* By its own URI, or by the ID that it shares with the certificate. */
static enum token_result find_key(struct token *t, P11KitUri *uri, bool own, struct span id)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE attributes[3];
    CK_ULONG n = 1;
    CK_BBOOL always = CK_FALSE;
    size_t got;
    enum token_result r;

    if (own || id.n == 0) {
        n = wanted_attributes(uri, &class, attributes);
    } else {
        attributes[0] = (CK_ATTRIBUTE){CKA_CLASS, &class, sizeof(class)};
        attributes[n++] = (CK_ATTRIBUTE){CKA_ID, (void *)(uintptr_t)id.p, id.n};
    }
    r = find_one(t, attributes, n, &t->key);
    if (r == TOKEN_OK &&
        read_attribute(t, t->key, CKA_ALWAYS_AUTHENTICATE, &always, sizeof(always), &got))
        t->each_time = always;
    return r;
}

static enum token_result look(struct token *t, P11KitUri *certificate, P11KitUri *key,
                              const struct span *pin)
{
    uint8_t id[ID_MAX];
    size_t n_id = 0;
    enum token_result r = TOKEN_OK;

    if (certificate) {
        r = read_certificate(t, certificate, id, &n_id);
        if (r == TOKEN_NO_OBJECT && !t->logged_in) { /* some hide it behind the PIN */
            r = log_in(t, pin);
            if (r == TOKEN_OK)
                r = read_certificate(t, certificate, id, &n_id);
        }
    }
    if (r == TOKEN_OK)
        r = log_in(t, pin);
    if (r == TOKEN_OK)
        r = find_key(t, key ? key : certificate, key != NULL, span_of(id, n_id));
    if (r == TOKEN_OK && t->each_time && pin) {
        t->pin = vault_take(vault_of(t), sizeof(*t->pin));
        if (!t->pin || !secret_set(t->pin, *pin))
            r = TOKEN_MEMORY;
    }
    return r;
}

/* ---- life ---- */

static enum token_result open_and_look(struct token *t, P11KitUri *certificate, P11KitUri *key,
                                       const struct span *pin, char label[TOKEN_LABEL_MAX])
{
    struct place places[FOUND_MAX];
    unsigned n;

    t->modules = p11_kit_modules_load_and_initialize(0);
    if (!t->modules)
        return TOKEN_FAILED;
    n = find_places(t, key ? key : certificate, places, FOUND_MAX);
    if (n != 1)
        return n == 0 ? TOKEN_MISSING : TOKEN_SEVERAL;
    if (!open_place(t, &places[0]))
        return TOKEN_GONE;
    text_escape(label, TOKEN_LABEL_MAX,
                span_of(t->info.label, p11_kit_space_strlen(t->info.label, sizeof(t->info.label))));
    return look(t, certificate, key, pin);
}

struct token *token_open(const struct token_wish *wish, const struct span *pin,
                         enum token_result *out, char label[TOKEN_LABEL_MAX])
{
    P11KitUri *certificate = wish->certificate[0] ? parse(wish->certificate) : NULL;
    P11KitUri *key = wish->key[0] ? parse(wish->key) : NULL;
    struct token *t = calloc(1, sizeof(*t));

    label[0] = '\0';
    p11_kit_be_quiet();
    *out = TOKEN_MEMORY;
    if (t && wish->arena)
        t->arena = arena_hold(wish->arena);
    if (t && (certificate || key))
        *out = open_and_look(t, certificate, key, pin, label);
    p11_kit_uri_free(certificate);
    p11_kit_uri_free(key);
    if (*out == TOKEN_OK)
        return t;
    token_close(t);
    return NULL;
}

void token_close(struct token *t)
{
    if (!t)
        return;
    if (t->session) {
        if (t->logged_in)
            (void)t->module->C_Logout(t->session);
        (void)t->module->C_CloseSession(t->session);
    }
    if (t->modules)
        p11_kit_modules_finalize_and_release(t->modules);
    free(t->certificate);
    vault_give(vault_of(t), t->pin, sizeof(*t->pin));
    arena_free(t->arena);
    free(t);
}

struct span token_certificate(const struct token *t)
{
    return span_of(t->certificate, t->n_certificate);
}

/* ---- signing ---- */

static size_t curve_size(enum ike_auth auth)
{
    return auth == IKE_AUTH_ECDSA_256 ? 32 : auth == IKE_AUTH_ECDSA_384 ? 48 : 66;
}

enum token_result token_sign(struct token *t, enum ike_auth auth, struct span hash,
                             uint8_t out[SIGN_MAX], size_t *n)
{
    /* CKM_RSA_PKCS puts the bare hash into a block of type 1, without DigestInfo. */
    CK_MECHANISM mechanism = {auth == IKE_AUTH_RSA ? CKM_RSA_PKCS : CKM_ECDSA, NULL, 0};
    CK_ULONG length = SIGN_MAX;
    uint8_t data[HASH_MAX];
    enum token_result r = TOKEN_OK;
    CK_RV rv;

    if (hash.n == 0 || hash.n > sizeof(data))
        return TOKEN_FAILED;
    /* ECDSA takes the leftmost bits of a longer hash; some tokens refuse it instead. */
    if (auth != IKE_AUTH_RSA && hash.n > curve_size(auth))
        hash.n = curve_size(auth);
    memcpy(data, hash.p, hash.n);
    rv = t->module->C_SignInit(t->session, &mechanism, t->key);
    if (rv == CKR_OK && t->each_time) {
        struct span pin = t->pin ? secret_span(t->pin) : SPAN_NONE;

        r = give_pin(t, CKU_CONTEXT_SPECIFIC, &pin);
    }
    if (rv == CKR_OK && r == TOKEN_OK)
        rv = t->module->C_Sign(t->session, data, hash.n, out, &length);
    *n = length;
    return r != TOKEN_OK ? r : result_of(rv);
}
