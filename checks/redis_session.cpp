#include "checks/redis_session.hpp"

#include <algorithm>
#include <utility>

#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

/// Redis numbers its databases from 0 with an int.
constexpr std::int64_t database_max = 2'147'483'647;

/// An answer that is neither Redis's protocol nor within its bounds, with the server's name in
/// front.
Error named(const std::string& place, Error error) {
  const bool of_reader = error.code == Errc::protocol || error.code == Errc::too_large;
  return {error.code, of_reader ? place + " " + error.detail : std::move(error.detail)};
}

/// What a server said of AUTH, without what it may have repeated of it: Redis quotes the arguments
/// of a command that it does not know.
std::string without_secret(std::string words, const Secret& password) {
  words.erase(std::min(words.find_first_of("'`\""), words.size()));
  const auto at = words.find(password.reveal());
  if (at != std::string::npos) words.replace(at, std::string::npos, "<secret>");
  return words;
}

}  // namespace

void judge_redis_server(const RedisServer& server, const Node& map, Decoding& decoding) {
  const auto complain = [&](std::string_view key, std::string message) {
    auto inner = decoding.at(key);
    const auto* node = map.find(key);
    inner.complain(node != nullptr ? *node : map, std::move(message));
  };
  if (!server.address && server.unix_socket.empty())
    complain("address", "say where the server listens: address or unix_socket");
  if (server.address && !server.unix_socket.empty())
    complain("unix_socket", "give an address or a unix_socket, not both");
  if (!server.username.empty() && server.password.empty())
    complain("username", "a user needs a password");
  if (server.database < 0 || server.database > database_max)
    complain("database", "expected the number of a database, 0 or more");
  if (server.tls && !server.unix_socket.empty())
    complain("tls", "a unix_socket is spoken to without TLS");
}

RedisSession::RedisSession(std::string place) : place_{std::move(place)} {}

asio::awaitable<RedisSession> RedisSession::open(Network& network, const RedisServer& server,
                                                 SteadyTime deadline) {
  RedisSession session{server.place()};
  OpenRequest request;
  if (server.address) request.address = *server.address;
  request.unix_socket = server.unix_socket;
  if (server.tls) request.tls = server.tls->options();
  request.deadline = deadline;
  auto opening = network.open(std::move(request));
  auto outcome = co_await std::move(opening);
  session.times_ = outcome.failure ? outcome.failure->times : outcome.times;
  session.certificate_ = outcome.failure ? outcome.failure->certificate : outcome.certificate;
  if (outcome.failure) {
    session.fault_ = RedisFault{.error = outcome.failure->error};
  } else {
    session.conversation_ = std::move(outcome.conversation);
    session.reader_ = std::make_unique<RedisReader>();
  }
  co_return session;
}

asio::awaitable<void> RedisSession::enter(const RedisServer& server) {
  std::vector<std::vector<std::string>> commands;
  if (!server.password.empty()) {
    auto& words = commands.emplace_back(std::vector<std::string>{"AUTH"});
    if (!server.username.empty()) words.push_back(server.username);
    words.push_back(server.password.reveal());
  }
  if (server.database != 0) commands.push_back({"SELECT", std::to_string(server.database)});
  if (commands.empty() || fault_) co_return;
  auto asking = ask(commands);
  auto replies = co_await std::move(asking);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    if (!replies[i].is(RedisReply::Kind::error)) continue;
    if (classify_redis_error(replies[i].text) == RedisRefusal::loading) continue;
    const auto& command = commands[i].front();
    if (command == "AUTH")
      replies[i].text = without_secret(std::move(replies[i].text), server.password);
    fault_ = refused(command, replies[i]);
    co_return;
  }
}

asio::awaitable<std::vector<RedisReply>> RedisSession::ask(
    std::vector<std::vector<std::string>> commands) {
  std::vector<RedisReply> replies;
  if (fault_) co_return replies;
  std::string text;
  for (const auto& command : commands) text += format_redis_command(command);
  auto saying = conversation_->say(std::move(text));
  const auto said = co_await std::move(saying);
  // A server that takes no more clients says so and closes: its words may be there although ours
  // did not get through.
  reader_->begin_round();
  replies.reserve(commands.size());
  for (const auto& command : commands) {
    auto hearing = hear_reply();
    auto reply = co_await std::move(hearing);
    if (!reply) {
      fail(command.front(), said ? std::move(reply).error() : said.error());
      break;
    }
    replies.push_back(*std::move(reply));
  }
  co_return replies;
}

Task<RedisReply> RedisSession::hear_reply() {
  for (;;) {
    auto reply = reader_->next();
    if (!reply) co_return named(place_, reply.error());
    if (*reply) co_return **std::move(reply);
    auto hearing = conversation_->hear();
    const auto piece = co_await std::move(hearing);
    if (!piece) co_return piece.error();
    if (auto fed = reader_->feed(*piece); !fed) co_return named(place_, fed.error());
  }
}

void RedisSession::fail(std::string_view command, Error error) {
  error.detail += " (asked for " + std::string{command} + ")";
  fault_ = RedisFault{.error = std::move(error)};
}

RedisFault RedisSession::refused(std::string_view command, const RedisReply& reply) const {
  return {{Errc::refused, describe_redis_error(place_, command, reply.text)},
          classify_redis_error(reply.text)};
}

}  // namespace tocsin::checks
