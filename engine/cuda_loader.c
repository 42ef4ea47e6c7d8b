/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads librockpress_cuda.so when a GPU is first listed or opened (engine/cuda/module.h).
 *
 * It is the file that ROCKPRESS_CUDA_LIBRARY names. Without that variable it is the first that is
 * there of
 *   1. the folder of the file that this code was loaded from: librockpress.so, the hook, or a
 *      program or another library that has rockpress linked in;
 *   2. the folder of the libraries where rockpress was to be installed;
 *   3. what the dynamic linker finds under the plain name.
 * A file that is there and does not fit is refused, and no other one is tried, so that the reason
 * is about the file that a person sees.
 *
 * A process with more rights than its caller reads no variable and leaves out the first folder: a
 * hard link to a program would put that folder into the caller's hands. The dynamic linker takes
 * care of the third way itself.
 *
 * The first folder is left out, too, if everybody may write to it. A library may be in /tmp: JVMs
 * unpack the libraries of a jar there.
 *
 * The library is never closed: its threads and the driver's may run until the process ends.
 * No lock: threads that come here together load the same file, which the dynamic linker does once.
 */
#include <dlfcn.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/cuda/module.h"
#include "engine/devices.h"
#include "kernels/base/stages.h"

#ifndef ROCKPRESS_LIBRARY_DIR
#error "ROCKPRESS_LIBRARY_DIR is the folder where libraries are installed"
#endif

/* A path that the kernel shows, and the fields before it in a line of /proc/self/maps. */
#define MAX_LINE_BYTES (PATH_MAX + 128)

static _Atomic(const rp_cuda_table *) loaded;

__attribute__((format(printf, 2, 3))) static const rp_cuda_table *refuse(rp_device_info *why,
                                                                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why->reason, sizeof(why->reason), format, arguments);
    va_end(arguments);
    return NULL;
}

/* With what the dynamic linker says. Asked once more, it frees that. */
static const rp_cuda_table *refuse_unloaded(rp_device_info *why)
{
    (void)refuse(why, "%s", dlerror());
    (void)dlerror();
    return NULL;
}

static const rp_cuda_table *check(const rp_cuda_table *table, const char *path, rp_device_info *why)
{
    uint32_t version = table->version;
    if (version != RP_VERSION_NUMBER)
        return refuse(why, RP_CUDA_LIBRARY " is of version %u.%u.%u; needed: %s (%s)",
                      version / 10000, version / 100 % 100, version % 100, rp_version_string(),
                      path);
    if (table->struct_size != sizeof(*table) || table->launch_bytes != sizeof(struct rp_launch))
        return refuse(why,
                      RP_CUDA_LIBRARY
                      " of version %s has an interface of %zu and %u bytes; needed: "
                      "%zu and %zu (%s)",
                      rp_version_string(), table->struct_size, table->launch_bytes, sizeof(*table),
                      sizeof(struct rp_launch), path);
    return table;
}

static const rp_cuda_table *use(void *library, const char *path, rp_device_info *why)
{
    rp_cuda_module_function *module = (rp_cuda_module_function *)dlsym(library, RP_CUDA_FUNCTION);
    if (module == NULL) {
        (void)refuse_unloaded(why);
        return refuse(why, "%s is not rockpress's " RP_CUDA_LIBRARY, path);
    }
    return check(module(), path, why);
}

