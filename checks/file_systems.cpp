#include "checks/file_systems.hpp"

#include <algorithm>

#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin::checks {
namespace {

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

Result<std::vector<FileSystem>> FileSystems::chosen(std::string_view table) const {
  const auto mounts = parse_mounts(table);
  if (!mounts) return mounts.error();
  std::vector<FileSystem> systems;
  const auto add = [&](const Mount& mount, bool mounted) {
    systems.push_back({.mount = mount,
                       .label = clean_utf8(mount.point),
                       .mounted = mounted,
                       .trend = DiskTrend{window_}});
  };
  for (const auto& point : wanted_) {
    const auto found = std::find_if(mounts->begin(), mounts->end(),
                                    [&](const Mount& mount) { return mount.point == point; });
    if (found != mounts->end()) {
      add(*found, true);
    } else {
      Mount absent;
      absent.point = point;
      add(absent, false);
    }
  }
  if (wanted_.empty())
    for (const auto& mount : real_file_systems(*mounts))
      if (!contains(unwanted_, mount.point)) add(mount, true);
  if (systems.size() > limits::file_systems_per_check)
    return Error{Errc::too_large,
                 "this host has " + std::to_string(systems.size()) + " file systems, more than " +
                     std::to_string(limits::file_systems_per_check) +
                     " in one check: share them out among checks by 'mount', or 'exclude' some"};
  return systems;
}

Result<void> FileSystems::refresh(const HostFiles& files) {
  const auto text = table_.read(files);
  if (!text) return text.error();
  if (*text == table_text_) return {};
  auto systems = chosen(*text);
  if (!systems) return systems.error();
  const auto fstab = files.read("/etc/fstab");
  const auto writable = fstab ? writable_in_fstab(*fstab) : std::vector<std::string>{};
  for (auto& system : *systems) {
    const auto before = std::find_if(all_.begin(), all_.end(), [&](const FileSystem& other) {
      return other.mount.point == system.mount.point && other.mount.device == system.mount.device;
    });
    if (before != all_.end()) {
      system.to_be_writable = before->to_be_writable;
      system.usage = before->usage;
      system.trend = before->trend;
    }
    if (system.mounted && (!system.mount.read_only || contains(writable, system.mount.point)))
      system.to_be_writable = true;
  }
  all_ = *std::move(systems);
  table_text_.assign(*text);
  return {};
}

std::optional<double> free_share(const FileSystemUsage& usage) {
  // Blocks kept for root are neither used nor to be had.
  const auto used = usage.blocks > usage.blocks_free ? usage.blocks - usage.blocks_free : 0;
  const auto whole = used + usage.blocks_available;
  if (whole == 0) return std::nullopt;
  return static_cast<double>(usage.blocks_available) / static_cast<double>(whole);
}

std::uint64_t free_bytes(const FileSystemUsage& usage) {
  return usage.blocks_available * usage.block_bytes;
}

std::optional<double> inodes_used_share(const FileSystemUsage& usage) {
  if (usage.inodes == 0) return std::nullopt;
  const auto used = usage.inodes > usage.inodes_free ? usage.inodes - usage.inodes_free : 0;
  return static_cast<double>(used) / static_cast<double>(usage.inodes);
}

std::string describe_file_system(const FileSystem& system) {
  const auto& mount = system.mount;
  std::string line = system.label;
  if (!system.mounted) return line + ": not mounted";
  line += " (" + mount.type + ", " + clean_utf8(mount.source) + "): ";
  if (system.stuck) return line + "does not answer";
  const auto share = system.usage ? free_share(*system.usage) : std::nullopt;
  if (!share) return line + "not measured yet";
  line += describe_quantity(1 - *share, Unit::ratio) + " used, " +
          describe_quantity(static_cast<double>(free_bytes(*system.usage)), Unit::bytes) + " free";
  if (const auto inodes = inodes_used_share(*system.usage))
    line += ", inodes " + describe_quantity(*inodes, Unit::ratio) + " used";
  if (mount.read_only) line += ", read-only";
  if (const auto speed = system.trend.bytes_per_second(); speed && *speed < 0) {
    line += ", losing " + describe_quantity(-*speed * 3600, Unit::bytes) + " an hour";
    if (const auto hours = system.trend.hours_to_full(free_bytes(*system.usage)))
      line += ", full in " + describe_quantity(*hours, Unit::hours);
  }
  return line;
}

}  // namespace tocsin::checks
