/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows the parse of a block in shared memory (fused/shared_block.h). Two teams make the
 * same sequences of the same parsed matches; then one encodes the literals and the other the
 * sequences. Neither waits for what only the other needs. Last, one team closes the block.
 */
#ifndef ROCKPRESS_KERNELS_FUSED_SHARED_ENCODE_H
#define ROCKPRESS_KERNELS_FUSED_SHARED_ENCODE_H

#include "kernels/fused/shared_block.h"
#include "kernels/literals/stage.h"
#include "kernels/sequences/stage.h"

#define RP_SHARED_BLOCK_MAX_SEQUENCES (RP_SHARED_BLOCK_MAX_BYTES / RP_PARSED_MIN_BYTES + 1)

/* The memory that is reused after the parse, in the team that encodes literals, */
typedef struct rp_shared_literals_memory {
    rp_parse_memory parse;
    rp_sequence sequences[RP_SHARED_BLOCK_MAX_SEQUENCES];
    uint8_t literals[RP_SHARED_BLOCK_MAX_BYTES + RP_BUFFER_SLACK];
    union {
        /* Not where the parsed matches lie: the other team fetches those. */
        uint64_t places[RP_SHARED_BLOCK_MAX_SEQUENCES];
        rp_literals_memory encoding;
    };
} rp_shared_literals_memory;

/* and in the team that encodes sequences. */
typedef struct rp_shared_sequences_memory {
    rp_sequence sequences[RP_SHARED_BLOCK_MAX_SEQUENCES];
    union {
        rp_parse_memory parse;
        uint32_t states[3 * RP_SHARED_BLOCK_MAX_SEQUENCES];
    };
    rp_sequences_memory encoding;
} rp_shared_sequences_memory;

typedef char rp_shared_literals_memory_fits
    [sizeof(rp_shared_literals_memory) <= sizeof(((rp_shared_block_memory *)NULL)->free) ? 1 : -1];
typedef char rp_shared_sequences_memory_fits
    [sizeof(rp_shared_sequences_memory) <= sizeof(((rp_shared_block_memory *)NULL)->free) ? 1 : -1];

/* The sequences of all parsed matches. No offset is replaced by a repeat offset yet. */
RP_FN uint32_t rp_shared_block_join(rp_team *team, const rp_shared_block *shared,
                                    rp_parse_memory *memory, rp_sequence *sequences)
{
    uint32_t n_segments = rp_lazy_segments(shared->block.view.n_bytes);
    rp_lz77_take_segments(team, shared->own->segments, n_segments, memory);
    return rp_join_sequences(team, shared->own->copy, memory->segments, n_segments,
                             shared->own->parsed, &memory->n_joined, sequences);
}

/* Encodes the literals' section. Returns whether the block is literals only. The sample of the
 * precheck decides that for most blocks; for the others, the offsets are encoded here, too. */
RP_FN bool rp_shared_block_encode_literals(rp_team *team, const rp_shared_block *shared,
                                           const rp_stage_args *args, uint32_t block_index,
                                           rp_lz77_precheck precheck)
{
    rp_shared_literals_memory *memory = (rp_shared_literals_memory *)(void *)shared->own->free;
    const rp_zstd_block_view view = shared->block.view;
    rp_zstd_block *zstd_block = &args->buffers.d_zstd_blocks[block_index];
    rp_lz77_output output = {memory->sequences, memory->literals, 0, 0};
    if (view.n_bytes == 0)
        return true;
    bool only_literals = precheck.is_spared;
    if (!only_literals) {
        output.n_sequences = rp_shared_block_join(team, shared, &memory->parse, output.sequences);
        output.n_literals = rp_join_literals(team, view.source, view.n_bytes, output.sequences,
                                             output.n_sequences, memory->places, output.literals);
        only_literals = output.n_sequences == 0;
    }
    if (!only_literals && !rp_matches_are_better(&output, precheck.sample_entropy)) {
        rp_encode_offsets(team, output.sequences, output.n_sequences, rp_first_repeats(view),
                          &memory->parse.lists);
        team_sync(team);
        only_literals =
            rp_literals_only_is_better(team, view.source, view.n_bytes, precheck.sample_entropy,
                                       &output, (rp_literals_only_memory *)&memory->parse);
    }
    if (only_literals)
        rp_lz77_all_literals(team, view.source, view.n_bytes, &output);
    uint32_t n_section = rp_literals_encode_block(
        team, args, block_index, output.literals, output.n_literals, output.n_sequences,
        rp_literals_stay_raw(precheck, view.n_bytes), &memory->encoding);
    if (TEAM_RANK(team) == 0) {
        zstd_block->n_literals = output.n_literals;
        zstd_block->literals_section_bytes = n_section;
    }
    return only_literals;
}

/* Encodes the sequences' section, unless the block is spared. */
RP_FN void rp_shared_block_encode_sequences(rp_team *team, const rp_shared_block *shared,
                                            const rp_stage_args *args, uint32_t block_index,
                                            rp_lz77_precheck precheck)
{
    rp_shared_sequences_memory *memory = (rp_shared_sequences_memory *)(void *)shared->own->free;
    const rp_kernel_buffers *buffers = &args->buffers;
    const rp_zstd_block_view view = shared->block.view;
    rp_zstd_block *zstd_block = &buffers->d_zstd_blocks[block_index];
    if (view.n_bytes == 0 || precheck.is_spared)
        return;
    uint32_t n = rp_shared_block_join(team, shared, &memory->parse, memory->sequences);
    rp_encode_offsets(team, memory->sequences, n, rp_first_repeats(view), &memory->parse.lists);
    team_sync(team);
    uint32_t n_section = rp_sequences_encode(
        team, memory->sequences, n, memory->states,
        buffers->d_sequences_sections + block_index * buffers->sequences_section_stride,
        view.n_bytes, rp_entry_points_of(args, block_index).sequences, &memory->encoding);
    if (TEAM_RANK(team) == 0) {
        zstd_block->n_sequences = n;
        zstd_block->sequences_section_bytes = n_section;
        /* The frame assembler recognises a run of one byte by the first sequence. */
        if (n != 0)
            buffers->d_sequences[block_index * buffers->sequences_stride] = memory->sequences[0];
    }
}

/* Closes the block when both sections are there: a block of literals only has no sequences, and the
 * team that encoded them did not know that. */
RP_FN void rp_shared_block_close(rp_team *team, const rp_stage_args *args, uint32_t block_index,
                                 uint32_t n_bytes, bool only_literals)
{
    const rp_kernel_buffers *buffers = &args->buffers;
    if (only_literals && n_bytes != 0 && TEAM_RANK(team) == 0) {
        buffers->d_zstd_blocks[block_index].n_sequences = 0;
        buffers->d_zstd_blocks[block_index].sequences_section_bytes = 1;
        buffers->d_sequences_sections[block_index * buffers->sequences_section_stride] = 0;
    }
    team_sync(team);
}

#endif
