/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contents with structure: the bytes are a program of runs, copies and symbols that writes the
 * content. A fuzzer that changes one byte of it changes one sequence of the block, where
 * changing a byte of the content itself mostly destroys a match; and a few bytes reach
 * contents of several zstd blocks.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/round_trip.h"
#include "tests/support/inputs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* One in eight contents may be of several zstd blocks; the others run ten times as fast. */
#define LARGE 0xE0U
#define SMALL_MAX_BYTES ((size_t)20000)

typedef struct program {
    const uint8_t *data;
    size_t n;
    uint8_t *content;
    size_t max_bytes;
    size_t at;
    size_t recent[3]; /* distances */
} program;

/* The next n_bytes of the program as a number; zeros after its end. */
static uint32_t take(program *p, unsigned n_bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < n_bytes && p->n > 0; i++) {
        value |= (uint32_t)*p->data++ << (8 * i);
        p->n--;
    }
    return value;
}

/* All magnitudes alike, or a fuzzer would spend its time on contents of many zstd blocks. */
static size_t take_length(program *p, uint32_t parameter)
{
    uint32_t magnitude = take(p, 1);
    return ((size_t)(magnitude & 15) << (magnitude >> 4)) + parameter;
}

static size_t fitting(const program *p, size_t length)
{
    size_t left = p->max_bytes - p->at;
    return length < left ? length : left;
}

static void copy(program *p, size_t distance, size_t length)
{
    if (distance == 0 || distance > p->at)
        return;
    length = fitting(p, length);
    for (size_t i = 0; i < length; i++)
        p->content[p->at + i] = p->content[p->at + i - distance];
    p->at += length;
    p->recent[2] = p->recent[1];
    p->recent[1] = p->recent[0];
    p->recent[0] = distance;
}

static void symbols(program *p, uint32_t n_symbols, size_t length, uint32_t skew, uint64_t seed)
{
    inputs_random random = inputs_seed(seed);
    length = fitting(p, length);
    for (size_t i = 0; i < length; i++) {
        uint32_t symbol = inputs_below(&random, n_symbols);
        for (uint32_t k = 0; k < skew; k++) {
            uint32_t other = inputs_below(&random, n_symbols);
            symbol = other < symbol ? other : symbol;
        }
        p->content[p->at++] = (uint8_t)(symbol * 5 + seed);
    }
}

static void step(program *p)
{
    uint32_t operation = take(p, 1);
    uint32_t parameter = operation >> 3;
    size_t length;
    switch (operation & 7) {
    case 0: /* literals */
        for (length = fitting(p, parameter + 1); length > 0; length--)
            p->content[p->at++] = (uint8_t)take(p, 1);
        break;
    case 1: /* a short copy from near */
        copy(p, (size_t)take(p, 1) + 1, parameter + 3);
        break;
    case 2: /* a copy of any length from anywhere */
        length = take_length(p, parameter);
        copy(p, p->at == 0 ? 0 : take(p, 3) % p->at + 1, length);
        break;
    case 3: /* a run */
        length = fitting(p, take_length(p, parameter));
        memset(p->content + p->at, (int)take(p, 1), length);
        p->at += length;
        break;
    case 4: /* symbols of one probability, or nearly */
        length = take_length(p, 0);
        symbols(p, 2 + parameter * 8, length, 0, take(p, 1));
        break;
    case 5: /* a copy from where an earlier one came, or one before */
        copy(p, p->recent[parameter % 3] - (parameter >> 2 & 1), (size_t)take(p, 1) + 3);
        break;
    case 6: /* literals without matches */
        length = fitting(p, take_length(p, 0));
        if (length > 0) {
            inputs_random random = inputs_seed(parameter);
            inputs_fill_unmatched(p->content + p->at, length, 100 + 5 * parameter, 4, &random);
            p->at += length;
        }
        break;
    default: /* skewed symbols */
        length = take_length(p, 0);
        symbols(p, 2 + parameter, length, 1 + take(p, 1) % 6, parameter);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static uint8_t content[ROUND_TRIP_MAX_BYTES];
    program p = {data, n, content, SMALL_MAX_BYTES, 0, {1, 4, 8}};
    unsigned how = take(&p, 1);
    if ((how & LARGE) == LARGE)
        p.max_bytes = ROUND_TRIP_MAX_BYTES;
    while (p.n > 0 && p.at < p.max_bytes)
        step(&p);
    round_trip(content, p.at, how);
    return 0;
}
