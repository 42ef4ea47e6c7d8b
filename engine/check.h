/* SPDX-License-Identifier: Apache-2.0 */
/* Argument checks of the engine that others in this folder need before they enqueue anything. */
#ifndef ROCKPRESS_ENGINE_CHECK_H
#define ROCKPRESS_ENGINE_CHECK_H

#include "rockpress/engine.h"

/* RP_STATUS_OK or an argument error, explained in options->error. options is not NULL. */
rp_status rp_check_options(const rp_compress_options *options, rp_stream stream);

#endif
