/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool says that it is exhausted only if there was a moment, during the call, at which every lane
 * was held, hung on its device, or was just being asked after by another thread. A thread that
 * looks for lanes which have finished may not hide the others during that time, and a lane may not
 * be missed because it moved while that thread looked.
 *
 * Threads meet in such moments too seldom to test with them alone. The device calls back while it
 * is being asked whether a lane is done, and what is done there happens in the middle of the call:
 * an interleaving that can be repeated.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cases.h"

#include "rockpress/pool.h"
#include "tests/support/inputs.h"
#include "tests/support/pool_sample.h"
#include "tests/support/queue_device.h"

#define N_LANES 3
#define MAX_DEPTH 3
#define N_ROUNDS 20000

typedef enum lane_state { HELD, FREE, ASIDE } lane_state;

typedef struct model {
    queue_device device;
    rp_pool *pool;
    pool_sample *sample;
    rp_lane *lanes[N_LANES];
    lane_state states[N_LANES];
    bool stalled[N_LANES];
    bool asked[N_LANES]; /* by a call that is further out */
    int depth;           /* of calls to acquire that are under way */
    bool none_was_available[MAX_DEPTH + 1];
    void (*during_ask)(struct model *model, int lane);
    inputs_random random;
    size_t n_exhausted;
    size_t n_nested;
} model;

static rp_device *host;

static int index_of(const model *m, const rp_lane *lane)
{
    for (int i = 0; i < N_LANES; i++) {
        if (m->lanes[i] == lane)
            return i;
    }
    fail_msg("a lane that was not there before");
    return 0;
}

/* Called after whatever may have changed the answer. */
static void note_availability(model *m)
{
    for (int i = 0; i < N_LANES; i++) {
        if (m->states[i] == FREE || (m->states[i] == ASIDE && !m->stalled[i] && !m->asked[i]))
            return;
    }
    for (int d = 1; d <= m->depth; d++)
        m->none_was_available[d] = true;
}

/* The lane's number, or -1 if the pool said that it was exhausted. */
static int model_acquire(model *m)
{
    rp_lane *lane;
    m->depth++;
    m->none_was_available[m->depth] = false;
    note_availability(m);
    rp_status status = rp_pool_acquire(m->pool, &lane);
    bool may_be_exhausted = m->none_was_available[m->depth];
    m->depth--;
    if (status == RP_STATUS_POOL_EXHAUSTED) {
        if (!may_be_exhausted)
            fail_msg("exhausted, at depth %d, although a lane was to be had all the time",
                     m->depth + 1);
        m->n_exhausted++;
        return -1;
    }
    assert_int_equal(status, RP_STATUS_OK);
    int i = index_of(m, lane);
    assert_true(m->states[i] == FREE || (m->states[i] == ASIDE && !m->stalled[i]));
    m->states[i] = HELD;
    note_availability(m);
    return i;
}

static void model_release(model *m, int i)
{
    m->states[i] = FREE;
    rp_pool_release(m->pool, m->lanes[i]);
}

static void model_stall(model *m, int i, bool stalled)
{
    m->stalled[i] = stalled;
    queue_device_stall(rp_lane_stream(m->lanes[i]), stalled);
}

/* Work that does not end in time, then released. */
static void model_set_aside(model *m, int i)
{
    uint8_t output[sizeof(m->sample->frame)];
    size_t n_bytes;
    model_stall(m, i, true);
    assert_int_equal(pool_sample_compress(m->lanes[i], m->sample, output, sizeof(output), &n_bytes),
                     RP_STATUS_TIMEOUT);
    m->states[i] = ASIDE;
    rp_pool_release(m->pool, m->lanes[i]);
}

static void on_ask(void *context, rp_stream stream)
{
    model *m = context;
    for (int i = 0; i < N_LANES; i++) {
        if (rp_lane_stream(m->lanes[i]).handle != stream.handle || m->during_ask == NULL)
            continue;
        m->asked[i] = true;
        note_availability(m);
        m->during_ask(m, i);
        m->asked[i] = false;
    }
}

/* All lanes are made, and held. */
static model *model_open(void)
{
    model *m = calloc(1, sizeof(*m));
    assert_non_null(m);
    queue_device_open(&m->device, host, 0);
    m->sample = pool_sample_make(host, INPUTS_TEXT, 60);
    rp_pool_options options = {sizeof(rp_pool_options), N_LANES, POOL_SAMPLE_MAX_BYTES, 0,
                               RP_EFFORT_FAST,          NULL};
    assert_int_equal(rp_pool_create(&m->device.device, &options, &m->pool), RP_STATUS_OK);
    for (int i = 0; i < N_LANES; i++)
        assert_int_equal(rp_pool_acquire(m->pool, &m->lanes[i]), RP_STATUS_OK);
    m->device.on_ask = on_ask;
    m->device.on_ask_context = m;
    return m;
}

static void model_close(model *m)
{
    m->during_ask = NULL;
    for (int i = 0; i < N_LANES; i++) {
        model_stall(m, i, false);
        if (m->states[i] == HELD)
            model_release(m, i);
    }
    rp_pool_destroy(m->pool);
    assert_int_equal(atomic_load(&m->device.n_memory), 0);
    free(m->sample);
    free(m);
}

/* The lanes that were asked after first finish while the next one is being asked after. */
static void finish_the_others(model *m, int lane)
{
    if (m->n_nested++ != 1)
        return;
    for (int i = 0; i < N_LANES; i++) {
        if (i != lane)
            model_stall(m, i, false);
    }
    assert_true(model_acquire(m) >= 0);
}

