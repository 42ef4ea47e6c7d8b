# SPDX-License-Identifier: Apache-2.0
# How other projects find an installed rockpress: a CMake package and a pkg-config file. Both find
# what they name from where they are themselves, so an installation can be moved.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/rockpress)
foreach(kind shared static)
  install(EXPORT rockpress-${kind} NAMESPACE rockpress:: DESTINATION ${package_dir})
endforeach()
configure_package_config_file(cmake/rockpressConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/rockpressConfig.cmake INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/rockpressConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/rockpressConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/rockpressConfigVersion.cmake
        DESTINATION ${package_dir})

# pkg-config expands ${pcfiledir} to the folder of the file.
if(IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
  set(ROCKPRESS_PC_PREFIX ${CMAKE_INSTALL_PREFIX})
  set(ROCKPRESS_PC_LIBDIR ${CMAKE_INSTALL_LIBDIR})
else()
  file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  string(REGEX REPLACE "/$" "" up "${up}")
  set(ROCKPRESS_PC_PREFIX "\${pcfiledir}/${up}")
  set(ROCKPRESS_PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
endif()
set(ROCKPRESS_PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
if(IS_ABSOLUTE ${CMAKE_INSTALL_INCLUDEDIR})
  set(ROCKPRESS_PC_INCLUDEDIR ${CMAKE_INSTALL_INCLUDEDIR})
endif()
# What a program that is linked with librockpress.a has to be linked with.
set(ROCKPRESS_PC_PRIVATE -lpthread)
foreach(library IN LISTS CMAKE_DL_LIBS)
  string(APPEND ROCKPRESS_PC_PRIVATE " -l${library}")
endforeach()
configure_file(cmake/rockpress.pc.in rockpress.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/rockpress.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
