#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/integration/program.hpp"

namespace tocsin::integration {

/// A real Postfix with its queue, configuration and data in a folder of its own. It listens where
/// the services it is given say, and nowhere else.
class Postfix {
 public:
  /// Why there can be none here, as one line; "" when there can.
  static std::string missing();

  /// A message in its queue.
  struct Queued {
    std::string id{};     ///< Sorts by the time of its arrival.
    std::string queue{};  ///< "active", "deferred", "hold", "incoming".
  };

  /// `settings` are lines of main.cf and `services` lines of master.cf, beside those without which
  /// no mail moves.
  explicit Postfix(const std::vector<std::string>& settings = {},
                   const std::vector<std::string>& services = {});
  ~Postfix();

  void start();  ///< And waits until its queue can be read. Throws with what it said.
  void stop();   ///< Orderly.
  void kill();   ///< SIGKILL, and its children with it.

  std::vector<std::string> list_command() const;
  /// All of the queue, in the order of arrival.
  std::vector<Queued> queue() const;
  /// A queued message as it came: its head and its body.
  std::string text_of(const std::string& id) const;
  /// Submits a message from here, for these recipients with blanks between them.
  void send(const std::string& recipients,
            const std::string& text = "Subject: invoice\n\nsee there\n") const;
  /// Everything that waits is tried again now.
  void flush() const;
  /// Set aside until it is released; "ALL" means all of the queue.
  void hold(const std::string& id) const { change("-h", id); }
  void release(const std::string& id) const { change("-H", id); }
  void remove(const std::string& id) const { change("-d", id); }
  std::string log() const;

 private:
  void change(const std::string& option, const std::string& id) const;

  Folder folder_;
  std::unique_ptr<Program> master_{};
};

}  // namespace tocsin::integration
