#include "checks/systemd_bus.hpp"

#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "checks/late_library.hpp"
#include "checks/net_samples.hpp"
#include "checks/systemd_reply.hpp"

namespace tocsin::checks {
namespace {

constexpr const char* systemd_name = "org.freedesktop.systemd1";
constexpr const char* systemd_path = "/org/freedesktop/systemd1";
constexpr const char* manager_interface = "org.freedesktop.systemd1.Manager";
constexpr const char* properties_interface = "org.freedesktop.DBus.Properties";
/// A bus ends a connection that has more questions open than 128 (max_replies_per_connection of
/// dbus-daemon).
constexpr std::size_t questions_at_once = 32;
constexpr std::size_t piece_bytes = 16u << 10;
/// No answer is too late for sd-bus: the conversation's deadline ends it all.
constexpr std::uint64_t forever = UINT64_MAX;

std::string words_of(int fault) {
  return std::error_code{fault < 0 ? -fault : fault, std::generic_category()}.message();
}

Error no_bus(int fault) {
  return {Errc::internal, "sd-bus cannot be used here: " + words_of(fault)};
}

MessagePointer new_call(sd_bus* bus, const char* path, const char* interface, const char* member) {
  sd_bus_message* message = nullptr;
  if (sd_bus_message_new_method_call(bus, &message, systemd_name, path, interface, member) < 0)
    return nullptr;
  return MessagePointer{message};
}

bool append(sd_bus_message* message, const std::string& text) {
  return sd_bus_message_append_basic(message, SD_BUS_TYPE_STRING, text.c_str()) >= 0;
}

bool append(sd_bus_message* message, const std::vector<std::string>& words) {
  return sd_bus_message_open_container(message, SD_BUS_TYPE_ARRAY, "s") >= 0 &&
         std::all_of(words.begin(), words.end(),
                     [&](const auto& word) { return append(message, word); }) &&
         sd_bus_message_close_container(message) >= 0;
}

}  // namespace

/// A question under way.
struct SystemdBus::Call {
  MessagePointer reply{};

  static int take(sd_bus_message* message, void* call, sd_bus_error* /*fault*/) {
    static_cast<Call*>(call)->reply.reset(sd_bus_message_ref(message));
    return 1;
  }
};

/// sd-bus at one end of a socket pair; what it says and hears is carried over at the other, so that
/// what is heard can be counted.
struct SystemdBus::Connection {
  sd_bus* bus{nullptr};
  int outer{-1};

  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { close(); }

