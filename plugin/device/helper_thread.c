/* SPDX-License-Identifier: Apache-2.0 */
/* See device/helper_thread.h. */
#include "plugin/device/helper_thread.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/core/nesting.h"

/* CUDA's calls need more than the smallest stacks, and a program may have set the default low. */
#define MIN_STACK_BYTES ((size_t)1 << 20)

/* What holds this code is not unloaded while a thread runs. The hook and the adapter never are; a
 * librocksdb.so with the plugin inside may be. On the new thread, as this takes the loader's lock,
 * which nobody who compresses may wait for. */
static void stay_loaded(void)
{
    static _Atomic bool is_kept;
    Dl_info info;

    if (atomic_exchange(&is_kept, true))
        return;
    if (dladdr((void *)(uintptr_t)stay_loaded, &info) != 0)
        (void)dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
    /* A program is not found by its name. The error is freed when it is asked for again. */
    while (dlerror() != NULL)
        ;
}

static void *thread_main(void *argument)
{
    void (*run)(void) = (void (*)(void))(uintptr_t)argument;
    rp_nesting nesting;

    stay_loaded();
    rp_nesting_enter(&nesting);
    run();
    rp_nesting_leave(&nesting);
    return NULL;
}

int rp_helper_thread_start(void (*run)(void))
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    size_t stack_bytes = 0;
    int error = pthread_attr_init(&attributes);

    if (error != 0)
        return error;
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_attr_getstacksize(&attributes, &stack_bytes) == 0 && stack_bytes < MIN_STACK_BYTES)
        (void)pthread_attr_setstacksize(&attributes, MIN_STACK_BYTES);
    /* Threads of the driver inherit the mask. */
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, &attributes, thread_main, (void *)(uintptr_t)run);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return error;
}
