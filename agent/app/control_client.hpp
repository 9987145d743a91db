#pragma once

#include <string>

#include <boost/json/value.hpp>

#include "agent/app/command_line.hpp"
#include "tocsin/base/error.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin::app {

/// The path of the agent's control socket for a configuration. Secrets need not be readable for
/// this.
Result<std::string> control_socket(const std::string& config);

/// One request to an agent.
struct AgentRequest {
  std::string method{"GET"};
  std::string target{};
  std::string body{};
  std::string content_type{};  ///< Of the body; empty: there is none.
  /// Long enough for a `notify test` of slow receivers; everything else answers at once.
  Duration patience{std::chrono::seconds{60}};
};
/// The answer that comes over this socket. Errc::unreachable when none does; Errc::refused with the
/// agent's own sentence when it said no.
Result<boost::json::value> ask_socket(const std::string& socket, AgentRequest request);

/// The answer of the agent: its status and JSON. Errc::unreachable when there is no agent;
/// Errc::refused with the agent's own sentence when it said no.
Result<boost::json::value> ask_agent(const CommonOptions& common, const std::string& method,
                                     const std::string& target,
                                     const boost::json::value& body = nullptr);

/// Prints the error and returns the exit code that goes with it.
int complain(const Error& error);

}  // namespace tocsin::app
