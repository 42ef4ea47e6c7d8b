/* SPDX-License-Identifier: Apache-2.0 */
/* The table of contexts and the cache of idle ones, and the hooked functions that use them.
 * The hook is linked into this program, so libzstd's public names here are the hook's. */
#include <pthread.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "plugin/core/nesting.h"
#include "plugin/hook/context_table.h"
#include "plugin/zstd/library.h"
#include "rockpress/plugin.h"

static void table_keeps_apart(void **state)
{
    static char addresses[4096][16];
    int n_known = 0;

    (void)state;
    assert_null(rp_context_find(NULL));
    assert_int_equal(rp_context_remove(NULL), 0);
    for (int i = 0; i < 4096; i++) {
        rp_context_insert(addresses[i], 1, RP_CONTEXT_DEFAULT_MEMORY);
        if (rp_context_find(addresses[i]) != NULL)
            rp_context_find(addresses[i])->level = i;
    }
    for (int i = 0; i < 4096; i++) {
        struct rp_context *context = rp_context_find(addresses[i]);
        if (context == NULL)
            continue; /* its set was full: allowed, but rare */
        n_known++;
        assert_int_equal(context->level, i);
        assert_int_equal(context->flags, RP_CONTEXT_DEFAULT_MEMORY);
    }
    assert_true(n_known > 3800);
    for (int i = 0; i < 4096; i++)
        rp_context_remove(addresses[i]);
    for (int i = 0; i < 4096; i++)
        assert_null(rp_context_find(addresses[i]));
}

static void a_known_address_starts_anew(void **state)
{
    char address[16] = {0};

    (void)state;
    rp_context_insert(address, 1, 0);
    rp_context_find(address)->flags = RP_CONTEXT_OPAQUE;
    rp_context_find(address)->level = 19;
    rp_context_insert(address, 1, RP_CONTEXT_DEFAULT_MEMORY);
    assert_int_equal(rp_context_find(address)->level, RP_CONTEXT_DEFAULT_LEVEL);
    assert_int_equal(rp_context_remove(address), RP_CONTEXT_DEFAULT_MEMORY);
    assert_int_equal(rp_context_remove(address), 0);
}

static uint32_t flags_of(const ZSTD_CCtx *cctx)
{
    const struct rp_context *context = rp_context_find(cctx);

    assert_non_null(context);
    return context->flags & ~RP_CONTEXT_DEFAULT_MEMORY;
}

static void set_up_is_followed(void **state)
{
    const uint32_t lost = RP_CONTEXT_OPAQUE | RP_CONTEXT_TAINTED;
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    ZSTD_CDict *cdict = ZSTD_createCDict("a dictionary of some words", 26, 3);

    (void)state;
    assert_non_null(cctx);
    assert_int_equal(flags_of(cctx), 0);
    assert_int_equal(rp_context_find(cctx)->level, 3);
    ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, 7);
    ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, 1);
    assert_int_equal(rp_context_find(cctx)->level, 7);
    assert_int_equal(flags_of(cctx), RP_CONTEXT_CHECKSUM);
    /* Refused by libzstd, so nothing has changed. */
    assert_true(ZSTD_isError(ZSTD_CCtx_setParameter(cctx, ZSTD_c_windowLog, 99)));
    assert_int_equal(flags_of(cctx), RP_CONTEXT_CHECKSUM);
    ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, 0);
    ZSTD_CCtx_setParameter(cctx, ZSTD_c_windowLog, 0);
    ZSTD_CCtx_setParameter(cctx, ZSTD_c_dictIDFlag, 0);
    ZSTD_CCtx_setParameter(cctx, ZSTD_c_contentSizeFlag, 1);
    assert_int_equal(flags_of(cctx), 0);

    ZSTD_CCtx_refCDict(cctx, cdict);
    assert_int_equal(flags_of(cctx), RP_CONTEXT_DICTIONARY);
    ZSTD_CCtx_refCDict(cctx, NULL);
    assert_int_equal(flags_of(cctx), 0);
    ZSTD_CCtx_loadDictionary(cctx, "a dictionary of some words", 26);
    assert_int_equal(flags_of(cctx), RP_CONTEXT_DICTIONARY);
    ZSTD_CCtx_loadDictionary(cctx, "", 0);
    assert_int_equal(flags_of(cctx), 0);

    ZSTD_CCtx_setParameter(cctx, ZSTD_c_contentSizeFlag, 0);
    assert_int_equal(flags_of(cctx), lost);
    ZSTD_CCtx_reset(cctx, ZSTD_reset_session_only);
    assert_int_equal(flags_of(cctx), lost);
    ZSTD_CCtx_reset(cctx, ZSTD_reset_parameters);
    assert_int_equal(flags_of(cctx), RP_CONTEXT_TAINTED);
    assert_int_equal(rp_context_find(cctx)->level, 3);
    ZSTD_CCtx_setParameter(cctx, ZSTD_c_windowLog, 20);
    assert_int_equal(flags_of(cctx), lost);
    ZSTD_CCtx_reset(cctx, ZSTD_reset_session_and_parameters);
    ZSTD_CCtx_refPrefix(cctx, "prefix", 6);
    assert_int_equal(flags_of(cctx), lost);
    ZSTD_freeCCtx(cctx);
    assert_null(rp_context_find(cctx));
    ZSTD_freeCDict(cdict);
}

