/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which table each field of the sequences is coded with (RFC 8878 section 3.1.1.3.2.1):
 * predefined, RLE, or its own distribution, whichever makes description and codes shortest
 * together. One worker does one field; the three are independent.
 */
#ifndef ROCKPRESS_KERNELS_SEQUENCES_TABLES_H
#define ROCKPRESS_KERNELS_SEQUENCES_TABLES_H

#include "kernels/fse_table.h"

typedef struct rp_field_table {
    uint32_t counts[RP_MAX_CODES];
    uint32_t mode;
    uint32_t description_bytes;
    uint8_t description[RP_FSE_DESCRIPTION_BYTES];
    uint32_t extra_bits; /* of all codes together */
    rp_fse_table fse;
    uint8_t spread[RP_FSE_MAX_SIZE];
    int16_t probabilities[RP_MAX_CODES];
} rp_field_table;

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

/* Chooses the mode of a field from its counts and builds the encoder's table. */
RP_FN void rp_choose_field_table(rp_field_table *table, uint32_t field, uint32_t n_sequences)
{
    rp_field_format format = rp_format_of_field(field);
    uint32_t n_present = 0;
    uint32_t last_code = 0;
    table->extra_bits = 0;
    for (uint32_t code = 0; code < format.n_codes; code++) {
        if (table->counts[code] == 0)
            continue;
        n_present++;
        last_code = code;
        table->extra_bits += table->counts[code] * rp_field_extra_bits(field, code);
    }
    uint32_t n_codes = last_code + 1;

    uint32_t best_cost = rp_fse_cost(table->counts, n_codes, format.predefined, format.n_predefined,
                                     format.predefined_log);
    table->mode = RP_MODE_PREDEFINED;
    table->description_bytes = 0;
    uint32_t log = format.predefined_log;
    if (n_present == 1) {
        if (8 * RP_LOG2_ONE < best_cost) {
            table->mode = RP_MODE_RLE;
            table->description[0] = (uint8_t)last_code;
            table->description_bytes = 1;
            for (uint32_t code = 0; code < last_code; code++)
                table->probabilities[code] = 0;
            table->probabilities[last_code] = 1;
            log = 0;
        }
    } else {
        uint32_t own_log = rp_fse_choose_log(n_sequences, n_present, last_code, format.max_log);
        rp_fse_normalize(table->counts, n_codes, n_sequences, own_log, table->probabilities);
        uint32_t cost = rp_fse_cost(table->counts, n_codes, table->probabilities, n_codes, own_log);
        uint32_t n_bytes =
            rp_fse_describe(table->probabilities, n_codes, own_log, table->description);
        if (cost + n_bytes * 8 * RP_LOG2_ONE < best_cost) {
            table->mode = RP_MODE_FSE;
            table->description_bytes = n_bytes;
            log = own_log;
        }
    }
    if (table->mode == RP_MODE_PREDEFINED)
        rp_fse_build(&table->fse, format.predefined, format.n_predefined, log, table->spread);
    else
        rp_fse_build(&table->fse, table->probabilities, n_codes, log, table->spread);
}

#endif
