/* SPDX-License-Identifier: Apache-2.0 */
/*
 * English text: sentences from a weighted grammar (grammar.c) over a lexicon of some 2,500
 * lemmas (lexicon.c), inflected.
 *
 * What decides how text compresses is not sense but statistics, and these are kept: words follow
 * Zipf's law; function words make up near half of the tokens; a text has a topic, a cast and a
 * tense, and comes back to words and phrases that it used before; there is a tail of rare words
 * and names.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/corpus/generator.h"
#include "bench/corpus/lexicon.h"

#define LENGTH(a) ((unsigned)(sizeof(a) / sizeof(a)[0]))

enum {
    MAX_WORDS = 4096,
    MAX_SYMBOLS = 32,
    MAX_RULES = 512,
    MAX_DEPTH = 7, /* of a sentence: below, the first rule of a symbol is taken */
    CAST = 4,
    TOWNS = 3,
    RECENT_WORDS = 20,
    REFS = 10,
    REF_BYTES = 48,
};

struct word {
    const char *at;
    uint32_t size;
};

struct list {
    const struct word *words;
    uint32_t n;
};

struct symbol {
    char name[12];
    unsigned first_rule, n_rules;
};

struct prose {
    struct corpus_rng *rng;
    struct corpus_text key, value, scratch;

    struct word words[MAX_WORDS];
    unsigned n_words;
    struct list nouns, mass_nouns, roles, adjectives, transitive, intransitive, clause, infinitive,
        adverbs, frequency, places, times, openers;
    struct list topic_nouns[LEXICON_TOPICS], topic_mass[LEXICON_TOPICS],
        topic_adjectives[LEXICON_TOPICS], topic_verbs[LEXICON_TOPICS];
    struct symbol symbols[MAX_SYMBOLS];
    unsigned n_symbols;
    const char *rule_texts[MAX_RULES];
    uint16_t rule_weights[MAX_RULES];
    unsigned n_rules;

    /* The text being written. */
    unsigned topic;
    bool past;
    struct corpus_person cast[CAST];
    bool female[CAST];
    unsigned person; /* the one last named */
    char towns[TOWNS][24];
    struct word recent[RECENT_WORDS];
    unsigned n_recent;
    char refs[REFS][REF_BYTES];
    unsigned n_refs;
};

static struct list read_list(struct prose *p, const char *text)
{
    struct list list = {p->words + p->n_words, 0};
    while (*text && p->n_words < MAX_WORDS) {
        const size_t size = strcspn(text, " ");
        p->words[p->n_words].at = text;
        p->words[p->n_words++].size = (uint32_t)size;
        list.n++;
        text += size;
        text += *text == ' ';
    }
    return list;
}

static bool read_grammar(struct prose *p)
{
    for (unsigned i = 0; lexicon_grammar[i]; i++) {
        const char *rule = lexicon_grammar[i];
        const size_t size = strcspn(rule, " ");
        struct symbol *s = p->n_symbols ? &p->symbols[p->n_symbols - 1] : NULL;
        if (i == MAX_RULES || size >= sizeof s->name)
            return false;
        if (!s || strlen(s->name) != size || memcmp(s->name, rule, size) != 0) {
            if (p->n_symbols == MAX_SYMBOLS)
                return false;
            s = &p->symbols[p->n_symbols++];
            memcpy(s->name, rule, size);
            s->first_rule = i;
        }
        s->n_rules++;
        char *end;
        p->rule_weights[i] = (uint16_t)strtoul(rule + size + 1, &end, 10);
        p->rule_texts[i] = end + 1;
        p->n_rules++;
    }
    return true;
}

static bool is_vowel(char c)
{
    return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u';
}

static void put_phrase(struct corpus_text *t, const char *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        text_char(t, at[i] == '_' ? ' ' : at[i]);
}

/* The k-th form of "a/b/c"; false if there are fewer. */
static bool find_form(struct word w, unsigned k, struct word *form)
{
    const char *at = w.at, *end = w.at + w.size;
    for (;; k--) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        form->at = at;
        form->size = (uint32_t)((slash ? slash : end) - at);
        if (k == 0)
            return true;
        if (!slash)
            return false;
        at = slash + 1;
    }
}

enum verb_form { BASE, PAST, PARTICIPLE, THIRD, GERUND };

