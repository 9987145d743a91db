// Whatever stands in a configuration file: it loads, or it is refused with words that point into
// it. What loads can be shown, and what is shown holds no secret.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "agent/config/settings.hpp"
#include "tests/unit/config/fake_types.hpp"

namespace {

using namespace tocsin;

void expect(bool holds) {
  if (!holds) std::abort();
}

class FixedSecrets : public SecretSource {
 public:
  Result<Secret> from_file(const std::string&) const override {
    return Secret{"hunter2-of-a-file"};
  }
  Result<Secret> from_env(const std::string&) const override {
    return Secret{"hunter2-of-the-env"};
  }
  Result<Secret> from_credential(const std::string&) const override {
    return Error{Errc::missing, "no credentials here"};
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  // Includes would read files of this host.
  if (text.find("include") != std::string::npos) return 0;
  const auto loaded =
      config::load_text("fuzzed.yaml", text, config::fake_registry(), FixedSecrets{});
  expect(loaded.settings.has_value() == loaded.complaints.empty());
  expect(loaded.complaints.empty() == loaded.report.empty());
  for (const auto& complaint : loaded.complaints) {
    expect(!complaint.message.empty());
    expect(complaint.where.line >= 0 && complaint.where.column >= 0);
  }
  if (loaded.settings) {
    const auto shown = config::show(*loaded.settings);
    expect(shown.find("hunter2-of-") == std::string::npos ||
           text.find("hunter2-of-") != std::string::npos);
  }
  return 0;
}
