#pragma once

#include <string>
#include <vector>

#include "agent/config/source.hpp"
#include "tocsin/config/node.hpp"

namespace tocsin::config {

/// Complaints by file, line and column, each said once.
std::vector<Complaint> in_order(const Complaints& complaints, const Sources& sources);
/// Complaints as people read them: place, path, sentence, source line and caret; at most
/// limits::complaints_shown, and how many more there are.
std::string describe(const std::vector<Complaint>& complaints, const Sources& sources);

}  // namespace tocsin::config
