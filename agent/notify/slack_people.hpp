#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "agent/notify/slack_api.hpp"
#include "tocsin/notify/draft.hpp"

namespace tocsin::notify {

/// Finds people by e-mail, @usergroup or id and invites them. Whoever cannot be found or invited
/// becomes a note; the others are invited all the same.
class SlackPeople {
 public:
  explicit SlackPeople(SlackApi& api) : api_{api} {}
  asio::awaitable<Delivery> invite(Draft draft, DraftInvite invite, SteadyTime deadline);

  /// How long what Slack said of people and groups is believed. Groups change with the shift.
  static constexpr Duration person_age_max = std::chrono::hours{1};
  static constexpr Duration group_age_max = std::chrono::minutes{5};
  static constexpr std::size_t remembered_max = 512;
  static constexpr std::size_t invited_max = 500;  ///< A group may be a whole company.

 private:
  struct Lookup {
    std::vector<std::string> ids{};
    std::string note{};  ///< Why there are none.
    std::optional<SlackAnswer>
        failed{};  ///< Set when asking again later may help, or our token is refused.
  };
  struct Remembered {
    std::vector<std::string> ids{};
    SteadyTime until{};
  };
  asio::awaitable<Lookup> find(std::string who, SteadyTime deadline);
  asio::awaitable<Lookup> find_by_email(std::string email, SteadyTime deadline);
  asio::awaitable<Lookup> find_group(std::string handle, SteadyTime deadline);
  asio::awaitable<Lookup> members_of(std::string group_id, std::string shown, SteadyTime deadline);
  asio::awaitable<SlackAnswer> load_groups(SteadyTime deadline);
  asio::awaitable<SlackAnswer> invite_some(std::string channel, std::vector<std::string> ids,
                                           std::vector<std::string>& notes, SteadyTime deadline);
  const std::vector<std::string>* recall(const std::string& key);
  void remember(std::string key, std::vector<std::string> ids, Duration age_max);

  SlackApi& api_;
  std::map<std::string, Remembered> remembered_{};  ///< By e-mail or group id.
  std::map<std::string, std::string> groups_{};     ///< Handle to id.
  SteadyTime groups_until_{SteadyTime::min()};
};

}  // namespace tocsin::notify
