#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// How much of a table is in use.
struct TableUse {
  std::uint64_t used{};
  std::uint64_t most{};
  /// 0 when there is no limit.
  double ratio() const {
    return most == 0 ? 0 : static_cast<double>(used) / static_cast<double>(most);
  }
};

/// /proc/sys/fs/file-nr: "allocated free most". Since Linux 2.6 free is always 0.
Result<TableUse> parse_file_handles(std::string_view text);
/// The tasks that exist, of /proc/loadavg: "0.21 1.02 1.46 1/1019 20661" has 1019.
Result<std::uint64_t> parse_task_count(std::string_view loadavg);
/// A file that holds one number.
Result<std::uint64_t> parse_single_number(std::string_view path, std::string_view text);
/// pids.max of a control group: a number, or nothing for "max".
Result<std::optional<std::uint64_t>> parse_pids_limit(std::string_view text);

}  // namespace tocsin::checks
