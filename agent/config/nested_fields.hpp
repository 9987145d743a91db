#pragma once

#include <vector>

#include "tocsin/config/fields.hpp"

namespace tocsin::config {

/// The keys inside a field that is a block, or a list or map of blocks, at any depth, read back
/// from its JSON Schema: "expect.json[].pointer". Empty for plain fields.
std::vector<FieldDoc> nested_fields(const FieldDoc& doc);

}  // namespace tocsin::config
