#pragma once

#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "agent/app/command_line.hpp"

namespace tocsin::app {

/// The daemon: loads, opens the store, wires the rooms, serves HTTP, and runs until it is told to
/// stop. One per process.
class Agent {
 public:
  explicit Agent(std::string config_path);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  /// Runs to the end; returns the process's exit code. What goes wrong before it is up is on
  /// standard error.
  int run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tocsin::app
