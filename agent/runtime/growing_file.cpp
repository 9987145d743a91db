#include "agent/runtime/growing_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "tocsin/base/limits.hpp"

namespace tocsin::runtime {
namespace {

class OpenFile final : public GrowingFile {
 public:
  OpenFile(Descriptor file, std::string path) : file_{std::move(file)}, path_{std::move(path)} {}

  Result<FileIdentity> identity() const override {
    struct stat facts {};
    if (::fstat(file_.raw(), &facts) != 0) return error_from_errno(errno, "looking at " + path_);
    if (!S_ISREG(facts.st_mode)) return Error{Errc::refused, path_ + " is not a regular file"};
    return FileIdentity{facts.st_dev, facts.st_ino, static_cast<std::uint64_t>(facts.st_size)};
  }

  Result<std::string_view> read_at(std::uint64_t offset) override {
    if (!piece_) piece_ = std::make_unique_for_overwrite<char[]>(limits::growing_file_piece_bytes);
    ssize_t got = 0;
    do {
      got = ::pread(file_.raw(), piece_.get(), limits::growing_file_piece_bytes,
                    static_cast<off_t>(offset));
    } while (got < 0 && errno == EINTR);
    if (got < 0) return error_from_errno(errno, "reading " + path_);
    return std::string_view{piece_.get(), static_cast<std::size_t>(got)};
  }

 private:
  Descriptor file_;
  std::string path_;
  std::unique_ptr<char[]> piece_{};
};

}  // namespace

Result<std::unique_ptr<GrowingFile>> make_growing_file(Descriptor file, std::string path) {
  auto open = std::make_unique<OpenFile>(std::move(file), std::move(path));
  if (const auto known = open->identity(); !known) return known.error();
  return std::unique_ptr<GrowingFile>{std::move(open)};
}

}  // namespace tocsin::runtime
