#pragma once

#include <string>
#include <vector>

#include "tocsin/base/error.hpp"
#include "tocsin/check/beat.hpp"

namespace tocsin::app {

/// A beat that could not be delivered because the agent was down. Of its time, the wall clock's
/// counts.
struct SpooledBeat {
  std::string check;
  Beat beat{};
  std::string file{};  ///< Where it was read from.
};

/// Where such beats wait, below the folder of the state.
std::string beat_spool(const std::string& state_dir);
/// Makes that folder, for the agent's own user and group. Where that cannot be, beats that find
/// nobody are lost, and those who sent them are told.
void make_beat_spool(const std::string& folder);
/// Keeps a beat for the agent's next start, as a file of its own. Errc::too_large when a thousand
/// wait already.
Result<void> spool_beat(const std::string& folder, const SpooledBeat& spooled);
/// Those that wait, oldest first; the files stay until they are removed. What is no beat is
/// removed.
std::vector<SpooledBeat> spooled_beats(const std::string& folder);

}  // namespace tocsin::app
