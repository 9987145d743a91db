#include "agent/net/lookup_threads.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace tocsin::net {
namespace {

constexpr std::size_t addresses_max = 16;

/// Signals are for the loop's thread: a new thread inherits what is blocked here.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

Result<std::vector<std::string>> resolve_with_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  const int fault = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (fault != 0) {
    const char* why = fault == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(fault);
    return Error{Errc::unresolved, why};
  }
  std::vector<std::string> addresses;
  for (const auto* entry = list; entry != nullptr && addresses.size() < addresses_max;
       entry = entry->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(entry->ai_addr, entry->ai_addrlen, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST) == 0)
      addresses.emplace_back(text.data());
  }
  ::freeaddrinfo(list);
  return addresses;
}

struct LookupThreads::Desk {
  std::mutex mutex{};
  std::condition_variable bell{};
  std::deque<std::string> jobs{};
  std::size_t threads{0};
  std::size_t idle{0};
  bool closed{false};
  asio::any_io_executor executor{};
  ResolveCall resolve{};
  std::shared_ptr<Answered> answered{};  ///< Its life is the owner's: the loop holds it weakly.
};

LookupThreads::LookupThreads(asio::any_io_executor executor, std::size_t threads_max,
                             ResolveCall resolve, Answered answered)
    : desk_{std::make_shared<Desk>()}, threads_max_{threads_max} {
  desk_->executor = std::move(executor);
  desk_->resolve = std::move(resolve);
  desk_->answered = std::make_shared<Answered>(std::move(answered));
}

LookupThreads::~LookupThreads() {
  const std::lock_guard lock{desk_->mutex};
  desk_->closed = true;
  desk_->jobs.clear();
  desk_->answered.reset();
  desk_->executor = {};
  desk_->bell.notify_all();
}

void LookupThreads::work(std::shared_ptr<Desk> desk) {
  std::unique_lock lock{desk->mutex};
  while (true) {
    ++desk->idle;
    desk->bell.wait(lock, [&] { return desk->closed || !desk->jobs.empty(); });
    --desk->idle;
    if (desk->closed) return;
    auto host = std::move(desk->jobs.front());
    desk->jobs.pop_front();
    lock.unlock();
    auto result = desk->resolve(host);
    lock.lock();
    // The owner, and with it the loop, may have gone while the call hung.
    if (desk->closed) return;
    asio::post(desk->executor, [weak = std::weak_ptr<Answered>{desk->answered},
                                host = std::move(host), result = std::move(result)]() mutable {
      if (const auto answered_call = weak.lock()) (*answered_call)(host, std::move(result));
    });
  }
}

Result<void> LookupThreads::submit(std::string host) {
  const std::lock_guard lock{desk_->mutex};
  desk_->jobs.push_back(std::move(host));
  if (desk_->jobs.size() > desk_->idle && desk_->threads < threads_max_) {
    try {
      const SignalsBlocked blocked;
      std::thread{work, desk_}.detach();
      ++desk_->threads;
    } catch (const std::system_error& fault) {
      if (desk_->threads == 0) {
        desk_->jobs.pop_back();
        return Error{Errc::refused,
                     std::string{"no thread can be started for it: "} + fault.code().message()};
      }
    }
  }
  desk_->bell.notify_one();
  return {};
}

bool LookupThreads::withdraw(const std::string& host) {
  const std::lock_guard lock{desk_->mutex};
  const auto job = std::find(desk_->jobs.begin(), desk_->jobs.end(), host);
  if (job == desk_->jobs.end()) return false;
  desk_->jobs.erase(job);
  return true;
}

std::size_t LookupThreads::threads() const {
  const std::lock_guard lock{desk_->mutex};
  return desk_->threads;
}

}  // namespace tocsin::net
