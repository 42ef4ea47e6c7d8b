# SPDX-License-Identifier: Apache-2.0
# Finds the libraries that the project uses. Each becomes an imported target. A library that is
# optional and missing has no target, and what needs it says that it is skipped.
#   zstd_dep     libzstd           required by the plugin (verification, cpu route)
#   xxhash_dep   libxxhash         tests, benchmarks
#   lz4_dep      liblz4            benchmarks
#   cmocka_dep   cmocka            tests
#   rocksdb_dep  librocksdb, C API tests, benchmarks

function(rockpress_find name header library)
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
