/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of faults as text: every word of them, every error, and what a seed draws. */
#include "tests/support/cases.h"

#include "tests/fault/plan.h"

static injection_plan plan;
static plan_error error;

static const injection *parse_one(const char *injection_text)
{
    char name[MAX_FAULT_NAME_BYTES + 16];
    snprintf(name, sizeof(name), "fault:3:%s", injection_text);
    error.message[0] = '\0';
    bool good = injection_plan_parse(name, &plan, &error);
    assert_string_equal(error.message, "");
    assert_true(good);
    assert_int_equal(plan.n, 1);
    return &plan.injections[0];
}

/* The error has this text in it, after the word that is meant. */
static void refuse(const char *name, const char *word, const char *allowed)
{
    char quoted[64];
    error.message[0] = '\0';
    snprintf(quoted, sizeof(quoted), "'%s': ", word);
    if (injection_plan_parse(name, &plan, &error))
        fail_msg("%s was accepted", name);
    if (strncmp(error.message, quoted, strlen(quoted)) != 0 ||
        strstr(error.message, allowed) == NULL)
        fail_msg("%s: %s", name, error.message);
}

static void check(const char *text, inject_kind kind, inject_at at, uint64_t value, uint32_t after,
                  uint32_t times, uint32_t ppm)
{
    const injection *made = parse_one(text);
    assert_int_equal(made->kind, kind);
    assert_int_equal(made->at, at);
    assert_int_equal(made->value, value);
    assert_int_equal(made->after, after);
    assert_int_equal(made->times, times);
    assert_int_equal(made->ppm, ppm);
}

static void test_kinds(void **state)
{
    (void)state;
    check("fail", INJECT_FAIL, AT_ANY, RP_STATUS_LAUNCH_FAILED, 0, 1, ALWAYS_PPM);
    check("oom", INJECT_OOM, AT_ANY, 0, 0, 1, ALWAYS_PPM);
    check("lose", INJECT_LOSE, AT_ANY, 0, 0, 1, ALWAYS_PPM);
    check("delay", INJECT_DELAY, AT_ANY, 1000, 0, 1, ALWAYS_PPM);
    check("hang", INJECT_HANG, AT_ANY, 0, 0, 1, ALWAYS_PPM);
    check("drop", INJECT_DROP, AT_ANY, 0, 0, 1, ALWAYS_PPM);
    check("flip@frame", INJECT_FLIP, AT_FRAME, 1, 0, 1, ALWAYS_PPM);
    check("size", INJECT_SIZE, AT_SIZE, VALUE_DRAWN, 0, 1, ALWAYS_PPM);
    check("swap", INJECT_SWAP, AT_FRAME, 0, 0, 1, ALWAYS_PPM);
}

static void test_places(void **state)
{
    (void)state;
    static const char *const calls[] = {
        "memory_alloc", "staging_alloc", "stream_create", "copy", "launch", "wait", "any"};
    static const char *const data[] = {"input",  "workspace", "frame",    "size",
                                       "status", "proof",     "delivered"};
    char text[64];
    for (int at = AT_MEMORY_ALLOC; at <= AT_ANY; at++) {
        snprintf(text, sizeof(text), "hang@%s", calls[at]);
        check(text, INJECT_HANG, (inject_at)at, 0, 0, 1, ALWAYS_PPM);
        assert_string_equal(inject_at_name((inject_at)at), calls[at]);
    }
    for (int at = AT_INPUT; at < AT_N; at++) {
        snprintf(text, sizeof(text), "flip@%s", data[at - AT_INPUT]);
        check(text, INJECT_FLIP, (inject_at)at, 1, 0, 1, ALWAYS_PPM);
    }
}

static void test_values(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        rp_status status;
    } statuses[] = {
        {"fail=out_of_host_memory", RP_STATUS_OUT_OF_HOST_MEMORY},
        {"fail=out_of_device_memory", RP_STATUS_OUT_OF_DEVICE_MEMORY},
        {"fail=device_unavailable", RP_STATUS_DEVICE_UNAVAILABLE},
        {"fail=launch_failed", RP_STATUS_LAUNCH_FAILED},
        {"fail=timeout", RP_STATUS_TIMEOUT},
        {"fail=device_fault", RP_STATUS_DEVICE_FAULT},
        {"fail=internal", RP_STATUS_INTERNAL},
    };
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        check(statuses[i].text, INJECT_FAIL, AT_ANY, (uint64_t)statuses[i].status, 0, 1,
              ALWAYS_PPM);
    check("delay=1", INJECT_DELAY, AT_ANY, 1, 0, 1, ALWAYS_PPM);
    check("delay=10000000", INJECT_DELAY, AT_ANY, 10000000, 0, 1, ALWAYS_PPM);
    check("flip@size=64", INJECT_FLIP, AT_SIZE, 64, 0, 1, ALWAYS_PPM);
    check("size=0", INJECT_SIZE, AT_SIZE, 0, 0, 1, ALWAYS_PPM);
    check("size@size=18446744073709551614", INJECT_SIZE, AT_SIZE, UINT64_MAX - 1, 0, 1, ALWAYS_PPM);
}

