#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/thread_pool.hpp>

#include "tocsin/async/task.hpp"
#include "tocsin/base/secret.hpp"

namespace tocsin::http {

struct Credentials {
  std::string user{};
  Secret password{};
};
/// Reads an Authorization header (RFC 7617); nothing for another scheme or a malformed one.
std::optional<Credentials> parse_basic(std::string_view header);

/// Who may come in by password. A bcrypt costs tens of milliseconds, so each is done on a thread of
/// its own, one at a time, and outcomes are kept by a digest of user, hash and password. An unknown
/// user costs as much as a wrong password.
class Passwords {
 public:
  explicit Passwords(std::map<std::string, std::string> users);
  ~Passwords();
  asio::awaitable<bool> accepts(Credentials given);

 private:
  using Digest = std::array<unsigned char, 32>;
  std::map<std::string, std::string> users_;
  std::map<Digest, bool> known_;
  std::size_t waiting_{0};
  asio::thread_pool thread_{1};
};

/// Whether the password has this bcrypt hash. Takes tens of milliseconds.
bool matches_bcrypt(const Secret& password, const std::string& hash);

}  // namespace tocsin::http
