/* SPDX-License-Identifier: Apache-2.0 */
/* hook/caller.h for hook/opaque_setup.c, which does not include libzstd's headers. */
#include "plugin/hook/caller.h"

void (*rp_setup_function_of(const struct rp_context *context, const void *caller,
                            enum rp_zstd_setup_number number, size_t *error))(void);
void (*rp_setup_function_of(const struct rp_context *context, const void *caller,
                            enum rp_zstd_setup_number number, size_t *error))(void)
{
    const struct rp_zstd *zstd = rp_library_of(context, caller);

    *error = zstd == NULL ? RP_ZSTD_NO_LIBRARY : RP_ZSTD_NO_FUNCTION;
    return zstd != NULL ? zstd->setup[number] : NULL;
}