/* English spelling of the regular endings, on the first word of a phrase. */
static void put_ending(struct corpus_text *t, struct word w, enum verb_form form, bool irregular)
{
    const char *c = w.at;
    const size_t head = strcspn(c, "_+/") < w.size ? strcspn(c, "_+/") : w.size;
    const bool marked = head < w.size && c[head] == '+';
    const char *tail = c + head + marked;
    const size_t tail_size = w.size - head - marked;
    const char last = c[head - 1], second = head > 1 ? c[head - 2] : 'x';
    const char third = head > 2 ? c[head - 3] : 'x';
    /* "put", "begin": irregular verbs carry no mark. */
    const bool doubles = marked ||
                         (irregular && head <= 5 && head > 2 && !is_vowel(last) &&
                          is_vowel(second) && !is_vowel(third) && !strchr("wxyrn", last)) ||
                         (irregular && (strncmp(c, "run", 3) == 0 || strncmp(c, "win", 3) == 0 ||
                                        strncmp(c, "begin", 5) == 0));
    const bool y = last == 'y' && !is_vowel(second);

    if (form == THIRD) {
        if (head == 4 && memcmp(c, "have", 4) == 0) {
            text_str(t, "has");
        } else {
            text_bytes(t, c, head - y);
            text_str(t, y ? "ies"
                        : strchr("sxzo", last) || (last == 'h' && (second == 'c' || second == 's'))
                            ? "es"
                            : "s");
        }
    } else if (form == GERUND) {
        if (last == 'e' && second == 'i') {
            text_bytes(t, c, head - 2);
            text_char(t, 'y');
        } else {
            text_bytes(t, c, head - (last == 'e' && !strchr("eoy", second)));
            if (doubles)
                text_char(t, last);
        }
        text_str(t, "ing");
    } else {
        text_bytes(t, c, head - (y || last == 'e'));
        if (doubles)
            text_char(t, last);
        text_str(t, y ? "ied" : "ed");
    }
    put_phrase(t, tail, tail_size);
}

static void put_verb(struct corpus_text *t, struct word w, enum verb_form form)
{
    struct word base, other;
    find_form(w, 0, &base);
    const bool irregular = base.size != w.size;
    if (form == BASE) {
        const char *plus = memchr(base.at, '+', base.size);
        put_phrase(t, base.at, plus ? (size_t)(plus - base.at) : base.size);
        if (plus)
            put_phrase(t, plus + 1, base.size - (size_t)(plus + 1 - base.at));
    } else if ((form == PAST || form == PARTICIPLE) && irregular && find_form(w, form, &other)) {
        put_phrase(t, other.at, other.size);
    } else {
        put_ending(t, base, form, irregular);
    }
}

static void put_noun(struct corpus_text *t, struct word w, bool plural)
{
    struct word form;
    if (plural && find_form(w, 1, &form)) {
        put_phrase(t, form.at, form.size);
        return;
    }
    find_form(w, 0, &form);
    const char *c = form.at;
    const char last = c[form.size - 1], second = form.size > 1 ? c[form.size - 2] : 'x';
    const bool y = plural && last == 'y' && !is_vowel(second);
    put_phrase(t, c, form.size - y);
    if (plural)
        text_str(t, y ? "ies"
                    : strchr("sxz", last) || (last == 'h' && (second == 'c' || second == 's'))
                        ? "es"
                        : "s");
}

static struct word pick(struct prose *p, struct list list, uint32_t flatness)
{
    return list.words[corpus_zipf(p->rng, list.n, flatness)];
}

/* A text comes back to its nouns, has nouns of its topic, and uses common ones. */
static struct word pick_noun(struct prose *p)
{
    const uint64_t dice = corpus_below(p->rng, 100);
    if (dice < 22 && p->n_recent == RECENT_WORDS)
        return p->recent[corpus_below(p->rng, RECENT_WORDS)];
    const struct word w = dice < 50 ? pick(p, p->topic_nouns[p->topic], 5) : pick(p, p->nouns, 14);
    if (p->n_recent < RECENT_WORDS)
        p->recent[p->n_recent++] = w;
    else if (corpus_chance(p->rng, 40))
        p->recent[corpus_below(p->rng, RECENT_WORDS)] = w;
    return w;
}

static bool is_plain(struct word w)
{
    for (uint32_t i = 0; i < w.size; i++)
        if (w.at[i] < 'a' || w.at[i] > 'z')
            return false;
    return true;
}

