#include "checks/kernel_tables.hpp"

#include "checks/words.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {

Result<TableUse> parse_file_handles(std::string_view text) {
  Words words{text};
  const auto allocated = words.number();
  const auto free = words.number();
  const auto most = words.number();
  if (!allocated || !free || !most || *free > *allocated)
    return malformed("/proc/sys/fs/file-nr", "three numbers", text);
  return TableUse{*allocated - *free, *most};
}

Result<std::uint64_t> parse_task_count(std::string_view loadavg) {
  Words words{loadavg};
  words.skip(3);
  const auto tasks = words.next();
  const auto slash = tasks.find('/');
  const auto count =
      slash == std::string_view::npos ? std::nullopt : to_number(tasks.substr(slash + 1));
  if (!count) return malformed("/proc/loadavg", "number of tasks", loadavg);
  return *count;
}

Result<std::uint64_t> parse_single_number(std::string_view path, std::string_view text) {
  const auto value = to_number(trim(text));
  if (!value) return malformed(path, "number", text);
  return *value;
}

Result<std::optional<std::uint64_t>> parse_pids_limit(std::string_view text) {
  if (trim(text) == "max") return std::optional<std::uint64_t>{};
  const auto value = to_number(trim(text));
  if (!value) return malformed("pids.max", "number or 'max'", text);
  return std::optional{*value};
}

}  // namespace tocsin::checks
