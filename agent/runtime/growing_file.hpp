#pragma once

#include <memory>
#include <string>

#include "agent/runtime/descriptor.hpp"
#include "tocsin/check/host.hpp"

namespace tocsin::runtime {

/// An open file, read where one likes. Errc::refused for what is no regular file.
Result<std::unique_ptr<GrowingFile>> make_growing_file(Descriptor file, std::string path);

}  // namespace tocsin::runtime
