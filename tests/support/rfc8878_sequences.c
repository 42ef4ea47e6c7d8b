/* SPDX-License-Identifier: Apache-2.0 */

#include "rfc8878_sequences.h"

#include <string.h>

#include "rfc8878_bits.h"

static const char section_header[] = "Sequences_Section_Header";
static const char sequence_bits[] = "Decoding Sequences";

enum { N_LITERALS_LENGTH_CODES = 36, N_MATCH_LENGTH_CODES = 53, N_PREDEFINED_OFFSET_CODES = 29 };

/* FSE_Compressed_Mode and "codes for literals lengths, match lengths, and offsets". The document
 * leaves the largest offset code to the decoder; 31 is that of the reference decoder. */
static const rfc8878_fse_limits field_limits[RFC8878_N_FIELDS] = {
    {"Literals_Length_Table", N_LITERALS_LENGTH_CODES - 1, 9},
    {"Offset_Table", 31, 8},
    {"Match_Length_Table", N_MATCH_LENGTH_CODES - 1, 9},
};

typedef struct length_code {
    uint32_t baseline;
    unsigned n_bits;
} length_code;

/* Literals length codes. */
static const length_code literals_length_codes[N_LITERALS_LENGTH_CODES] = {
    {0, 0},     {1, 0},      {2, 0},      {3, 0},      {4, 0},   {5, 0},     {6, 0},     {7, 0},
    {8, 0},     {9, 0},      {10, 0},     {11, 0},     {12, 0},  {13, 0},    {14, 0},    {15, 0},
    {16, 1},    {18, 1},     {20, 1},     {22, 1},     {24, 2},  {28, 2},    {32, 3},    {40, 3},
    {48, 4},    {64, 6},     {128, 7},    {256, 8},    {512, 9}, {1024, 10}, {2048, 11}, {4096, 12},
    {8192, 13}, {16384, 14}, {32768, 15}, {65536, 16},
};

/* Match length codes. */
static const length_code match_length_codes[N_MATCH_LENGTH_CODES] = {
    {3, 0},     {4, 0},     {5, 0},      {6, 0},      {7, 0},      {8, 0},   {9, 0},     {10, 0},
    {11, 0},    {12, 0},    {13, 0},     {14, 0},     {15, 0},     {16, 0},  {17, 0},    {18, 0},
    {19, 0},    {20, 0},    {21, 0},     {22, 0},     {23, 0},     {24, 0},  {25, 0},    {26, 0},
    {27, 0},    {28, 0},    {29, 0},     {30, 0},     {31, 0},     {32, 0},  {33, 0},    {34, 0},
    {35, 1},    {37, 1},    {39, 1},     {41, 1},     {43, 2},     {47, 2},  {51, 3},    {59, 3},
    {67, 4},    {83, 4},    {99, 5},     {131, 7},    {259, 8},    {515, 9}, {1027, 10}, {2051, 11},
    {4099, 12}, {8195, 13}, {16387, 14}, {32771, 15}, {65539, 16},
};

/* Default Distributions. */
static const rfc8878_distribution predefined[RFC8878_N_FIELDS] = {
    {6, N_LITERALS_LENGTH_CODES, {4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1,  1,  2,  2,
                                  2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1}},
    {5, N_PREDEFINED_OFFSET_CODES, {1, 1, 1, 1, 1, 1, 2, 2, 2, 1,  1,  1,  1,  1, 1,
                                    1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1}},
    {6, N_MATCH_LENGTH_CODES, {1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1,  1,  1,  1,  1,  1,  1, 1,
                               1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  1,  1,  1,  1,  1,  1, 1,
                               1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1}},
};

void rfc8878_build_predefined_table(unsigned field, rfc8878_fse_table *table)
{
    rfc8878_build_fse_table(&predefined[field], table);
}

/* Number_of_Sequences. The two-byte form may hold what one byte could. */
static bool read_count(const rfc8878_report *report, const uint8_t *src, size_t size, size_t *n,
                       size_t *consumed, rfc8878_stats *stats)
{
    size_t n_bytes = 1;
    if (size > 0 && src[0] >= 128) {
        n_bytes = src[0] < 255 ? 2 : 3;
    }
    if (n_bytes > size) {
        return rfc8878_reject(report, src, section_header, "Number_of_Sequences is truncated");
    }
    if (n_bytes == 1) {
        *n = src[0];
    } else if (n_bytes == 2) {
        *n = ((size_t)(src[0] - 0x80) << 8) + src[1];
    } else {
        *n = src[1] + ((size_t)src[2] << 8) + 0x7F00;
    }
    *consumed = n_bytes;
    stats->n_sequence_counts[n_bytes - 1]++;
    stats->n_sequence_counts_long_zero += n_bytes == 2 && *n == 0;
    return true;
}

