#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "agent/notify/slack_api.hpp"
#include "agent/notify/slack_message.hpp"
#include "tocsin/notify/draft.hpp"

namespace tocsin::notify {

/// Creates issue channels, adopts those of ours whose creation was never answered, and archives
/// them.
class SlackChannels {
 public:
  SlackChannels(SlackApi& api, SlackMessages& messages) : api_{api}, messages_{messages} {}

  asio::awaitable<Delivery> create(Draft draft, DraftCreateChannel want, SteadyTime deadline);
  asio::awaitable<Delivery> set_purpose(Draft draft, DraftSetPurpose purpose, SteadyTime deadline);
  asio::awaitable<Delivery> set_topic(Draft draft, DraftSetTopic topic, SteadyTime deadline);
  asio::awaitable<Delivery> archive(Draft draft, SteadyTime deadline);

 private:
  struct Found {
    std::string id{}, name{};
    bool marked{false};  ///< It carries our marker already.
    std::int64_t created{0};
  };
  /// What one pass over the workspace's channels told. Kept between attempts while it is not
  /// complete, so that a workspace with more channels than one attempt may read is read all the
  /// same.
  struct Census {
    std::set<std::string> taken{};  ///< Names of the family we look for.
    std::optional<Found> ours{};
    std::string cursor{};
    bool complete{false};
  };
  asio::awaitable<SlackAnswer> take_census(Draft draft, DraftCreateChannel want,
                                           SteadyTime deadline);
  void look_at(const boost::json::object& channel, const Draft& draft,
               const DraftCreateChannel& want, Census& census) const;
  asio::awaitable<Delivery> create_named(Draft draft, DraftCreateChannel want, SteadyTime deadline);
  asio::awaitable<Delivery> adopt(DraftCreateChannel want, Found found, SteadyTime deadline);
  asio::awaitable<Delivery> use_fallback(Draft draft, DraftCreateChannel want, SlackAnswer refusal,
                                         SteadyTime deadline);
  asio::awaitable<SlackAnswer> find_fallback(SteadyTime deadline);
  asio::awaitable<Delivery> created(std::string id, std::string name, SteadyTime deadline);

  SlackApi& api_;
  SlackMessages& messages_;
  std::map<EntryId, Census> censuses_{};
  std::set<std::string> being_created_{};
  Found fallback_{};

  static constexpr std::size_t censuses_max = 32;
};

}  // namespace tocsin::notify
