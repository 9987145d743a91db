#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

#include "agent/notify/slack_api.hpp"
#include "tocsin/notify/draft.hpp"

namespace tocsin::notify {

/// Messages of an incident: posted once whatever was lost on the way, edited in place, degraded
/// once when refused.
class SlackMessages {
 public:
  explicit SlackMessages(SlackApi& api) : api_{api} {}

  /// What to post, ready escaped.
  struct Words {
    std::string text;      ///< The whole message, or the line beside the blocks.
    std::string blocks{};  ///< JSON text; empty: none.
    std::string plain{};   ///< Sent instead when the blocks are refused; empty: the text alone.
    std::string
        kind{};  ///< "summary", "post", "thread": part of the mark by which it is found again.
  };
  /// Where to.
  struct Place {
    std::string channel;
    std::string thread{};
  };
  struct Posted {
    SlackAnswer answer{};
    std::string ts{};   ///< Set when the answer is ok.
    bool found{false};  ///< It was there already, from an attempt whose answer was lost.
  };
  asio::awaitable<Posted> post(Draft draft, Place place, Words words, SteadyTime deadline);

  asio::awaitable<Delivery> put_summary(Draft draft, DraftPutSummary summary, SteadyTime deadline);
  asio::awaitable<Delivery> say(Draft draft, DraftPost post, SteadyTime deadline);

 private:
  struct Search {
    SlackAnswer answer{};
    std::string ts{};
  };
  asio::awaitable<Search> find_own(Draft draft, Place place, std::string kind, SteadyTime deadline);
  asio::awaitable<SlackAnswer> update(Draft draft, std::string ts, Words words,
                                      SteadyTime deadline);

  SlackApi& api_;
};

/// The sentence for an effect whose channel is gone or was never there.
Rejected no_channel(const Draft& draft, const std::string& why);

/// An instant as Slack writes it in `ts` and `oldest`: "1700000000.000000".
std::string to_slack_ts(WallTime time);
/// How far our clock and Slack's may be apart when "since our first attempt" is asked of Slack. A
/// day: a server whose clock was set wrong, or was put right in the middle of an incident, must
/// still recognise what it made; the marker and the entry's own number tell things apart, time only
/// bounds the search.
inline constexpr Duration slack_clock_skew = std::chrono::hours{24};

}  // namespace tocsin::notify
