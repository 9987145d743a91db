#include "checks/line_talk.hpp"

#include <utility>

namespace tocsin::checks {

Task<void> LineTalk::hear_more() {
  auto hearing = conversation_.hear();
  const auto piece = co_await std::move(hearing);
  if (!piece) co_return piece.error();
  if (piece->size() > left_)
    co_return Error{Errc::too_large, peer() + " said more than there is room for"};
  left_ -= piece->size();
  waiting_ += *piece;
  co_return Result<void>{};
}

Task<std::string> LineTalk::hear_line() {
  std::size_t searched = 0;
  for (;;) {
    const auto end = waiting_.find('\n', searched);
    if (end != std::string::npos) {
      auto line = waiting_.substr(0, end);
      waiting_.erase(0, end + 1);
      if (line.ends_with('\r')) line.pop_back();
      co_return line;
    }
    searched = waiting_.size();
    auto hearing = hear_more();
    const auto heard = co_await std::move(hearing);
    if (!heard) co_return heard.error();
  }
}

Task<std::string> LineTalk::hear_bytes(std::size_t count) {
  if (count > waiting_.size() + left_)
    co_return Error{Errc::too_large, peer() + " announced more than there is room for"};
  while (waiting_.size() < count) {
    auto hearing = hear_more();
    const auto heard = co_await std::move(hearing);
    if (!heard) co_return heard.error();
  }
  auto bytes = waiting_.substr(0, count);
  waiting_.erase(0, count);
  co_return bytes;
}

}  // namespace tocsin::checks