  void close() {
    // Neither says what is unsaid nor answers what is unanswered.
    bus = sd_bus_close_unref(std::exchange(bus, nullptr));
    if (outer >= 0) ::close(std::exchange(outer, -1));
  }
  /// What sd-bus has to say.
  std::string said() const {
    std::string all;
    std::array<char, piece_bytes> piece{};
    for (;;) {
      const auto size = recv(outer, piece.data(), piece.size(), MSG_DONTWAIT);
      if (size <= 0) return all;
      all.append(piece.data(), static_cast<std::size_t>(size));
    }
  }
  /// Has sd-bus hear a piece; it has heard all before, so there is room.
  bool tell(std::string_view piece) const {
    const auto sent = send(outer, piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent == static_cast<ssize_t>(piece.size());
  }
};

SystemdBus::SystemdBus(Network& network, SteadyTime deadline)
    : network_{network}, deadline_{deadline}, connection_{std::make_unique<Connection>()} {}

SystemdBus::~SystemdBus() = default;

Task<void> SystemdBus::open(std::string unix_socket) {
  if (auto loaded = libsystemd().load(); !loaded) co_return loaded;
  place_ = std::move(unix_socket);
  OpenRequest request;
  request.unix_socket = place_;
  request.deadline = deadline_;
  auto opening = network_.open(std::move(request));
  auto opened = co_await std::move(opening);
  if (opened.failure) co_return opened.failure->error;
  conversation_ = std::move(opened.conversation);
  constexpr std::string_view own_socket = "/systemd/private";
  co_return start(!place_.ends_with(own_socket));
}

Result<void> SystemdBus::start(bool is_bus) {
  std::array<int, 2> pair{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return no_bus(errno);
  connection_->outer = pair[1];
  auto*& bus = connection_->bus;
  int done = sd_bus_new(&bus);
  if (done >= 0) done = sd_bus_set_fd(bus, pair[0], pair[0]);
  if (done < 0) {
    ::close(pair[0]);
    return no_bus(done);
  }
  // From here on the descriptor is the bus's to close.
  done = sd_bus_set_bus_client(bus, is_bus ? 1 : 0);
  if (done >= 0) done = sd_bus_negotiate_fds(bus, 0);
  if (done >= 0) done = sd_bus_start(bus);
  if (done < 0) return no_bus(done);
  return {};
}

Result<void> SystemdBus::ask(Call& call, const char* member,
                             const std::vector<std::string>& words) {
  auto* const bus = connection_->bus;
  const auto message = new_call(bus, systemd_path, manager_interface, member);
  const std::vector<std::string> any_state;
  const bool by_globs = std::string_view{member} == "ListUnitsByPatterns";
  if (message == nullptr || (by_globs && !append(message.get(), any_state)) ||
      !append(message.get(), words))
    return no_bus(EINVAL);
  const int done = sd_bus_call_async(bus, nullptr, message.get(), &Call::take, &call, forever);
  if (done < 0) return no_bus(done);
  return {};
}

Result<void> SystemdBus::ask(Call& call, const UnitQuestion& question) {
  auto* const bus = connection_->bus;
  const auto message = new_call(bus, question.path.c_str(), properties_interface, "Get");
  if (message == nullptr || !append(message.get(), question.interface) ||
      !append(message.get(), question.property))
    return no_bus(EINVAL);
  const int done = sd_bus_call_async(bus, nullptr, message.get(), &Call::take, &call, forever);
  if (done < 0) return no_bus(done);
  return {};
}

Error SystemdBus::silent(const Error& why) const {
  if (why.code == Errc::timed_out) {
    if (heard_ == 0) return {why.code, place_ + " took the connection and did not answer in time"};
    if (sd_bus_is_ready(connection_->bus) <= 0)
      return {why.code, place_ + " did not let tocsin in in time"};
    return {why.code, "systemd, asked over " + place_ + ", did not answer in time"};
  }
  if (why.code == Errc::disconnected && sd_bus_is_ready(connection_->bus) <= 0)
    return {why.code, place_ + " closed the connection before it let tocsin in"};
  return why;
}

Error SystemdBus::foreign(int fault) const {
  if (fault == -EPERM || fault == -EACCES)
    return {Errc::refused, place_ + " does not let the user in whom tocsin runs as"};
  return {Errc::protocol, place_ + " does not speak D-Bus as it should (" + words_of(fault) + ")"};
}

/// Has sd-bus do all that it can do without hearing more.
Result<void> SystemdBus::turn() {
  for (;;) {
    const int done = sd_bus_process(connection_->bus, nullptr);
    if (done < 0) return foreign(done);
    if (done == 0) return {};
  }
}

/// Until all calls have their replies. After an error nothing more can be asked.
Task<void> SystemdBus::exchange(const std::vector<Call>& calls) {
  std::size_t answered = 0;
  for (;;) {
    if (auto turned = turn(); !turned) {
      connection_->close();
      co_return turned;
    }
    while (answered < calls.size() && calls[answered].reply != nullptr) ++answered;
    auto words = connection_->said();
    if (!words.empty()) {
      auto saying = conversation_->say(std::move(words));
      const auto said = co_await std::move(saying);
      if (!said) {
        const auto error = silent(said.error());
        connection_->close();
        co_return error;
      }
    }
    if (answered == calls.size()) co_return Result<void>{};
    auto hearing = conversation_->hear();
    const auto heard = co_await std::move(hearing);
    if (!heard) {
      const auto error = silent(heard.error());
      connection_->close();
      co_return error;
    }
    heard_ += heard->size();
    if (heard_ > heard_bytes_max || !connection_->tell(*heard)) {
      connection_->close();
      co_return Error{Errc::too_large, place_ + " says more than the " +
                                           std::to_string(heard_bytes_max >> 20) +
                                           " MiB that a look at units may take"};
    }
  }
}

Task<std::vector<ListedUnit>> SystemdBus::listed(const char* member,
                                                 std::vector<std::string> words) {
  std::vector<Call> calls(1);
  if (const auto sent = ask(calls[0], member, words); !sent) co_return sent.error();
  auto exchanging = exchange(calls);
  const auto exchanged = co_await std::move(exchanging);
  if (!exchanged) co_return exchanged.error();
  const auto refusal = refusal_of(calls[0].reply.get());
  if (refusal) {
    if (refusal->is("ServiceUnknown") || refusal->is("NameHasNoOwner"))
      co_return Error{Errc::unreachable, "there is no systemd on the bus " + place_};
    co_return Error{Errc::refused,
                    "systemd, asked over " + place_ +
                        ", would not tell of its units: " + quoted_answer(refusal->words)};
  }
  auto list = read_unit_list(calls[0].reply.get());
  if (!list)
    co_return Error{Errc::protocol, "systemd, asked over " + place_ +
                                        ", tells of its units in a form that is not systemd's"};
  co_return *std::move(list);
}

Task<std::vector<ListedUnit>> SystemdBus::units_named(std::vector<std::string> names) {
  return listed("ListUnitsByNames", std::move(names));
}

Task<std::vector<ListedUnit>> SystemdBus::units_like(std::vector<std::string> globs) {
  return listed("ListUnitsByPatterns", std::move(globs));
}

Task<std::vector<UnitValue>> SystemdBus::values(std::vector<UnitQuestion> questions) {
  std::vector<UnitValue> all;
  all.reserve(questions.size());
  while (all.size() < questions.size()) {
    std::vector<Call> calls(std::min(questions_at_once, questions.size() - all.size()));
    for (std::size_t i = 0; i < calls.size(); ++i)
      if (const auto sent = ask(calls[i], questions[all.size() + i]); !sent) co_return sent.error();
    auto exchanging = exchange(calls);
    const auto exchanged = co_await std::move(exchanging);
    if (!exchanged) co_return exchanged.error();
    for (const auto& call : calls) all.push_back(read_unit_value(call.reply.get()));
  }
  co_return all;
}

}  // namespace tocsin::checks
