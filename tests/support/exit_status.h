/* SPDX-License-Identifier: Apache-2.0 */
/* The exit status that says that a test could not run; ctest counts it as skipped. */
#ifndef ROCKPRESS_TESTS_SUPPORT_EXIT_STATUS_H
#define ROCKPRESS_TESTS_SUPPORT_EXIT_STATUS_H

#define EXIT_SKIPPED 77

#endif
