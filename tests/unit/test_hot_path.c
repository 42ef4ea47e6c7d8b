/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Once its lanes are made, the engine allocates nothing and takes no lock: thousands of
 * acquire, compress, release from several threads at once, on a device that shares the host's
 * memory and on one that is copied to and from; single blocks, batches, and the engine and its
 * stages on a lane's stream and workspace. This program replaces malloc, mmap and the pthread locks
 * for the whole process; a thread counts only while it is in the loop.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/support/exit_status.h"
#include "tests/support/sanitizers.h"

#if TEST_ADDRESS_SANITIZER || TEST_THREAD_SANITIZER || !defined(__GLIBC__)
int main(void)
{
    puts("skipped: malloc cannot be replaced, by a sanitizer or another libc than glibc");
    return EXIT_SKIPPED;
}
#else

#include "rockpress/batched.h"
#include "tests/differential/counting_device.h"
#include "tests/support/inputs.h"

#define N_THREADS 4
#define N_ROUNDS 2500
#define N_CONTENTS 12
#define CONTENT_BYTES 5000

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static _Thread_local bool is_counting;
static atomic_uint n_calls;
static const char *_Atomic last_call = "none";

static void count(const char *name)
{
    if (!is_counting)
        return;
    atomic_fetch_add(&n_calls, 1);
    atomic_store(&last_call, name);
}

/* Found before any thread starts: dlsym() may allocate. */
static void *(*real_mmap)(void *, size_t, int, int, int, off_t);
static int (*real_mutex_lock)(pthread_mutex_t *);
static int (*real_mutex_trylock)(pthread_mutex_t *);
static int (*real_rdlock)(pthread_rwlock_t *);
static int (*real_wrlock)(pthread_rwlock_t *);
static int (*real_spin_lock)(pthread_spinlock_t *);

__attribute__((constructor)) static void find_real_functions(void)
{
    /* ISO C has no conversion from an object pointer to a function pointer; POSIX does. */
    *(void **)&real_mmap = dlsym(RTLD_NEXT, "mmap");
    *(void **)&real_mutex_lock = dlsym(RTLD_NEXT, "pthread_mutex_lock");
    *(void **)&real_mutex_trylock = dlsym(RTLD_NEXT, "pthread_mutex_trylock");
    *(void **)&real_rdlock = dlsym(RTLD_NEXT, "pthread_rwlock_rdlock");
    *(void **)&real_wrlock = dlsym(RTLD_NEXT, "pthread_rwlock_wrlock");
    *(void **)&real_spin_lock = dlsym(RTLD_NEXT, "pthread_spin_lock");
}

/* Visible to every library of the process. */
#pragma GCC visibility push(default)

void *malloc(size_t size)
{
    count("malloc");
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    count("calloc");
    return __libc_calloc(n, size);
}

void *realloc(void *memory, size_t size)
{
    count("realloc");
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    count("aligned_alloc");
    return __libc_memalign(alignment, size);
}

void *memalign(size_t alignment, size_t size)
{
    count("memalign");
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    count("posix_memalign");
    *memory = __libc_memalign(alignment, size);
    return *memory != NULL ? 0 : ENOMEM;
}

void free(void *memory)
{
    count("free");
    __libc_free(memory);
}

void *mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset)
{
    count("mmap");
    return real_mmap(address, bytes, protection, flags, file, offset);
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    count("pthread_mutex_lock");
    return real_mutex_lock(mutex);
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    count("pthread_mutex_trylock");
    return real_mutex_trylock(mutex);
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    count("pthread_rwlock_rdlock");
    return real_rdlock(lock);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    count("pthread_rwlock_wrlock");
    return real_wrlock(lock);
}

int pthread_spin_lock(pthread_spinlock_t *lock)
{
    count("pthread_spin_lock");
    return real_spin_lock(lock);
}

#pragma GCC visibility pop

static uint8_t contents[N_CONTENTS][CONTENT_BYTES];
static rp_pool *pool;
static pthread_barrier_t start;
static atomic_uint n_failures;

#define N_IN_BATCH 5
#define SMALL_BYTES 300

