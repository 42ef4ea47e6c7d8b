/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan of faults as text, for a device that makes them (injecting_device.h):
 *
 *     fault:SEED:PLAN[:DEVICE]
 *
 * SEED is a number: of all that is left to chance. DEVICE is what works underneath, host unless it
 * is given: host; cuda or cuda:N; copied or mapped, which run the host's kernels on a thread for
 * each stream with memory of their own (threaded_device.h). Of mapped the kernels write results to
 * the host's memory, as a GPU's do; of copied they are copied back. PLAN is `none`, or `random`,
 * which is drawn from the seed, or `late`, which is drawn likewise, but begins after up to tens of
 * thousands of calls, or up to MAX_INJECTIONS of these with a comma between them:
 *
 *     KIND[@WHERE][=VALUE][+AFTER][xTIMES][%PERCENT]
 *
 *     kind   where                                      value
 *     fail   a call                                     the status that it returns, launch_failed
 *     oom    memory_alloc, staging_alloc, any           none: out of that memory
 *     lose   a call                                     none: device_fault, as of all later calls
 *     delay  a call                                     microseconds, 1 to 10000000; 1000
 *     hang   a call                                     none: it never returns
 *     drop   copy, launch, wait, any                    none: nothing is done, the status is OK
 *     flip   a place of data                            how many bits, 1 to 64; 1
 *     size   size                                       bytes that a frame is said to have; drawn
 *     swap   frame                                      none: two of a batch change places
 *
 * A call is memory_alloc, staging_alloc, stream_create, copy, launch, wait or any, which is the
 * default. A place of data is one of these; it has no default:
 *
 *     input      what a launch reads, after it was copied to the device
 *     workspace  what one stage leaves for the next
 *     frame      a frame as a launch wrote it
 *     size, status, proof   what is said of a frame
 *     delivered  what has arrived on the host, once it was waited for
 *
 * AFTER calls (or launches and waits that there is such data of) are left alone first; 0. Then
 * TIMES have the fault: one, or with a PERCENT all. PERCENT, from 0.0001 to 100, is the chance of
 * each.
 */
#ifndef ROCKPRESS_TESTS_FAULT_PLAN_H
#define ROCKPRESS_TESTS_FAULT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rockpress/status.h"

#define MAX_INJECTIONS 8
#define FAULT_PREFIX "fault:"
/* With its end; a device of the plugin's configuration has as much. */
#define MAX_FAULT_NAME_BYTES 128

typedef enum inject_kind {
    INJECT_FAIL,
    INJECT_OOM,
    INJECT_LOSE,
    INJECT_DELAY,
    INJECT_HANG,
    INJECT_DROP,
    INJECT_FLIP,
    INJECT_SIZE,
    INJECT_SWAP,
    INJECT_N_KINDS
} inject_kind;

/* Calls in the order of the device's table, then data. */
typedef enum inject_at {
    AT_MEMORY_ALLOC,
    AT_STAGING_ALLOC,
    AT_STREAM_CREATE,
    AT_COPY,
    AT_LAUNCH,
    AT_WAIT,
    AT_ANY,
    AT_INPUT,
    AT_WORKSPACE,
    AT_FRAME,
    AT_SIZE,
    AT_STATUS,
    AT_PROOF,
    AT_DELIVERED,
    AT_N
} inject_at;

#define AT_BIT(at) (1u << (at))
/* A size that is drawn. */
#define VALUE_DRAWN UINT64_MAX
#define EVERY_TIME UINT32_MAX
#define ALWAYS_PPM 1000000u

typedef struct injection {
    inject_kind kind;
    inject_at at;
    uint64_t value; /* of a failure, an rp_status */
    uint32_t after;
    uint32_t times; /* or EVERY_TIME */
    uint32_t ppm;   /* chance of each, in millionths, 1 to ALWAYS_PPM */
} injection;

typedef struct injection_plan {
    uint64_t seed;
    uint32_t n;
    injection injections[MAX_INJECTIONS];
    char device[16]; /* what works underneath */
} injection_plan;

typedef struct plan_error {
    char message[112];
} plan_error;

/*
 * Reads `fault:SEED:PLAN[:DEVICE]`; `random` and `late` are drawn then. False if it is wrong: the
 * message has the part that is not understood, and what is allowed there. Any thread.
 */
bool injection_plan_parse(const char *name, injection_plan *plan, plan_error *error);

/* What `random` and `late` stand for: one to three injections that the seed decides, which begin
 * after less than 2^max_after_bits calls. Delays are few enough to end soon. */
#define MAX_DRAWN_DELAYS_US 4000000u /* of one injection, all of them together */
#define RANDOM_AFTER_BITS 9
#define LATE_AFTER_BITS 16
void injection_plan_draw(injection_plan *plan, uint32_t max_after_bits);

/* An injection as text that is parsed to the same. Returns `text`. */
const char *injection_print(const injection *injection, char *text, size_t text_bytes);

const char *inject_at_name(inject_at at);

/* A number that looks random of two: the same two give the same one. */
uint64_t plan_mix(uint64_t seed, uint64_t n);

#endif
