#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tocsin/config/codec.hpp"

namespace tocsin {

/// Text, or a list of it: a key that usually has one value and may have several.
struct OneOrMore {
  std::vector<std::string> values{};
  friend bool operator==(const OneOrMore&, const OneOrMore&) = default;
};

template <>
struct Codec<OneOrMore> {
  static bool read(const Node& node, OneOrMore& into, Decoding& decoding) {
    if (node.kind == Node::Kind::list)
      return Codec<std::vector<std::string>>::read(node, into.values, decoding);
    std::string value;
    if (!Codec<std::string>::read(node, value, decoding)) return false;
    into.values.assign(1, std::move(value));
    return true;
  }
  static std::string show(const OneOrMore& value) {
    return value.values.size() == 1 ? Codec<std::string>::show(value.values.front())
                                    : Codec<std::vector<std::string>>::show(value.values);
  }
  static std::string schema() {
    return R"({"anyOf":[)" + Codec<std::string>::schema() + "," +
           Codec<std::vector<std::string>>::schema() + "]}";
  }
  static std::string type_name() { return "text or list of text"; }
};

}  // namespace tocsin
