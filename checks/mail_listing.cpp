#include "checks/mail_listing.hpp"

#include <algorithm>

#include "tocsin/base/text.hpp"

namespace tocsin::checks {

void MailListing::take(std::string_view piece) {
  while (!piece.empty()) {
    const auto end = piece.find('\n');
    const auto part = piece.substr(0, end);
    const auto room = line_bytes_max - line_.size();
    line_.append(part.substr(0, room));
    if (part.size() > room) cut_ = true;
    if (end == std::string_view::npos) return;
    end_line();
    piece.remove_prefix(end + 1);
  }
}

void MailListing::end_line() {
  switch (system_) {
    case MailSystem::exim:
      if (exim_.take(line_)) tally_.add(exim_.message());
      tally_.unreadable = exim_.strange_lines();
      break;
    case MailSystem::postfix:
      if (!trim(line_).empty()) {
        const auto message = cut_ ? parse_postqueue_beginning(line_) : parse_postqueue_line(line_);
        if (message)
          tally_.add(*message);
        else
          ++tally_.unreadable;
      }
      break;
  }
  line_.clear();
  cut_ = false;
}

void MailListing::finish() {
  if (!line_.empty()) end_line();
  if (system_ == MailSystem::exim && exim_.finish()) tally_.add(exim_.message());
}

}  // namespace tocsin::checks
