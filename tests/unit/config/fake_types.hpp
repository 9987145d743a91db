#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tocsin/check/registry.hpp"

namespace tocsin::config {

/// Parameters that have one of everything.
struct FakeParams {
  std::string path{};
  std::int64_t count{1};
  bool flag{false};
  double factor{1};
  ByteCount most{1'024};
  Ratio share{0.5};
  Pattern pattern{};
  std::optional<Secret> password{};
  Duration wait{std::chrono::seconds{1}};
  static constexpr auto fields() {
    return std::tuple{required_field("path", &FakeParams::path, "Where to look."),
                      field("count", &FakeParams::count, "How many."),
                      field("flag", &FakeParams::flag, "Whether."),
                      field("factor", &FakeParams::factor, "How much."),
                      field("most", &FakeParams::most, "At most."),
                      field("share", &FakeParams::share, "Which part."),
                      field("pattern", &FakeParams::pattern, "What to match."),
                      field("password", &FakeParams::password, "How to get in."),
                      field("wait", &FakeParams::wait, "How long.")};
  }
};
struct NoParams {
  static constexpr auto fields() { return std::tuple{}; }
};

inline std::vector<SampleSpec> fake_samples() {
  return {{"up", Unit::none, "1 when there.", {}, false},
          {"load1", Unit::none, "Load.", {}, false},
          {"used_ratio", Unit::ratio, "Used.", "mount", false},
          {"free_bytes", Unit::bytes, "Free.", "mount", false},
          {"wait_seconds", Unit::seconds, "Waited.", {}, false}};
}
inline std::vector<SampleSpec> open_samples() {
  return {{"state", Unit::none, "State.", {}, false},
          {"value", Unit::none, "A value.", "label", true}};
}

/// A check that is configured and never run.
template <class P>
class FakeCheck : public Check {
 public:
  FakeCheck(std::string, P given) : params{std::move(given)} {}
  std::span<const SampleSpec> specs() const override { return specs_; }
  Task<Samples> run(CheckContext&) override { co_return Samples{}; }
  P params;

 private:
  std::vector<SampleSpec> specs_{std::is_same_v<P, FakeParams> ? fake_samples() : open_samples()};
};

/// Two types: "fake" with parameters of every kind, "open" whose samples are known at run time
/// only.
inline const CheckRegistry& fake_registry() {
  static const CheckRegistry registry = [] {
    CheckRegistry out;
    CheckType fake;
    fake.name = "fake";
    fake.summary = "Measures nothing.";
    fake.samples = fake_samples();
    fake.default_critical = {"load1 > 4 for 5m", "not_here > 1"};
    fake.default_warning = {"used_ratio > 90%"};
    fake.example = "name: example\ntype: fake\npath: /\n";
    out.add(check_type<FakeParams, FakeCheck<FakeParams>>(std::move(fake)));
    CheckType open;
    open.name = "open";
    open.summary = "Measures what it is told.";
    open.samples = open_samples();
    out.add(check_type<NoParams, FakeCheck<NoParams>>(std::move(open)));
    return out;
  }();
  return registry;
}

}  // namespace tocsin::config
