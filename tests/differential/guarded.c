/* SPDX-License-Identifier: Apache-2.0 */
/* See guarded.h. */
#include "tests/differential/guarded.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void guarded_map(guarded_memory *guarded, size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t inner = (n + page - 1) / page * page;
    inner = inner == 0 ? page : inner;
    void *mapping = mmap(NULL, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED)
        abort();
    guarded->mapping = mapping;
    guarded->mapping_bytes = inner + 2 * page;
    guarded->inner_bytes = inner;
    if (mprotect(guarded->mapping + page, inner, PROT_READ | PROT_WRITE) != 0)
        abort();
}

void guarded_unmap(guarded_memory *guarded)
{
    munmap(guarded->mapping, guarded->mapping_bytes);
}

uint8_t *guarded_first(const guarded_memory *guarded)
{
    return guarded->mapping + (guarded->mapping_bytes - guarded->inner_bytes) / 2;
}

uint8_t *guarded_last(const guarded_memory *guarded, size_t n)
{
    return guarded_first(guarded) + guarded->inner_bytes - n;
}
