#include "tocsin/config/codec.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "tocsin/base/text.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin {
namespace {

std::string with_article(std::string_view noun) { return "a " + std::string{noun}; }

void expected(const Node& node, std::string_view wanted, Decoding& decoding) {
  decoding.complain(node, "expected " + std::string{wanted} + ", found " + describe_found(node));
}

/// The scalar's text, or nothing after complaining. Quoted text is refused where it cannot be what
/// is wanted.
bool require_word(const Node& node, std::string_view wanted, bool may_be_quoted,
                  Decoding& decoding) {
  if (node.kind != Node::Kind::scalar) {
    expected(node, wanted, decoding);
    return false;
  }
  if (node.quoted && !may_be_quoted) {
    decoding.complain(node, "expected " + std::string{wanted} +
                                ", found text: " + describe_found(node) + " (without quotes)");
    return false;
  }
  return true;
}

template <class T>
bool read_number(const Node& node, T& into, std::string_view wanted, Decoding& decoding) {
  if (!require_word(node, wanted, false, decoding)) return false;
  const auto* end = node.text.data() + node.text.size();
  T value{};
  const auto [rest, problem] = std::from_chars(node.text.data(), end, value);
  bool good = problem == std::errc{} && rest == end;
  if constexpr (std::is_floating_point_v<T>) good = good && std::isfinite(value);
  if (!good) {
    expected(node, wanted, decoding);
    return false;
  }
  into = value;
  return true;
}

PatternJudge pattern_judge = nullptr;

}  // namespace

void set_pattern_judge(PatternJudge judge) { pattern_judge = judge; }

bool require_kind(const Node& node, Node::Kind kind, std::string_view wanted, Decoding& decoding) {
  if (node.kind == kind) return true;
  expected(node, with_article(wanted), decoding);
  return false;
}

bool Codec<std::string>::read(const Node& node, std::string& into, Decoding& decoding) {
  if (!require_word(node, "text", true, decoding)) return false;
  if (node.text.find('\0') != std::string::npos) {
    decoding.complain(node, "text cannot hold a NUL character");
    return false;
  }
  into = node.text;
  return true;
}
std::string Codec<std::string>::show(const std::string& value) { return quote_yaml(value); }
// A bare number or word is text too where text is wanted.
std::string Codec<std::string>::schema() { return R"({"type":["string","number","boolean"]})"; }

bool Codec<bool>::read(const Node& node, bool& into, Decoding& decoding) {
  if (!require_word(node, "true or false", false, decoding)) return false;
  if (node.text != "true" && node.text != "false") {
    expected(node, "true or false", decoding);
    return false;
  }
  into = node.text == "true";
  return true;
}
std::string Codec<bool>::show(bool value) { return value ? "true" : "false"; }
std::string Codec<bool>::schema() { return R"({"type":"boolean"})"; }

bool Codec<std::int64_t>::read(const Node& node, std::int64_t& into, Decoding& decoding) {
  return read_number(node, into, "a whole number", decoding);
}
std::string Codec<std::int64_t>::show(std::int64_t value) { return std::to_string(value); }
std::string Codec<std::int64_t>::schema() { return R"({"type":"integer"})"; }

bool Codec<double>::read(const Node& node, double& into, Decoding& decoding) {
  return read_number(node, into, "a number", decoding);
}
std::string Codec<double>::show(double value) {
  std::array<char, 64> buffer{};
  const auto [end, problem] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return problem == std::errc{} ? std::string{buffer.data(), end} : "0";
}
std::string Codec<double>::schema() { return R"({"type":"number"})"; }

bool Codec<Duration>::read(const Node& node, Duration& into, Decoding& decoding) {
  if (!require_word(node, "a duration such as \"10s\"", true, decoding)) return false;
  auto duration = parse_duration(node.text);
  if (!duration) {
    decoding.complain(node, duration.error().detail);
    return false;
  }
  into = *duration;
  return true;
}
std::string Codec<Duration>::show(Duration value) { return to_config(value); }
std::string Codec<Duration>::schema() {
  return R"({"type":"string","pattern":"^([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h|d))+$"})";
}

