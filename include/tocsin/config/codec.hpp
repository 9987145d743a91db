#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "tocsin/base/secret.hpp"
#include "tocsin/base/time.hpp"
#include "tocsin/config/decode.hpp"
#include "tocsin/config/node.hpp"

namespace tocsin {

/// How a T is written in configuration. Each gives:
///   static bool read(const Node&, T& into, Decoding&)   false after complaining; `into` is then
///   untouched static std::string show(const T&)                   as flow YAML, secrets as
///   <secret> static std::string schema()                         a JSON Schema fragment static
///   std::string type_name()                      for docs and complaints: "duration", "list of
///   text"
template <class T>
struct Codec;

/// The text as a JSON string, quotes and all.
std::string quote_json(std::string_view text);
/// The text as a YAML scalar that reads back as this very text: plain where that is safe, else in
/// double quotes.
std::string quote_yaml(std::string_view text);
/// What a complaint says was found: `"5"`, "nothing", "a list", "a map".
std::string describe_found(const Node& node);

/// A number of bytes: "64KiB", "5GB", a bare "0" is refused for want of a unit.
struct ByteCount {
  std::uint64_t value{0};
  friend bool operator==(const ByteCount&, const ByteCount&) = default;
};
/// A share: "40%" or a bare number from 0 to 1.
struct Ratio {
  double value{0};
  friend bool operator==(const Ratio&, const Ratio&) = default;
};
/// A regular expression in RE2's syntax, checked when it is read.
struct Pattern {
  std::string text{};
  friend bool operator==(const Pattern&, const Pattern&) = default;
};
/// Gives an enum its words: specialise with `static std::span<const std::pair<E, std::string_view>>
/// names()`.
template <class E>
struct EnumWords;

/// Set once at start-up by the program (RE2 lives outside the vocabulary): returns what is wrong
/// with a pattern, or "".
using PatternJudge = std::string (*)(std::string_view pattern);
void set_pattern_judge(PatternJudge judge);

template <>
struct Codec<std::string> {
  static bool read(const Node&, std::string&, Decoding&);
  static std::string show(const std::string&);
  static std::string schema();
  static std::string type_name() { return "text"; }
};
template <>
struct Codec<bool> {
  static bool read(const Node&, bool&, Decoding&);
  static std::string show(bool);
  static std::string schema();
  static std::string type_name() { return "true or false"; }
};
template <>
struct Codec<std::int64_t> {
  static bool read(const Node&, std::int64_t&, Decoding&);
  static std::string show(std::int64_t);
  static std::string schema();
  static std::string type_name() { return "whole number"; }
};
template <>
struct Codec<double> {
  static bool read(const Node&, double&, Decoding&);
  static std::string show(double);
  static std::string schema();
  static std::string type_name() { return "number"; }
};
template <>
struct Codec<Duration> {
  static bool read(const Node&, Duration&, Decoding&);
  static std::string show(Duration);
  static std::string schema();
  static std::string type_name() { return "duration"; }
};
template <>
struct Codec<ByteCount> {
  static bool read(const Node&, ByteCount&, Decoding&);
  static std::string show(ByteCount);
  static std::string schema();
  static std::string type_name() { return "bytes"; }
};
template <>
struct Codec<Ratio> {
  static bool read(const Node&, Ratio&, Decoding&);
  static std::string show(Ratio);
  static std::string schema();
  static std::string type_name() { return "ratio"; }
};
template <>
struct Codec<Pattern> {
  static bool read(const Node&, Pattern&, Decoding&);
  static std::string show(const Pattern&);
  static std::string schema();
  static std::string type_name() { return "regular expression"; }
};
/// {file: PATH}, {env: NAME} or {credential: NAME}; never the secret itself.
template <>
struct Codec<Secret> {
  static bool read(const Node&, Secret&, Decoding&);
  static std::string show(const Secret&);
  static std::string schema();
  static std::string type_name() { return "secret reference"; }
};

template <class T>
struct Codec<std::optional<T>> {
  static bool read(const Node& node, std::optional<T>& into, Decoding& decoding) {
    T value{};
    if (!Codec<T>::read(node, value, decoding)) return false;
    into = std::move(value);
    return true;
  }
  static std::string show(const std::optional<T>& value) {
    return value ? Codec<T>::show(*value) : "~";
  }
  static std::string schema() { return Codec<T>::schema(); }
  static std::string type_name() { return Codec<T>::type_name(); }
};

/// Complains and returns false unless the node is of the kind; `wanted` is named in the sentence.
bool require_kind(const Node& node, Node::Kind kind, std::string_view wanted, Decoding& decoding);

template <class T>
struct Codec<std::vector<T>> {
  static bool read(const Node& node, std::vector<T>& into, Decoding& decoding) {
    if (!require_kind(node, Node::Kind::list, type_name(), decoding)) return false;
    std::vector<T> values;
    bool good = true;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      auto inner = decoding.at(i);
      T value{};
      if (Codec<T>::read(node.items[i], value, inner))
        values.push_back(std::move(value));
      else
        good = false;
    }
    if (good) into = std::move(values);
    return good;
  }
  static std::string show(const std::vector<T>& values) {
    std::string out = "[";
    for (const auto& value : values) out += (out.size() > 1 ? ", " : "") + Codec<T>::show(value);
    return out + "]";
  }
  static std::string schema() { return R"({"type":"array","items":)" + Codec<T>::schema() + "}"; }
  static std::string type_name() { return "list of " + Codec<T>::type_name(); }
};

