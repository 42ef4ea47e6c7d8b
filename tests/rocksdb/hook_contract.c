/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_contract [bytes]: calls libzstd in many ways, and prints what a caller can see: errors by
 * name, and of each frame what it decodes to and what its header says. It knows nothing of the
 * hook: contract.sh runs it with and without, and compares. With "bytes" it also prints a digest of
 * each frame, which must be the same where no device is in use; streams are always digested.
 */
#define ZSTD_STATIC_LINKING_ONLY
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zdict.h>
#include <zstd.h>

#define MAX_BYTES ((size_t)1 << 20)

static bool with_bytes;
static char compressible[MAX_BYTES], noise[MAX_BYTES];
static char out[MAX_BYTES + 65536], back[MAX_BYTES];

static void fill(void)
{
    static const char *const words[] = {
        "customer", "order", "amount", "status=paid;", "2031-05-", "Hamburg", "\0\0\0",
        "id=",      ",",     "\n"};
    uint64_t seed = 88172645463325252u;
    size_t n = 0;

    while (n < MAX_BYTES) {
        const char *word;
        size_t length;
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        word = words[seed % 10];
        length = word[0] == '\0' ? 3 : strlen(word);
        if (seed % 3 == 0) {
            compressible[n++] = (char)('0' + seed / 3 % 10);
        } else if (n + length <= MAX_BYTES) {
            memcpy(compressible + n, word, length);
            n += length;
        } else {
            compressible[n++] = '.';
        }
    }
    for (n = 0; n + 8 <= MAX_BYTES; n += 8) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        memcpy(noise + n, &seed, 8);
    }
}

static uint64_t digest(const void *bytes, size_t size)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
    return hash;
}

static void show_result(const char *name, size_t result)
{
    printf("%s: %s\n", name, ZSTD_isError(result) ? ZSTD_getErrorName(result) : "ok");
}

/* A frame in out, as its reader sees it. */
static void show_frame(const char *name, size_t result, const void *src, size_t size,
                       const void *dict, size_t dict_size, ZSTD_format_e format)
{
    ZSTD_frameHeader header;
    ZSTD_DCtx *dctx;
    bool good, alone;
    size_t decoded;

    if (ZSTD_isError(result)) {
        show_result(name, result);
        return;
    }
    memset(&header, 0, sizeof(header));
    ZSTD_getFrameHeader_advanced(&header, out, result, format);
    dctx = ZSTD_createDCtx();
    ZSTD_DCtx_setParameter(dctx, ZSTD_d_format, (int)format);
    ZSTD_DCtx_loadDictionary(dctx, dict, dict_size);
    decoded = ZSTD_decompressDCtx(dctx, back, sizeof(back), out, result);
    good = decoded == size && memcmp(back, src, size) == 0;
    /* A frame that was made with a dictionary is not readable without. */
    ZSTD_DCtx_loadDictionary(dctx, NULL, 0);
    decoded = ZSTD_decompressDCtx(dctx, back, sizeof(back), out, result);
    alone = decoded == size && memcmp(back, src, size) == 0;
    ZSTD_freeDCtx(dctx);
    printf("%s: %s%s, content size %lld, dictionary %u, checksum %u", name, good ? "good" : "WRONG",
           alone ? "" : " with its dictionary", (long long)header.frameContentSize, header.dictID,
           header.checksumFlag);
    if (with_bytes)
        printf(", %zu bytes %016llx", result, (unsigned long long)digest(out, result));
    putchar('\n');
}

static void show(const char *name, size_t result, const void *src, size_t size)
{
    show_frame(name, result, src, size, NULL, 0, ZSTD_f_zstd1);
}

static const char dictionary[] = "customer order amount status=paid;2031-05-Hamburg id=, \n id=";

