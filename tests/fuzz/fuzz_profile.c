/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that people import, whatever they are: what comes of them is judged, written in every
 * format and read again. A first byte 0xff says that there are several, each ended by 0xfe. Which
 * format an input is, it says itself, so that each has its seeds in one corpus.
 */
#include "fuzz.h"

#include "profile/l2tpc-profile.h"

#include <string.h>

/* Nothing that a line could end with gets into a profile; nothing odd into a note. */
static void check_table(const l2tpc_profile *p, int table)
{
    GHashTableIter iter;
    void *key, *value;

    g_hash_table_iter_init(&iter, l2tpc_profile_get_table(p, table));
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        l2tpc_profile_note *fault = l2tpc_profile_value_fault(table, key, value);

        FUZZ_REQUIRE(!fault || !*(const char *)value);
        l2tpc_profile_note_free(fault);
    }
}

static void check_notes(const GPtrArray *notes)
{
    for (guint i = 0; i < notes->len; i++) {
        char *text = l2tpc_profile_note_text(g_ptr_array_index(notes, i), NULL);

        FUZZ_REQUIRE(g_utf8_validate(text, -1, NULL) && strlen(text) < 2048);
        for (const char *c = text; *c; c++)
            FUZZ_REQUIRE((unsigned char)*c >= 0x20 && *c != 0x7f);
        g_free(text);
    }
}

/* The keyfile is what is kept: it must be read as what was written. */
static void check_keyfile(const l2tpc_profile *p, const GPtrArray *files)
{
    GPtrArray *profiles = NULL;
    const l2tpc_profile *back;

    FUZZ_REQUIRE(l2tpc_profile_import(g_ptr_array_index(files, 0), 1, &profiles, NULL) ==
                 L2TPC_PROFILE_OK);
    back = g_ptr_array_index(profiles, 0);
    for (int table = L2TPC_PROFILE_DATA; table <= L2TPC_PROFILE_USER; table++) {
        GHashTableIter iter;
        void *key, *value;

        g_hash_table_iter_init(&iter, l2tpc_profile_get_table(p, table));
        while (g_hash_table_iter_next(&iter, &key, &value))
            FUZZ_REQUIRE(g_strcmp0(l2tpc_profile_get(back, table, key), value) == 0);
    }
    g_ptr_array_unref(profiles);
}

static void export_all(const l2tpc_profile *p)
{
    l2tpc_profile_format f;

    for (unsigned i = 0; l2tpc_profile_format_at(i, &f); i++) {
        GPtrArray *files = NULL;
        GPtrArray *notes = NULL;

        if (l2tpc_profile_export(p, f.name, L2TPC_PROFILE_WITH_SECRETS, &files, &notes) ==
            L2TPC_PROFILE_OK) {
            if (i == 0)
                check_keyfile(p, files);
            g_ptr_array_unref(files);
        }
        check_notes(notes);
        g_ptr_array_unref(notes);
    }
}

static void look_at(l2tpc_profile *p)
{
    GPtrArray *options = NULL;
    GPtrArray *notes = NULL;
    bool ok;

    for (int table = L2TPC_PROFILE_DATA; table <= L2TPC_PROFILE_USER; table++)
        check_table(p, table);
    check_notes(l2tpc_profile_get_notes(p));
    ok = l2tpc_profile_get_dial(p, &options, &notes) == L2TPC_PROFILE_OK;
    FUZZ_REQUIRE(ok == (options != NULL));
    check_notes(notes);
    if (options)
        g_ptr_array_unref(options);
    g_ptr_array_unref(notes);
    export_all(p);
}

static gsize split(const uint8_t *data, size_t size, l2tpc_profile_file *out)
{
    gsize n = 0;

    while (n < 5) {
        const uint8_t *end = memchr(data, 0xfe, size);
        gsize len = end ? (gsize)(end - data) : size;

        out[n++] = (l2tpc_profile_file){.bytes = g_bytes_new(data, len)};
        if (!end)
            break;
        data += len + 1;
        size -= len + 1;
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    l2tpc_profile_file files[5] = {0};
    GPtrArray *profiles = NULL;
    GPtrArray *notes = NULL;
    gsize n = 1;

    if (size > 0 && data[0] == 0xff) /* several, which no text begins with */
        n = split(data + 1, size - 1, files);
    else
        files[0].bytes = g_bytes_new(data, size);
    if (l2tpc_profile_import(files, n, &profiles, &notes) == L2TPC_PROFILE_OK) {
        for (guint i = 0; i < profiles->len; i++)
            look_at(g_ptr_array_index(profiles, i));
        g_ptr_array_unref(profiles);
    } else {
        FUZZ_REQUIRE(notes->len > 0 && profiles == NULL);
    }
    check_notes(notes);
    g_ptr_array_unref(notes);
    for (gsize i = 0; i < n; i++)
        g_bytes_unref(files[i].bytes);
    return 0;
}
