/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the configuration. The environment and the C API share one table of names, so a
 * variable can not exist in one of them only. A value that is not understood gives an error line
 * that names the variable and the allowed values, and the field keeps its default: a typing error
 * must not stop a database, and must not go unnoticed either.
 *
 * secure_getenv's rule applies: a process with more rights than its caller ignores the
 * environment, which names a file to write.
 */
#include "plugin/core/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "plugin/core/device_name.h"
#include "plugin/core/log.h"
#include "rockpress/pool.h"

#define PREFIX "ROCKPRESS_"

_Static_assert(sizeof(rp_verify_mode) == sizeof(uint32_t), "choices are stored as uint32_t");
_Static_assert(sizeof(rp_goal) == sizeof(uint32_t), "choices are stored as uint32_t");
_Static_assert(sizeof(rp_batch_mode) == sizeof(uint32_t), "choices are stored as uint32_t");
_Static_assert(sizeof(rp_reads_mode) == sizeof(uint32_t), "choices are stored as uint32_t");
_Static_assert(sizeof(rp_checksum_mode) == sizeof(uint32_t), "choices are stored as uint32_t");
_Static_assert(sizeof(rp_sharing_mode) == sizeof(uint32_t), "choices are stored as uint32_t");
_Static_assert(sizeof(rp_log_level) == sizeof(uint32_t), "choices are stored as uint32_t");

_Atomic int rp_config_state;
rp_plugin_config rp_config_in_force;
static int owner_pid;

enum kind { KIND_DEVICE, KIND_CHOICE, KIND_U32, KIND_SIZE, KIND_PATH };

/* The position of a choice in its list is its value. */
static const char *const verify_choices[] = {"off", "sample", "all", "device", NULL};
static const char *const goal_choices[] = {"auto", "throughput", "cpu", "device", NULL};
static const char *const batch_choices[] = {"off", "on", "auto", NULL};
static const char *const reads_choices[] = {"cpu", "device", NULL};
static const char *const checksum_choices[] = {"off", "on", NULL};
static const char *const sharing_choices[] = {"off", "on", "served", NULL};
static const char *const effort_choices[] = {"auto", "fast", "default", "high", "max", NULL};
static const char *const log_choices[] = {"off", "error", "info", NULL};

_Static_assert(RP_EFFORT_FAST == 1 && RP_EFFORT_DEFAULT == 2 && RP_EFFORT_HIGH == 3 &&
                   RP_EFFORT_MAX == 4,
               "effort_choices follows rp_effort");

struct option {
    const char *name;
    enum kind kind;
    size_t offset;
    uint64_t minimum, maximum; /* numbers */
    const char *const *choices;
};

#define FIELD(field) offsetof(rp_plugin_config, field)

/* Of every field of KIND_PATH. */
#define PATH_FIELD_BYTES sizeof(((rp_plugin_config *)NULL)->stats_path)
_Static_assert(sizeof(((rp_plugin_config *)NULL)->log_file) == PATH_FIELD_BYTES,
               "paths have fields of one size");

static const struct option options[] = {
    {"DEVICE", KIND_DEVICE, FIELD(device), 0, 0, NULL},
    {"VERIFY", KIND_CHOICE, FIELD(verify), 0, 0, verify_choices},
    {"VERIFY_INTERVAL", KIND_U32, FIELD(verify_interval), 1, UINT64_C(1) << 30, NULL},
    {"LANES", KIND_U32, FIELD(lanes), 1, RP_POOL_MAX_LANES, NULL},
    {"MIN_BLOCK_BYTES", KIND_SIZE, FIELD(min_block_bytes), 0, RP_MAX_INPUT_BYTES, NULL},
    {"MAX_BLOCK_BYTES", KIND_SIZE, FIELD(max_block_bytes), 1, RP_MAX_INPUT_BYTES, NULL},
    {"MEMORY_BYTES", KIND_SIZE, FIELD(memory_bytes), 0, SIZE_MAX >> 1, NULL},
    {"TIMEOUT_MS", KIND_U32, FIELD(timeout_ms), 1, 60000, NULL},
    {"EFFORT", KIND_CHOICE, FIELD(effort), 0, 0, effort_choices},
    {"BREAKER_FAULTS", KIND_U32, FIELD(breaker_faults), 1, 1000, NULL},
    {"BREAKER_RETRY_MS", KIND_U32, FIELD(breaker_retry_ms), 1, 3600000, NULL},
    {"CONTEXTS", KIND_U32, FIELD(contexts), 0, 64, NULL},
    {"GOAL", KIND_CHOICE, FIELD(goal), 0, 0, goal_choices},
    {"BATCH", KIND_CHOICE, FIELD(batch), 0, 0, batch_choices},
    {"BATCH_MEMORY_BYTES", KIND_SIZE, FIELD(batch_memory_bytes), (uint64_t)4 << 20, SIZE_MAX >> 1,
     NULL},
    {"BATCH_CHUNK_BYTES", KIND_SIZE, FIELD(batch_chunk_bytes), 1, (uint64_t)16 << 20, NULL},
    {"BATCH_LANES", KIND_U32, FIELD(batch_lanes), 1, 64, NULL},
    {"READS", KIND_CHOICE, FIELD(reads), 0, 0, reads_choices},
    {"CHECKSUM", KIND_CHOICE, FIELD(checksum), 0, 0, checksum_choices},
    {"SHARED_LAUNCHES", KIND_CHOICE, FIELD(sharing), 0, 0, sharing_choices},
    {"PARALLEL_THREADS", KIND_U32, FIELD(parallel_threads), 0, 32, NULL},
    {"LOG", KIND_CHOICE, FIELD(log), 0, 0, log_choices},
    {"LOG_FILE", KIND_PATH, FIELD(log_file), 0, 0, NULL},
    {"STATS", KIND_PATH, FIELD(stats_path), 0, 0, NULL},
};

