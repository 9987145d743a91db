#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tocsin/notify/draft.hpp"

namespace tocsin::notify {

/// Plain text made safe for mrkdwn: &, < and > escaped, so that no check's text can mention a
/// channel or forge a link.
std::string escape_markup(std::string_view text);
/// The same, at most `characters` long once escaped, never cut inside an entity; what was cut shows
/// as "…".
std::string fit_markup(std::string_view text, std::size_t characters);
/// Plain text for topics and purposes, which know no markup and would show entities as they are:
/// only a "<" that could begin one of Slack's control sequences is replaced by a look-alike.
std::string fit_plain(std::string_view text, std::size_t characters);
/// The purpose, cut to size without losing the marker.
std::string fit_purpose(std::string_view text, std::string_view marker_prefix);

/// The summary in Slack's forms, within every limit of chat.postMessage and chat.update.
struct SummaryForms {
  std::string blocks;  ///< Block Kit, as JSON text.
  std::string text;    ///< The line that notifications show beside the blocks. Escaped.
  std::string plain;   ///< All of it without blocks, for when they are refused. Escaped.
};
SummaryForms summary_forms(const DraftPutSummary& summary);

/// What our messages carry to be found again: which entry of which incident this is.
std::string message_metadata(const Draft& draft, std::string_view kind);
inline constexpr std::string_view message_event_type = "tocsin";

}  // namespace tocsin::notify
