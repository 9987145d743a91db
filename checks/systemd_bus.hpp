#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "tocsin/async/task.hpp"
#include "tocsin/net/conversation.hpp"
#include "tocsin/net/network.hpp"

namespace tocsin::checks {

/// What systemd says of a unit when it lists units.
struct ListedUnit {
  std::string name{};    ///< Its own, which may be another than it was asked for by.
  std::string load{};    ///< "loaded", "not-found", "masked", "bad-setting", "error".
  std::string active{};  ///< "active", "failed", …
  std::string sub{};     ///< Finer, as its type has it: "running", "auto-restart", …
  std::string path{};    ///< To ask more by.
};

/// A property's value; nothing when systemd does not have it or would not tell.
using UnitValue = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, std::string,
                               std::vector<std::string>>;
struct UnitQuestion {
  std::string path{};        ///< Of the unit.
  std::string interface {};  ///< "org.freedesktop.systemd1.Service"
  std::string property{};
};

/// One connection to a systemd: sd-bus speaks D-Bus, and a conversation of the network carries it,
/// so that nothing blocks and whoever is at the other end costs no more than the bounds below. One
/// look, then it is dropped. Errors are sentences for people; none says that a unit is down.
class SystemdBus {
 public:
  /// Bytes that are heard in all: some eight thousand listed units.
  static constexpr std::size_t heard_bytes_max = 2u << 20;

  /// The network must outlive it. Everything ends at the deadline with Errc::timed_out.
  SystemdBus(Network& network, SteadyTime deadline);
  ~SystemdBus();
  SystemdBus(const SystemdBus&) = delete;
  SystemdBus& operator=(const SystemdBus&) = delete;

  /// Connects, once. A path that ends in "/systemd/private" is systemd's own socket, any other one
  /// of a bus.
  Task<void> open(std::string unix_socket);
  /// One for each name, in their order; systemd loads those that it has not loaded. The names must
  /// be whole and valid.
  Task<std::vector<ListedUnit>> units_named(std::vector<std::string> names);
  /// Those that systemd has loaded and that fit one of the globs.
  Task<std::vector<ListedUnit>> units_like(std::vector<std::string> globs);
  /// The answers, in the order of the questions.
  Task<std::vector<UnitValue>> values(std::vector<UnitQuestion> questions);

 private:
  struct Connection;
  struct Call;
  Result<void> start(bool is_bus);
  Result<void> ask(Call& call, const char* member, const std::vector<std::string>& words);
  Result<void> ask(Call& call, const UnitQuestion& question);
  Task<void> exchange(const std::vector<Call>& calls);
  Result<void> turn();
  Task<std::vector<ListedUnit>> listed(const char* member, std::vector<std::string> words);
  Error silent(const Error& why) const;
  Error foreign(int fault) const;

  Network& network_;
  SteadyTime deadline_;
  std::string place_{};
  std::unique_ptr<Conversation> conversation_{};
  std::size_t heard_{0};
  std::unique_ptr<Connection> connection_;
};

}  // namespace tocsin::checks