#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

__attribute__((format(printf, 2, 3))) static rp_status explain(rp_error *error, const char *format,
                                                               ...)
{
    va_list arguments;

    if (error != NULL) {
        va_start(arguments, format);
        vsnprintf(error->message, sizeof(error->message), format, arguments);
        va_end(arguments);
    }
    return RP_STATUS_INVALID_OPTION;
}

static void set_defaults(rp_plugin_config *config)
{
    memset(config, 0, sizeof(*config));
    config->struct_size = sizeof(*config);
    memcpy(config->device, "auto", sizeof("auto"));
    /* Whatever a device does wrong is noticed, for a microsecond of the CPU. */
    config->verify = RP_VERIFY_DEVICE;
    /* Decoding costs about a third of compressing: one in 256 costs too little to measure. */
    config->verify_interval = 256;
    /* More than the compression threads of any usual set-up; lanes are made when needed. */
    config->lanes = 64;
    /* The CPU compresses a smaller block in less time than a device call takes. */
    config->min_block_bytes = 512;
    /* Blocks of a table are 4 to 64 KiB; a lane holds buffers for one of this size. */
    config->max_block_bytes = (size_t)256 << 10;
    /* A thousand times what a block takes: a device that takes longer is in trouble. */
    config->timeout_ms = 1000;
    config->effort = RP_PLUGIN_EFFORT_AUTO;
    config->breaker_faults = 5;
    config->breaker_retry_ms = 1000;
    config->contexts = 32;
    config->goal = RP_GOAL_AUTO;
    /* Whoever has RocksDB sample blocks for a dictionary keeps it. */
    config->batch = RP_BATCH_AUTO;
    /* Two files of 256 MiB at a time. */
    config->batch_memory_bytes = (size_t)1 << 30;
    /* 256 blocks of 16 KiB: three such chunks in flight keep a large GPU busy. */
    config->batch_chunk_bytes = (size_t)4 << 20;
    /* Two to three files at a time; on a GPU each holds some 140 MiB of its memory. */
    config->batch_lanes = 8;
    /* A thread that reads would wait for the device longer than for libzstd. */
    config->reads = RP_READS_CPU;
    config->checksum = RP_CHECKSUM_OFF;
    /* Until it was measured on GPUs. */
    config->sharing = RP_SHARING_OFF;
    config->parallel_threads = 0;
    config->log = RP_LOG_ERROR;
}

/*
 * Callers' structs. A struct of the first version is the smallest there is; fields are only added
 * after its last one. A new field needs its default in set_defaults. set_option refuses to set it
 * in a struct that is too small to have it.
 */
#define FIRST_STRUCT_BYTES (offsetof(rp_plugin_config, custom_device) + sizeof(const rp_device *))
/* No version will have more; a size beyond it was never set. */
#define MAX_STRUCT_BYTES ((size_t)64 << 10)

static rp_status check_struct_size(size_t size, rp_error *error)
{
    if (size >= FIRST_STRUCT_BYTES && size <= MAX_STRUCT_BYTES)
        return RP_STATUS_OK;
    return explain(error, "struct_size=%zu is not that of a configuration; allowed: %zu to %zu",
                   size, FIRST_STRUCT_BYTES, MAX_STRUCT_BYTES);
}

