#pragma once

#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "tocsin/async/blocking.hpp"

namespace tocsin::runtime {

/// The blocking thread of this process: a small stack (256 KiB), all signals blocked, named in ps.
/// A call cannot be taken back: a caller that is cancelled still waits for its work, since the work
/// may refer to it. Destroy it before the loop; what is still queued then is run first.
class RealBlockingThread final : public BlockingThread {
 public:
  RealBlockingThread();
  ~RealBlockingThread() override;
  RealBlockingThread(const RealBlockingThread&) = delete;
  RealBlockingThread& operator=(const RealBlockingThread&) = delete;

  asio::awaitable<void> run(std::function<void()> work) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tocsin::runtime
