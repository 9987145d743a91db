#pragma once

#include <mutex>
#include <string>

#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// A shared library that is loaded when it is first needed, and stays. The clients of databases
/// bring a dozen libraries along, which cost an agent that watches no database two megabytes if
/// they are loaded with the program; and one that watches none need not have them.
class LateLibrary {
 public:
  /// `file` as the linker names it ("libpq.so.5"), and the Debian package that has it.
  LateLibrary(const char* file, const char* package) : file_{file}, package_{package} {}

  /// Loads it. Errc::missing says what to install.
  Result<void> load();
  /// A function's address; ends the process when there is none, so load() comes first.
  void* find(const char* function);

 private:
  const char* file_;
  const char* package_;
  std::once_flag once_{};
  void* handle_{nullptr};
  std::string fault_{};
};

/// The address of a function, typed as it was declared.
template <class Function>
Function found(LateLibrary& library, Function /*declared*/, const char* name) {
  return reinterpret_cast<Function>(library.find(name));
}

/// libpq, for every call of a function that libpq-fe.h declares.
LateLibrary& libpq();
/// libmariadb, for every call of a function that mysql.h declares.
LateLibrary& libmariadb();
/// libsystemd, for every call of a function that systemd/sd-bus.h declares.
LateLibrary& libsystemd();
/// libcurl, for every call of a function that curl.h declares.
LateLibrary& libcurl();

}  // namespace tocsin::checks
