#pragma once

#include <optional>
#include <string>

#include "agent/store/rows.hpp"
#include "tocsin/base/time.hpp"
#include "tocsin/model/commit.hpp"

namespace tocsin::store {

/// Makes what an earlier process left fit for this one, in place, and returns what that changed, to
/// be written.
///
/// Entries that were in flight become queued and ambiguous. On the same boot nothing else changes.
/// After another boot, steady times are moved so that the time left is what it was, less the wall
/// time that passed (none, if the wall clock went backwards). A pending alert becomes inactive and
/// a recovering one fires again, for nobody looked in between. Without an anchor nobody knows what
/// the steady times meant: every timer is then due now.
Commit carry_over(Snapshot& snapshot, const std::optional<Anchor>& then, const std::string& boot_id,
                  Now now);

}  // namespace tocsin::store
