/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the device that makes faults have of each other. */
#ifndef ROCKPRESS_TESTS_FAULT_INJECTION_H
#define ROCKPRESS_TESTS_FAULT_INJECTION_H

#include "kernels/base/stages.h"
#include "tests/fault/injecting_device.h"

#define MAX_ARRIVALS 16u

/* Bytes that a copy brings to the host. */
struct arrival {
    uint8_t *at;
    size_t n_bytes;
};

struct injecting_stream {
    rp_stream inner;
    /* Of the work since the last wait: the latest copies to the host, and the latest launch. */
    struct arrival arrivals[MAX_ARRIVALS];
    uint32_t n_arrivals; /* ever since that wait */
    rp_status settled;   /* what a wait of the device's own has reported, for the next one */
    bool has_frames;
    rp_stage_args frames; /* of the latest launch that wrote some */
};

/* Whether the ith injection is to be made this time; *n is the number of the time. */
bool injection_take(injecting_device *self, uint32_t i, uint64_t *n);

/* It could not be made after all. */
void injection_return(injecting_device *self, uint32_t i);

/* Memory of the host that the device may write to. False without memory for the note. */
bool staging_add(injecting_device *self, void *memory, size_t n_bytes);
void staging_remove(injecting_device *self, const void *memory);

#endif
