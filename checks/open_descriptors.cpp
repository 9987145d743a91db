#include "checks/open_descriptors.hpp"

#include <algorithm>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tocsin::checks {
namespace {

using namespace std::chrono_literals;

constexpr Duration reserve = 50ms;            // before the deadline, to put the answer together
constexpr std::size_t processes_a_turn = 32;  // before other work of the loop gets its turn
constexpr std::size_t shown = 5;

}  // namespace

asio::awaitable<std::vector<DescriptorHolder>> count_descriptors(
    CheckContext& context, const std::vector<ProcessRow>& rows) {
  std::vector<DescriptorHolder> holders;
  const auto executor = co_await asio::this_coro::executor;
  std::size_t looked_at = 0;
  for (const auto& row : rows) {
    if (context.clock.steady() + reserve >= context.deadline) break;
    // Kernel threads hold no memory and no files.
    if (row.rss_bytes > 0) {
      const auto names = context.files.list("/proc/" + std::to_string(row.pid) + "/fd");
      if (names) holders.push_back({row.pid, row.name, names->size()});
    }
    if (++looked_at % processes_a_turn != 0) continue;
    auto turn = asio::post(executor, asio::use_awaitable);
    co_await std::move(turn);
  }
  std::sort(holders.begin(), holders.end(), [](const auto& a, const auto& b) {
    return a.descriptors != b.descriptors ? a.descriptors > b.descriptors : a.pid < b.pid;
  });
  co_return holders;
}

void add_top_descriptors(Evidence& evidence, const std::vector<DescriptorHolder>& holders) {
  std::string line;
  for (std::size_t i = 0; i < std::min(shown, holders.size()); ++i)
    line += (i == 0 ? "" : ", ") + holders[i].name + " (" + std::to_string(holders[i].pid) + ") " +
            std::to_string(holders[i].descriptors);
  if (!line.empty()) add_line(evidence, "Most open descriptors: " + line);
}

}  // namespace tocsin::checks
