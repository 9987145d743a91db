#include "checks/mail_session.hpp"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

#include "checks/late_library.hpp"
#include "checks/mail_fault.hpp"
#include "checks/redaction.hpp"
#include "tocsin/base/limits.hpp"

namespace tocsin::checks {
namespace {

/// Addresses of one name that are tried in turn.
constexpr std::size_t addresses_max = 4;

/// Loads libcurl and begins its use, once for the whole program, as curl_global_init(3) asks.
Result<void> begin_libcurl() {
  static std::once_flag once;
  auto loaded = libcurl().load();
  if (!loaded) return loaded;
  static CURLcode begun = CURLE_OK;
  std::call_once(once, [] { begun = curl_global_init(CURL_GLOBAL_DEFAULT); });
  if (begun != CURLE_OK)
    return Error{Errc::internal, std::string{"libcurl failed: "} + curl_easy_strerror(begun)};
  return {};
}

/// libcurl's multi handle, which keeps the authorities (CURLOPT_CA_CACHE_TIMEOUT).
struct Multi {
  Multi() = default;
  ~Multi() {
    if (handle != nullptr) curl_multi_cleanup(handle);
  }
  Multi(const Multi&) = delete;
  Multi& operator=(const Multi&) = delete;
  CURLM* handle{nullptr};
};

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

/// One connection of libcurl's, driven by the loop until it is logged in (CURLOPT_CONNECT_ONLY),
/// and then spoken over. libcurl's own transfers of mail wait inside a call for the end of each,
/// which would stop the loop; its connecting does not.
class MailSession final : public Conversation {
 public:
  MailSession(Multi& multi, Network& network, Clock& clock, const MailServer& server,
              MailProtocol protocol, SteadyTime deadline)
      : multi_{multi},
        network_{network},
        clock_{clock},
        server_{server},
        protocol_{protocol},
        deadline_{deadline},
        place_{to_string(*server.address)},
        trace_{protocol},
        piece_(limits::conversation_piece_bytes) {}
  ~MailSession() override;
  MailSession(const MailSession&) = delete;
  MailSession& operator=(const MailSession&) = delete;

  Task<void> open();
  Task<void> say(std::string text) override;
  Task<std::string_view> hear() override;
  const std::string& peer() const override { return place_; }

 private:
  Task<void> find_addresses();
  void prepare();
  void prepare_tls();
  Task<CURLcode> connect();
  Task<void> wait();
  Task<void> wait_for(Readiness what);
  Error fault_of(CURLcode code) const;
  template <class T>
  void set(CURLoption option, T value) {
    check_that(curl_easy_setopt(easy_, option, value) == CURLE_OK, "libcurl knows its options");
  }

  static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void*);
  static int on_timer(CURLM*, long milliseconds, void* self);
  static int on_wire(CURL*, curl_infotype type, char* data, std::size_t size, void* self);

  Multi& multi_;
  Network& network_;
  Clock& clock_;
  MailServer server_;
  MailProtocol protocol_;
  SteadyTime deadline_;
  std::string place_;
  MailTrace trace_;
  std::vector<char> piece_;
  CURL* easy_{nullptr};
  curl_slist* addresses_{nullptr};
  /// The sockets libcurl waits for, as one descriptor to wait for.
  int waiting_{-1};
  int socket_{-1};  ///< The last of those; libcurl's own.
  std::optional<SteadyTime> timer_{};
  std::array<char, CURL_ERROR_SIZE> words_{};
};

MailSession::~MailSession() {
  // What connected only is closed without a goodbye, so nothing here waits for the server.
  if (easy_ != nullptr) {
    curl_multi_remove_handle(multi_.handle, easy_);
    curl_easy_cleanup(easy_);
    // The handle lives on without us.
    curl_multi_setopt(multi_.handle, CURLMOPT_SOCKETFUNCTION, static_cast<void*>(nullptr));
    curl_multi_setopt(multi_.handle, CURLMOPT_TIMERFUNCTION, static_cast<void*>(nullptr));
  }
  if (addresses_ != nullptr) curl_slist_free_all(addresses_);
  if (waiting_ >= 0) ::close(waiting_);
}

int MailSession::on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
  auto& session = *static_cast<MailSession*>(self);
  const int waiting = session.waiting_;
  session.socket_ = what == CURL_POLL_REMOVE ? -1 : socket;
  epoll_event event{};
  event.data.fd = socket;
  if (what == CURL_POLL_REMOVE) {
    ::epoll_ctl(waiting, EPOLL_CTL_DEL, socket, &event);
    return 0;
  }
  event.events =
      ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
  if (::epoll_ctl(waiting, EPOLL_CTL_MOD, socket, &event) == 0) return 0;
  return ::epoll_ctl(waiting, EPOLL_CTL_ADD, socket, &event) == 0 ? 0 : -1;
}

