/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a caller's libzstd: see zstd/library.h. */
#include "plugin/zstd/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/core/log.h"
#include "plugin/core/thread_state.h"
#include "plugin/zstd/objects.h"

_Atomic(struct rp_zstd *) rp_zstd_tables[RP_ZSTD_MAX + 1];
_Atomic(struct rp_zstd *) rp_zstd_global;

static _Atomic bool is_global_searched;
static _Atomic bool are_unloads_seen;
/* Unloads that have begun and ended: equal while none is under way. */
static _Atomic uint32_t unloads_begun, unloads_ended;

/* A pointer to a function of a type that is known elsewhere. POSIX, unlike ISO C, promises that an
 * object pointer can be cast to it. */
typedef void (*any_function)(void);

/* Where the functions of a library are found. */
typedef any_function (*finder)(const rp_object *object, const char *name);

static any_function find_in_object(const rp_object *object, const char *name)
{
    return (any_function)rp_object_function(object, name);
}

/* What a caller would have been bound to without us. */
static any_function find_next(const rp_object *object, const char *name)
{
    (void)object;
    return (any_function)dlsym(RTLD_NEXT, name);
}

static const char *const setup_names[] = {
#define NAME(name) #name,
    RP_ZSTD_SETUP_NAMES(NAME)
#undef NAME
};