static void test_how_often(void **state)
{
    (void)state;
    check("drop@wait+7", INJECT_DROP, AT_WAIT, 0, 7, 1, ALWAYS_PPM);
    check("drop@wait+7x3", INJECT_DROP, AT_WAIT, 0, 7, 3, ALWAYS_PPM);
    check("dropx3", INJECT_DROP, AT_ANY, 0, 0, 3, ALWAYS_PPM);
    check("drop%100", INJECT_DROP, AT_ANY, 0, 0, EVERY_TIME, ALWAYS_PPM);
    check("drop%0.0001", INJECT_DROP, AT_ANY, 0, 0, EVERY_TIME, 1);
    check("drop%12.5", INJECT_DROP, AT_ANY, 0, 0, EVERY_TIME, 125000);
    check("fail@copy=timeout+2x5%1", INJECT_FAIL, AT_COPY, RP_STATUS_TIMEOUT, 2, 5, 10000);
    check("flip@frame=3x2", INJECT_FLIP, AT_FRAME, 3, 0, 2, ALWAYS_PPM);
}

static void test_whole_plans(void **state)
{
    (void)state;
    assert_true(injection_plan_parse("fault:18446744073709551615:none", &plan, &error));
    assert_int_equal(plan.seed, UINT64_MAX);
    assert_int_equal(plan.n, 0);
    assert_string_equal(plan.device, "host");
    assert_true(injection_plan_parse("fault:0:drop,swap,flip@input:cuda:12", &plan, &error));
    assert_int_equal(plan.n, 3);
    assert_int_equal(plan.injections[2].at, AT_INPUT);
    assert_string_equal(plan.device, "cuda:12");
    assert_true(injection_plan_parse("fault:0:lose:copied", &plan, &error));
    assert_string_equal(plan.device, "copied");
    assert_true(injection_plan_parse("fault:0:lose:mapped", &plan, &error));
    assert_true(injection_plan_parse("fault:0:lose:host", &plan, &error));
    assert_true(injection_plan_parse("fault:0:lose:cuda", &plan, &error));
    assert_true(
        injection_plan_parse("fault:0:hang,hang,hang,hang,hang,hang,hang,hang", &plan, &error));
    assert_int_equal(plan.n, MAX_INJECTIONS);
}

static void test_errors(void **state)
{
    (void)state;
    char name[2 * MAX_FAULT_NAME_BYTES] = "fault:0:";
    refuse("host", "host", "fault:SEED:PLAN[:DEVICE]");
    refuse("fault:", "", "is no seed: 0 to 18446744073709551615");
    refuse("fault:-1:none", "-1", "is no seed");
    refuse("fault:18446744073709551616:none", "18446744073709551616", "is no seed");
    refuse("fault:7", "fault:7", "has no plan");
    refuse("fault:7:", "", "is no kind of fault: fail oom lose delay hang drop flip size swap");
    refuse("fault:7:drop,", "", "is no kind of fault");
    refuse("fault:7:random,drop", "random", "is no kind of fault");
    refuse("fault:7:Drop", "Drop", "is no kind of fault");
    refuse("fault:7:drop@frame", "frame", "drop@: copy launch wait any");
    refuse("fault:7:drop@", "", "drop@: copy launch wait any");
    refuse("fault:7:oom@copy", "copy", "oom@: memory_alloc staging_alloc any");
    refuse("fault:7:hang@disk", "disk",
           "hang@: memory_alloc staging_alloc stream_create copy launch wait any");
    refuse("fault:7:flip@any", "any", "flip@: input workspace frame size status proof delivered");
    refuse("fault:7:flip", "flip", "needs a place: @input workspace frame size status proof");
    refuse("fault:7:drop=1", "1", "drop has no value");
    refuse("fault:7:fail=ok", "ok", "timeout internal launch_failed out_of_{host,device}_memory");
    refuse("fault:7:fail=37", "37", "device_{fault,unavailable}");
    refuse("fault:7:flip@frame=0", "0", "flip=: 1 to 64");
    refuse("fault:7:flip@frame=65", "65", "flip=: 1 to 64");
    refuse("fault:7:delay=10000001", "10000001", "delay=: 1 to 10000000");
    refuse("fault:7:delay=0", "0", "delay=: 1 to 10000000");
    refuse("fault:7:size=-4", "-4", "size=: 0 to 18446744073709551614");
    refuse("fault:7:drop+4294967295", "4294967295", "+AFTER: 0 to 4294967294");
    refuse("fault:7:drop+", "", "+AFTER");
    refuse("fault:7:dropx0", "0", "xTIMES: 1 to 4294967294");
    refuse("fault:7:drop%0", "0", "%PERCENT: 0.0001 to 100");
    refuse("fault:7:drop%101", "101", "%PERCENT: 0.0001 to 100");
    refuse("fault:7:drop%100.0001", "100.0001", "%PERCENT: 0.0001 to 100");
    refuse("fault:7:drop%1.00001", "1.00001", "up to 4 digits");
    refuse("fault:7:drop%1+2", "+2", "stands in the wrong place: KIND@WHERE=VALUE+AFTERxTIMES");
    refuse("fault:7:drop%1%2", "%2", "stands in the wrong place");
    refuse("fault:7:drop:gpu", "gpu", "is no device under a plan: host copied mapped cuda cuda:N");
    refuse("fault:7:drop:cuda:", "cuda:", "is no device under a plan");
    refuse("fault:7:drop:cuda:1000", "cuda:1000", "is no device under a plan");
    refuse("fault:7:drop:", "", "is no device under a plan");
    refuse("fault:0:hang,hang,hang,hang,hang,hang,hang,hang,drop", "drop",
           "is one too many: up to 8");
    memset(name + 8, 'x', MAX_FAULT_NAME_BYTES);
    refuse(name, "fault:0:xxxxxxxxxxxxxxxx", "bytes; up to 127");
}

