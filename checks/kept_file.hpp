#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tocsin/check/host.hpp"

namespace tocsin::checks {

/// A host file that is opened at its first reading and kept. A failed reading lets go of it, so
/// that the next one opens it anew.
class KeptFile {
 public:
  explicit KeptFile(std::string path) : path_{std::move(path)} {}

  /// The whole content now, valid until the next read.
  Result<std::string_view> read(const HostFiles& files) {
    if (file_ == nullptr) {
      auto opened = files.open(path_);
      if (!opened) return opened.error();
      file_ = *std::move(opened);
    }
    auto text = file_->read();
    if (!text) file_.reset();
    return text;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::unique_ptr<HostFile> file_;
};

}  // namespace tocsin::checks