static void simple_calls(void)
{
    static const int levels[] = {-100, -5, -1, 0, 1, 2, 3, 4, 6, 9, 12, 19, 22, 100};
    static const size_t sizes[] = {0, 1, 7, 511, 512, 4096, 65535, 262144, 262145, MAX_BYTES};
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    ZSTD_CDict *cdict = ZSTD_createCDict(dictionary, sizeof(dictionary), 3);
    ZSTD_CDict *empty = ZSTD_createCDict(NULL, 0, 3);
    char name[64];

    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        snprintf(name, sizeof(name), "usingDict level %d", levels[i]);
        show(
            name,
            ZSTD_compress_usingDict(cctx, out, sizeof(out), compressible, 4096, NULL, 0, levels[i]),
            compressible, 4096);
        snprintf(name, sizeof(name), "compress level %d", levels[i]);
        show(name, ZSTD_compress(out, sizeof(out), compressible, 4096, levels[i]), compressible,
             4096);
        snprintf(name, sizeof(name), "compressCCtx level %d", levels[i]);
        show(name, ZSTD_compressCCtx(cctx, out, sizeof(out), compressible, 4096, levels[i]),
             compressible, 4096);
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        snprintf(name, sizeof(name), "compress2 of %zu bytes", sizes[i]);
        show(name, ZSTD_compress2(cctx, out, sizeof(out), compressible, sizes[i]), compressible,
             sizes[i]);
        snprintf(name, sizeof(name), "compress2 of %zu bytes of noise", sizes[i]);
        show(name, ZSTD_compress2(cctx, out, sizeof(out), noise, sizes[i]), noise, sizes[i]);
        snprintf(name, sizeof(name), "usingDict of %zu bytes of noise", sizes[i]);
        show(name, ZSTD_compress_usingDict(cctx, out, sizeof(out), noise, sizes[i], "", 0, 3),
             noise, sizes[i]);
    }
    show_frame("usingDict with one",
               ZSTD_compress_usingDict(cctx, out, sizeof(out), compressible, 4096, dictionary,
                                       sizeof(dictionary), 3),
               compressible, 4096, dictionary, sizeof(dictionary), ZSTD_f_zstd1);
    show_frame("usingCDict",
               ZSTD_compress_usingCDict(cctx, out, sizeof(out), compressible, 4096, cdict),
               compressible, 4096, dictionary, sizeof(dictionary), ZSTD_f_zstd1);
    show("usingCDict, empty",
         ZSTD_compress_usingCDict(cctx, out, sizeof(out), compressible, 4096, empty), compressible,
         4096);
    show("usingCDict, NULL",
         ZSTD_compress_usingCDict(cctx, out, sizeof(out), compressible, 4096, NULL), compressible,
         4096);
    ZSTD_freeCDict(cdict);
    ZSTD_freeCDict(empty);
    show_result("free", ZSTD_freeCCtx(cctx));
    show_result("free NULL", ZSTD_freeCCtx(NULL));
}

static void capacities(void)
{
    static const size_t small[] = {0, 1, 2, 8, 12, 13, 14, 100};
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    char name[64];

    for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++) {
        snprintf(name, sizeof(name), "compress2 into %zu", small[i]);
        show(name, ZSTD_compress2(cctx, out, small[i], compressible, 4096), compressible, 4096);
        snprintf(name, sizeof(name), "usingDict into %zu", small[i]);
        show(name, ZSTD_compress_usingDict(cctx, out, small[i], compressible, 4096, NULL, 0, 3),
             compressible, 4096);
    }
    show("compress2 into NULL", ZSTD_compress2(cctx, NULL, 0, compressible, 4096), compressible,
         4096);
    show("compress2 of NULL", ZSTD_compress2(cctx, out, sizeof(out), NULL, 0), "", 0);
    show("usingDict of NULL", ZSTD_compress_usingDict(cctx, out, sizeof(out), NULL, 0, NULL, 0, 3),
         "", 0);
    show("compress of NULL", ZSTD_compress(out, sizeof(out), NULL, 0, 3), "", 0);
    /* As RocksDB does since 10.6: 7/8 of the block, and an error means "store it raw". */
    show("noise into 7/8", ZSTD_compress2(cctx, out, 4096 * 7 / 8, noise, 4096), noise, 4096);
    /* libzstd is then in the middle of a frame, and says so. */
    show_result("dictionary after that", ZSTD_CCtx_loadDictionary(cctx, NULL, 0));
    show_result("parameter after that", ZSTD_CCtx_setParameter(cctx, ZSTD_c_windowLog, 0));
    show("text into 7/8", ZSTD_compress2(cctx, out, 4096 * 7 / 8, compressible, 4096), compressible,
         4096);
    show_result("dictionary after a good one", ZSTD_CCtx_loadDictionary(cctx, NULL, 0));
    ZSTD_freeCCtx(cctx);
}

