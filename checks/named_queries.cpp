#include "checks/named_queries.hpp"

#include <algorithm>

#include "checks/net_samples.hpp"
#include "checks/plugin_number.hpp"
#include "checks/words.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

bool is_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name.size() <= named_query_name_characters && name.front() >= 'a' &&
         name.front() <= 'z' && std::all_of(name.begin(), name.end(), fits);
}

}  // namespace

Unit unit_of_query(std::string_view name) {
  if (name.ends_with("_bytes_per_second")) return Unit::bytes_per_second;
  if (name.ends_with("_per_second")) return Unit::per_second;
  if (name.ends_with("_seconds")) return Unit::seconds;
  if (name.ends_with("_bytes")) return Unit::bytes;
  if (name.ends_with("_ratio")) return Unit::ratio;
  return Unit::none;
}

std::vector<SampleSpec> specs_with_queries(std::span<const SampleSpec> own,
                                           const NamedQueries& queries) {
  std::vector<SampleSpec> specs{own.begin(), own.end()};
  specs.reserve(own.size() + queries.size());
  for (const auto& [name, statement] : queries)
    specs.push_back({name, unit_of_query(name), "The number that the query of this name gave."});
  return specs;
}

void judge_queries(const NamedQueries& queries, std::span<const SampleSpec> own, const Node& map,
                   Decoding& decoding) {
  const auto* node = map.find("queries");
  if (node == nullptr) return;
  auto inner = decoding.at("queries");
  if (queries.size() > named_queries_max)
    inner.complain(*node, "expected at most " + std::to_string(named_queries_max) + " queries" +
                              ", found " + std::to_string(queries.size()));
  for (const auto& [name, statement] : queries) {
    const auto shown = "\"" + cut_characters(clean_utf8(name), 40) + "\"";
    const auto is_same = [&](const SampleSpec& spec) { return spec.name == name; };
    if (!is_name(name))
      inner.complain(*node, "the query " + shown +
                                " needs a name of small letters, digits and '_', as in "
                                "signups_last_hour, for rules and metrics to use");
    else if (std::any_of(own.begin(), own.end(), is_same))
      inner.complain(*node,
                     "the name " + shown + " is taken by a sample that the check has anyway");
    if (trim(statement).empty() || statement.size() > named_query_characters)
      inner.complain(*node, "the query " + shown + " needs a statement of at most " +
                                std::to_string(named_query_characters) + " characters");
  }
}

Result<double> number_of_cell(std::string_view text) {
  const auto word = trim(text);
  if (word == "t" || word == "true") return 1.0;
  if (word == "f" || word == "false") return 0.0;
  const auto number = plugin_number(word);
  if (number && number->length == word.size()) return number->value;
  return Error{Errc::malformed, "gave " + quoted_answer(text) + ", expected a number"};
}

Result<std::optional<double>> number_of_result(std::size_t rows, std::size_t columns,
                                               const Cell& first) {
  if (rows != 1 || columns != 1)
    return Error{Errc::malformed, "gave " + counted(rows, "row") + " of " +
                                      counted(columns, "column") +
                                      ", expected one row with one number"};
  if (!first) return std::optional<double>{};
  const auto number = number_of_cell(*first);
  if (!number) return number.error();
  return std::optional<double>{*number};
}

}  // namespace tocsin::checks
