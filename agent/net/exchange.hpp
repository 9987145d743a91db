#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "agent/net/dialer.hpp"
#include "agent/net/message.hpp"

namespace tocsin::net {

/// One request and its answer, over a kept connection or a new one.
class HttpExchange {
 public:
  HttpExchange(NetworkCore& core, HttpRequest request);
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  asio::awaitable<HttpOutcome> run();

 private:
  using Failed = std::optional<HttpFailure>;
  asio::awaitable<Failed> reach(bool only_new);
  asio::awaitable<Failed> talk();
  asio::awaitable<Failed> receive();
  /// Feeds what has been read to the parser.
  Failed parse();
  Failed judge_read(const boost::system::error_code& fault);
  HttpFailure failed(NetPhase phase, Errc code, std::string sentence) const;
  bool may_repeat(const HttpFailure& failure) const;
  void keep_connection();
  std::string peer_key() const;
  void start_answer();
  Failed make_room();

  NetworkCore& core_;
  HttpRequest request_;
  Destination to_{};
  std::optional<Dialer> dialer_{};
  std::string head_{};
  bool reused_{false};
  SteadyTime sent_at_{};
  std::optional<ResponseParser> parser_{};
  std::vector<char> buffer_;
  std::size_t filled_{0};
  bool heard_{false};
};

/// One connection that may send a line and listen for a banner.
asio::awaitable<ConnectOutcome> connect_once(NetworkCore& core, ConnectRequest request);

}  // namespace tocsin::net
