#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include "agent/notify/rate_limit.hpp"
#include "agent/notify/slack_errors.hpp"
#include "agent/notify/slack_options.hpp"
#include "tocsin/async/clock.hpp"
#include "tocsin/net/network.hpp"
#include "tocsin/notify/delivery.hpp"

namespace tocsin::notify {

/// One call of the Web API. Arguments are sent as a form, nested values as JSON text, which every
/// method accepts.
struct SlackCall {
  SlackMethod method{};
  std::vector<std::pair<std::string, std::string>> form{};
  std::string channel{};  ///< Whose pace it counts against, for messages.
  std::size_t response_bytes_max{limits::http_response_bytes};
};

/// What became of it.
struct SlackAnswer {
  SlackClass kind{SlackClass::ok};
  std::string code{};  ///< Slack's word for the error; empty otherwise.
  Error why{};         ///< For people, when kind is not ok. Errc::refused: Slack itself said it.
  std::optional<Duration> no_sooner{};  ///< Retry-After, or our own pace.
  boost::json::object body{};           ///< When Slack answered.
  bool ok() const { return kind == SlackClass::ok; }
  bool done() const { return kind == SlackClass::ok || kind == SlackClass::already; }
};

/// What an answer means for the effect that needed it, unless the caller knows better.
Delivery delivery_of(const SlackAnswer& answer);

/// Who we are in the workspace.
struct SlackIdentity {
  std::string user_id{}, user{}, team{};
  std::string url{};  ///< "https://example.slack.com/"
};

/// Speaks to the Web API: pace, one request, its answer classified. No retry, no memory but the
/// pace and who we are.
class SlackApi {
 public:
  SlackApi(Network& network, Clock& clock, SlackOptions options);

  /// Ends by the deadline. Waits for the pace when that takes no longer than pace_patience, else
  /// answers `held`.
  asio::awaitable<SlackAnswer> call(SlackCall call, SteadyTime deadline);
  /// The same, for what only members of a channel may do: joins when the bot is no member, and
  /// calls again.
  asio::awaitable<SlackAnswer> call_as_member(SlackCall call, std::string channel,
                                              SteadyTime deadline);
  /// auth.test, asked once; failures are not kept.
  asio::awaitable<SlackAnswer> identify(SteadyTime deadline);
  const std::optional<SlackIdentity>& identity() const { return identity_; }
  const SlackOptions& options() const { return options_; }
  Clock& clock() { return clock_; }

  static constexpr Duration pace_patience = std::chrono::seconds{3};

 private:
  HttpRequest request_for(const SlackCall& call, SteadyTime deadline) const;
  SlackAnswer read(const SlackCall& call, const HttpOutcome& outcome);
  SlackAnswer read_failure(const SlackCall& call, const HttpFailure& failure) const;
  SlackAnswer read_status(const SlackCall& call, const HttpResponse& response) const;
  SlackAnswer read_envelope(const SlackCall& call, const HttpResponse& response) const;

  Network& network_;
  Clock& clock_;
  SlackOptions options_;
  SlackRateLimit pace_{};
  std::optional<SlackIdentity> identity_{};
};

/// application/x-www-form-urlencoded.
std::string encode_form(const std::vector<std::pair<std::string, std::string>>& form);
/// The text at a path of names, or empty: answers are read, never trusted to have a shape.
std::string text_at(const boost::json::object& body, std::initializer_list<std::string_view> path);
const boost::json::array* array_at(const boost::json::object& body, std::string_view name);
const boost::json::object* object_at(const boost::json::object& body, std::string_view name);
bool flag_at(const boost::json::object& body, std::string_view name);
std::int64_t number_at(const boost::json::object& body, std::string_view name);
/// Where the next page begins, or empty at the end.
std::string next_cursor(const boost::json::object& body);

}  // namespace tocsin::notify
