/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that compress on one combiner, each an input of its own, and what became of each. A frame
 * is right if it is the one that the host device makes alone.
 */
#ifndef ROCKPRESS_TESTS_SUPPORT_CROWD_H
#define ROCKPRESS_TESTS_SUPPORT_CROWD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rockpress/combiner.h"

#define CROWD_MAX_INPUT 16384
#define CROWD_MAX_OUTPUT (CROWD_MAX_INPUT + 512)

typedef struct crowd_member {
    rp_combiner *combiner;
    size_t n_bytes;
    size_t capacity;
    rp_effort effort;
    uint32_t flags;
    uint32_t timeout_us;
    bool forbidden;       /* to call the device */
    const uint8_t *input; /* bytes[] unless it was set */
    pthread_t thread;
    rp_status status; /* outcome */
    uint32_t n_shared;
    size_t output_size;
    uint8_t bytes[CROWD_MAX_INPUT];
    uint8_t output[CROWD_MAX_OUTPUT];
} crowd_member;

/* n members with inputs of all kinds, up to n_bytes each, and a limit of a minute; to be freed with
 * free(). */
crowd_member *crowd_make(rp_combiner *combiner, size_t n, size_t n_bytes, uint64_t seed);

/* On this thread. */
void crowd_compress(crowd_member *member);

void crowd_start(crowd_member *members, size_t n);
void crowd_join(crowd_member *members, size_t n);

/* Waits until so many inputs gather for a launch. */
void crowd_await_gathering(rp_combiner *combiner, uint32_t n);

/* Whether the member got the frame that the host makes. */
bool crowd_is_right(const crowd_member *member, rp_device *host);

/* How many have this status, and the sum of what they were told to account for. */
size_t crowd_count(const crowd_member *members, size_t n, rp_status status);
uint64_t crowd_accounted(const crowd_member *members, size_t n);

#endif