static void put_adjective(struct prose *p, struct corpus_text *t)
{
    struct word w = corpus_chance(p->rng, 20) ? pick(p, p->topic_adjectives[p->topic], 3)
                                              : pick(p, p->adjectives, 12);
    /* Derived words fill the tail of rare ones. */
    if (corpus_chance(p->rng, 2)) {
        const struct word noun = pick(p, p->nouns, 60);
        if (is_plain(noun)) {
            put_phrase(t, noun.at, noun.size);
            text_str(t, corpus_chance(p->rng, 50) ? "less" : "-like");
            return;
        }
    }
    put_phrase(t, w.at, w.size);
}

static void put_mass_noun(struct prose *p, struct corpus_text *t)
{
    if (corpus_chance(p->rng, 8)) {
        const struct word w = pick(p, p->adjectives, 40);
        const bool y = w.at[w.size - 1] == 'y' && w.size > 4;
        put_phrase(t, w.at, w.size - y);
        text_str(t, y ? "iness" : "ness");
    } else if (corpus_chance(p->rng, 40)) {
        put_noun(t, pick(p, p->topic_mass[p->topic], 3), false);
    } else {
        put_noun(t, pick(p, p->mass_nouns, 10), false);
    }
}

static struct word pick_transitive(struct prose *p)
{
    return corpus_chance(p->rng, 18) ? pick(p, p->topic_verbs[p->topic], 3)
                                     : pick(p, p->transitive, 9);
}

static void put_person(struct prose *p, struct corpus_text *t, bool full)
{
    p->person = corpus_zipf(p->rng, CAST, 1);
    const struct corpus_person *who = &p->cast[p->person];
    if (full)
        text_printf(t, "%s %s", who->first, who->last);
    else if (p->person == 0)
        text_str(t, who->first);
    else
        text_printf(t, "%s %s", p->female[p->person] ? "Mrs." : "Mr.", who->last);
}

static void put_number(struct prose *p, struct corpus_text *t)
{
    static const char *const numbers[] = {"two",   "three",  "four",   "five",       "six",
                                          "ten",   "twenty", "twelve", "a hundred",  "eight",
                                          "seven", "thirty", "fifty",  "a thousand", "nine",
                                          "forty", "eleven", "sixty",  "fifteen",    "two hundred"};
    if (corpus_chance(p->rng, 25))
        text_printf(t, "%u", 11 + corpus_zipf(p->rng, 900, 20));
    else
        text_str(t, numbers[corpus_zipf(p->rng, LENGTH(numbers), 2)]);
}

/* A noun phrase that this text has used before: "the old lighthouse". */
static void put_ref(struct prose *p, struct corpus_text *t)
{
    if (p->n_refs == REFS && corpus_chance(p->rng, 88)) {
        text_str(t, p->refs[corpus_zipf(p->rng, REFS, 2)]);
        return;
    }
    struct corpus_text *s = &p->scratch;
    text_clear(s);
    text_str(s, "the ");
    if (corpus_chance(p->rng, 70)) {
        put_adjective(p, s);
        text_char(s, ' ');
    }
    put_noun(s, pick_noun(p), false);
    if (corpus_chance(p->rng, 30)) {
        text_str(s, " of ");
        text_str(s, p->towns[corpus_below(p->rng, TOWNS)]);
    }
    text_char(s, 0);
    if (s->size <= REF_BYTES) {
        const unsigned i = p->n_refs < REFS ? p->n_refs++ : (unsigned)corpus_below(p->rng, REFS);
        memcpy(p->refs[i], s->data, s->size);
    }
    text_str(t, s->data);
}

