#include "agent/config/tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <sstream>

#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/config/codec.hpp"

namespace tocsin::config {
namespace {

/// Ends the reading of a file: what follows could not be made sense of.
struct Refused {
  Place where;
  std::string path;
  std::string message;
};

/// Builds the tree from the parser's events, so that depth and size are ours to bound.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const Source& source, Complaints& complaints)
      : source_{source}, complaints_{complaints} {}

  Node take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0)
      refuse(mark, "a second document begins here: one file holds one document");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (expects_key()) refuse(mark, "a key is missing before the colon");
    auto place = place_of(mark);
    // A value that is not there is reported by the parser where it noticed, often a line later.
    if (!open_.empty() && open_.back().has_key && open_.back().key_place.line != place.line)
      place = open_.back().key_place;
    add({Node::Kind::null, std::move(place), {}, false, {}, {}}, anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    judge_tag(mark, tag);
    judge_quote(mark);
    add({Node::Kind::scalar, place_of(mark), value, tag != "?" && !tag.empty(), {}, {}}, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) refuse(mark, "this alias stands inside what it refers to");
    count(known->second.values, mark);
    add(known->second.node, 0);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::map);
  }
  void OnMapEnd() override {
    merge(open_.back().node);
    close();
  }

 private:
  struct Frame {
    Node node;
    YAML::anchor_t anchor{0};
    std::size_t values_before{0};
    bool has_key{false};
    std::string key{};
    Place key_place{};
  };
  struct Anchored {
    Node node;
    std::size_t values{0};
  };

  Place place_of(const YAML::Mark& mark) const {
    return source_.place(mark.line + 1, static_cast<std::size_t>(std::max(0, mark.column)));
  }
  std::string path() const {
    std::string out;
    for (const auto& frame : open_) {
      if (frame.node.kind == Node::Kind::list)
        out += "[" + std::to_string(frame.node.items.size()) + "]";
      else if (frame.has_key)
        out += (out.empty() ? "" : ".") + frame.key;
    }
    return out;
  }
  [[noreturn]] void refuse(const YAML::Mark& mark, std::string message) const {
    throw Refused{place_of(mark), path(), std::move(message)};
  }
  void judge_tag(const YAML::Mark& mark, const std::string& tag) {
    const bool usual =
        tag.empty() || tag == "?" || tag == "!" || tag.starts_with("tag:yaml.org,2002:");
    if (!usual)
      complaints_.add(place_of(mark), path(), "tags are not used here: leave " + tag + " out");
  }
  /// The parser takes the end of the file for the end of a quote that was never closed, and so
  /// swallows the rest.
  void judge_quote(const YAML::Mark& mark) const {
    const auto& text = source_.text();
    auto at = static_cast<std::size_t>(std::max(0, mark.pos));
    if (at >= text.size() || (text[at] != '"' && text[at] != '\'')) return;
    const char quote = text[at];
    for (++at; at < text.size(); ++at) {
      if (quote == '"' && text[at] == '\\')
        ++at;
      else if (text[at] == quote && quote == '\'' && at + 1 < text.size() && text[at + 1] == quote)
        ++at;
      else if (text[at] == quote)
        return;
    }
    refuse(mark, "this quote is never closed");
  }
  void count(std::size_t values, const YAML::Mark& mark) {
    values_ += values;
    if (values_ > limits::config_nodes) {
      refuse(mark, "more than " + std::to_string(limits::config_nodes) +
                       " values, counting each alias written out");
    }
  }
  bool expects_key() const {
    return !open_.empty() && open_.back().node.kind == Node::Kind::map && !open_.back().has_key;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            Node::Kind kind) {
    if (expects_key()) refuse(mark, "a key must be a word, not a list or a map");
    if (open_.size() >= limits::config_depth) {
      refuse(mark, "nested deeper than " + std::to_string(limits::config_depth) + " levels");
    }
    judge_tag(mark, tag);
    Frame frame;
    frame.node.kind = kind;
    frame.node.place = place_of(mark);
    frame.anchor = anchor;
    frame.values_before = values_;
    count(1, mark);
    open_.push_back(std::move(frame));
  }

  void close() {
    auto frame = std::move(open_.back());
    open_.pop_back();
    const auto values = values_ - frame.values_before;
    attach(std::move(frame.node), frame.anchor, values);
  }

  void add(Node node, YAML::anchor_t anchor) {
    if (++values_ > limits::config_nodes) {
      throw Refused{node.place, path(),
                    "more than " + std::to_string(limits::config_nodes) + " values"};
    }
    if (!expects_key()) return attach(std::move(node), anchor, 1);
    auto& frame = open_.back();
    if (node.kind != Node::Kind::scalar)
      throw Refused{node.place, path(), "a key must be a word, not a list or a map"};
    if (anchor != 0) anchors_[anchor] = {node, 1};
    frame.has_key = true;
    frame.key = std::move(node.text);
    frame.key_place = node.place;
  }

  void attach(Node node, YAML::anchor_t anchor, std::size_t values) {
    if (anchor != 0) anchors_[anchor] = {node, values};
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    auto& frame = open_.back();
    if (frame.node.kind == Node::Kind::list) {
      frame.node.items.push_back(std::move(node));
      return;
    }
    const auto twin = std::ranges::find(frame.node.entries, frame.key, &Node::Entry::key);
    if (twin == frame.node.entries.end()) {
      if (frame.node.entries.size() == limits::config_map_keys) {
        throw Refused{frame.key_place, path(),
                      "more than " + std::to_string(limits::config_map_keys) + " keys in one map"};
      }
      frame.node.entries.push_back({frame.key, frame.key_place, std::move(node)});
    } else {
      complaints_.add(
          frame.key_place, path(),
          "key given twice; it was first given in line " + std::to_string(twin->key_place.line));
    }
    frame.has_key = false;
  }

  /// "<<: *defaults" takes over the entries that the map has not given itself.
  void merge(Node& map) {
    const auto it = std::ranges::find(map.entries, std::string_view{"<<"}, &Node::Entry::key);
    if (it == map.entries.end()) return;
    const auto merged = std::move(*it);
    map.entries.erase(it);
    std::vector<const Node*> from;
    if (merged.value.kind == Node::Kind::list)
      for (const auto& item : merged.value.items) from.push_back(&item);
    else
      from.push_back(&merged.value);
    for (const auto* other : from) {
      if (other->kind != Node::Kind::map) {
        complaints_.add(merged.key_place, path(), "a merge (<<) takes a map or a list of maps");
        continue;
      }
      for (const auto& entry : other->entries)
        if (map.find(entry.key) == nullptr) map.entries.push_back(entry);
    }
  }

  const Source& source_;
  Complaints& complaints_;
  Node root_{};
  std::vector<Frame> open_{};
  std::map<YAML::anchor_t, Anchored> anchors_{};
  std::size_t values_{0};
  int documents_{0};
};