static void show_set(ZSTD_CCtx *cctx, ZSTD_cParameter parameter, int value)
{
    char name[64];

    snprintf(name, sizeof(name), "set %d to %d", (int)parameter, value);
    show_result(name, ZSTD_CCtx_setParameter(cctx, parameter, value));
}

static void parameters(void)
{
    static const struct {
        ZSTD_cParameter parameter;
        int value;
    } sets[] = {
        {ZSTD_c_compressionLevel, 1},
        {ZSTD_c_compressionLevel, -7},
        {ZSTD_c_compressionLevel, 1000},
        {ZSTD_c_checksumFlag, 1},
        {ZSTD_c_contentSizeFlag, 0},
        {ZSTD_c_dictIDFlag, 0},
        {ZSTD_c_windowLog, 10},
        {ZSTD_c_windowLog, 99},
        {ZSTD_c_hashLog, 12},
        {ZSTD_c_strategy, 7},
        {ZSTD_c_strategy, 77},
        {ZSTD_c_enableLongDistanceMatching, 1},
        {ZSTD_c_nbWorkers, 2},
        {ZSTD_c_targetCBlockSize, 1024},
        {ZSTD_c_literalCompressionMode, 2},
        {ZSTD_c_srcSizeHint, 100},
        {(ZSTD_cParameter)31337, 1},
    };
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    ZSTD_CCtx_params *params = ZSTD_createCCtxParams();
    ZSTD_CDict *cdict = ZSTD_createCDict(dictionary, sizeof(dictionary), 3);
    ZSTD_compressionParameters cparams = ZSTD_getCParams(5, 4096, 0);
    int value;

    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        show_set(cctx, sets[i].parameter, sets[i].value);
        show("with it", ZSTD_compress2(cctx, out, sizeof(out), compressible, 16384), compressible,
             16384);
        show("usingDict beside it",
             ZSTD_compress_usingDict(cctx, out, sizeof(out), compressible, 16384, NULL, 0, 3),
             compressible, 16384);
        show_result("reset", ZSTD_CCtx_reset(cctx, ZSTD_reset_parameters));
        show("without", ZSTD_compress2(cctx, out, sizeof(out), compressible, 16384), compressible,
             16384);
    }
    show_set(cctx, ZSTD_c_format, ZSTD_f_zstd1_magicless);
    show_frame("magicless", ZSTD_compress2(cctx, out, sizeof(out), compressible, 16384),
               compressible, 16384, NULL, 0, ZSTD_f_zstd1_magicless);
    ZSTD_CCtx_reset(cctx, ZSTD_reset_session_and_parameters);

    show_set(cctx, ZSTD_c_checksumFlag, 1);
    show_set(cctx, ZSTD_c_compressionLevel, 5);
    value = 0;
    ZSTD_CCtx_getParameter(cctx, ZSTD_c_compressionLevel, &value);
    printf("level %d\n", value);
    show_result("refCDict", ZSTD_CCtx_refCDict(cctx, cdict));
    show_frame("with a CDict", ZSTD_compress2(cctx, out, sizeof(out), compressible, 4096),
               compressible, 4096, dictionary, sizeof(dictionary), ZSTD_f_zstd1);
    show_result("refCDict NULL", ZSTD_CCtx_refCDict(cctx, NULL));
    show("without it", ZSTD_compress2(cctx, out, sizeof(out), compressible, 4096), compressible,
         4096);
    show_result("load", ZSTD_CCtx_loadDictionary(cctx, dictionary, sizeof(dictionary)));
    show_frame("with a dictionary", ZSTD_compress2(cctx, out, sizeof(out), compressible, 4096),
               compressible, 4096, dictionary, sizeof(dictionary), ZSTD_f_zstd1);
    show_result("load none", ZSTD_CCtx_loadDictionary(cctx, dictionary, 0));
    show("without it", ZSTD_compress2(cctx, out, sizeof(out), compressible, 4096), compressible,
         4096);
    show_result("load by reference",
                ZSTD_CCtx_loadDictionary_byReference(cctx, dictionary, sizeof(dictionary)));
    show_frame("with it", ZSTD_compress2(cctx, out, sizeof(out), compressible, 4096), compressible,
               4096, dictionary, sizeof(dictionary), ZSTD_f_zstd1);
    ZSTD_CCtx_reset(cctx, ZSTD_reset_session_and_parameters);
    show_result("refPrefix", ZSTD_CCtx_refPrefix(cctx, dictionary, sizeof(dictionary)));
    show_frame("with a prefix", ZSTD_compress2(cctx, out, sizeof(out), compressible, 4096),
               compressible, 4096, dictionary, sizeof(dictionary), ZSTD_f_zstd1);
    show("a prefix is used once", ZSTD_compress2(cctx, out, sizeof(out), compressible, 4096),
         compressible, 4096);

    ZSTD_CCtx_reset(cctx, ZSTD_reset_session_and_parameters);
    ZSTD_CCtxParams_setParameter(params, ZSTD_c_checksumFlag, 1);
    show_result("set all", ZSTD_CCtx_setParametersUsingCCtxParams(cctx, params));
    show("with all", ZSTD_compress2(cctx, out, sizeof(out), compressible, 4096), compressible,
         4096);
    ZSTD_CCtx_reset(cctx, ZSTD_reset_session_and_parameters);
    show_result("set cparams", ZSTD_CCtx_setCParams(cctx, cparams));
    show("with cparams", ZSTD_compress2(cctx, out, sizeof(out), compressible, 4096), compressible,
         4096);
    ZSTD_freeCCtxParams(params);
    ZSTD_freeCDict(cdict);
    ZSTD_freeCCtx(cctx);
}

