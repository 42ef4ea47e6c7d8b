/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A libzstd that only knows its own contexts, and a user of it. It is built several times, each
 * with a TAG and a RELEASE of its own, as libraries are that have a libzstd inside. "Compressing"
 * is copying. A function that gets a context of another library ends the process: that is what must
 * not happen, and what real releases answer with a crash or with wrong bytes.
 *
 * With ONLY_CLIENT it is a user without a library inside, with ONLY_LIBRARY the other half. With
 * AT_LOAD, which is the tag that it should reach, it is used while it is loaded.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct ZSTD_CCtx_s ZSTD_CCtx;
typedef struct ZSTD_CDict_s ZSTD_CDict;
typedef struct custom_memory {
    void *(*allocate)(void *opaque, size_t size);
    void (*release)(void *opaque, void *address);
    void *opaque;
} custom_memory;

typedef struct frame_parameters {
    int content_size_flag, checksum_flag, no_dict_id_flag;
} frame_parameters;

ZSTD_CCtx *ZSTD_createCCtx(void);
ZSTD_CCtx *ZSTD_createCCtx_advanced(custom_memory memory);
ZSTD_CCtx *ZSTD_createCStream(void);
ZSTD_CDict *ZSTD_createCDict(const void *dictionary, size_t size, int level);
size_t ZSTD_freeCCtx(ZSTD_CCtx *cctx);
size_t ZSTD_freeCStream(ZSTD_CCtx *cctx);
size_t ZSTD_freeCDict(ZSTD_CDict *cdict);
size_t ZSTD_sizeof_CCtx(const ZSTD_CCtx *cctx);
size_t ZSTD_compressBound(size_t size);
size_t ZSTD_CCtx_reset(ZSTD_CCtx *cctx, int what);
size_t ZSTD_CCtx_setParameter(ZSTD_CCtx *cctx, int parameter, int value);
size_t ZSTD_CCtx_refCDict(ZSTD_CCtx *cctx, const ZSTD_CDict *cdict);
size_t ZSTD_initCStream(ZSTD_CCtx *cctx, int level);
size_t ZSTD_CCtx_setFParams(ZSTD_CCtx *cctx, frame_parameters parameters);
size_t ZSTD_compress(void *dst, size_t capacity, const void *src, size_t size, int level);
size_t ZSTD_compress2(ZSTD_CCtx *cctx, void *dst, size_t capacity, const void *src, size_t size);
size_t ZSTD_compress_usingCDict(ZSTD_CCtx *cctx, void *dst, size_t capacity, const void *src,
                                size_t size, const ZSTD_CDict *cdict);
size_t ZDICT_trainFromBuffer(void *dictionary, size_t capacity, const void *samples,
                             const size_t *sizes, unsigned n);
unsigned ZSTD_versionNumber(void);

#ifndef ONLY_CLIENT
struct ZSTD_CCtx_s {
    int tag;
};

struct ZSTD_CDict_s {
    int tag;
};

static void check(const char *function, int tag)
{
    if (tag == TAG)
        return;
    printf("%s of library %d got an object of library %d\n", function, TAG, tag);
    fflush(stdout);
    abort();
}

unsigned ZSTD_versionNumber(void)
{
    return RELEASE;
}

static ZSTD_CCtx *make(void)
{
    ZSTD_CCtx *cctx = malloc(sizeof(*cctx));

    if (cctx != NULL)
        cctx->tag = TAG;
    return cctx;
}

ZSTD_CCtx *ZSTD_createCCtx(void)
{
    return make();
}

ZSTD_CCtx *ZSTD_createCCtx_advanced(custom_memory memory)
{
    (void)memory;
    return make();
}

/* Out of the hook's sight. */
ZSTD_CCtx *ZSTD_createCStream(void)
{
    return make();
}

size_t ZSTD_freeCCtx(ZSTD_CCtx *cctx)
{
    if (cctx != NULL)
        check("ZSTD_freeCCtx", cctx->tag);
    free(cctx);
    return 0;
}

/* libzstd's own ends with this jump, too. */
size_t ZSTD_freeCStream(ZSTD_CCtx *cctx)
{
    return ZSTD_freeCCtx(cctx);
}

size_t ZSTD_sizeof_CCtx(const ZSTD_CCtx *cctx)
{
    check("ZSTD_sizeof_CCtx", cctx->tag);
    return sizeof(*cctx);
}

size_t ZSTD_compressBound(size_t size)
{
    return size + 64;
}

size_t ZSTD_CCtx_reset(ZSTD_CCtx *cctx, int what)
{
    (void)what;
    check("ZSTD_CCtx_reset", cctx->tag);
    return 0;
}

size_t ZSTD_CCtx_setParameter(ZSTD_CCtx *cctx, int parameter, int value)
{
    (void)parameter;
    (void)value;
    check("ZSTD_CCtx_setParameter", cctx->tag);
    return 0;
}

ZSTD_CDict *ZSTD_createCDict(const void *dictionary, size_t size, int level)
{
    ZSTD_CDict *cdict = malloc(sizeof(*cdict));

    (void)dictionary;
    (void)size;
    (void)level;
    if (cdict != NULL)
        cdict->tag = TAG;
    return cdict;
}

size_t ZSTD_freeCDict(ZSTD_CDict *cdict)
{
    check("ZSTD_freeCDict", cdict->tag);
    free(cdict);
    return 0;
}

size_t ZSTD_CCtx_refCDict(ZSTD_CCtx *cctx, const ZSTD_CDict *cdict)
{
    check("ZSTD_CCtx_refCDict", cctx->tag);
    check("ZSTD_CCtx_refCDict", cdict->tag);
    return 0;
}

