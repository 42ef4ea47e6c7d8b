/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A libzstd that lacks functions, or none at all: a call of the hook fails as libzstd's own would,
 * and never jumps to NULL. What the hook keeps of a library is given back to that library. Cases
 * take functions out of the table that the hook has of its library.
 */
#define ZSTD_STATIC_LINKING_ONLY
#include "tests/support/cases.h"

#include <zdict.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "plugin/core/config.h"
#include "plugin/core/stats.h"
#include "plugin/device/verify.h"
#include "plugin/hook/context_cache.h"
#include "plugin/zstd/library.h"

static struct rp_zstd *zstd; /* the hook's table */
static struct rp_zstd whole; /* as it was */
static char block[4096], frame[8192], dictionary[1024];
static const size_t sizes[1] = {sizeof(block)};
static ZSTD_CCtx *cctx;
static ZSTD_CDict *cdict;

static int set_up(void **state)
{
    (void)state;
    cctx = ZSTD_createCCtx();
    cdict = ZSTD_createCDict("a dictionary", 12, 3);
    zstd = rp_zstd_own();
    if (zstd != NULL)
        memcpy(&whole, zstd, sizeof(whole));
    return cctx == NULL || cdict == NULL || zstd == NULL;
}

static size_t train(void)
{
    return ZDICT_trainFromBuffer(dictionary, sizeof(dictionary), block, sizes, 1);
}

static size_t finalize(void)
{
    const ZDICT_params_t params = {0};
    return ZDICT_finalizeDictionary(dictionary, sizeof(dictionary), block, 100, block, sizes, 1,
                                    params);
}

static size_t compress2(void)
{
    return ZSTD_compress2(cctx, frame, sizeof(frame), block, sizeof(block));
}

static size_t compress_using_dict(void)
{
    return ZSTD_compress_usingDict(cctx, frame, sizeof(frame), block, sizeof(block), NULL, 0, 3);
}

static size_t compress_using_cdict(void)
{
    return ZSTD_compress_usingCDict(cctx, frame, sizeof(frame), block, sizeof(block), cdict);
}

static size_t compress_cctx(void)
{
    return ZSTD_compressCCtx(cctx, frame, sizeof(frame), block, sizeof(block), 3);
}

static size_t compress(void)
{
    return ZSTD_compress(frame, sizeof(frame), block, sizeof(block), 3);
}

static size_t set_parameter(void)
{
    return ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, 3);
}

static size_t reference(void)
{
    return ZSTD_CCtx_refCDict(cctx, cdict);
}

static size_t load(void)
{
    return ZSTD_CCtx_loadDictionary(cctx, NULL, 0);
}

static size_t reset(void)
{
    return ZSTD_CCtx_reset(cctx, ZSTD_reset_session_and_parameters);
}

static size_t reference_prefix(void)
{
    return ZSTD_CCtx_refPrefix(cctx, NULL, 0);
}

static void expect(size_t result, ZSTD_ErrorCode expected, int which)
{
    if (ZSTD_getErrorCode(result) != expected)
        fail_msg("call %d: %s", which, ZSTD_getErrorName(result));
}

/* Each of them alone is missing, then none. */
static void test_missing_functions(void **state)
{
    (void)state;
    struct rp_zstd *z = zstd;
    size_t (*const calls[])(void) = {compress2,
                                     compress_using_dict,
                                     compress_using_cdict,
                                     compress_cctx,
                                     compress,
                                     set_parameter,
                                     reference,
                                     load,
                                     reset,
                                     reference_prefix};
    for (int which = 0; which <= 10; which++) {
        z->compress2 = which == 0 ? NULL : whole.compress2;
        z->compress_usingDict = which == 1 ? NULL : whole.compress_usingDict;
        z->compress_usingCDict = which == 2 ? NULL : whole.compress_usingCDict;
        z->compressCCtx = which == 3 ? NULL : whole.compressCCtx;
        z->compress = which == 4 ? NULL : whole.compress;
        z->CCtx_setParameter = which == 5 ? NULL : whole.CCtx_setParameter;
        z->CCtx_refCDict = which == 6 ? NULL : whole.CCtx_refCDict;
        z->CCtx_loadDictionary = which == 7 ? NULL : whole.CCtx_loadDictionary;
        z->CCtx_reset = which == 8 ? NULL : whole.CCtx_reset;
        for (unsigned i = 0; i < RP_ZSTD_N_SETUP; i++)
            z->setup[i] = which == 9 ? NULL : whole.setup[i];
        if (which < 10)
            expect(calls[which](), ZSTD_error_parameter_unsupported, which);
    }
    for (int i = 0; i < 10; i++)
        expect(calls[i](), ZSTD_error_no_error, i);
    z->trainFromBuffer = NULL;
    z->finalizeDictionary = NULL;
    assert_true(ZDICT_isError(train()) && ZDICT_isError(finalize()));
    z->trainFromBuffer = whole.trainFromBuffer;
    z->finalizeDictionary = whole.finalizeDictionary;
}

static ZSTD_parameters arrived;

