/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared launches of single blocks (rockpress/combiner.h), where the configuration asks for them.
 * With RP_SHARING_SERVED, threads of the plugin's own call the device for all; they are there only
 * while there are blocks. So a driver that never returns from a call has none of RocksDB's threads.
 *
 * Thread rule: any thread, inside the session's use (device/session.h).
 */
#ifndef ROCKPRESS_PLUGIN_DEVICE_SHARING_H
#define ROCKPRESS_PLUGIN_DEVICE_SHARING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/core/request.h"
#include "rockpress/plugin.h"

/* Before the session is open. What is wrong is logged; then there is no sharing. */
void rp_sharing_open(const rp_plugin_config *config, const rp_device *device);

bool rp_sharing_is_on(void);

/* As rp_combiner_compress(), while it is on. *n_shared is 0 where another block accounts for what
 * became of the launch. */
rp_status rp_sharing_compress(const rp_request *request, const rp_compress_options *options,
                              size_t *frame_size, uint32_t *n_shared);

#endif
