#include <algorithm>
#include <array>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "tests/fakes/slack_methods.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::fakes::slack {
namespace {

// Block Kit reference; the last is not documented (bolt-js#2509 found it).
constexpr std::size_t block_id_characters = 255;
constexpr std::size_t section_fields = 10;
constexpr std::size_t field_characters = 2000;
constexpr std::size_t context_elements = 10;
constexpr std::size_t action_elements = 25;
constexpr std::size_t button_characters = 75;
constexpr std::size_t all_text_characters = 13'200;

constexpr std::string_view wrong = "invalid_blocks";

std::string_view text_in(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view{value->get_string()} : "";
}

const json::object* object_in(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr ? value->if_object() : nullptr;
}

const json::array* array_in(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr ? value->if_array() : nullptr;
}

// A text object of one of the kinds, 1 to `most` characters.
bool good_text(const json::object* text, std::size_t most, bool plain_only) {
  if (text == nullptr) return false;
  const auto type = text_in(*text, "type");
  if (type != "plain_text" && (plain_only || type != "mrkdwn")) return false;
  const auto length = characters(text_in(*text, "text"));
  return length >= 1 && length <= most;
}

bool good_section(const json::object& block) {
  const auto* text = object_in(block, "text");
  const auto* fields = array_in(block, "fields");
  if (text == nullptr && fields == nullptr) return false;
  if (text != nullptr && !good_text(text, limits::slack_section_characters, false)) return false;
  if (fields == nullptr) return true;
  return !fields->empty() && fields->size() <= section_fields &&
         std::all_of(fields->begin(), fields->end(), [](const json::value& field) {
           return good_text(field.if_object(), field_characters, false);
         });
}

bool good_context(const json::object& block) {
  const auto* elements = array_in(block, "elements");
  return elements != nullptr && !elements->empty() && elements->size() <= context_elements &&
         std::all_of(elements->begin(), elements->end(), [](const json::value& element) {
           const auto* object = element.if_object();
           const bool image = object != nullptr && text_in(*object, "type") == "image";
           return image || good_text(object, field_characters, false);
         });
}

bool good_actions(const json::object& block) {
  const auto* elements = array_in(block, "elements");
  return elements != nullptr && !elements->empty() && elements->size() <= action_elements &&
         std::all_of(elements->begin(), elements->end(), [](const json::value& element) {
           const auto* object = element.if_object();
           if (object == nullptr) return false;
           if (text_in(*object, "type") != "button") return true;
           return good_text(object_in(*object, "text"), button_characters, true);
         });
}

bool good_block(const json::value& value) {
  const auto* block = value.if_object();
  if (block == nullptr || characters(text_in(*block, "block_id")) > block_id_characters)
    return false;
  const auto type = text_in(*block, "type");
  if (type == "section") return good_section(*block);
  if (type == "header") {
    return good_text(object_in(*block, "text"), limits::slack_header_characters, true);
  }
  if (type == "context") return good_context(*block);
  if (type == "actions") return good_actions(*block);
  constexpr std::array<std::string_view, 5> unchecked{"divider", "image", "markdown", "rich_text",
                                                      "table"};
  return std::find(unchecked.begin(), unchecked.end(), type) != unchecked.end();
}

// All the text people would see, however deep.
std::size_t text_characters(const json::value& value) {
  std::size_t sum = 0;
  if (const auto* array = value.if_array()) {
    for (const auto& item : *array) sum += text_characters(item);
  } else if (const auto* object = value.if_object()) {
    for (const auto& [key, item] : *object) {
      const bool text = key == "text" && item.is_string();
      sum += text ? characters(std::string_view{item.get_string()}) : text_characters(item);
    }
  }
  return sum;
}

}  // namespace

std::string_view fault_in_blocks(std::string_view text) {
  boost::system::error_code problem;
  const auto parsed = json::parse(text, problem);
  if (problem || !parsed.is_array()) return "invalid_blocks_format";
  const auto& blocks = parsed.get_array();
  if (blocks.size() > limits::slack_message_blocks) return wrong;
  if (!std::all_of(blocks.begin(), blocks.end(), good_block)) return wrong;
  return text_characters(parsed) > all_text_characters ? "msg_blocks_too_long" : std::string_view{};
}

}  // namespace tocsin::fakes::slack
