/* SPDX-License-Identifier: Apache-2.0 */
/* hook/caller.h for hook/opaque_setup.c, which does not include libzstd's headers. */
#include "plugin/hook/caller.h"

extern const size_t rp_zstd_no_library, rp_zstd_no_function;
const size_t rp_zstd_no_library = RP_ZSTD_NO_LIBRARY;
const size_t rp_zstd_no_function = RP_ZSTD_NO_FUNCTION;

struct rp_zstd *rp_library_of_call(const struct rp_context *context, const void *caller);
struct rp_zstd *rp_library_of_call(const struct rp_context *context, const void *caller)
{
    return rp_library_of(context, caller);
}