/* A program that is newer than this library may have more fields, if it does not use them. */
static rp_status check_struct(const rp_plugin_config *config, rp_error *error)
{
    const unsigned char *bytes = (const unsigned char *)config;
    rp_status status = check_struct_size(config->struct_size, error);

    for (size_t i = sizeof(*config); status == RP_STATUS_OK && i < config->struct_size; i++) {
        if (bytes[i] != 0)
            status =
                explain(error,
                        "byte %zu of a configuration with struct_size=%zu is %u; allowed: 0, as "
                        "this library knows the first %zu bytes only",
                        i, config->struct_size, bytes[i], sizeof(*config));
    }
    return status;
}

static size_t known_bytes(size_t struct_size)
{
    return struct_size < sizeof(rp_plugin_config) ? struct_size : sizeof(rp_plugin_config);
}

rp_status rp_plugin_config_default(rp_plugin_config *config, size_t struct_size)
{
    rp_plugin_config defaults;
    rp_status status;

    if (config == NULL)
        return RP_STATUS_NULL_POINTER;
    status = check_struct_size(struct_size, NULL);
    if (status != RP_STATUS_OK)
        return status;
    set_defaults(&defaults);
    memset(config, 0, struct_size);
    memcpy(config, &defaults, known_bytes(struct_size));
    config->struct_size = struct_size;
    return RP_STATUS_OK;
}

/* Decimal digits, for sizes with one of the suffixes K, M, G (powers of 1024). */
static bool parse_number(const char *text, bool suffix_allowed, uint64_t *value)
{
    uint64_t number = 0;
    unsigned shift = 0;

    if (*text < '0' || *text > '9')
        return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        if (number > (UINT64_MAX - 9) / 10)
            return false;
        number = number * 10 + (uint64_t)(*text - '0');
    }
    if (*text != '\0' && suffix_allowed) {
        if (*text == 'K' || *text == 'k')
            shift = 10;
        else if (*text == 'M' || *text == 'm')
            shift = 20;
        else if (*text == 'G' || *text == 'g')
            shift = 30;
        else
            return false;
        text++;
    }
    if (*text != '\0' || number > UINT64_MAX >> shift)
        return false;
    *value = number << shift;
    return true;
}

/* The allowed values of the option in place of this one, for error messages. */
static const char *allowed_values(const struct option *option, const char *value, char *text,
                                  size_t size)
{
    const char *names;
    size_t used = 0;

    switch (option->kind) {
    case KIND_DEVICE:
        names = rp_device_name_refused(value);
        return names != NULL ? names : "a shorter name";
    case KIND_PATH:
        return "a path of up to 1023 bytes, or - for standard error";
    case KIND_CHOICE:
        text[0] = '\0';
        for (size_t i = 0; option->choices[i] != NULL && used < size; i++)
            used += (size_t)snprintf(text + used, size - used, "%s%s", i == 0 ? "" : ", ",
                                     option->choices[i]);
        return text;
    case KIND_U32:
    case KIND_SIZE:
        snprintf(text, size, "%llu to %llu%s", (unsigned long long)option->minimum,
                 (unsigned long long)option->maximum,
                 option->kind == KIND_SIZE ? ", suffix K, M or G" : "");
        return text;
    }
    return "";
}

/* Fields of the first version may be of any kind, and every struct has them. Those after it have 4
 * bytes. */
static bool has_field(const rp_plugin_config *config, const struct option *option)
{
    return option->offset < FIRST_STRUCT_BYTES ||
           option->offset + sizeof(uint32_t) <= config->struct_size;
}

static rp_status reject(const struct option *option, const char *value, rp_error *error)
{
    char allowed[96];

    return explain(error, PREFIX "%s=%.40s is not understood; allowed: %s", option->name, value,
                   allowed_values(option, value, allowed, sizeof(allowed)));
}

