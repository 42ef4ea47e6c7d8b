/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded objects: see zstd/objects.h. */
#include "plugin/zstd/objects.h"

#include <dlfcn.h>
#include <elf.h>
#include <stddef.h>
#include <string.h>

#if defined(__x86_64__)
#define RELOCATION_JUMP_SLOT R_X86_64_JUMP_SLOT
#define RELOCATION_GLOB_DAT R_X86_64_GLOB_DAT
#elif defined(__aarch64__)
#define RELOCATION_JUMP_SLOT R_AARCH64_JUMP_SLOT
#define RELOCATION_GLOB_DAT R_AARCH64_GLOB_DAT
#endif

#if __ELF_NATIVE_CLASS == 64
#define RELOCATION_SYMBOL ELF64_R_SYM
#define RELOCATION_TYPE ELF64_R_TYPE
#define SYMBOL_TYPE ELF64_ST_TYPE
#else
#error "rockpress supports 64-bit systems only"
#endif

/* An object in the tables of which nothing is looked up: it lists no symbols. */
struct tables {
    const ElfW(Sym) * symbols;
    const char *names;
    const uint32_t *gnu_hash, *hash;
    const ElfW(Rela) * relocations[2];
    size_t n_relocations[2];
    size_t n_relative; /* of relocations[0], the first */
};

/* An entry of the dynamic section is an address in memory where the dynamic linker has adjusted
 * it, as glibc does, and one in the file otherwise. */
static const void *address_of(const rp_object *object, ElfW(Addr) value)
{
    return (const void *)(value < object->base ? object->base + value : value);
}

static bool read_tables(const rp_object *object, struct tables *tables)
{
    memset(tables, 0, sizeof(*tables));
    for (const ElfW(Dyn) *entry = object->dynamic; entry->d_tag != DT_NULL; entry++) {
        const void *address = address_of(object, entry->d_un.d_ptr);
        switch (entry->d_tag) {
        case DT_SYMTAB:
            tables->symbols = address;
            break;
        case DT_STRTAB:
            tables->names = address;
            break;
        case DT_GNU_HASH:
            tables->gnu_hash = address;
            break;
        case DT_HASH:
            tables->hash = address;
            break;
        case DT_RELA:
            tables->relocations[0] = address;
            break;
        case DT_RELASZ:
            tables->n_relocations[0] = entry->d_un.d_val / sizeof(ElfW(Rela));
            break;
        case DT_RELACOUNT:
            tables->n_relative = entry->d_un.d_val;
            break;
        case DT_JMPREL:
            tables->relocations[1] = address;
            break;
        case DT_PLTRELSZ:
            tables->n_relocations[1] = entry->d_un.d_val / sizeof(ElfW(Rela));
            break;
        default:
            break;
        }
    }
    return tables->symbols != NULL && tables->names != NULL;
}

static bool defines(const struct tables *tables, uint32_t index, const char *name)
{
    const ElfW(Sym) *symbol = &tables->symbols[index];

    return symbol->st_shndx != SHN_UNDEF && symbol->st_value != 0 &&
           SYMBOL_TYPE(symbol->st_info) == STT_FUNC &&
           strcmp(tables->names + symbol->st_name, name) == 0;
}

/* 0 when there is none: symbol 0 is always undefined. */
static uint32_t find_by_gnu_hash(const struct tables *tables, const char *name)
{
    const uint32_t *table = tables->gnu_hash;
    uint32_t n_buckets = table[0], first_symbol = table[1], n_words = table[2], shift = table[3];
    const ElfW(Addr) *filter = (const ElfW(Addr) *)(const void *)(table + 4);
    const uint32_t *buckets = (const uint32_t *)(const void *)(filter + n_words);
    const uint32_t *chains = buckets + n_buckets;
    uint32_t hash = 5381, index;
    ElfW(Addr) word;

    for (const char *c = name; *c != '\0'; c++)
        hash = hash * 33 + (unsigned char)*c;
    if (n_buckets == 0 || n_words == 0)
        return 0;
    word = filter[hash / __ELF_NATIVE_CLASS % n_words];
    if ((word >> (hash % __ELF_NATIVE_CLASS) & word >> ((hash >> shift) % __ELF_NATIVE_CLASS) &
         1) == 0)
        return 0;
    index = buckets[hash % n_buckets];
    if (index < first_symbol)
        return 0;
    for (;; index++) {
        uint32_t other = chains[index - first_symbol];
        if ((other | 1) == (hash | 1) && defines(tables, index, name))
            return index;
        if ((other & 1) != 0)
            return 0;
    }
}

static uint32_t find_by_hash(const struct tables *tables, const char *name)
{
    uint32_t n_symbols = tables->hash[1];

    for (uint32_t index = 1; index < n_symbols; index++)
        if (defines(tables, index, name))
            return index;
    return 0;
}

