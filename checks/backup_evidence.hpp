#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checks/backup_files.hpp"
#include "checks/backup_verification.hpp"

namespace tocsin::checks {

/// What the last run found.
struct BackupScene {
  ToldApart files{};
  std::uint64_t matched{};       ///< Files of any kind that match.
  std::string missing_folder{};  ///< Why none does, if that is why.
  std::optional<FoundFile> newest{};
  bool being_rewritten{false};  ///< `newest` is what it was before that.
  Duration age{};
  std::optional<double> median{};  ///< Of the sizes before the newest.
};

/// The newest backups with sizes and times, what was left out and why, what verifying said.
Evidence backup_evidence(const BackupScene& scene, const std::vector<std::string>& patterns,
                         Duration schedule, const BackupVerification& verification, WallTime now);

}  // namespace tocsin::checks
