/* SPDX-License-Identifier: Apache-2.0 */
/* A program that never compresses, and starts a thread with the smallest stack that POSIX allows.
 * Thread-local storage of every library that is loaded at start-up takes its part of that stack. */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* PTHREAD_STACK_MIN as programs have it that were compiled when it was a number. */
#define SMALLEST_STACK_BYTES 16384

static void *run(void *argument)
{
    return argument;
}

int main(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int error = pthread_attr_init(&attributes);

    if (error == 0)
        error = pthread_attr_setstacksize(&attributes, SMALLEST_STACK_BYTES);
    if (error == 0)
        error = pthread_create(&thread, &attributes, run, NULL);
    if (error == 0)
        error = pthread_join(thread, NULL);
    printf("thread: %s\n", strerror(error));
    return error != 0;
}
