/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and printing of plans: see plan.h. */
#include "tests/fault/plan.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ALL_CALLS                                                                                  \
    (AT_BIT(AT_MEMORY_ALLOC) | AT_BIT(AT_STAGING_ALLOC) | AT_BIT(AT_STREAM_CREATE) |               \
     AT_BIT(AT_COPY) | AT_BIT(AT_LAUNCH) | AT_BIT(AT_WAIT) | AT_BIT(AT_ANY))
#define ALL_DATA                                                                                   \
    (AT_BIT(AT_INPUT) | AT_BIT(AT_WORKSPACE) | AT_BIT(AT_FRAME) | AT_BIT(AT_SIZE) |                \
     AT_BIT(AT_STATUS) | AT_BIT(AT_PROOF) | AT_BIT(AT_DELIVERED))
#define MAX_DELAY_US 10000000u
#define MAX_FLIPPED_BITS 64u

enum value_kind { NO_VALUE, VALUE_STATUS, VALUE_NUMBER };

static const struct kind {
    const char *name;
    uint32_t places; /* AT_BIT() of each */
    inject_at default_at;
    enum value_kind value_kind;
    uint64_t default_value, minimum, maximum;
} kinds[INJECT_N_KINDS] = {
    {"fail", ALL_CALLS, AT_ANY, VALUE_STATUS, RP_STATUS_LAUNCH_FAILED, 0, 0},
    {"oom", AT_BIT(AT_MEMORY_ALLOC) | AT_BIT(AT_STAGING_ALLOC) | AT_BIT(AT_ANY), AT_ANY, NO_VALUE,
     0, 0, 0},
    {"lose", ALL_CALLS, AT_ANY, NO_VALUE, 0, 0, 0},
    {"delay", ALL_CALLS, AT_ANY, VALUE_NUMBER, 1000, 1, MAX_DELAY_US},
    {"hang", ALL_CALLS, AT_ANY, NO_VALUE, 0, 0, 0},
    {"drop", AT_BIT(AT_COPY) | AT_BIT(AT_LAUNCH) | AT_BIT(AT_WAIT) | AT_BIT(AT_ANY), AT_ANY,
     NO_VALUE, 0, 0, 0},
    {"flip", ALL_DATA, AT_N, VALUE_NUMBER, 1, 1, MAX_FLIPPED_BITS},
    {"size", AT_BIT(AT_SIZE), AT_SIZE, VALUE_NUMBER, VALUE_DRAWN, 0, VALUE_DRAWN - 1},
    {"swap", AT_BIT(AT_FRAME), AT_FRAME, NO_VALUE, 0, 0, 0},
};

static const char *const at_names[AT_N] = {
    "memory_alloc", "staging_alloc", "stream_create", "copy", "launch", "wait",  "any",
    "input",        "workspace",     "frame",         "size", "status", "proof", "delivered",
};

/* What a call of a device may return. */
static const struct {
    const char *name;
    rp_status status;
} statuses[] = {
    {"out_of_host_memory", RP_STATUS_OUT_OF_HOST_MEMORY},
    {"out_of_device_memory", RP_STATUS_OUT_OF_DEVICE_MEMORY},
    {"device_unavailable", RP_STATUS_DEVICE_UNAVAILABLE},
    {"launch_failed", RP_STATUS_LAUNCH_FAILED},
    {"timeout", RP_STATUS_TIMEOUT},
    {"device_fault", RP_STATUS_DEVICE_FAULT},
    {"internal", RP_STATUS_INTERNAL},
};

#define N_STATUSES (sizeof(statuses) / sizeof(statuses[0]))

const char *inject_at_name(inject_at at)
{
    return at_names[at];
}

uint64_t plan_mix(uint64_t seed, uint64_t n)
{
    uint64_t z = seed + (n + 1) * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* A part of the text, which is not ended by a NUL. */
struct part {
    const char *at;
    size_t n;
};

__attribute__((format(printf, 3, 4))) static bool refuse(plan_error *error, struct part given,
                                                         const char *format, ...)
{
    int n = snprintf(error->message, sizeof(error->message),
                     "'%.*s': ", given.n > 24 ? 24 : (int)given.n, given.at);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message + n, sizeof(error->message) - (size_t)n, format, arguments);
    va_end(arguments);
    return false;
}

static bool is_word(struct part given, const char *word)
{
    return strlen(word) == given.n && memcmp(given.at, word, given.n) == 0;
}

/* The part up to the first of these characters; *rest begins there. */
static struct part split(struct part given, const char *ends, struct part *rest)
{
    struct part first = {given.at, 0};
    while (first.n < given.n && strchr(ends, given.at[first.n]) == NULL)
        first.n++;
    rest->at = given.at + first.n;
    rest->n = given.n - first.n;
    return first;
}

