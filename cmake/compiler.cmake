set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(CCACHE ccache)
if(CCACHE)
  # Precompiled headers carry time stamps: tell ccache that ours are stable.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()

add_library(tocsin_warnings INTERFACE)
if(NOT TOCSIN_FUZZ)  # clang's opinions are clang-tidy's affair.
  target_compile_options(tocsin_warnings INTERFACE
    -Wall -Wextra -Wshadow -Wconversion -Wpedantic -Wnon-virtual-dtor -Woverloaded-virtual
    -Wswitch -Werror -Wno-missing-field-initializers)
endif()

# Once it optimizes, g++ 12 takes Asio's allocation of coroutine frames for a mismatch (GCC bug 109224), and short strings
# that are concatenated or moved for overlapping or overrun, or of a length below nothing (105651, 105329). Builds that do not optimize keep these warnings.
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR TOCSIN_SANITIZE)
  target_compile_options(tocsin_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:
    -Wno-mismatched-new-delete> $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds> $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
    $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>)
endif()

if(TOCSIN_SANITIZE)
  # What the sanitizers insert makes g++ 12 lose sight of initializations, std::regex's among them (its manual warns of that).
  target_compile_options(tocsin_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  add_compile_options(-fsanitize=${TOCSIN_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TOCSIN_SANITIZE})
endif()
if(TOCSIN_SANITIZE MATCHES "thread")
  # The sanitizer does not understand the fences in Asio's headers, which g++ warns of; the mutexes beside them it does.
  target_compile_options(tocsin_warnings INTERFACE -Wno-tsan)
endif()
if(TOCSIN_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "TOCSIN_FUZZ needs clang: use the preset fuzz")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-ffunction-sections -fdata-sections)
  add_link_options(-Wl,--gc-sections -Wl,-O1 -Wl,--as-needed)
endif()
# Everywhere alike, or the precompiled headers would not fit.
add_compile_options(-pthread)
