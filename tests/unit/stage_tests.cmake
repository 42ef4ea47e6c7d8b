# SPDX-License-Identifier: Apache-2.0
# The kernels, stage by stage and in teams, and the pool. What is about threads is labelled tsan.
set(stage_support ${PROJECT_SOURCE_DIR}/tests/support)
set(stage_team ${stage_support}/team_device.c ${stage_support}/inputs.c)

# <program>: its cases on teams of threads; <program>_shuffled: those on teams that take turns in shuffled
# order, which ThreadSanitizer does not allow. There it says that it is skipped.
function(rockpress_add_team_test program)
  rockpress_add_test(NAME ${program} LABELS unit tsan
    SOURCES ${program}.c ${stage_team}
    LIBRARIES rockpress_static cmocka_dep
    ARGS --without test_shuffled*)
  rockpress_register_test(NAME ${program}_shuffled LABELS unit asan tsan
    COMMAND ${program} test_shuffled*)
endfunction()

rockpress_add_team_test(test_team)
rockpress_test_efforts(test_team unit tsan ARGS --without test_shuffled*)
rockpress_test_efforts(test_team_shuffled unit tsan PROGRAM test_team ARGS test_shuffled*)

rockpress_add_test(NAME test_schedule LABELS unit
  SOURCES test_schedule.c
  LIBRARIES rockpress_static cmocka_dep)

# Compiled for teams of threads and for teams of one: the two implementations of a collective.
foreach(name test_team_collectives test_bit_writer test_shared_block test_chains test_repeat_offsets)
  rockpress_add_team_test(${name})
  target_compile_definitions(${name} PRIVATE RP_TEAM_THREADS)
endforeach()
# Teams of at most 128 workers divide the chains of FSE states, as teams of 256 do on a GPU.
foreach(name test_chains test_team)
  target_compile_definitions(${name} PRIVATE RP_CHAIN_SHARES_FROM=48)
endforeach()
rockpress_add_test(NAME test_team_collectives_solo LABELS unit
  SOURCES test_team_collectives.c
  LIBRARIES rockpress_static cmocka_dep)
rockpress_add_test(NAME test_bit_writer_solo LABELS unit
  SOURCES test_bit_writer.c ${stage_support}/inputs.c
  LIBRARIES rockpress_static cmocka_dep)

foreach(name test_pool test_pool_exhausted test_pool_memory test_pool_threads)
  rockpress_add_test(NAME ${name} LABELS unit tsan
    SOURCES ${name}.c ${stage_support}/queue_device.c ${stage_support}/pool_checks.c
            ${stage_support}/pool_sample.c ${stage_support}/inputs.c
    LIBRARIES rockpress_static cmocka_dep)
endforeach()

foreach(name test_combiner test_combiner_faults test_combiner_service)
  rockpress_add_test(NAME ${name} LABELS unit asan tsan
    SOURCES ${name}.c ${stage_support}/crowd.c ${stage_support}/gate_device.c
            ${stage_support}/queue_device.c ${stage_support}/inputs.c
    LIBRARIES rockpress_static cmocka_dep)
endforeach()

rockpress_add_test(NAME test_matcher LABELS unit
  SOURCES test_matcher.c ${stage_support}/inputs.c
  LIBRARIES rockpress_static zstd_dep cmocka_dep)
rockpress_test_efforts(test_matcher unit asan)
if(TARGET rfc8878_decoder)
  foreach(name test_huffman test_fse test_frame)
    rockpress_add_test(NAME ${name} LABELS unit
      SOURCES ${name}.c ${stage_support}/inputs.c
      LIBRARIES rfc8878_decoder rockpress_static zstd_dep xxhash_dep cmocka_dep m)
  endforeach()
  rockpress_add_test(NAME test_huffman_team LABELS unit
    SOURCES test_huffman.c ${stage_team}
    LIBRARIES rfc8878_decoder rockpress_static zstd_dep xxhash_dep cmocka_dep m)
  target_compile_definitions(test_huffman_team PRIVATE RP_TEAM_THREADS)

  # The frame verifier and its hash.
  rockpress_add_test(NAME test_verifier LABELS unit tsan
    SOURCES test_verifier.c ${stage_support}/prover.c ${stage_team}
    LIBRARIES rfc8878_decoder rockpress_static cmocka_dep
    ARGS --without test_shuffled*)
  rockpress_register_test(NAME test_verifier_shuffled LABELS unit asan tsan
    COMMAND test_verifier test_shuffled*)
  rockpress_add_test(NAME test_xxh3 LABELS unit tsan
    SOURCES test_xxh3.c ${stage_team}
    LIBRARIES rockpress_static xxhash_dep cmocka_dep
    ARGS --without test_shuffled*)
  target_compile_definitions(test_xxh3 PRIVATE RP_TEAM_THREADS)
  rockpress_register_test(NAME test_xxh3_shuffled LABELS unit asan tsan
    COMMAND test_xxh3 test_shuffled*)
  rockpress_add_test(NAME test_xxh3_solo LABELS unit
    SOURCES test_xxh3.c ${stage_support}/inputs.c
    LIBRARIES rockpress_static xxhash_dep cmocka_dep)
endif()
