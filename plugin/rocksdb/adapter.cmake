# SPDX-License-Identifier: Apache-2.0
# librockpress_rocksdb.so: the CompressionManager, with plugin and engine inside, which registers
# itself when it is loaded.
set(rockpress_adapter_map ${CMAKE_CURRENT_SOURCE_DIR}/rocksdb/exports.map)

add_library(rockpress_rocksdb SHARED rocksdb/rocksdb_adapter.cc)
target_include_directories(rockpress_rocksdb PRIVATE ${PROJECT_SOURCE_DIR}
                           PUBLIC ${PROJECT_SOURCE_DIR}/include)
target_compile_definitions(rockpress_rocksdb PRIVATE ROCKPRESS_REGISTER_ON_LOAD)
target_link_libraries(rockpress_rocksdb
  PRIVATE rockpress_compiler rockpress_plugin_core rockpress_objects rocksdb_cxx Threads::Threads
          ${CMAKE_DL_LIBS})
target_link_options(rockpress_rocksdb PRIVATE
  "LINKER:--version-script=${rockpress_adapter_map}"
  LINKER:-Bsymbolic LINKER:-z,nodelete LINKER:-z,now)
set_target_properties(rockpress_rocksdb PROPERTIES
  LINK_DEPENDS ${rockpress_adapter_map} VERSION ${PROJECT_VERSION} SOVERSION 0)
if(NOT ROCKPRESS_SANITIZE)
  target_link_options(rockpress_rocksdb PRIVATE LINKER:-z,defs)
endif()

install(TARGETS rockpress_rocksdb LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
