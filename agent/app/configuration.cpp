#include "agent/app/configuration.hpp"

namespace tocsin::app {

namespace {

/// Says yes to every reference: its value is not wanted.
class AnySecret final : public SecretSource {
 public:
  Result<Secret> from_file(const std::string&) const override { return Secret{"not read"}; }
  Result<Secret> from_env(const std::string&) const override { return Secret{"not read"}; }
  Result<Secret> from_credential(const std::string&) const override { return Secret{"not read"}; }
};

}  // namespace

CheckRegistry check_registry() {
  CheckRegistry registry;
  register_checks(registry);
  return registry;
}

config::Loaded load_configuration(const std::string& path) {
  const auto secrets = config::system_secrets();
  return config::load_file(path, check_registry(), *secrets);
}

config::Loaded load_without_secrets(const std::string& path) {
  return config::load_file(path, check_registry(), AnySecret{});
}

}  // namespace tocsin::app