/* A stream, as RocksDB writes its WAL: records, each flushed. */
static void show_stream(const char *name, ZSTD_CCtx *cctx, ZSTD_EndDirective last)
{
    ZSTD_outBuffer output = {out, sizeof(out), 0};
    size_t result = 0;

    for (size_t i = 0; i < 10; i++) {
        ZSTD_inBuffer input = {compressible + i * 1000, 1000, 0};
        result = ZSTD_compressStream2(cctx, &output, &input, i < 9 ? ZSTD_e_flush : last);
    }
    printf("%s: %s %zu bytes %016llx\n", name,
           ZSTD_isError(result) ? ZSTD_getErrorName(result) : "ok", output.pos,
           (unsigned long long)digest(out, output.pos));
}

static void streams(void)
{
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    ZSTD_CStream *stream;

    ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, 1);
    show_stream("a stream", cctx, ZSTD_e_end);
    show("a block after it", ZSTD_compress2(cctx, out, sizeof(out), compressible, 4096),
         compressible, 4096);
    show_stream("a stream after that", cctx, ZSTD_e_end);
    ZSTD_CCtx_reset(cctx, ZSTD_reset_session_only);
    /* In the middle of a stream libzstd refuses some things; a block ends the stream. */
    show_stream("half a stream", cctx, ZSTD_e_continue);
    show_set(cctx, ZSTD_c_windowLog, 12);
    show_result("dictionary", ZSTD_CCtx_loadDictionary(cctx, dictionary, sizeof(dictionary)));
    show_result("reset parameters", ZSTD_CCtx_reset(cctx, ZSTD_reset_parameters));
    show("a block in it", ZSTD_compress2(cctx, out, sizeof(out), compressible, 4096), compressible,
         4096);
    show_result("dictionary", ZSTD_CCtx_loadDictionary(cctx, NULL, 0));
    show_stream("a stream from the start", cctx, ZSTD_e_end);
    show_result("pledge", ZSTD_CCtx_setPledgedSrcSize(cctx, 5));
    show("a block of another size", ZSTD_compress2(cctx, out, sizeof(out), compressible, 4096),
         compressible, 4096);
    show_stream("a stream that pledged nothing", cctx, ZSTD_e_end);
    ZSTD_freeCCtx(cctx);

    stream = ZSTD_createCStream();
    show_result("initCStream", ZSTD_initCStream(stream, 4));
    show_stream("the older interface", stream, ZSTD_e_end);
    show("a block after it", ZSTD_compress2(stream, out, sizeof(out), compressible, 4096),
         compressible, 4096);
    show_result("initCStream_usingDict",
                ZSTD_initCStream_usingDict(stream, dictionary, sizeof(dictionary), 4));
    show_frame("a block with its dictionary",
               ZSTD_compress2(stream, out, sizeof(out), compressible, 4096), compressible, 4096,
               dictionary, sizeof(dictionary), ZSTD_f_zstd1);
    show_result("freeCStream", ZSTD_freeCStream(stream));
}

