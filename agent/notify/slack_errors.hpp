#pragma once

#include <string_view>

namespace tocsin::notify {

/// What a call to Slack came to: the few cases that callers tell apart.
enum class SlackClass {
  ok,            ///< Done.
  already,       ///< It was so before: what we want.
  name_taken,    ///< A channel has the name, archived ones included.
  forbidden,     ///< The workspace does not let us do this one thing.
  scope,         ///< Our token lacks the permission for this one method.
  ours,          ///< Our token, address, TLS or proxy is wrong: every call will fail.
  rate,          ///< Too many calls: wait.
  held,          ///< We kept it back ourselves to stay within the rate; nothing was sent.
  unclear,       ///< It may have been carried out.
  unavailable,   ///< Not carried out, and worth repeating.
  unfit,         ///< The form or size of what we sent was refused: send something plainer.
  channel_gone,  ///< The channel is archived, or not there for us.
  not_member,    ///< The bot has to join first.
  message_gone,  ///< The message is deleted, or may not be edited any more.
  refused,       ///< Anything else that repeating does not change.
};

/// Whether the failure is about the way there, Slack as a whole or us, and not about this one call:
/// worth repeating as it is, later.
bool may_succeed_later(SlackClass kind);

/// The class of an error code in Slack's envelope. Codes nobody has documented are `refused`:
/// visible and revivable.
SlackClass classify_slack_code(std::string_view code);
/// Whether the table has the code: every documented code of every method we call should be there.
bool is_known_slack_code(std::string_view code);
/// The class of an HTTP status other than 200. Slack says its logical errors with 200, so these are
/// about the way there.
SlackClass classify_slack_status(int status);

}  // namespace tocsin::notify
