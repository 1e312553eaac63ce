# Build options and the one interface target that carries warnings, language level and sanitizers.
option(CARILLON_BUILD_APP "Build the carillon program and the example servers" ON)
option(CARILLON_BUILD_TESTS "Build the unit tests" ${PROJECT_IS_TOP_LEVEL})
option(CARILLON_WERROR "Treat warnings as errors" OFF)
set(CARILLON_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize=, e.g. address,undefined or thread")

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")

find_program(CARILLON_CCACHE ccache)
if(CARILLON_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CARILLON_CCACHE}")
endif()
find_program(CARILLON_MOLD mold)

add_library(carillon_options INTERFACE)
target_compile_options(carillon_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
                                                  -Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast)
if(CARILLON_WERROR)
  target_compile_options(carillon_options INTERFACE -Werror)
endif()
if(CARILLON_MOLD)
  target_link_options(carillon_options INTERFACE -fuse-ld=mold)
endif()
if(CARILLON_SANITIZE)
  target_compile_options(carillon_options INTERFACE -fsanitize=${CARILLON_SANITIZE} -fno-omit-frame-pointer
                                                    -fno-sanitize-recover=all)
  target_link_options(carillon_options INTERFACE -fsanitize=${CARILLON_SANITIZE})
  if(CARILLON_SANITIZE MATCHES "undefined")
    # It looks at memory through a pipe, so it reports falsely in the tests that run out of file descriptors.
    target_compile_options(carillon_options INTERFACE -fno-sanitize=vptr)
  endif()
endif()
