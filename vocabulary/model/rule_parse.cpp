#include <cctype>
#include <charconv>
#include <optional>

#include "tocsin/model/rule.hpp"

namespace tocsin {
namespace {

// A rule is one readable line; what is longer is a mistake in quoting.
constexpr std::size_t rule_bytes_most = 1000;
constexpr std::size_t conditions_most = 16;
constexpr int looks_most = 64;  // RuleProgress keeps the looks in 64 bits.

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
bool is_comparison(char c) { return c == '<' || c == '>' || c == '=' || c == '!'; }

struct Token {
  std::string_view text;
  std::size_t at{};
};

/// Reads words from left to right. Never looks beyond the text.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_{text} {}

  std::size_t at() {
    skip();
    return at_;
  }
  bool done() { return at() == text_.size(); }
  /// Everything up to the next white space.
  Token word() {
    return take([](char c) { return !is_space(c); });
  }
  /// A sample's name: also ends where a comparison begins; 'in quotes' it may hold anything but a
  /// quote.
  Token name() {
    skip();
    if (at_ < text_.size() && text_[at_] == '\'') {
      const auto end = text_.find('\'', at_ + 1);
      if (end == std::string_view::npos) return {};
      const Token token{text_.substr(at_ + 1, end - at_ - 1), at_};
      at_ = end + 1;
      return token;
    }
    return take([](char c) { return !is_space(c) && !is_comparison(c); });
  }
  Token comparison() { return take(is_comparison); }
  void back_to(std::size_t at) { at_ = at; }

