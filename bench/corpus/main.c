/* SPDX-License-Identifier: Apache-2.0 */
/* The command `corpus`: writes the corpora to files of blocks and prints what it wrote. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/common/options.h"
#include "bench/corpus/corpus.h"

static void usage(FILE *out)
{
    fputs("usage: corpus --out DIR [--bytes N] [--corpus NAME] [--block-bytes N] [--seed N]\n\n"
          "Writes DIR/NAME-BLOCK_BYTES.blocks: for each block 4 bytes of little-endian length and\n"
          "the content of a RocksDB data block. The same options give the same bytes.\n\n"
          "  --out DIR         where to; made if it is not there\n"
          "  --bytes N         bytes per corpus and block size (default 4M; suffixes K, M, G)\n"
          "  --corpus NAME     only this corpus; may be repeated. \"random\" is another one\n"
          "  --block-bytes N   only this block size; may be repeated (default 4096, 16384, 65536)\n"
          "  --seed N          another sample of the same data (default 1)\n"
          "  --list            print the corpora and end\n",
          out);
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
    enum { MAX_CHOICES = 32 };
    const char *directory = NULL, *names[MAX_CHOICES];
    size_t sizes[MAX_CHOICES], n_names = 0, n_sizes = 0, bytes = CORPUS_DEFAULT_TOTAL_BYTES;
    uint64_t seed = CORPUS_DEFAULT_SEED;

    for (int i = 1; i < argc; i++) {
        const char *value;
        if (strcmp(argv[i], "--help") == 0) {
            usage(stdout);
            return 0;
        } else if (strcmp(argv[i], "--list") == 0) {
            for (size_t k = 0; k < corpus_count(); k++)
                printf("%-12s %s\n", corpus_name(k), corpus_description(k));
            return 0;
        } else if ((value = options_value(argc, argv, &i, "--out"))) {
            directory = value;
        } else if ((value = options_value(argc, argv, &i, "--bytes"))) {
            bytes = (size_t)options_number("--bytes", value, CORPUS_MIN_BLOCK_BYTES,
                                           CORPUS_MAX_TOTAL_BYTES, 1);
        } else if ((value = options_value(argc, argv, &i, "--seed"))) {
            seed = options_number("--seed", value, 0, UINT64_MAX, 0);
        } else if ((value = options_value(argc, argv, &i, "--corpus"))) {
            if (n_names == MAX_CHOICES)
                options_die("--corpus: given more than %d times", MAX_CHOICES);
            names[n_names++] = options_corpus("--corpus", value);
        } else if ((value = options_value(argc, argv, &i, "--block-bytes"))) {
            if (n_sizes == MAX_CHOICES)
                options_die("--block-bytes: given more than %d times", MAX_CHOICES);
            sizes[n_sizes++] = (size_t)options_number(
                "--block-bytes", value, CORPUS_MIN_BLOCK_BYTES, CORPUS_MAX_BLOCK_BYTES, 1);
        } else {
            fprintf(stderr, "corpus: \"%s\" is not an option\n\n", argv[i]);
            usage(stderr);
            return EXIT_USAGE;
        }
    }
    if (!directory || !*directory) {
        fputs("corpus: --out DIR is required\n\n", stderr);
        usage(stderr);
        return EXIT_USAGE;
    }
    if (n_names == 0)
        while (n_names < corpus_count() && n_names < MAX_CHOICES) {
            names[n_names] = corpus_name(n_names);
            n_names++;
        }
    if (n_sizes == 0) {
        const size_t *all = corpus_block_sizes(&n_sizes);
        memcpy(sizes, all, n_sizes * sizeof *sizes);
    }
    for (size_t s = 0; s < n_sizes; s++)
        if (sizes[s] > bytes)
            options_die("--bytes: %zu is less than one block of %zu bytes", bytes, sizes[s]);
    if (mkdir(directory, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "corpus: cannot make %s: %s\n", directory, strerror(errno));
        return EXIT_FAILED;
    }

    printf("%-12s %8s %8s %12s  %s\n", "corpus", "size", "blocks", "bytes", "xxh64");
    int result = 0;
    for (size_t k = 0; k < n_names; k++)
        for (size_t s = 0; s < n_sizes; s++)
            result |= write_corpus(directory, names[k], sizes[s], bytes, seed);
    return result;
}