/// Where a file stops being text: a NUL or control byte, or bytes that are not UTF-8. npos when it
/// does not.
std::size_t first_binary_byte(const std::string& text) {
  constexpr auto allowed = [](unsigned char c) {
    return c >= 0x20 || c == '\n' || c == '\r' || c == '\t';
  };
  for (std::size_t i = 0; i < text.size(); ++i)
    if (!allowed(static_cast<unsigned char>(text[i]))) return i;
  std::size_t line_begin = 0;
  while (line_begin < text.size()) {
    const auto end = std::min(text.find('\n', line_begin), text.size());
    const auto line = std::string_view{text}.substr(line_begin, end - line_begin);
    const auto valid = cut_characters(line, line.size());
    if (valid != line) {
      const auto [bad, ignored] = std::ranges::mismatch(line, valid);
      return line_begin + static_cast<std::size_t>(bad - line.begin());
    }
    line_begin = end + 1;
  }
  return std::string::npos;
}

bool judge_bytes(const Source& source, Complaints& complaints) {
  const auto& text = source.text();
  if (text.size() > limits::config_file_bytes) {
    complaints.add(source.whole(), {},
                   "larger than " + Codec<ByteCount>::show({limits::config_file_bytes}) +
                       ", the most that is read");
    return false;
  }
  const auto bad = first_binary_byte(text);
  if (bad == std::string::npos) return true;
  const auto line = static_cast<int>(std::count(
                        text.begin(), text.begin() + static_cast<std::ptrdiff_t>(bad), '\n')) +
                    1;
  const auto line_begin =
      text.rfind('\n', bad) == std::string::npos ? 0 : text.rfind('\n', bad) + 1;
  std::array<char, 8> byte{};
  std::snprintf(byte.data(), byte.size(), "0x%02X",
                static_cast<unsigned>(static_cast<unsigned char>(text[bad])));
  complaints.add_confidential(
      source.place(line, bad - line_begin), {},
      "not a text file: there is a byte " + std::string{byte.data()} + " here");
  return false;
}

}  // namespace

std::optional<Node> read_tree(const Source& source, Complaints& complaints) {
  if (!judge_bytes(source, complaints)) return std::nullopt;
  TreeBuilder builder{source, complaints};
  try {
    std::istringstream stream{source.text()};
    YAML::Parser parser{stream};
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take_root();
  } catch (const Refused& refused) {
    complaints.add(refused.where, refused.path, refused.message);
  } catch (const YAML::Exception& problem) {
    const auto at = problem.mark.is_null()
                        ? source.whole()
                        : source.place(problem.mark.line + 1,
                                       static_cast<std::size_t>(std::max(0, problem.mark.column)));
    const bool misplaced = problem.msg == "illegal map value";
    complaints.add(
        at, {},
        "not YAML: " +
            (misplaced ? "a colon is not expected here; look at the quotes and the indentation "
                         "(spaces, never tabs)"
                       : problem.msg));
  }
  return std::nullopt;
}

}  // namespace tocsin::config
