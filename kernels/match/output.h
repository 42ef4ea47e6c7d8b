/* SPDX-License-Identifier: Apache-2.0 */
/* What a parse makes: sequences and literals. */
#ifndef ROCKPRESS_KERNELS_MATCH_OUTPUT_H
#define ROCKPRESS_KERNELS_MATCH_OUTPUT_H

#include "kernels/base/stages.h"
#include "kernels/match/packed_match.h"

/* Short runs of literals are copied as this many bytes where the buffers allow it; what is too
 * much is overwritten later. */
#define RP_FEW_LITERALS 16

typedef char rp_few_literals_fit_the_slack[RP_FEW_LITERALS <= RP_BUFFER_SLACK ? 1 : -1];

typedef struct rp_lz77_output {
    rp_sequence *sequences;
    uint8_t *literals;
    uint32_t n_sequences;
    uint32_t n_literals;
} rp_lz77_output;

RP_FN rp_sequence rp_make_sequence(uint32_t literal_length, uint32_t match_length,
                                   uint32_t offset_value)
{
    return (uint64_t)literal_length | (uint64_t)(match_length - 3) << 17 |
           (uint64_t)offset_value << 34;
}

/* The block as literals only. */
RP_FN void rp_lz77_all_literals(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                                rp_lz77_output *output)
{
    team_copy(team, output->literals, source, n_bytes);
    output->n_sequences = 0;
    output->n_literals = n_bytes;
    team_sync(team);
}

#endif
