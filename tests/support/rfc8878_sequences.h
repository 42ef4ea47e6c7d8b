/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ROCKPRESS_TESTS_SUPPORT_RFC8878_SEQUENCES_H
#define ROCKPRESS_TESTS_SUPPORT_RFC8878_SEQUENCES_H

#include "rfc8878_decoder.h"
#include "rfc8878_fse.h"

/* In the order in which their tables are stored. */
enum {
    RFC8878_LITERALS_LENGTH,
    RFC8878_OFFSET,
    RFC8878_MATCH_LENGTH,
    RFC8878_N_FIELDS,
};

/* What Repeat_Mode repeats: the tables of the last block that had sequences. */
typedef struct rfc8878_sequence_tables {
    bool present;
    rfc8878_fse_table fields[RFC8878_N_FIELDS];
} rfc8878_sequence_tables;

/* Builds the table of Predefined_Mode for one field. */
void rfc8878_build_predefined_table(unsigned field, rfc8878_fse_table *table);

/*
 * Reads the Sequences_Section that is the whole of src.
 *
 * max_size: Block_Maximum_Size of the frame.
 * tables:   in: those that Repeat_Mode may reuse, out: those to reuse next.
 */
bool rfc8878_read_sequences(const rfc8878_report *report, const uint8_t *src, size_t size,
                            size_t max_size, rfc8878_sequence *sequences, size_t capacity,
                            size_t *n, rfc8878_sequence_tables *tables, rfc8878_stats *stats);

#endif
