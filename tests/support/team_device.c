/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The barrier of the threads is made of atomics and a futex instead of a mutex and a condition
 * variable. A mutex would also order a worker that wakes up late behind what an early one did
 * after the barrier, and so hide from ThreadSanitizer some of the races that it is there to
 * find. Here a worker that leaves the barrier acquires what all had done when they reached it,
 * and nothing else.
 */
#ifndef RP_TEAM_THREADS
#define RP_TEAM_THREADS
#endif
/* With it, longjmp() refuses to change to another stack. */
#undef _FORTIFY_SOURCE

#include "tests/support/team_device.h"

#include <inttypes.h>
#include <linux/futex.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "kernels/fused/one_team.h"

#if TEST_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

_Static_assert(TEAM_DEVICE_MAX_SIZE == RP_TEAM_MAX_SIZE, "a team shares RP_TEAM_MAX_SIZE slots");

#define MEMORY_ALIGNMENT 256
#define STACK_BYTES ((size_t)128 * 1024)

typedef enum stop { AT_START, AT_BARRIER, AT_END } stop;

typedef struct worker {
    struct team_state *state;
    rp_team team;
    stop stopped; /* where it is while the others run */
    uint64_t n_barriers;
    pthread_t thread;
    jmp_buf leave;      /* out of a kernel whose team has come apart */
    ucontext_t context; /* at its start; under AddressSanitizer, at its last stop */
    jmp_buf resume;     /* at its last barrier */
} worker;

typedef struct team_state {
    rp_device device;
    team_device_kind kind;
    uint32_t size;
    uint64_t random;
    char error[160];
    uint8_t *team_memory;
    rp_team_shared shared;
    team_function *function;
    void *function_context;

    _Atomic uint32_t n_arrived;
    _Atomic uint32_t generation; /* counts barriers; a futex */
    _Atomic uint32_t n_jobs;     /* counts runs; a futex */
    _Atomic uint32_t n_done;     /* workers that have ended the run; a futex */
    bool diverged;
    bool closing;
    uint32_t n_threads;

    jmp_buf scheduler;
    ucontext_t scheduler_context;
    uint8_t *stacks;
    worker workers[TEAM_DEVICE_MAX_SIZE];
} team_state;

static uint64_t next_random(team_state *state)
{
    state->random += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = state->random;
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static void fill_random(team_state *state, uint8_t *bytes, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i += sizeof(uint64_t)) {
        uint64_t value = next_random(state);
        memcpy(bytes + i, &value, n_bytes - i < sizeof(value) ? n_bytes - i : sizeof(value));
    }
}

/* True, and the error's text, if some have ended and others have not. */
static bool has_diverged(team_state *state)
{
    const worker *ended = NULL;
    const worker *waiting = NULL;
    for (uint32_t rank = state->size; rank-- > 0;) {
        const worker *one = &state->workers[rank];
        if (one->stopped == AT_END)
            ended = one;
        else
            waiting = one;
    }
    if (ended == NULL || waiting == NULL)
        return false;
    snprintf(state->error, sizeof(state->error),
             "rank %" PRIu32 " of %" PRIu32 " ended after %" PRIu64 " barriers, rank %" PRIu32
             " waits at barrier %" PRIu64,
             ended->team.rank, state->size, ended->n_barriers, waiting->team.rank,
             waiting->n_barriers);
    return true;
}

/* Threads. */

