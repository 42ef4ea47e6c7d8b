/* SPDX-License-Identifier: Apache-2.0 */
/* The breaker, with a clock of the test's own. */
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/cases.h"

#include "plugin/device/breaker.h"

static void opens_after_faults_in_a_row(void **state)
{
    struct rp_breaker breaker;

    (void)state;
    rp_breaker_init(&breaker, 3, 100);
    assert_false(rp_breaker_fault(&breaker, RP_BREAKER_CLOSED, 1));
    assert_false(rp_breaker_fault(&breaker, RP_BREAKER_CLOSED, 2));
    assert_false(rp_breaker_success(&breaker, RP_BREAKER_CLOSED));
    assert_false(rp_breaker_fault(&breaker, RP_BREAKER_CLOSED, 3));
    assert_false(rp_breaker_fault(&breaker, RP_BREAKER_CLOSED, 4));
    assert_true(rp_breaker_is_closed(&breaker));
    assert_true(rp_breaker_fault(&breaker, RP_BREAKER_CLOSED, 5));
    assert_false(rp_breaker_is_closed(&breaker));
    /* Blocks that were on their way fail as well; it does not open twice. */
    assert_false(rp_breaker_fault(&breaker, RP_BREAKER_CLOSED, 6));
}

static void one_probe_at_a_time(void **state)
{
    struct rp_breaker breaker;

    (void)state;
    rp_breaker_init(&breaker, 1, 100);
    assert_true(rp_breaker_fault(&breaker, RP_BREAKER_CLOSED, 1000));
    assert_int_equal(rp_breaker_enter(&breaker, 1099), RP_BREAKER_OPEN);
    assert_int_equal(rp_breaker_enter(&breaker, 1100), RP_BREAKER_PROBE);
    assert_int_equal(rp_breaker_enter(&breaker, 1100), RP_BREAKER_OPEN);
    assert_int_equal(rp_breaker_enter(&breaker, 1199), RP_BREAKER_OPEN);
    /* A success of a block that was on its way before does not close it, the probe's does. */
    assert_false(rp_breaker_success(&breaker, RP_BREAKER_CLOSED));
    assert_false(rp_breaker_is_closed(&breaker));
    assert_true(rp_breaker_success(&breaker, RP_BREAKER_PROBE));
    assert_int_equal(rp_breaker_enter(&breaker, 1200), RP_BREAKER_CLOSED);
}

static void pauses_grow_and_are_bounded(void **state)
{
    struct rp_breaker breaker;
    uint64_t now = 1, pause = 100;

    (void)state;
    rp_breaker_init(&breaker, 1, 100);
    assert_true(rp_breaker_fault(&breaker, RP_BREAKER_CLOSED, now));
    for (int i = 0; i < 20; i++) {
        now += pause;
        assert_int_equal(rp_breaker_enter(&breaker, now - 1), RP_BREAKER_OPEN);
        assert_int_equal(rp_breaker_enter(&breaker, now), RP_BREAKER_PROBE);
        assert_false(rp_breaker_fault(&breaker, RP_BREAKER_PROBE, now));
        pause = pause * 2 <= 100 * RP_BREAKER_MAX_FACTOR ? pause * 2 : pause;
    }
    assert_int_equal(pause, 100 * RP_BREAKER_MAX_FACTOR);
    now += pause;
    assert_int_equal(rp_breaker_enter(&breaker, now), RP_BREAKER_PROBE);
    assert_true(rp_breaker_success(&breaker, RP_BREAKER_PROBE));
    /* And begins with the first pause again. */
    assert_true(rp_breaker_fault(&breaker, RP_BREAKER_CLOSED, now));
    assert_int_equal(rp_breaker_enter(&breaker, now + 100), RP_BREAKER_PROBE);
}

static struct rp_breaker shared;
static _Atomic int n_opened, n_probes;

static void *fail_and_enter(void *argument)
{
    (void)argument;
    for (int i = 0; i < 1000; i++) {
        if (rp_breaker_fault(&shared, RP_BREAKER_CLOSED, 1000))
            n_opened++;
    }
    for (int i = 0; i < 1000; i++) {
        if (rp_breaker_enter(&shared, 1100) == RP_BREAKER_PROBE)
            n_probes++;
    }
    return NULL;
}

static void threads_agree_on_one_opening(void **state)
{
    pthread_t threads[4];

    (void)state;
    rp_breaker_init(&shared, 5, 100);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fail_and_enter, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(n_opened, 1);
    assert_int_equal(n_probes, 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_after_faults_in_a_row),
        cmocka_unit_test(one_probe_at_a_time),
        cmocka_unit_test(pauses_grow_and_are_bounded),
        cmocka_unit_test(threads_agree_on_one_opening),
    };

    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
