#include "checks/systemd_reply.hpp"

#include <systemd/sd-bus.h>

#include <utility>

#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

/// systemd's own bound of a unit's name is 255.
constexpr std::size_t text_characters_max = 500;
/// Of one property, as the units that a unit requires.
constexpr std::size_t words_max = 64;

bool read_text(sd_bus_message* message, char type, std::string* into) {
  const char* text = nullptr;
  if (sd_bus_message_read_basic(message, type, &text) <= 0 || text == nullptr) return false;
  if (into == nullptr) return true;
  // A path is plain text as sd-bus lets it pass, and is told to systemd again as it is.
  *into = type == SD_BUS_TYPE_OBJECT_PATH ? std::string{text}
                                          : cut_characters(clean_utf8(text), text_characters_max);
  return true;
}

/// One element of what the manager's lists answer with, after it was entered.
bool read_unit(sd_bus_message* reply, ListedUnit& unit) {
  std::uint32_t job = 0;
  return read_text(reply, 's', &unit.name) && read_text(reply, 's', nullptr) &&
         read_text(reply, 's', &unit.load) && read_text(reply, 's', &unit.active) &&
         read_text(reply, 's', &unit.sub) && read_text(reply, 's', nullptr) &&
         read_text(reply, 'o', &unit.path) && sd_bus_message_read_basic(reply, 'u', &job) > 0 &&
         read_text(reply, 's', nullptr) && read_text(reply, 'o', nullptr) &&
         sd_bus_message_exit_container(reply) >= 0;
}

template <class Raw, class Value>
UnitValue read_number(sd_bus_message* reply, char type) {
  Raw raw{};
  if (sd_bus_message_read_basic(reply, type, &raw) <= 0) return {};
  return static_cast<Value>(raw);
}

/// The texts up to the end of what was entered.
UnitValue read_words(sd_bus_message* reply) {
  std::vector<std::string> words;
  std::string word;
  while (words.size() < words_max && read_text(reply, 's', &word)) words.push_back(word);
  return words;
}

UnitValue read_basic(sd_bus_message* reply, char type) {
  std::string text;
  int flag = 0;
  // D-Bus's own letters for types: not a closed set of ours.
  switch (type) {
    case SD_BUS_TYPE_BOOLEAN:
      if (sd_bus_message_read_basic(reply, type, &flag) <= 0) return {};
      return flag != 0;
    case SD_BUS_TYPE_INT32:
      return read_number<std::int32_t, std::int64_t>(reply, type);
    case SD_BUS_TYPE_INT64:
      return read_number<std::int64_t, std::int64_t>(reply, type);
    case SD_BUS_TYPE_UINT32:
      return read_number<std::uint32_t, std::uint64_t>(reply, type);
    case SD_BUS_TYPE_UINT64:
      return read_number<std::uint64_t, std::uint64_t>(reply, type);
    case SD_BUS_TYPE_STRING:
      if (!read_text(reply, type, &text)) return {};
      return text;
    default:
      return {};
  }
}

}  // namespace

void DropMessage::operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }

bool BusRefusal::is(std::string_view last_part) const {
  return name.size() > last_part.size() && name.ends_with(last_part) &&
         name[name.size() - last_part.size() - 1] == '.';
}

std::optional<BusRefusal> refusal_of(sd_bus_message* reply) {
  const auto* const error = sd_bus_message_get_error(reply);
  if (error == nullptr) return std::nullopt;
  BusRefusal refusal;
  if (error->name != nullptr) refusal.name = error->name;
  refusal.words = error->message != nullptr ? error->message : refusal.name;
  return refusal;
}

std::optional<std::vector<ListedUnit>> read_unit_list(sd_bus_message* reply) {
  constexpr const char* element = "ssssssouso";
  std::vector<ListedUnit> list;
  if (sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "(ssssssouso)") <= 0)
    return std::nullopt;
  for (;;) {
    const int entered = sd_bus_message_enter_container(reply, SD_BUS_TYPE_STRUCT, element);
    if (entered < 0) return std::nullopt;
    if (entered == 0) return list;
    ListedUnit unit;
    if (!read_unit(reply, unit)) return std::nullopt;
    list.push_back(std::move(unit));
  }
}

UnitValue read_unit_value(sd_bus_message* reply) {
  if (sd_bus_message_get_error(reply) != nullptr) return {};
  char type = 0;
  const char* contents = nullptr;
  if (sd_bus_message_peek_type(reply, &type, &contents) <= 0 || type != SD_BUS_TYPE_VARIANT ||
      sd_bus_message_enter_container(reply, type, contents) <= 0)
    return {};
  if (sd_bus_message_peek_type(reply, &type, &contents) <= 0) return {};
  const std::string_view inside{contents == nullptr ? "" : contents};
  if ((type == SD_BUS_TYPE_ARRAY && inside == "s") ||
      (type == SD_BUS_TYPE_STRUCT && inside == "ss")) {
    if (sd_bus_message_enter_container(reply, type, contents) <= 0) return {};
    return read_words(reply);
  }
  return read_basic(reply, type);
}

}  // namespace tocsin::checks
