#pragma once

#include <string>
#include <vector>

#include "checks/top_processes.hpp"

namespace tocsin::checks {

/// A process and how many descriptors it has open.
struct DescriptorHolder {
  int pid{};
  std::string name{};
  std::size_t descriptors{};
};

/// Counts the open descriptors of each process, giving way to other work now and then, until
/// shortly before the context's deadline. The most first; those that we may not look into are left
/// out.
asio::awaitable<std::vector<DescriptorHolder>> count_descriptors(
    CheckContext& context, const std::vector<ProcessRow>& rows);

/// "Most open descriptors: nginx (812) 4096, …": the five that hold most.
void add_top_descriptors(Evidence& evidence, const std::vector<DescriptorHolder>& holders);

}  // namespace tocsin::checks
