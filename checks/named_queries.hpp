#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/base/error.hpp"
#include "tocsin/config/decode.hpp"
#include "tocsin/model/sample.hpp"

namespace tocsin::checks {

/// The key `queries: {NAME: SQL}` of the databases: each statement gives one row with one number,
/// which becomes the sample NAME. It runs in a read-only transaction with a statement timeout. One
/// that fails, or gives anything else, NULL included, leaves the run without a result: a rule on a
/// number that is not there would find nothing to object to.
using NamedQueries = std::map<std::string, std::string>;

inline constexpr std::size_t named_queries_max = 32;
inline constexpr std::size_t named_query_characters = 10'000;
inline constexpr std::size_t named_query_name_characters = 60;

/// The unit that the end of a name tells: "_seconds", "_bytes", "_ratio", "_per_second".
Unit unit_of_query(std::string_view name);

/// The type's own specs and then one for each query, in the order of the map.
std::vector<SampleSpec> specs_with_queries(std::span<const SampleSpec> own,
                                           const NamedQueries& queries);

/// Complains, at the key `queries`, of names that no sample can have or that the type has already,
/// of empty statements and of too many.
void judge_queries(const NamedQueries& queries, std::span<const SampleSpec> own, const Node& map,
                   Decoding& decoding);

/// A text cell of a result; nothing stands for NULL.
using Cell = std::optional<std::string>;

/// The number of a cell as databases write it ("42", "-1.5e3", "t", "f"); Errc::malformed with what
/// stood there instead.
Result<double> number_of_cell(std::string_view text);

/// The number of a result of `rows` rows and `columns` columns whose first cell is given; nothing
/// for NULL. The error says what was expected: "gave 3 rows, expected one row with one number".
Result<std::optional<double>> number_of_result(std::size_t rows, std::size_t columns,
                                               const Cell& first);

}  // namespace tocsin::checks
