#include "agent/runtime/kernel_clock.hpp"

#include <sys/timex.h>

#include <cerrno>

#include "agent/runtime/descriptor.hpp"

namespace tocsin::runtime {
namespace {

using namespace std::chrono_literals;

// The kernel lets the error grow by 500 microseconds a second up to this and then calls the clock
// unsynchronised (NTP_PHASE_LIMIT in kernel/time/ntp.c). STA_UNSYNC alone says less: daemons set it
// to keep the kernel from writing the hardware clock.
constexpr auto phase_limit = 16s;

}  // namespace

Result<ClockDiscipline> AdjtimexClock::discipline() const {
  timex kept{};  // No modes: nothing is set.
  if (::adjtimex(&kept) < 0) {
    if (errno == EPERM || errno == ENOSYS)
      return Error{Errc::unsupported,
                   "asking the kernel about its clock (adjtimex) is not allowed"};
    return error_from_errno(errno, "asking the kernel about its clock (adjtimex)");
  }
  ClockDiscipline discipline;
  const Duration unit = (kept.status & STA_NANO) != 0 ? Duration{1ns} : Duration{1us};
  discipline.offset = unit * kept.offset;
  discipline.maximum_error = std::chrono::microseconds{kept.maxerror};
  discipline.estimated_error = std::chrono::microseconds{kept.esterror};
  discipline.synchronised = discipline.maximum_error < phase_limit;
  return discipline;
}

}  // namespace tocsin::runtime
