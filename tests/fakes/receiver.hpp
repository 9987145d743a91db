#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/fakes/faults.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin::fakes {

/// One request as a fake sees it, whoever carried it: the in-process network or the loopback
/// server.
struct HttpCall {
  std::string method{"GET"};
  std::string target{"/"};  ///< Path and query.
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  std::string_view header(
      std::string_view name) const;  ///< By name in any case; empty when absent.
  std::string_view path() const;
  std::string_view query() const;
};

struct HttpReply {
  int status{200};
  std::vector<std::pair<std::string, std::string>> headers{};  ///< Names in lower case.
  std::string body{};
};

/// Retry-After in whole seconds, rounded up.
std::pair<std::string, std::string> retry_after_header(Duration wait);

/// Where a fake reads the time: a manual clock in tests, the real one in the program.
using TimeSource = std::function<Now()>;

/// A vendor, in memory: a state machine that answers one call at a time and a set of faults in
/// front of it. Knows nothing of sockets. One thread.
class Receiver {
 public:
  virtual ~Receiver() = default;
  /// Carries the call out and answers it, with no fault applied.
  virtual HttpReply handle(const HttpCall& call) = 0;
  /// The name that faults and logs use for the call: "conversations.create", "v2/enqueue".
  virtual std::string operation(const HttpCall& call) const = 0;
  /// The vendor's way to say no without having done anything, as the fault asks for it.
  virtual HttpReply failing(const Fault& fault) const = 0;

  Faults& faults() { return faults_; }
  const Faults& faults() const { return faults_; }

 private:
  Faults faults_{};
};

/// What the caller gets to see of a call that went through the faults.
struct Played {
  enum class End {
    answered,      ///< `reply` arrives, its body `body_delay` after its header.
    not_accepted,  ///< No connection could be made.
    cut,           ///< The connection was closed after the request, before an answer.
    silent,        ///< Nothing ever comes; the connection stays open.
  };
  End end{End::answered};
  HttpReply reply{};
  Duration body_delay{0};
  bool carried_out{false};  ///< Whether the receiver acted on it; the caller cannot know.
};

/// One call through the receiver's faults.
Played play(Receiver& receiver, const HttpCall& call);

}  // namespace tocsin::fakes
