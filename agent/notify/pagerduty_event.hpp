#pragma once

#include <string>
#include <string_view>

#include "tocsin/base/secret.hpp"
#include "tocsin/notify/draft.hpp"

namespace tocsin::notify {

/// How much of a page is sent. Each rung is smaller than the one before; the last always fits.
enum class PageSize {
  full,       ///< Everything.
  top,        ///< The 20 worst members, a few lines of evidence.
  counts,     ///< No members and no evidence, only how many; the details cut short.
  link_only,  ///< No details but where to read them.
  minimal,    ///< What PagerDuty requires and nothing else.
};

/// The dedup key as it is sent: unchanged up to PagerDuty's 255 characters; a longer one keeps its
/// front and ends in a digest of the whole, so that the same key always becomes the same key and
/// different ones stay different.
std::string event_key(std::string_view key);
/// The trigger at exactly this size, as JSON.
std::string trigger_event(const DraftTrigger& page, const Secret& routing_key, PageSize size);
/// The fullest trigger of at most `bytes`.
std::string fitted_trigger_event(const DraftTrigger& page, const Secret& routing_key,
                                 std::size_t bytes);
/// An acknowledge or resolve, as JSON.
std::string follow_up_event(std::string_view action, std::string_view key,
                            const Secret& routing_key);

}  // namespace tocsin::notify
