#include "agent/runtime/pressure_triggers.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "agent/runtime/descriptor.hpp"

namespace tocsin::runtime {
namespace {

Error refusal(int number, const std::string& path, const std::string& spec) {
  const auto words = "a trigger '" + spec + "' on " + path + " failed: " + errno_words(number);
  if (number == EPERM || number == EACCES || number == EBUSY) return {Errc::refused, words};
  return {Errc::unsupported, words};
}

/// Outlives its trigger until the loop has let go of the wait.
class Armed : public std::enable_shared_from_this<Armed> {
 public:
  Armed(const asio::any_io_executor& executor, Descriptor file, std::function<void()> on_pressure)
      : file_{executor, file.release()}, on_pressure_{std::move(on_pressure)} {}

  void wait() {
    // Asio's "error" wait is EPOLLPRI, which is how a trigger speaks.
    file_.async_wait(asio::posix::descriptor_base::wait_error,
                     [self = shared_from_this()](const boost::system::error_code& fault) {
                       if (!fault) self->on_ready();
                     });
  }
  void disarm() {
    on_pressure_ = nullptr;
    boost::system::error_code ignored;
    file_.close(ignored);
  }

 private:
  void on_ready() {
    // A trigger whose cgroup is gone is in error for ever: waiting on would make a busy loop.
    pollfd state{file_.native_handle(), POLLPRI, 0};
    if (::poll(&state, 1, 0) > 0 && (state.revents & (POLLERR | POLLNVAL)) != 0) return;
    const auto tell = on_pressure_;  // It may disarm us.
    if (tell) tell();
    if (file_.is_open()) wait();
  }

  asio::posix::stream_descriptor file_;
  std::function<void()> on_pressure_;
};

class ArmedTrigger final : public PressureTriggers::Trigger {
 public:
  explicit ArmedTrigger(std::shared_ptr<Armed> armed) : armed_{std::move(armed)} {}
  ~ArmedTrigger() override { armed_->disarm(); }
  ArmedTrigger(const ArmedTrigger&) = delete;
  ArmedTrigger& operator=(const ArmedTrigger&) = delete;

 private:
  std::shared_ptr<Armed> armed_;
};

}  // namespace

Result<std::unique_ptr<PressureTriggers::Trigger>> RealPressureTriggers::arm(
    const std::string& path, const std::string& spec, std::function<void()> on_pressure) {
  Descriptor file{::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)};
  if (!file.open()) return refusal(errno, path, spec);
  // The kernel wants the final zero, too.
  if (::write(file.raw(), spec.c_str(), spec.size() + 1) < 0) return refusal(errno, path, spec);
  auto armed = std::make_shared<Armed>(executor_, std::move(file), std::move(on_pressure));
  armed->wait();
  return std::unique_ptr<Trigger>{std::make_unique<ArmedTrigger>(std::move(armed))};
}

}  // namespace tocsin::runtime