bool Codec<ByteCount>::read(const Node& node, ByteCount& into, Decoding& decoding) {
  if (!require_word(node, "bytes with a unit such as \"64KiB\"", true, decoding)) return false;
  const auto bytes = parse_quantity(node.text, Unit::bytes);
  if (!bytes || *bytes < 0 || *bytes > 9e18) {
    decoding.complain(
        node, bytes ? "expected 0 to 9EB, found " + describe_found(node) : bytes.error().detail);
    return false;
  }
  into = {static_cast<std::uint64_t>(std::llround(*bytes))};
  return true;
}
std::string Codec<ByteCount>::show(ByteCount count) {
  struct Scale {
    std::uint64_t bytes;
    std::string_view name;
  };
  constexpr std::array scales{Scale{1ull << 40, "TiB"},       Scale{1ull << 30, "GiB"},
                              Scale{1ull << 20, "MiB"},       Scale{1ull << 10, "KiB"},
                              Scale{1'000'000'000'000, "TB"}, Scale{1'000'000'000, "GB"},
                              Scale{1'000'000, "MB"},         Scale{1'000, "kB"}};
  auto shortest = std::to_string(count.value) + "B";
  for (const auto& scale : scales) {
    if (count.value == 0 || count.value % scale.bytes != 0) continue;
    auto text = std::to_string(count.value / scale.bytes) + std::string{scale.name};
    if (text.size() < shortest.size()) shortest = std::move(text);
  }
  return shortest;
}
std::string Codec<ByteCount>::schema() {
  return R"({"type":"string","pattern":"^[0-9]+(\\.[0-9]+)? ?(B|kB|KiB|MB|MiB|GB|GiB|TB|TiB)$"})";
}

bool Codec<Ratio>::read(const Node& node, Ratio& into, Decoding& decoding) {
  if (!require_word(node, "a share such as \"40%\"", true, decoding)) return false;
  const auto ratio = parse_quantity(node.text, Unit::ratio);
  if (!ratio || *ratio < 0 || *ratio > 1) {
    decoding.complain(
        node, ratio ? "expected 0% to 100%, found " + describe_found(node) : ratio.error().detail);
    return false;
  }
  into = {*ratio};
  return true;
}
std::string Codec<Ratio>::show(Ratio ratio) { return describe_number(ratio.value * 100, 6) + "%"; }
std::string Codec<Ratio>::schema() {
  return R"({"anyOf":[{"type":"string","pattern":"^[0-9]+(\\.[0-9]+)?%$"},{"type":"number","minimum":0,"maximum":1}]})";
}

bool Codec<Pattern>::read(const Node& node, Pattern& into, Decoding& decoding) {
  if (!require_word(node, "a regular expression", true, decoding)) return false;
  const auto fault = pattern_judge == nullptr ? std::string{} : pattern_judge(node.text);
  if (!fault.empty()) {
    decoding.complain(node, "malformed regular expression: " + cut_characters(fault, 120));
    return false;
  }
  into = {node.text};
  return true;
}
std::string Codec<Pattern>::show(const Pattern& pattern) { return quote_yaml(pattern.text); }
std::string Codec<Pattern>::schema() { return R"({"type":"string","format":"regex"})"; }

int read_word(const Node& node, std::span<const std::string_view> words, Decoding& decoding) {
  std::string list;
  for (const auto word : words) list += (list.empty() ? "" : ", ") + std::string{word};
  if (node.kind == Node::Kind::scalar) {
    const auto it = std::ranges::find(words, std::string_view{node.text});
    if (it != words.end()) return static_cast<int>(it - words.begin());
    if (const auto near = nearest(node.text, words); !near.empty()) {
      decoding.complain(node, "expected one of " + list + "; found " + describe_found(node) +
                                  ": did you mean \"" + std::string{near} + "\"?");
      return -1;
    }
  }
  decoding.complain(node, "expected one of " + list + "; found " + describe_found(node));
  return -1;
}

std::string words_schema(std::span<const std::string_view> words) {
  std::string out = R"({"enum":[)";
  for (std::size_t i = 0; i < words.size(); ++i) out += (i == 0 ? "" : ",") + quote_json(words[i]);
  return out + "]}";
}

}  // namespace tocsin
