#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checks/line_talk.hpp"
#include "tocsin/net/conversation.hpp"

namespace tocsin::checks {

/// What a mailbox may say in one look.
inline constexpr std::size_t imap_bytes_max = 512u << 10;

/// The commands of IMAP that finding and deleting a message takes (RFC 3501, RFC 4315), spoken with
/// a server that is logged in to. Every error names what was asked.
class ImapDialog {
 public:
  explicit ImapDialog(Conversation& server) : talk_{server, imap_bytes_max} {}

  /// Errc::refused when there is no such folder, or it may not be written to;
  /// else the server's untagged lines.
  Task<std::string> select(std::string folder);
  /// UIDs of the messages with this word in their subject that are not marked as deleted: the
  /// server's untagged lines.
  Task<std::string> search_subject(std::string word);
  /// When these came: the server's untagged lines.
  Task<std::string> fetch_dates(std::span<const std::uint32_t> uids);
  /// The headers of one; "" when it is gone.
  Task<std::string> fetch_header(std::uint32_t uid);
  /// Marks these as deleted and, where the server can do so for just these, removes them.
  Task<void> remove(std::span<const std::uint32_t> uids);
  /// A goodbye, without waiting for an answer.
  Task<void> leave();

 private:
  struct Answer {
    std::string lines{};                  ///< Untagged ones, each with CR LF; literals as {0}.
    std::vector<std::string> literals{};  ///< In their order.
  };
  Task<Answer> ask(std::string command, std::string what);

  LineTalk talk_;
  unsigned commands_{0};
};

}  // namespace tocsin::checks
