/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that several functions of the engine make, each in one place, and the launches of a batch
 * whose arrays have been checked. */
#ifndef ROCKPRESS_ENGINE_CHECK_H
#define ROCKPRESS_ENGINE_CHECK_H

#include "rockpress/engine.h"

#include "kernels/base/stages.h"

/* The caller's options as this library knows them, the defaults for NULL. Only their size has been
 * checked. On an error, options->error is where its text went, or NULL. */
rp_status rp_read_options(const rp_compress_options *given, rp_compress_options *options);

/* The same, and checks them and the stream. */
rp_status rp_read_checked_options(const rp_compress_options *given, rp_stream stream,
                                  rp_compress_options *options);

/* RP_STATUS_OK or an argument error, explained in options->error. options is not NULL. */
rp_status rp_check_options(const rp_compress_options *options, rp_stream stream);

/* The same without a stream. */
rp_status rp_check_effort_and_flags(const rp_compress_options *options);

rp_status rp_check_effort(rp_effort effort, rp_error *error);

/* Of options with RP_COMPRESS_VERIFY, for a call with pointers of the device: there must be room
 * for the proofs. */
rp_status rp_check_proofs(const rp_compress_options *options);

/* Of a device that is not NULL: its size, its table and the size of that. */
rp_status rp_check_device(const rp_device *device, rp_error *error);

/* Of a batch, with a valid effort. */
rp_status rp_check_batch_size(size_t max_input_bytes, size_t n_inputs, rp_effort effort,
                              rp_error *error);

/* A required pointer, and what a caller calls it. */
typedef struct rp_named_pointer {
    const void *pointer;
    const char *name;
} rp_named_pointer;

/* RP_STATUS_NULL_POINTER for the first that is NULL. */
rp_status rp_check_pointers(const rp_named_pointer *pointers, size_t n, rp_error *error);

/* The batch's size and the workspace are checked; the other arguments have been. Lays out
 * args->buffers in the workspace and enqueues all stages. */
rp_status rp_enqueue_stages(void *d_workspace, size_t workspace_size, rp_stage_args *args,
                            rp_error *error, rp_stream stream);

/* Arguments of the stages without buffers, and without inputs. */
rp_stage_args rp_stage_args_of(const rp_compress_options *options);

#endif