static rp_status set_option(rp_plugin_config *config, const struct option *option,
                            const char *value, rp_error *error)
{
    char *field = (char *)config + option->offset;
    size_t length = strlen(value);
    uint64_t number = 0;
    uint32_t small;
    size_t bytes;

    if (!has_field(config, option))
        return explain(error, PREFIX "%s has no field in a configuration with struct_size=%zu",
                       option->name, config->struct_size);
    switch (option->kind) {
    case KIND_DEVICE:
        if (length >= sizeof(config->device) || rp_device_name_refused(value) != NULL)
            return reject(option, value, error);
        memcpy(field, value, length + 1);
        return RP_STATUS_OK;
    case KIND_PATH:
        if (length >= PATH_FIELD_BYTES)
            return reject(option, value, error);
        memcpy(field, value, length + 1);
        return RP_STATUS_OK;
    case KIND_CHOICE:
        for (small = 0; option->choices[small] != NULL; small++) {
            if (strcmp(option->choices[small], value) == 0) {
                memcpy(field, &small, sizeof(small));
                return RP_STATUS_OK;
            }
        }
        return reject(option, value, error);
    case KIND_U32:
    case KIND_SIZE:
        if (!parse_number(value, option->kind == KIND_SIZE, &number) || number < option->minimum ||
            number > option->maximum)
            return reject(option, value, error);
        small = (uint32_t)number;
        bytes = (size_t)number;
        if (option->kind == KIND_SIZE)
            memcpy(field, &bytes, sizeof(bytes));
        else
            memcpy(field, &small, sizeof(small));
        return RP_STATUS_OK;
    }
    return RP_STATUS_INTERNAL;
}

static const struct option *find_option(const char *name, size_t length)
{
    if (length > sizeof(PREFIX) - 1 && memcmp(name, PREFIX, sizeof(PREFIX) - 1) == 0) {
        name += sizeof(PREFIX) - 1;
        length -= sizeof(PREFIX) - 1;
    }
    for (size_t i = 0; i < N_OPTIONS; i++) {
        if (strlen(options[i].name) == length && memcmp(options[i].name, name, length) == 0)
            return &options[i];
    }
    return NULL;
}

static rp_status reject_name(const char *name, size_t length, rp_error *error)
{
    char known[160];
    size_t used = 0;

    for (size_t i = 0; i < N_OPTIONS && used < sizeof(known); i++)
        used += (size_t)snprintf(known + used, sizeof(known) - used, " %s", options[i].name);
    return explain(error, "%.*s is not a setting; known:%s", length > 40 ? 40 : (int)length, name,
                   known);
}

rp_status rp_plugin_config_set(rp_plugin_config *config, const char *name, const char *value,
                               rp_error *error)
{
    const struct option *option;
    rp_status status;

    if (config == NULL || name == NULL || value == NULL)
        return RP_STATUS_NULL_POINTER;
    status = check_struct(config, error);
    if (status != RP_STATUS_OK)
        return status;
    option = find_option(name, strlen(name));
    if (option == NULL)
        return reject_name(name, strlen(name), error);
    return set_option(config, option, value, error);
}

static rp_status check_block_limits(const rp_plugin_config *config, rp_error *error)
{
    if (config->min_block_bytes <= config->max_block_bytes)
        return RP_STATUS_OK;
    return explain(error, PREFIX "MIN_BLOCK_BYTES=%zu is above " PREFIX "MAX_BLOCK_BYTES=%zu",
                   config->min_block_bytes, config->max_block_bytes);
}

/* Whether the library reads this variable when it loads librockpress_cuda.so (rockpress/device.h).
 * It is no field of the configuration. */
static bool is_of_library(const char *name, size_t length)
{
    static const char known[] = PREFIX "CUDA_LIBRARY";

    return length == sizeof(known) - 1 && memcmp(name, known, length) == 0;
}

/* Reads every variable with our prefix. Each error goes to report(). */
static uint32_t read_environment(rp_plugin_config *config, void (*report)(void *, const rp_error *),
                                 void *argument)
{
    uint32_t n_errors = 0;
    rp_plugin_config defaults;
    rp_error error;

    if (getauxval(AT_SECURE) != 0 || environ == NULL)
        return 0;
    for (char **entry = environ; *entry != NULL; entry++) {
        const char *equals = strchr(*entry, '=');
        const struct option *option;
        rp_status status;
        size_t length;

        if (equals == NULL || strncmp(*entry, PREFIX, sizeof(PREFIX) - 1) != 0)
            continue;
        length = (size_t)(equals - *entry);
        if (is_of_library(*entry, length))
            continue;
        option = find_option(*entry, length);
        status = option == NULL ? reject_name(*entry, length, &error)
                                : set_option(config, option, equals + 1, &error);
        if (status != RP_STATUS_OK) {
            n_errors++;
            report(argument, &error);
        }
    }
    if (check_block_limits(config, &error) != RP_STATUS_OK) {
        set_defaults(&defaults);
        config->min_block_bytes = defaults.min_block_bytes;
        config->max_block_bytes = defaults.max_block_bytes;
        n_errors++;
        report(argument, &error);
    }
    return n_errors;
}

