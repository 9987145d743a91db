#include <array>

#include "tocsin/base/text.hpp"
#include "tocsin/config/codec.hpp"

namespace tocsin {
namespace {

constexpr std::string_view forms = "{file: PATH}, {env: NAME} or {credential: NAME}";

/// A relative path is meant beside the file that names it, wherever the program was started.
std::string beside(const Place& place, const std::string& path) {
  if (path.starts_with('/') || !place.file) return path;
  const auto slash = place.file->rfind('/');
  return slash == std::string::npos ? path : place.file->substr(0, slash + 1) + path;
}

}  // namespace

bool Codec<Secret>::read(const Node& node, Secret& into, Decoding& decoding) {
  if (node.kind != Node::Kind::map) {
    // What stands here may be the secret itself: neither the value nor its line is quoted.
    decoding.complaints.add_confidential(
        node.place, decoding.path,
        "a secret is never written down here, but referred to as " + std::string{forms});
    return false;
  }
  if (node.entries.size() != 1) {
    decoding.complain(node, "expected exactly one of " + std::string{forms});
    return false;
  }
  const auto& [key, key_place, value] = node.entries.front();
  constexpr std::array<std::string_view, 3> words{"file", "env", "credential"};
  auto inner = decoding.at(key);
  if (key != words[0] && key != words[1] && key != words[2]) {
    const auto near = nearest(key, words);
    inner.complaints.add_confidential(
        key_place, inner.path,
        "unknown key " + quote_json(cut_characters(clean_utf8(key), 40)) +
            (near.empty() ? std::string{} : ": did you mean \"" + std::string{near} + "\"?") +
            "; a secret is " + std::string{forms});
    return false;
  }
  std::string name;
  if (!Codec<std::string>::read(value, name, inner)) return false;
  if (name.empty()) {
    inner.complain(value, "names nothing");
    return false;
  }
  auto secret = key == words[0]   ? decoding.secrets.from_file(beside(value.place, name))
                : key == words[1] ? decoding.secrets.from_env(name)
                                  : decoding.secrets.from_credential(name);
  if (!secret) {
    inner.complain(value, secret.error().detail);
    return false;
  }
  into = std::move(*secret);
  return true;
}

std::string Codec<Secret>::show(const Secret& value) { return value.empty() ? "" : "<secret>"; }

std::string Codec<Secret>::schema() {
  return R"({"type":"object","minProperties":1,"maxProperties":1,"additionalProperties":false,"properties":)"
         R"({"file":{"type":"string"},"env":{"type":"string"},"credential":{"type":"string"}}})";
}

}  // namespace tocsin
