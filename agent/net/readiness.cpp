#include "agent/net/readiness.hpp"

#include <memory>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tocsin::net {
namespace {

constexpr auto as_fault = asio::as_tuple(asio::use_awaitable);
using Fault = std::tuple<boost::system::error_code>;

/// A descriptor that is only borrowed, and a deadline for the waiting.
class Borrowed final : public Expirable {
 public:
  Borrowed(const asio::any_io_executor& executor, int descriptor)
      : waiting_{executor, descriptor} {}
  ~Borrowed() override { waiting_.release(); }

  asio::awaitable<Fault> wait(Readiness what) {
    using asio::posix::descriptor_base;
    const auto kind =
        what == Readiness::to_write ? descriptor_base::wait_write : descriptor_base::wait_read;
    return waiting_.async_wait(kind, as_fault);
  }
  bool expired() const noexcept { return expired_; }

 private:
  void expire() override {
    expired_ = true;
    boost::system::error_code ignored;
    waiting_.cancel(ignored);
  }
  asio::posix::stream_descriptor waiting_;
  bool expired_{false};
};

}  // namespace

Task<void> wait_ready(asio::any_io_executor executor, DeadlineWatch& watch, int descriptor,
                      Readiness what, SteadyTime deadline) {
  using namespace asio::experimental::awaitable_operators;
  if (watch.clock().steady() >= deadline) co_return Error{Errc::timed_out, "no answer in time"};
  Borrowed borrowed{executor, descriptor};
  watch.arm(borrowed, deadline);
  boost::system::error_code fault;
  if (what == Readiness::either) {
    auto both = borrowed.wait(Readiness::to_read) || borrowed.wait(Readiness::to_write);
    const auto first = co_await std::move(both);
    fault = std::visit([](const auto& outcome) { return std::get<0>(outcome); }, first);
  } else {
    auto one = borrowed.wait(what);
    const auto outcome = co_await std::move(one);
    fault = std::get<0>(outcome);
  }
  if (borrowed.expired()) co_return Error{Errc::timed_out, "no answer in time"};
  if (fault) co_return Error{Errc::internal, "waiting for a socket failed: " + fault.message()};
  co_return Result<void>{};
}

}  // namespace tocsin::net