static void what_libzstd_refuses_changes_nothing(void **state)
{
    char out[4096];
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    ZSTD_outBuffer output = {out, sizeof(out), 0};
    ZSTD_inBuffer input = {"half a stream", 13, 0};

    (void)state;
    assert_false(ZSTD_isError(ZSTD_compressStream2(cctx, &output, &input, ZSTD_e_continue)));
    assert_true(ZSTD_isError(ZSTD_CCtx_loadDictionary(cctx, "a dictionary", 12)));
    assert_true(ZSTD_isError(ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, 1)));
    assert_true(ZSTD_isError(ZSTD_CCtx_setParameter(cctx, ZSTD_c_contentSizeFlag, 0)));
    assert_int_equal(flags_of(cctx), 0);
    ZSTD_CCtx_reset(cctx, ZSTD_reset_session_only);
    ZSTD_CCtx_loadDictionary(cctx, "a dictionary", 12);
    assert_false(ZSTD_isError(ZSTD_compressStream2(cctx, &output, &input, ZSTD_e_continue)));
    assert_true(ZSTD_isError(ZSTD_CCtx_reset(cctx, ZSTD_reset_parameters)));
    assert_true(ZSTD_isError(ZSTD_CCtx_loadDictionary(cctx, NULL, 0)));
    assert_int_equal(flags_of(cctx), RP_CONTEXT_DICTIONARY);
    ZSTD_freeCCtx(cctx);
}

/* libzstd frees the contexts of its workers from inside a call that we forwarded. */
static void nested_frees_are_noticed(void **state)
{
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    rp_nesting nesting;

    (void)state;
    assert_non_null(rp_context_find(cctx));
    rp_nesting_enter(&nesting);
    ZSTD_freeCCtx(cctx);
    rp_nesting_leave(&nesting);
    assert_null(rp_context_find(cctx));
}

static jmp_buf out_of_memory;
static bool leaves_by_jump;

static void *allocate_or_jump(void *opaque, size_t size)
{
    (void)opaque;
    if (leaves_by_jump)
        longjmp(out_of_memory, 1);
    return malloc(size);
}

static void release(void *opaque, void *address)
{
    (void)opaque;
    free(address);
}

/* As a server's allocator does that reports an error by longjmp. */
static void a_call_that_was_left_by_a_jump_is_over(void **state)
{
    static const char block[8192];
    static char frame[16384];
    const ZSTD_customMem memory = {allocate_or_jump, release, NULL};
    ZSTD_CCtx *volatile cctx = ZSTD_createCCtx_advanced(memory);

    (void)state;
    assert_non_null(cctx);
    leaves_by_jump = true;
    if (setjmp(out_of_memory) == 0) {
        ZSTD_compressCCtx(cctx, frame, sizeof(frame), block, sizeof(block), 3);
        fail_msg("libzstd allocated nothing");
    }
    leaves_by_jump = false;
    assert_non_null(rp_thread.nesting);
    /* Set-up is followed again, which it is not in a nested call. */
    ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, 7);
    assert_null(rp_thread.nesting);
    assert_int_equal(rp_context_find(cctx)->level, 7);
    ZSTD_freeCCtx(cctx);
}

static void stray_contexts_are_not_known(void **state)
{
    static uint64_t memory[1 << 18];
    ZSTD_CCtx *cctx = ZSTD_initStaticCCtx(memory, sizeof(memory));

    (void)state;
    assert_non_null(cctx);
    assert_null(rp_context_find(cctx));
    assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, 1)));
    assert_null(rp_context_find(cctx));
    assert_true(ZSTD_isError(ZSTD_freeCCtx(cctx)));
    assert_int_equal(ZSTD_freeCCtx(NULL), 0);
}

