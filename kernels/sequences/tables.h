/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which table each field of the sequences is coded with (RFC 8878 section 3.1.1.3.2.1): the
 * predefined one, RLE, or one for the block's own distribution. The choice is the one whose
 * description and codes together are shortest. Fields are independent of each other, so each is the
 * work of a part of the team.
 */
#ifndef ROCKPRESS_KERNELS_SEQUENCES_TABLES_H
#define ROCKPRESS_KERNELS_SEQUENCES_TABLES_H

#include "kernels/entropy/fse_build.h"

/* Most workers that walk a field's chain of states (sequences/chains.h): a third of the largest
 * team. */
#define RP_CHAIN_MAX_WORKERS 170

/* The states before and after what each of them walks. */
typedef struct rp_chain_ends {
    uint16_t before[RP_CHAIN_MAX_WORKERS];
    uint16_t after[RP_CHAIN_MAX_WORKERS];
} rp_chain_ends;

typedef struct rp_field_table {
    uint32_t counts[RP_MAX_CODES];
    uint32_t mode;
    uint32_t description_bytes;
    uint8_t description[RP_FSE_DESCRIPTION_BYTES];
    uint32_t extra_bits; /* sum over all sequences */
    rp_fse_table fse;
    union {
        rp_fse_work work;
        rp_chain_ends ends; /* used after the table is built */
    };
    int16_t probabilities[RP_MAX_CODES];
} rp_field_table;

/* What the format says about a field. A log is an Accuracy_Log. */
typedef struct rp_field_format {
    uint32_t n_codes;
    uint32_t max_log;
    uint32_t predefined_log;
    uint32_t n_predefined;
    const int16_t *predefined;
} rp_field_format;

RP_FN rp_field_format rp_format_of_field(uint32_t field)
{
    rp_field_format format;
    if (field == RP_FIELD_LITERAL_LENGTH) {
        format.n_codes = RP_LITERAL_LENGTH_CODES;
        format.max_log = RP_LITERAL_LENGTH_MAX_LOG;
        format.predefined_log = RP_LITERAL_LENGTH_PREDEFINED_LOG;
        format.n_predefined = RP_LITERAL_LENGTH_CODES;
        format.predefined = rp_literal_length_predefined;
    } else if (field == RP_FIELD_OFFSET) {
        format.n_codes = RP_OFFSET_CODES;
        format.max_log = RP_OFFSET_MAX_LOG;
        format.predefined_log = RP_OFFSET_PREDEFINED_LOG;
        format.n_predefined = RP_PREDEFINED_OFFSET_CODES;
        format.predefined = rp_offset_predefined;
    } else {
        format.n_codes = RP_MATCH_LENGTH_CODES;
        format.max_log = RP_MATCH_LENGTH_MAX_LOG;
        format.predefined_log = RP_MATCH_LENGTH_PREDEFINED_LOG;
        format.n_predefined = RP_MATCH_LENGTH_CODES;
        format.predefined = rp_match_length_predefined;
    }
    return format;
}

/* Makes and describes the field's own distribution. Returns the cost of its description and of all
 * codes, in bits times RP_LOG2_ONE. A part of a team. */
RP_FN uint32_t rp_own_distribution(rp_team *team, rp_field_table *table, uint32_t n_codes,
                                   uint32_t n_sequences, uint32_t log)
{
    rp_fse_normalize(team, table->counts, n_codes, n_sequences, log, table->probabilities,
                     &table->work);
    uint32_t cost = rp_fse_cost(team, table->counts, n_codes, table->probabilities, n_codes, log);
    uint32_t n_bytes = 0;
    if (TEAM_RANK(team) == 0) {
        n_bytes = rp_fse_describe(table->probabilities, n_codes, log, table->description);
        table->description_bytes = n_bytes;
    }
    return cost + team_broadcast(team, n_bytes, 0) * 8 * RP_LOG2_ONE;
}

/* Chooses the mode of a field by its counts and builds the encoder's table. A part of a team. */
RP_FN void rp_choose_field_table(rp_team *team, rp_field_table *table, uint32_t field,
                                 uint32_t n_sequences)
{
    rp_field_format format = rp_format_of_field(field);
    uint32_t n_present = 0;
    uint32_t last_code = 0;
    uint32_t extra_bits = 0;
    TEAM_FOR (code, 0, format.n_codes, team) {
        uint32_t count = table->counts[code];
        n_present += count != 0;
        last_code = count != 0 ? code : last_code;
        extra_bits += count * rp_field_extra_bits(field, code);
    }
    n_present = team_reduce_add(team, n_present);
    last_code = RP_MAX_CODES - team_reduce_min(team, RP_MAX_CODES - last_code);
    extra_bits = team_reduce_add(team, extra_bits);
    uint32_t n_codes = last_code + 1;
    uint32_t mode = RP_MODE_PREDEFINED;
    uint32_t log = format.predefined_log;
    uint32_t best_cost = rp_fse_cost(team, table->counts, n_codes, format.predefined,
                                     format.n_predefined, format.predefined_log);
    if (n_present == 1) {
        if (8 * RP_LOG2_ONE < best_cost) {
            mode = RP_MODE_RLE;
            log = 0;
            TEAM_FOR (code, 0, n_codes, team) {
                table->probabilities[code] = (int16_t)(code == last_code);
            }
        }
    } else {
        uint32_t own_log = rp_fse_choose_log(n_sequences, n_present, last_code, format.max_log);
        if (rp_own_distribution(team, table, n_codes, n_sequences, own_log) < best_cost) {
            mode = RP_MODE_FSE;
            log = own_log;
        }
    }
    if (TEAM_RANK(team) == 0) {
        table->mode = mode;
        table->extra_bits = extra_bits;
        if (mode == RP_MODE_PREDEFINED)
            table->description_bytes = 0;
        if (mode == RP_MODE_RLE) {
            table->description_bytes = 1;
            table->description[0] = (uint8_t)last_code;
        }
    }
    team_sync(team);
    if (mode == RP_MODE_PREDEFINED)
        rp_fse_build(team, &table->fse, format.predefined, format.n_predefined, log, &table->work);
    else
        rp_fse_build(team, &table->fse, table->probabilities, n_codes, log, &table->work);
}

#endif
