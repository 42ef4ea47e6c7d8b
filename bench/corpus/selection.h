/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a command that generates corpora. */
#ifndef ROCKPRESS_BENCH_CORPUS_SELECTION_H
#define ROCKPRESS_BENCH_CORPUS_SELECTION_H

#include "bench/common/options.h"
#include "bench/corpus/corpus.h"

struct corpus_selection {
    struct options_list sizes;
    const char *names[OPTIONS_MAX_LIST];
    unsigned n_names;
    size_t bytes; /* of each corpus at each block size */
    uint64_t seed;
};

/* A child of the command's own parser, whose input is a corpus_selection. */
extern const struct argp corpus_selection_argp;

/* All corpora and the usual block sizes, where none were given; ends the program if a block is
 * larger than a corpus. */
void corpus_selection_complete(struct corpus_selection *selection);

#endif
