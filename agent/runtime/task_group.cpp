#include "tocsin/async/task_group.hpp"

#include <exception>
#include <list>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/system/system_error.hpp>

#include "tocsin/async/wakeup.hpp"

namespace tocsin {
namespace {

struct Member {
  explicit Member(std::string called) : name{std::move(called)} {}
  std::string name;
  asio::cancellation_signal cancel{};
};

/// What was thrown, in words; empty for a cancellation. A race that is cancelled throws the
/// exceptions of both sides together, so it is taken apart.
std::string fault_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const boost::system::system_error& fault) {
    return fault.code() == asio::error::operation_aborted ? "" : fault.what();
  } catch (const asio::multiple_exceptions& faults) {
    return fault_of(faults.first_exception());
  } catch (const std::exception& fault) {
    return fault.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

/// A bug ends the process, with the task's name: a dead scheduler in a living process would be
/// worse.
void judge_end(const std::string& name, const std::exception_ptr& thrown) {
  const auto fault = thrown ? fault_of(thrown) : std::string{};
  if (fault.empty()) return;
  check_that(false, ("task " + name + " ended by an exception: " + fault).c_str());
}

}  // namespace

struct TaskGroup::State {
  explicit State(asio::any_io_executor on) : executor{on}, ended{on} {}

  void cancel_all() {
    // A cancelled task may end while we walk, so walk a copy that keeps the signals alive.
    const std::vector<std::shared_ptr<Member>> all{members.begin(), members.end()};
    for (const auto& member : all) member->cancel.emit(asio::cancellation_type::all);
  }

  asio::any_io_executor executor;
  std::list<std::shared_ptr<Member>> members;
  Wakeup ended;
  bool stopping{false};
};

TaskGroup::TaskGroup(asio::any_io_executor executor)
    : state_{std::make_shared<State>(std::move(executor))} {}

TaskGroup::~TaskGroup() {
  state_->stopping = true;
  state_->cancel_all();
}

void TaskGroup::spawn(std::string name, asio::awaitable<void> work) {
  if (state_->stopping) return;  // The work was never started: there is nothing to wait for.
  auto member = std::make_shared<Member>(std::move(name));
  const auto place = state_->members.insert(state_->members.end(), member);
  auto at_end = [state = state_, place, member](std::exception_ptr thrown) {
    state->members.erase(place);
    judge_end(member->name, thrown);
    state->ended.raise();
  };
  asio::co_spawn(state_->executor, std::move(work),
                 asio::bind_cancellation_slot(member->cancel.slot(), std::move(at_end)));
}

std::size_t TaskGroup::size() const { return state_->members.size(); }

asio::awaitable<std::vector<std::string>> TaskGroup::stop(Clock& clock, SteadyTime deadline) {
  const auto state = state_;
  state->stopping = true;
  state->cancel_all();
  while (!state->members.empty() && clock.steady() < deadline) {
    co_await state->ended.wait_until(clock, deadline);
  }
  std::vector<std::string> stragglers;
  for (const auto& member : state->members) stragglers.push_back(member->name);
  co_return stragglers;
}

}  // namespace tocsin
