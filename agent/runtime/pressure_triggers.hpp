#pragma once

#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "tocsin/check/host.hpp"

namespace tocsin::runtime {

/// The kernel's PSI triggers (Documentation/accounting/psi.rst). Without CAP_SYS_RESOURCE the
/// window must be a multiple of two seconds. A trigger fires at most once per window. Errc::refused
/// when it is not permitted, Errc::unsupported when there is no such file or the kernel does not
/// take the trigger.
class RealPressureTriggers final : public PressureTriggers {
 public:
  explicit RealPressureTriggers(asio::any_io_executor executor) : executor_{std::move(executor)} {}
  Result<std::unique_ptr<Trigger>> arm(const std::string& path, const std::string& spec,
                                       std::function<void()> on_pressure) override;

 private:
  asio::any_io_executor executor_;
};

}  // namespace tocsin::runtime
