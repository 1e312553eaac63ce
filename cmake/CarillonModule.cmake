# carillon_module(NAME SOURCES ... [TESTS ...] [LIBRARIES ...])
#   One object library per module, and beside it, where TESTS are given, the program NAME_test registered with ctest.
#   Test programs link the whole library: modules are checked for the direction of their includes by
#   tools/check_includes.py, which is stricter than a linker can be.
function(carillon_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;TESTS;LIBRARIES" ${ARGN})
  add_library(carillon_${name} OBJECT ${ARG_SOURCES})
  target_include_directories(carillon_${name} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(carillon_${name} PRIVATE carillon_options ${ARG_LIBRARIES})
  carillon_use_pch(carillon_${name})
  set_property(GLOBAL APPEND PROPERTY CARILLON_MODULES carillon_${name})
  set_property(GLOBAL APPEND PROPERTY CARILLON_LINK_LIBRARIES ${ARG_LIBRARIES})
  if(CARILLON_BUILD_TESTS AND ARG_TESTS)
    carillon_test(${name}_test SOURCES ${ARG_TESTS})
  endif()
endfunction()

# carillon_test(NAME SOURCES ...): a GoogleTest program that links the library; ctest runs it whole.
function(carillon_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(${name} PRIVATE carillon carillon_options GTest::gmock GTest::gtest_main ${ARG_LIBRARIES})
  set_target_properties(${name} PROPERTIES CARILLON_TEST ON)  # see CarillonOptions.cmake
  target_compile_options(${name} PRIVATE -O0)  # tests are built more often than they wait for themselves
  carillon_use_pch(${name})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 120)
endfunction()

# carillon_program(NAME SOURCES ...): an executable in bin/.
function(carillon_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(${name} PRIVATE carillon carillon_options ${ARG_LIBRARIES})
endfunction()

# Precompiled headers, compiled once per preset: one of standard headers for the modules, and for test programs one that
# has GoogleTest's too. GCC takes a precompiled header only with the flags that it was made with, and CMake gives -fPIC
# to libraries and -fPIE to programs.
set(carillon_pch_headers <algorithm> <chrono> <cstdint> <deque> <expected> <functional> <map> <memory> <optional> <span>
                         <string> <string_view> <unordered_map> <utility> <variant> <vector>)
function(carillon_use_pch target)
  get_target_property(type ${target} TYPE)
  set(headers ${carillon_pch_headers})
  if(type STREQUAL "EXECUTABLE")
    set(pch carillon_test_pch)
    list(APPEND headers <gmock/gmock.h> <gtest/gtest.h>)
  else()
    set(pch carillon_pch)
  endif()
  if(NOT TARGET ${pch})
    file(WRITE "${PROJECT_BINARY_DIR}/${pch}.cpp" "")
    add_library(${pch} OBJECT "${PROJECT_BINARY_DIR}/${pch}.cpp")
    target_link_libraries(${pch} PRIVATE carillon_options)
    if(type STREQUAL "EXECUTABLE")
      set_target_properties(${pch} PROPERTIES POSITION_INDEPENDENT_CODE OFF CARILLON_TEST ON)
      target_compile_options(${pch} PRIVATE -fPIE -O0)
      target_link_libraries(${pch} PRIVATE GTest::gmock GTest::gtest)
    endif()
    target_precompile_headers(${pch} PRIVATE ${headers})
  endif()
  target_precompile_headers(${target} REUSE_FROM ${pch})
endfunction()

# The library that users link: all modules in one archive, with the public headers.
function(carillon_library)
  get_property(modules GLOBAL PROPERTY CARILLON_MODULES)
  get_property(libraries GLOBAL PROPERTY CARILLON_LINK_LIBRARIES)
  list(REMOVE_DUPLICATES libraries)
  add_library(carillon STATIC)
  add_library(carillon::carillon ALIAS carillon)
  foreach(module IN LISTS modules)
    target_sources(carillon PRIVATE $<TARGET_OBJECTS:${module}>)
  endforeach()
  target_compile_features(carillon PUBLIC cxx_std_23)
  target_include_directories(carillon PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                                             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(carillon PRIVATE $<BUILD_INTERFACE:carillon_options>)
  target_link_libraries(carillon PUBLIC ${libraries})

  install(TARGETS carillon EXPORT carillonTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/carillon" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/carillon)
  install(EXPORT carillonTargets NAMESPACE carillon:: DESTINATION ${config_dir})
  include(CMakePackageConfigHelpers)
  write_basic_package_version_file("${PROJECT_BINARY_DIR}/carillonConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
  configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/carillonConfig.cmake.in"
                                "${PROJECT_BINARY_DIR}/carillonConfig.cmake" INSTALL_DESTINATION ${config_dir})
  install(FILES "${PROJECT_BINARY_DIR}/carillonConfig.cmake" "${PROJECT_BINARY_DIR}/carillonConfigVersion.cmake"
                "${PROJECT_SOURCE_DIR}/cmake/CarillonDependencies.cmake" DESTINATION ${config_dir})
endfunction()