static void put_word(struct prose *p, const char *name)
{
    static const char *const pronouns[3][2] = {{"he", "she"}, {"him", "her"}, {"his", "her"}};
    static const struct {
        const char *name, *past, *present;
    } auxiliaries[] = {{"be", "was", "is"},      {"bep", "were", "are"}, {"have", "had", "has"},
                       {"havep", "had", "have"}, {"do", "did", "does"},  {"dop", "did", "do"}};
    static const struct {
        const char *name;
        enum verb_form past, present;
    } verbs[] = {{"", BASE, BASE},
                 {"n", PARTICIPLE, PARTICIPLE},
                 {"g", GERUND, GERUND},
                 {"t", PAST, THIRD},
                 {"tp", PAST, BASE}};
    struct corpus_text *t = &p->value;

    for (unsigned i = 0; i < LENGTH(auxiliaries); i++)
        if (strcmp(name, auxiliaries[i].name) == 0) {
            text_str(t, p->past ? auxiliaries[i].past : auxiliaries[i].present);
            return;
        }
    if (strchr("vicw", name[0]))
        for (unsigned i = 0; i < LENGTH(verbs); i++)
            if (strcmp(name + 1, verbs[i].name) == 0) {
                const struct word w = name[0] == 'v'   ? pick_transitive(p)
                                      : name[0] == 'i' ? pick(p, p->intransitive, 9)
                                      : name[0] == 'c' ? pick(p, p->clause, 3)
                                                       : pick(p, p->infinitive, 3);
                put_verb(t, w, p->past ? verbs[i].past : verbs[i].present);
                return;
            }
    const struct {
        const char *name;
        struct list list;
        uint32_t flatness;
    } phrases[] = {{"r", p->adverbs, 8},
                   {"f", p->frequency, 4},
                   {"place", p->places, 5},
                   {"time", p->times, 5},
                   {"opener", p->openers, 4}};
    for (unsigned i = 0; i < LENGTH(phrases); i++)
        if (strcmp(name, phrases[i].name) == 0) {
            const struct word w = pick(p, phrases[i].list, phrases[i].flatness);
            put_phrase(t, w.at, w.size);
            return;
        }

    const bool female = p->female[p->person];
    if (strcmp(name, "n") == 0)
        put_noun(t, pick_noun(p), false);
    else if (strcmp(name, "ns") == 0)
        put_noun(t, pick_noun(p), true);
    else if (strcmp(name, "m") == 0)
        put_mass_noun(p, t);
    else if (strcmp(name, "role") == 0)
        put_noun(t, pick(p, p->roles, 6), false);
    else if (strcmp(name, "roles") == 0)
        put_noun(t, pick(p, p->roles, 6), true);
    else if (strcmp(name, "a") == 0)
        put_adjective(p, t);
    else if (strcmp(name, "he") == 0)
        text_str(t, pronouns[0][female]);
    else if (strcmp(name, "him") == 0)
        text_str(t, pronouns[1][female]);
    else if (strcmp(name, "his") == 0)
        text_str(t, pronouns[2][female]);
    else if (strcmp(name, "name") == 0 || strcmp(name, "full") == 0)
        put_person(p, t, name[0] == 'f');
    else if (strcmp(name, "town") == 0)
        text_str(t, p->towns[corpus_zipf(p->rng, TOWNS, 1)]);
    else if (strcmp(name, "num") == 0)
        put_number(p, t);
    else if (strcmp(name, "year") == 0)
        text_printf(t, "%u", 1995 - corpus_zipf(p->rng, 220, 40));
    else if (strcmp(name, "percent") == 0)
        text_printf(t, "%u", (unsigned)corpus_between(p->rng, 2, 97));
    else if (strcmp(name, "ref") == 0)
        put_ref(p, t);
    else
        t->overflow = true; /* the grammar names a symbol that is not there */
}

static void put_symbol(struct prose *p, const char *name, unsigned depth)
{
    if (name[0] >= 'a') {
        put_word(p, name);
        return;
    }
    const struct symbol *s = NULL;
    for (unsigned i = 0; i < p->n_symbols && !s; i++)
        if (strcmp(p->symbols[i].name, name) == 0)
            s = &p->symbols[i];
    if (!s) {
        p->value.overflow = true;
        return;
    }
    unsigned rule = s->first_rule;
    if (depth < MAX_DEPTH)
        rule += corpus_weighted(p->rng, p->rule_weights + s->first_rule, s->n_rules);
    for (const char *c = p->rule_texts[rule]; *c; c++) {
        char inner[12];
        const size_t size = *c == '<' ? strcspn(c + 1, ">") : 0;
        if (size == 0 || size >= sizeof inner) {
            text_char(&p->value, *c);
            continue;
        }
        memcpy(inner, c + 1, size);
        inner[size] = 0;
        put_symbol(p, inner, depth + 1);
        c += size + 1;
    }
}

static void capitalise(char *c)
{
    while (*c == '"')
        c++;
    if (*c >= 'a' && *c <= 'z')
        *c = (char)(*c - 32);
}

/* "a" becomes "an" before a vowel; sentences and speech begin with a capital. */
static void put_sentence(struct prose *p)
{
    struct corpus_text *t = &p->value;
    const size_t start = t->size;
    put_symbol(p, "S", 0);
    if (t->overflow)
        return;
    struct corpus_text *s = &p->scratch;
    text_clear(s);
    for (size_t i = start; i < t->size; i++) {
        const char *c = t->data + i;
        text_char(s, *c);
        if (i + 2 < t->size && (*c == 'a' || *c == 'A') && c[1] == ' ' && is_vowel(c[2]) &&
            strncmp(c + 2, "use", 3) != 0 && strncmp(c + 2, "one", 3) != 0 &&
            (i == start || c[-1] == ' ' || c[-1] == '"'))
            text_char(s, 'n');
    }
    t->size = start;
    text_bytes(t, s->data, s->size);
    text_char(t, 0);
    capitalise(t->data + start);
    for (size_t i = start; i + 2 < t->size; i++)
        if (t->data[i] == '.' && t->data[i + 1] == ' ' && t->data[i + 2] == '"')
            capitalise(t->data + i + 2);
    t->size--;
}

