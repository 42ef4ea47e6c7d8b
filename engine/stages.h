/* SPDX-License-Identifier: Apache-2.0 */
/* What launching all stages (engine.c) and one of them (stages.c) have in common. */
#ifndef ROCKPRESS_ENGINE_STAGES_H
#define ROCKPRESS_ENGINE_STAGES_H

#include "rockpress/engine.h"

#include "kernels/base/stages.h"

rp_status rp_launch_stage(rp_stage stage, size_t n_teams, bool may_begin_early,
                          const rp_stage_args *args, rp_stream stream);

/* The caller's batch as kernels take it; its size and its arrays are checked. */
rp_status rp_read_batch(const rp_batch *given, rp_kernel_batch *batch, rp_error *error);

/* The caller's buffers as kernels take them; only their size is checked. */
rp_status rp_read_buffers(const rp_stage_buffers *given, rp_kernel_buffers *buffers,
                          rp_error *error);

#endif
