/* SPDX-License-Identifier: Apache-2.0 */
/* The command `corpus`: writes the corpora to files of blocks and prints what it wrote. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/corpus/selection.h"

static const char doc[] =
    "Writes DIR/NAME-BLOCK_BYTES.blocks: for each block 4 bytes of little-endian length, then the "
    "content of a RocksDB data block. The same options give the same bytes.";

static const struct argp_option options[] = {
    {"out", 'o', "DIR", 0, "where the files go; made if it is not there", 0},
    {"list", 'l', NULL, 0, "print the corpora and end", 0},
    {0}};

static const struct argp_child children[] = {{&corpus_selection_argp, 0, NULL, 0}, {0}};

struct arguments {
    struct corpus_selection selection;
    const char *directory;
};

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->selection;
        return 0;
    case 'o':
        a->directory = value;
        return 0;
    case 'l':
        for (size_t i = 0; i < corpus_count(); i++)
            printf("%-12s %s\n", corpus_name(i), corpus_description(i));
        exit(0);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int write_corpus(const char *directory, const char *name, size_t block_bytes, size_t bytes,
                        uint64_t seed)
{
    corpus_blocks blocks;
    corpus_error error;
    char path[1024];
    const int n = snprintf(path, sizeof path, "%s/%s-%zu.blocks", directory, name, block_bytes);
    if (n < 0 || (size_t)n >= sizeof path)
        options_die("--out: %zu characters are too many", strlen(directory));
    corpus_status status = corpus_generate(name, block_bytes, bytes, seed, &blocks, &error);
    if (status == CORPUS_OK)
        status = corpus_save(path, &blocks, &error);
    if (status != CORPUS_OK) {
        fprintf(stderr, "corpus: %s, %zu: %s\n", name, block_bytes, error.message);
    } else {
        printf("%-12s %8zu %8zu %12zu  %016llx\n", name, block_bytes, blocks.n_blocks,
               blocks.total_bytes, (unsigned long long)corpus_hash(&blocks));
        fflush(stdout);
    }
    corpus_free(&blocks);
    return status == CORPUS_OK ? 0 : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = take_option, .doc = doc, .children = children};
    struct arguments a = {.directory = NULL};
    const struct corpus_selection *selection = &a.selection;
    int result = 0;

    options_parse(&argp, argc, argv, &a);
    if (!a.directory || !*a.directory)
        options_die("--out DIR is required");
    corpus_selection_complete(&a.selection);
    if (mkdir(a.directory, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "corpus: cannot make %s: %s\n", a.directory, strerror(errno));
        return EXIT_FAILED;
    }

    printf("%-12s %8s %8s %12s  %s\n", "corpus", "size", "blocks", "bytes", "xxh64");
    for (unsigned k = 0; k < selection->n_names; k++)
        for (unsigned i = 0; i < selection->sizes.n; i++)
            result |=
                write_corpus(a.directory, selection->names[k], (size_t)selection->sizes.values[i],
                             selection->bytes, selection->seed);
    return result;
}
