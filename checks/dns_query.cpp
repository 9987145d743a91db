#include "checks/dns_query.hpp"

#include <ares.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace tocsin::checks {
namespace {

/// What we take in one datagram (DNS flag day 2020): no fragments on any path.
constexpr int datagram_bytes = 1232;
constexpr int attempts = 2;

enum class Carrier { udp, tcp };

/// A question on its way through c-ares, whose sockets we wait for.
class Asking {
 public:
  Asking() = default;
  ~Asking() {
    if (channel_ != nullptr) ::ares_destroy(channel_);
  }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;

  /// Sends the question; false when that is not possible here.
  bool begin(const DnsQuestion& question, Carrier carrier, Duration patience) {
    static const int ready = ::ares_library_init(ARES_LIB_INIT_ALL);
    ares_options options{};
    std::string no_file{"/dev/null"}, no_lookups{"b"};
    options.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES |
                    ARES_FLAG_IGNTC | ARES_FLAG_EDNS;
    if (carrier == Carrier::tcp) options.flags |= ARES_FLAG_USEVC;
    // The second attempt waits twice as long as the first.
    const auto first = std::chrono::floor<std::chrono::milliseconds>(patience / 3).count();
    options.timeout = static_cast<int>(std::clamp<std::int64_t>(first, 1, 60'000));
    options.tries = attempts;
    options.lookups = no_lookups.data();
    options.ednspsz = datagram_bytes;
    options.resolvconf_path = no_file.data();
    const int given = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
                      ARES_OPT_RESOLVCONF | ARES_OPT_EDNSPSZ;
    if (ready != ARES_SUCCESS || ::ares_init_options(&channel_, &options, given) != ARES_SUCCESS)
      return false;
    if (::ares_set_servers_ports_csv(channel_, to_string(question.server).c_str()) != ARES_SUCCESS)
      return false;
    constexpr int internet = 1;
    ::ares_query(channel_, question.name.c_str(), internet, static_cast<int>(question.type),
                 &Asking::on_answer, this);
    return true;
  }

  bool done() const { return status_.has_value(); }
  int status() const { return *status_; }
  const std::string& message() const { return message_; }

  struct Wait {
    int descriptor{-1};
    Readiness what{Readiness::to_read};
    Duration at_most{};  ///< Then it wants to be called again all the same.
  };
  /// What is to be waited for; one socket, for there is one server.
  std::optional<Wait> next() const {
    std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
    const int asked = ::ares_getsock(channel_, sockets.data(), ARES_GETSOCK_MAXNUM);
    const auto mask = static_cast<unsigned>(asked);
    timeval most{60, 0}, left{};
    const auto* until = ::ares_timeout(channel_, &most, &left);
    const Duration at_most =
        std::chrono::seconds{until->tv_sec} + std::chrono::microseconds{until->tv_usec + 1000};
    for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
      const bool to_write = (mask & (1u << (i + ARES_GETSOCK_MAXNUM))) != 0;
      const bool to_read = (mask & (1u << i)) != 0;
      if (!to_read && !to_write) continue;
      const auto what = to_read && to_write ? Readiness::either
                        : to_write          ? Readiness::to_write
                                            : Readiness::to_read;
      return Wait{sockets[i], what, at_most};
    }
    return std::nullopt;
  }
  void go_on(const Wait& wait, bool is_ready) {
    const bool reads = is_ready && wait.what != Readiness::to_write;
    const bool writes = is_ready && wait.what != Readiness::to_read;
    ::ares_process_fd(channel_, reads ? wait.descriptor : ARES_SOCKET_BAD,
                      writes ? wait.descriptor : ARES_SOCKET_BAD);
  }

 private:
  static void on_answer(void* self, int status, int /*timeouts*/, unsigned char* bytes,
                        int length) {
    auto& asking = *static_cast<Asking*>(self);
    asking.status_ = status;
    if (bytes == nullptr || length <= 0) return;
    // Whatever the answer says, it is one: its code is for the reader.
    asking.status_ = ARES_SUCCESS;
    asking.message_.assign(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
  }

  ares_channel channel_{nullptr};
  std::optional<int> status_{};
  std::string message_{};
};

Error failure(const DnsQuestion& question, Carrier carrier, Errc code, const std::string& what) {
  return {code,
          to_string(question.server) + (carrier == Carrier::tcp ? " over TCP: " : ": ") + what};
}

/// What c-ares made of it when no answer came.
Error why_none(const DnsQuestion& question, Carrier carrier, int status, Duration waited) {
  if (status == ARES_ETIMEOUT)
    return failure(question, carrier, Errc::timed_out, "no answer within " + describe(waited));
  if (status == ARES_ECONNREFUSED)
    return failure(question, carrier, Errc::unreachable, "nothing answers there");
  if (status == ARES_EBADNAME)
    return failure(question, carrier, Errc::malformed, "the name cannot be asked for");
  if (status == ARES_ENOMEM) return failure(question, carrier, Errc::internal, "out of memory");
  return failure(question, carrier, Errc::protocol, ::ares_strerror(status));
}

Task<DnsAnswer> ask_over(Network& network, Clock& clock, const DnsQuestion& question,
                         Carrier carrier) {
  const auto began = clock.steady();
  Asking asking;
  if (!asking.begin(question, carrier, question.deadline - began))
    co_return failure(question, carrier, Errc::internal, "the question cannot be put from here");
  while (!asking.done()) {
    const auto now = clock.steady();
    const auto wait = asking.next();
    if (now >= question.deadline || !wait) break;
    const auto until = std::min(question.deadline, now + wait->at_most);
    auto waiting = network.ready(wait->descriptor, wait->what, until);
    const auto waited = co_await std::move(waiting);
    if (!waited && waited.error().code != Errc::timed_out) co_return waited.error();
    asking.go_on(*wait, static_cast<bool>(waited));
  }
  const auto waited = clock.steady() - began;
  if (!asking.done()) co_return why_none(question, carrier, ARES_ETIMEOUT, waited);
  if (asking.status() != ARES_SUCCESS)
    co_return why_none(question, carrier, asking.status(), waited);
  auto answer = parse_dns_answer(asking.message());
  if (!answer)
    co_return failure(question, carrier, Errc::protocol,
                      "it answered something that is no DNS message");
  co_return answer;
}

}  // namespace

Task<DnsAnswer> ask_dns(Network& network, Clock& clock, DnsQuestion question) {
  auto by_datagram = ask_over(network, clock, question, Carrier::udp);
  auto answer = co_await std::move(by_datagram);
  if (!answer || !answer->truncated) co_return answer;
  auto by_stream = ask_over(network, clock, question, Carrier::tcp);
  auto whole = co_await std::move(by_stream);
  if (whole) co_return whole;
  co_return Error{whole.error().code,
                  "the answer was truncated and could not be had whole: " + whole.error().detail};
}

}  // namespace tocsin::checks
