/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load <shared library>...: each is loaded with all of its symbols bound, in a process of its own,
 * and used a little. Until a device is listed, none of CUDA's libraries and not ours for CUDA may
 * come in with it, nor a C++ library.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rockpress/device.h"

typedef rp_status open_function(const char *name, rp_device **device);
typedef size_t list_function(rp_device_info *infos, size_t capacity);

/* Prints a library that is mapped and should not be. */
static bool nothing_foreign(void)
{
    static const char *const foreign[] = {"libcuda", "librockpress_cuda", "libnvidia", "libstdc++",
                                          "librocksdb"};
    char line[1024];
    bool good = true;
    size_t n = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
        n++;
        for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
            if (strstr(line, foreign[i]) != NULL) {
                printf("loaded: %s", line);
                good = false;
            }
        }
    }
    if (maps != NULL)
        fclose(maps);
    return good && n != 0;
}

static bool use(const char *path)
{
    rp_device *device = NULL;
    rp_device_info info = RP_DEVICE_INFO_INIT;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        printf("%s\n", dlerror());
        return false;
    }
    open_function *open_device = (open_function *)dlsym(library, "rp_device_open");
    list_function *list_devices = (list_function *)dlsym(library, "rp_device_list");
    if (open_device == NULL || list_devices == NULL || !nothing_foreign() ||
        open_device("host", &device) != RP_STATUS_OK || !nothing_foreign() ||
        list_devices(&info, 1) < 2)
        return false;
    return dlclose(library) == 0;
}

int main(int argc, char **argv)
{
    int n_failed = argc < 2;
    for (int i = 1; i < argc; i++) {
        int status = 1;
        fflush(stdout);
        pid_t child = fork();
        if (child == 0)
            exit(use(argv[i]) ? 0 : 1);
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
            n_failed++;
        printf("%s %s\n", status == 0 ? "ok    " : "FAILED", argv[i]);
    }
    return n_failed != 0;
}
