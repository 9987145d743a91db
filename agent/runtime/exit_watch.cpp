#include "agent/runtime/exit_watch.hpp"

#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>

namespace tocsin::runtime {
namespace {

/// Outlives the watch until the loop has let go of the wait.
struct Waiting {
  Waiting(const asio::any_io_executor& executor, Descriptor pidfd, std::function<void()> call)
      : process{executor, pidfd.release()}, on_exit{std::move(call)} {}
  asio::posix::stream_descriptor process;
  std::function<void()> on_exit;
  bool dropped{false};
};

class ExitWatch final : public Processes::Watch {
 public:
  ExitWatch(const asio::any_io_executor& executor, Descriptor pidfd, std::function<void()> on_exit)
      : waiting_{std::make_shared<Waiting>(executor, std::move(pidfd), std::move(on_exit))} {
    waiting_->process.async_wait(asio::posix::descriptor_base::wait_read,
                                 [waiting = waiting_](const boost::system::error_code& fault) {
                                   if (fault || waiting->dropped) return;
                                   const auto tell = std::exchange(waiting->on_exit, nullptr);
                                   boost::system::error_code ignored;
                                   waiting->process.close(ignored);
                                   tell();
                                 });
  }
  ~ExitWatch() override {
    waiting_->dropped = true;
    waiting_->on_exit = nullptr;
    boost::system::error_code ignored;
    waiting_->process.close(ignored);
  }
  ExitWatch(const ExitWatch&) = delete;
  ExitWatch& operator=(const ExitWatch&) = delete;

 private:
  std::shared_ptr<Waiting> waiting_;
};

}  // namespace

std::unique_ptr<Processes::Watch> make_exit_watch(const asio::any_io_executor& executor,
                                                  Descriptor pidfd, std::function<void()> on_exit) {
  return std::make_unique<ExitWatch>(executor, std::move(pidfd), std::move(on_exit));
}

}  // namespace tocsin::runtime
