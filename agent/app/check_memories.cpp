#include "agent/app/check_memories.hpp"

#include <utility>

#include "tocsin/base/limits.hpp"

namespace tocsin::app {

class CheckMemories::Kept final : public Memory {
 public:
  Kept(std::string check, const Write& write) : check_{std::move(check)}, write_{write} {}

  const std::string& recall() const override { return text_; }
  Result<void> keep(std::string text) override {
    if (text.size() > limits::check_memory_bytes)
      return Error{Errc::too_large, "the check " + check_ + " wants to keep " +
                                        std::to_string(text.size()) + " bytes, at most " +
                                        std::to_string(limits::check_memory_bytes) + " are kept"};
    if (text == text_) return {};
    text_ = std::move(text);
    write_({check_, text_});
    return {};
  }
  void fill(std::string text) { text_ = std::move(text); }

 private:
  std::string check_;
  const Write& write_;
  std::string text_{};
};

CheckMemories::CheckMemories(std::vector<CheckMemory> kept, Write write)
    : write_{std::move(write)} {
  for (auto& one : kept) {
    auto memory = std::make_unique<Kept>(one.check, write_);
    memory->fill(std::move(one.text));
    kept_.insert_or_assign(std::move(one.check), std::move(memory));
  }
}

CheckMemories::~CheckMemories() = default;

Memory& CheckMemories::of(const std::string& check) {
  auto& memory = kept_[check];
  if (!memory) memory = std::make_unique<Kept>(check, write_);
  return *memory;
}

void CheckMemories::retain(const std::set<std::string>& checks) {
  for (const auto& [check, memory] : kept_) {
    if (checks.contains(check)) continue;
    // Forgetting is never too large.
    [[maybe_unused]] const auto forgotten = memory->keep({});
  }
}

}  // namespace tocsin::app
