#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checks/supervisord_reply.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin::checks {

/// What supervisorctl calls a program: its name, with its group before it where that is another
/// one.
std::string label_of(const SupervisedProgram& program);

/// Which programs are meant: "NAME" (a program, or all of the group that is called so),
/// "GROUP:NAME", "GROUP:*"; a '*' stands for any characters anywhere.
class ProgramPattern {
 public:
  explicit ProgramPattern(std::string text);
  const std::string& text() const { return text_; }
  bool matches(const SupervisedProgram& program) const;

 private:
  std::string text_;
  std::string group_{};  ///< Empty: any, and `name_` may be that of the group.
  std::string name_;
};

/// Counts how often each program was started again. Knows a start by its time or its process id;
/// of several starts between two looks it sees the last.
class RestartCount {
 public:
  /// Takes in what supervisord says now. Programs that it no longer has are forgotten.
  void look(const std::vector<SupervisedProgram>& programs, SteadyTime now);
  /// Starts seen within limits::restart_window, at most limits::restarts_counted.
  std::size_t of(const SupervisedProgram& program) const;

 private:
  struct Seen {
    std::int64_t start{0};
    std::int64_t pid{0};  ///< The last that was not 0.
    bool present{false};
    std::vector<SteadyTime> restarts{};  ///< Oldest first.
  };
  std::map<std::string, Seen> seen_{};  ///< By label.
};

/// What is said of programs that somebody stopped, or that were never started.
enum class StoppedPrograms {
  ignore,  ///< Nothing but their state: whoever stopped them knows.
  down,    ///< That they are down, like any other that does not run.
};

/// The programs of one supervisord that a check is about, as of its last answer.
class WatchedPrograms {
 public:
  struct Choice {
    std::vector<ProgramPattern> wanted{};  ///< Empty: all.
    std::vector<ProgramPattern> unwanted{};
    StoppedPrograms stopped{StoppedPrograms::ignore};
  };
  explicit WatchedPrograms(Choice choice) : choice_{std::move(choice)} {}

  /// Takes in an answer.
  void take(std::vector<SupervisedProgram> all, SteadyTime now);

  /// Those that are down come first.
  const std::vector<SupervisedProgram>& list() const { return list_; }
  /// The patterns that nothing fits.
  const std::vector<std::string>& missing() const { return missing_; }
  std::size_t restarts_of(const SupervisedProgram& program) const { return restarts_.of(program); }
  /// Neither up nor down.
  bool is_ignored(const SupervisedProgram& program) const;
  bool is_down(const SupervisedProgram& program) const;
  /// None is down and none is missing.
  bool all_well() const;

 private:
  Choice choice_;
  std::vector<SupervisedProgram> list_{};
  std::vector<std::string> missing_{};
  RestartCount restarts_{};
};

}  // namespace tocsin::checks
