/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine hands to a device: which stage to run, on how many teams, with which
 * arguments. The stages themselves are in match/stage.h, literals/stage.h, sequences/stage.h and
 * frame/stage.h; each is one function of (team, arguments, index of the team).
 */
#ifndef ROCKPRESS_KERNELS_BASE_STAGES_H
#define ROCKPRESS_KERNELS_BASE_STAGES_H

#include "rockpress/engine.h"

#include "kernels/base/memory.h"

typedef enum rp_stage {
    RP_STAGE_LZ77_MATCHER = 0,
    RP_STAGE_HUFFMAN_ENCODER = 1,
    RP_STAGE_FSE_ENCODER = 2,
    RP_STAGE_FRAME_ASSEMBLER = 3,
    RP_STAGE_FUSED = 4,         /* all of them, of inputs of one zstd block each */
    RP_STAGE_FRAME_VERIFIER = 5 /* not part of it */
} rp_stage;

/* A batch of one, held by value so that no array has to be put on the device. */
typedef struct rp_single {
    const void *d_input;
    size_t input_size;
    void *d_output;
    size_t output_capacity;
    void *d_delivery;
} rp_single;

/* The fields of rp_batch, which has its size in front: callers' structs grow, the arguments of
 * kernels are of one version. */
typedef struct rp_kernel_batch {
    const void *const *d_inputs;
    const size_t *d_input_sizes;
    size_t max_input_bytes;
    size_t n_inputs;
    void *const *d_outputs;
    const size_t *d_output_capacities;
    size_t *d_output_sizes;
    rp_status *d_statuses;
    rp_proof *d_proofs;        /* NULL: none */
    void *const *d_deliveries; /* NULL: frames stay in d_outputs */
} rp_kernel_batch;

/* The fields of rp_stage_buffers, likewise. */
typedef struct rp_kernel_buffers {
    size_t n_zstd_blocks;
    size_t zstd_blocks_per_input;
    size_t zstd_block_bytes;
    rp_zstd_block *d_zstd_blocks;
    rp_sequence *d_sequences;
    size_t sequences_stride;
    uint8_t *d_literals;
    size_t literals_stride;
    uint8_t *d_literals_sections;
    size_t literals_section_stride;
    uint8_t *d_sequences_sections;
    size_t sequences_section_stride;
    uint8_t *d_scratch;
    size_t scratch_stride;
    uint8_t *d_team_memory;
    uint8_t *d_entry_points; /* NULL: none */
    size_t entry_points_stride;
} rp_kernel_buffers;

typedef struct rp_stage_args {
    rp_kernel_batch batch; /* d_inputs NULL: `single` instead; sizes and statuses are here anyway.
                            * d_output_capacities NULL: that of `single` for every output */
    rp_single single;
    rp_kernel_buffers buffers;
    uint32_t effort;
    uint32_t flags;
} rp_stage_args;

struct rp_launch {
    rp_stage stage;
    uint32_t n_teams; /* zstd blocks; for the frame assembler and all stages at once, inputs */
    /* This launch needs nothing of the one before it in the stream, which is of the Huffman
     * encoder. So it may begin before that one ends, but must not end before it. */
    bool may_begin_early;
    rp_stage_args args;
};

/* Bytes of team memory (shared memory on a GPU) that any stage takes; the parts are in the
 * stages' headers, which assert that they fit. */
#define RP_TEAM_MEMORY_BYTES ((size_t)66 * 1024)

/* Slack after each buffer of bytes, so that copies and bitstreams may be written in words. */
#define RP_BUFFER_SLACK 32

/* What the matcher leaves in literals_section_bytes where it knows that no code would shorten
 * the literals; else it leaves 0. */
#define RP_LITERALS_STAY_RAW 1

/* What a stage leaves as a section's size where what it was to encode is nothing that the matcher
 * leaves: it was overwritten. The frame assembler reports it. */
#define RP_SECTION_IMPOSSIBLE UINT32_MAX

/* One zstd block's worth of input. */
typedef struct rp_zstd_block_view {
    const uint8_t *source;
    uint32_t n_bytes;
    bool is_first; /* of its frame: the repeat offsets have their initial values */
} rp_zstd_block_view;

RP_FN const uint8_t *rp_input(const rp_stage_args *args, size_t index, size_t *n_bytes)
{
    if (args->batch.d_inputs == NULL) {
        *n_bytes = args->single.input_size;
        return (const uint8_t *)args->single.d_input;
    }
    *n_bytes = args->batch.d_input_sizes[index];
    return (const uint8_t *)args->batch.d_inputs[index];
}

/* An input beyond the batch's maximum has no zstd blocks: the frame assembler reports it. */
RP_FN rp_zstd_block_view rp_view_zstd_block(const rp_stage_args *args, uint32_t block_index)
{
    const rp_kernel_buffers *buffers = &args->buffers;
    size_t input_size;
    /* At most RP_MAX_BATCH_ZSTD_BLOCKS; a GPU takes long to divide numbers of 64 bits. */
    uint32_t per_input = (uint32_t)buffers->zstd_blocks_per_input;
    uint32_t ordinal = block_index % per_input;
    const uint8_t *input = rp_input(args, block_index / per_input, &input_size);
    size_t begin = ordinal * buffers->zstd_block_bytes;
    rp_zstd_block_view view;
    view.source = input;
    view.n_bytes = 0;
    view.is_first = ordinal == 0;
    if (begin < input_size && input_size <= args->batch.max_input_bytes) {
        size_t left = input_size - begin;
        view.source = input + begin;
        view.n_bytes =
            (uint32_t)(left < buffers->zstd_block_bytes ? left : buffers->zstd_block_bytes);
    }
    return view;
}

#endif
