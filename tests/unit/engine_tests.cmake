# SPDX-License-Identifier: Apache-2.0
# The engine's public functions: arguments, sizes, what they do not do on the hot path.
set(engine_helpers
  ${PROJECT_SOURCE_DIR}/tests/differential/counting_device.c
  ${PROJECT_SOURCE_DIR}/tests/support/inputs.c)
foreach(name test_arguments_compress test_arguments_stages)
  rockpress_add_test(NAME ${name} LABELS unit
    SOURCES ${name}.c ${PROJECT_SOURCE_DIR}/tests/support/argument_checks.c ${engine_helpers}
    LIBRARIES rockpress_static cmocka_dep)
endforeach()
rockpress_add_test(NAME test_arguments_combiner LABELS unit
  SOURCES test_arguments_combiner.c ${engine_helpers}
  LIBRARIES rockpress_static cmocka_dep)
rockpress_add_test(NAME test_arguments_pool LABELS unit
  SOURCES test_arguments_pool.c ${engine_helpers}
  LIBRARIES rockpress_static cmocka_dep)
rockpress_add_test(NAME test_arguments_that_wrap_around LABELS unit
  SOURCES test_arguments_that_wrap_around.c ${engine_helpers}
  LIBRARIES rockpress_static cmocka_dep)
rockpress_add_test(NAME test_misuse LABELS unit tsan
  SOURCES test_misuse.c ${engine_helpers}
  LIBRARIES rockpress_static cmocka_dep)
rockpress_add_test(NAME test_damaged_workspace LABELS unit
  SOURCES test_damaged_workspace.c ${PROJECT_SOURCE_DIR}/tests/differential/guarded.c
          ${PROJECT_SOURCE_DIR}/tests/support/team_device.c ${engine_helpers}
  LIBRARIES rockpress_static cmocka_dep)
rockpress_add_test(NAME test_struct_size LABELS unit
  SOURCES test_struct_size.c ${engine_helpers}
  LIBRARIES rockpress_static cmocka_dep)
target_compile_definitions(test_struct_size PRIVATE BUILD_VERSION="${PROJECT_VERSION}")
rockpress_add_test(NAME test_batched LABELS unit
  SOURCES test_batched.c ${engine_helpers}
  LIBRARIES rockpress_static zstd_dep cmocka_dep)
rockpress_add_test(NAME test_lane_batch LABELS unit
  SOURCES test_lane_batch.c ${PROJECT_SOURCE_DIR}/tests/support/queue_device.c ${engine_helpers}
  LIBRARIES rockpress_static cmocka_dep)
rockpress_add_test(NAME test_bound LABELS unit
  SOURCES test_bound.c
  LIBRARIES rockpress_static zstd_dep cmocka_dep)
rockpress_add_test(NAME test_workspace LABELS unit
  SOURCES test_workspace.c
  LIBRARIES rockpress_static cmocka_dep)
rockpress_add_test(NAME test_cuda_errors LABELS unit
  SOURCES test_cuda_errors.c
  LIBRARIES rockpress_static cmocka_dep)
rockpress_add_test(NAME test_device_contract LABELS unit tsan
  SOURCES test_device_contract.c ${PROJECT_SOURCE_DIR}/tests/support/fault_device.c
  LIBRARIES rockpress_static cmocka_dep)
foreach(device fault cuda)
  rockpress_register_test(NAME test_device_contract_${device} LABELS unit
    COMMAND test_device_contract)
endforeach()
# It asks for more memory than there is, which sanitizers would take for a mistake.
foreach(device host fault cuda)
  set(name test_device_contract_${device})
  if(device STREQUAL "host")
    set(name test_device_contract)
  endif()
  set_tests_properties(${name} PROPERTIES ENVIRONMENT
    "TEST_DEVICE=${device};ASAN_OPTIONS=allocator_may_return_null=1;TSAN_OPTIONS=allocator_may_return_null=1")
endforeach()
set_tests_properties(test_device_contract_cuda PROPERTIES LABELS "unit;gpu")
rockpress_add_test(NAME test_fault_positions LABELS unit
  SOURCES test_fault_positions.c ${PROJECT_SOURCE_DIR}/tests/support/fault_device.c ${engine_helpers}
  LIBRARIES rockpress_static cmocka_dep)
rockpress_register_test(NAME test_fault_positions_cuda LABELS unit gpu COMMAND test_fault_positions)
set_tests_properties(test_fault_positions_cuda PROPERTIES ENVIRONMENT TEST_DEVICE=cuda)
rockpress_add_test(NAME test_one_launch LABELS unit asan
  SOURCES test_one_launch.c ${PROJECT_SOURCE_DIR}/tests/support/fault_device.c ${engine_helpers}
  LIBRARIES rockpress_static cmocka_dep)
rockpress_add_test(NAME test_hot_path_calls LABELS unit
  SOURCES test_hot_path_calls.c ${PROJECT_SOURCE_DIR}/tests/support/fault_device.c ${engine_helpers}
  LIBRARIES rockpress_static cmocka_dep)
# Under ThreadSanitizer it says that it is skipped.
rockpress_add_test(NAME test_hot_path LABELS unit
  SOURCES test_hot_path.c ${engine_helpers}
  LIBRARIES rockpress_static ${CMAKE_DL_LIBS})
if(TARGET xxhash_dep)
  rockpress_add_test(NAME test_proofs LABELS unit asan
    SOURCES test_proofs.c ${PROJECT_SOURCE_DIR}/tests/support/inputs.c
    LIBRARIES rockpress_static xxhash_dep zstd_dep cmocka_dep)
  rockpress_add_test(NAME test_xxh64 LABELS unit
    SOURCES test_xxh64.c ${PROJECT_SOURCE_DIR}/tests/support/inputs.c
    LIBRARIES xxhash_dep cmocka_dep)
endif()