static void futex_wait(_Atomic uint32_t *word, uint32_t value)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake_all(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

/* Meets the other workers; false if they are not all at the same kind of stop. */
static bool meet(worker *self, stop at)
{
    team_state *state = self->state;
    uint32_t generation = atomic_load_explicit(&state->generation, memory_order_relaxed);
    self->stopped = at;
    if (atomic_fetch_add_explicit(&state->n_arrived, 1, memory_order_acq_rel) + 1 == state->size) {
        state->diverged = has_diverged(state);
        atomic_store_explicit(&state->n_arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&state->generation, generation + 1, memory_order_release);
        futex_wake_all(&state->generation);
    } else {
        while (atomic_load_explicit(&state->generation, memory_order_acquire) == generation)
            futex_wait(&state->generation, generation);
    }
    return !state->diverged;
}

static void wait_for_threads(rp_team_shared *shared, uint32_t rank)
{
    worker *self = &((team_state *)shared->wait_context)->workers[rank];
    self->n_barriers++;
    if (!meet(self, AT_BARRIER))
        longjmp(self->leave, 1);
}

static void run_rank(worker *self)
{
    if (setjmp(self->leave) == 0) {
        self->state->function(&self->team, self->state->function_context);
        meet(self, AT_END);
    }
}

static void *thread_main(void *context)
{
    worker *self = context;
    team_state *state = self->state;
    for (uint32_t n_jobs = 0;; n_jobs++) {
        while (atomic_load_explicit(&state->n_jobs, memory_order_acquire) == n_jobs)
            futex_wait(&state->n_jobs, n_jobs);
        if (state->closing)
            return NULL;
        run_rank(self);
        if (atomic_fetch_add_explicit(&state->n_done, 1, memory_order_acq_rel) + 1 == state->size)
            futex_wake_all(&state->n_done);
    }
}

static void run_threads(team_state *state)
{
    atomic_store_explicit(&state->n_done, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&state->n_jobs, 1, memory_order_release);
    futex_wake_all(&state->n_jobs);
    uint32_t n_done;
    while ((n_done = atomic_load_explicit(&state->n_done, memory_order_acquire)) != state->size)
        futex_wait(&state->n_done, n_done);
}

/* Taking turns. */

/*
 * swapcontext() also saves the mask of signals, by a system call for each turn, which made teams
 * take turns eight times slower. So it is only used under AddressSanitizer, which knows it and does
 * not know jumps to another stack.
 */
static void give_turn(team_state *state, worker *one)
{
#if TEST_ADDRESS_SANITIZER
    swapcontext(&state->scheduler_context, &one->context);
#else
    if (_setjmp(state->scheduler) != 0)
        return;
    if (one->stopped == AT_BARRIER)
        _longjmp(one->resume, 1);
    setcontext(&one->context);
#endif
}

static void end_turn(worker *self)
{
#if TEST_ADDRESS_SANITIZER
    swapcontext(&self->context, &self->state->scheduler_context);
#else
    if (_setjmp(self->resume) == 0)
        _longjmp(self->state->scheduler, 1);
#endif
}

static void wait_for_turn(rp_team_shared *shared, uint32_t rank)
{
    team_state *state = shared->wait_context;
    worker *self = &state->workers[rank];
    self->n_barriers++;
    self->stopped = AT_BARRIER;
    end_turn(self);
}

static void turn_main(uint32_t address_high, uint32_t address_low)
{
    worker *self = (worker *)((uintptr_t)address_high << 32 | address_low);
    self->state->function(&self->team, self->state->function_context);
    self->stopped = AT_END;
    end_turn(self);
}

static void run_turns(team_state *state)
{
    uint32_t order[TEAM_DEVICE_MAX_SIZE] = {0};
#if TEST_ADDRESS_SANITIZER
    /* Of a team that came apart, frames are left on the stacks. */
    __asan_unpoison_memory_region(state->stacks, state->size * STACK_BYTES);
#endif
    for (uint32_t rank = 0; rank < state->size; rank++) {
        worker *one = &state->workers[rank];
        order[rank] = rank;
        getcontext(&one->context);
        one->context.uc_stack.ss_sp = state->stacks + rank * STACK_BYTES;
        one->context.uc_stack.ss_size = STACK_BYTES;
        one->context.uc_link = NULL;
        one->stopped = AT_START;
        makecontext(&one->context, (void (*)(void))turn_main, 2, (uint32_t)((uintptr_t)one >> 32),
                    (uint32_t)(uintptr_t)one);
    }
    do {
        for (uint32_t i = state->size; i > 1; i--) {
            uint32_t other = (uint32_t)(next_random(state) % i);
            uint32_t rank = order[i - 1];
            order[i - 1] = order[other];
            order[other] = rank;
        }
        for (uint32_t i = 0; i < state->size; i++)
            give_turn(state, &state->workers[order[i]]);
        state->diverged = has_diverged(state);
    } while (!state->diverged && state->workers[0].stopped != AT_END);
}

/* Both. */

bool team_device_run(rp_device *device, team_function *function, void *context)
{
    team_state *state = device->state;
    state->error[0] = '\0';
    state->diverged = false;
    state->function = function;
    state->function_context = context;
    for (uint32_t rank = 0; rank < state->size; rank++)
        state->workers[rank].n_barriers = 0;
    fill_random(state, (uint8_t *)state->shared.exchange, sizeof(state->shared.exchange));
    if (state->kind == TEAM_DEVICE_THREADS)
        run_threads(state);
    else
        run_turns(state);
    return !state->diverged;
}

void team_device_seed(rp_device *device, uint64_t seed)
{
    ((team_state *)device->state)->random = seed;
}

const char *team_device_error(const rp_device *device)
{
    return ((const team_state *)device->state)->error;
}

uint64_t team_device_barriers(const rp_device *device)
{
    return ((const team_state *)device->state)->workers[0].n_barriers;
}

typedef struct stage_run {
    const struct rp_launch *launch;
    uint32_t index;
    uint32_t part; /* of the matcher */
    void *team_memory;
} stage_run;

static void run_stage(rp_team *team, void *context)
{
    const stage_run *run = context;
    const rp_stage_args *args = &run->launch->args;
    if (run->launch->stage != RP_STAGE_LZ77_MATCHER)
        rp_run_stage(team, run->launch->stage, args, run->index, run->team_memory);
    else if (run->part == 0)
        rp_stage_lz77_find(team, args, run->index, run->team_memory);
    else if (run->part == 1)
        rp_stage_lz77_find_matches(team, args, run->index, run->team_memory);
    else if (run->part == 2)
        rp_stage_lz77_parse(team, args, run->index);
    else
        rp_stage_lz77_join(team, args, run->index, args->effort >= RP_EFFORT_HIGH,
                           run->team_memory);
}

static void resize(team_state *state, uint32_t size)
{
    state->size = size;
    for (uint32_t rank = 0; rank < size; rank++)
        state->workers[rank].team.size = size;
}

/* The parts of the matcher share nothing but the scratch: each is a launch of its own with other
 * team memory, and where workers take turns also on a team of another size; the parse on a team of
 * one, for every other block. */
static bool run_other_parts(team_state *state, stage_run *run)
{
    uint32_t size = state->size;
    bool ran = true;
    for (run->part = 1; run->part < 4 && ran; run->part++) {
        fill_random(state, state->team_memory, RP_TEAM_MEMORY_BYTES);
        if (state->kind == TEAM_DEVICE_SHUFFLED)
            resize(state, run->part == 2 && run->index % 2 == 0 ? 1 : size / (1 + run->part) + 1);
        ran = team_device_run(&state->device, run_stage, run);
        if (state->kind == TEAM_DEVICE_SHUFFLED)
            resize(state, size);
    }
    return ran;
}

static rp_status team_launch(rp_stream stream, const struct rp_launch *launch)
{
    team_state *state = stream.device->state;
    const rp_kernel_buffers *buffers = &launch->args.buffers;
    for (uint32_t i = 0; i < launch->n_teams; i++) {
        stage_run run = {launch, i, 0, state->team_memory};
        fill_random(state, state->team_memory, RP_TEAM_MEMORY_BYTES);
        /* The verifier has a team for each input, with the scratch of its first zstd block. */
        const size_t block =
            launch->stage == RP_STAGE_FRAME_VERIFIER ? i * buffers->zstd_blocks_per_input : i;
        if (launch->stage != RP_STAGE_FRAME_ASSEMBLER)
            fill_random(state, buffers->d_scratch + block * buffers->scratch_stride,
                        buffers->scratch_stride);
        if (!team_device_run((rp_device *)stream.device, run_stage, &run))
            return RP_STATUS_LAUNCH_FAILED;
        if (launch->stage == RP_STAGE_LZ77_MATCHER && !run_other_parts(state, &run))
            return RP_STATUS_LAUNCH_FAILED;
    }
    return RP_STATUS_OK;
}

static rp_status team_alloc(const rp_device *device, size_t bytes, void **memory)
{
    (void)device;
    *memory = aligned_alloc(MEMORY_ALIGNMENT,
                            (bytes + MEMORY_ALIGNMENT) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT);
    return *memory != NULL ? RP_STATUS_OK : RP_STATUS_OUT_OF_HOST_MEMORY;
}

static void team_free(const rp_device *device, void *memory)
{
    (void)device;
    free(memory);
}

static rp_status team_stream_create(const rp_device *device, void **handle)
{
    (void)device;
    *handle = NULL;
    return RP_STATUS_OK;
}

static void team_stream_destroy(const rp_device *device, void *handle)
{
    (void)device;
    (void)handle;
}

static rp_status team_copy_async(rp_stream stream, void *destination, const void *source,
                                 size_t bytes, rp_copy_kind kind)
{
    (void)stream;
    (void)kind;
    if (bytes != 0)
        memcpy(destination, source, bytes);
    return RP_STATUS_OK;
}

static rp_status team_wait(rp_stream stream, uint32_t timeout_us)
{
    (void)stream;
    (void)timeout_us;
    return RP_STATUS_OK;
}

static void team_close(rp_device *device)
{
    team_state *state = device->state;
    state->closing = true;
    atomic_fetch_add_explicit(&state->n_jobs, 1, memory_order_release);
    futex_wake_all(&state->n_jobs);
    for (uint32_t rank = 0; rank < state->n_threads; rank++)
        pthread_join(state->workers[rank].thread, NULL);
    if (state->stacks != NULL)
        munmap(state->stacks, state->size * STACK_BYTES);
    free(state->team_memory);
    free(state);
}

static const rp_device_ops team_ops = {
    sizeof(rp_device_ops), team_alloc,      team_free,   team_alloc, team_free,  team_stream_create,
    team_stream_destroy,   team_copy_async, team_launch, team_wait,  team_close,
};

static bool start_threads(team_state *state)
{
    while (state->n_threads < state->size) {
        worker *one = &state->workers[state->n_threads];
        if (pthread_create(&one->thread, NULL, thread_main, one) != 0)
            return false;
        state->n_threads++;
    }
    return true;
}

static bool make_stacks(team_state *state)
{
    void *stacks = mmap(NULL, state->size * STACK_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    state->stacks = stacks != MAP_FAILED ? stacks : NULL;
    return state->stacks != NULL;
}

rp_device *team_device_open(team_device_kind kind, uint32_t size, uint64_t seed)
{
    if (size == 0 || size > TEAM_DEVICE_MAX_SIZE)
        return NULL;
    team_state *state = calloc(1, sizeof(*state));
    if (state == NULL)
        return NULL;
    rp_device device = {sizeof(rp_device), &team_ops, "team", RP_DEVICE_HOST_MEMORY, state};
    state->device = device;
    state->kind = kind;
    state->size = size;
    state->random = seed;
    state->shared.wait = kind == TEAM_DEVICE_THREADS ? wait_for_threads : wait_for_turn;
    state->shared.wait_context = state;
    for (uint32_t rank = 0; rank < size; rank++) {
        worker *one = &state->workers[rank];
        one->state = state;
        one->team.rank = rank;
        one->team.size = size;
        one->team.shared = &state->shared;
    }
    /* Of exactly this size: AddressSanitizer guards what is behind it. */
    state->team_memory = malloc(RP_TEAM_MEMORY_BYTES);
    if (state->team_memory == NULL ||
        !(kind == TEAM_DEVICE_THREADS ? start_threads(state) : make_stacks(state))) {
        team_close(&state->device);
        return NULL;
    }
    return &state->device;
}
