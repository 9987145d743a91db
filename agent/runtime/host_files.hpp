#pragma once

#include <memory>
#include <string>

#include "tocsin/check/host.hpp"

namespace tocsin::runtime {

/// The host's files below `root`. "/" is the host itself. Below any other root, symbolic links and
/// ".." lead no higher than the root: an absolute link starts there again (openat2(2),
/// RESOLVE_IN_ROOT, Linux 5.6). A path that is not absolute is Errc::malformed. The folder itself
/// is opened once; if it cannot be, every call says so.
class RootedFiles final : public HostFiles {
 public:
  explicit RootedFiles(std::string root = "/");
  ~RootedFiles() override;
  RootedFiles(const RootedFiles&) = delete;
  RootedFiles& operator=(const RootedFiles&) = delete;

  Result<std::unique_ptr<HostFile>> open(const std::string& path) const override;
  Result<std::string> read(const std::string& path) const override;
  Result<std::unique_ptr<GrowingFile>> follow(const std::string& path) const override;
  Result<std::vector<std::string>> list(const std::string& path) const override;
  Result<std::string> read_link(const std::string& path) const override;
  int cpu_count() const override;
  std::uint64_t page_bytes() const override;
  std::uint64_t clock_ticks() const override;

 private:
  Result<int> open_descriptor(const std::string& path, int flags) const;

  std::string root_;
  int root_descriptor_{-1};  ///< Unused when the root is "/".
};

}  // namespace tocsin::runtime