/* A batch of small blocks, in each of the ways that there are for it. */
typedef struct small_batch {
    const void *inputs[N_IN_BATCH];
    size_t sizes[N_IN_BATCH];
    void *outputs[N_IN_BATCH];
    size_t capacities[N_IN_BATCH];
    size_t frame_bytes[N_IN_BATCH];
    rp_status statuses[N_IN_BATCH];
    uint8_t frames[N_IN_BATCH][SMALL_BYTES + 100];
} small_batch;

/* The stages one by one, with buffers in the lane's workspace. */
static rp_status launch_stages(rp_lane *lane, const rp_batch *batch,
                               const rp_compress_options *options)
{
    size_t n_workspace;
    void *workspace = rp_lane_workspace(lane, &n_workspace);
    rp_stream stream = rp_lane_stream(lane);
    rp_stage_buffers buffers = RP_STAGE_BUFFERS_INIT;
    rp_status status = rp_workspace_carve(workspace, n_workspace, SMALL_BYTES, N_IN_BATCH,
                                          options->effort, &buffers);
    if (status == RP_STATUS_OK)
        status = rp_launch_lz77_matcher(batch, &buffers, options, stream);
    if (status == RP_STATUS_OK)
        status = rp_launch_huffman_encoder(batch, &buffers, options, stream);
    if (status == RP_STATUS_OK)
        status = rp_launch_fse_encoder(batch, &buffers, options, stream);
    if (status == RP_STATUS_OK)
        status = rp_launch_frame_assembler(batch, &buffers, options, stream);
    return status;
}

static rp_status compress_small(rp_lane *lane, uint32_t round, const rp_compress_options *options)
{
    small_batch b;
    size_t n_workspace;
    void *workspace = rp_lane_workspace(lane, &n_workspace);
    for (size_t i = 0; i < N_IN_BATCH; i++) {
        b.inputs[i] = contents[(round + i) % N_CONTENTS];
        b.sizes[i] = SMALL_BYTES - i;
        b.outputs[i] = b.frames[i];
        b.capacities[i] = sizeof(b.frames[i]);
        b.statuses[i] = RP_STATUS_INTERNAL;
    }
    rp_batch batch = {
        .struct_size = sizeof(rp_batch),
        .d_inputs = b.inputs,
        .d_input_sizes = b.sizes,
        .max_input_bytes = SMALL_BYTES,
        .n_inputs = N_IN_BATCH,
        .d_outputs = b.outputs,
        .d_output_capacities = b.capacities,
        .d_output_sizes = b.frame_bytes,
        .d_statuses = b.statuses,
    };
    rp_host_batch host = {sizeof(rp_host_batch), b.inputs,      b.sizes,   N_IN_BATCH, b.outputs,
                          b.capacities,          b.frame_bytes, b.statuses};
    rp_status status;
    /* What these devices enqueue is done at once, so nothing has to be waited for. */
    switch (round % 4) {
    case 0:
        status = rp_lane_compress_batch(lane, &host, options, 1000000);
        break;
    case 1:
        status = launch_stages(lane, &batch, options);
        break;
    case 2:
        status = rp_batched_compress_async(b.inputs, b.sizes, SMALL_BYTES, N_IN_BATCH, workspace,
                                           n_workspace, b.outputs, b.frame_bytes, options,
                                           b.statuses, rp_lane_stream(lane));
        break;
    default:
        status =
            rp_compress_batch_async(workspace, n_workspace, &batch, options, rp_lane_stream(lane));
    }
    for (size_t i = 0; i < N_IN_BATCH && status == RP_STATUS_OK; i++)
        status = b.statuses[i];
    return status;
}

