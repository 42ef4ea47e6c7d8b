/* SPDX-License-Identifier: Apache-2.0 */
/* See json.h. */
#include "bench/common/json.h"

#include <string.h>
#include <unistd.h>

void json_put_string(FILE *f, const char *s)
{
    fputc('"', f);
    for (; *s; s++) {
        const unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            fprintf(f, "\\%c", c);
        else if (c < 0x20)
            fprintf(f, "\\u%04x", c);
        else
            fputc(c, f);
    }
    fputc('"', f);
}

/* The value of the first line of /proc/cpuinfo that begins with `key`; "" without one. */
static void read_cpuinfo(const char *key, char *value, size_t capacity)
{
    char line[4096];
    FILE *f = fopen("/proc/cpuinfo", "r");
    value[0] = 0;
    while (f && !value[0] && fgets(line, sizeof line, f)) {
        const char *colon = strchr(line, ':');
        if (!colon || strncmp(line, key, strlen(key)) != 0)
            continue;
        colon += 1 + strspn(colon + 1, " \t");
        snprintf(value, capacity, "%.*s", (int)strcspn(colon, "\n"), colon);
    }
    if (f)
        fclose(f);
}

void json_put_machine(FILE *f)
{
    char name[256], family[32], model[32], flags[4096];
    /* A virtual machine's name may stop at the brand; family and model tell generations apart. */
    read_cpuinfo("model name", name, sizeof name);
    read_cpuinfo("cpu family", family, sizeof family);
    read_cpuinfo("model\t", model, sizeof model);
    read_cpuinfo("flags", flags, sizeof flags);
    fputs("  \"machine\": {\"cpu\": ", f);
    json_put_string(f, name[0] ? name : "unknown");
    fputs(", \"cpu_family\": ", f);
    json_put_string(f, family);
    fputs(", \"cpu_model\": ", f);
    json_put_string(f, model);
    fprintf(f, ", \"logical_cpus\": %ld, \"virtual\": %s},\n", sysconf(_SC_NPROCESSORS_ONLN),
            strstr(flags, "hypervisor") ? "true" : "false");
}