/// A map whose keys are the user's own words.
template <class T>
struct Codec<std::map<std::string, T>> {
  static bool read(const Node& node, std::map<std::string, T>& into, Decoding& decoding) {
    if (!require_kind(node, Node::Kind::map, type_name(), decoding)) return false;
    std::map<std::string, T> values;
    bool good = true;
    for (const auto& entry : node.entries) {
      auto inner = decoding.at(entry.key);
      T value{};
      if (Codec<T>::read(entry.value, value, inner))
        values.emplace(entry.key, std::move(value));
      else
        good = false;
    }
    if (good) into = std::move(values);
    return good;
  }
  static std::string show(const std::map<std::string, T>& values) {
    std::string out = "{";
    for (const auto& [key, value] : values)
      out += (out.size() > 1 ? ", " : "") + Codec<std::string>::show(key) + ": " +
             Codec<T>::show(value);
    return out + "}";
  }
  static std::string schema() {
    return R"({"type":"object","additionalProperties":)" + Codec<T>::schema() + "}";
  }
  static std::string type_name() { return "map of " + Codec<T>::type_name(); }
};

/// Reads a word out of a closed set; the complaint names the nearest and lists the rest. Returns -1
/// after complaining.
int read_word(const Node& node, std::span<const std::string_view> words, Decoding& decoding);
std::string words_schema(std::span<const std::string_view> words);

template <class E>
requires std::is_enum_v<E>
struct Codec<E> {
  static std::vector<std::string_view> words() {
    std::vector<std::string_view> out;
    for (const auto& [value, word] : EnumWords<E>::names()) out.push_back(word);
    return out;
  }
  static bool read(const Node& node, E& into, Decoding& decoding) {
    const auto index = read_word(node, words(), decoding);
    if (index < 0) return false;
    into = EnumWords<E>::names()[static_cast<std::size_t>(index)].first;
    return true;
  }
  static std::string show(E value) {
    for (const auto& [candidate, word] : EnumWords<E>::names())
      if (candidate == value) return std::string{word};
    return "?";
  }
  static std::string schema() { return words_schema(words()); }
  static std::string type_name() {
    std::string out;
    for (const auto word : words()) out += (out.empty() ? "" : " | ") + std::string{word};
    return out;
  }
};

}  // namespace tocsin
