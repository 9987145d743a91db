#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "agent/http/server.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::http {
namespace {

constexpr std::array<std::string_view, 3> client_auth_types{
    "NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"};
constexpr std::array<std::string_view, 2> versions{"TLS12", "TLS13"};

/// A fault with the place it was found at; thrown inside this file only, like yaml-cpp's own.
struct Wrong {
  YAML::Mark at;
  std::string what;
};

std::string text_of(const YAML::Node& node, const std::string& key) {
  if (!node.IsScalar()) throw Wrong{node.Mark(), key + " must be text"};
  return node.Scalar();
}

std::string path_of(const YAML::Node& node, const std::string& key,
                    const std::filesystem::path& folder) {
  const auto text = text_of(node, key);
  return text.empty() ? text : (folder / text).string();
}

template <std::size_t N>
std::string word_of(const YAML::Node& node, const std::string& key,
                    const std::array<std::string_view, N>& words) {
  auto word = text_of(node, key);
  if (std::find(words.begin(), words.end(), word) != words.end()) return word;
  throw Wrong{node.Mark(),
              fmt::format("{} must be one of {}, found \"{}\"", key, fmt::join(words, ", "), word)};
}

void read_tls(const YAML::Node& map, const std::filesystem::path& folder, WebConfig& into) {
  if (!map.IsMap()) throw Wrong{map.Mark(), "tls_server_config must be a map"};
  for (const auto& pair : map) {
    const auto key = text_of(pair.first, "a key");
    if (key == "cert_file") {
      into.cert_file = path_of(pair.second, key, folder);
    } else if (key == "key_file") {
      into.key_file = path_of(pair.second, key, folder);
    } else if (key == "client_ca_file") {
      into.client_ca_file = path_of(pair.second, key, folder);
    } else if (key == "client_auth_type") {
      into.client_auth_type = word_of(pair.second, key, client_auth_types);
    } else if (key == "min_version") {
      into.min_version = word_of(pair.second, key, versions);
    } else {
      throw Wrong{pair.first.Mark(),
                  "tls_server_config." + key + " is not a key that is honoured here"};
    }
  }
  if (into.cert_file.empty() || into.key_file.empty()) {
    throw Wrong{map.Mark(), "tls_server_config needs both cert_file and key_file"};
  }
  if (into.client_auth_type != "NoClientCert" && into.client_ca_file.empty()) {
    throw Wrong{map.Mark(),
                "client_auth_type " + into.client_auth_type + " needs a client_ca_file"};
  }
}

void read_users(const YAML::Node& map, WebConfig& into) {
  if (!map.IsMap())
    throw Wrong{map.Mark(), "basic_auth_users must be a map of user to bcrypt hash"};
  constexpr std::size_t bcrypt_characters = 60;
  for (const auto& pair : map) {
    const auto user = text_of(pair.first, "a user");
    const auto hash = text_of(pair.second, "a hash");
    // The hash itself is not repeated: it is half a secret.
    if (hash.size() != bcrypt_characters || !hash.starts_with("$2")) {
      throw Wrong{pair.second.Mark(),
                  "the password of " + user + " must be a bcrypt hash (htpasswd -nBC 10)"};
    }
    if (!into.basic_auth_users.emplace(user, hash).second)
      throw Wrong{pair.first.Mark(), "user " + user + " is twice"};
  }
}

}  // namespace

Result<WebConfig> load_web_config(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  if (!in) return Error{Errc::unreadable, "the web configuration " + path + " cannot be read"};
  std::string text(limits::config_file_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > limits::config_file_bytes) {
    return Error{Errc::too_large, "the web configuration " + path + " is larger than 1 MiB"};
  }
  const auto folder = std::filesystem::absolute(path).parent_path();
  const auto at = [&](const YAML::Mark& mark, const std::string& what) {
    return Error{Errc::malformed,
                 fmt::format("{}:{}:{}: {}", path, mark.line + 1, mark.column + 1, what)};
  };
  WebConfig config;
  try {
    const auto root = YAML::Load(text);
    if (root.IsNull()) return config;
    if (!root.IsMap()) throw Wrong{root.Mark(), "expected a map"};
    for (const auto& pair : root) {
      const auto key = text_of(pair.first, "a key");
      if (key == "tls_server_config") {
        read_tls(pair.second, folder, config);
      } else if (key == "basic_auth_users") {
        read_users(pair.second, config);
      } else {
        throw Wrong{pair.first.Mark(), key + " is not a key that is honoured here"};
      }
    }
  } catch (const Wrong& fault) {
    return at(fault.at, fault.what);
  } catch (const YAML::Exception& fault) {
    return at(fault.mark, fault.msg);
  }
  return config;
}

}  // namespace tocsin::http
