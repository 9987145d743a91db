#include "checks/side_stack.hpp"

#include <sys/mman.h>

#include <new>

#include "tocsin/base/error.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t guard_bytes = 4096;
/// makecontext hands over no pointers, so the one that is being entered is left here.
thread_local SideStack* entered = nullptr;

}  // namespace

SideStack::SideStack() {
  void* memory = mmap(nullptr, guard_bytes + bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc{};
  memory_ = memory;
  mprotect(memory_, guard_bytes, PROT_NONE);
}

SideStack::~SideStack() {
  check_that(!busy_, "a side stack went away while a call was on it");
  munmap(memory_, guard_bytes + bytes);
}

void SideStack::enter() {
  auto* const self = entered;
  self->work_(self->argument_);
  self->busy_ = false;
  swapcontext(&self->inside_, &self->outside_);  // For good.
}

bool SideStack::begin(Work work, void* argument) {
  check_that(!busy_, "a second call was begun on a side stack");
  work_ = work;
  argument_ = argument;
  busy_ = true;
  getcontext(&inside_);
  inside_.uc_stack.ss_sp = static_cast<char*>(memory_) + guard_bytes;
  inside_.uc_stack.ss_size = bytes;
  inside_.uc_link = nullptr;
  makecontext(&inside_, &SideStack::enter, 0);
  entered = this;
  return resume();
}

bool SideStack::resume() {
  swapcontext(&outside_, &inside_);
  return !busy_;
}

void SideStack::leave() { swapcontext(&inside_, &outside_); }

}  // namespace tocsin::checks
