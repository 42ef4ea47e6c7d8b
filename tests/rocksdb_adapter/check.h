// SPDX-License-Identifier: Apache-2.0
// CHECK of the C++ tests: the first condition that does not hold is printed and
// ends the program.
#ifndef ROCKPRESS_TESTS_ROCKSDB_ADAPTER_CHECK_H
#define ROCKPRESS_TESTS_ROCKSDB_ADAPTER_CHECK_H

#include <cstdio>
#include <cstdlib>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                   \
            std::exit(1);                                                                          \
        }                                                                                          \
    } while (0)

#endif