static void *open_library(const char *path)
{
    return dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

static const rp_cuda_table *load(const char *path, rp_device_info *why)
{
    void *library = open_library(path);
    return library != NULL ? use(library, path, why) : refuse_unloaded(why);
}

/* The path of the file that has the code at `address`, as the kernel mapped it: absolute, whatever
 * name it was loaded by, and for a program, too. The folder is the same for a file that was
 * deleted. */
static bool find_file(uintptr_t address, char *path)
{
    char line[MAX_LINE_BYTES];
    bool is_found = false;
    FILE *maps = fopen("/proc/self/maps", "re");
    if (maps == NULL)
        return false;
    while (!is_found && fgets(line, sizeof(line), maps) != NULL) {
        char *end;
        uintptr_t first = strtoull(line, &end, 16);
        uintptr_t last = *end == '-' ? strtoull(end + 1, NULL, 16) : 0;
        if (address < first || address >= last)
            continue;
        const char *name = strchr(line, '/');
        size_t n_bytes = name != NULL ? strcspn(name, "\n") : 0;
        if (n_bytes == 0 || n_bytes >= PATH_MAX)
            break;
        memcpy(path, name, n_bytes);
        path[n_bytes] = '\0';
        is_found = true;
    }
    fclose(maps);
    return is_found;
}

typedef enum place { PLACE_UNKNOWN, PLACE_UNSAFE, PLACE_EMPTY, PLACE_FOUND } place;

/* The library beside the file that has this code; *file is that file. */
static place look_beside(char *file, char *path)
{
    struct stat folder;
    if (getauxval(AT_SECURE) != 0 || !find_file((uintptr_t)look_beside, file))
        return PLACE_UNKNOWN;
    size_t folder_bytes = (size_t)(strrchr(file, '/') + 1 - file);
    if (folder_bytes + sizeof(RP_CUDA_LIBRARY) > PATH_MAX)
        return PLACE_UNKNOWN;
    memcpy(path, file, folder_bytes);
    path[folder_bytes] = '\0';
    if (stat(path, &folder) != 0)
        return PLACE_UNKNOWN;
    if ((folder.st_mode & S_IWOTH) != 0)
        return PLACE_UNSAFE;
    memcpy(path + folder_bytes, RP_CUDA_LIBRARY, sizeof(RP_CUDA_LIBRARY));
    return access(path, F_OK) == 0 ? PLACE_FOUND : PLACE_EMPTY;
}

static const rp_cuda_table *refuse_missing(place beside, const char *file, rp_device_info *why)
{
    if (beside == PLACE_UNSAFE)
        return refuse(why, "no " RP_CUDA_LIBRARY " in %s; everybody may write beside %s",
                      ROCKPRESS_LIBRARY_DIR, file);
    return refuse(why,
                  "no " RP_CUDA_LIBRARY " (built without CUDA, or not installed) in "
                  "%s, beside %s or where the dynamic linker looks",
                  ROCKPRESS_LIBRARY_DIR, beside == PLACE_EMPTY ? file : "the program");
}

static const rp_cuda_table *find(rp_device_info *why)
{
    static const char installed[] = ROCKPRESS_LIBRARY_DIR "/" RP_CUDA_LIBRARY;
    const char *named = secure_getenv("ROCKPRESS_CUDA_LIBRARY");
    char file[PATH_MAX];
    char path[PATH_MAX];
    if (named != NULL && named[0] != '\0')
        return load(named, why);
    place beside = look_beside(file, path);
    if (beside == PLACE_FOUND)
        return load(path, why);
    if (access(installed, F_OK) == 0)
        return load(installed, why);
    void *library = open_library(RP_CUDA_LIBRARY);
    if (library != NULL)
        return use(library, RP_CUDA_LIBRARY, why);
    (void)refuse_unloaded(why);
    /* An error of a file that was found begins with its path. */
    if (strncmp(why->reason, RP_CUDA_LIBRARY ":", sizeof(RP_CUDA_LIBRARY)) != 0)
        return NULL;
    return refuse_missing(beside, file, why);
}

static const rp_cuda_table *table_or(rp_device_info *why)
{
    static const rp_device_info none = {
        sizeof(none), "cuda", "", RP_STATUS_DEVICE_UNAVAILABLE, "",
    };
    const rp_cuda_table *table = atomic_load_explicit(&loaded, memory_order_acquire);
    if (table != NULL)
        return table;
    *why = none;
    table = find(why);
    if (table != NULL)
        atomic_store_explicit(&loaded, table, memory_order_release);
    return table;
}

int rp_count_cuda_devices(rp_device_info *why_none)
{
    const rp_cuda_table *table = table_or(why_none);
    return table != NULL ? table->count_devices(why_none) : 0;
}

void rp_describe_cuda_device(int ordinal, rp_device_info *info)
{
    const rp_cuda_table *table = table_or(info);
    if (table != NULL)
        table->describe_device(ordinal, info);
}

rp_status rp_open_cuda_device(int ordinal, rp_device **device)
{
    rp_device_info why;
    const rp_cuda_table *table = table_or(&why);
    *device = NULL;
    return table != NULL ? table->open_device(ordinal, device) : why.status;
}
