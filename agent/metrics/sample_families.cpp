#include "agent/metrics/sample_families.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include "agent/metrics/metric_name.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin::metrics {

namespace {

/// One series: the line up to its number.
struct Line {
  std::string labels;
  double value;
};
struct Lines {
  const SampleSpec* spec;
  std::string_view type;
  std::vector<Line> lines{};
};

void append_label(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += "=\"";
  append_escaped(out, clean_utf8(value), true);
  out += '"';
}

std::string labels_of(const CheckView& check, const std::string& instance_label) {
  std::string text = "{";
  append_label(text, "check", check.name);
  std::set<std::string> used;
  for (const auto& [configured, value] : check.labels) {
    const auto name = label_name(configured, instance_label);
    if (!used.insert(name).second)
      continue;  // Two that differ only in what Prometheus cannot write.
    text += ',';
    append_label(text, name, value);
  }
  return text;
}

bool is_there(const std::vector<Line>& lines, std::size_t from, const std::string& labels) {
  for (std::size_t i = from; i < lines.size(); ++i) {
    if (lines[i].labels == labels) return true;
  }
  return false;
}

void append_family(std::string& out, const std::string& name, const Lines& family, Format format) {
  out.append("# HELP ").append(name).append(" ");
  if (family.spec->help.empty()) {
    out.append("Sample ")
        .append(family.spec->name)
        .append(" of ")
        .append(family.type)
        .append(" checks.");
  } else {
    append_escaped(out, clean_utf8(family.spec->help), format == Format::openmetrics);
  }
  out.append("\n# TYPE ").append(name).append(" gauge\n");
  for (const auto& line : family.lines) {
    out.append(name).append(line.labels);
    append_number(out, line.value);
    out += '\n';
  }
}

}  // namespace

const std::string& SampleFamilies::name_of(std::string_view type, const SampleSpec& spec) {
  std::string key{type};
  key.append("/").append(spec.name).append("/").append(std::to_string(static_cast<int>(spec.unit)));
  const auto found = names_.find(key);
  if (found != names_.end()) return found->second;
  return names_.emplace(std::move(key), metric_name(type, spec)).first->second;
}

void SampleFamilies::append(std::string& out, const std::vector<CheckView>& checks, Format format) {
  std::map<std::string_view, Lines> families;
  for (const auto& check : checks) {
    if (check.samples == nullptr) continue;
    // A check's labels are the same for each of its specs but for the instance's, so they are made
    // once for each spec.
    std::vector<std::string> labels(check.specs.size());
    std::vector<Lines*> places(check.specs.size(), nullptr);
    std::vector<std::size_t> first(check.specs.size(), 0);
    for (const auto& sample : *check.samples) {
      if (sample.spec >= check.specs.size()) continue;
      const auto& spec = check.specs[sample.spec];
      auto*& place = places[sample.spec];
      if (place == nullptr) {
        labels[sample.spec] = labels_of(check, spec.instance_label);
        place = &families.try_emplace(name_of(check.type, spec), Lines{&spec, check.type})
                     .first->second;
        first[sample.spec] = place->lines.size();
        // Two samples of one check may come to the same name: then their series must differ all the
        // same.
        for (std::size_t i = 0; i < places.size(); ++i) {
          if (places[i] == place) first[sample.spec] = std::min(first[sample.spec], first[i]);
        }
      }
      auto text = labels[sample.spec];
      if (!spec.instance_label.empty()) {
        text += ',';
        append_label(text, label_name(spec.instance_label, {}), sample.instance);
      }
      text += "} ";
      if (is_there(place->lines, first[sample.spec], text)) continue;
      place->lines.push_back({std::move(text), sample.value * metric_scale(spec.unit)});
    }
  }
  for (const auto& [name, family] : families) append_family(out, std::string{name}, family, format);
}

}  // namespace tocsin::metrics
