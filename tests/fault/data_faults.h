/* SPDX-License-Identifier: Apache-2.0 */
/* Faults of data, around a launch and behind a wait. */
#ifndef ROCKPRESS_TESTS_FAULT_DATA_FAULTS_H
#define ROCKPRESS_TESTS_FAULT_DATA_FAULTS_H

#include "tests/fault/injection.h"

/* Hands the launch on, with what the plan has for its input before and for its results behind it.
 */
rp_status data_faults_launch(injecting_device *self, struct injecting_stream *stream,
                             const struct rp_launch *launch);

/* The stream was waited for: what has arrived on the host. */
void data_faults_waited(injecting_device *self, struct injecting_stream *stream);

#endif
