#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "checks/systemd_bus.hpp"

struct sd_bus_message;

namespace tocsin::checks {

struct DropMessage {
  void operator()(sd_bus_message* message) const;
};
using MessagePointer = std::unique_ptr<sd_bus_message, DropMessage>;

/// A reply that is an error.
struct BusRefusal {
  std::string name{};   ///< "org.freedesktop.DBus.Error.ServiceUnknown"
  std::string words{};  ///< As the other side puts it.
  /// Whether the last part of its name is this.
  bool is(std::string_view last_part) const;
};
std::optional<BusRefusal> refusal_of(sd_bus_message* reply);

/// The units of a reply; nothing when it has another form.
std::optional<std::vector<ListedUnit>> read_unit_list(sd_bus_message* reply);
/// The value of a property, errors and forms that no property here has being no value.
UnitValue read_unit_value(sd_bus_message* reply);

}  // namespace tocsin::checks