static size_t take_parameters(ZSTD_CCtx *of, ZSTD_parameters parameters)
{
    arrived = parameters;
    return of == cctx ? 77 : 0;
}

size_t ZSTD_CCtx_setParams(ZSTD_CCtx *of, ZSTD_parameters parameters);

/* Of releases that are newer than the one that is installed, maybe. */
static void test_function_of_a_newer_library(void **state)
{
    (void)state;
    const ZSTD_parameters given = {{1, 2, 3, 4, 5, 6, ZSTD_btopt}, {7, 8, 9}};
    zstd->setup[RP_ZSTD_CCtx_setParams] = NULL;
    expect(ZSTD_CCtx_setParams(cctx, given), ZSTD_error_parameter_unsupported, 0);
    zstd->setup[RP_ZSTD_CCtx_setParams] = (void (*)(void))take_parameters;
    assert_int_equal(ZSTD_CCtx_setParams(cctx, given), 77);
    assert_memory_equal(&arrived, &given, sizeof(given));
    zstd->setup[RP_ZSTD_CCtx_setParams] = whole.setup[RP_ZSTD_CCtx_setParams];
}

static void test_contexts_that_cannot_be_made(void **state)
{
    (void)state;
    const ZSTD_customMem none = {NULL, NULL, NULL};
    zstd->createCCtx = NULL;
    assert_null(ZSTD_createCCtx());
    assert_null(ZSTD_createCCtx_advanced(none));
    zstd->createCCtx = whole.createCCtx;
    zstd->createCCtx_advanced = NULL;
    assert_null(ZSTD_createCCtx_advanced(none));
    zstd->createCCtx_advanced = whole.createCCtx_advanced;
}

static ZSTD_CCtx *make_none(void)
{
    return NULL;
}

static void test_contexts_without_memory(void **state)
{
    (void)state;
    rp_context_cache_clear(zstd);
    zstd->createCCtx = make_none;
    uint64_t before = rp_stats_value(RP_STAT_CONTEXTS_CREATED, 0);
    assert_null(ZSTD_createCCtx());
    assert_int_equal(rp_stats_value(RP_STAT_CONTEXTS_CREATED, 0), before);
    zstd->createCCtx = whole.createCCtx;
    ZSTD_CCtx *made = ZSTD_createCCtx();
    assert_non_null(made);
    assert_int_equal(ZSTD_freeCCtx(made), 0);
}

static int n_freed, n_made;

static size_t count_freed(ZSTD_DCtx *decoder)
{
    n_freed++;
    return whole.freeDCtx(decoder);
}

static ZSTD_DCtx *count_made(void)
{
    n_made++;
    return whole.createDCtx();
}

static ZSTD_DCtx *make_no_decoder(void)
{
    return NULL;
}

/* The decoders of verification, which outlive the frames. */
static void test_decoders(void **state)
{
    (void)state;
    rp_plugin_config config;
    rp_plugin_config_default(&config, sizeof(config));
    size_t n = compress();
    assert_false(ZSTD_isError(n));
    zstd->createDCtx = make_no_decoder;
    assert_int_equal(rp_verify_frame(&config, frame, n, block, sizeof(block)), RP_VERIFY_UNABLE);
    zstd->createDCtx = count_made;
    zstd->freeDCtx = count_freed;
    for (int i = 0; i < 3; i++)
        assert_int_equal(rp_verify_frame(&config, frame, n, block, sizeof(block)), RP_VERIFY_GOOD);
    assert_true(n_made == 1 && n_freed == 0);
    rp_verify_clear(zstd);
    assert_int_equal(n_freed, 1);
    /* While something is unloaded, nothing is kept of what may go. */
    zstd->stays_loaded = false;
    rp_zstd_set_unloads_seen(true);
    rp_zstd_unload_begin();
    for (int i = 0; i < 3; i++)
        assert_int_equal(rp_verify_frame(&config, frame, n, block, sizeof(block)), RP_VERIFY_GOOD);
    assert_true(n_made == 4 && n_freed == 4);
    rp_zstd_unload_end();
    assert_false(atomic_load(&zstd->is_gone));
    frame[n / 2] ^= 1;
    assert_int_equal(rp_verify_frame(&config, frame, n, block, sizeof(block)), RP_VERIFY_MISMATCH);
    rp_verify_clear(zstd);
    assert_true(n_made == 5 && n_freed == 5);
    zstd->stays_loaded = true;
    zstd->createDCtx = NULL;
    assert_int_equal(rp_verify_frame(&config, frame, n, block, sizeof(block)), RP_VERIFY_UNABLE);
    zstd->createDCtx = whole.createDCtx;
    zstd->freeDCtx = whole.freeDCtx;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_missing_functions),
        cmocka_unit_test(test_function_of_a_newer_library),
        cmocka_unit_test(test_contexts_that_cannot_be_made),
        cmocka_unit_test(test_contexts_without_memory),
        cmocka_unit_test(test_decoders),
    };
    return RUN_CASES(argc, argv, tests, set_up, NULL);
}
