/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which sanitizer a test is compiled with, 0 or 1: gcc defines a macro, clang has __has_feature().
 * A sanitizer replaces malloc, makes a fork cost 20 times as much, and ThreadSanitizer cannot
 * follow contexts that are switched by hand.
 */
#ifndef ROCKPRESS_TESTS_SUPPORT_SANITIZERS_H
#define ROCKPRESS_TESTS_SUPPORT_SANITIZERS_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_ADDRESS_SANITIZER 1
#endif
#if __has_feature(thread_sanitizer)
#define TEST_THREAD_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define TEST_ADDRESS_SANITIZER 1
#endif
#if defined(__SANITIZE_THREAD__)
#define TEST_THREAD_SANITIZER 1
#endif

#if !defined(TEST_ADDRESS_SANITIZER)
#define TEST_ADDRESS_SANITIZER 0
#endif
#if !defined(TEST_THREAD_SANITIZER)
#define TEST_THREAD_SANITIZER 0
#endif

/* Kernels take several times as long as usual; scripts/coverage says so of its build. */
#if TEST_ADDRESS_SANITIZER || TEST_THREAD_SANITIZER || defined(ROCKPRESS_WITH_COUNTERS)
#define TEST_SLOW_KERNELS 1
#else
#define TEST_SLOW_KERNELS 0
#endif

#endif
