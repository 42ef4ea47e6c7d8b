/* SPDX-License-Identifier: Apache-2.0 */
/* What others in this folder need of the engine: its checks, and a batch whose arrays were checked.
 */
#ifndef ROCKPRESS_ENGINE_CHECK_H
#define ROCKPRESS_ENGINE_CHECK_H

#include "rockpress/engine.h"

/* RP_STATUS_OK or an argument error, explained in options->error. options is not NULL. */
rp_status rp_check_options(const rp_compress_options *options, rp_stream stream);

/* The same without a stream. */
rp_status rp_check_effort_and_flags(const rp_compress_options *options);

/* Of a batch, with a valid effort. */
rp_status rp_check_batch_size(size_t max_input_bytes, size_t n_inputs,
                              const rp_compress_options *options);

/* As rp_compress_batch_async(), after the checks of stream, options and arrays; the workspace is
 * checked. With d_output_capacities NULL, every output has the common capacity. */
rp_status rp_enqueue_batch(void *d_workspace, size_t workspace_size, const rp_batch *batch,
                           size_t common_capacity, const rp_compress_options *options,
                           rp_stream stream);

#endif