/* Frames that fit and that do not, valid and invalid arguments, streams of all sizes. */
static rp_status compress_one(uint32_t round, uint8_t *output, size_t capacity)
{
    rp_error error;
    rp_proof proofs[N_IN_BATCH];
    rp_compress_options options = {
        .struct_size = sizeof(rp_compress_options),
        .effort = RP_EFFORT_FAST,
        .flags = round & RP_COMPRESS_FLAGS_ALL,
        .error = &error,
        .d_proofs = proofs,
    };
    size_t input_size = round % 3 == 0 ? round % CONTENT_BYTES : CONTENT_BYTES - round % 700;
    size_t n;
    rp_status expected = RP_STATUS_OK;
    if (round % 17 == 0) {
        options.effort = (rp_effort)99;
        expected = RP_STATUS_INVALID_EFFORT;
    } else if (round % 23 == 0) {
        capacity = 3;
        expected = RP_STATUS_OUTPUT_TOO_SMALL;
    }
    rp_lane *lane;
    rp_status status = rp_pool_acquire(pool, &lane);
    if (status != RP_STATUS_OK)
        return status;
    if (round % 3 == 2 && expected == RP_STATUS_OK)
        status = compress_small(lane, round / 3, &options);
    else
        status = rp_lane_compress(lane, contents[round % N_CONTENTS], input_size, output, capacity,
                                  &n, &options, 1000000);
    rp_pool_release(pool, lane);
    return status == expected ? RP_STATUS_OK : RP_STATUS_INTERNAL;
}

static void *hot_loop(void *argument)
{
    uint32_t first = *(const uint32_t *)argument;
    uint8_t output[CONTENT_BYTES + 100];
    pthread_barrier_wait(&start);
    is_counting = true;
    for (uint32_t i = 0; i < N_ROUNDS; i++) {
        if (compress_one(first + i, output, sizeof(output)) != RP_STATUS_OK)
            atomic_fetch_add(&n_failures, 1);
    }
    is_counting = false;
    return NULL;
}

/* Makes all lanes, by holding them at the same time. */
static bool make_lanes(void)
{
    rp_lane *lanes[N_THREADS];
    for (int i = 0; i < N_THREADS; i++) {
        if (rp_pool_acquire(pool, &lanes[i]) != RP_STATUS_OK)
            return false;
    }
    for (int i = 0; i < N_THREADS; i++)
        rp_pool_release(pool, lanes[i]);
    return true;
}

static bool check_device(const char *name, uint32_t device_flags)
{
    counting_device device;
    rp_pool_options options = {sizeof(rp_pool_options), N_THREADS, CONTENT_BYTES, 0,
                               RP_EFFORT_FAST,          NULL};
    pthread_t threads[N_THREADS];
    uint32_t first[N_THREADS];
    counting_device_open(&device, device_flags);
    if (rp_pool_create(&device.device, &options, &pool) != RP_STATUS_OK || !make_lanes())
        return false;
    pthread_barrier_init(&start, NULL, N_THREADS);
    atomic_store(&n_calls, 0);
    atomic_store(&last_call, "none");
    for (uint32_t i = 0; i < N_THREADS; i++) {
        first[i] = i * 1000;
        if (pthread_create(&threads[i], NULL, hot_loop, &first[i]) != 0)
            return false;
    }
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&start);
    bool is_quiet = atomic_load(&n_calls) == 0 && rp_pool_lane_count(pool) == N_THREADS;
    printf("%s: %u compressions, %u failures, %u allocations and locks (the last: %s), %u lanes\n",
           name, N_THREADS * N_ROUNDS, atomic_load(&n_failures), atomic_load(&n_calls),
           atomic_load(&last_call), rp_pool_lane_count(pool));
    rp_pool_destroy(pool);
    counting_device_close(&device);
    return is_quiet && atomic_load(&n_failures) == 0;
}

/* That the functions above are the ones that are called; volatile, or the pair is optimised out. */
static bool check_replacements(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    is_counting = true;
    void *volatile memory = malloc(100);
    free(memory);
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    char *volatile copy = strdup("libc's own calls too");
    is_counting = false;
    free(copy);
    return memory != NULL && copy != NULL && atomic_load(&n_calls) == 4;
}

int main(void)
{
    if (!check_replacements()) {
        printf("the replaced functions counted %u of 4 calls\n", atomic_load(&n_calls));
        return 1;
    }
    for (uint32_t i = 0; i < N_CONTENTS; i++)
        inputs_fill((inputs_kind)(i * 2), contents[i], CONTENT_BYTES, i);
    bool is_good = check_device("shared memory", RP_DEVICE_HOST_MEMORY);
    is_good &= check_device("mapped staging", RP_DEVICE_MAPPED_STAGING);
    return check_device("staged", 0) && is_good ? 0 : 1;
}

#endif
