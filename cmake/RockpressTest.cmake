# SPDX-License-Identifier: Apache-2.0
# rockpress_add_test(NAME <name> LABELS <labels...> SOURCES <files...> [LIBRARIES <targets...>]
#                    [TIMEOUT <seconds>] [ARGS <arguments...>])
# One executable, one test. Exit status 77 means skipped, and ctest shows it as such. Executables
# with the label unit, differential or fuzz-replay also get the label asan: scripts/test runs these
# under AddressSanitizer. The label tsan, for ThreadSanitizer, is given by hand to tests with threads.
function(rockpress_add_test)
  cmake_parse_arguments(T "" "NAME;TIMEOUT" "LABELS;SOURCES;LIBRARIES;ARGS" ${ARGN})
  add_executable(${T_NAME} ${T_SOURCES})
  target_link_libraries(${T_NAME} PRIVATE rockpress_compiler ${T_LIBRARIES})
  target_include_directories(${T_NAME} PRIVATE ${PROJECT_SOURCE_DIR}/include
                                               ${PROJECT_SOURCE_DIR})
  if("unit" IN_LIST T_LABELS OR "differential" IN_LIST T_LABELS OR "fuzz-replay" IN_LIST T_LABELS)
    list(APPEND T_LABELS asan)
  endif()
  rockpress_register_test(NAME ${T_NAME} LABELS ${T_LABELS} TIMEOUT ${T_TIMEOUT}
                          COMMAND ${T_NAME} ${T_ARGS})
endfunction()

# rockpress_register_test(NAME <name> LABELS <labels...> COMMAND <command...> [TIMEOUT <seconds>])
function(rockpress_register_test)
  # PARSE_ARGV: a semicolon in an argument of the command is kept.
  cmake_parse_arguments(PARSE_ARGV 0 T "" "NAME;TIMEOUT" "LABELS;COMMAND")
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 300)
  endif()
  if(ROCKPRESS_SANITIZE)
    math(EXPR T_TIMEOUT "${T_TIMEOUT} * 3")
  endif()
  add_test(NAME ${T_NAME} COMMAND ${T_COMMAND})
  set_tests_properties(${T_NAME} PROPERTIES
    LABELS "${T_LABELS}" SKIP_RETURN_CODE 77 TIMEOUT ${T_TIMEOUT})
endfunction()

# rockpress_skipped_test(NAME <name> LABELS <labels...> REASON <text>): stands for tests that cannot be
# built here, so that ctest shows them as skipped. No semicolon: it would divide the command in two.
function(rockpress_skipped_test)
  cmake_parse_arguments(T "" "NAME;REASON" "LABELS" ${ARGN})
  rockpress_register_test(NAME ${T_NAME} LABELS ${T_LABELS}
                          COMMAND sh -c "printf 'skipped: %s' '${T_REASON}' && exit 77")
endfunction()

# rockpress_test_efforts(<test> <labels...> [PROGRAM <executable>] [ARGS <arguments...>]): runs an
# executable, by default the one named as the test, at the other efforts, too; the highest, which
# differs from the one before it by the number of steps, with the label slow.
function(rockpress_test_efforts test)
  cmake_parse_arguments(T "" "PROGRAM" "ARGS" ${ARGN})
  if(NOT T_PROGRAM)
    set(T_PROGRAM ${test})
  endif()
  foreach(effort fast high max)
    rockpress_register_test(NAME ${test}_${effort} LABELS ${T_UNPARSED_ARGUMENTS} TIMEOUT 600
                            COMMAND ${T_PROGRAM} ${T_ARGS})
    set_tests_properties(${test}_${effort} PROPERTIES ENVIRONMENT TEST_EFFORT=${effort})
    if(effort STREQUAL max)
      set_tests_properties(${test}_${effort} PROPERTIES LABELS "${T_UNPARSED_ARGUMENTS};slow")
    endif()
  endforeach()
endfunction()
