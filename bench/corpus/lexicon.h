/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of the prose corpus. Lists are words separated by spaces, the most frequent first.
 *
 *   _            a space inside a phrase; only its first word is inflected
 *   a/b          noun: singular and irregular plural
 *   a/b/c        verb: base, past tense, past participle
 *   a+           verb: the last consonant doubles before -ed and -ing
 */
#ifndef ROCKPRESS_BENCH_CORPUS_LEXICON_H
#define ROCKPRESS_BENCH_CORPUS_LEXICON_H

extern const char lexicon_nouns[];
extern const char lexicon_mass_nouns[];
extern const char lexicon_role_nouns[]; /* people by what they do */
extern const char lexicon_adjectives[];
extern const char lexicon_transitive_verbs[];
extern const char lexicon_intransitive_verbs[];
extern const char lexicon_clause_verbs[];      /* thought that ... */
extern const char lexicon_infinitive_verbs[];  /* wanted to ... */
extern const char lexicon_adverbs[];           /* of manner */
extern const char lexicon_frequency_adverbs[]; /* before the verb */
extern const char lexicon_place_phrases[];
extern const char lexicon_time_phrases[];
extern const char lexicon_openers[]; /* of a sentence, before a comma */

/* Rules, ended by NULL; grammar.c explains them. */
extern const char *const lexicon_grammar[];

/* What a text is about gives it words of its own. */
struct lexicon_topic {
    const char *name;
    const char *nouns, *mass_nouns, *adjectives, *transitive_verbs;
};
enum { LEXICON_TOPICS = 14 };
extern const struct lexicon_topic lexicon_topics[LEXICON_TOPICS];

#endif
