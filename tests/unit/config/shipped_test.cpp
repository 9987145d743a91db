// What is shipped must load: the configurations, every type's example, and the pages made from the
// code.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "agent/config/document.hpp"
#include "agent/config/settings.hpp"

namespace tocsin::config {
namespace {

namespace fs = std::filesystem;

/// The real check types.
const CheckRegistry& real_registry() {
  static const CheckRegistry registry = [] {
    CheckRegistry out;
    register_checks(out);
    return out;
  }();
  return registry;
}

/// Where a secret has a form, that of the examples has it.
class AnySecret : public SecretSource {
 public:
  Result<Secret> from_file(const std::string& path) const override {
    if (path.ends_with("/app-db.dsn")) return Secret{"postgresql://tocsin:x@db-1/shop"};
    if (path.ends_with("/orders-db.dsn")) return Secret{"mysql://tocsin:x@db-2/orders"};
    return Secret{"x"};
  }
  Result<Secret> from_env(const std::string&) const override { return Secret{"x"}; }
  Result<Secret> from_credential(const std::string&) const override { return Secret{"x"}; }
};

std::string contents(const fs::path& path) {
  const std::ifstream file{path, std::ios::binary};
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

Loaded load_shipped(const std::string& name) {
  return load_file(fs::path{TOCSIN_SOURCE_DIR} / "config" / name, real_registry(), AnySecret{});
}

TEST(Shipped, TheCompleteConfigurationLoads) {
  const auto loaded = load_shipped("tocsin.yaml");
  ASSERT_TRUE(loaded.settings) << loaded.report;
  EXPECT_EQ(loaded.settings->warnings, std::vector<std::string>{});
  EXPECT_TRUE(loaded.settings->slack);
  EXPECT_TRUE(loaded.settings->pagerduty);
}

TEST(Shipped, TheCompleteConfigurationShowsEveryType) {
  const auto loaded = load_shipped("tocsin.yaml");
  ASSERT_TRUE(loaded.settings) << loaded.report;
  for (const auto& type : real_registry().types()) {
    const auto& checks = loaded.settings->checks;
    EXPECT_TRUE(std::any_of(checks.begin(), checks.end(), [&](const auto& check) {
      return check.type == type.name;
    })) << type.name;
  }
}

TEST(Shipped, TheCompleteConfigurationNamesEveryKey) {
  const auto text = contents(fs::path{TOCSIN_SOURCE_DIR} / "config/tocsin.yaml");
  std::vector<std::string_view> names;
  const auto more = [&](auto fields) {
    for (const auto name : field_names(fields)) names.push_back(name);
  };
  more(Settings::fields());
  more(HttpSetting::fields());
  more(DefaultsSetting::fields());
  more(SlackSetting::fields());
  more(PagerDutySetting::fields());
  more(IncidentsSetting::fields());
  more(EscalationSetting::fields());
  const auto common = common_check_fields();
  for (const auto& doc : common) names.push_back(doc.name);
  for (const auto name : names) {
    if (name == "api_url") continue;  // For tests, and for nobody else.
    EXPECT_NE(text.find(std::string{name} + ":"), std::string::npos) << name;
  }
}

TEST(Shipped, EveryExampleLoadsAndSaysWhatItCatchesAndWhatThePageSays) {
  std::size_t examples = 0;
  for (const auto& entry :
       fs::directory_iterator{fs::path{TOCSIN_SOURCE_DIR} / "config/examples"}) {
    const auto name = entry.path().filename().string();
    SCOPED_TRACE(name);
    const auto loaded = load_shipped("examples/" + name);
    ASSERT_TRUE(loaded.settings) << loaded.report;
    EXPECT_EQ(loaded.settings->warnings, std::vector<std::string>{});
    EXPECT_FALSE(loaded.settings->checks.empty());
    if (name == "team.yaml") continue;
    ++examples;
    const auto text = contents(entry.path());
    EXPECT_EQ(text.rfind("# Catches: ", 0), 0u);
    EXPECT_NE(text.find("\n# The page says: CRITICAL: "), std::string::npos);
  }
  EXPECT_EQ(examples, 11u) << "one for each of what a team watches";
}

/// "iowait_ratio 62% > 40% for 2m" without what was found: the rule that it speaks of. Each value
/// must be one of that sample's, written as the agent writes it.
std::string rule_told_by(const std::string& why, std::span<const SampleSpec> specs) {
  std::istringstream words{why};
  std::string rule, word;
  bool is_sample = true;
  while (words >> word) {
    rule += (rule.empty() ? "" : " ") + word;
    if (is_sample) {
      const auto spec = std::find_if(specs.begin(), specs.end(),
                                     [&](const SampleSpec& each) { return each.name == word; });
      std::string value;
      words >> value;
      if (spec == specs.end()) return "no sample " + word;
      const auto read = parse_quantity(value, spec->unit);
      EXPECT_TRUE(read && describe_quantity(*read, spec->unit) == value) << word << " " << value;
    }
    is_sample = word == "and";
  }
  return rule;
}

TEST(Shipped, WhatTheExamplesSayOfThePageIsWhatTheAgentWouldSay) {
  for (const auto& entry :
       fs::directory_iterator{fs::path{TOCSIN_SOURCE_DIR} / "config/examples"}) {
    const auto name = entry.path().filename().string();
    if (name == "team.yaml") continue;
    SCOPED_TRACE(name);
    const auto loaded = load_shipped("examples/" + name);
    ASSERT_TRUE(loaded.settings) << loaded.report;
    const auto text = contents(entry.path());
    static const std::regex page{
        "\n# The page says: CRITICAL: (\\S+) on \\S+-\\d: (.*) #issue-(\\S+)-2311\n"};
    std::smatch said;
    ASSERT_TRUE(std::regex_search(text, said, page)) << "topic, host, rule and channel";
    EXPECT_EQ(said[1], said[3]) << "the channel is named after the topic";
    bool is_rule = false;
    for (const auto& check : loaded.settings->checks) {
      if (check.topic != said[1] || is_rule) continue;
      for (const auto& rule : check.critical)
        if (rule_told_by(said[2], check.check->specs()) == rule.text) is_rule = true;
    }
    EXPECT_TRUE(is_rule) << said[2] << " is no critical rule of " << said[1];
  }
}

TEST(Shipped, TheTeamsConfigurationHasAllOfIt) {
  const auto loaded = load_shipped("examples/team.yaml");
  ASSERT_TRUE(loaded.settings) << loaded.report;
  EXPECT_TRUE(loaded.settings->slack && loaded.settings->pagerduty);
  EXPECT_GT(loaded.settings->checks.size(), 25u);
}

TEST(Shipped, TheQuickstartNeedsNoAccount) {
  const auto loaded = load_shipped("quickstart.yaml");
  ASSERT_TRUE(loaded.settings) << loaded.report;
  EXPECT_FALSE(loaded.settings->slack);
  EXPECT_FALSE(loaded.settings->pagerduty);
  EXPECT_EQ(loaded.settings->warnings, std::vector<std::string>{});
  EXPECT_EQ(fs::path{loaded.settings->state_dir}, fs::path{TOCSIN_SOURCE_DIR} / ".tocsin");
}

TEST(Shipped, EveryTypesExampleLoadsAndItsDefaultRulesBind) {
  for (const auto& type : real_registry().types()) {
    SCOPED_TRACE(type.name);
    std::string text = "checks:\n";
    std::istringstream lines{type.example};
    for (std::string line; std::getline(lines, line);)
      text += (text.ends_with("checks:\n") ? "  - " : "    ") + line + "\n";
    const auto loaded = load_text("example.yaml", text, real_registry(), AnySecret{});
    ASSERT_TRUE(loaded.settings) << text << loaded.report;
    ASSERT_EQ(loaded.settings->checks.size(), 1u);
    EXPECT_EQ(loaded.settings->checks[0].type, type.name);
    for (const auto& rules : {type.default_critical, type.default_warning}) {
      for (const auto& rule : rules) {
        auto parsed = parse_rule(rule);
        ASSERT_TRUE(std::holds_alternative<Rule>(parsed)) << rule;
        EXPECT_TRUE(tocsin::bind(std::get<Rule>(parsed), type.samples).empty()) << rule;
      }
    }
  }
}

void expect_current(const std::string& page, const std::string& text) {
  const auto path = fs::path{TOCSIN_SOURCE_DIR} / "docs" / page;
  if (std::getenv("TOCSIN_UPDATE_GOLDEN") != nullptr) std::ofstream{path, std::ios::binary} << text;
  EXPECT_EQ(contents(path), text)
      << page << " is not what the code says: TOCSIN_UPDATE_GOLDEN=1 writes it anew";
}

TEST(Shipped, ThePagesAreWhatTheCodeSays) {
  expect_current("checks.md", document_checks(real_registry()));
  expect_current("configuration.md", document_configuration());
}

}  // namespace
}  // namespace tocsin::config
