#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tocsin/async/task.hpp"
#include "tocsin/base/error.hpp"

namespace tocsin::net {

/// Resolves a name, blocking.
using ResolveCall = std::function<Result<std::vector<std::string>>(const std::string& host)>;
/// The system's: getaddrinfo. At most 16 addresses, in the order the system prefers them.
Result<std::vector<std::string>> resolve_with_system(const std::string& host);

/// A few threads for a call that may hang: started when first needed, never more than the bound,
/// never waited for. One that hangs is lost until its call returns; the rest go on.
class LookupThreads {
 public:
  using Answered = std::function<void(const std::string& host, Result<std::vector<std::string>>)>;
  /// `answered` is called on the executor, and not any more once this is gone.
  LookupThreads(asio::any_io_executor executor, std::size_t threads_max, ResolveCall resolve,
                Answered answered);
  ~LookupThreads();
  LookupThreads(const LookupThreads&) = delete;
  LookupThreads& operator=(const LookupThreads&) = delete;

  /// Errc::refused when no thread can be started at all.
  Result<void> submit(std::string host);
  /// Takes back a name that no thread has begun with; false when it is too late.
  bool withdraw(const std::string& host);
  std::size_t threads() const;

 private:
  struct Desk;
  static void work(std::shared_ptr<Desk> desk);
  std::shared_ptr<Desk> desk_;
  std::size_t threads_max_;
};

}  // namespace tocsin::net
