/* SPDX-License-Identifier: Apache-2.0 */
/* The command `rockpress`: the devices and the configuration that a hook would find that is loaded
 * in this environment. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "rockpress/device.h"
#include "rockpress/plugin.h"

enum { EXIT_NO_DEVICE = 1, EXIT_USAGE = 2, EXIT_BAD_VALUE = 3, MAX_DEVICES = 64 };

extern char **environ;

static const char help[] =
    "usage: rockpress info | --version | --help\n"
    "\n"
    "info prints the version, each device and, if it cannot be used, why, and the configuration "
    "that\n"
    "the environment's ROCKPRESS_* variables make. Exit status:\n"
    "  0  everything can be used as configured\n"
    "  1  the device that ROCKPRESS_DEVICE asks for cannot be used: libzstd would do the work\n"
    "  2  the command line is wrong\n"
    "  3  a variable is unknown or malformed, and ignored\n";

/* Returns whether the configured device can be used; "cuda" is any GPU. */
static bool print_devices(const char *configured)
{
    rp_device_info infos[MAX_DEVICES] = {RP_DEVICE_INFO_INIT};
    const size_t n = rp_device_list(infos, MAX_DEVICES);
    bool is_usable = strcmp(configured, "auto") == 0 || strcmp(configured, "off") == 0;
    puts("devices:");
    for (size_t i = 0; i < n && i < MAX_DEVICES; i++) {
        const rp_device_info *d = &infos[i];
        const bool is_good = d->status == RP_STATUS_OK;
        printf("  %-8s %s%s%s\n", d->name, d->description,
               is_good ? "" : "cannot be used: ", d->reason);
        is_usable =
            is_usable ||
            (is_good && (strcmp(configured, d->name) == 0 ||
                         (strcmp(configured, "cuda") == 0 && strncmp(d->name, "cuda", 4) == 0)));
    }
    return is_usable;
}

/* Prints the variables, and for each that is not understood the allowed values. Returns how many
 * are not understood. */
static unsigned print_variables(void)
{
    static const char prefix[] = "ROCKPRESS_";
    unsigned n_bad = 0;
    for (char **entry = environ; *entry; entry++) {
        char name[128];
        const char *equals = strchr(*entry, '=');
        const size_t length = equals ? (size_t)(equals - *entry) : 0;
        if (strncmp(*entry, prefix, sizeof prefix - 1) != 0 || length >= sizeof name)
            continue;
        memcpy(name, *entry, length);
        name[length] = 0;
        rp_plugin_config config;
        rp_error error = {""};
        rp_plugin_config_default(&config, sizeof(config));
        /* The library's own variable: if its value is wrong, the list of devices says so. */
        if (strcmp(name, "ROCKPRESS_CUDA_LIBRARY") == 0 ||
            rp_plugin_config_set(&config, name, equals + 1, &error) == RP_STATUS_OK)
            printf("  %s=%s\n", name, equals + 1);
        else {
            printf("  ignored: %s\n", error.message);
            n_bad++;
        }
    }
    return n_bad;
}

static void print_config(const rp_plugin_config *c)
{
    static const char *const verify[] = {"off", "sample", "all", "device"};
    _Static_assert(RP_VERIFY_DEVICE + 1 == sizeof(verify) / sizeof(verify[0]), "all have a name");
    puts("in force:");
    printf("  device %s, effort %s, verify %s (1 in %u), batch %s\n", c->device,
           c->effort == RP_PLUGIN_EFFORT_AUTO ? "auto" : rp_effort_name((rp_effort)c->effort),
           verify[c->verify], (unsigned)c->verify_interval, c->batch == RP_BATCH_ON ? "on" : "off");
    printf("  blocks of %zu to %zu bytes, %u lanes, timeout %u ms\n", c->min_block_bytes,
           c->max_block_bytes, (unsigned)c->lanes, (unsigned)c->timeout_ms);
    printf("  statistics to %s\n", c->stats_path[0] ? c->stats_path : "nowhere");
}

static int print_info(void)
{
    rp_plugin_config config;
    rp_error error = {""};
    rp_plugin_config_default(&config, sizeof(config));
    puts("rockpress " ROCKPRESS_VERSION);
    puts("environment:");
    unsigned n_bad = print_variables();
    /* Values that are good one by one may contradict each other. */
    const unsigned n_ignored = rp_plugin_config_from_environment(&config, &error);
    if (n_ignored > n_bad)
        printf("  ignored: %s\n", error.message);
    print_config(&config);
    const bool is_usable = print_devices(config.device);
    if (!is_usable)
        printf("the device %s cannot be used: libzstd would do the work\n", config.device);
    return n_bad > 0 || n_ignored > 0 ? EXIT_BAD_VALUE : is_usable ? 0 : EXIT_NO_DEVICE;
}

int main(int argc, char **argv)
{
    const char *command = argc == 2 ? argv[1] : "";
    int status = 0;
    if (strcmp(command, "info") == 0)
        status = print_info();
    else if (strcmp(command, "--version") == 0)
        puts("rockpress " ROCKPRESS_VERSION);
    else if (strcmp(command, "--help") == 0)
        fputs(help, stdout);
    else {
        fputs(help, stderr);
        return EXIT_USAGE;
    }
    return fflush(stdout) == 0 ? status : EXIT_NO_DEVICE;
}
