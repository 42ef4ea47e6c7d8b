/* SPDX-License-Identifier: Apache-2.0 */
/*
 * real <turns|threads|reload> <path>...: as program.c, for shared objects that have a real libzstd
 * inside and export int work(unsigned seed, int rounds), which returns how often something was
 * wrong.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LIBRARIES 16

typedef int work_function(unsigned seed, int rounds);

static work_function *load(const char *path, void **handle)
{
    work_function *work = NULL;

    *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (*handle != NULL)
        work = (work_function *)dlsym(*handle, "work");
    if (work == NULL) {
        printf("%s\n", dlerror());
        exit(2);
    }
    return work;
}

static void *run(void *work)
{
    return (void *)(long)((work_function *)work)(1, 30);
}

static int threads(work_function **works, int n)
{
    pthread_t ids[2 * MAX_LIBRARIES];
    int wrong = 0;

    for (int i = 0; i < 2 * n; i++)
        pthread_create(&ids[i], NULL, run, (void *)works[i / 2]);
    for (int i = 0; i < 2 * n; i++) {
        void *result;
        pthread_join(ids[i], &result);
        wrong += (int)(long)result;
    }
    return wrong;
}

int main(int argc, char **argv)
{
    work_function *works[MAX_LIBRARIES];
    void *handle;
    int n = argc - 2, wrong = 0;

    if (n < 1 || n > MAX_LIBRARIES)
        return 2;
    if (strcmp(argv[1], "reload") == 0) {
        for (int i = 0; i < 3 * n; i++) {
            wrong += load(argv[2 + i % n], &handle)((unsigned)i, 3);
            dlclose(handle);
        }
    } else {
        for (int i = 0; i < n; i++)
            works[i] = load(argv[2 + i], &handle);
        for (int i = 0; i < 5 * n && strcmp(argv[1], "turns") == 0; i++)
            wrong += works[i % n]((unsigned)i, 2);
        if (strcmp(argv[1], "threads") == 0)
            wrong += threads(works, n);
    }
    printf("%d wrong\n", wrong);
    return wrong != 0;
}
