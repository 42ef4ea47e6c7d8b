# SPDX-License-Identifier: Apache-2.0
# Sets ROCKPRESS_VERSION to the version that include/rockpress/version.h has.
set(version_header ${CMAKE_CURRENT_LIST_DIR}/../include/rockpress/version.h)
set(ROCKPRESS_VERSION "")
foreach(part MAJOR MINOR PATCH)
  file(STRINGS ${version_header} line REGEX "^#define RP_VERSION_${part} [0-9]+$")
  if(NOT line)
    message(FATAL_ERROR "${version_header} has no RP_VERSION_${part}")
  endif()
  string(REGEX REPLACE ".* " "" number "${line}")
  list(APPEND ROCKPRESS_VERSION ${number})
endforeach()
list(JOIN ROCKPRESS_VERSION . ROCKPRESS_VERSION)
# A changed version is a changed configuration.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${version_header})
