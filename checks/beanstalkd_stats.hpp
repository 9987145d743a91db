#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::checks {

/// The first line of an answer of beanstalkd.
struct BeanstalkdAnswer {
  enum class Kind {
    data,       ///< OK BYTES: that much data follows, and a line end.
    job,        ///< FOUND ID BYTES: a job's body follows, and a line end.
    done,       ///< USING TUBE.
    not_found,  ///< NOT_FOUND.
    refused,    ///< An error it knows: OUT_OF_MEMORY, INTERNAL_ERROR, BAD_FORMAT, UNKNOWN_COMMAND,
                ///< DRAINING.
    foreign,    ///< Not beanstalkd's protocol.
  };
  Kind kind{Kind::foreign};
  std::uint64_t job{0};
  std::uint64_t bytes{0};
};
/// `line` without its line end.
BeanstalkdAnswer parse_beanstalkd_answer(std::string_view line);

/// What stats-tube says of a tube; what a version leaves out is absent.
struct BeanstalkdTube {
  using Count = std::optional<double>;
  Count ready{}, reserved{}, delayed{}, buried{}, urgent{};
  Count total_jobs{}, deleted{};
  Count watching{}, waiting{}, using_it{};
  Count pause_left_seconds{};
};
/// Reads the YAML of stats-tube: one "key: value" a line. What is not understood is passed over.
BeanstalkdTube parse_beanstalkd_tube(std::string_view yaml);
/// The age in seconds that stats-job tells.
std::optional<double> parse_beanstalkd_job_age(std::string_view yaml);

}  // namespace tocsin::checks
