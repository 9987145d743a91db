#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ssl/context.hpp>

#include "agent/http/server.hpp"

namespace tocsin::http {

/// The TLS side of a listener: reads the files again once they have changed on disk, and keeps what
/// it had when the new ones cannot be used.
class TlsFiles {
 public:
  static Result<std::unique_ptr<TlsFiles>> load(const WebConfig& web);
  /// For one connection, which keeps it.
  std::shared_ptr<asio::ssl::context> context();
  /// Why the files on disk are not the ones in use; empty when they are.
  const std::string& last_error() const noexcept { return last_error_; }

 private:
  explicit TlsFiles(WebConfig web) : web_{std::move(web)} {}
  Result<void> read();
  std::vector<std::string> stamps() const;

  WebConfig web_;
  std::vector<std::string> stamps_;
  std::shared_ptr<asio::ssl::context> context_;
  std::string last_error_;
};

}  // namespace tocsin::http
