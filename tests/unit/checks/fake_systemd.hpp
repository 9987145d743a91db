#pragma once

#include <algorithm>
#include <cctype>
#include <map>
#include <string>
#include <vector>

#include "checks/systemd_bus.hpp"
#include "checks/unit_name.hpp"
#include "tests/unit/checks/dbus_messages.hpp"
#include "tests/unit/checks/scripted_network.hpp"

namespace tocsin::checks_test {

struct FakeUnit {
  std::string name{};
  std::string active{"active"};
  std::string sub{"running"};
  std::string load{"loaded"};
  std::map<std::string, checks::UnitValue> properties{};  ///< By name, whatever the interface.
};

/// A systemd that is reached over any socket and tells of its units, bus or not.
class FakeSystemd final : public ScriptedNetwork {
 public:
  FakeSystemd() {
    peer = [this](std::string_view words) { return answer(words); };
  }

  std::vector<FakeUnit> units{};
  bool lets_in{true};
  std::string list_error{};      ///< Lists are refused with this error's name.
  std::string list_words{"no"};  ///< And these words.
  std::string list_signature{"a(ssssssouso)"};
  std::size_t leaves_out{0};  ///< Of the units that it was asked for by name.
  std::string swallows{};     ///< A method that is never answered, nor what follows it.
  std::vector<DbusCall> calls{};

  int count(const std::string& member) const {
    return static_cast<int>(std::count_if(calls.begin(), calls.end(),
                                          [&](const auto& call) { return call.member == member; }));
  }

 private:
  std::string answer(std::string_view words) {
    heard_.append(words);
    std::string answers;
    constexpr std::string_view begin = "BEGIN\r\n";
    if (const auto at = heard_.find(begin); heard_[0] == '\0' && at != std::string::npos) {
      is_mute_ = !lets_in;
      if (!lets_in) return "DATA\r\nREJECTED EXTERNAL\r\n";
      if (heard_.find("DATA\r\n") < at) answers += "DATA\r\n";
      answers += "OK 0123456789abcdef0123456789abcdef\r\n";
      heard_.erase(0, at + begin.size());
    }
    while (auto call = take_call(heard_)) {
      calls.push_back(*call);
      is_mute_ = is_mute_ || call->member == swallows;
      if (!is_mute_) answers += reply(*call);
    }
    return answers;
  }

  std::string reply(const DbusCall& call) const {
    DbusWriter body;
    if (call.member == "Hello") {
      body.words(":1.7");
      return dbus_reply(call.serial, "s", body);
    }
    if (call.member == "Get") return property(call);
    if (!list_error.empty()) {
      body.words(list_words);
      return dbus_reply(call.serial, "s", body, list_error);
    }
    DbusReader words{call.body};
    auto wanted = words.word_list();
    const bool by_names = call.member == "ListUnitsByNames";
    if (!by_names) wanted = words.word_list();
    const auto list = body.open_array(8);
    if (by_names) {
      wanted.resize(wanted.size() - std::min(wanted.size(), leaves_out));
      for (const auto& name : wanted) put_unit(body, named(name));
    } else {
      for (const auto& unit : units)
        if (std::any_of(wanted.begin(), wanted.end(),
                        [&](const auto& glob) { return checks::fits_unit_glob(glob, unit.name); }))
          put_unit(body, unit);
    }
    body.close_array(list);
    return dbus_reply(call.serial, list_signature, body);
  }

  FakeUnit named(const std::string& name) const {
    for (const auto& unit : units)
      if (unit.name == name) return unit;
    return {.name = name, .active = "inactive", .sub = "dead", .load = "not-found"};
  }
  static std::string path_of(const std::string& name) {
    std::string path = name;
    std::replace_if(
        path.begin(), path.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
    return "/org/freedesktop/systemd1/unit/" + path;
  }
  static void put_unit(DbusWriter& body, const FakeUnit& unit) {
    body.align(8);
    for (const auto& word : {unit.name, std::string{"A unit"}, unit.load, unit.active, unit.sub,
                             std::string{}, path_of(unit.name)})
      body.words(word);
    body.number(std::uint32_t{0});
    body.words("");
    body.words("/");
  }

  std::string property(const DbusCall& call) const {
    DbusReader words{call.body};
    words.words();
    const auto name = words.words();
    DbusWriter body;
    for (const auto& unit : units) {
      const auto found = unit.properties.find(name);
      if (path_of(unit.name) != call.path || found == unit.properties.end()) continue;
      put_value(body, name, found->second);
      return dbus_reply(call.serial, "v", body);
    }
    body.words("Unknown property");
    return dbus_reply(call.serial, "s", body, "org.freedesktop.DBus.Error.UnknownProperty");
  }
  static void put_value(DbusWriter& body, const std::string& name, const checks::UnitValue& value) {
    const bool is_short = name == "NRestarts" || name == "ExecMainPID" || name == "StartLimitBurst";
    if (const auto* flag = std::get_if<bool>(&value)) {
      body.signature("b");
      body.number(std::uint32_t{*flag ? 1u : 0u});
    } else if (const auto* whole = std::get_if<std::int64_t>(&value)) {
      body.signature("i");
      body.number(static_cast<std::int32_t>(*whole));
    } else if (const auto* number = std::get_if<std::uint64_t>(&value); number && is_short) {
      body.signature("u");
      body.number(static_cast<std::uint32_t>(*number));
    } else if (number != nullptr) {
      body.signature("t");
      body.number(*number);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      body.signature("s");
      body.words(*text);
    } else if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
      body.signature(name == "LoadError" ? "(ss)" : "as");
      if (name == "LoadError") {
        body.align(8);
        for (const auto& word : *list) body.words(word);
      } else {
        body.word_list(*list);
      }
    } else {
      body.signature("d");
      body.number(0.5);
    }
  }

  std::string heard_{};
  bool is_mute_{false};
};

}  // namespace tocsin::checks_test
