#pragma once

#include <optional>

#include "agent/config/source.hpp"
#include "tocsin/config/node.hpp"

namespace tocsin::config {

/// The YAML of a file as a tree with places. Duplicate keys, second documents, tags and keys that
/// are no words are complained of; size, depth and number of values are bounded. Nothing after a
/// complaint that leaves no tree; a null node for a file that says nothing.
std::optional<Node> read_tree(const Source& source, Complaints& complaints);

}  // namespace tocsin::config
