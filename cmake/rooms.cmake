# A room is a folder that becomes one static library: its own sources, what it may link, nothing else.
#   tocsin_room(NAME [PURE] LINKS lib…)
# PURE rooms see the standard library only and get a small precompiled header; the others share one with Asio in it.
file(WRITE ${CMAKE_BINARY_DIR}/empty.cpp "")

add_library(tocsin_pch_std STATIC ${CMAKE_BINARY_DIR}/empty.cpp)
target_link_libraries(tocsin_pch_std PRIVATE tocsin_warnings)
target_precompile_headers(tocsin_pch_std PRIVATE
  <algorithm> <array> <charconv> <chrono> <cstdint> <functional> <map> <memory> <optional> <set> <span> <string>
  <string_view> <utility> <variant> <vector>)

add_library(tocsin_pch_asio STATIC ${CMAKE_BINARY_DIR}/empty.cpp)
target_link_libraries(tocsin_pch_asio PUBLIC tocsin_asio PRIVATE tocsin_warnings)
target_precompile_headers(tocsin_pch_asio PRIVATE
  <algorithm> <array> <charconv> <chrono> <cstdint> <functional> <map> <memory> <optional> <set> <span> <string>
  <string_view> <utility> <variant> <vector>
  <boost/asio/as_tuple.hpp> <boost/asio/awaitable.hpp> <boost/asio/co_spawn.hpp> <boost/asio/io_context.hpp>
  <boost/asio/ip/tcp.hpp> <boost/asio/local/stream_protocol.hpp> <boost/asio/steady_timer.hpp>
  <boost/asio/this_coro.hpp> <boost/asio/use_awaitable.hpp>
  <boost/asio/experimental/awaitable_operators.hpp>)

function(tocsin_room name)
  cmake_parse_arguments(ROOM "PURE" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(NOT sources)
    set(sources ${CMAKE_BINARY_DIR}/empty.cpp)
  endif()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ROOM_LINKS} PRIVATE tocsin_warnings)
  if(ROOM_PURE)
    target_precompile_headers(${name} REUSE_FROM tocsin_pch_std)
  else()
    target_link_libraries(${name} PUBLIC tocsin_asio)
    target_precompile_headers(${name} REUSE_FROM tocsin_pch_asio)
  endif()
endfunction()
