#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "tocsin/config/codec.hpp"

namespace tocsin {

/// One key of a block: what it is called, where it is kept, what it means. One list of these
/// decodes, validates, documents, dumps and makes the JSON Schema.
template <class P, class T>
struct Field {
  std::string_view name;
  T P::*member;
  std::string_view help;
  bool required;
};
template <class P, class T>
constexpr Field<P, T> field(std::string_view name, T P::*member, std::string_view help) {
  return {name, member, help, false};
}
template <class P, class T>
constexpr Field<P, T> required_field(std::string_view name, T P::*member, std::string_view help) {
  return {name, member, help, true};
}

/// A key as docs, schema and "config show" see it.
struct FieldDoc {
  std::string name;
  std::string type;
  std::string help;
  bool required{false};
  std::string default_value{};  ///< As configuration would write it; empty for required fields.
  std::string schema{};
};

/// Complains of keys that are in none of the lists, with the nearest known one.
void refuse_unknown_keys(const Node& map, const std::vector<std::string_view>& known,
                         Decoding& decoding);
void complain_missing(const Node& map, std::string_view name, std::string_view type,
                      Decoding& decoding);

/// Reads every field of `map` into `params`. Unknown keys are not judged here: a block may be read
/// by several lists.
template <class P, class... F>
bool decode_fields(const std::tuple<F...>& fields, const Node& map, P& params, Decoding& decoding) {
  if (!require_kind(map, Node::Kind::map, "map", decoding)) return false;
  bool good = true;
  const auto one = [&](const auto& f) {
    using T = std::remove_reference_t<decltype(params.*(f.member))>;
    const auto* value = map.find(f.name);
    if (value == nullptr) {
      if (f.required) complain_missing(map, f.name, Codec<T>::type_name(), decoding), good = false;
      return;
    }
    auto inner = decoding.at(f.name);
    good = Codec<T>::read(*value, params.*(f.member), inner) && good;
  };
  std::apply([&](const auto&... f) { (one(f), ...); }, fields);
  return good;
}

template <class... F>
std::vector<std::string_view> field_names(const std::tuple<F...>& fields) {
  std::vector<std::string_view> names;
  std::apply([&](const auto&... f) { (names.push_back(f.name), ...); }, fields);
  return names;
}

template <class P, class... F>
std::vector<FieldDoc> document_fields(const std::tuple<F...>& fields, const P& defaults) {
  std::vector<FieldDoc> docs;
  const auto one = [&](const auto& f) {
    using T = std::remove_cvref_t<decltype(defaults.*(f.member))>;
    docs.push_back({std::string{f.name}, Codec<T>::type_name(), std::string{f.help}, f.required,
                    f.required ? "" : Codec<T>::show(defaults.*(f.member)), Codec<T>::schema()});
  };
  std::apply([&](const auto&... f) { (one(f), ...); }, fields);
  return docs;
}

/// `{name: value, …}` of the fields that differ from the defaults, in flow YAML.
template <class P, class... F>
std::string show_fields(const std::tuple<F...>& fields, const P& params) {
  std::string out;
  const P defaults{};
  const auto one = [&](const auto& f) {
    if (!f.required && params.*(f.member) == defaults.*(f.member)) return;
    using T = std::remove_cvref_t<decltype(params.*(f.member))>;
    out +=
        (out.empty() ? "" : ", ") + std::string{f.name} + ": " + Codec<T>::show(params.*(f.member));
  };
  std::apply([&](const auto&... f) { (one(f), ...); }, fields);
  return "{" + out + "}";
}

/// The JSON Schema of a block whose keys are just these.
std::string block_schema(const std::vector<FieldDoc>& docs);

/// A nested block: give the struct a `static constexpr auto fields()` that returns its tuple, and
/// it has a Codec.
template <class P>
concept Block = requires {
  P::fields();
};

template <Block P>
struct Codec<P> {
  static bool read(const Node& node, P& into, Decoding& decoding) {
    P value{};
    if (!decode_fields(P::fields(), node, value, decoding)) {
      if (node.kind == Node::Kind::map)
        refuse_unknown_keys(node, field_names(P::fields()), decoding);
      return false;
    }
    const auto before = decoding.complaints.all().size();
    refuse_unknown_keys(node, field_names(P::fields()), decoding);
    if (decoding.complaints.all().size() != before) return false;
    into = std::move(value);
    return true;
  }
  static std::string show(const P& value) { return show_fields(P::fields(), value); }
  static std::string schema() { return block_schema(document_fields(P::fields(), P{})); }
  static std::string type_name() { return "map"; }
};

}  // namespace tocsin
