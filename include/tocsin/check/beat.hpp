#pragma once

#include <optional>
#include <string>

#include "tocsin/base/time.hpp"

namespace tocsin {

/// What a job says of itself to the check that waits for it.
struct Beat {
  enum class Kind {
    start,  ///< A run has begun.
    ok,     ///< It ended well. The only one that a simple job sends.
    fail,   ///< It ended badly.
    exit,   ///< It ended with `exit_code`: 0 is well.
    log,    ///< It has something to say, and nothing else changed.
  };
  Kind kind{Kind::ok};
  int exit_code{0};                ///< Of Kind::exit.
  std::string run{};               ///< Tells runs that overlap apart; may be empty.
  Now at{};                        ///< When it came, or would have, had we been there.
  std::optional<Duration> took{};  ///< How long the run took, where the job measured that itself.
  std::string note{};              ///< Its own words, at most limits::beat_note_bytes.
};

}  // namespace tocsin
