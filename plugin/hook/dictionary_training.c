/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hooked functions that train dictionaries. RocksDB's table builder calls one of them for a
 * file, with the blocks that it has buffered, before it compresses the first. If ROCKPRESS_BATCH
 * allows it, that begins a batch of those blocks, and the answer is an error of libzstd's own,
 * "dictionary creation failed", which every RocksDB takes for "no dictionary": it then compresses
 * the blocks without one. (A length of 0 would do for RocksDB, too, but another program may well
 * take it for a dictionary.) Where no batch can be begun, the dictionary is trained.
 *
 * With ROCKPRESS_BATCH=auto, nobody has asked for batches. So another program's dictionary is
 * trained, and so is one for which RocksDB shows no more than it takes to train one.
 *
 * Is the file compressed with zstd? Up to 10.3, RocksDB trains dictionaries for LZ4 with the same
 * functions. In all these releases the builder of a zstd file makes its contexts first, and frees
 * them last, on the thread that shows the samples. So a file is zstd's if that thread has made a
 * context that still lives. From 10.4 on only zstd files are trained for. Their builders have such
 * a context, too, that of the index, unless the index is not to be compressed. Without any context
 * the dictionary is trained, until a frame is seen that carries the identifier of one that was
 * trained in this way: then only zstd trains here.
 *
 * A context of another kind may belong to the thread, say that of a WAL, which makes an LZ4 file
 * look like a zstd file. Then nobody asks for a block of the batch, and from then on that context
 * counts no more.
 *
 * A block that is asked for with a dictionary is never given a frame of a batch, which has none. It
 * would be larger, and a decoder that has the dictionary begins with the dictionary's repeat
 * offsets.
 *
 * When is a file done? libzstd's interface does not say it. The context that lived before the batch
 * began is freed with the builder. Contexts that took a block say nothing: from 10.7 on each block
 * of the file has one of its own. A thread begins the batch of its next file when the blocks of the
 * last one have been compressed.
 */
#include "plugin/hook/dictionary_training.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "plugin/core/nesting.h"
#include "plugin/hook/asker.h"
#include "plugin/hook/caller.h"
#include "plugin/route/route.h"

#define NO_DICTIONARY ((size_t)-ZSTD_error_dictionaryCreation_failed)

/* Only zstd files are trained for, with or without a context. */
static _Atomic bool trains_without_context;
/* Of the last dictionary that was trained for a thread without a context; 0: none. */
static _Atomic uint32_t unproven_id;

static uint32_t read_le32(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* RFC 8878, 5: magic number, identifier. */
static void note_unproven(const void *dictionary, size_t result)
{
    if (!rp_zstd_is_error(result) && result >= 8)
        atomic_store_explicit(&unproven_id, read_le32((const uint8_t *)dictionary + 4),
                              memory_order_relaxed);
}

/* RFC 8878, 3.1.1.1: the dictionary's identifier in a frame's header; 0: none. Identifiers of
 * trained dictionaries need two bytes at least. */
static uint32_t identifier_of(const uint8_t *frame, size_t size)
{
    size_t at;

    if (size < 10)
        return 0;
    at = (frame[4] & 0x20) != 0 ? 5 : 6; /* a single segment has no window descriptor */
    switch (frame[4] & 3) {
    case 2:
        return frame[at] | (uint32_t)frame[at + 1] << 8;
    case 3:
        return read_le32(frame + at);
    default:
        return 0;
    }
}

void rp_dictionary_was_used(const void *frame, size_t result)
{
    uint32_t id = atomic_load_explicit(&unproven_id, memory_order_relaxed);

    if (id == 0 || rp_zstd_is_error(result) || identifier_of(frame, result) != id)
        return;
    atomic_store_explicit(&unproven_id, 0, memory_order_relaxed);
    atomic_store_explicit(&trains_without_context, true, memory_order_relaxed);
}

/* The batch of the thread's last file. */
static void end_last_batch(void)
{
    if (rp_batch_is_in_vain(rp_thread.own_batch)) {
        rp_context_disown(rp_thread.own_batch_born);
        atomic_store_explicit(&trains_without_context, false, memory_order_relaxed);
    }
    rp_batch_end(rp_thread.own_batch);
    rp_thread.own_batch = 0;
}

/* What is known of how the file's blocks will be asked for. False: nothing. */
static bool find_hint(const struct rp_context *context, const int *level, rp_route_hint *hint)
{
    bool is_set = rp_thread.set_level != 0;

    *hint = (rp_route_hint){rp_thread.set_level, rp_thread.set_checksum != 0};
    if (is_set && context != NULL) {
        hint->level = context->level;
        hint->checksum = (context->flags & RP_CONTEXT_CHECKSUM) != 0;
    }
    if (level != NULL)
        hint->level = *level;
    return is_set || level != NULL;
}

/* False when there is no batch: the dictionary is to be trained. `level` is zstd's; NULL: the
 * caller did not say it. */
static bool begin_batch(const void *samples, const size_t *sizes, unsigned n_samples,
                        const int *level)
{
    const struct rp_context *context;
    rp_route_hint hint;
    bool is_known;

    end_last_batch();
    context = rp_context_youngest_own();
    if (context == NULL && !atomic_load_explicit(&trains_without_context, memory_order_relaxed))
        return false;
    is_known = find_hint(context, level, &hint);
    rp_thread.own_batch_born = rp_context_clock();
    rp_thread.own_batch = rp_route_begin_batch(samples, sizes, n_samples, is_known ? &hint : NULL);
    return rp_thread.own_batch != 0;
}

static bool may_begin_batch(size_t dictionary_bytes, const size_t *sizes, unsigned n_samples)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; sizes != NULL && i < n_samples; i++)
        bytes += sizes[i];
    return rp_batch_may_be(rp_asker_is_rocksdb(), dictionary_bytes, bytes);
}