static bool read_number(struct part given, uint64_t minimum, uint64_t maximum, uint64_t *value)
{
    uint64_t number = 0;
    for (size_t i = 0; i < given.n; i++) {
        if (given.at[i] < '0' || given.at[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(given.at[i] - '0');
        if (number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *value = number;
    return given.n > 0 && number >= minimum && number <= maximum;
}

/* Percent with up to four digits behind the point, as millionths. */
static bool read_percent(struct part given, uint32_t *ppm)
{
    struct part rest;
    struct part whole = split(given, ".", &rest);
    uint64_t percent, digits = 0;
    if (!read_number(whole, 0, 100, &percent))
        return false;
    if (rest.n > 0) {
        struct part fraction = {rest.at + 1, rest.n - 1};
        if (fraction.n > 4 || !read_number(fraction, 0, 9999, &digits))
            return false;
        for (size_t i = fraction.n; i < 4; i++)
            digits *= 10;
    }
    *ppm = (uint32_t)(percent * 10000 + digits);
    return *ppm >= 1 && *ppm <= ALWAYS_PPM;
}

/* The places of a kind with a space between them. */
static const char *allowed_places(const struct kind *kind, char *text, size_t text_bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (int at = 0; at < AT_N && used < text_bytes; at++) {
        if ((kind->places & AT_BIT(at)) != 0)
            used += (size_t)snprintf(text + used, text_bytes - used, "%s%s", used == 0 ? "" : " ",
                                     at_names[at]);
    }
    return text;
}

static bool read_at(struct part given, const struct kind *kind, inject_at *at, plan_error *error)
{
    char allowed[96];
    for (int i = 0; i < AT_N; i++) {
        if ((kind->places & AT_BIT(i)) != 0 && is_word(given, at_names[i])) {
            *at = (inject_at)i;
            return true;
        }
    }
    return refuse(error, given, "%s@: %s", kind->name,
                  allowed_places(kind, allowed, sizeof(allowed)));
}

static bool read_value(struct part given, const struct kind *kind, uint64_t *value,
                       plan_error *error)
{
    switch (kind->value_kind) {
    case NO_VALUE:
        return refuse(error, given, "%s has no value", kind->name);
    case VALUE_STATUS:
        for (size_t i = 0; i < N_STATUSES; i++) {
            if (is_word(given, statuses[i].name)) {
                *value = (uint64_t)statuses[i].status;
                return true;
            }
        }
        return refuse(error, given,
                      "fail=: timeout internal launch_failed out_of_{host,device}_memory "
                      "device_{fault,unavailable}");
    case VALUE_NUMBER:
        if (read_number(given, kind->minimum, kind->maximum, value))
            return true;
        return refuse(error, given, "%s=: %" PRIu64 " to %" PRIu64, kind->name, kind->minimum,
                      kind->maximum);
    }
    return false;
}

static const struct kind *find_kind(struct part name)
{
    for (int i = 0; i < INJECT_N_KINDS; i++) {
        if (is_word(name, kinds[i].name))
            return &kinds[i];
    }
    return NULL;
}

/* One of the parts behind the kind: the mark that it begins with, and the rest of it. */
static bool read_suffix(char mark, struct part given, const struct kind *kind, injection *made,
                        plan_error *error)
{
    uint64_t number;
    switch (mark) {
    case '@':
        return read_at(given, kind, &made->at, error);
    case '=':
        return read_value(given, kind, &made->value, error);
    case '+':
        if (!read_number(given, 0, UINT32_MAX - 1, &number))
            return refuse(error, given, "+AFTER: 0 to %" PRIu32, UINT32_MAX - 1);
        made->after = (uint32_t)number;
        return true;
    case 'x':
        if (!read_number(given, 1, UINT32_MAX - 1, &number))
            return refuse(error, given, "xTIMES: 1 to %" PRIu32, UINT32_MAX - 1);
        made->times = (uint32_t)number;
        return true;
    default:
        return read_percent(given, &made->ppm) ||
               refuse(error, given, "%%PERCENT: 0.0001 to 100, up to 4 digits behind the point");
    }
}

/* Up to the next mark behind the first character. No word has an x in front of a digit. */
static struct part split_suffix(struct part given, struct part *rest)
{
    struct part first = {given.at, given.n > 0 ? 1 : 0};
    for (; first.n < given.n; first.n++) {
        const char *next = given.at + first.n;
        bool is_times = *next == 'x' && first.n + 1 < given.n && next[1] >= '0' && next[1] <= '9';
        if (is_times || strchr("@=+%", *next) != NULL)
            break;
    }
    rest->at = given.at + first.n;
    rest->n = given.n - first.n;
    return first;
}

static bool read_injection(struct part given, injection *made, plan_error *error)
{
    static const char order[] = "@=+x%";
    struct part rest;
    struct part name = split_suffix(given, &rest);
    const struct kind *kind = find_kind(name);
    if (kind == NULL)
        return refuse(error, name,
                      "is no kind of fault: fail oom lose delay hang drop flip size swap");
    const injection blank = {
        (inject_kind)(kind - kinds), kind->default_at, kind->default_value, 0, 0, 0};
    *made = blank;
    const char *next = order;
    while (rest.n > 0) {
        const char mark = rest.at[0];
        const char *found = strchr(next, mark);
        if (found == NULL)
            return refuse(error, rest,
                          "stands in the wrong place: KIND@WHERE=VALUE+AFTERxTIMES%%PERCENT");
        next = found + 1;
        struct part value = split_suffix(rest, &rest);
        value.at++;
        value.n--;
        if (!read_suffix(mark, value, kind, made, error))
            return false;
    }
    if (made->at == AT_N)
        return refuse(error, given,
                      "needs a place: @input workspace frame size status proof delivered");
    if (made->times == 0)
        made->times = made->ppm != 0 ? EVERY_TIME : 1;
    if (made->ppm == 0)
        made->ppm = ALWAYS_PPM;
    return true;
}

static bool read_injections(struct part given, injection_plan *plan, plan_error *error)
{
    if (is_word(given, "none"))
        return true;
    if (is_word(given, "random") || is_word(given, "late")) {
        injection_plan_draw(plan, is_word(given, "late") ? LATE_AFTER_BITS : RANDOM_AFTER_BITS);
        return true;
    }
    for (;;) {
        struct part rest;
        struct part one = split(given, ",", &rest);
        if (plan->n == MAX_INJECTIONS)
            return refuse(error, one, "is one too many: up to %d", MAX_INJECTIONS);
        if (!read_injection(one, &plan->injections[plan->n], error))
            return false;
        plan->n++;
        if (rest.n == 0)
            return true;
        given.at = rest.at + 1;
        given.n = rest.n - 1;
    }
}

static bool read_device(struct part given, injection_plan *plan, plan_error *error)
{
    uint64_t ordinal;
    struct part number = {given.at + 5, given.n - 5};
    bool is_numbered = given.n > 5 && memcmp(given.at, "cuda:", 5) == 0;
    if (!is_word(given, "host") && !is_word(given, "copied") && !is_word(given, "mapped") &&
        !is_word(given, "cuda") && !(is_numbered && read_number(number, 0, 999, &ordinal)))
        return refuse(error, given, "is no device under a plan: host copied mapped cuda cuda:N");
    if (given.n >= sizeof(plan->device))
        return refuse(error, given, "is no device under a plan: N has up to 3 digits");
    memcpy(plan->device, given.at, given.n);
    plan->device[given.n] = '\0';
    return true;
}

bool injection_plan_parse(const char *name, injection_plan *plan, plan_error *error)
{
    const size_t prefix = sizeof(FAULT_PREFIX) - 1;
    struct part all = {name, strlen(name)};
    memset(plan, 0, sizeof(*plan));
    memcpy(plan->device, "host", sizeof("host"));
    if (all.n < prefix || memcmp(name, FAULT_PREFIX, prefix) != 0)
        return refuse(error, all, "is not fault:SEED:PLAN[:DEVICE]");
    if (all.n >= MAX_FAULT_NAME_BYTES)
        return refuse(error, all, "has %zu bytes; up to %d", all.n, MAX_FAULT_NAME_BYTES - 1);
    struct part rest = {name + prefix, all.n - prefix};
    struct part seed = split(rest, ":", &rest);
    if (!read_number(seed, 0, UINT64_MAX, &plan->seed))
        return refuse(error, seed, "is no seed: 0 to %" PRIu64, UINT64_MAX);
    if (rest.n == 0)
        return refuse(error, all, "has no plan: fault:SEED:PLAN[:DEVICE]");
    rest.at++;
    rest.n--;
    struct part injections = split(rest, ":", &rest);
    if (rest.n > 0) {
        struct part device = {rest.at + 1, rest.n - 1};
        if (!read_device(device, plan, error))
            return false;
    }
    return read_injections(injections, plan, error);
}

const char *injection_print(const injection *made, char *text, size_t text_bytes)
{
    const struct kind *kind = &kinds[made->kind];
    int n = snprintf(text, text_bytes, "%s@%s", kind->name, at_names[made->at]);
    size_t used = (size_t)n;
    if (kind->value_kind == VALUE_STATUS) {
        for (size_t i = 0; i < N_STATUSES; i++) {
            if (made->value == (uint64_t)statuses[i].status)
                used += (size_t)snprintf(text + used, text_bytes - used, "=%s", statuses[i].name);
        }
    } else if (kind->value_kind == VALUE_NUMBER && made->value != VALUE_DRAWN) {
        used += (size_t)snprintf(text + used, text_bytes - used, "=%" PRIu64, made->value);
    }
    if (made->after != 0)
        used += (size_t)snprintf(text + used, text_bytes - used, "+%" PRIu32, made->after);
    if (made->times != EVERY_TIME)
        used += (size_t)snprintf(text + used, text_bytes - used, "x%" PRIu32, made->times);
    snprintf(text + used, text_bytes - used, "%%%" PRIu32 ".%04" PRIu32, made->ppm / 10000,
             made->ppm % 10000);
    return text;
}