/* What is drawn is a plan that could have been written, and is the seed's. */
static void test_random(void **state)
{
    (void)state;
    static const uint32_t all_kinds = (1u << INJECT_N_KINDS) - 1;
    uint32_t kinds = 0;
    uint32_t places = 0;
    uint32_t most_after = 0;
    injection_plan again;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        char name[64], text[96];
        snprintf(name, sizeof(name), "fault:%llu:random:mapped", (unsigned long long)seed);
        assert_true(injection_plan_parse(name, &plan, &error));
        assert_true(injection_plan_parse(name, &again, &error));
        assert_memory_equal(&plan, &again, sizeof(plan));
        assert_in_range(plan.n, 1, 3);
        for (uint32_t i = 0; i < plan.n; i++) {
            const injection drawn = plan.injections[i];
            kinds |= 1u << drawn.kind;
            if (drawn.kind == INJECT_DELAY)
                assert_true(drawn.times >= 1 && drawn.value * drawn.times <= MAX_DRAWN_DELAYS_US);
            most_after = drawn.after > most_after ? drawn.after : most_after;
            places |= AT_BIT(drawn.at);
            injection_print(&drawn, text, sizeof(text));
            const injection *parsed = parse_one(text);
            assert_memory_equal(parsed, &drawn, sizeof(drawn));
            plan = again;
        }
    }
    assert_int_equal(kinds, all_kinds);
    assert_true(most_after >= 1u << (RANDOM_AFTER_BITS - 1) &&
                most_after < 1u << RANDOM_AFTER_BITS);
    assert_int_equal(places, AT_BIT(AT_N) - 1);
}

/* The same, but for when it begins. */
static void test_late(void **state)
{
    (void)state;
    uint32_t most_after = 0;
    for (uint64_t seed = 0; seed < 500; seed++) {
        char name[64];
        injection_plan early;
        snprintf(name, sizeof(name), "fault:%llu:random", (unsigned long long)seed);
        assert_true(injection_plan_parse(name, &early, &error));
        snprintf(name, sizeof(name), "fault:%llu:late", (unsigned long long)seed);
        assert_true(injection_plan_parse(name, &plan, &error));
        assert_int_equal(plan.n, early.n);
        assert_int_equal(plan.injections[0].kind, early.injections[0].kind);
        for (uint32_t i = 0; i < plan.n; i++)
            most_after =
                plan.injections[i].after > most_after ? plan.injections[i].after : most_after;
    }
    assert_true(most_after >= 1u << (LATE_AFTER_BITS - 1) && most_after < 1u << LATE_AFTER_BITS);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),       cmocka_unit_test(test_places),
        cmocka_unit_test(test_values),      cmocka_unit_test(test_how_often),
        cmocka_unit_test(test_whole_plans), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_random),      cmocka_unit_test(test_late),
    };
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
