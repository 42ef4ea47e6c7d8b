/* SPDX-License-Identifier: Apache-2.0 */
/* See selection.h. */
#include "bench/corpus/selection.h"

#include <stdio.h>

static const struct argp_option options[] = {
    {"corpus", 'c', "NAME", 0,
     "only this corpus; may be repeated (default: all but \"random\", blocks of random bytes)", 0},
    {"block-bytes", 'b', "N,..", 0, "only these block sizes (default 4096,16384,65536)", 0},
    {"bytes", 'n', "N", 0, "bytes of each corpus at each block size (default 4M)", 0},
    {"seed", 's', "N", 0, "another sample of the same data (default 1)", 0},
    {0}};

static void add_name(struct corpus_selection *s, const char *name)
{
    const char *allowed[OPTIONS_MAX_LIST + 1] = {NULL};
    for (size_t i = 0; i < corpus_count(); i++)
        allowed[i] = corpus_name(i);
    allowed[corpus_count()] = CORPUS_RANDOM;
    if (s->n_names == OPTIONS_MAX_LIST)
        options_die("--corpus: given more than %d times", OPTIONS_MAX_LIST);
    s->names[s->n_names++] = allowed[options_word("--corpus", name, allowed)];
}

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct corpus_selection *s = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        *s = (struct corpus_selection){.bytes = CORPUS_DEFAULT_TOTAL_BYTES,
                                       .seed = CORPUS_DEFAULT_SEED};
        return 0;
    case 'c':
        add_name(s, value);
        return 0;
    case 'b':
        options_numbers(&s->sizes, "--block-bytes", value, CORPUS_MIN_BLOCK_BYTES,
                        CORPUS_MAX_BLOCK_BYTES);
        return 0;
    case 'n':
        s->bytes = (size_t)options_number("--bytes", value, CORPUS_MIN_BLOCK_BYTES,
                                          CORPUS_MAX_TOTAL_BYTES);
        return 0;
    case 's':
        s->seed = (uint64_t)options_number("--seed", value, 0, INT64_MAX);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp corpus_selection_argp = {.options = options, .parser = take_option};

void corpus_selection_complete(struct corpus_selection *s)
{
    if (s->n_names == 0)
        while (s->n_names < corpus_count()) {
            s->names[s->n_names] = corpus_name(s->n_names);
            s->n_names++;
        }
    if (s->sizes.n == 0) {
        size_t n;
        const size_t *usual = corpus_block_sizes(&n);
        while (s->sizes.n < n) {
            s->sizes.values[s->sizes.n] = (int64_t)usual[s->sizes.n];
            s->sizes.n++;
        }
    }
    for (unsigned i = 0; i < s->sizes.n; i++)
        if ((size_t)s->sizes.values[i] > s->bytes)
            options_die("--bytes: %zu is less than one block of %lld bytes", s->bytes,
                        (long long)s->sizes.values[i]);
}