void *rp_object_function(const rp_object *object, const char *name)
{
    struct tables tables;
    uint32_t index = 0;

    if (!read_tables(object, &tables))
        return NULL;
    if (tables.gnu_hash != NULL)
        index = find_by_gnu_hash(&tables, name);
    else if (tables.hash != NULL)
        index = find_by_hash(&tables, name);
    return index != 0 ? (void *)(object->base + tables.symbols[index].st_value) : NULL;
}

#ifdef RELOCATION_JUMP_SLOT
/* The slot's content, if it is the final one. Until the first call, the slot of a lazily bound
 * function leads back into the object, to code that calls the dynamic linker. */
static const void *bound_to(const rp_object *object, const ElfW(Rela) * relocation,
                            const ElfW(Sym) * symbol)
{
    uintptr_t slot = object->base + relocation->r_offset;
    uintptr_t value = __atomic_load_n((const uintptr_t *)slot, __ATOMIC_RELAXED);
    bool is_inside = value >= object->begin && value < object->end;

    if (is_inside && (symbol->st_shndx == SHN_UNDEF || value != object->base + symbol->st_value))
        return NULL;
    return (const void *)value;
}

const void *rp_object_binding(const rp_object *object,
                              bool (*is_wanted)(const char *name, const void *function))
{
    struct tables tables;

    if (!read_tables(object, &tables))
        return NULL;
    for (unsigned t = 0; t < 2; t++) {
        for (size_t i = t == 0 ? tables.n_relative : 0; i < tables.n_relocations[t]; i++) {
            const ElfW(Rela) *relocation = &tables.relocations[t][i];
            unsigned long type = RELOCATION_TYPE(relocation->r_info);
            const ElfW(Sym) *symbol = &tables.symbols[RELOCATION_SYMBOL(relocation->r_info)];
            const void *function;

            if (type != RELOCATION_JUMP_SLOT && type != RELOCATION_GLOB_DAT)
                continue;
            function = bound_to(object, relocation, symbol);
            if (function != NULL && is_wanted(tables.names + symbol->st_name, function))
                return function;
        }
    }
    return NULL;
}
#else
/* Without knowledge of this processor's relocations nothing is known to be bound. */
const void *rp_object_binding(const rp_object *object,
                              bool (*is_wanted)(const char *name, const void *function))
{
    (void)object;
    (void)is_wanted;
    return NULL;
}
#endif

/* A slot that is not bound leads to code which binds it. On other processors that code expects
 * more than a plain call. */
void rp_object_bind_one(const rp_object *object, const rp_object *definer,
                        bool (*is_harmless)(const char *name))
{
#ifdef __x86_64__
    struct tables tables;

    if (!read_tables(object, &tables))
        return;
    for (size_t i = 0; i < tables.n_relocations[1]; i++) {
        const ElfW(Rela) *relocation = &tables.relocations[1][i];
        const ElfW(Sym) *symbol = &tables.symbols[RELOCATION_SYMBOL(relocation->r_info)];
        uintptr_t slot = object->base + relocation->r_offset;

        if (RELOCATION_TYPE(relocation->r_info) == RELOCATION_JUMP_SLOT &&
            is_harmless(tables.names + symbol->st_name) &&
            rp_object_function(definer, tables.names + symbol->st_name) != NULL &&
            bound_to(object, relocation, symbol) == NULL) {
            uintptr_t value = __atomic_load_n((const uintptr_t *)slot, __ATOMIC_RELAXED);
            (void)((size_t(*)(size_t))value)(0);
            return;
        }
    }
#else
    (void)object;
    (void)definer;
    (void)is_harmless;
#endif
}

static bool object_of_info(const struct dl_phdr_info *info, rp_object *object)
{
    object->base = info->dlpi_addr;
    object->dynamic = NULL;
    object->begin = UINTPTR_MAX;
    object->end = 0;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        uintptr_t begin = object->base + header->p_vaddr;
        if (header->p_type == PT_DYNAMIC)
            object->dynamic = (const ElfW(Dyn) *)begin;
        if (header->p_type != PT_LOAD)
            continue;
        if (begin < object->begin)
            object->begin = begin;
        if (begin + header->p_memsz > object->end)
            object->end = begin + header->p_memsz;
    }
    return object->dynamic != NULL;
}

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 35)
/* Takes no lock at all. */
bool rp_object_of(const void *address, rp_object *object)
{
    struct dl_find_object found;

    if (_dl_find_object((void *)(uintptr_t)address, &found) != 0)
        return false;
    object->base = found.dlfo_link_map->l_addr;
    object->dynamic = found.dlfo_link_map->l_ld;
    object->begin = (uintptr_t)found.dlfo_map_start;
    object->end = (uintptr_t)found.dlfo_map_end;
    return object->dynamic != NULL;
}

