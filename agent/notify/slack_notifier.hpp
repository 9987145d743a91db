#pragma once

#include <memory>
#include <string>

#include "agent/notify/slack_options.hpp"
#include "tocsin/async/clock.hpp"
#include "tocsin/net/network.hpp"
#include "tocsin/notify/notifier.hpp"

namespace tocsin::notify {

/// Slack as a receiver: every draft of an issue channel's life, one attempt at a time. Safe to
/// share between concurrent deliveries of one loop; holds who is who, and Slack's pace, and nothing
/// of any incident.
class SlackNotifier final : public Notifier {
 public:
  SlackNotifier(Network& network, Clock& clock, SlackOptions options);
  ~SlackNotifier() override;
  asio::awaitable<Delivery> deliver(Draft draft, SteadyTime deadline) override;
  Task<std::string> test(SteadyTime deadline) override;

  /// A pin, bookmark or invite that Slack keeps failing with an error of its own is given up after
  /// this long, for it must not hold up the rest of the channel.
  static constexpr Duration best_effort_for = std::chrono::minutes{10};

 private:
  struct Rooms;
  asio::awaitable<Delivery> pin(Draft draft, SteadyTime deadline);
  asio::awaitable<Delivery> bookmark(Draft draft, DraftBookmark bookmark, SteadyTime deadline);
  asio::awaitable<Delivery> carry(Draft draft, SteadyTime deadline);

  std::unique_ptr<Rooms> rooms_;
};

}  // namespace tocsin::notify
