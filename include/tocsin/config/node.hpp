#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// Where something stands in the configuration. Lines and columns start at 1; 0 means "the file as
/// a whole".
struct Place {
  std::shared_ptr<const std::string> file{};
  int line{0};
  int column{0};
};

/// One fault of the configuration: where, at which path, and what is wrong and what would be right.
struct Complaint {
  Place where{};
  std::string path{};  ///< "checks[2].timeout"; empty for the document.
  std::string message{};
  bool confidential{false};  ///< The source line may hold a secret in plain: it is not quoted.
};

/// All faults of all files, gathered so that they can be reported in one go. Bounded by
/// limits::complaints_shown when printed; the rest are counted.
class Complaints {
 public:
  void add(Place where, std::string path, std::string message);
  /// The same, for values that should have been kept secret: the report does not quote the line.
  void add_confidential(Place where, std::string path, std::string message);
  bool empty() const { return all_.empty(); }
  const std::vector<Complaint>& all() const { return all_; }

 private:
  std::vector<Complaint> all_;
};

/// The text with what looks like a credential (Slack tokens, passwords in URLs, long keys) replaced
/// by asterisks, one a character, so that columns stay. For quoting configuration that may hold by
/// mistake what belongs in a secret.
std::string mask_credentials(std::string_view text);

/// A value of the configuration and where it stands: what the YAML said, with nothing interpreted
/// yet.
struct Node {
  enum class Kind {
    null,    ///< Nothing, or "~".
    scalar,  ///< A word, number or text; `text` holds it as written.
    list,
    map,
  };
  struct Entry;
  Kind kind{Kind::null};
  Place place{};
  std::string text{};
  bool quoted{false};          ///< A quoted scalar is never a number, a boolean or null.
  std::vector<Node> items{};   ///< Of a list.
  std::vector<Entry> entries;  ///< Of a map, in the order written; duplicates were already
                               ///< complained of and removed.

  const Node* find(std::string_view key) const;
};
struct Node::Entry {
  std::string key;
  Place key_place;
  Node value;
};

}  // namespace tocsin
