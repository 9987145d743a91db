#pragma once

#include <map>
#include <optional>
#include <string>

namespace tocsin::app {

/// The last address that worked for each receiver's host, kept in a small file so that a page goes
/// out after a restart with DNS down. Written only when an address changed, whole, by rename; a
/// file that cannot be read or written costs nothing but this memory.
class AddressBook {
 public:
  /// An empty path keeps it in memory only.
  explicit AddressBook(std::string path);
  std::optional<std::string> find(const std::string& host) const;
  void keep(const std::string& host, const std::string& address);

  static constexpr std::size_t hosts_most = 64;

 private:
  void write() const;
  std::string path_;
  std::map<std::string, std::string> addresses_;
};

}  // namespace tocsin::app
