#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "agent/config/document.hpp"
#include "agent/config/nested_fields.hpp"
#include "agent/config/settings.hpp"
#include "tests/unit/config/fake_types.hpp"

namespace tocsin::config {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// Secrets out of thin air: what a reference names, or a refusal for names that begin with "no".
class FakeSecrets : public SecretSource {
 public:
  explicit FakeSecrets(std::string salt = {}) : salt_{std::move(salt)} {}
  Result<Secret> from_file(const std::string& path) const override {
    return Secret{"hunter2" + path + salt_};
  }
  Result<Secret> from_env(const std::string& name) const override {
    return Secret{"hunter2" + name + salt_};
  }
  Result<Secret> from_credential(const std::string& name) const override {
    return Secret{"hunter2" + name + salt_};
  }
  std::string doubt_about_file(const std::string& path) const override {
    return path.ends_with("open") ? path + " is open" : std::string{};
  }

 private:
  std::string salt_;
};

Loaded load(const std::string& text, const SecretSource& secrets = FakeSecrets{}) {
  return load_text("/etc/tocsin/tocsin.yaml", text, fake_registry(), secrets);
}
Settings good(const std::string& text, const SecretSource& secrets = FakeSecrets{}) {
  auto loaded = load(text, secrets);
  EXPECT_TRUE(loaded.settings) << loaded.report;
  return loaded.settings ? std::move(*loaded.settings) : Settings{};
}
std::string check(const std::string& more) {
  return "checks:\n  - {name: a, type: fake, path: /, " + more + "}\n";
}

TEST(Load, FillsDefaults) {
  const auto settings = good("checks:\n  - {name: a, type: fake, path: /}\n");
  EXPECT_EQ(settings.environment, "production");
  EXPECT_EQ(settings.timezone, "UTC");
  EXPECT_EQ(settings.state_dir, "/var/lib/tocsin");
  EXPECT_EQ(settings.http.listen, "127.0.0.1:9911");
  EXPECT_FALSE(settings.slack);
  EXPECT_FALSE(settings.pagerduty);
  EXPECT_EQ(settings.incidents.remind_every, Duration{10min});
  ASSERT_EQ(settings.checks.size(), 1u);
  const auto& one = settings.checks[0];
  EXPECT_EQ(one.every, Duration{10s});
  EXPECT_EQ(one.timeout, Duration{5s});
  EXPECT_EQ(one.confirm_every, Duration{2s});
  EXPECT_EQ(one.topic, "a");
  EXPECT_EQ(one.component, "a");
  EXPECT_EQ(one.unknown, Unknown::alert);
  EXPECT_EQ(one.scope, Scope::host);
  EXPECT_NE(one.check, nullptr);
  EXPECT_EQ(one.place.line, 2);
}

TEST(Load, ReadsWhatIsWritten) {
  const auto settings = good(
      "environment: staging\n"
      "timezone: Europe/London\n"
      "defaults: {every: 30s, timeout: 20s}\n"
      "slack: {token: {file: slack.token}, invite: [\"@sre\"], api_url: "
      "\"http://127.0.0.1:8080/api/\"}\n"
      "pagerduty: {region: eu, services: {sre: {routing_key: {env: KEY}}}, page: sre}\n"
      "incidents: {escalation: [{after: 15m, page: sre}, {after: 30m, invite: [\"@cto\"]}, {after: "
      "1h}]}\n"
      "checks:\n"
      "  - name: a\n"
      "    type: fake\n"
      "    path: /\n"
      "    every: 2s\n"
      "    critical: [\"load1 > 4 for 5m\", \"used_ratio > 90%\"]\n"
      "    clear: load1 < 2 for 1m\n"
      "    labels: {team: web}\n"
      "    unknown: hold\n"
      "    scope: fleet\n"
      "    owner: {sre: \"@sre\"}\n"
      "    depends_on: [b]\n"
      "  - {name: b, type: open, critical: \"anything > 3\"}\n");
  EXPECT_EQ(settings.environment, "staging");
  EXPECT_EQ(settings.slack->token.reveal(), "hunter2/etc/tocsin/slack.token");
  EXPECT_EQ(settings.slack->api_url.port, 8080);
  EXPECT_EQ(settings.pagerduty->region, Region::eu);
  EXPECT_EQ(settings.pagerduty->services.at("sre").routing_key.reveal(), "hunter2KEY");
  ASSERT_EQ(settings.incidents.escalation.size(), 3u);
  const auto& a = settings.checks[0];
  EXPECT_EQ(a.timeout, Duration{1600ms}) << "an inherited timeout gives way to a short interval";
  EXPECT_EQ(a.confirm_every, Duration{2s});
  ASSERT_EQ(a.critical.size(), 2u);
  EXPECT_EQ(a.critical[1].all_of[0].threshold, 0.9);
  EXPECT_TRUE(a.warning.empty()) << "a check with rules of its own has no default rules";
  EXPECT_EQ(a.clear->text, "load1 < 2 for 1m");
  EXPECT_EQ(a.labels.at("team"), "web");
  EXPECT_EQ(a.unknown, Unknown::hold);
  EXPECT_EQ(a.owner.sre, "@sre");
  EXPECT_TRUE(settings.checks[1].critical[0].all_of[0].open_instance);
  EXPECT_EQ(settings.checks[1].every, Duration{30s});
  EXPECT_EQ(settings.warnings,
            std::vector<std::string>{"scope: fleet behaves as host until a hub is configured: a"});
}

TEST(Load, GivesDefaultRulesToChecksWithout) {
  const auto without = good("checks:\n  - {name: a, type: fake, path: /}\n").checks[0];
  ASSERT_EQ(without.critical.size(), 1u)
      << "a default rule on a sample this check does not yield is left out";
  EXPECT_EQ(without.critical[0].text, "load1 > 4 for 5m");
  EXPECT_EQ(without.warning[0].text, "used_ratio > 90%");
  const auto none = good(check("critical: []")).checks[0];
  EXPECT_TRUE(none.critical.empty());
  EXPECT_TRUE(none.warning.empty());
  const auto warned = good(check("warning: \"load1 > 2\"")).checks[0];
  ASSERT_EQ(warned.critical.size(), 1u) << "a warning that is added takes no page away";
  EXPECT_EQ(warned.critical[0].text, "load1 > 4 for 5m");
  ASSERT_EQ(warned.warning.size(), 1u);
  EXPECT_EQ(warned.warning[0].text, "load1 > 2");
}

TEST(Load, ResolvesPathsBesideTheFile) {
  EXPECT_EQ(good("state_dir: ../state\n").state_dir, "/etc/state");
  EXPECT_EQ(good("state_dir: /srv/tocsin\n").state_dir, "/srv/tocsin");
  EXPECT_EQ(good("http: {web_config: web.yaml}\n").http.web_config, "/etc/tocsin/web.yaml");
}

TEST(Load, WarnsOfWhatMayNotBeMeant) {
  EXPECT_EQ(good("environment: x\n").warnings,
            std::vector<std::string>{"there are no checks: nothing is watched"});
  EXPECT_EQ(good("slack: {token: {file: /open}}\n" + check("every: 5s")).warnings,
            std::vector<std::string>{"/open is open"});
  EXPECT_EQ(good("slack: {token: {file: /token}, app_token: {file: /token}}\n" + check("every: 5s"))
                .warnings,
            std::vector<std::string>{
                "slack.app_token is not used yet: messages in the channel have no buttons"});
}

TEST(Load, TakesPort0AndAByteOrderMark) {
  EXPECT_EQ(good("http: {listen: \"127.0.0.1:0\"}\n").http.listen, "127.0.0.1:0");
  EXPECT_EQ(good("\xEF\xBB\xBF"
                 "environment: staging\n")
                .environment,
            "staging");
}

TEST(Load, UnderstandsAnchorsAndMerges) {
  const auto settings = good(
      "checks:\n"
      "  - &first {name: a, type: fake, path: &p /srv, every: 5s}\n"
      "  - {<<: *first, name: b}\n"
      "  - {name: c, type: fake, path: *p, every: &e 7s, timeout: 1s}\n");
  EXPECT_EQ(settings.checks[1].every, Duration{5s});
  EXPECT_EQ(settings.checks[1].name, "b");
  EXPECT_EQ(settings.checks[2].every, Duration{7s});
}

TEST(Load, ReadsEscapesAndFoldedText) {
  const auto settings = good(
      "checks:\n  - name: a\n    type: fake\n    path: '/it''s'\n    component: \"a\\\"b\"\n"
      "    critical: >\n      load1 > 4\n      for 5m\n");
  EXPECT_EQ(settings.checks[0].component, "a\"b");
  EXPECT_EQ(settings.checks[0].critical[0].all_of.size(), 1u);
}

TEST(Fingerprint, ChangesWithWhatTheCheckDoes) {
  const auto of = [](const std::string& text, const SecretSource& secrets = FakeSecrets{}) {
    return good(text, secrets).checks[0].fingerprint;
  };
  const auto plain = of(check("every: 5s, timeout: 1s"));
  EXPECT_EQ(plain.size(), 64u);
  EXPECT_EQ(plain, of(check("timeout: 1s, every: 5s"))) << "the order of keys means nothing";
  EXPECT_EQ(plain, of("# A comment\nenvironment: x\n" + check("every: 5s, timeout: 1s")));
  EXPECT_NE(plain, of(check("every: 6s, timeout: 1s")));
  EXPECT_NE(of(check("count: 1")), of("defaults: {every: 20s}\n" + check("count: 1")))
      << "what is inherited counts";
  const auto secret = check("password: {env: X}");
  EXPECT_EQ(of(secret, FakeSecrets{"1"}), of(secret, FakeSecrets{"1"}));
  EXPECT_NE(of(secret, FakeSecrets{"1"}), of(secret, FakeSecrets{"2"}))
      << "a new secret behind the same reference";
}

TEST(Show, HidesSecretsAndReadsBack) {
  const auto settings = good(
      "slack: {token: {file: /t}}\n"
      "pagerduty: {services: {sre: {routing_key: {env: K}}, managers: {routing_key: {env: M}}}, "
      "page: sre}\n"
      "incidents: {owners: {sre: \"@sre\"}, escalation: [{after: 15m, page: managers}]}\n" +
      check("password: {env: X}, critical: \"load1 > 4\", pattern: \"a{2}: b\", labels: {zone: "
            "\"1\"}"));
  const auto shown = show(settings);
  EXPECT_EQ(shown.find("hunter2"), std::string::npos);
  EXPECT_NE(shown.find("token: <secret>"), std::string::npos) << shown;
  EXPECT_NE(shown.find("password: <secret>"), std::string::npos) << shown;
  EXPECT_NE(shown.find("critical: [load1 > 4]"), std::string::npos) << shown;
  EXPECT_NE(shown.find("  escalation: [{after: 15m, page: managers}]"), std::string::npos) << shown;
  // Give every secret a reference again: then the whole must load, and show the same.
  auto again = shown;
  for (auto at = again.find("<secret>"); at != std::string::npos; at = again.find("<secret>"))
    again.replace(at, 8, "{env: S}");
  EXPECT_EQ(show(good(again)), shown);
}

TEST(Schema, IsOneJsonObject) {
  const auto text = schema(fake_registry());
  EXPECT_EQ(text.substr(0, 13), R"({"$schema":"h)");
  EXPECT_NE(text.find(R"("const":"fake")"), std::string::npos);
  EXPECT_NE(text.find(R"("enum":["fake","open"])"), std::string::npos);
}

TEST(Documents, NameEveryKey) {
  const auto checks = document_checks(fake_registry());
  for (const auto& doc : common_check_fields())
    EXPECT_NE(checks.find("| `" + doc.name + "` |"), std::string::npos);
  EXPECT_NE(checks.find("## fake"), std::string::npos);
  EXPECT_NE(checks.find("| `used_ratio` | share (%) | mount |"), std::string::npos);
  const auto configuration = document_configuration();
  for (const auto* key :
       {"environment", "listen", "routing_key", "remind_every", "after", "checks"})
    EXPECT_NE(configuration.find("| `" + std::string{key} + "` |"), std::string::npos) << key;
}

struct Inner {
  std::string word{};
  std::vector<PagerDutyService> services{};
  static constexpr auto fields() {
    return std::tuple{required_field("word", &Inner::word, "A word."),
                      field("services", &Inner::services, "Some services.")};
  }
  friend bool operator==(const Inner&, const Inner&) = default;
};
struct Outer {
  std::map<std::string, Inner> blocks{};
  Duration plain{};
  static constexpr auto fields() {
    return std::tuple{field("blocks", &Outer::blocks, "Blocks."),
                      field("plain", &Outer::plain, "No block.")};
  }
};

TEST(NestedFields, AreFoundAtEveryDepth) {
  const auto docs = document_fields(Outer::fields(), Outer{});
  const auto nested = nested_fields(docs[0]);
  ASSERT_EQ(nested.size(), 3u);
  EXPECT_EQ(nested[0].name, "blocks.NAME.word");
  EXPECT_EQ(nested[0].type, "text");
  EXPECT_TRUE(nested[0].required);
  EXPECT_EQ(nested[0].help, "A word.");
  EXPECT_EQ(nested[1].type, "list of map");
  EXPECT_EQ(nested[2].name, "blocks.NAME.services[].routing_key");
  EXPECT_EQ(nested[2].type, "secret reference");
  EXPECT_TRUE(nested_fields(docs[1]).empty());
}

class SystemSecrets : public testing::Test {
 protected:
  SystemSecrets() {
    auto name = (fs::temp_directory_path() / "tocsin-secrets-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~SystemSecrets() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  std::string file(const std::string& name, const std::string& text, mode_t mode = 0600) {
    const auto path = folder_ / name;
    std::ofstream{path, std::ios::binary} << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
  fs::path folder_;
  std::unique_ptr<SecretSource> secrets_ = system_secrets();
};

TEST_F(SystemSecrets, ComeFromFiles) {
  EXPECT_EQ(secrets_->from_file(file("a", "s3cret\n"))->reveal(), "s3cret");
  EXPECT_EQ(secrets_->from_file(file("b", "s3cret\r\n"))->reveal(), "s3cret");
  EXPECT_EQ(secrets_->from_file(file("c", " two\n\n"))->reveal(), " two\n")
      << "one line end, no more";
  EXPECT_FALSE(secrets_->from_file(file("d", "")));
  EXPECT_FALSE(secrets_->from_file(file("e", "\n")));
  EXPECT_FALSE(secrets_->from_file(file("f", std::string("a\0b", 3))));
  EXPECT_FALSE(secrets_->from_file(file("g", std::string(70'000, 'x'))));
  EXPECT_FALSE(secrets_->from_file(folder_ / "missing"));
  EXPECT_FALSE(secrets_->from_file(folder_));
}

TEST_F(SystemSecrets, DoubtFilesThatAllCanRead) {
  EXPECT_EQ(secrets_->doubt_about_file(file("a", "x", 0600)), "");
  EXPECT_EQ(secrets_->doubt_about_file(file("b", "x", 0640)), "");
  EXPECT_NE(secrets_->doubt_about_file(file("c", "x", 0644)), "");
}

TEST_F(SystemSecrets, ComeFromTheEnvironment) {
  ::setenv("TOCSIN_TEST_SECRET", "s3cret", 1);
  EXPECT_EQ(secrets_->from_env("TOCSIN_TEST_SECRET")->reveal(), "s3cret");
  ::setenv("TOCSIN_TEST_SECRET", "", 1);
  EXPECT_FALSE(secrets_->from_env("TOCSIN_TEST_SECRET"));
  EXPECT_FALSE(secrets_->from_env("TOCSIN_TEST_NOT_SET"));
}

TEST_F(SystemSecrets, ComeFromSystemd) {
  ::unsetenv("CREDENTIALS_DIRECTORY");
  EXPECT_FALSE(secrets_->from_credential("a"));
  ::setenv("CREDENTIALS_DIRECTORY", folder_.c_str(), 1);
  file("a", "s3cret\n");
  EXPECT_EQ(secrets_->from_credential("a")->reveal(), "s3cret");
  EXPECT_FALSE(secrets_->from_credential("../a"));
  EXPECT_FALSE(secrets_->from_credential(".."));
  ::unsetenv("CREDENTIALS_DIRECTORY");
}

}  // namespace
}  // namespace tocsin::config