 private:
  void skip() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  template <class Accept>
  Token take(Accept accept) {
    skip();
    const auto begin = at_;
    while (at_ < text_.size() && accept(text_[at_])) ++at_;
    return {text_.substr(begin, at_ - begin), begin};
  }
  std::string_view text_;
  std::size_t at_{};
};

std::string quoted(std::string_view text) { return "\"" + std::string{text.substr(0, 60)} + "\""; }

std::optional<Comparison> comparison_of(std::string_view text) {
  if (text == ">") return Comparison::greater;
  if (text == ">=") return Comparison::greater_equal;
  if (text == "<") return Comparison::less;
  if (text == "<=") return Comparison::less_equal;
  if (text == "==") return Comparison::equal;
  if (text == "!=") return Comparison::not_equal;
  return std::nullopt;
}

std::optional<RuleFault> read_comparison(Cursor& cursor, Condition& condition) {
  const auto token = cursor.comparison();
  if (const auto known = comparison_of(token.text)) {
    condition.comparison = *known;
    return std::nullopt;
  }
  if (token.text == "=") return RuleFault{token.at, "write == to compare for equality"};
  if (token.text == "=>") return RuleFault{token.at, "write >= for \"at least\""};
  if (token.text == "=<") return RuleFault{token.at, "write <= for \"at most\""};
  if (!token.text.empty()) {
    return RuleFault{token.at,
                     quoted(token.text) + " is no comparison; use one of > >= < <= == !="};
  }
  const auto found = cursor.word();
  return RuleFault{found.at, "expected a comparison (> >= < <= == !=) after " +
                                 quoted(condition.sample) + ", found " +
                                 (found.text.empty() ? "the end" : quoted(found.text))};
}

std::optional<RuleFault> read_condition(Cursor& cursor, Condition& condition) {
  const auto name = cursor.name();
  if (name.text.empty()) {
    const auto at = cursor.at();
    const auto found = cursor.word();
    if (found.text.starts_with('\'')) return RuleFault{at, "a quote is missing its end"};
    return RuleFault{at, "expected a sample's name, as in \"load1 > 4\", found " +
                             (found.text.empty() ? "the end" : quoted(found.text))};
  }
  condition.sample = std::string{name.text};
  condition.sample_at = name.at;
  if (auto fault = read_comparison(cursor, condition)) return fault;
  const auto quantity = cursor.word();
  if (quantity.text.empty()) {
    return RuleFault{quantity.at, "expected a number after " +
                                      std::string{to_string(condition.comparison)} +
                                      ", found the end"};
  }
  condition.quantity = std::string{quantity.text};
  condition.quantity_at = quantity.at;
  const auto first = quantity.text.find_first_not_of("+-.");
  if (first == std::string_view::npos ||
      std::isdigit(static_cast<unsigned char>(quantity.text[first])) == 0) {
    return RuleFault{quantity.at, "expected a number after " +
                                      std::string{to_string(condition.comparison)} + ", found " +
                                      quoted(quantity.text)};
  }
  return std::nullopt;
}

std::optional<int> whole_number(std::string_view text) {
  int value{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<RuleFault> read_count(Cursor& cursor, const Token& first, int need, Hold& hold) {
  const auto word = cursor.word();
  if (word.text != "of") {
    return RuleFault{first.at, "expected a duration with its unit, such as \"for " +
                                   std::string{first.text} + "m\", or a count, such as \"for " +
                                   std::string{first.text} + " of 5\""};
  }
  const auto second = cursor.word();
  const auto of = whole_number(second.text);
  if (!of) {
    return RuleFault{second.at, "expected how many looks to count, as in \"2 of 3\", found " +
                                    (second.text.empty() ? "the end" : quoted(second.text))};
  }
  if (need < 1) return RuleFault{first.at, "at least one look must be in breach: \"1 of 3\""};
  if (*of > looks_most) {
    return RuleFault{second.at, "at most 64 looks are remembered; use \"for DURATION\" for longer"};
  }
  if (need > *of) {
    return RuleFault{first.at, quoted(std::string{first.text} + " of " + std::string{second.text}) +
                                   " can never be reached"};
  }
  hold = HoldCount{need, *of};
  return std::nullopt;
}

std::optional<RuleFault> read_hold(Cursor& cursor, Hold& hold) {
  const auto first = cursor.word();
  if (first.text.empty()) {
    return RuleFault{
        first.at,
        "expected a duration or a count after \"for\", as in \"for 2m\" or \"for 2 of 3\""};
  }
  if (const auto need = whole_number(first.text)) return read_count(cursor, first, *need, hold);
  const auto duration = parse_duration(first.text);
  if (!duration) return RuleFault{first.at, duration.error().detail};
  // "for 0s" asks for no hold at all.
  if (*duration > Duration::zero()) hold = HoldFor{*duration};
  return std::nullopt;
}

RuleFault after_condition(const Token& found) {
  if (found.text == "or" || found.text == "||") {
    return {found.at, "a rule has no \"or\"; write a list of rules, of which any one is enough"};
  }
  if (found.text == "&&") return {found.at, "write \"and\" between conditions"};
  const bool unit = found.text == "%" || std::isalpha(static_cast<unsigned char>(found.text[0]));
  std::string message = "expected \"and\", \"for\" or the end, found " + quoted(found.text);
  if (unit && found.text.size() <= 3) message += "; a unit follows its number without a space";
  return {found.at, std::move(message)};
}

}  // namespace

std::string_view to_string(Comparison comparison) {
  switch (comparison) {
    case Comparison::greater:
      return ">";
    case Comparison::greater_equal:
      return ">=";
    case Comparison::less:
      return "<";
    case Comparison::less_equal:
      return "<=";
    case Comparison::equal:
      return "==";
    case Comparison::not_equal:
      return "!=";
  }
  return "";
}

std::variant<Rule, RuleFault> parse_rule(std::string_view text) {
  if (text.size() > rule_bytes_most) return RuleFault{0, "a rule has at most 1000 bytes"};
  Cursor cursor{text};
  if (cursor.done())
    return RuleFault{0, "the rule is empty; write for example \"load1 > 4 for 5m\""};
  Rule rule;
  rule.text = std::string{text};
  while (true) {
    if (rule.all_of.size() == conditions_most) {
      return RuleFault{cursor.at(), "a rule has at most 16 conditions"};
    }
    Condition condition;
    if (auto fault = read_condition(cursor, condition)) return *std::move(fault);
    rule.all_of.push_back(std::move(condition));
    if (cursor.done()) return rule;
    const auto next = cursor.word();
    if (next.text == "and") continue;
    if (next.text != "for") return after_condition(next);
    if (auto fault = read_hold(cursor, rule.hold)) return *std::move(fault);
    if (cursor.done()) return rule;
    const auto rest = cursor.word();
    return RuleFault{rest.at, "expected nothing after the hold, found " + quoted(rest.text)};
  }
}

}  // namespace tocsin
