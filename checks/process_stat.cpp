#include "checks/process_stat.hpp"

#include <limits>
#include <string>

#include "checks/words.hpp"

namespace tocsin::checks {
namespace {

constexpr std::string_view path = "/proc/PID/stat";

Result<int> to_pid(std::string_view word) {
  const auto value = to_number(word);
  if (!value || *value > static_cast<std::uint64_t>(std::numeric_limits<int>::max()))
    return Error{Errc::malformed, "not a process id: " + std::string{word.substr(0, 20)}};
  return static_cast<int>(*value);
}

}  // namespace

Result<ProcessStat> parse_process_stat(std::string_view text) {
  const auto open = text.find('(');
  const auto close = text.rfind(')');  // the name may hold parentheses itself
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return malformed(path, "name in parentheses", text);
  ProcessStat stat;
  const auto pid = to_pid(Words{text.substr(0, open)}.next());
  if (!pid) return malformed(path, "process id", text);
  stat.pid = *pid;
  stat.comm = text.substr(open + 1, close - open - 1);

  Words words{text.substr(close + 1)};
  const auto state = words.next();
  const auto parent = to_pid(words.next());
  if (state.size() != 1 || !parent) return malformed(path, "state and parent", text);
  stat.state = state.front();
  stat.parent = *parent;
  words.skip(9);  // pgrp session tty_nr tpgid flags minflt cminflt majflt cmajflt
  const auto user = words.number();
  const auto system = words.number();
  words.skip(4);  // cutime cstime priority nice
  const auto threads = words.number();
  words.skip(1);  // itrealvalue
  const auto start = words.number();
  words.skip(1);  // vsize
  const auto rss = words.number();
  if (!user || !system || !threads || !start || !rss) return malformed(path, "24 columns", text);
  stat.cpu_ticks = *user + *system;
  stat.threads = *threads;
  stat.start_ticks = *start;
  stat.rss_pages = *rss;
  if (!stat.alive()) {
    words.skip(27);  // columns 25 to 51
    stat.wait_status = static_cast<int>(words.number().value_or(0) & 0xffff);
  }
  return stat;
}

Result<std::uint64_t> parse_effective_user(std::string_view status) {
  while (!status.empty()) {
    Words words{take_line(status)};
    if (words.next() != "Uid:") continue;
    words.skip(1);
    if (const auto effective = words.number()) return *effective;
    break;
  }
  return malformed("/proc/PID/status", "'Uid:' line", status);
}

Result<std::uint64_t> parse_open_files_limit(std::string_view limits) {
  constexpr std::string_view key = "Max open files";
  while (!limits.empty()) {
    const auto line = take_line(limits);
    if (line.substr(0, key.size()) != key) continue;
    const auto word = Words{line.substr(key.size())}.next();
    if (word == "unlimited") return std::uint64_t{0};
    if (const auto value = to_number(word)) return *value;
    break;
  }
  return malformed("/proc/PID/limits", "'Max open files' line", limits);
}

Result<std::uint64_t> parse_storage_bytes(std::string_view io) {
  const auto read = number_after(io, "read_bytes:");
  const auto written = number_after(io, "write_bytes:");
  if (!read || !written) return malformed("/proc/PID/io", "'read_bytes' and 'write_bytes'", io);
  return *read + *written;
}

Result<std::uint64_t> parse_user_id(std::string_view passwd, std::string_view user) {
  while (!passwd.empty()) {
    const auto line = take_line(passwd);
    if (line.size() <= user.size() || line.substr(0, user.size()) != user ||
        line[user.size()] != ':')
      continue;
    auto rest = line.substr(user.size() + 1);
    const auto password_end = rest.find(':');
    if (password_end == std::string_view::npos) continue;
    rest.remove_prefix(password_end + 1);
    if (const auto id = to_number(rest.substr(0, rest.find(':')))) return *id;
  }
  return Error{Errc::missing, "user '" + std::string{user} +
                                  "' is not in /etc/passwd: give its number, or create it"};
}

}  // namespace tocsin::checks
