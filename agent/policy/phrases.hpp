#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tocsin/base/time.hpp"
#include "tocsin/model/incident.hpp"

namespace tocsin::policy {

// The small parts that sentences of several texts share.

inline constexpr std::string_view unknown_word = "UNKNOWN";

/// Valid UTF-8 on one line, at most `characters`: what came from a check or a person, made fit to
/// stand in a sentence.
std::string one_line(std::string_view text, std::size_t characters);
std::string upper(std::string_view text);
/// The text, or UNKNOWN when there is none.
std::string or_unknown(const std::string& text);
/// "DRILL: " for a drill, else nothing. First in every text, so that nobody is frightened by half a
/// sentence.
std::string drill_prefix(const Incident& incident);
/// "nginx on web-1"
std::string subject(const Incident& incident);
/// "12m", never negative: the wall clock may have been set back since.
std::string elapsed(WallTime from, WallTime to);
/// "third", "11th"
std::string ordinal(int n);
/// "third time in 7 days; last: #issue-cron-0903", or nothing for a first time.
std::string history_phrase(const Incident& incident);
/// "#issue-nginx-2211", or nothing.
std::string channel_phrase(const Incident& incident);
/// The members, firing ones first, the worst first. Pointers into the incident.
std::vector<const Member*> by_concern(const Incident& incident);
/// "a", "a and b", "a, b and 3 more".
std::string listed(const std::vector<std::string>& words, std::size_t most);
/// How a person's or a check's text is to be typed on a command line again: in double quotes.
std::string command(const Incident& incident, std::string_view verb, std::string_view rest = {});

}  // namespace tocsin::policy
