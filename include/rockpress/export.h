/* SPDX-License-Identifier: Apache-2.0 */
/* Symbol visibility: the libraries are built with hidden symbols, RP_API marks what is exported.
 * RP_INLINE is for the small functions in headers, which kernels may call too. */
#ifndef ROCKPRESS_EXPORT_H
#define ROCKPRESS_EXPORT_H

#if defined(__GNUC__) || defined(__clang__)
#define RP_API __attribute__((visibility("default")))
#else
#define RP_API
#endif

#if defined(__CUDACC__)
#define RP_INLINE static __host__ __device__ inline
#else
#define RP_INLINE static inline
#endif

#endif
