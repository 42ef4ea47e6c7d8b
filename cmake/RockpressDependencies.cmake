# SPDX-License-Identifier: Apache-2.0
# Finds the libraries that the project uses. Each becomes an imported target. A library that the tests
# need is an error when it is missing, unless ROCKPRESS_WITHOUT names it: then it is not looked for,
# has no target, and the tests that need it are skipped.
#   zstd_dep     libzstd           required by the plugin (verification, cpu route)
#   xxhash.h     libxxhash         required by the engine, which compiles the header in
#   xxhash_dep   libxxhash         tests, benchmarks
#   lz4_dep      liblz4            benchmarks
#   cmocka_dep   cmocka            tests
#   rocksdb_dep  librocksdb, C API tests, benchmarks

set(ROCKPRESS_WITHOUT "" CACHE STRING
    "Libraries to do without, and the tests that need them: cmocka, xxhash, rocksdb, lz4")
foreach(name IN LISTS ROCKPRESS_WITHOUT)
  if(NOT name MATCHES "^(cmocka|xxhash|rocksdb|lz4)$")
    message(FATAL_ERROR "ROCKPRESS_WITHOUT=${ROCKPRESS_WITHOUT}: '${name}' is none of cmocka, xxhash, rocksdb, lz4")
  endif()
endforeach()

function(rockpress_find name header library)
  if(name IN_LIST ROCKPRESS_WITHOUT)
    message(STATUS "${name}: not looked for (ROCKPRESS_WITHOUT)")
    return()
  endif()
  find_path(${name}_INCLUDE_DIR ${header})
  find_library(${name}_LIBRARY ${library})
  if(${name}_INCLUDE_DIR AND ${name}_LIBRARY)
    add_library(${name}_dep UNKNOWN IMPORTED GLOBAL)
    set_target_properties(${name}_dep PROPERTIES
      IMPORTED_LOCATION ${${name}_LIBRARY}
      INTERFACE_INCLUDE_DIRECTORIES ${${name}_INCLUDE_DIR})
  else()
    message(STATUS "${name}: not found (${header}, lib${library})")
  endif()
endfunction()

rockpress_find(zstd zstd.h zstd)
rockpress_find(xxhash xxhash.h xxhash)
rockpress_find(lz4 lz4.h lz4)
rockpress_find(cmocka cmocka.h cmocka)
rockpress_find(rocksdb rocksdb/c.h rocksdb)

if(NOT TARGET zstd_dep)
  message(FATAL_ERROR "libzstd is required (Debian: libzstd-dev)")
endif()
find_path(xxhash_INCLUDE_DIR xxhash.h)
if(NOT xxhash_INCLUDE_DIR)
  message(FATAL_ERROR "xxhash.h of libxxhash 0.8 or later is required (Debian: libxxhash-dev)")
endif()

# rockpress_tests_need(<name> <Debian package>)
function(rockpress_tests_need name package)
  if(NOT TARGET ${name}_dep AND NOT name IN_LIST ROCKPRESS_WITHOUT)
    message(FATAL_ERROR "The tests need ${name} (Debian: ${package}). To do without its tests: "
                        "-DROCKPRESS_WITHOUT=${name}; without any: -DROCKPRESS_TESTS=OFF")
  endif()
endfunction()
if(ROCKPRESS_TESTS)
  rockpress_tests_need(cmocka libcmocka-dev)
  rockpress_tests_need(xxhash libxxhash-dev)
  rockpress_tests_need(rocksdb librocksdb-dev)
endif()
