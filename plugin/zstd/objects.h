/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects (programs and shared libraries) that the dynamic linker has loaded: which one an
 * address lies in, and what it defines and refers to.
 *
 * dlsym, dlopen and dladdr take the loader's lock. A thread that loads a module holds this lock
 * while the module's constructors run. If such a constructor waits for a thread that compresses,
 * the compressing thread must not wait for the lock. So these functions read the tables of the ELF
 * files in memory themselves. Source: System V ABI, chapters "Dynamic Linking" and "Hash Table";
 * the GNU hash table as in the GNU linker.
 *
 * Thread rule: any thread. rp_objects_search keeps objects from being unloaded while it runs; the
 * other functions need an object that stays loaded, because its code is in use.
 */
#ifndef ROCKPRESS_PLUGIN_ZSTD_OBJECTS_H
#define ROCKPRESS_PLUGIN_ZSTD_OBJECTS_H

#include <link.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct rp_object {
    uintptr_t base;            /* what is added to the addresses in its file */
    const ElfW(Dyn) * dynamic; /* its dynamic section: NULL in no object that is found */
    uintptr_t begin, end;      /* the addresses that it covers */
} rp_object;

/* The object that the address lies in. False if it lies in none, as code that was compiled while
 * the program runs. */
bool rp_object_of(const void *address, rp_object *object);

/* Where that object begins, 0 if there is none. It need not stay loaded. */
uintptr_t rp_object_begin_of(const void *address);

/* The function that the object itself defines and exports under this name, or NULL. */
void *rp_object_function(const rp_object *object, const char *name);

/* Makes the dynamic linker bind the object's reference to a function that is_harmless accepts, as
 * the object's own first call of it would: calls it with the argument 0. `definer` is in the
 * object's scope, and has the function, so that there is something to bind. On x86-64 only. */
void rp_object_bind_one(const rp_object *object, const rp_object *definer,
                        bool (*is_harmless)(const char *name));

/* What the dynamic linker has bound one of the object's references to: the first for which
 * `is_wanted` accepts both the name and the function. NULL: there is none, or none is bound yet. */
const void *rp_object_binding(const rp_object *object,
                              bool (*is_wanted)(const char *name, const void *function));

/* The first object, in the order in which the dynamic linker searches `root` and the libraries
 * that it needs, that `is_wanted` accepts. */
bool rp_object_in_scope(const rp_object *root, bool (*is_wanted)(const rp_object *object),
                        rp_object *found);

/* Grows whenever an object is loaded or unloaded. */
uint64_t rp_objects_clock(void);

/* How many of all loaded objects `is_wanted` accepts; *found is one of them. */
unsigned rp_objects_count(bool (*is_wanted)(const rp_object *object), rp_object *found);

#endif
