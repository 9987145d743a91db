#include "tocsin/config/node.hpp"

#include <algorithm>

#include "tocsin/base/text.hpp"

namespace tocsin {
namespace {

// Keys and values of the file come along in both: neither may carry control characters to a
// terminal.
constexpr std::size_t path_characters = 200;
constexpr std::size_t message_characters = 1'000;

Complaint make(Place where, const std::string& path, const std::string& message,
               bool confidential) {
  return {std::move(where), cut_characters(clean_utf8(path), path_characters),
          cut_characters(clean_utf8(message), message_characters), confidential};
}

}  // namespace

void Complaints::add(Place where, std::string path, std::string message) {
  all_.push_back(make(std::move(where), path, message, false));
}

void Complaints::add_confidential(Place where, std::string path, std::string message) {
  all_.push_back(make(std::move(where), path, message, true));
}

const Node* Node::find(std::string_view key) const {
  const auto it = std::ranges::find(entries, key, &Entry::key);
  return it == entries.end() ? nullptr : &it->value;
}

}  // namespace tocsin