static void keep_first(void *argument, const rp_error *error)
{
    rp_error *first = argument;

    if (first != NULL && first->message[0] == '\0')
        *first = *error;
}

uint32_t rp_plugin_config_from_environment(rp_plugin_config *config, rp_error *error)
{
    if (config == NULL)
        return 0;
    if (error != NULL)
        error->message[0] = '\0';
    if (check_struct(config, error) != RP_STATUS_OK)
        return 1;
    return read_environment(config, keep_first, error);
}

static void log_error(void *argument, const rp_error *error)
{
    (void)argument;
    rp_log(RP_LOG_ERROR, "%s; the default is used", error->message);
}

static bool take_configuration(void)
{
    int unread = RP_CONFIG_UNREAD;

    return atomic_compare_exchange_strong_explicit(&rp_config_state, &unread, RP_CONFIG_READING,
                                                   memory_order_acquire, memory_order_relaxed);
}

static void configure_log(void)
{
    rp_log_set_level(rp_config_in_force.log);
    rp_log_set_file(rp_config_in_force.log_file);
}

static void publish(void)
{
    configure_log();
    owner_pid = (int)getpid();
    atomic_store_explicit(&rp_config_state, RP_CONFIG_READY, memory_order_release);
}

const rp_plugin_config *rp_config_read(void)
{
    int saved_errno = errno;
    static const char *const first[] = {PREFIX "LOG", PREFIX "LOG_FILE"};

    if (!take_configuration())
        return rp_config_peek();
    set_defaults(&rp_config_in_force);
    /* These come first: they decide whether the other errors are shown, and where. */
    for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
        const char *value = secure_getenv(first[i]);
        if (value != NULL)
            rp_plugin_config_set(&rp_config_in_force, first[i], value, NULL);
    }
    configure_log();
    read_environment(&rp_config_in_force, log_error, NULL);
    publish();
    errno = saved_errno;
    return &rp_config_in_force;
}

const rp_plugin_config *rp_config_peek(void)
{
    return atomic_load_explicit(&rp_config_state, memory_order_acquire) == RP_CONFIG_READY
               ? &rp_config_in_force
               : NULL;
}

int rp_config_owner_pid(void)
{
    return owner_pid;
}

static rp_status check_option(const rp_plugin_config *config, const struct option *option,
                              rp_error *error)
{
    const char *field = (const char *)config + option->offset;
    uint64_t number = 0, minimum = option->minimum, maximum = option->maximum;
    uint32_t small;
    size_t bytes;
    char text[24];

    switch (option->kind) {
    case KIND_DEVICE:
        if (memchr(field, '\0', sizeof(config->device)) == NULL)
            return reject(option, "(not terminated)", error);
        return rp_device_name_refused(field) == NULL ? RP_STATUS_OK : reject(option, field, error);
    case KIND_PATH:
        return memchr(field, '\0', PATH_FIELD_BYTES) != NULL
                   ? RP_STATUS_OK
                   : reject(option, "(not terminated)", error);
    case KIND_CHOICE:
        minimum = maximum = 0;
        while (option->choices[maximum + 1] != NULL)
            maximum++;
        memcpy(&small, field, sizeof(small));
        number = small;
        break;
    case KIND_U32:
        memcpy(&small, field, sizeof(small));
        number = small;
        break;
    case KIND_SIZE:
        memcpy(&bytes, field, sizeof(bytes));
        number = bytes;
        break;
    }
    if (number >= minimum && number <= maximum)
        return RP_STATUS_OK;
    snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    return reject(option, text, error);
}

rp_status rp_plugin_configure(const rp_plugin_config *config, rp_error *error)
{
    rp_plugin_config whole;
    rp_status status;

    if (config == NULL)
        return RP_STATUS_NULL_POINTER;
    status = check_struct(config, error);
    if (status != RP_STATUS_OK)
        return status;
    set_defaults(&whole);
    memcpy(&whole, config, known_bytes(config->struct_size));
    whole.struct_size = sizeof(whole);
    for (size_t i = 0; i < N_OPTIONS; i++) {
        status = check_option(&whole, &options[i], error);
        if (status != RP_STATUS_OK)
            return status;
    }
    status = check_block_limits(&whole, error);
    if (status != RP_STATUS_OK)
        return status;
    if (!take_configuration())
        return explain(error, "the plugin is already in use: configure it before the first block");
    rp_config_in_force = whole;
    publish();
    return RP_STATUS_OK;
}