int MailSession::on_timer(CURLM*, long milliseconds, void* self) {
  auto& session = *static_cast<MailSession*>(self);
  session.timer_.reset();
  if (milliseconds >= 0)
    session.timer_ = session.clock_.steady() + std::chrono::milliseconds{milliseconds};
  return 0;
}

int MailSession::on_wire(CURL*, curl_infotype type, char* data, std::size_t size, void* self) {
  auto& session = *static_cast<MailSession*>(self);
  if (type == CURLINFO_HEADER_OUT) session.trace_.said({data, size});
  if (type == CURLINFO_HEADER_IN)
    session.trace_.heard(
        without_secret(std::string{data, size}, session.server_.password.reveal()));
  return 0;
}

/// libcurl would resolve on a thread of its own for each name.
Task<void> MailSession::find_addresses() {
  const auto& address = *server_.address;
  auto resolving = network_.resolve(address.host, deadline_);
  const auto found = co_await std::move(resolving);
  if (!found) co_return found.error();
  const auto& name = server_.tls.server_name.empty() ? address.host : server_.tls.server_name;
  auto entry = bracketed(name) + ":" + std::to_string(address.port) + ":";
  for (std::size_t i = 0; i < std::min(found->size(), addresses_max); ++i)
    entry += (i > 0 ? "," : "") + bracketed((*found)[i]);
  addresses_ = curl_slist_append(nullptr, entry.c_str());
  co_return Result<void>{};
}

void MailSession::prepare_tls() {
  set(CURLOPT_USE_SSL,
      static_cast<long>(server_.security == MailSecurity::starttls ? CURLUSESSL_ALL
                                                                   : CURLUSESSL_NONE));
  set(CURLOPT_SSL_VERIFYPEER, server_.tls.verify ? 1L : 0L);
  set(CURLOPT_SSL_VERIFYHOST, server_.tls.verify ? 2L : 0L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // Authorities from one file only: those of a folder besides would not be kept.
  set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  if (!server_.tls.ca_file.empty()) set(CURLOPT_CAINFO, server_.tls.ca_file.c_str());
}

void MailSession::prepare() {
  const auto& address = *server_.address;
  const auto& name = server_.tls.server_name.empty() ? address.host : server_.tls.server_name;
  const std::string scheme = protocol_ == MailProtocol::smtp ? "smtp" : "imap";
  const auto url = scheme + (server_.security == MailSecurity::tls ? "s://" : "://") +
                   bracketed(name) + ":" + std::to_string(address.port);
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "smtp,smtps,imap,imaps");
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECT_ONLY, 1L);
  set(CURLOPT_RESOLVE, addresses_);
  set(CURLOPT_ERRORBUFFER, words_.data());
  set(CURLOPT_VERBOSE, 1L);
  set(CURLOPT_DEBUGFUNCTION, &MailSession::on_wire);
  set(CURLOPT_DEBUGDATA, static_cast<void*>(this));
  prepare_tls();
  if (!server_.username.empty()) {
    set(CURLOPT_USERNAME, server_.username.c_str());
    set(CURLOPT_PASSWORD, server_.password.reveal().c_str());
    // Others (GSSAPI, NTLM) may ask the network by themselves, and wait for it.
    set(CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN;AUTH=CRAM-MD5");
  }
  check_that(curl_multi_setopt(multi_.handle, CURLMOPT_SOCKETFUNCTION, &MailSession::on_socket) ==
                     CURLM_OK &&
                 curl_multi_setopt(multi_.handle, CURLMOPT_SOCKETDATA, static_cast<void*>(this)) ==
                     CURLM_OK &&
                 curl_multi_setopt(multi_.handle, CURLMOPT_TIMERFUNCTION, &MailSession::on_timer) ==
                     CURLM_OK &&
                 curl_multi_setopt(multi_.handle, CURLMOPT_TIMERDATA, static_cast<void*>(this)) ==
                     CURLM_OK,
             "libcurl knows its options");
}

Task<void> MailSession::open() {
  const auto begun = begin_libcurl();
  if (!begun) co_return begun;
  auto finding = find_addresses();
  auto found = co_await std::move(finding);
  if (!found) co_return found;
  if (multi_.handle == nullptr) multi_.handle = curl_multi_init();
  easy_ = multi_.handle == nullptr ? nullptr : curl_easy_init();
  waiting_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (easy_ == nullptr || waiting_ < 0)
    co_return Error{Errc::internal,
                    "a mail session cannot be begun: there is no memory for it, or "
                    "no descriptor"};
  prepare();
  auto connecting = connect();
  const auto code = co_await std::move(connecting);
  if (!code) {
    if (code.error().code == Errc::timed_out) co_return fault_of(CURLE_OPERATION_TIMEDOUT);
    co_return code.error();
  }
  if (*code != CURLE_OK) co_return fault_of(*code);
  co_return Result<void>{};
}

