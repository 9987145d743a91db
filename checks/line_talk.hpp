#pragma once

#include <cstddef>
#include <string>

#include "tocsin/net/conversation.hpp"

namespace tocsin::checks {

/// Lines and counted bytes out of a conversation, as the older protocols of the Internet speak.
/// What is heard in all is bounded, for whoever it is may never stop.
class LineTalk {
 public:
  /// The conversation must outlive it. `bytes_most`: of all that is heard.
  LineTalk(Conversation& conversation, std::size_t bytes_most)
      : conversation_{conversation}, left_{bytes_most} {}

  Task<void> say(std::string text) { return conversation_.say(std::move(text)); }
  /// The next line, without its end (LF, or CR and LF). Errc::too_large beyond the bound.
  Task<std::string> hear_line();
  /// Just so many bytes.
  Task<std::string> hear_bytes(std::size_t count);
  /// What came and was not taken.
  const std::string& beyond() const { return waiting_; }
  const std::string& peer() const { return conversation_.peer(); }

 private:
  Task<void> hear_more();

  Conversation& conversation_;
  std::size_t left_;
  std::string waiting_{};
};

}  // namespace tocsin::checks
