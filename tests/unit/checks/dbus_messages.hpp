#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// D-Bus as it is on the wire, little-endian, as much of it as a fake systemd needs.
namespace tocsin::checks_test {

/// Values one after the other, each at a multiple of its own size.
class DbusWriter {
 public:
  void align(std::size_t to) { text_.resize((text_.size() + to - 1) / to * to); }
  template <class Number>
  void number(Number value) {
    align(sizeof value);
    text_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void byte(char value) { text_ += value; }
  void words(std::string_view text) {
    number(static_cast<std::uint32_t>(text.size()));
    text_.append(text).push_back('\0');
  }
  void signature(std::string_view text) {
    byte(static_cast<char>(text.size()));
    text_.append(text).push_back('\0');
  }
  /// The place of an array's length, to be closed.
  std::pair<std::size_t, std::size_t> open_array(std::size_t element_alignment) {
    number(std::uint32_t{0});
    const auto length_at = text_.size() - sizeof(std::uint32_t);
    align(element_alignment);
    return {length_at, text_.size()};
  }
  void close_array(std::pair<std::size_t, std::size_t> place) {
    const auto length = static_cast<std::uint32_t>(text_.size() - place.second);
    std::memcpy(text_.data() + place.first, &length, sizeof length);
  }
  void word_list(const std::vector<std::string>& list) {
    const auto place = open_array(4);
    for (const auto& word : list) words(word);
    close_array(place);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_{};
};

class DbusReader {
 public:
  explicit DbusReader(std::string_view text) : text_{text} {}

  void align(std::size_t to) { at_ = (at_ + to - 1) / to * to; }
  template <class Number>
  Number number() {
    align(sizeof(Number));
    Number value{};
    std::memcpy(&value, text_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  std::string words() {
    const auto size = number<std::uint32_t>();
    const std::string text{text_.substr(at_, size)};
    at_ += size + 1;
    return text;
  }
  std::string signature() {
    const auto size = static_cast<unsigned char>(text_[at_++]);
    const std::string text{text_.substr(at_, size)};
    at_ += size + 1u;
    return text;
  }
  std::vector<std::string> word_list() {
    const auto size = number<std::uint32_t>();
    const auto end = at_ + size;
    std::vector<std::string> list;
    while (at_ < end) list.push_back(words());
    return list;
  }
  std::size_t at() const { return at_; }

 private:
  std::string_view text_;
  std::size_t at_{0};
};

/// A call as it came.
struct DbusCall {
  std::uint32_t serial{0};
  std::string path{}, interface {
  }, member{};
  std::string body{};
};

/// Takes the first whole message off `text`.
inline std::optional<DbusCall> take_call(std::string& text) {
  constexpr std::size_t head_bytes = 16;
  if (text.size() < head_bytes) return std::nullopt;
  DbusReader head{text};
  head.number<std::uint32_t>();
  const auto body_bytes = head.number<std::uint32_t>();
  DbusCall call;
  call.serial = head.number<std::uint32_t>();
  const auto fields_bytes = head.number<std::uint32_t>();
  const auto body_at = (head_bytes + fields_bytes + 7) / 8 * 8;
  if (text.size() < body_at + body_bytes) return std::nullopt;
  while (head.at() < head_bytes + fields_bytes) {
    head.align(8);
    const auto code = head.number<std::uint8_t>();
    const auto type = head.signature();
    const auto value = type == "g" ? head.signature() : head.words();
    if (code == 1) call.path = value;
    if (code == 2) call.interface = value;
    if (code == 3) call.member = value;
  }
  call.body = text.substr(body_at, body_bytes);
  text.erase(0, body_at + body_bytes);
  return call;
}

/// A method's return, or its error when `error` is not empty.
inline std::string dbus_reply(std::uint32_t to, std::string_view signature, const DbusWriter& body,
                              std::string_view error = {}) {
  DbusWriter message;
  message.byte('l');
  message.byte(error.empty() ? 2 : 3);
  message.byte(1);
  message.byte(1);
  message.number(static_cast<std::uint32_t>(body.text().size()));
  message.number(std::uint32_t{7});
  const auto fields = message.open_array(8);
  const auto field = [&](char code, std::string_view type) {
    message.align(8);
    message.byte(code);
    message.signature(type);
  };
  field(5, "u");
  message.number(to);
  if (!error.empty()) {
    field(4, "s");
    message.words(error);
  }
  if (!signature.empty()) {
    field(8, "g");
    message.signature(signature);
  }
  message.close_array(fields);
  message.align(8);
  return message.text() + body.text();
}

}  // namespace tocsin::checks_test
