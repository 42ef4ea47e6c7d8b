/* SPDX-License-Identifier: Apache-2.0 */
/*
 * English text: passages of Lewis Carroll's "Alice's Adventures in Wonderland" (README.md says
 * where the text comes from), in random order.
 *
 * Each passage is drawn once before any is drawn again. A block of up to 64 KiB, less than half of
 * the text, therefore seldom holds a passage twice; a compressor that looked further back than that
 * would find the book again and again.
 */
#include <stdlib.h>

#include "bench/corpus/generator.h"

static const char text[] = {
#include "alice.inc" /* the bytes of alice.txt, written by CMake */
    '\n',            /* so that an empty line follows the last paragraph, too */
};

/* The book has some 200 passages of 512 to 1500 bytes. */
enum { PASSAGE_BYTES = 512, MAX_PASSAGES = sizeof text / PASSAGE_BYTES + 1 };

struct passage {
    size_t start, size;
};

struct prose {
    struct corpus_text key, value;
    struct passage passages[MAX_PASSAGES];
    unsigned n_passages;
};

/* A passage is one or more whole paragraphs; between paragraphs there is an empty line. */
static void find_passages(struct prose *p)
{
    size_t start = 0;
    for (size_t i = 1; i < sizeof text; i++) {
        if (text[i] == '\n' && text[i - 1] == '\n' && i - start > PASSAGE_BYTES) {
            p->passages[p->n_passages++] = (struct passage){start, i - 1 - start};
            start = i + 1;
        }
    }
}

static void shuffle(struct prose *p, struct corpus_rng *rng)
{
    for (unsigned i = p->n_passages - 1; i > 0; i--) {
        const unsigned k = (unsigned)corpus_below(rng, i + 1);
        const struct passage other = p->passages[k];
        p->passages[k] = p->passages[i];
        p->passages[i] = other;
    }
}

/* Each paragraph is one line, as applications store text: the book's own line ends become spaces.
 */
static void put_passage(struct corpus_text *t, struct passage passage)
{
    const char *c = text + passage.start;
    for (size_t i = 0; i < passage.size; i++) {
        if (c[i] != '\n')
            text_char(t, c[i]);
        else if (c[i + 1] == '\n')
            text_char(t, c[i++]);
        else if (c[i - 1] != '-') /* else within a compound word, or at a dash */
            text_char(t, ' ');
    }
}

/* Key: text and passage; value: the passage. */
bool corpus_prose(struct corpus_rng *rng, struct corpus_writer *w)
{
    struct prose *p = calloc(1, sizeof *p);
    if (!p)
        return false;
    find_passages(p);
    unsigned next = p->n_passages;
    for (unsigned number = 20417; corpus_wants_more(w); number += 1 + corpus_zipf(rng, 9, 1)) {
        const unsigned length = 3 + corpus_zipf(rng, 40, 6);
        for (unsigned i = 1; i <= length && corpus_wants_more(w); i++) {
            if (next == p->n_passages) {
                shuffle(p, rng);
                next = 0;
            }
            text_clear(&p->key);
            text_clear(&p->value);
            text_printf(&p->key, "text/%08u/%04u", number, i);
            put_passage(&p->value, p->passages[next++]);
            corpus_put(w, &p->key, &p->value);
        }
    }
    free(p);
    return true;
}
