/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a block is better off without any match. Short matches look good to a parse where a byte
 * costs few bits anyway: hexadecimal digits and bases of DNA take 4 and 2 bits a byte without a
 * single match, less than most parses of them. So the cost of the parse is compared with that of
 * all bytes as literals, both by the entropy of their counts.
 */
#ifndef ROCKPRESS_KERNELS_MATCH_LITERALS_ONLY_H
#define ROCKPRESS_KERNELS_MATCH_LITERALS_ONLY_H

#include "kernels/match/output.h"
#include "kernels/match/prices.h"

typedef struct rp_literals_only_memory {
    rp_block_counts counts;
    uint32_t source_counts[256];
} rp_literals_only_memory;

/* What a parse may cost at most, in bits: a literal is a byte, and a sequence rarely takes more
 * than this. Most blocks are decided by that alone, without counting. */
#define RP_SEQUENCE_MOST_BITS 24
/* The sample that decides for most blocks takes every seventh byte. A record is rarely a
 * multiple of that long. */
#define RP_SAMPLE_STRIDE 7
/* The size of a Huffman tree, roughly: a base, and bits for each symbol. */
#define RP_TREE_BITS 24
#define RP_TREE_BITS_EACH 3
/* The size of the tables of the sequences beyond predefined ones, roughly: bits for each
 * sequence, up to a limit. */
#define RP_SEQUENCE_TABLES_BITS (40 * 8)
#define RP_SEQUENCE_TABLE_BITS_EACH 10

/* Entropy of n counts, in bits times RP_LOG2_ONE. A collective. */
RP_FN uint32_t rp_entropy(rp_team *team, const uint32_t *counts, uint32_t n, uint32_t total)
{
    uint32_t sum = 0;
    uint32_t all;
    uint32_t log_total = rp_log2(rp_max32(total, 1));
    TEAM_FOR (s, 0, n, team) {
        if (counts[s] != 0)
            sum += counts[s] * (log_total - rp_log2(counts[s]));
    }
    team_scan_add(team, sum, &all);
    return all;
}

/* The cost of n literals, roughly: raw, or by entropy and with a tree. */
RP_FN uint32_t rp_literals_cost(rp_team *team, const uint32_t *counts, uint32_t n)
{
    uint32_t present = 0;
    uint32_t n_present;
    TEAM_FOR (s, 0, 256, team) {
        present += counts[s] != 0;
    }
    team_scan_add(team, present, &n_present);
    uint32_t coded = rp_entropy(team, counts, 256, n) +
                     (n_present * RP_TREE_BITS_EACH + RP_TREE_BITS) * RP_LOG2_ONE;
    return rp_min32(coded, n * 8 * RP_LOG2_ONE);
}

RP_FN uint32_t rp_extra_bits_of_parse(rp_team *team, const rp_block_counts *counts)
{
    uint32_t sum = 0;
    uint32_t all;
    TEAM_FOR (code, 0, RP_LITERAL_LENGTH_CODES, team) {
        sum += counts->literal_lengths[code] * rp_literal_length_extra_bits[code];
    }
    TEAM_FOR (code, 0, RP_OFFSET_CODES, team) {
        sum += counts->offsets[code] * code;
    }
    TEAM_FOR (code, 0, RP_MATCH_LENGTH_CODES, team) {
        sum += counts->match_lengths[code] * rp_match_length_extra_bits[code];
    }
    team_scan_add(team, sum, &all);
    return all;
}

/* Counts every stride-th byte of a block. Returns how many these are. */
RP_FN uint32_t rp_count_source(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                               uint32_t stride, uint32_t *counts)
{
    uint32_t n = (n_bytes + stride - 1) / stride;
    TEAM_FOR (s, 0, 256, team) {
        counts[s] = 0;
    }
    team_sync(team);
    TEAM_FOR (i, 0, n, team) {
        team_atomic_add(&counts[source[i * stride]], 1);
    }
    team_sync(team);
    return n;
}

/* The entropy of a sample of the block. */
RP_FN uint32_t rp_sample_entropy(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                                 rp_literals_only_memory *memory)
{
    uint32_t n = rp_count_source(team, source, n_bytes, RP_SAMPLE_STRIDE, memory->source_counts);
    return rp_entropy(team, memory->source_counts, 256, n);
}

/* A sample that has not been taken yet. */
#define RP_NOT_SAMPLED UINT32_MAX

/* What a parse may cost at most, in bits. */
RP_FN uint32_t rp_parse_most_bits(const rp_lz77_output *output)
{
    return output->n_literals * 8 + output->n_sequences * RP_SEQUENCE_MOST_BITS;
}

/* Whether the entropy of the sample decides for the matches, as it does for most blocks. The
 * entropy of a sample is too low rather than too high. */
RP_FN bool rp_matches_are_better(const rp_lz77_output *output, uint32_t sample_entropy)
{
    return sample_entropy / RP_LOG2_ONE >= rp_parse_most_bits(output) / RP_SAMPLE_STRIDE;
}

/* Whether the block is better off as literals only, given what its parse made: by the sample if
 * that decides, else by all counts. */
RP_FN bool rp_literals_only_is_better(rp_team *team, const uint8_t *source, uint32_t n_bytes,
                                      uint32_t sample_entropy, const rp_lz77_output *output,
                                      rp_literals_only_memory *memory)
{
    if (output->n_sequences == 0)
        return false;
    if (sample_entropy == RP_NOT_SAMPLED)
        sample_entropy = rp_sample_entropy(team, source, n_bytes, memory);
    if (rp_matches_are_better(output, sample_entropy))
        return false;
    uint32_t most = rp_parse_most_bits(output);
    uint32_t n = rp_count_source(team, source, n_bytes, 1, memory->source_counts);
    uint32_t without = rp_literals_cost(team, memory->source_counts, n);
    if (without / RP_LOG2_ONE >= most)
        return false;
    rp_count_parse(team, output->literals, output->n_literals, output->sequences,
                   output->n_sequences, &memory->counts);
    uint32_t with = rp_literals_cost(team, memory->counts.literals, output->n_literals);
    with += rp_entropy(team, memory->counts.literal_lengths, RP_LITERAL_LENGTH_CODES,
                       output->n_sequences);
    with += rp_entropy(team, memory->counts.offsets, RP_OFFSET_CODES, output->n_sequences);
    with +=
        rp_entropy(team, memory->counts.match_lengths, RP_MATCH_LENGTH_CODES, output->n_sequences);
    uint32_t tables =
        rp_min32(output->n_sequences * RP_SEQUENCE_TABLE_BITS_EACH, RP_SEQUENCE_TABLES_BITS);
    with += (rp_extra_bits_of_parse(team, &memory->counts) + tables) * RP_LOG2_ONE;
    return without < with;
}

#endif
