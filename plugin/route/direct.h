/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The direct route: one block, on a lane of the process's pool or in a launch that it shares with
 * other threads' blocks (device/sharing.h), while the caller waits.
 *
 * Thread rule: any thread.
 */
#ifndef ROCKPRESS_PLUGIN_ROUTE_DIRECT_H
#define ROCKPRESS_PLUGIN_ROUTE_DIRECT_H

#include <stddef.h>

#include "plugin/core/request.h"

/* Compresses the block on the device, which is open. RP_FALLBACK_NONE: done and counted, the frame
 * is output[0, *frame_size). */
rp_fallback_reason rp_direct_compress(const rp_plugin_config *config, const rp_request *request,
                                      const rp_compress_options *options, size_t *frame_size);

#endif
