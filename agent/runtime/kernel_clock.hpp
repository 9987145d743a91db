#pragma once

#include "tocsin/check/host.hpp"

namespace tocsin::runtime {

/// Asks adjtimex(2) without changing anything, which needs no privilege. Errc::unsupported where
/// the call is forbidden (a strict seccomp filter).
class AdjtimexClock final : public KernelClock {
 public:
  Result<ClockDiscipline> discipline() const override;
};

}  // namespace tocsin::runtime