/* A dictionary that is trained although batches are on. */
static void note_trained(const void *dictionary, size_t result)
{
    if (rp_context_youngest_own() == NULL)
        note_unproven(dictionary, result);
}

/* Trainers compress every sample several times to find the best dictionary. Those calls come back
 * to the hook from inside libzstd: they are nested, and no blocks of RocksDB's. */
RP_API size_t ZDICT_trainFromBuffer(void *dictBuffer, size_t dictBufferCapacity,
                                    const void *samplesBuffer, const size_t *samplesSizes,
                                    unsigned nbSamples)
{
    struct rp_zstd *zstd = rp_library_of(NULL, RP_CALLER());
    bool is_offered =
        !rp_nesting_is_nested() && may_begin_batch(dictBufferCapacity, samplesSizes, nbSamples);
    rp_nesting nesting;
    size_t result;

    if (is_offered && begin_batch(samplesBuffer, samplesSizes, nbSamples, NULL))
        return NO_DICTIONARY;
    if (zstd == NULL || zstd->trainFromBuffer == NULL)
        return RP_ZSTD_NO_LIBRARY;
    rp_nesting_enter(&nesting);
    result = zstd->trainFromBuffer(dictBuffer, dictBufferCapacity, samplesBuffer, samplesSizes,
                                   nbSamples);
    rp_nesting_leave(&nesting);
    if (is_offered)
        note_trained(dictBuffer, result);
    return result;
}

RP_API size_t ZDICT_finalizeDictionary(void *dstDictBuffer, size_t maxDictSize,
                                       const void *dictContent, size_t dictContentSize,
                                       const void *samplesBuffer, const size_t *samplesSizes,
                                       unsigned nbSamples, ZDICT_params_t parameters)
{
    struct rp_zstd *zstd = rp_library_of(NULL, RP_CALLER());
    bool is_offered =
        !rp_nesting_is_nested() && may_begin_batch(maxDictSize, samplesSizes, nbSamples);
    rp_nesting nesting;
    size_t result;

    if (is_offered &&
        begin_batch(samplesBuffer, samplesSizes, nbSamples, &parameters.compressionLevel))
        return NO_DICTIONARY;
    if (zstd == NULL || zstd->finalizeDictionary == NULL)
        return RP_ZSTD_NO_LIBRARY;
    rp_nesting_enter(&nesting);
    result = zstd->finalizeDictionary(dstDictBuffer, maxDictSize, dictContent, dictContentSize,
                                      samplesBuffer, samplesSizes, nbSamples, parameters);
    rp_nesting_leave(&nesting);
    if (is_offered)
        note_trained(dstDictBuffer, result);
    return result;
}
