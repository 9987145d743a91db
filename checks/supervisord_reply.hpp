#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tocsin/base/error.hpp"

namespace tocsin::checks {

/// What supervisord says of a program, with its own codes (supervisor 4.2, states.py).
enum class ProgramState : std::int64_t {
  stopped = 0,     ///< Never started, or stopped because somebody asked for it.
  starting = 10,   ///< Started, and not yet alive for its `startsecs`.
  running = 20,    ///< Alive.
  backoff = 30,    ///< Ended before its `startsecs` were over; will be tried again.
  stopping = 40,   ///< Asked to stop, and not gone yet.
  exited = 100,    ///< Ended by itself after it had been running.
  fatal = 200,     ///< Could not be started, and supervisord has given up.
  unknown = 1000,  ///< A fault of supervisord itself, or a code that is none of these.
};
std::string_view to_string(ProgramState state);

/// One process that supervisord looks after, as getAllProcessInfo tells of it. Texts are clean
/// UTF-8 of a bounded length; times are seconds since 1970 by supervisord's clock, 0 for never.
struct SupervisedProgram {
  std::string name{};
  std::string group{};
  ProgramState state{ProgramState::unknown};
  std::int64_t start{0};        ///< When it was last started, in vain or not.
  std::int64_t stop{0};         ///< When it last ended.
  std::int64_t now{0};          ///< When supervisord answered.
  std::int64_t pid{0};          ///< 0: no process.
  std::int64_t exit_status{0};  ///< Tells something in `exited` only; -1 when a signal ended it.
  std::string spawn_error{};    ///< Why the last start or end was not as it should be.
  bool has_stdout_log{false};
  bool has_stderr_log{false};  ///< It has none when its errors go into the other.
};

/// supervisord understood the question and did not answer it.
struct RpcFault {
  std::int64_t code{0};
  std::string text{};
};
/// The fault of a supervisord that is shutting down or starting again (supervisor 4.2, xmlrpc.py).
inline constexpr std::int64_t fault_shutting_down = 6;

using ProgramListReply = std::variant<std::vector<SupervisedProgram>, RpcFault>;
using TextReply = std::variant<std::string, RpcFault>;

/// What an answer may be at most. 1,000 programs come to about 1.5 MB.
inline constexpr std::size_t supervisord_reply_bytes_max = 2u << 20;
inline constexpr std::size_t supervised_programs_max = 1000;

/// Reads the answer to getAllProcessInfo. Errc::protocol when it is not such an answer,
/// Errc::too_large when it has more than supervised_programs_max programs or is larger than
/// supervisord_reply_bytes_max.
Result<ProgramListReply> parse_program_list(std::string_view xml);
/// Reads an answer that is one text (a piece of a log). The text is as it came.
Result<TextReply> parse_text_reply(std::string_view xml);

/// The body of the request for all programs.
std::string program_list_request();
/// The body of the request for the last bytes of a program's log. `program` is "GROUP:NAME".
enum class ProgramLog {
  standard_output,
  standard_error,
};
std::string log_request(ProgramLog log, std::string_view program, std::size_t bytes);

}  // namespace tocsin::checks
