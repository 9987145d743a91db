#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "tocsin/base/time.hpp"
#include "tocsin/model/incident.hpp"

namespace tocsin::notify {

/// What a local room shows: an incident, its account, and where it is shown.
struct RoomView {
  const Incident& incident;
  std::span<const TimelineLine> timeline{};  ///< Oldest first.
  std::string topic{};      ///< The channel's topic, as people would read it in Slack.
  std::string zone{"UTC"};  ///< IANA name, for the times of messages.
  WallTime now{};
  std::size_t columns{
      80};            ///< At least columns_least; below columns_wide values go under their titles.
  bool color{false};  ///< ANSI colours: only for terminals.

  static constexpr std::size_t columns_least = 30;
  static constexpr std::size_t columns_wide = 64;
};

/// The issue channel as a terminal shows it: name, topic, the pinned summary with its nine fields
/// and four answers, the evidence, the pages, and then what was said. Every text is cleaned of
/// control characters; ends with a newline.
std::string render_room(const RoomView& view);

}  // namespace tocsin::notify
