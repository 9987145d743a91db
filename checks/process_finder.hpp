#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "tocsin/check/host.hpp"
#include "tocsin/config/fields.hpp"

namespace tocsin::checks {

/// What a process must be to count. All that is given must hold.
struct ProcessMatch {
  std::string name{};
  Pattern cmdline{};
  std::string pidfile{};
  std::string cgroup{};
  std::string user{};
  friend bool operator==(const ProcessMatch&, const ProcessMatch&) = default;

  bool empty() const {
    return name.empty() && cmdline.text.empty() && pidfile.empty() && cgroup.empty() &&
           user.empty();
  }
  static constexpr auto fields() {
    return std::tuple{
        field("name", &ProcessMatch::name,
              "The process's name as the kernel keeps it (its first 15 bytes), or the last part of "
              "its first argument."),
        field("cmdline", &ProcessMatch::cmdline,
              "A regular expression that is found in the command line, its arguments joined by "
              "blanks."),
        field("pidfile", &ProcessMatch::pidfile, "A file that holds the process's id."),
        field("cgroup", &ProcessMatch::cgroup,
              "A control group whose processes count, such as /system.slice/nginx.service; not its "
              "subgroups."),
        field("user", &ProcessMatch::user,
              "The effective user, by name (of /etc/passwd) or number."),
    };
  }
};

/// The name that `argv0` ends with: "/usr/sbin/nginx" is nginx.
std::string_view last_part(std::string_view argv0);
/// Whether a process of this name and command line (arguments ended by NUL bytes) is called `name`.
bool is_called(std::string_view name, std::string_view comm, std::string_view cmdline);
/// A command line as people write it: arguments joined by blanks, without the final one.
std::string spoken(std::string_view cmdline);

/// Finds the processes that match. Reads /proc as little as it can: a pid file or control group
/// names its candidates; otherwise processes that were looked at twice and did not match are not
/// looked at again until the next thorough scan.
class ProcessFinder {
 public:
  explicit ProcessFinder(ProcessMatch match);
  ~ProcessFinder();

  /// The matching process ids, ascending; whether they are alive is for the caller to see. None is
  /// not an error.
  Result<std::vector<int>> find(const HostFiles& files, SteadyTime now);

 private:
  struct Expression;
  Result<std::vector<int>> candidates(const HostFiles& files);
  Result<std::vector<int>> scan(const HostFiles& files, SteadyTime now);
  Result<std::vector<int>> in_pidfile(const HostFiles& files) const;
  Result<std::vector<int>> in_cgroup(const HostFiles& files) const;
  Result<void> learn_user(const HostFiles& files);
  bool matches(const HostFiles& files, int pid) const;

  ProcessMatch match_;
  std::unique_ptr<Expression> cmdline_;
  std::optional<std::uint64_t> user_id_;

  // What the scan remembers; sorted.
  std::vector<int> listed_;   // at listed_at_
  std::vector<int> settled_;  // looked at twice, did not match
  std::optional<SteadyTime> listed_at_;
  std::optional<SteadyTime> thorough_at_;
  bool found_some_{false};
};

}  // namespace tocsin::checks