static uint64_t recycled(void)
{

    return rp_stats_value(RP_STAT_CONTEXTS_RECYCLED, 0);
}

static void idle_contexts_come_back_clean(void **state)
{
    static const char dictionary[] = "some words that come again and again";
    char out[256], again[256];
    size_t size, size_again;
    uint64_t before = recycled();
    ZSTD_CCtx *cctx = ZSTD_createCCtx(), *next;

    (void)state;
    size = ZSTD_compress2(cctx, out, sizeof(out), dictionary, sizeof(dictionary));
    assert_false(ZSTD_isError(size));
    ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, 1);
    ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, 5);
    ZSTD_CCtx_loadDictionary(cctx, dictionary, sizeof(dictionary));
    ZSTD_freeCCtx(cctx);
    next = ZSTD_createCCtx();
    assert_true(recycled() > before);
    size_again = ZSTD_compress2(next, again, sizeof(again), dictionary, sizeof(dictionary));
    assert_int_equal(size, size_again);
    assert_memory_equal(out, again, size);
    ZSTD_freeCCtx(next);
}

static int n_allocated;

static void *count_alloc(void *opaque, size_t bytes)
{
    (void)opaque;
    n_allocated++;
    return malloc(bytes);
}

static void count_free(void *opaque, void *memory)
{
    (void)opaque;
    n_allocated -= memory != NULL;
    free(memory);
}

static void foreign_and_large_contexts_are_freed(void **state)
{
    const ZSTD_customMem counting = {count_alloc, count_free, NULL}, none = {NULL, NULL, NULL},
                         half = {count_alloc, NULL, NULL};
    const size_t size = 1 << 20;
    char *block = calloc(1, size), *out = malloc(ZSTD_compressBound(1 << 20));
    ZSTD_CCtx *cctx = ZSTD_createCCtx_advanced(counting);
    uint64_t before;

    (void)state;
    assert_non_null(cctx);
    assert_true(n_allocated > 0);
    assert_int_equal(ZSTD_freeCCtx(cctx), 0);
    assert_int_equal(n_allocated, 0);
    assert_null(ZSTD_createCCtx_advanced(half));

    /* Take all idle ones by making the largest thing possible of one, then look for it. */
    before = recycled();
    cctx = ZSTD_createCCtx_advanced(none);
    ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, 19);
    assert_false(ZSTD_isError(ZSTD_compress2(cctx, out, ZSTD_compressBound(size), block, size)));
    assert_true(ZSTD_sizeof_CCtx(cctx) > ((size_t)2 << 20));
    ZSTD_freeCCtx(cctx);
    cctx = ZSTD_createCCtx();
    assert_true(ZSTD_sizeof_CCtx(cctx) <= ((size_t)2 << 20));
    ZSTD_freeCCtx(cctx);
    assert_true(recycled() >= before);
    free(block);
    free(out);
}

static void *make_use_free(void *argument)
{
    char out[512];

    (void)argument;
    for (int i = 0; i < 300; i++) {
        ZSTD_CCtx *cctx = ZSTD_createCCtx();
        assert_non_null(cctx);
        assert_non_null(rp_context_find(cctx));
        ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, 1 + i % 3);
        assert_int_equal(rp_context_find(cctx)->level, 1 + i % 3);
        assert_false(ZSTD_isError(ZSTD_compress2(cctx, out, sizeof(out), &i, sizeof(i))));
        ZSTD_freeCCtx(cctx);
    }
    return NULL;
}

static void threads_never_share_a_context(void **state)
{
    pthread_t threads[8];

    (void)state;
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_use_free, NULL), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_keeps_apart),
        cmocka_unit_test(a_known_address_starts_anew),
        cmocka_unit_test(set_up_is_followed),
        cmocka_unit_test(what_libzstd_refuses_changes_nothing),
        cmocka_unit_test(nested_frees_are_noticed),
        cmocka_unit_test(a_call_that_was_left_by_a_jump_is_over),
        cmocka_unit_test(stray_contexts_are_not_known),
        cmocka_unit_test(idle_contexts_come_back_clean),
        cmocka_unit_test(foreign_and_large_contexts_are_freed),
        cmocka_unit_test(threads_never_share_a_context),
    };

    setenv("ROCKPRESS_DEVICE", "off", 1);
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
