/* SPDX-License-Identifier: Apache-2.0 */
/* The option that needs the list of corpora, and so RocksDB. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/common/options.h"
#include "bench/corpus/corpus.h"

const char *options_corpus(const char *option, const char *value)
{
    for (size_t i = 0; i < corpus_count(); i++)
        if (strcmp(corpus_name(i), value) == 0)
            return value;
    if (strcmp(value, CORPUS_RANDOM) == 0)
        return value;
    fprintf(stderr, "%s: \"%s\" is not a corpus; allowed are", option, value);
    for (size_t i = 0; i < corpus_count(); i++)
        fprintf(stderr, " %s", corpus_name(i));
    fprintf(stderr, " %s\n", CORPUS_RANDOM);
    exit(EXIT_USAGE);
}