/* One block of the stream's context, with what it was set to. */
static void show_next_block(const char *name, ZSTD_CStream *stream)
{
    show_frame(name, ZSTD_compress2(stream, out, sizeof(out), compressible, 4096), compressible,
               4096, dictionary, sizeof(dictionary), ZSTD_f_zstd1);
    ZSTD_CCtx_reset(stream, ZSTD_reset_session_and_parameters);
}

/* Structures are passed by value here: what arrives shows in the checksum, or in its absence. */
static void older_set_ups(void)
{
    ZSTD_CStream *stream = ZSTD_createCStream();
    ZSTD_CDict *cdict = ZSTD_createCDict(dictionary, sizeof(dictionary), 5);
    ZSTD_parameters params = ZSTD_getParams(4, 4096, sizeof(dictionary));
    ZSTD_frameParameters frame = {.contentSizeFlag = 1, .checksumFlag = 1};

    params.fParams = frame;
    show_result("initCStream_srcSize", ZSTD_initCStream_srcSize(stream, 4, 10000));
    show_stream("with a size", stream, ZSTD_e_end);
    show_next_block("after a size", stream);
    show_result("initCStream_advanced",
                ZSTD_initCStream_advanced(stream, dictionary, sizeof(dictionary), params, 10000));
    show_stream("with all parameters", stream, ZSTD_e_end);
    show_next_block("after all parameters", stream);
    show_result("initCStream_usingCDict", ZSTD_initCStream_usingCDict(stream, cdict));
    show_next_block("with a CDict", stream);
    show_result("initCStream_usingCDict_advanced",
                ZSTD_initCStream_usingCDict_advanced(stream, cdict, frame, 10000));
    show_stream("with a CDict and a size", stream, ZSTD_e_end);
    show_next_block("with a CDict and a checksum", stream);
    show_next_block("reset", stream);
    ZSTD_freeCDict(cdict);
    ZSTD_freeCStream(stream);
}

#if ZSTD_VERSION_NUMBER >= 10504
static size_t n_produced;

static size_t produce(void *state, ZSTD_Sequence *sequences, size_t capacity, const void *src,
                      size_t size, const void *dict, size_t dict_size, int level, size_t window)
{
    (void)sequences, (void)capacity, (void)src, (void)dict, (void)dict_size, (void)level;
    (void)window;
    n_produced += state == &n_produced && size == 4096;
    return ZSTD_SEQUENCE_PRODUCER_ERROR;
}

/* Only libzstd asks it, and has no sequences then. */
static void sequence_producer(void)
{
    ZSTD_CCtx *cctx = ZSTD_createCCtx();

    ZSTD_registerSequenceProducer(cctx, &n_produced, produce);
    show("a producer that fails", ZSTD_compress2(cctx, out, sizeof(out), compressible, 4096),
         compressible, 4096);
    ZSTD_registerSequenceProducer(cctx, NULL, NULL);
    show("no producer", ZSTD_compress2(cctx, out, sizeof(out), compressible, 4096), compressible,
         4096);
    printf("asked %zu times\n", n_produced);
    ZSTD_freeCCtx(cctx);
}
#else
static void sequence_producer(void)
{
}
#endif

