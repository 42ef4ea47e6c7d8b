# SPDX-License-Identifier: Apache-2.0
# librockpress_rocksdb.so: the CompressionManager, with plugin and engine inside, which registers
# itself when it is loaded.
set(rockpress_adapter_map ${CMAKE_CURRENT_SOURCE_DIR}/rocksdb/exports.map)

add_library(rockpress_adapter OBJECT rocksdb/rocksdb_adapter.cc)
target_include_directories(rockpress_adapter PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
target_compile_definitions(rockpress_adapter PRIVATE ROCKPRESS_REGISTER_ON_LOAD)
target_link_libraries(rockpress_adapter PRIVATE rockpress_compiler rocksdb_cxx)

# The library uses the RocksDB of the process and brings none: a second one, of another release, would
# take functions of the first for its own and crash. So it is not linked to RocksDB, and what it wants
# from there is weak: without it the library loads all the same, and says what is wrong.
set(rockpress_adapter_weak ${CMAKE_CURRENT_BINARY_DIR}/rocksdb_adapter_weak.o)
add_custom_command(OUTPUT ${rockpress_adapter_weak}
  COMMAND ${CMAKE_OBJCOPY} --wildcard "--weaken-symbol=_Z*rocksdb*"
          $<TARGET_OBJECTS:rockpress_adapter> ${rockpress_adapter_weak}
  DEPENDS rockpress_adapter $<TARGET_OBJECTS:rockpress_adapter>
  VERBATIM)
add_library(rockpress_rocksdb SHARED ${rockpress_adapter_weak})
set_source_files_properties(${rockpress_adapter_weak} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
target_include_directories(rockpress_rocksdb PUBLIC ${PROJECT_SOURCE_DIR}/include)
target_link_libraries(rockpress_rocksdb
  PRIVATE rockpress_compiler rockpress_plugin_core rockpress_objects Threads::Threads
          ${CMAKE_DL_LIBS})
target_link_options(rockpress_rocksdb PRIVATE
  "LINKER:--version-script=${rockpress_adapter_map}"
  LINKER:-Bsymbolic LINKER:-z,nodelete LINKER:-z,now)
set_target_properties(rockpress_rocksdb PROPERTIES
  LINKER_LANGUAGE CXX LINK_DEPENDS ${rockpress_adapter_map} VERSION ${PROJECT_VERSION} SOVERSION 0)
if(NOT ROCKPRESS_SANITIZE)
  target_link_options(rockpress_rocksdb PRIVATE LINKER:-z,defs)
endif()

install(TARGETS rockpress_rocksdb LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
