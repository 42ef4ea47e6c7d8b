/* SPDX-License-Identifier: Apache-2.0 */
/* Plans that a seed decides: see plan.h. */
#include "tests/fault/plan.h"

struct dice {
    uint64_t seed;
    uint64_t n;
};

static uint32_t below(struct dice *dice, uint32_t limit)
{
    return (uint32_t)(plan_mix(dice->seed, dice->n++) % limit);
}

/* From 0 to 2^max_bits - 1, small numbers as often as large ones. */
static uint32_t of_any_size(struct dice *dice, uint32_t max_bits)
{
    return below(dice, 1u << below(dice, max_bits + 1));
}

/* What is wrong silently is what the campaign is for, so it is drawn most often. */
static inject_kind draw_kind(struct dice *dice)
{
    static const inject_kind often[] = {
        INJECT_FLIP, INJECT_FLIP, INJECT_FLIP,  INJECT_FLIP,  INJECT_FLIP, INJECT_FLIP, INJECT_FLIP,
        INJECT_FLIP, INJECT_DROP, INJECT_DROP,  INJECT_DROP,  INJECT_DROP, INJECT_SIZE, INJECT_SIZE,
        INJECT_SWAP, INJECT_FAIL, INJECT_FAIL,  INJECT_FAIL,  INJECT_FAIL, INJECT_OOM,  INJECT_OOM,
        INJECT_LOSE, INJECT_HANG, INJECT_DELAY, INJECT_DELAY,
    };
    return often[below(dice, sizeof(often) / sizeof(often[0]))];
}

static void draw_place_and_value(struct dice *dice, injection *made)
{
    static const inject_at calls[] = {
        AT_MEMORY_ALLOC, AT_STAGING_ALLOC, AT_STREAM_CREATE, AT_COPY, AT_LAUNCH, AT_WAIT, AT_ANY};
    static const inject_at work[] = {AT_COPY, AT_LAUNCH, AT_WAIT, AT_ANY};
    static const inject_at data[] = {AT_INPUT,  AT_WORKSPACE, AT_FRAME,    AT_SIZE,
                                     AT_STATUS, AT_PROOF,     AT_DELIVERED};
    static const rp_status statuses[] = {RP_STATUS_OUT_OF_HOST_MEMORY,
                                         RP_STATUS_OUT_OF_DEVICE_MEMORY,
                                         RP_STATUS_DEVICE_UNAVAILABLE,
                                         RP_STATUS_LAUNCH_FAILED,
                                         RP_STATUS_TIMEOUT,
                                         RP_STATUS_DEVICE_FAULT,
                                         RP_STATUS_INTERNAL};

    made->at = calls[below(dice, sizeof(calls) / sizeof(calls[0]))];
    made->value = 0;
    switch (made->kind) {
    case INJECT_FAIL:
        made->value = (uint64_t)statuses[below(dice, sizeof(statuses) / sizeof(statuses[0]))];
        break;
    case INJECT_OOM:
        made->at = below(dice, 2) == 0 ? AT_MEMORY_ALLOC : AT_STAGING_ALLOC;
        break;
    case INJECT_DELAY:
        /* Up to a quarter of a second, beyond the time limits of the campaign's databases. */
        made->value = 1 + of_any_size(dice, 18);
        break;
    case INJECT_DROP:
        made->at = work[below(dice, sizeof(work) / sizeof(work[0]))];
        break;
    case INJECT_FLIP:
        made->at = data[below(dice, sizeof(data) / sizeof(data[0]))];
        made->value = below(dice, 2) == 0 ? 1 : 1 + of_any_size(dice, 6);
        if (made->value > 64)
            made->value = 64;
        break;
    case INJECT_SIZE:
        made->at = AT_SIZE;
        made->value = below(dice, 3) == 0 ? of_any_size(dice, 20) : VALUE_DRAWN;
        break;
    case INJECT_SWAP:
        made->at = AT_FRAME;
        break;
    case INJECT_LOSE:
    case INJECT_HANG:
    case INJECT_N_KINDS:
        break;
    }
}

static void draw_how_often(struct dice *dice, uint32_t max_after_bits, injection *made)
{
    static const uint32_t chances[] = {1000, 10000, 100000, 300000, ALWAYS_PPM};
    made->after = of_any_size(dice, max_after_bits);
    made->times = 1;
    made->ppm = ALWAYS_PPM;
    switch (below(dice, 4)) {
    case 0:
        break;
    case 1:
        made->times = 2 + below(dice, 20);
        break;
    default:
        made->times = EVERY_TIME;
        made->ppm = chances[below(dice, sizeof(chances) / sizeof(chances[0]))];
        break;
    }
}

/* Many delays in a row would be taken for a process that hangs. */
static void limit_delays(injection *made)
{
    uint32_t most = MAX_DRAWN_DELAYS_US / (uint32_t)made->value;
    if (made->times > most)
        made->times = most;
}

void injection_plan_draw(injection_plan *plan, uint32_t max_after_bits)
{
    struct dice dice = {plan->seed, 0};
    plan->n = 1 + (below(&dice, 2) == 0 ? 0 : below(&dice, 3));
    for (uint32_t i = 0; i < plan->n; i++) {
        injection *made = &plan->injections[i];
        made->kind = draw_kind(&dice);
        draw_place_and_value(&dice, made);
        draw_how_often(&dice, max_after_bits, made);
        if (made->kind == INJECT_DELAY)
            limit_delays(made);
    }
}