static void name_town(char *out, struct corpus_rng *rng)
{
    static const char *const heads[] = {"Har",    "Ash", "Col", "Win",  "Stan", "Mar",    "Thorn",
                                        "Bel",    "Kes", "Ol",  "Brad", "Mil",  "Ravens", "Hol",
                                        "Wes",    "Nor", "Elm", "Grey", "Fen",  "Sutter", "Lang",
                                        "Castle", "Dun", "Pem", "Quen", "Ros",  "Tarn",   "Ux"};
    static const char *const tails[] = {"wick",  "ford",  "ton",   "bury", "ham",     "bourne",
                                        "field", "mouth", "stead", "dale", "minster", "by",
                                        "leigh", "worth", "combe", "haven"};
    strcpy(out, heads[corpus_below(rng, LENGTH(heads))]);
    strcat(out, tails[corpus_below(rng, LENGTH(tails))]);
}

static void begin_text(struct prose *p)
{
    p->topic = (unsigned)corpus_below(p->rng, LEXICON_TOPICS);
    p->past = corpus_chance(p->rng, 65);
    for (unsigned i = 0; i < CAST; i++) {
        corpus_person_of(&p->cast[i], 9000000 + corpus_below(p->rng, 100000));
        p->female[i] = corpus_chance(p->rng, 50);
    }
    for (unsigned i = 0; i < TOWNS; i++)
        name_town(p->towns[i], p->rng);
    p->person = 0;
    p->n_recent = 0;
    p->n_refs = 0;
}

static bool prepare(struct prose *p)
{
    p->nouns = read_list(p, lexicon_nouns);
    p->mass_nouns = read_list(p, lexicon_mass_nouns);
    p->roles = read_list(p, lexicon_role_nouns);
    p->adjectives = read_list(p, lexicon_adjectives);
    p->transitive = read_list(p, lexicon_transitive_verbs);
    p->intransitive = read_list(p, lexicon_intransitive_verbs);
    p->clause = read_list(p, lexicon_clause_verbs);
    p->infinitive = read_list(p, lexicon_infinitive_verbs);
    p->adverbs = read_list(p, lexicon_adverbs);
    p->frequency = read_list(p, lexicon_frequency_adverbs);
    p->places = read_list(p, lexicon_place_phrases);
    p->times = read_list(p, lexicon_time_phrases);
    p->openers = read_list(p, lexicon_openers);
    for (unsigned i = 0; i < LEXICON_TOPICS; i++) {
        p->topic_nouns[i] = read_list(p, lexicon_topics[i].nouns);
        p->topic_mass[i] = read_list(p, lexicon_topics[i].mass_nouns);
        p->topic_adjectives[i] = read_list(p, lexicon_topics[i].adjectives);
        p->topic_verbs[i] = read_list(p, lexicon_topics[i].transitive_verbs);
    }
    return p->n_words < MAX_WORDS && read_grammar(p);
}

/* Key: text and paragraph; value: the paragraph. */
bool corpus_prose(struct corpus_rng *rng, struct corpus_writer *w)
{
    struct prose *p = calloc(1, sizeof *p);
    if (!p)
        return false;
    p->rng = rng;
    if (!prepare(p))
        w->failed = true;
    for (unsigned text = 20417; corpus_wants_more(w); text += 1 + corpus_zipf(rng, 9, 1)) {
        begin_text(p);
        const unsigned n_paragraphs = 8 + corpus_zipf(rng, 120, 20);
        for (unsigned i = 1; i <= n_paragraphs && corpus_wants_more(w); i++) {
            text_clear(&p->key);
            text_clear(&p->value);
            text_printf(&p->key, "text/%08u/%04u", text, i);
            const unsigned n_sentences = 2 + corpus_zipf(rng, 9, 4);
            for (unsigned k = 0; k < n_sentences; k++) {
                if (k)
                    text_char(&p->value, ' ');
                put_sentence(p);
            }
            corpus_put(w, &p->key, &p->value);
        }
    }
    free(p);
    return true;
}