static void test_asking_hides_no_other_lane(void **state)
{
    (void)state;
    model *m = model_open();
    for (int i = 0; i < N_LANES; i++)
        model_set_aside(m, i);
    m->during_ask = finish_the_others;
    (void)model_acquire(m);
    assert_true(m->n_nested >= 2);
    model_close(m);
}

/* While a lane that hangs is asked after, another thread takes the one that has finished, which the
 * first has not come to yet, and releases it to where the first has looked already. */
static void move_another_lane(model *m, int lane)
{
    if (m->stalled[lane] && m->n_nested++ == 0)
        model_release(m, model_acquire(m));
}

static void test_lane_that_moves_is_not_missed(void **state)
{
    (void)state;
    size_t n_moved = 0;
    for (int finished = 0; finished < N_LANES; finished++) {
        model *m = model_open();
        for (int i = 0; i < N_LANES; i++)
            model_set_aside(m, i);
        model_stall(m, finished, false);
        m->during_ask = move_another_lane;
        assert_int_equal(model_acquire(m), finished);
        n_moved += m->n_nested > 0;
        model_close(m);
    }
    /* Only the lane that is asked about first cannot come after another. */
    assert_int_equal(n_moved, N_LANES - 1);
}

/* It doesn't wait for the thread that asks, which may have been put to sleep. */
static void expect_exhausted(model *m, int lane)
{
    model_stall(m, lane, false);
    m->n_nested++;
    assert_int_equal(model_acquire(m), -1);
}

static void test_lane_that_is_asked_after_is_not_waited_for(void **state)
{
    (void)state;
    model *m = model_open();
    model_set_aside(m, 1);
    m->during_ask = expect_exhausted;
    assert_int_equal(model_acquire(m), 1);
    assert_int_equal(m->n_nested, 1);
    model_close(m);
}

/* Any of what threads do, at any of the moments at which a device is asked. */
static void do_anything(model *m)
{
    int i = (int)inputs_below(&m->random, N_LANES);
    switch (inputs_below(&m->random, 4)) {
    case 0:
        if (m->states[i] == HELD)
            model_release(m, i);
        break;
    case 1:
        if (m->states[i] == HELD)
            model_set_aside(m, i);
        break;
    case 2:
        if (m->stalled[i] && m->states[i] == ASIDE)
            model_stall(m, i, false);
        break;
    default:
        if (m->depth < MAX_DEPTH) {
            m->n_nested += m->depth > 0;
            (void)model_acquire(m);
        }
    }
    note_availability(m);
}

static void do_up_to_two(model *m, int lane)
{
    (void)lane;
    for (size_t n = inputs_below(&m->random, 3); n > 0; n--)
        do_anything(m);
}

static void test_any_interleaving(void **state)
{
    (void)state;
    model *m = model_open();
    m->random = inputs_seed(1);
    m->during_ask = do_up_to_two;
    for (int round = 0; round < N_ROUNDS; round++)
        do_anything(m);
    assert_true(m->n_exhausted > N_ROUNDS / 100);
    assert_true(m->n_nested > N_ROUNDS / 100);
    model_close(m);
}

/* As many threads as lanes, one lane each, and no work that lasts: there is always a lane. */
typedef struct stress {
    rp_pool *pool;
    pool_sample *sample;
    _Atomic int n_refused;
    _Atomic uint64_t n_seeds;
} stress;

static void *stress_main(void *context)
{
    stress *s = context;
    inputs_random random = inputs_seed(atomic_fetch_add(&s->n_seeds, 1));
    for (int round = 0; round < 3000; round++) {
        rp_lane *lane;
        uint8_t output[sizeof(s->sample->frame)];
        size_t n_bytes;
        if (rp_pool_acquire(s->pool, &lane) != RP_STATUS_OK) {
            atomic_fetch_add(&s->n_refused, 1);
            continue;
        }
        if (inputs_below(&random, 2) == 0) {
            queue_device_stall(rp_lane_stream(lane), true);
            (void)pool_sample_compress(lane, s->sample, output, sizeof(output), &n_bytes);
            queue_device_stall(rp_lane_stream(lane), false);
        }
        rp_pool_release(s->pool, lane);
    }
    return NULL;
}

static void test_threads_always_find_a_lane(void **state)
{
    (void)state;
    enum { N_THREADS = 5 };
    queue_device device;
    stress s;
    pthread_t threads[N_THREADS];
    memset(&s, 0, sizeof(s));
    queue_device_open(&device, host, 0);
    s.sample = pool_sample_make(host, INPUTS_TEXT, 60);
    rp_pool_options options = {sizeof(rp_pool_options), N_THREADS, POOL_SAMPLE_MAX_BYTES, 0,
                               RP_EFFORT_FAST,          NULL};
    assert_int_equal(rp_pool_create(&device.device, &options, &s.pool), RP_STATUS_OK);
    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, stress_main, &s), 0);
    for (size_t i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&s.n_refused), 0);
    rp_pool_destroy(s.pool);
    assert_int_equal(atomic_load(&device.n_memory), 0);
    free(s.sample);
}

static int open_host(void **state)
{
    (void)state;
    return rp_device_open("host", &host) == RP_STATUS_OK ? 0 : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asking_hides_no_other_lane),
        cmocka_unit_test(test_lane_that_moves_is_not_missed),
        cmocka_unit_test(test_lane_that_is_asked_after_is_not_waited_for),
        cmocka_unit_test(test_any_interleaving),
        cmocka_unit_test(test_threads_always_find_a_lane),
    };
    return RUN_CASES(argc, argv, tests, open_host, NULL);
}