uintptr_t rp_object_begin_of(const void *address)
{
    struct dl_find_object found;

    return _dl_find_object((void *)(uintptr_t)address, &found) == 0
               ? (uintptr_t)found.dlfo_map_start
               : 0;
}
#else
struct address_search {
    uintptr_t address;
    rp_object *object;
};

static int visit_address(struct dl_phdr_info *info, size_t size, void *search_of)
{
    struct address_search *search = search_of;

    (void)size;
    return object_of_info(info, search->object) && search->address >= search->object->begin &&
           search->address < search->object->end;
}

bool rp_object_of(const void *address, rp_object *object)
{
    struct address_search search = {(uintptr_t)address, object};

    return dl_iterate_phdr(visit_address, &search) != 0;
}

uintptr_t rp_object_begin_of(const void *address)
{
    rp_object object;

    return rp_object_of(address, &object) ? object.begin : 0;
}
#endif

static int visit_clock(struct dl_phdr_info *info, size_t size, void *clock_of)
{
    uint64_t *clock = clock_of;

    (void)size;
    *clock = (uint64_t)info->dlpi_adds + info->dlpi_subs;
    return 1;
}

uint64_t rp_objects_clock(void)
{
    uint64_t clock = 0;

    dl_iterate_phdr(visit_clock, &clock);
    return clock;
}

struct count_search {
    bool (*is_wanted)(const rp_object *object);
    rp_object *found;
    unsigned n;
};

static int visit_count(struct dl_phdr_info *info, size_t size, void *search_of)
{
    struct count_search *search = search_of;
    rp_object object;

    (void)size;
    if (object_of_info(info, &object) && search->is_wanted(&object)) {
        *search->found = object;
        search->n++;
    }
    return 0;
}

unsigned rp_objects_count(bool (*is_wanted)(const rp_object *object), rp_object *found)
{
    struct count_search search = {is_wanted, found, 0};

    dl_iterate_phdr(visit_count, &search);
    return search.n;
}

/* A scope has the object, then the libraries that it needs, then those that these need. */
#define MAX_SCOPE 128u

struct scope_search {
    const rp_object *root;
    bool (*is_wanted)(const rp_object *object);
    rp_object *found;
    rp_object objects[MAX_SCOPE];
    unsigned n_objects;
    const char *needed; /* the name that is looked for */
    bool is_found;
};

/* By its soname. One that has none is called by the path that it was loaded from, or the last part
 * of that. */
static bool is_called(const rp_object *object, const char *path, const char *name)
{
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    const ElfW(Dyn) *entry = object->dynamic;
    struct tables tables;

    if (path != NULL && strcmp(path, name) == 0)
        return true;
    while (entry->d_tag != DT_NULL && entry->d_tag != DT_SONAME)
        entry++;
    if (entry->d_tag == DT_SONAME)
        return read_tables(object, &tables) && strcmp(tables.names + entry->d_un.d_val, name) == 0;
    return slash != NULL && strcmp(slash + 1, name) == 0;
}

static int visit_needed(struct dl_phdr_info *info, size_t size, void *search_of)
{
    struct scope_search *search = search_of;
    rp_object object;

    (void)size;
    if (!object_of_info(info, &object) || !is_called(&object, info->dlpi_name, search->needed))
        return 0;
    for (unsigned i = 0; i < search->n_objects; i++)
        if (search->objects[i].dynamic == object.dynamic)
            return 1;
    if (search->n_objects < MAX_SCOPE)
        search->objects[search->n_objects++] = object;
    return 1;
}

static void add_needed(struct scope_search *search, const rp_object *object)
{
    struct tables tables;

    if (!read_tables(object, &tables))
        return;
    for (const ElfW(Dyn) *entry = object->dynamic; entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag != DT_NEEDED)
            continue;
        search->needed = tables.names + entry->d_un.d_val;
        dl_iterate_phdr(visit_needed, search);
    }
}

/* Called for the first object only, to have the lock of dl_iterate_phdr: no object is unloaded
 * while a thread has it. The lock is recursive. */
static int search_scope(struct dl_phdr_info *info, size_t size, void *search_of)
{
    struct scope_search *search = search_of;

    (void)info;
    (void)size;
    search->objects[0] = *search->root;
    search->n_objects = 1;
    for (unsigned i = 0; i < search->n_objects && !search->is_found; i++) {
        search->is_found = search->is_wanted(&search->objects[i]);
        if (search->is_found)
            *search->found = search->objects[i];
        else
            add_needed(search, &search->objects[i]);
    }
    return 1;
}

bool rp_object_in_scope(const rp_object *root, bool (*is_wanted)(const rp_object *object),
                        rp_object *found)
{
    struct scope_search search;

    search.root = root;
    search.is_wanted = is_wanted;
    search.found = found;
    search.is_found = false;
    dl_iterate_phdr(search_scope, &search);
    return search.is_found;
}
