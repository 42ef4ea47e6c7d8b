/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many host threads on one pool of a device: each frame must be the host device's, byte for byte,
 * whatever else happens. What happens: a lane for each thread; fewer lanes than threads; a bound on
 * device memory; device memory that is used up by somebody else; waits that time out all the time.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/gpu/device_under_test.h"
#include "tests/gpu/reference_frames.h"
#include "tests/support/inputs.h"

#define N_REFERENCES 256
#define MAX_THREADS 1024
#define MAX_HOGS 4096

/* What the threads of one round may see besides RP_STATUS_OK. */
typedef enum hardship {
    NONE,
    EXHAUSTED,     /* no lane is left */
    OUT_OF_MEMORY, /* nor memory for one */
    IMPATIENT,     /* waits end after next to no time */
    N_HARDSHIPS
} hardship;

typedef struct stress {
    const rp_device *device;
    const reference_frame *references;
    rp_pool *pool;
    hardship may;
    unsigned n_rounds; /* of each thread */
    uint32_t max_lanes;
    _Atomic unsigned n_held;
    _Atomic unsigned n_frames;
    _Atomic unsigned n_turned_away;
    _Atomic unsigned n_failures;
    _Atomic unsigned n_started;
    _Atomic uint64_t n_bytes;
} stress;

static void fail(stress *s, const char *what, const char *detail)
{
    if (atomic_fetch_add(&s->n_failures, 1) < 10)
        printf("FAILED: %s: %s\n", what, detail);
}

static bool may_see(const stress *s, rp_status status)
{
    switch (status) {
    case RP_STATUS_POOL_EXHAUSTED:
        return s->may != NONE;
    case RP_STATUS_OUT_OF_DEVICE_MEMORY:
        return s->may == OUT_OF_MEMORY;
    case RP_STATUS_TIMEOUT:
        return s->may == IMPATIENT;
    default:
        return false;
    }
}

static void one_round(stress *s, inputs_random *random)
{
    rp_lane *lane = NULL;
    rp_status status = rp_pool_acquire(s->pool, &lane);
    if (status != RP_STATUS_OK) {
        if (lane != NULL || !may_see(s, status))
            fail(s, "acquire", rp_status_name(status));
        atomic_fetch_add(&s->n_turned_away, 1);
        sched_yield();
        return;
    }
    if (atomic_fetch_add(&s->n_held, 1) >= s->max_lanes)
        fail(s, "acquire", "more lanes than there are");
    const reference_frame *reference = &s->references[inputs_below(random, N_REFERENCES)];
    /* In microseconds; no wait ends in less. */
    uint32_t timeout = s->may == IMPATIENT ? inputs_magnitude(random, 20000) : TEST_WAIT_US;
    reference_result result = reference_frame_compress(lane, reference, timeout, &status);
    if (result == REFERENCE_DIFFERENT)
        fail(s, "another frame than the host's", rp_effort_name(reference->effort));
    else if (result == REFERENCE_NO_FRAME && !may_see(s, status))
        fail(s, "compress", rp_status_name(status));
    if (result == REFERENCE_EQUAL) {
        atomic_fetch_add(&s->n_frames, 1);
        atomic_fetch_add(&s->n_bytes, reference->input_size);
    }
    atomic_fetch_sub(&s->n_held, 1);
    rp_pool_release(s->pool, lane);
}

static void *thread_main(void *context)
{
    stress *s = context;
    inputs_random random = inputs_seed(atomic_fetch_add(&s->n_started, 1));
    for (unsigned i = 0; i < s->n_rounds; i++)
        one_round(s, &random);
    return NULL;
}

static size_t lane_bytes(void)
{
    return rp_workspace_size(REFERENCE_MAX_BYTES, 1, RP_EFFORT_MAX) + 4 * REFERENCE_MAX_BYTES;
}

static bool make_pool(stress *s, uint32_t max_lanes, size_t memory_bytes)
{
    rp_pool_options options = {
        sizeof(rp_pool_options), max_lanes, REFERENCE_MAX_BYTES, memory_bytes, RP_EFFORT_MAX, NULL};
    s->max_lanes = max_lanes;
    if (rp_pool_create(s->device, &options, &s->pool) == RP_STATUS_OK)
        return true;
    fail(s, "no pool", "");
    return false;
}

/* All lanes are there in the end, one after the other, although some may still be busy. */
static void check_all_come_back(stress *s)
{
    static rp_lane *lanes[MAX_THREADS];
    uint32_t n = 0;
    time_t give_up = time(NULL) + 60;
    while (n < s->max_lanes && time(NULL) < give_up) {
        rp_status status = rp_pool_acquire(s->pool, &lanes[n]);
        if (status == RP_STATUS_OK)
            n++;
        else if (status != RP_STATUS_POOL_EXHAUSTED)
            break;
    }
    if (n != s->max_lanes)
        fail(s, "lanes were lost", "");
    if (rp_pool_lane_count(s->pool) > s->max_lanes)
        fail(s, "more lanes were made than allowed", "");
    rp_status status = RP_STATUS_OK;
    for (uint32_t i = 0; i < n; i++) {
        if (reference_frame_compress(lanes[i], &s->references[i % N_REFERENCES], TEST_WAIT_US,
                                     &status) != REFERENCE_EQUAL)
            fail(s, "a lane does not work afterwards", rp_status_name(status));
    }
    for (uint32_t i = 0; i < n; i++)
        rp_pool_release(s->pool, lanes[i]);
}

