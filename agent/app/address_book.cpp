#include "agent/app/address_book.hpp"

#include <cstdio>
#include <fstream>
#include <string_view>
#include <utility>

namespace tocsin::app {

AddressBook::AddressBook(std::string path) : path_{std::move(path)} {
  if (path_.empty()) return;
  std::ifstream in{path_};
  std::string host;
  std::string address;
  while (addresses_.size() < hosts_most && in >> host >> address) addresses_[host] = address;
}

std::optional<std::string> AddressBook::find(const std::string& host) const {
  const auto at = addresses_.find(host);
  if (at == addresses_.end()) return std::nullopt;
  return at->second;
}

void AddressBook::keep(const std::string& host, const std::string& address) {
  if (!addresses_.contains(host) && addresses_.size() >= hosts_most) return;
  auto& known = addresses_[host];
  if (known == address) return;
  known = address;
  changed_ = true;
}

std::optional<std::string> AddressBook::take_unwritten() {
  if (path_.empty() || !std::exchange(changed_, false)) return std::nullopt;
  std::string text;
  for (const auto& [host, address] : addresses_) text += host + ' ' + address + '\n';
  return text;
}

void AddressBook::write(const std::string& text) const {
  const auto fresh = path_ + ".new";
  {
    std::ofstream out{fresh, std::ios::trunc};
    if (!(out << text).flush()) return;
  }
  // If the rename fails, the old file stands, and that is still an address that once worked.
  [[maybe_unused]] const auto renamed = std::rename(fresh.c_str(), path_.c_str());
}

}  // namespace tocsin::app
