/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program <scenario> <tag>=<path>...: uses libraries that have a libzstd inside, or need one
 * (library.c). The tag is that of the libzstd which the library should reach. Prints what went
 * wrong; the exit status is 1 if anything did. With TEST_RTLD_GLOBAL in the environment, libraries
 * are loaded into the scope of all others; with TEST_RTLD_LAZY, references are bound when they are
 * first used.
 *
 *   turns      one thread uses one after the other
 *   threads    two threads for each
 *   reload     each is unloaded before the next one is loaded; three rounds
 *   jump       a library's function ends with a jump into createCCtx. The first library is alone in
 *              the process; with a second one there, the answer may be NULL
 *   served     whether the device takes their blocks, and those of contexts that were set up by a
 *              function of newer releases: prints yes or no for each
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LIBRARIES 16

struct library {
    void *handle;
    int tag;
    int (*work)(int tag, int rounds);
    int (*is_served)(int without_content_size);
    void *(*create)(void);
};

static struct library libraries[MAX_LIBRARIES];
static int n_libraries;
static int flags = RTLD_NOW | RTLD_LOCAL;

static void *symbol(struct library *library, const char *name)
{
    void *found = dlsym(library->handle, name);

    if (found == NULL) {
        printf("%s\n", dlerror());
        exit(2);
    }
    return found;
}

static const char *path_of(const char *argument)
{
    return strchr(argument, '=') != NULL ? strchr(argument, '=') + 1 : argument;
}

static void load(struct library *library, const char *argument)
{
    const char *path = path_of(argument);

    library->handle = dlopen(path, flags);
    if (library->handle == NULL) {
        printf("%s\n", dlerror());
        exit(2);
    }
    library->tag = atoi(argument);
    library->work = (int (*)(int, int))symbol(library, "work");
    library->is_served = (int (*)(int))symbol(library, "is_served");
    library->create = (void *(*)(void))symbol(library, "create");
}

static int turns(void)
{
    int wrong = 0;

    for (int round = 0; round < 20; round++)
        for (int i = 0; i < n_libraries; i++)
            wrong += libraries[i].work(libraries[i].tag, 2);
    return wrong;
}

static void *run(void *library_of)
{
    struct library *library = library_of;

    return (void *)(long)library->work(library->tag, 5000);
}

static int threads(void)
{
    pthread_t ids[2 * MAX_LIBRARIES];
    int wrong = 0;

    for (int i = 0; i < 2 * n_libraries; i++)
        pthread_create(&ids[i], NULL, run, &libraries[i / 2]);
    for (int i = 0; i < 2 * n_libraries; i++) {
        void *result;
        pthread_join(ids[i], &result);
        wrong += (int)(long)result;
    }
    return wrong;
}

static int reload_one(const char *argument)
{
    struct library library;
    int wrong;

    load(&library, argument);
    wrong = library.work(library.tag, 3);
    dlclose(library.handle);
    if (dlopen(path_of(argument), RTLD_NOW | RTLD_NOLOAD) != NULL) {
        printf("%s is still loaded\n", path_of(argument));
        wrong++;
    }
    return wrong;
}

static int reload(char **arguments)
{
    int wrong = 0;

    for (int i = 0; i < 3 * n_libraries; i++)
        wrong += reload_one(arguments[i % n_libraries]);
    return wrong;
}

/* The first library stays, with a context, while the second one comes and goes more often than the
 * hook has numbers. */
static int wear(char **arguments)
{
    int (*hold)(void);
    int wrong = 0;

    if (n_libraries != 2)
        return 2;
    load(&libraries[0], arguments[0]);
    hold = (int (*)(void))symbol(&libraries[0], "hold");
    wrong += hold();
    for (int i = 0; i < 300; i++)
        wrong += reload_one(arguments[1]);
    load(&libraries[1], arguments[1]);
    wrong += libraries[1].work(libraries[1].tag, 3);
    return wrong + hold();
}

static int jump(char **arguments)
{
    int wrong = 0;

    for (int i = 0; i < n_libraries; i++) {
        size_t (*free_cctx)(void *);
        void *cctx, *again;

        load(&libraries[i], arguments[i]);
        free_cctx = (size_t(*)(void *))symbol(&libraries[i], "ZSTD_freeCCtx");
        cctx = libraries[i].create();
        again = libraries[i].create();
        printf("%d: %s\n", i + 1, cctx != NULL ? "a context" : "no context");
        wrong += (cctx != NULL) != (again != NULL);
        wrong += cctx != NULL && free_cctx(cctx) != 0;
        wrong += again != NULL && free_cctx(again) != 0;
    }
    return wrong;
}

static int served(void)
{
    for (int i = 0; i < n_libraries; i++)
        printf("%d: %s, set up otherwise: %s\n", i + 1, libraries[i].is_served(0) ? "yes" : "no",
               libraries[i].is_served(1) ? "yes" : "no");
    return 0;
}

int main(int argc, char **argv)
{
    const char *scenario = argc > 1 ? argv[1] : "";
    int wrong = 2;

    if (getenv("TEST_RTLD_GLOBAL") != NULL)
        flags = RTLD_NOW | RTLD_GLOBAL;
    if (getenv("TEST_RTLD_GLOBAL_LAZY") != NULL)
        flags = RTLD_LAZY | RTLD_GLOBAL;
    if (getenv("TEST_RTLD_LAZY") != NULL)
        flags = RTLD_LAZY | RTLD_LOCAL;
    n_libraries = argc - 2;
    if (n_libraries < 1 || n_libraries > MAX_LIBRARIES)
        return 2;
    if (strcmp(scenario, "reload") == 0)
        return reload(argv + 2) != 0;
    if (strcmp(scenario, "wear") == 0)
        return wear(argv + 2) != 0;
    if (strcmp(scenario, "jump") == 0)
        return jump(argv + 2) != 0;
    for (int i = 0; i < n_libraries; i++)
        load(&libraries[i], argv[2 + i]);
    if (strcmp(scenario, "turns") == 0)
        wrong = turns();
    else if (strcmp(scenario, "threads") == 0)
        wrong = threads();
    else if (strcmp(scenario, "served") == 0)
        wrong = served();
    if (wrong != 0)
        printf("%s: %d wrong\n", scenario, wrong);
    return wrong != 0;
}
