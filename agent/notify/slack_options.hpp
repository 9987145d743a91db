#pragma once

#include <string>

#include "tocsin/base/secret.hpp"
#include "tocsin/net/url.hpp"

namespace tocsin::notify {

/// How to reach a workspace.
struct SlackOptions {
  Url api_url{"https", "slack.com", 443, "/api/"};  ///< Methods are appended to its target.
  Secret token{};                                   ///< The bot token.
  std::string fallback_channel{};  ///< Name or id of the channel for threads when channels may not
                                   ///< be created.
};

}  // namespace tocsin::notify
