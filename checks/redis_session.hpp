#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "checks/net_samples.hpp"
#include "checks/redis_errors.hpp"
#include "checks/redis_reply.hpp"
#include "tocsin/check/check.hpp"
#include "tocsin/net/conversation.hpp"

namespace tocsin::checks {

/// Where a Redis server is and how it lets us in: keys that several checks share.
struct RedisServer {
  std::optional<HostPort> address{};
  std::string unix_socket{};
  std::string username{};
  Secret password{};
  std::int64_t database{0};
  std::optional<TlsParams> tls{};
  static constexpr auto fields() {
    using Self = RedisServer;
    return std::tuple{field("address", &Self::address, "Where it listens: HOST:PORT."),
                      field("unix_socket", &Self::unix_socket, "Or the socket that it listens on."),
                      field("username", &Self::username, "The ACL user; empty: the default user."),
                      field("password", &Self::password, "The password, when it has one."),
                      field("database", &Self::database, "The number of the database."),
                      field("tls", &Self::tls, "Speak TLS ({} for its defaults).")};
  }
  /// "redis-1:6379", or the socket's path: for sentences.
  std::string place() const {
    return unix_socket.empty() && address ? to_string(*address) : unix_socket;
  }
  friend bool operator==(const RedisServer&, const RedisServer&) = default;
};
/// Complains of what the fields cannot see.
void judge_redis_server(const RedisServer& server, const Node& map, Decoding& decoding);

/// Why a server could not be asked.
struct RedisFault {
  Error error{};
  std::optional<RedisRefusal>
      refusal{};  ///< What the server itself said; else the way there failed.
  /// Nothing was learnt of the server: it must not be called down.
  bool is_ours() const { return refusal ? checks::is_ours(*refusal) : says_nothing_of_peer(error); }
};

/// A conversation with one Redis server: whole commands out, whole replies in. Errors of the
/// network carry what was asked for; the server's error replies are replies.
class RedisSession {
 public:
  /// Connects; says nothing yet. Bounded by `deadline`, as all that follows. On a fault there is
  /// fault() and nothing more may be asked.
  static asio::awaitable<RedisSession> open(Network& network, const RedisServer& server,
                                            SteadyTime deadline);

  /// AUTH and SELECT, as far as they are wanted. LOADING does not count: it is for the commands
  /// that follow to meet.
  asio::awaitable<void> enter(const RedisServer& server);
  /// Sends the commands in one go and returns as many replies, in order. Fewer: see fault().
  asio::awaitable<std::vector<RedisReply>> ask(std::vector<std::vector<std::string>> commands);

  const std::optional<RedisFault>& fault() const { return fault_; }
  /// Makes the fault out of an error reply to `command`.
  RedisFault refused(std::string_view command, const RedisReply& reply) const;

  const PhaseTimes& times() const { return times_; }
  const std::optional<PeerCertificate>& certificate() const { return certificate_; }
  const std::string& place() const { return place_; }

 private:
  explicit RedisSession(std::string place);
  Task<RedisReply> hear_reply();
  void fail(std::string_view command, Error error);

  std::string place_;
  std::unique_ptr<Conversation> conversation_{};
  std::unique_ptr<RedisReader> reader_{};
  PhaseTimes times_{};
  std::optional<PeerCertificate> certificate_{};
  std::optional<RedisFault> fault_{};
};

}  // namespace tocsin::checks