static void fill(struct rp_zstd *zstd, const rp_object *object, finder find)
{
#define FILL(prefix, type, name, parameters)                                                       \
    zstd->name = (type(*) parameters)find(object, #prefix #name);
    RP_ZSTD_FUNCTIONS(FILL)
#undef FILL
    for (unsigned i = 0; i < RP_ZSTD_N_SETUP; i++)
        zstd->setup[i] = find(object, setup_names[i]);
    zstd->base = object->base;
    zstd->dynamic = object->dynamic;
    zstd->begin = object->begin;
    zstd->is_old = zstd->versionNumber == NULL || zstd->versionNumber() < RP_ZSTD_OLDEST;
}

/* The hook itself, and others of its kind, have no ZSTD_compressBound. */
static bool is_libzstd(const rp_object *object)
{
    return rp_object_function(object, "ZSTD_createCCtx") != NULL &&
           rp_object_function(object, "ZSTD_freeCCtx") != NULL &&
           rp_object_function(object, "ZSTD_compressBound") != NULL;
}

static bool is_table_of(struct rp_zstd *zstd, const rp_object *object)
{
    return zstd->base == object->base && zstd->dynamic == object->dynamic &&
           !atomic_load_explicit(&zstd->is_gone, memory_order_acquire);
}

static bool publish_at(struct rp_zstd *zstd, uint32_t number, struct rp_zstd *there)
{
    zstd->number = number;
    return atomic_compare_exchange_strong_explicit(&rp_zstd_tables[number], &there, zstd,
                                                   memory_order_acq_rel, memory_order_relaxed);
}

/* Puts the table into a slot that is free, or else one whose library is gone. The table of one that
 * is gone stays in memory, since contexts may still name it. */
static bool publish(struct rp_zstd *zstd)
{
    for (uint32_t number = 1; number <= RP_ZSTD_MAX; number++)
        if (rp_zstd_by_number(number) == NULL && publish_at(zstd, number, NULL))
            return true;
    for (uint32_t number = 1; number <= RP_ZSTD_MAX; number++) {
        struct rp_zstd *there = rp_zstd_by_number(number);

        if (atomic_load_explicit(&there->is_gone, memory_order_acquire) &&
            publish_at(zstd, number, there))
            return true;
    }
    return false;
}

static struct rp_zstd *table_of(const rp_object *object, bool stays_loaded, finder find)
{
    struct rp_zstd *zstd;

    for (uint32_t number = 1; number <= RP_ZSTD_MAX; number++) {
        zstd = rp_zstd_by_number(number);
        if (zstd == NULL)
            break;
        if (is_table_of(zstd, object))
            return zstd;
    }
    zstd = calloc(1, sizeof(*zstd));
    if (zstd == NULL)
        return NULL;
    fill(zstd, object, find);
    zstd->stays_loaded = stays_loaded;
    /* Two threads may both publish one: equal tables, of which each keeps its own objects. */
    if (publish(zstd))
        return zstd;
    free(zstd);
    return NULL;
}

/* The library of a function, which is made to stay. Calls dlopen. */
static struct rp_zstd *table_of_lasting(const void *function, finder find)
{
    rp_object object;
    Dl_info info;

    if (function == NULL || !rp_object_of(function, &object))
        return NULL;
    if (dladdr(function, &info) != 0 && info.dli_fname != NULL && info.dli_fname[0] != '\0')
        (void)dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
    return table_of(&object, true, find);
}

/* Called by the constructor below, when the loader's lock is this thread's, or nobody's. Or called
 * before it, by a constructor that ran earlier: while a program starts, nobody has the lock. */
static struct rp_zstd *search_global(void)
{
    if (!atomic_load_explicit(&is_global_searched, memory_order_acquire)) {
        int saved_errno = errno;
        struct rp_zstd *zstd = table_of_lasting(dlsym(RTLD_NEXT, "ZSTD_createCCtx"), find_next);

        /* An error would not be the program's. A search that succeeds takes it away. So would
         * dlerror(), which makes a text of it first: that brings 100 KiB of libc into memory. */
        (void)dlsym(RTLD_DEFAULT, "dlsym");
        if (zstd != NULL)
            atomic_store_explicit(&rp_zstd_global, zstd, memory_order_release);
        atomic_store_explicit(&is_global_searched, true, memory_order_release);
        errno = saved_errno;
    }
    return atomic_load_explicit(&rp_zstd_global, memory_order_acquire);
}

__attribute__((constructor)) static void search_at_load(void)
{
    (void)search_global();
}

/*
 * Callers whose library is known. An entry is one word: where the caller's dynamic section is,
 * which no other loaded object shares, and the number of its library.
 */
#define N_CALLERS 64u
#define NUMBER_BITS 8u
_Static_assert(RP_ZSTD_MAX < 1u << NUMBER_BITS, "a number fits");

static _Atomic uint64_t callers[N_CALLERS];

static uint64_t key_of(const rp_object *caller)
{
    return (uint64_t)(uintptr_t)caller->dynamic << NUMBER_BITS;
}

static _Atomic uint64_t *entry_of(const rp_object *caller)
{
    uint64_t hash = ((uint64_t)(uintptr_t)caller->dynamic >> 4) * UINT64_C(0x9E3779B97F4A7C15);

    return &callers[hash >> 58];
}

_Static_assert(N_CALLERS == 1u << 6, "entry_of takes the top 6 bits");

static struct rp_zstd *remembered(const rp_object *caller)
{
    uint64_t entry = atomic_load_explicit(entry_of(caller), memory_order_acquire);
    uint32_t number = (uint32_t)(entry & ((1u << NUMBER_BITS) - 1));

    return number != 0 && entry - number == key_of(caller) ? rp_zstd_by_number(number) : NULL;
}

static bool may_remember(uint32_t n_begun)
{
    return atomic_load(&are_unloads_seen) && atomic_load(&unloads_begun) == n_begun &&
           atomic_load(&unloads_ended) == n_begun;
}

/* n_begun is from before the search. If an unload began since, what was found may not be true any
 * more. */
static void remember(const rp_object *caller, const struct rp_zstd *zstd, uint32_t n_begun)
{
    uint64_t word = key_of(caller) | zstd->number;

    if (!may_remember(n_begun))
        return;
    atomic_store(entry_of(caller), word);
    if (!may_remember(n_begun))
        atomic_compare_exchange_strong(entry_of(caller), &word, 0);
}

/* A reference to a function that the hook takes over says nothing: it leads to the hook. */
static bool is_of_libzstd(const char *name, const void *function)
{
    rp_object object;

    return (strncmp(name, "ZSTD_", 5) == 0 || strncmp(name, "ZDICT_", 6) == 0) &&
           rp_object_of(function, &object) && is_libzstd(&object);
}

static bool is_own(const rp_object *object)
{
    rp_object own;

    return rp_object_of(&rp_zstd_tables, &own) && own.dynamic == object->dynamic;
}

static struct rp_zstd *load_one(void)
{
    void *library = dlopen("libzstd.so.1", RTLD_LAZY | RTLD_LOCAL);
    struct rp_zstd *zstd = NULL;

    if (library != NULL)
        zstd = table_of_lasting(dlsym(library, "ZSTD_createCCtx"), find_in_object);
    (void)dlerror();
    return zstd;
}

/* Functions that may be called with 0, and do nothing. */
static bool is_harmless(const char *name)
{
    return strcmp(name, "ZSTD_isError") == 0 || strcmp(name, "ZSTD_compressBound") == 0 ||
           strcmp(name, "ZSTD_versionNumber") == 0 || strcmp(name, "ZSTD_getErrorName") == 0 ||
           strcmp(name, "ZDICT_isError") == 0;
}

/* The calling object tells. If nothing is bound yet, one function is called as the object itself
 * would, since the scope of the whole process, which may have grown, comes before its own. */
static struct rp_zstd *search_scope(const rp_object *caller)
{
    const void *bound = rp_object_binding(caller, is_of_libzstd);
    rp_object object;
    bool is_in_scope = bound == NULL && rp_object_in_scope(caller, is_libzstd, &object);

    if (is_in_scope) {
        rp_object_bind_one(caller, &object, is_harmless);
        bound = rp_object_binding(caller, is_of_libzstd);
    }
    if ((bound != NULL && rp_object_of(bound, &object)) || is_in_scope)
        return table_of(&object, false, find_in_object);
    return NULL;
}

/* The only one of the process: true until another object is loaded. The word is rp_objects_clock()
 * with the number of the library. */
static struct rp_zstd *search_only(void)
{
    static _Atomic uint64_t only;
    uint64_t clock = rp_objects_clock() << NUMBER_BITS;
    uint64_t word = atomic_load_explicit(&only, memory_order_acquire);
    struct rp_zstd *zstd = NULL;
    rp_object object;
    unsigned n;

    if (word > clock && word - clock <= RP_ZSTD_MAX)
        return rp_zstd_by_number((uint32_t)(word - clock));
    n = rp_objects_count(is_libzstd, &object);
    if (n == 0)
        return load_one();
    if (n == 1)
        zstd = table_of(&object, false, find_in_object);
    if (zstd != NULL)
        atomic_store_explicit(&only, clock | zstd->number, memory_order_release);
    return zstd;
}

static _Atomic bool is_failure_logged;

static void log_failure(void)
{
    if (!atomic_exchange_explicit(&is_failure_logged, true, memory_order_relaxed))
        rp_log(RP_LOG_ERROR,
               "a caller's libzstd can't be told among those of the process, or there "
               "is none; its calls fail as without memory");
}

struct rp_zstd *rp_zstd_search(const void *caller_address)
{
    uint32_t n_begun = atomic_load(&unloads_begun);
    struct rp_zstd *zstd = search_global();
    int saved_errno = errno;
    rp_object caller;
    bool has_caller;

    if (zstd != NULL)
        return zstd;
    has_caller = rp_object_of(caller_address, &caller);
    /* We called a function of libzstd that ended with a jump into us. */
    if (has_caller && is_own(&caller) && rp_thread.zstd != NULL)
        return rp_thread.zstd;
    if (has_caller && may_remember(n_begun))
        zstd = remembered(&caller);
    if (zstd != NULL)
        return zstd;
    if (has_caller)
        zstd = search_scope(&caller);
    if (zstd != NULL)
        remember(&caller, zstd, n_begun);
    else
        zstd = search_only();
    if (zstd == NULL)
        log_failure();
    errno = saved_errno;
    return zstd;
}

struct rp_zstd *rp_zstd_own(void)
{
    return rp_zstd_of_caller(&rp_zstd_tables);
}

void rp_zstd_set_unloads_seen(bool are_seen)
{
    atomic_store(&are_unloads_seen, are_seen);
}

/* Nothing during an unload: destructors of what is unloaded may free their contexts. */
bool rp_zstd_may_keep(const struct rp_zstd *zstd)
{
    return zstd->stays_loaded || may_remember(atomic_load(&unloads_begun));
}

void rp_zstd_unload_begin(void)
{
    atomic_fetch_add(&unloads_begun, 1);
}

void rp_zstd_unload_end(void)
{
    for (uint32_t i = 0; i < N_CALLERS; i++)
        atomic_store(&callers[i], 0);
    for (uint32_t number = 1; number <= RP_ZSTD_MAX; number++) {
        struct rp_zstd *zstd = rp_zstd_by_number(number);

        if (zstd == NULL)
            break;
        if (!zstd->stays_loaded && rp_object_begin_of(zstd->dynamic) != zstd->begin)
            atomic_store_explicit(&zstd->is_gone, true, memory_order_release);
    }
    atomic_fetch_add(&unloads_ended, 1);
}