/// Drives libcurl until it is logged in or has failed.
Task<CURLcode> MailSession::connect() {
  curl_multi_add_handle(multi_.handle, easy_);
  int running = 0;
  curl_multi_socket_action(multi_.handle, CURL_SOCKET_TIMEOUT, 0, &running);
  for (;;) {
    int left = 0;
    while (const auto* message = curl_multi_info_read(multi_.handle, &left))
      if (message->msg == CURLMSG_DONE) co_return message->data.result;
    auto waiting = wait();
    const auto waited = co_await std::move(waiting);
    if (!waited) co_return waited.error();
  }
}

/// Until a socket or libcurl's own timer has something for it, and lets it act on that.
Task<void> MailSession::wait() {
  const auto until = std::min(timer_.value_or(deadline_), deadline_);
  auto waiting = network_.ready(waiting_, Readiness::to_read, until);
  const auto ready = co_await std::move(waiting);
  int running = 0;
  if (!ready) {
    if (ready.error().code != Errc::timed_out || clock_.steady() >= deadline_) co_return ready;
    timer_.reset();
    curl_multi_socket_action(multi_.handle, CURL_SOCKET_TIMEOUT, 0, &running);
    co_return Result<void>{};
  }
  std::array<epoll_event, 8> events{};
  const int count = ::epoll_wait(waiting_, events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    const auto& event = events.at(static_cast<std::size_t>(i));
    const int what = ((event.events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                     ((event.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                     ((event.events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
    curl_multi_socket_action(multi_.handle, event.data.fd, what, &running);
  }
  co_return Result<void>{};
}

Error MailSession::fault_of(CURLcode code) const {
  MailEnd end;
  double took = 0;
  curl_easy_getinfo(easy_, CURLINFO_CONNECT_TIME, &took);
  // With TLS from the start, libcurl notes that time once the handshake is over.
  sockaddr_storage peer{};
  socklen_t length = sizeof peer;
  end.connected =
      took > 0 ||
      (socket_ >= 0 && ::getpeername(socket_, reinterpret_cast<sockaddr*>(&peer), &length) == 0);
  curl_easy_getinfo(easy_, CURLINFO_APPCONNECT_TIME, &took);
  end.secured = took > 0;
  end.words = words_.front() == '\0' ? curl_easy_strerror(code) : words_.data();
  end.kind = mail_end_of(code);
  if (end.kind == MailEnd::Kind::unreachable) {
    long number = 0;
    curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &number);
    if (number != 0) end.words = std::generic_category().message(static_cast<int>(number));
  }
  return mail_fault(server_, trace_, end);
}

Task<void> MailSession::wait_for(Readiness what) {
  curl_socket_t socket = CURL_SOCKET_BAD;
  if (curl_easy_getinfo(easy_, CURLINFO_ACTIVESOCKET, &socket) != CURLE_OK ||
      socket == CURL_SOCKET_BAD)
    co_return Error{Errc::disconnected, place_ + " closed the connection"};
  auto waiting = network_.ready(socket, what, deadline_);
  auto ready = co_await std::move(waiting);
  if (!ready && ready.error().code == Errc::timed_out)
    co_return Error{Errc::timed_out, what == Readiness::to_read
                                         ? "no answer from " + place_ + " in time"
                                         : place_ + " did not take what was sent in time"};
  co_return ready;
}

Task<void> MailSession::say(std::string text) {
  for (std::size_t said = 0; said < text.size();) {
    std::size_t given = 0;
    const auto code = curl_easy_send(easy_, text.data() + said, text.size() - said, &given);
    if (code == CURLE_OK) {
      said += given;
    } else if (code == CURLE_AGAIN) {
      auto waiting = wait_for(Readiness::to_write);
      auto waited = co_await std::move(waiting);
      if (!waited) co_return waited;
    } else {
      co_return Error{Errc::disconnected,
                      "sending to " + place_ + " failed: " + curl_easy_strerror(code)};
    }
  }
  co_return Result<void>{};
}

Task<std::string_view> MailSession::hear() {
  for (;;) {
    std::size_t taken = 0;
    const auto code = curl_easy_recv(easy_, piece_.data(), piece_.size(), &taken);
    if (code == CURLE_OK && taken > 0) co_return std::string_view{piece_.data(), taken};
    if (code != CURLE_AGAIN) co_return Error{Errc::disconnected, place_ + " closed the connection"};
    auto waiting = wait_for(Readiness::to_read);
    const auto waited = co_await std::move(waiting);
    if (!waited) co_return waited.error();
  }
}

}  // namespace

struct MailClient::Library : Multi {};

MailClient::MailClient() : library_{std::make_unique<Library>()} {}
MailClient::~MailClient() = default;

Task<std::unique_ptr<Conversation>> MailClient::open(Network& network, Clock& clock,
                                                     const MailServer& server,
                                                     MailProtocol protocol, SteadyTime deadline) {
  auto session =
      std::make_unique<MailSession>(*library_, network, clock, server, protocol, deadline);
  auto opening = session->open();
  const auto opened = co_await std::move(opening);
  if (!opened) co_return opened.error();
  co_return std::unique_ptr<Conversation>{std::move(session)};
}

}  // namespace tocsin::checks
