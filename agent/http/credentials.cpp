#include "agent/http/credentials.hpp"

#include <crypt.h>

#include <utility>

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/detail/base64.hpp>

#include "tocsin/base/text.hpp"

namespace tocsin::http {
namespace {

/// The hash of a password nobody has: what an unknown user's is compared with. Cost 10, like those
/// of htpasswd -B.
constexpr const char* nobody = "$2b$10$Rcu.pj9wpyaS.bXm6o4QQu7h.itJshhGgyoMPm4o2.BgWM5UfrFIC";
constexpr std::size_t outcomes_kept = 128;
constexpr std::size_t waiting_most = 8;
constexpr std::size_t header_bytes_most = 1024;

asio::awaitable<bool> compare(Secret password, std::string hash) {
  co_return matches_bcrypt(password, hash);
}

}  // namespace

std::optional<Credentials> parse_basic(std::string_view header) {
  namespace base64 = boost::beast::detail::base64;
  constexpr std::string_view scheme = "basic ";
  if (header.size() <= scheme.size() || header.size() > header_bytes_most) return std::nullopt;
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    const char c = header[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != scheme[i]) return std::nullopt;
  }
  const auto encoded = trim(header.substr(scheme.size()));
  std::string decoded(base64::decoded_size(encoded.size()) + 3, '\0');
  const auto [written, read] = base64::decode(decoded.data(), encoded.data(), encoded.size());
  decoded.resize(written);
  const auto colon = decoded.find(':');
  std::optional<Credentials> found;
  if (colon != std::string::npos)
    found = Credentials{decoded.substr(0, colon), Secret{decoded.substr(colon + 1)}};
  OPENSSL_cleanse(decoded.data(), decoded.size());
  return found;
}

bool matches_bcrypt(const Secret& password, const std::string& hash) {
  const auto data = std::make_unique<crypt_data>();
  const char* made = ::crypt_r(password.reveal().c_str(), hash.c_str(), data.get());
  if (!made || std::string_view{made}.size() != hash.size()) return false;
  return CRYPTO_memcmp(made, hash.data(), hash.size()) == 0;
}

Passwords::Passwords(std::map<std::string, std::string> users) : users_{std::move(users)} {}
Passwords::~Passwords() { thread_.join(); }

asio::awaitable<bool> Passwords::accepts(Credentials given) {
  const auto user = users_.find(given.user);
  const std::string hash = user == users_.end() ? nobody : user->second;
  std::string text = given.user + '\0' + hash + '\0' + given.password.reveal();
  Digest digest{};
  ::SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  OPENSSL_cleanse(text.data(), text.size());
  const auto known = known_.find(digest);
  if (known != known_.end()) co_return known->second;
  if (waiting_ >= waiting_most) co_return false;  // Somebody is guessing: they may wait.
  struct Place {
    std::size_t& count;
    explicit Place(std::size_t& of) : count{of} { ++count; }
    ~Place() { --count; }
  };
  const Place place{waiting_};
  const bool is_user = user != users_.end();
  auto comparing =
      asio::co_spawn(thread_, compare(std::move(given.password), hash), asio::use_awaitable);
  const bool same = co_await std::move(comparing);
  if (known_.size() >= outcomes_kept) known_.erase(known_.begin());
  known_[digest] = same && is_user;
  co_return same&& is_user;
}

}  // namespace tocsin::http