size_t ZSTD_initCStream(ZSTD_CCtx *cctx, int level)
{
    check("ZSTD_initCStream", cctx->tag);
    return ZSTD_CCtx_setParameter(cctx, 100, level);
}

/* Came with 1.5.5. */
#if RELEASE >= 10505
size_t ZSTD_CCtx_setFParams(ZSTD_CCtx *cctx, frame_parameters parameters)
{
    check("ZSTD_CCtx_setFParams", cctx->tag);
    return parameters.content_size_flag == 0 ? 0 : (size_t)-42; /* parameter_outOfBound */
}
#endif

static size_t copy(void *dst, size_t capacity, const void *src, size_t size)
{
    if (capacity < size)
        return (size_t)-70; /* dstSize_tooSmall */
    memcpy(dst, src, size);
    return size;
}

size_t ZSTD_compress(void *dst, size_t capacity, const void *src, size_t size, int level)
{
    (void)level;
    return copy(dst, capacity, src, size);
}

size_t ZSTD_compress2(ZSTD_CCtx *cctx, void *dst, size_t capacity, const void *src, size_t size)
{
    check("ZSTD_compress2", cctx->tag);
    return copy(dst, capacity, src, size);
}

size_t ZSTD_compress_usingCDict(ZSTD_CCtx *cctx, void *dst, size_t capacity, const void *src,
                                size_t size, const ZSTD_CDict *cdict)
{
    check("ZSTD_compress_usingCDict", cctx->tag);
    check("ZSTD_compress_usingCDict", cdict->tag);
    return copy(dst, capacity, src, size);
}

/* The dictionary says which library made it. */
size_t ZDICT_trainFromBuffer(void *dictionary, size_t capacity, const void *samples,
                             const size_t *sizes, unsigned n)
{
    static const int tag = TAG;

    (void)samples;
    (void)sizes;
    (void)n;
    return copy(dictionary, capacity, &tag, sizeof(tag));
}
#endif

#ifndef ONLY_LIBRARY
int work(int tag, int rounds);
int is_served(int without_content_size);
ZSTD_CCtx *create(void);
int hold(void);

/* What RocksDB and users of streams do, with the library that has this tag. Returns how often
 * something was not as it should be. */
int work(int tag, int rounds)
{
    static const char text[] = "status=paid;status=open;status=paid;status=open;status=paid;";
    const size_t sizes[] = {30, 30};
    char dst[256], dictionary[64];
    int wrong = 0, trained = 0;

    if (ZDICT_trainFromBuffer(dictionary, sizeof(dictionary), text, sizes, 2) == sizeof(trained))
        memcpy(&trained, dictionary, sizeof(trained));
    wrong += trained != tag;
    for (int i = 0; i < rounds; i++) {
        ZSTD_CDict *cdict = ZSTD_createCDict(text, sizeof(text), 3);
        ZSTD_CCtx *cctx = ZSTD_createCCtx();
        ZSTD_CCtx *stream = ZSTD_createCStream();

        wrong += cctx == NULL || stream == NULL || cdict == NULL;
        if (cctx == NULL || stream == NULL || cdict == NULL)
            break;
        wrong += ZSTD_CCtx_setParameter(cctx, 100, 3) != 0;
        wrong += ZSTD_compress2(cctx, dst, sizeof(dst), text, sizeof(text)) != sizeof(text);
        wrong += ZSTD_CCtx_refCDict(cctx, cdict) != 0;
        wrong += ZSTD_compress_usingCDict(cctx, dst, sizeof(dst), text, sizeof(text), cdict) !=
                 sizeof(text);
        wrong += ZSTD_compress(dst, sizeof(dst), text, sizeof(text), 3) != sizeof(text);
        wrong += ZSTD_initCStream(stream, 3) != 0;
        wrong += ZSTD_freeCStream(stream) != 0;
        wrong += ZSTD_freeCCtx(cctx) != 0;
        wrong += ZSTD_freeCDict(cdict) != 0;
        wrong += ZSTD_compressBound(0) == 0;
    }
    return wrong;
}

/* Whether a device, which copies nothing, took a block of a context that was set up in this way. */
int is_served(int without_content_size)
{
    static char block[4096], frame[8192];
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    size_t size;

    if (cctx == NULL)
        return 0;
#if RELEASE >= 10505
    if (without_content_size)
        ZSTD_CCtx_setFParams(cctx, (frame_parameters){0, 0, 0});
#else
    (void)without_content_size;
#endif
    size = ZSTD_compress2(cctx, frame, sizeof(frame), block, sizeof(block));
    ZSTD_freeCCtx(cctx);
    return size < sizeof(block);
}

/* Makes a context; the next call uses and frees it. Returns how often something was wrong. */
int hold(void)
{
    static ZSTD_CCtx *held;
    static const char text[] = "status=paid;status=open;";
    char dst[64];
    int wrong;

    if (held == NULL) {
        held = ZSTD_createCCtx();
        return held == NULL;
    }
    wrong = ZSTD_compress2(held, dst, sizeof(dst), text, sizeof(text)) != sizeof(text);
    wrong += ZSTD_freeCCtx(held) != 0;
    held = NULL;
    return wrong;
}

/* A jump: the address that the hook sees as its caller's is not in this library. */
ZSTD_CCtx *create(void)
{
    return ZSTD_createCCtx();
}

#ifdef AT_LOAD
/* An engine that starts when it is loaded: the loader waits for a thread that compresses. */
static int wrong_at_load;

static void *run(void *unused)
{
    wrong_at_load = work(AT_LOAD, 2);
    return unused;
}

__attribute__((constructor)) static void start(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, run, NULL);
    pthread_join(thread, NULL);
    if (wrong_at_load != 0)
        abort();
}
#endif
#endif
