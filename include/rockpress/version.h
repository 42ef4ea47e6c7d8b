/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The version of rockpress, and what it promises.
 *
 * Bytes: the same input, effort, flags, dictionary and version give the same bytes, on every device
 * and with any number of threads. Another version may give other bytes; every version's frames are
 * plain zstd, which any decoder reads. A program that needs equal bytes from two processes or two
 * machines compares what rp_version_number() returns in each.
 *
 * Structs: a struct that a caller fills, or that a function fills for the caller, begins with
 * `size_t struct_size`, its size in the headers that the caller was compiled with. An initialiser
 * (RP_..._INIT, RP_COMPRESS_OPTIONS_DEFAULT) sets it. New fields come at the end, and the library
 * reads a struct of another version like this:
 *   - smaller than in the first version that had the struct: RP_STATUS_INVALID_STRUCT_SIZE;
 *   - smaller than the library's own: the missing fields have their defaults;
 *   - larger than the library's own: the fields that the library does not know must be all zero
 *     bytes, else RP_STATUS_INVALID_STRUCT_SIZE: the caller asks for what this library cannot do;
 *   - larger than RP_MAX_STRUCT_BYTES: RP_STATUS_INVALID_STRUCT_SIZE.
 * Only rp_device and rp_device_ops may have more fields that are not zero: they say what a device
 * can do, and a library does not have to use all of it.
 * A struct that a function fills is never written beyond its struct_size. Fields that the library
 * does not know are set to zero.
 *
 * rp_stream and rp_error have no size: they stay as they are for as long as the number in the name
 * of the shared library (librockpress.so.0) does. rp_zstd_block and rp_sequence are what one
 * version puts in device memory: programs that read them are compiled for that version.
 */
#ifndef ROCKPRESS_VERSION_H
#define ROCKPRESS_VERSION_H

#include <stdint.h>

#include "rockpress/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of these headers. The build reads its own version from here. */
#define RP_VERSION_MAJOR 0
#define RP_VERSION_MINOR 1
#define RP_VERSION_PATCH 0

/* One number that grows with every version: 10203 is version 1.2.3. */
#define RP_VERSION_NUMBER (RP_VERSION_MAJOR * 10000 + RP_VERSION_MINOR * 100 + RP_VERSION_PATCH)

/* Largest struct_size that any version accepts, in bytes. */
#define RP_MAX_STRUCT_BYTES 4096

/* RP_VERSION_NUMBER of the library that runs, which may be newer than these headers. Any thread. */
RP_API uint32_t rp_version_number(void);

/* The same for a person: "1.2.3". Never NULL. Any thread. */
RP_API const char *rp_version_string(void);

#ifdef __cplusplus
}
#endif

#endif
