#include "agent/app/log.hpp"

#include <cstdlib>
#include <string>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace tocsin::app {

namespace {

/// "<3>" and so on: syslog's number for the level (sd-daemon(3)).
class PriorityFlag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& into) override {
    static constexpr std::string_view prefixes[] = {"<7>", "<7>", "<6>", "<4>",
                                                    "<3>", "<2>", "<6>"};
    const auto prefix = prefixes[static_cast<std::size_t>(message.level)];
    into.append(prefix.data(), prefix.data() + prefix.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<PriorityFlag>();
  }
};

}  // namespace

std::shared_ptr<spdlog::logger> make_log() {
  const auto journal = std::getenv("JOURNAL_STREAM") != nullptr;
  if (journal) {
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<PriorityFlag>('*').set_pattern("%*%v");
    sink->set_formatter(std::move(formatter));
    return std::make_shared<spdlog::logger>("tocsin", std::move(sink));
  }
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  sink->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%-7l%$ %v");
  return std::make_shared<spdlog::logger>("tocsin", std::move(sink));
}

}  // namespace tocsin::app
