/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hooked functions that train dictionaries. RocksDB's table builder calls one of them for a
 * file, with the blocks that it has buffered, before it compresses the first. With
 * ROCKPRESS_BATCH=on that begins a batch of those blocks, and the answer is an error of libzstd's
 * own, "dictionary creation failed", which every RocksDB takes for "no dictionary": it then
 * compresses the blocks without one. (A length of 0 would do for RocksDB, too, but another program
 * may well take it for a dictionary.)
 *
 * libzstd's interface does not say when a file is done. The file is taken to be done when the
 * thread that showed the samples frees a context that the file was compressed with: one that was
 * served from the batch, or one that is older than the batch. A younger context that took nothing
 * is a blob's. A thread builds one table at a time, so its next batch ends the last one in any
 * case.
 */
#include "plugin/core/nesting.h"
#include "plugin/hook/caller.h"
#include "plugin/route/route.h"

#define NO_DICTIONARY ((size_t)-ZSTD_error_dictionaryCreation_failed)

static void begin_batch(const void *samples, const size_t *sizes, unsigned n_samples,
                        const rp_route_hint *hint)
{
    rp_batch_end(rp_thread.own_batch);
    rp_thread.own_batch = rp_route_begin_batch(samples, sizes, n_samples, hint);
    rp_thread.own_batch_born = rp_context_clock();
}

/* Trainers compress every sample several times to find the best dictionary. Those calls come back
 * to the hook from inside libzstd: they are nested, and no blocks of RocksDB's. */
RP_API size_t ZDICT_trainFromBuffer(void *dictBuffer, size_t dictBufferCapacity,
                                    const void *samplesBuffer, const size_t *samplesSizes,
                                    unsigned nbSamples)
{
    struct rp_zstd *zstd = rp_library_of(NULL, RP_CALLER());
    rp_route_hint hint = {rp_thread.set_level, rp_thread.set_checksum};
    rp_nesting nesting;
    size_t result;

    if (!rp_nesting_is_nested() && rp_batch_is_on()) {
        begin_batch(samplesBuffer, samplesSizes, nbSamples, hint.level != 0 ? &hint : NULL);
        return NO_DICTIONARY;
    }
    if (zstd == NULL || zstd->trainFromBuffer == NULL)
        return RP_ZSTD_NO_LIBRARY;
    rp_nesting_enter(&nesting);
    result = zstd->trainFromBuffer(dictBuffer, dictBufferCapacity, samplesBuffer, samplesSizes,
                                   nbSamples);
    rp_nesting_leave(&nesting);
    return result;
}

RP_API size_t ZDICT_finalizeDictionary(void *dstDictBuffer, size_t maxDictSize,
                                       const void *dictContent, size_t dictContentSize,
                                       const void *samplesBuffer, const size_t *samplesSizes,
                                       unsigned nbSamples, ZDICT_params_t parameters)
{
    struct rp_zstd *zstd = rp_library_of(NULL, RP_CALLER());
    rp_route_hint hint = {parameters.compressionLevel, rp_thread.set_checksum};
    rp_nesting nesting;
    size_t result;

    if (!rp_nesting_is_nested() && rp_batch_is_on()) {
        begin_batch(samplesBuffer, samplesSizes, nbSamples, &hint);
        return NO_DICTIONARY;
    }
    if (zstd == NULL || zstd->finalizeDictionary == NULL)
        return RP_ZSTD_NO_LIBRARY;
    rp_nesting_enter(&nesting);
    result = zstd->finalizeDictionary(dstDictBuffer, maxDictSize, dictContent, dictContentSize,
                                      samplesBuffer, samplesSizes, nbSamples, parameters);
    rp_nesting_leave(&nesting);
    return result;
}
