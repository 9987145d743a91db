#pragma once

#include <string>

#include "tocsin/base/error.hpp"

namespace tocsin {

/// What one check keeps across restarts of the agent: one text of its own making, such as the
/// offset it has read a file to or the messages it still waits for. One loop.
class Memory {
 public:
  virtual ~Memory() = default;
  /// What was kept last, by this check or one of the same name before it; "" when there is nothing.
  /// Written by an older version perhaps, so to be read with care. Valid until the next keep().
  virtual const std::string& recall() const = 0;
  /// Keeps this instead, on disk soon after; "" forgets. The same text again costs nothing.
  /// Errc::too_large beyond limits::check_memory_bytes: then what was kept before stays. No secret
  /// belongs in it.
  virtual Result<void> keep(std::string text) = 0;
};

/// The memory of every check, by its name.
class Memories {
 public:
  virtual ~Memories() = default;
  /// Lives as long as this does.
  virtual Memory& of(const std::string& check) = 0;
};

}  // namespace tocsin
