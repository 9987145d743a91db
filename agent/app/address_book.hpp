#pragma once

#include <map>
#include <optional>
#include <string>

namespace tocsin::app {

/// The last address that worked for each receiver's host, kept in a small file so that a page goes
/// out after a restart with DNS down. The book itself never touches the disk once it is read: a
/// disk that hangs must not hold up the page whose address it is. A file that cannot be read or
/// written costs nothing but this memory.
class AddressBook {
 public:
  /// An empty path keeps it in memory only.
  explicit AddressBook(std::string path);
  std::optional<std::string> find(const std::string& host) const;
  void keep(const std::string& host, const std::string& address);
  /// The file's new text, if an address changed since this was last asked.
  std::optional<std::string> take_unwritten();
  /// Writes the file whole, by rename. Blocks; touches nothing of the book but its path.
  void write(const std::string& text) const;

  static constexpr std::size_t hosts_most = 64;

 private:
  std::string path_;
  std::map<std::string, std::string> addresses_;
  bool changed_{false};
};

}  // namespace tocsin::app
