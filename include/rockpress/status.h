/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results. Every function that can fail returns an rp_status, and every input of a batch has one.
 *
 * Returned by a function, a status below RP_STATUS_FIRST_RUNTIME is an argument error. It was found
 * before anything was enqueued: no device memory, output or array of the caller's has been touched.
 * Only a result that the function returns through a pointer may be NULL or 0; its comment says so.
 * A status from RP_STATUS_FIRST_RUNTIME on is a run-time result: work may have been enqueued.
 *
 * As the status of one input (d_status, d_statuses and statuses of a batch) it says what became of
 * that input; the others are not affected. What a device alone can see is found there: whether the
 * frame fits its capacity (RP_STATUS_OUTPUT_TOO_SMALL) and, in a batch, whether the input is larger
 * than the batch's maximum (RP_STATUS_INPUT_TOO_LARGE, the one number with both uses).
 */
#ifndef ROCKPRESS_STATUS_H
#define ROCKPRESS_STATUS_H

#include <stddef.h>

#include "rockpress/export.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rp_status {
    RP_STATUS_OK = 0,

    /* Argument errors. */
    RP_STATUS_NULL_POINTER = 1,       /* a required pointer is NULL */
    RP_STATUS_INVALID_STREAM = 2,     /* the stream names no device */
    RP_STATUS_INVALID_EFFORT = 3,     /* not one of rp_effort */
    RP_STATUS_INVALID_FLAGS = 4,      /* a bit outside RP_COMPRESS_FLAGS_ALL */
    RP_STATUS_INPUT_TOO_LARGE = 5,    /* returned: the largest input is beyond RP_MAX_INPUT_BYTES or
                                       * beyond the pool's; of one input: beyond the batch's maximum */
    RP_STATUS_INVALID_BATCH_SIZE = 6, /* 0, or beyond RP_MAX_BATCH_INPUTS */
    RP_STATUS_WORKSPACE_MISALIGNED = 7, /* not a multiple of RP_WORKSPACE_ALIGNMENT */
    RP_STATUS_WORKSPACE_TOO_SMALL = 8,  /* less than rp_workspace_size() */
    RP_STATUS_INVALID_OPTION = 9,       /* a field of an options structure is out of range */
    RP_STATUS_UNKNOWN_DEVICE = 10,      /* no such device name */
    RP_STATUS_OVERLAP = 11,             /* input, output or workspace overlap */
    RP_STATUS_INVALID_STRUCT_SIZE = 12, /* a struct_size that rockpress/version.h does not allow */
    RP_STATUS_INVALID_LANE = 13,        /* a lane that is not held, or is another pool's */

    /* Run-time results. */
    RP_STATUS_FIRST_RUNTIME = 32,
    RP_STATUS_OUTPUT_TOO_SMALL =
        32,                        /* the frame does not fit the capacity; nothing useful written */
    RP_STATUS_POOL_EXHAUSTED = 33, /* every lane is taken, or the memory budget is spent */
    RP_STATUS_OUT_OF_HOST_MEMORY = 34,
    RP_STATUS_OUT_OF_DEVICE_MEMORY = 35,
    RP_STATUS_DEVICE_UNAVAILABLE = 36, /* no driver, no GPU, or support not compiled in */
    RP_STATUS_LAUNCH_FAILED = 37,      /* this launch failed, the device itself still works */
    RP_STATUS_TIMEOUT = 38,            /* a bounded wait ended first; the work may still run */
    RP_STATUS_DEVICE_FAULT = 39,       /* sticky: the device is lost to this process */
    RP_STATUS_INTERNAL = 40,           /* a broken invariant of rockpress; please report it */
    RP_STATUS_VERIFICATION_FAILED = 41 /* the device's result is not that of the input */
} rp_status;

/* Name of a status, such as "RP_STATUS_TIMEOUT", or "RP_STATUS_UNKNOWN". Never NULL. Any thread. */
RP_API const char *rp_status_name(rp_status status);

/* One sentence for a person. Never NULL. Any thread. */
RP_API const char *rp_status_string(rp_status status);

/*
 * Where an argument error is explained: which value was wrong and what is allowed. The caller owns
 * it. A function that takes one fills it only when it returns an argument error, and always ends
 * the text with a zero byte.
 */
typedef struct rp_error {
    char message[192];
} rp_error;

#ifdef __cplusplus
}
#endif

#endif
