/* SPDX-License-Identifier: Apache-2.0 */
/* Symbol visibility. The libraries are built with hidden symbols; RP_API marks what is exported. */
#ifndef ROCKPRESS_EXPORT_H
#define ROCKPRESS_EXPORT_H

#if defined(__GNUC__) || defined(__clang__)
#define RP_API __attribute__((visibility("default")))
#else
#define RP_API
#endif

#endif