static void run_threads(stress *s, const char *name, unsigned n_threads, unsigned n_rounds,
                        hardship may)
{
    static pthread_t threads[MAX_THREADS];
    unsigned n = 0;
    unsigned before = s->n_failures;
    s->may = may;
    s->n_rounds = n_rounds;
    s->n_frames = s->n_turned_away = s->n_started = 0;
    s->n_bytes = 0;
    while (n < n_threads && pthread_create(&threads[n], NULL, thread_main, s) == 0)
        n++;
    for (unsigned i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    if (n != n_threads)
        fail(s, "not all threads could be started", name);
    if (s->n_frames == 0 && may != OUT_OF_MEMORY)
        fail(s, "no frame at all", name);
    printf("%-24s %4u threads, %4u lanes: %6u frames, %9llu bytes, %6u turned away: %s\n", name, n,
           rp_pool_lane_count(s->pool), s->n_frames, (unsigned long long)s->n_bytes,
           s->n_turned_away, s->n_failures == before ? "good" : "FAILED");
    fflush(stdout);
}

static void bounded_memory(stress *s, unsigned n_threads, unsigned n_rounds)
{
    /* Not enough for one, and enough for three. */
    rp_lane *lane = NULL;
    if (make_pool(s, n_threads, 1000)) {
        if (rp_pool_acquire(s->pool, &lane) != RP_STATUS_POOL_EXHAUSTED || lane != NULL)
            fail(s, "a lane beyond the bound on memory", "");
        rp_pool_destroy(s->pool);
    }
    if (make_pool(s, n_threads, 3 * lane_bytes())) {
        run_threads(s, "memory for 3 lanes", n_threads, n_rounds, EXHAUSTED);
        if (rp_pool_lane_count(s->pool) > 3)
            fail(s, "more lanes than the bound on memory allows", "");
        rp_pool_destroy(s->pool);
    }
}

/* Takes all device memory but less than a lane. */
static size_t take_all_memory(const rp_device *device, void **hogs)
{
    size_t n = 0;
    for (size_t bytes = (size_t)8 << 30; bytes > (size_t)256 << 10; bytes /= 2) {
        while (n < MAX_HOGS && device->ops->memory_alloc(device, bytes, &hogs[n]) == RP_STATUS_OK)
            n++;
    }
    return n;
}

static void exhausted_memory(stress *s, unsigned n_threads, unsigned n_rounds)
{
    static void *hogs[MAX_HOGS];
    rp_lane *lanes[2] = {NULL, NULL};
    if ((s->device->flags & RP_DEVICE_HOST_MEMORY) != 0) {
        printf("memory used up: left out, the memory is the host's\n");
        return;
    }
    if (!make_pool(s, n_threads, 0))
        return;
    /* One lane is made before, and keeps working. */
    if (rp_pool_acquire(s->pool, &lanes[0]) != RP_STATUS_OK)
        fail(s, "no first lane", "");
    rp_pool_release(s->pool, lanes[0]);
    size_t n = take_all_memory(s->device, hogs);
    rp_status first = rp_pool_acquire(s->pool, &lanes[0]);
    rp_status second = rp_pool_acquire(s->pool, &lanes[1]);
    if (first != RP_STATUS_OK || second != RP_STATUS_OUT_OF_DEVICE_MEMORY || lanes[1] != NULL)
        fail(s, "a second lane without memory", rp_status_name(second));
    rp_pool_release(s->pool, lanes[0]);
    run_threads(s, "memory used up", n_threads, n_rounds, OUT_OF_MEMORY);
    for (size_t i = 0; i < n; i++)
        s->device->ops->memory_free(s->device, hogs[i]);
    run_threads(s, "memory given back", n_threads, n_rounds, NONE);
    check_all_come_back(s);
    rp_pool_destroy(s->pool);
}

int main(int argc, char **argv)
{
    static stress s;
    const char *name = device_under_test_name();
    unsigned n_threads = 200;
    unsigned n_rounds = 40;
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 < argc && strcmp(argv[i], "--device") == 0)
            name = argv[i + 1];
        else if (i + 1 < argc && strcmp(argv[i], "--threads") == 0)
            n_threads = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--rounds") == 0)
            n_rounds = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else
            n_threads = 0;
    }
    if (n_threads < 4 || n_threads > MAX_THREADS) {
        fprintf(stderr, "usage: test_gpu_stress [--device NAME] [--threads 4..%d] [--rounds N]\n",
                MAX_THREADS);
        return 2;
    }
    rp_device *device = device_under_test_open(name);
    reference_frame *references = reference_frames_make(N_REFERENCES, REFERENCE_MAX_BYTES, 11);
    s.device = device;
    s.references = references;
    if (make_pool(&s, n_threads, 0)) {
        run_threads(&s, "a lane for each", n_threads, n_rounds, NONE);
        run_threads(&s, "impatient", n_threads, n_rounds, IMPATIENT);
        check_all_come_back(&s);
        rp_pool_destroy(s.pool);
    }
    if (make_pool(&s, n_threads / 4, 0)) {
        run_threads(&s, "a quarter of the lanes", n_threads, n_rounds, EXHAUSTED);
        check_all_come_back(&s);
        rp_pool_destroy(s.pool);
    }
    bounded_memory(&s, n_threads, n_rounds);
    exhausted_memory(&s, n_threads, n_rounds);
    reference_frames_free(references, N_REFERENCES);
    rp_device_close(device);
    printf("%s: %u failures\n", name, s.n_failures);
    return s.n_failures == 0 ? 0 : 1;
}
