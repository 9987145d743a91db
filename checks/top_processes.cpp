#include "checks/top_processes.hpp"

#include <algorithm>
#include <functional>
#include <unordered_map>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "checks/process_stat.hpp"
#include "checks/words.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin::checks {
namespace {

using namespace std::chrono_literals;

constexpr Duration between_looks = 200ms;
constexpr Duration reserve = 50ms;        // before the deadline, to put the answer together
constexpr std::size_t rows_a_turn = 128;  // before other work of the loop gets its turn
constexpr std::size_t shown = 5;

std::string process_path(int pid, std::string_view file) {
  return "/proc/" + std::to_string(pid) + "/" + std::string{file};
}

bool look_at_one(const HostFiles& files, int pid, bool storage, ProcessRow& row) {
  const auto text = files.read(process_path(pid, "stat"));
  if (!text) return false;
  const auto stat = parse_process_stat(*text);
  if (!stat) return false;
  row.pid = pid;
  row.name = clean_utf8(stat->comm);
  row.state = stat->state;
  row.start_ticks = stat->start_ticks;
  row.cpu_ticks = stat->cpu_ticks;
  row.rss_bytes = stat->rss_pages * files.page_bytes();
  row.threads = stat->threads;
  if (storage && row.rss_bytes > 0) {  // kernel threads hold no memory and do no io of their own
    const auto io = files.read(process_path(pid, "io"));
    if (io) row.storage_bytes = parse_storage_bytes(*io).value_or(0);
  }
  return true;
}

asio::awaitable<std::vector<ProcessRow>> one_look(CheckContext& context, bool storage,
                                                  SteadyTime until) {
  std::vector<ProcessRow> rows;
  const auto names = context.files.list("/proc");
  if (!names) co_return rows;
  const auto executor = co_await asio::this_coro::executor;
  for (const auto& name : *names) {
    const auto pid = to_number(name);
    if (!pid || *pid == 0 || *pid > 0x7fffffff) continue;
    ProcessRow row;
    if (look_at_one(context.files, static_cast<int>(*pid), storage, row))
      rows.push_back(std::move(row));
    if (rows.size() >= limits::processes_scanned) break;
    if (rows.size() % rows_a_turn != 0) continue;
    if (context.clock.steady() >= until) break;
    auto turn = asio::post(executor, asio::use_awaitable);
    co_await std::move(turn);
  }
  co_return rows;
}

void add_rates(std::vector<ProcessRow>& rows, const std::vector<ProcessRow>& before, double seconds,
               std::uint64_t ticks_a_second) {
  if (seconds <= 0 || ticks_a_second == 0) return;
  std::unordered_map<int, const ProcessRow*> earlier;
  earlier.reserve(before.size());
  for (const auto& row : before) earlier.emplace(row.pid, &row);
  for (auto& row : rows) {
    const auto found = earlier.find(row.pid);
    if (found == earlier.end() || found->second->start_ticks != row.start_ticks) continue;
    const auto& then = *found->second;
    if (row.cpu_ticks > then.cpu_ticks)
      row.cores = static_cast<double>(row.cpu_ticks - then.cpu_ticks) /
                  static_cast<double>(ticks_a_second) / seconds;
    if (row.storage_bytes > then.storage_bytes)
      row.storage_per_second =
          static_cast<double>(row.storage_bytes - then.storage_bytes) / seconds;
  }
}

std::string named(const ProcessRow& row) { return row.name + " (" + std::to_string(row.pid) + ")"; }

void add_top(Evidence& evidence, std::string line, const std::vector<ProcessRow>& rows,
             const std::function<double(const ProcessRow&)>& amount,
             const std::function<std::string(double)>& words) {
  std::vector<const ProcessRow*> order;
  for (const auto& row : rows)
    if (amount(row) > 0) order.push_back(&row);
  const auto count = std::min(shown, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](const ProcessRow* a, const ProcessRow* b) {
                      return amount(*a) != amount(*b) ? amount(*a) > amount(*b) : a->pid < b->pid;
                    });
  for (std::size_t i = 0; i < count; ++i)
    line += (i == 0 ? ": " : ", ") + named(*order[i]) + " " + words(amount(*order[i]));
  if (count > 0) add_line(evidence, std::move(line));
}

}  // namespace

asio::awaitable<std::vector<ProcessRow>> look_at_processes(CheckContext& context,
                                                           ProcessQuestions questions) {
  const auto until = context.deadline - reserve;
  auto first_look = one_look(context, questions.storage, until);
  auto rows = co_await std::move(first_look);
  const auto started = context.clock.steady();
  // The second look takes about as long as the first did; without the time for it there are no
  // rates.
  if (!questions.rates || started + between_looks + reserve > until) co_return rows;
  auto pause = context.clock.sleep_until(started + between_looks);
  co_await std::move(pause);
  const std::chrono::duration<double> passed = context.clock.steady() - started;
  auto second_look = one_look(context, questions.storage, until);
  auto later = co_await std::move(second_look);
  add_rates(later, rows, passed.count(), context.files.clock_ticks());
  co_return later;
}

void add_line(Evidence& evidence, std::string line) {
  if (evidence.lines.size() >= limits::evidence_lines) return;
  evidence.lines.push_back(cut_characters(line, limits::evidence_line_characters));
}

void add_top_memory(Evidence& evidence, const std::vector<ProcessRow>& rows) {
  add_top(
      evidence, "Most memory", rows,
      [](const ProcessRow& row) { return static_cast<double>(row.rss_bytes); },
      [](double bytes) { return describe_quantity(bytes, Unit::bytes); });
}

void add_top_threads(Evidence& evidence, const std::vector<ProcessRow>& rows) {
  add_top(
      evidence, "Most threads", rows,
      [](const ProcessRow& row) { return static_cast<double>(row.threads); },
      [](double threads) { return describe_number(threads); });
}

void add_top_cpu(Evidence& evidence, const std::vector<ProcessRow>& rows) {
  add_top(
      evidence, "Most cpu", rows, [](const ProcessRow& row) { return row.cores; },
      [](double cores) { return describe_quantity(cores, Unit::ratio); });
}

void add_top_storage(Evidence& evidence, const std::vector<ProcessRow>& rows) {
  add_top(
      evidence, "Most storage io", rows,
      [](const ProcessRow& row) { return row.storage_per_second; },
      [](double rate) { return describe_quantity(rate, Unit::bytes_per_second); });
}

void add_blocked(Evidence& evidence, const std::vector<ProcessRow>& rows, const HostFiles& files) {
  std::string line;
  std::size_t blocked = 0;
  for (const auto& row : rows) {
    if (row.state != 'D' || ++blocked > shown) continue;
    line += (blocked == 1 ? "" : ", ") + named(row);
    const auto place = files.read(process_path(row.pid, "wchan"));
    if (place && !place->empty() && *place != "0") line += " in " + clean_utf8(trim(*place));
  }
  if (blocked == 0) return;
  if (blocked > shown) line += " and " + std::to_string(blocked - shown) + " more";
  add_line(evidence, "Waiting for io (state D): " + line);
}

}  // namespace tocsin::checks
