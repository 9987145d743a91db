#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/base/error.hpp"

struct redisReader;

namespace tocsin::checks {

/// One answer of a Redis server (RESP2).
struct RedisReply {
  enum class Kind { nil, status, error, text, number, list };
  Kind kind{Kind::nil};
  std::string text{};      ///< Of a status, an error or a text.
  std::int64_t number{0};  ///< Of a number.
  std::vector<RedisReply> items{};

  bool is(Kind wanted) const { return kind == wanted; }
  /// The value that follows the text `name` in a list of names and values, as XINFO answers; null
  /// when it is not there.
  const RedisReply* member(std::string_view name) const;
  /// A number, or a text that is one.
  std::optional<std::int64_t> as_number() const;
};

/// The command as it goes over the wire.
std::string format_redis_command(const std::vector<std::string>& words);

/// Takes what came from a server piece by piece and gives whole replies, hiredis' reader inside.
/// What one round of replies may cost is bounded: reply_bytes_max in all, elements_max values, and
/// lists no deeper than hiredis allows (seven).
class RedisReader {
 public:
  static constexpr std::size_t reply_bytes_max = 1u << 20;
  static constexpr std::size_t elements_max = 50'000;

  RedisReader();
  ~RedisReader();
  RedisReader(const RedisReader&) = delete;
  RedisReader& operator=(const RedisReader&) = delete;

  /// Forgets what the bounds have counted: the next round of replies begins.
  void begin_round() noexcept;
  /// Errc::too_large once a round is beyond its bound; Errc::internal without memory.
  Result<void> feed(std::string_view piece);
  /// The next reply, or nothing when more must be fed. Errc::protocol when what came is not Redis's
  /// protocol, Errc::too_large when it holds too many values. After an error the reader is of no
  /// more use.
  Result<std::optional<RedisReply>> next();

 private:
  struct Freed {
    void operator()(redisReader* reader) const noexcept;
  };
  std::unique_ptr<redisReader, Freed> reader_;
  std::size_t fed_{0};
  std::size_t elements_left_{elements_max};
};

}  // namespace tocsin::checks