/* Symbol compression modes: the table of one field, read from the start of src. */
static bool read_table(const rfc8878_report *report, const uint8_t *src, size_t size,
                       unsigned field, unsigned mode, bool has_previous, rfc8878_fse_table *table,
                       size_t *consumed)
{
    const rfc8878_fse_limits *limits = &field_limits[field];
    rfc8878_distribution distribution;
    *consumed = 0;
    switch (mode) {
    case RFC8878_PREDEFINED:
        rfc8878_build_predefined_table(field, table);
        return true;
    case RFC8878_RLE:
        if (size == 0) {
            return rfc8878_reject(report, src, limits->section, "RLE symbol is missing");
        }
        if (src[0] > limits->max_symbol) {
            return rfc8878_reject(report, src, limits->section,
                                  "RLE symbol %u exceeds the maximum of %u", src[0],
                                  limits->max_symbol);
        }
        rfc8878_build_rle_table(src[0], table);
        *consumed = 1;
        return true;
    case RFC8878_FSE:
        if (!rfc8878_read_distribution(report, src, size, limits, &distribution, consumed)) {
            return false;
        }
        rfc8878_build_fse_table(&distribution, table);
        return true;
    default:
        /* Repeat_Mode: "without any previous sequence table in the frame ... corruption". */
        if (!has_previous) {
            return rfc8878_reject(report, src, limits->section,
                                  "Repeat_Mode without a previous table in this frame");
        }
        return true;
    }
}

typedef struct decoding {
    rfc8878_backward_bits bits;
    const rfc8878_fse_table *tables; /* by field */
    uint32_t states[RFC8878_N_FIELDS];
    uint32_t first_codes[RFC8878_N_FIELDS];
    bool several_codes[RFC8878_N_FIELDS];
} decoding;

static uint32_t current_code(const decoding *d, unsigned field)
{
    return d->tables[field].rows[d->states[field]].symbol;
}

/* Starting states. */
static bool open_states(decoding *d)
{
    for (unsigned field = 0; field < RFC8878_N_FIELDS; field++) {
        if (!rfc8878_take_backward(&d->bits, d->tables[field].accuracy_log, &d->states[field])) {
            return false;
        }
    }
    for (unsigned field = 0; field < RFC8878_N_FIELDS; field++) {
        d->first_codes[field] = current_code(d, field);
    }
    return true;
}

/* Decoding a sequence: the additional bits of offset, match length, literals length. */
static bool take_sequence(decoding *d, rfc8878_sequence *sequence)
{
    uint32_t codes[RFC8878_N_FIELDS];
    for (unsigned field = 0; field < RFC8878_N_FIELDS; field++) {
        codes[field] = current_code(d, field);
        d->several_codes[field] |= codes[field] != d->first_codes[field];
    }
    length_code match = match_length_codes[codes[RFC8878_MATCH_LENGTH]];
    length_code literals = literals_length_codes[codes[RFC8878_LITERALS_LENGTH]];
    uint32_t offset_bits;
    uint32_t match_bits;
    uint32_t literals_bits;
    if (!rfc8878_take_backward(&d->bits, codes[RFC8878_OFFSET], &offset_bits) ||
        !rfc8878_take_backward(&d->bits, match.n_bits, &match_bits) ||
        !rfc8878_take_backward(&d->bits, literals.n_bits, &literals_bits)) {
        return false;
    }
    sequence->offset_value = (UINT32_C(1) << codes[RFC8878_OFFSET]) + offset_bits;
    sequence->match_length = match.baseline + match_bits;
    sequence->literals_length = literals.baseline + literals_bits;
    return true;
}

/* Decoding a sequence: states are updated in an order of their own. */
static bool update_states(decoding *d)
{
    static const unsigned order[RFC8878_N_FIELDS] = {RFC8878_LITERALS_LENGTH, RFC8878_MATCH_LENGTH,
                                                     RFC8878_OFFSET};
    for (unsigned i = 0; i < RFC8878_N_FIELDS; i++) {
        rfc8878_fse_row row = d->tables[order[i]].rows[d->states[order[i]]];
        uint32_t low;
        if (!rfc8878_take_backward(&d->bits, row.n_bits, &low)) {
            return false;
        }
        d->states[order[i]] = row.baseline + low;
    }
    return true;
}

