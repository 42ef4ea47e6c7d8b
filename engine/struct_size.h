/* SPDX-License-Identifier: Apache-2.0 */
/* The rule of rockpress/version.h for structs that begin with their size. */
#ifndef ROCKPRESS_ENGINE_STRUCT_SIZE_H
#define ROCKPRESS_ENGINE_STRUCT_SIZE_H

#include <stddef.h>

#include "rockpress/status.h"

/* A struct as this library knows it. It does not end in padding: a later field would begin in it,
 * and the padding of an earlier caller's struct would be read as that field. */
typedef struct rp_struct_kind {
    const char *name;
    size_t first_bytes; /* in the first version that had it */
    size_t known_bytes; /* now */
} rp_struct_kind;

/* The kind of `type`, which ended with the field `last` in its first version. */
#define RP_STRUCT_KIND(type, last)                                                                 \
    {                                                                                              \
#type, offsetof(type, last) + sizeof(((type *)0)->last), sizeof(type)                      \
    }

/* RP_STATUS_OK, or RP_STATUS_INVALID_STRUCT_SIZE with the size and what is allowed. What follows
 * the known bytes is not looked at. */
rp_status rp_check_struct_size(const rp_struct_kind *kind, const void *given, rp_error *error);

/* Copies the caller's struct, which must not be NULL, to `known`, which holds the defaults. */
rp_status rp_read_struct(const rp_struct_kind *kind, void *known, const void *given,
                         rp_error *error);

/* Fills the caller's struct, whose struct_size stays; nothing is written on an error. */
rp_status rp_write_struct(const rp_struct_kind *kind, void *given, const void *known,
                          rp_error *error);

#endif
