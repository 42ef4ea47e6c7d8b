# SPDX-License-Identifier: Apache-2.0
# The decoder that checks the encoder, and the corpora that it is checked on.
if(TARGET rfc8878_decoder)
  rockpress_add_test(NAME test_rfc8878_decoder LABELS unit
    SOURCES test_rfc8878_decoder.c
            ${PROJECT_SOURCE_DIR}/tests/support/rfc8878_cases.c
            ${PROJECT_SOURCE_DIR}/tests/support/rfc8878_samples.c
            ${PROJECT_SOURCE_DIR}/tests/support/rfc8878_testing.c
    LIBRARIES rfc8878_decoder cmocka_dep zstd_dep xxhash_dep)
else()
  rockpress_skipped_test(NAME xxhash_tests LABELS unit REASON "configured without xxhash")
endif()
if(TARGET bench_corpus)
  rockpress_add_test(NAME test_corpus LABELS unit
    SOURCES test_corpus.c
    LIBRARIES bench_corpus zstd_dep xxhash_dep cmocka_dep)
endif()
