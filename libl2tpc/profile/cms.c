/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signed profiles of Apple's are CMS messages. What is signed is taken out when the signature fits
 * it; whether the signer deserves trust is a question of a certificate store that nobody has set up
 * for profiles, so it is not answered, and said so.
 */
#include "profile/internal.h"

#include <openssl/pem.h> /* before cms.h, which declares its PEM functions only then */

#include <openssl/cms.h>
#include <openssl/err.h>

static CMS_ContentInfo *read_message(const void *bytes, gsize n)
{
    BIO *in = BIO_new_mem_buf(bytes, (int)n);
    CMS_ContentInfo *cms = NULL;

    if (!in)
        return NULL;
    cms = ((const char *)bytes)[0] == '-' ? PEM_read_bio_CMS(in, NULL, NULL, NULL)
                                          : d2i_CMS_bio(in, NULL);
    (void)BIO_free(in);
    return cms;
}

GBytes *cms_open(const void *bytes, gsize n, GPtrArray *notes)
{
    CMS_ContentInfo *cms = read_message(bytes, n);
    BIO *out = BIO_new(BIO_s_mem());
    GBytes *content = NULL;
    char *data = NULL;
    long size;

    if (!cms || !out || OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed) {
        notes_add(notes, NOTE_DAMAGED, NULL, "CMS");
    } else if (CMS_verify(cms, NULL, NULL, NULL, out, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) !=
               1) {
        notes_add(notes, NOTE_SIGNATURE_BAD, NULL, NULL);
    } else {
        notes_add(notes, NOTE_SIGNED_UNCHECKED, NULL, NULL);
        size = BIO_get_mem_data(out, &data);
        content = g_bytes_new(data, size > 0 ? (gsize)size : 0);
        if (size > 0)
            OPENSSL_cleanse(data, (size_t)size);
    }
    ERR_clear_error();
    CMS_ContentInfo_free(cms);
    (void)BIO_free(out);
    return content;
}
