/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process's device: opened at the first use, watched, and given up when it can not be trusted.
 * The direct and the batch route share it, so that after faults of one the other does not wait for
 * the same failing device either.
 *
 * Thread rule: any thread.
 */
#ifndef ROCKPRESS_PLUGIN_DEVICE_SESSION_H
#define ROCKPRESS_PLUGIN_DEVICE_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "plugin/device/breaker.h"
#include "rockpress/plugin.h"
#include "rockpress/pool.h"

/* In a forked child of a process that had the device open. Locks of the plugin may be held there by
 * threads that do not exist. */
bool rp_session_is_child(void);

/*
 * Around everything that may touch the device or memory that it has pinned, by any thread. False:
 * the device is off, and there is no end to call. When the process ends, CUDA takes the device and
 * that memory away; before it does, nobody new is let in, and those who are inside are waited for.
 */
bool rp_session_use_begin(void);
void rp_session_use_end(void);

/* The same around what only gives memory back. It is let in where the device was given up, too, and
 * kept out only while the process ends. */
bool rp_session_return_begin(void);

/* How long the end of the process waits for them. */
#define RP_SESSION_EXIT_WAIT_MS 5000u

/* False once the device is off for good: not there, given up, or this is a forked child. False,
 * too, while nobody has called rp_session_expect_file and a GPU is opened for files only. Cheap. */
bool rp_session_may_work(void);

/* A builder is there whose file can be a batch, or is compressed by threads that bring its blocks
 * side by side. */
void rp_session_expect_file(void);

/* True when the device is open; tries to open it when nobody has yet, and then waits for a GPU for
 * a bounded time (device/opener.h). */
bool rp_session_ready(const rp_plugin_config *config);

/* True only when it is open already. */
bool rp_session_is_open(void);

/* Whether the breaker is closed. Takes no probe. */
bool rp_session_is_healthy(void);

/* The device and the lanes of single blocks. Only when it is open. */
const rp_device *rp_session_device(void);
rp_pool *rp_session_pool(void);

/* Whether the breaker lets work through. *pass goes to the functions below. */
bool rp_session_enter(rp_breaker_pass *pass);

/* Report the outcome of that work. rp_session_fault returns RP_FALLBACK_FAULT. */
void rp_session_success(rp_breaker_pass pass);
rp_fallback_reason rp_session_fault(rp_status status, rp_breaker_pass pass);

/* A frame that a device made of a block. */
typedef struct rp_device_frame {
    const void *frame; /* as it will be handed over */
    size_t frame_size;
    const void *block; /* as the caller gave it */
    size_t block_size;
    const rp_proof *proof; /* the device's, with RP_VERIFY_DEVICE; NULL: the lane has checked it */
} rp_device_frame;

/* Verifies a frame as the configuration asks; RP_FALLBACK_NONE when it may be handed over. A
 * mismatch gives the device up. */
rp_fallback_reason rp_session_verify(const rp_plugin_config *config, const rp_device_frame *frame,
                                     rp_breaker_pass pass);

#endif
