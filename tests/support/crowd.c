/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/gate_device.h"
#include "tests/support/inputs.h"

crowd_member *crowd_make(rp_combiner *combiner, size_t n, size_t n_bytes, uint64_t seed)
{
    crowd_member *members = calloc(n, sizeof(*members));
    inputs_random random = inputs_seed(seed);
    for (size_t i = 0; members != NULL && i < n; i++) {
        crowd_member *one = &members[i];
        one->combiner = combiner;
        one->n_bytes = n_bytes - inputs_magnitude(&random, (uint32_t)n_bytes / 2);
        one->capacity = CROWD_MAX_OUTPUT;
        one->effort = RP_EFFORT_FAST;
        one->timeout_us = 60000000;
        inputs_fill((inputs_kind)(i % INPUTS_N_KINDS), one->bytes, one->n_bytes, seed + i);
        one->input = one->bytes;
    }
    return members;
}

void crowd_compress(crowd_member *one)
{
    rp_compress_options options = RP_COMPRESS_OPTIONS_DEFAULT;
    options.effort = one->effort;
    options.flags = one->flags;
    one->output_size = 1;
    one->status =
        rp_combiner_compress(one->combiner, one->input, one->n_bytes, one->output, one->capacity,
                             &one->output_size, &options, one->timeout_us, &one->n_shared);
}

static void *run(void *context)
{
    crowd_member *one = context;
    if (one->forbidden)
        gate_device_forbid();
    crowd_compress(one);
    return NULL;
}

void crowd_start(crowd_member *members, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (pthread_create(&members[i].thread, NULL, run, &members[i]) != 0) {
            perror("pthread_create");
            abort();
        }
    }
}

void crowd_join(crowd_member *members, size_t n)
{
    for (size_t i = 0; i < n; i++)
        pthread_join(members[i].thread, NULL);
}

void crowd_await_gathering(rp_combiner *combiner, uint32_t n)
{
    rp_combiner_counts counts = RP_COMBINER_COUNTS_INIT;
    while (rp_combiner_read_counts(combiner, &counts) == RP_STATUS_OK && counts.n_gathering != n)
        usleep(200);
}

bool crowd_is_right(const crowd_member *one, rp_device *host)
{
    rp_compress_options options = RP_COMPRESS_OPTIONS_DEFAULT;
    options.effort = one->effort;
    options.flags = one->flags & ~RP_COMPRESS_VERIFY;
    size_t workspace_bytes = rp_workspace_size(one->n_bytes, 1, one->effort);
    void *workspace = aligned_alloc(RP_WORKSPACE_ALIGNMENT, workspace_bytes);
    uint8_t *frame = malloc(CROWD_MAX_OUTPUT);
    size_t n_bytes = 0;
    rp_status status = RP_STATUS_INTERNAL;
    rp_stream stream = {host, NULL};
    bool is_right = workspace != NULL && frame != NULL && one->status == RP_STATUS_OK;
    is_right =
        is_right &&
        rp_compress_async(workspace, workspace_bytes, one->input, one->n_bytes, frame,
                          CROWD_MAX_OUTPUT, &n_bytes, &status, &options, stream) == RP_STATUS_OK &&
        status == RP_STATUS_OK && n_bytes == one->output_size &&
        memcmp(frame, one->output, n_bytes) == 0;
    free(workspace);
    free(frame);
    return is_right;
}

size_t crowd_count(const crowd_member *members, size_t n, rp_status status)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count +=
            members[i].status == status && (status == RP_STATUS_OK || members[i].output_size == 0);
    return count;
}

uint64_t crowd_accounted(const crowd_member *members, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += members[i].n_shared;
    return sum;
}