static void count_sequence(const rfc8878_sequence *sequence, rfc8878_stats *stats)
{
    stats->n_sequences++;
    if (sequence->offset_value <= 3) {
        size_t *uses = sequence->literals_length == 0 ? stats->repeat_offsets_without_literals
                                                      : stats->repeat_offsets;
        uses[sequence->offset_value - 1]++;
    }
    if (sequence->literals_length > stats->max_literals_length) {
        stats->max_literals_length = sequence->literals_length;
    }
    if (sequence->match_length > stats->max_match_length) {
        stats->max_match_length = sequence->match_length;
    }
}

static bool read_bitstream(const rfc8878_report *report, const uint8_t *src, size_t size,
                           decoding *d, rfc8878_sequence *sequences, size_t n, rfc8878_stats *stats)
{
    if (!rfc8878_open_backward(report, sequence_bits, src, size, &d->bits)) {
        return false;
    }
    if (!open_states(d)) {
        return rfc8878_reject(report, src, sequence_bits, "bitstream ends in the starting states");
    }
    for (size_t i = 0; i < n; i++) {
        if (!take_sequence(d, &sequences[i])) {
            return rfc8878_reject(report, src, sequence_bits,
                                  "bitstream ends inside sequence %zu of %zu", i, n);
        }
        count_sequence(&sequences[i], stats);
        if (i + 1 < n && !update_states(d)) {
            return rfc8878_reject(report, src, sequence_bits,
                                  "bitstream ends in the state update after sequence %zu of %zu", i,
                                  n);
        }
    }
    /* Decoding a sequence: "the bitstream shall be entirely consumed". */
    if (d->bits.n_left != 0) {
        return rfc8878_reject(report, rfc8878_backward_at(&d->bits), sequence_bits,
                              "%zu bits are left over after the last of %zu sequences",
                              d->bits.n_left, n);
    }
    return true;
}

bool rfc8878_read_sequences(const rfc8878_report *report, const uint8_t *src, size_t size,
                            size_t max_size, rfc8878_sequence *sequences, size_t capacity,
                            size_t *n, rfc8878_sequence_tables *tables, rfc8878_stats *stats)
{
    size_t position = 0;
    if (!read_count(report, src, size, n, &position, stats)) {
        return false;
    }
    /* Number_of_Sequences: "if 0 ... the sequence section stops immediately", tables stay. */
    if (*n == 0) {
        if (position != size) {
            return rfc8878_reject(report, src + position, section_header,
                                  "%zu bytes follow Number_of_Sequences = 0", size - position);
        }
        return true;
    }
    /* Block_Maximum_Size: even the shortest matches would make the block too large. */
    if (*n > max_size / RFC8878_MATCH_BYTES_MIN) {
        return rfc8878_reject(report, src, "Block_Maximum_Size",
                              "%zu sequences do not fit into Block_Maximum_Size of %zu", *n,
                              max_size);
    }
    if (*n > capacity) {
        return rfc8878_reject(report, src, "caller", "%zu sequences, there is room for %zu", *n,
                              capacity);
    }
    if (position == size) {
        return rfc8878_reject(report, src, section_header, "Symbol_Compression_Modes is truncated");
    }
    unsigned mode_byte = src[position];
    if ((mode_byte & 3) != 0) {
        return rfc8878_reject(report, src + position, section_header,
                              "Reserved bits of Symbol_Compression_Modes are not zero");
    }
    position++;

    const uint8_t *modes_at = src + position - 1;
    const unsigned modes[RFC8878_N_FIELDS] = {mode_byte >> 6, (mode_byte >> 4) & 3,
                                              (mode_byte >> 2) & 3};
    stats->literals_length_modes[modes[RFC8878_LITERALS_LENGTH]]++;
    stats->offset_modes[modes[RFC8878_OFFSET]]++;
    stats->match_length_modes[modes[RFC8878_MATCH_LENGTH]]++;
    for (unsigned field = 0; field < RFC8878_N_FIELDS; field++) {
        size_t table_size;
        if (!read_table(report, src + position, size - position, field, modes[field],
                        tables->present, &tables->fields[field], &table_size)) {
            return false;
        }
        position += table_size;
    }
    tables->present = true;

    decoding d = {.tables = tables->fields};
    if (!read_bitstream(report, src + position, size - position, &d, sequences, *n, stats)) {
        return false;
    }
    /* FSE_Compressed_Mode "must not be used when only one symbol is present". A table with one
     * symbol is already rejected, so this is about the block's own sequences. */
    for (unsigned field = 0; field < RFC8878_N_FIELDS; field++) {
        if (modes[field] == RFC8878_FSE && !d.several_codes[field]) {
            return rfc8878_reject(report, modes_at, field_limits[field].section,
                                  "FSE_Compressed_Mode although all sequences have the code %u",
                                  d.first_codes[field]);
        }
    }
    return true;
}
