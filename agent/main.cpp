#include <string_view>

#include "agent/app/command_line.hpp"
#include "agent/runtime/statfs_helper.hpp"

int main(int argc, char** argv) {
  // The helper for calls that may hang is this program under a hidden name; it must stay tiny.
  if (argc == 2 && std::string_view{argv[1]} == tocsin::runtime::statfs_helper_argument)
    return tocsin::runtime::run_statfs_helper(tocsin::runtime::statfs_helper_descriptor);
  return tocsin::app::run_command_line(argc, argv);
}