static void thread_pool(void)
{
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    ZSTD_threadPool *pool = ZSTD_createThreadPool(2);

    show_result("refThreadPool", ZSTD_CCtx_refThreadPool(cctx, pool));
    show("with a pool", ZSTD_compress2(cctx, out, sizeof(out), compressible, 4096), compressible,
         4096);
    ZSTD_freeCCtx(cctx);
    ZSTD_freeThreadPool(pool);
}

static void others(void)
{
    static ZSTD_Sequence sequences[8192];
    static size_t sample_sizes[200];
    static char dict[4096];
    ZDICT_params_t zparams = {3, 0, 0};
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    size_t result;

    result = ZSTD_generateSequences(cctx, sequences, 8192, compressible, 4096);
    printf("sequences: %zu\n", result);
    ZSTD_freeCCtx(cctx);

    cctx = ZSTD_createCCtx();
    show_result("begin", ZSTD_compressBegin(cctx, 3));
    show("end", ZSTD_compressEnd(cctx, out, sizeof(out), compressible, 4096), compressible, 4096);
    show("a block after them", ZSTD_compress2(cctx, out, sizeof(out), compressible, 4096),
         compressible, 4096);
    ZSTD_freeCCtx(cctx);

    for (size_t i = 0; i < 200; i++)
        sample_sizes[i] = 4096;
    result = ZDICT_trainFromBuffer(dict, sizeof(dict), compressible, sample_sizes, 200);
    printf("train: %s %016llx\n", ZDICT_isError(result) ? ZDICT_getErrorName(result) : "ok",
           ZDICT_isError(result) ? 0ull : (unsigned long long)digest(dict, result));
    result = ZDICT_finalizeDictionary(dict, sizeof(dict), compressible, 2000, compressible,
                                      sample_sizes, 200, zparams);
    printf("finalize: %s %016llx\n", ZDICT_isError(result) ? ZDICT_getErrorName(result) : "ok",
           ZDICT_isError(result) ? 0ull : (unsigned long long)digest(dict, result));
    result = ZDICT_trainFromBuffer(dict, sizeof(dict), compressible, sample_sizes, 0);
    printf("train on nothing: %s\n", ZDICT_isError(result) ? ZDICT_getErrorName(result) : "ok");
}

static void *compress_in_thread(void *good)
{
    enum { SIZE = 8192 };
    char frame[SIZE * 2], decoded[SIZE];

    for (size_t i = 0; i < 200; i++) {
        const char *block = compressible + i * 4000;
        ZSTD_CCtx *cctx = ZSTD_createCCtx();
        size_t size;
        ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, (int)(i % 2));
        size = ZSTD_compress2(cctx, frame, sizeof(frame), block, SIZE);
        ZSTD_freeCCtx(cctx);
        if (ZSTD_isError(size) || ZSTD_decompress(decoded, SIZE, frame, size) != SIZE ||
            memcmp(decoded, block, SIZE) != 0)
            *(bool *)good = false;
    }
    return NULL;
}

static void in_threads(void)
{
    pthread_t threads[6];
    bool good[6];

    for (int i = 0; i < 6; i++) {
        good[i] = true;
        if (pthread_create(&threads[i], NULL, compress_in_thread, &good[i]) != 0)
            good[i] = false;
    }
    for (int i = 0; i < 6; i++) {
        pthread_join(threads[i], NULL);
        printf("thread %d: %s\n", i, good[i] ? "good" : "WRONG");
    }
}

int main(int argc, char **argv)
{
    with_bytes = argc > 1 && strcmp(argv[1], "bytes") == 0;
    fill();
    simple_calls();
    capacities();
    parameters();
    streams();
    older_set_ups();
    sequence_producer();
    thread_pool();
    others();
    in_threads();
    return 0;
}
