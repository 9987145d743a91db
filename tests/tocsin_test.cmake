# tocsin_test(NAME LINKS lib…): one GoogleTest program from every *_test.cpp of the current folder, known to CTest under
# that name. TOCSIN_SOURCE_DIR is where the fixtures are.
function(tocsin_test name)
  cmake_parse_arguments(T "" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${T_LINKS} tocsin_asio tocsin_warnings GTest::gtest GTest::gmock GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR})
  target_compile_definitions(${name} PRIVATE TOCSIN_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_precompile_headers(${name} REUSE_FROM tocsin_pch_test)
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  # Neither -fPIC nor -fPIE is asked for, here and below, so that the precompiled header fits programs.
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()

add_library(tocsin_pch_test STATIC ${CMAKE_BINARY_DIR}/empty.cpp)
target_link_libraries(tocsin_pch_test PUBLIC tocsin_asio GTest::gtest GTest::gmock PRIVATE tocsin_warnings)
set_target_properties(tocsin_pch_test PROPERTIES POSITION_INDEPENDENT_CODE OFF)
target_precompile_headers(tocsin_pch_test PRIVATE
  <chrono> <functional> <map> <memory> <optional> <string> <vector> <gtest/gtest.h>
  <boost/asio/awaitable.hpp> <boost/asio/co_spawn.hpp> <boost/asio/io_context.hpp> <boost/asio/use_awaitable.hpp>
  <boost/asio/steady_timer.hpp> <boost/asio/ip/tcp.hpp>)
# Programs and libraries get different flags for position independence; one header for both must leave it to the
# compiler's default.
set_target_properties(tocsin_pch_test PROPERTIES POSITION_INDEPENDENT_CODE OFF)
