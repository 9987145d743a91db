#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "agent/config/reading.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::config {
namespace {

/// A secret as its place holds it, without the one line end that editors and `echo` leave behind.
Result<Secret> judged(std::string value, const std::string& where) {
  if (value.size() > limits::secret_bytes) {
    return Error{Errc::too_large,
                 where + " holds more than " + std::to_string(limits::secret_bytes) + " bytes"};
  }
  if (value.ends_with('\n')) value.pop_back();
  if (value.ends_with('\r')) value.pop_back();
  if (value.empty()) return Error{Errc::malformed, where + " is empty"};
  if (value.find('\0') != std::string::npos)
    return Error{Errc::malformed, where + " holds a NUL byte"};
  return Secret{std::move(value)};
}

class SystemSecrets : public SecretSource {
 public:
  Result<Secret> from_file(const std::string& path) const override {
    struct stat status {};
    const auto where = "secret file " + cut_characters(path, 120);
    if (::stat(path.c_str(), &status) != 0)
      return Error{Errc::unreadable, where + ": " + std::strerror(errno)};
    if (!S_ISREG(status.st_mode)) return Error{Errc::unreadable, where + " is not a regular file"};
    errno = 0;
    std::ifstream file{path, std::ios::binary};
    if (!file)
      return Error{Errc::unreadable, where + ": " + std::strerror(errno != 0 ? errno : EIO)};
    std::string value(limits::secret_bytes + 3, '\0');
    file.read(value.data(), static_cast<std::streamsize>(value.size()));
    if (file.bad()) return Error{Errc::unreadable, where + ": reading failed half-way"};
    value.resize(static_cast<std::size_t>(file.gcount()));
    return judged(std::move(value), where);
  }
  Result<Secret> from_env(const std::string& name) const override {
    const auto where = "environment variable " + cut_characters(name, 80);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return Error{Errc::missing, where + " is not set"};
    return judged(value, where);
  }
  Result<Secret> from_credential(const std::string& name) const override {
    if (name.find('/') != std::string::npos || name == "." || name == "..") {
      return Error{Errc::malformed, "a credential is a plain name, without a path"};
    }
    const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
    if (directory == nullptr || *directory == '\0') {
      return Error{Errc::missing,
                   "credential " + cut_characters(name, 80) +
                       " is not there: $CREDENTIALS_DIRECTORY is not set (systemd sets it for "
                       "LoadCredential=)"};
    }
    return from_file(std::string{directory} + "/" + name);
  }
  std::string doubt_about_file(const std::string& path) const override {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || (status.st_mode & (S_IROTH | S_IWOTH)) == 0)
      return {};
    return "secret file " + cut_characters(path, 120) +
           " can be read by everyone on this host: chmod o-rwx it";
  }
};

}  // namespace

std::unique_ptr<SecretSource> system_secrets() { return std::make_unique<SystemSecrets>(); }

Result<Secret> FollowedSecrets::remember(Result<Secret> secret) const {
  if (secret) values_.push_back(*secret);
  return secret;
}

Result<Secret> FollowedSecrets::from_file(const std::string& path) const {
  auto secret = remember(source_.from_file(path));
  if (!secret) return secret;
  if (auto doubt = source_.doubt_about_file(path); !doubt.empty())
    doubts_.push_back(std::move(doubt));
  return secret;
}
Result<Secret> FollowedSecrets::from_env(const std::string& name) const {
  return remember(source_.from_env(name));
}
Result<Secret> FollowedSecrets::from_credential(const std::string& name) const {
  return remember(source_.from_credential(name));
}

std::vector<Secret> FollowedSecrets::take_values() { return std::exchange(values_, {}); }

}  // namespace tocsin::config
