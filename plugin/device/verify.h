/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verification on the CPU: a frame that a device made is decoded by the caller's libzstd (the one
 * that the thread's last hooked call was for, or the CompressionManager's) and compared with the
 * block before it is handed over. The configuration says which frames: all, or a sample. Of that,
 * the first thousand detect a wrong build or a broken card at once, and one in verify_interval
 * detects later damage. These are chosen by what is in the frame: a period could be that of the
 * damage. Where the device proves its frames itself, nothing is decoded here.
 *
 * Decoders and their buffers are kept for each library, and shared by all threads. Nothing is
 * allocated once there is one for each thread that verifies at the same time.
 */
#ifndef ROCKPRESS_PLUGIN_DEVICE_VERIFY_H
#define ROCKPRESS_PLUGIN_DEVICE_VERIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "rockpress/plugin.h"

/* Blocks verified at the start, in mode sample. */
#define RP_VERIFY_FIRST_BLOCKS 1000u

typedef enum rp_verify_result {
    RP_VERIFY_GOOD = 0,
    RP_VERIFY_MISMATCH = 1,
    RP_VERIFY_UNABLE = 2 /* no memory, or no libzstd to decode with */
} rp_verify_result;

/* Whether this frame is to be verified, here or by a proof. Counts the first ones. */
bool rp_verify_due(const rp_plugin_config *config, const void *frame, size_t frame_size);

/* Decodes the frame and compares. size is at most the configured max_block_bytes. */
rp_verify_result rp_verify_frame(const rp_plugin_config *config, const void *frame,
                                 size_t frame_size, const void *block, size_t size);

/* Frees what is kept to decode with this library. */
struct rp_zstd;
void rp_verify_clear(struct rp_zstd *zstd);

#endif
