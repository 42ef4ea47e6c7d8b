/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stage, or all of the encoder's, of one zstd block by one team: what the `host` device runs, and
 * the tests with teams of threads.
 */
#ifndef ROCKPRESS_KERNELS_FUSED_ONE_TEAM_H
#define ROCKPRESS_KERNELS_FUSED_ONE_TEAM_H

#include "kernels/decode/stage.h"
#include "kernels/frame/stage.h"
#include "kernels/literals/stage.h"
#include "kernels/match/stage.h"
#include "kernels/sequences/stage.h"

/* Stages are not inlined into the dispatch: each has the registers of a CPU to itself. */
#define RP_STAGE_APART(name)                                                                       \
    RP_FN_APART void name##_apart(rp_team *team, const rp_stage_args *args, uint32_t index,        \
                                  void *team_memory)                                               \
    {                                                                                              \
        name(team, args, index, team_memory);                                                      \
    }
RP_STAGE_APART(rp_stage_lz77_matcher)
RP_STAGE_APART(rp_stage_huffman_encoder)
RP_STAGE_APART(rp_stage_fse_encoder)
RP_STAGE_APART(rp_stage_frame_assembler)

/* A single worker has a cache and needs no copies; teams have them as on a GPU. */
RP_FN_APART void rp_stage_frame_verifier_apart(rp_team *team, const rp_stage_args *args,
                                               uint32_t index, void *team_memory)
{
    bool copies = TEAM_SIZE(team) > 1 && args->buffers.zstd_blocks_per_input == 1 &&
                  RP_VERIFY_MEMORY_BYTES(args->buffers.zstd_block_bytes) <= RP_TEAM_MEMORY_BYTES;
    rp_stage_frame_verifier(team, args, index, team_memory, copies);
}

/* The stages in their order; RP_STAGE_FUSED is all of them, of an input of one zstd block. `index`
 * is that of the team in its launch. */
RP_FN void rp_run_stage(rp_team *team, rp_stage stage, const rp_stage_args *args, uint32_t index,
                        void *team_memory)
{
    bool is_all = stage == RP_STAGE_FUSED;
    if (is_all || stage == RP_STAGE_LZ77_MATCHER)
        rp_stage_lz77_matcher_apart(team, args, index, team_memory);
    if (is_all || stage == RP_STAGE_HUFFMAN_ENCODER)
        rp_stage_huffman_encoder_apart(team, args, index, team_memory);
    if (is_all || stage == RP_STAGE_FSE_ENCODER)
        rp_stage_fse_encoder_apart(team, args, index, team_memory);
    if (is_all || stage == RP_STAGE_FRAME_ASSEMBLER)
        rp_stage_frame_assembler_apart(team, args, index, team_memory);
    if (stage == RP_STAGE_FRAME_VERIFIER)
        rp_stage_frame_verifier_apart(team, args, index, team_memory);
}

#endif
