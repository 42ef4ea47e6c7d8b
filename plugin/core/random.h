/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that others can't guess: names of temporary files, keys of hash tables. */
#ifndef ROCKPRESS_PLUGIN_CORE_RANDOM_H
#define ROCKPRESS_PLUGIN_CORE_RANDOM_H

#include <stdint.h>

/* 64 bits of the kernel's random numbers. Where it has none to give (no system call, a sandbox, the
 * first moments after boot), a mixture of clocks and addresses, which is different in each call and
 * harder to guess than a constant. Never waits. Any thread; leaves errno as it was. */
uint64_t rp_random(void);

#endif
