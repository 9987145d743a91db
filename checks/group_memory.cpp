#include "checks/group_memory.hpp"

#include <algorithm>

#include "checks/words.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

Result<std::uint64_t> number_in(KeptFile& file, const HostFiles& files) {
  const auto text = file.read(files);
  if (!text) return text.error();
  const auto value = to_number(trim(*text));
  if (!value) return malformed(file.path(), "number", *text);
  return *value;
}

}  // namespace

void GroupMemoryReader::find_version(const HostFiles& files) {
  if (two_.limit.read(files))
    version_ = Version::two;
  else if (one_.limit.read(files))
    version_ = Version::one;
  else
    version_ = Version::none;
}

Result<std::optional<GroupMemory>> GroupMemoryReader::read(const HostFiles& files,
                                                           std::uint64_t host_total) {
  if (version_ == Version::unknown) find_version(files);
  if (version_ == Version::none) return std::optional<GroupMemory>{};
  auto& place = this->place();
  const auto limit_text = place.limit.read(files);
  if (!limit_text) return limit_text.error();
  const auto limit = parse_group_limit(*limit_text);
  if (!limit) return limit.error();
  if (!limit->has_value() || **limit == 0 || **limit >= host_total)
    return std::optional<GroupMemory>{};
  const auto used = number_in(place.used, files);
  if (!used) return used.error();
  const auto details = place.details.read(files);
  if (!details) return details.error();
  const auto* const key = version_ == Version::one ? "total_inactive_file " : "inactive_file ";
  return std::optional<GroupMemory>{
      GroupMemory{**limit, *used, number_after(*details, key).value_or(0)}};
}

std::optional<std::uint64_t> GroupMemoryReader::oom_kills(const HostFiles& files) {
  const auto text = place().kills.read(files);
  if (!text) return std::nullopt;
  return number_after(*text, "oom_kill ");
}

std::optional<double> GroupMemoryReader::swap_used(const HostFiles& files) {
  if (version_ != Version::two) return std::nullopt;
  const auto limit = number_in(swap_limit_, files);
  const auto used = number_in(swap_used_, files);
  if (!limit || !used) return std::nullopt;
  if (*limit == 0) return 0.0;
  return std::min(1.0, static_cast<double>(*used) / static_cast<double>(*limit));
}

}  // namespace tocsin::checks
