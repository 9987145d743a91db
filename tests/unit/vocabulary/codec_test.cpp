#include <gtest/gtest.h>

#include "tocsin/config/fields.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

class NoSecrets : public SecretSource {
 public:
  Result<Secret> from_file(const std::string& path) const override {
    return Secret{"file:" + path};
  }
  Result<Secret> from_env(const std::string& name) const override { return Secret{"env:" + name}; }
  Result<Secret> from_credential(const std::string&) const override {
    return Error{Errc::missing, "no such credential"};
  }
};

Node scalar(std::string text, bool quoted = false) {
  return {Node::Kind::scalar, Place{nullptr, 3, 7}, std::move(text), quoted, {}, {}};
}
Node map(std::vector<Node::Entry> entries) {
  return {Node::Kind::map,
          Place{std::make_shared<const std::string>("/etc/tocsin/tocsin.yaml"), 3, 7},
          {},
          false,
          {},
          std::move(entries)};
}
Node list(std::vector<Node> items) {
  return {Node::Kind::list, Place{nullptr, 3, 7}, {}, false, std::move(items), {}};
}

/// Reads one value; `faults` holds the messages if it was refused.
template <class T>
struct Reading {
  explicit Reading(const Node& node) {
    Complaints complaints;
    const NoSecrets secrets;
    Decoding decoding{complaints, secrets, "key"};
    good = Codec<T>::read(node, value, decoding);
    for (const auto& complaint : complaints.all())
      faults.push_back(complaint.path + ": " + complaint.message);
  }
  T value{};
  bool good{false};
  std::vector<std::string> faults;
};
using Faults = std::vector<std::string>;

TEST(Codec, ReadsScalars) {
  EXPECT_EQ(Reading<std::string>(scalar("5")).value, "5");
  EXPECT_TRUE(Reading<bool>(scalar("true")).value);
  EXPECT_EQ(Reading<std::int64_t>(scalar("-12")).value, -12);
  EXPECT_EQ(Reading<double>(scalar("2.5")).value, 2.5);
  EXPECT_EQ(Reading<Duration>(scalar("1m30s", true)).value, Duration{90s});
  EXPECT_EQ(Reading<ByteCount>(scalar("64KiB")).value.value, 65'536u);
  EXPECT_EQ(Reading<Ratio>(scalar("40%")).value.value, 0.4);
  EXPECT_EQ(Reading<std::optional<double>>(scalar("1")).value, 1.0);
}

TEST(Codec, RefusesWhatIsNotMeant) {
  EXPECT_EQ(Reading<std::string>(list({})).faults, Faults{"key: expected text, found a list"});
  EXPECT_EQ(Reading<bool>(scalar("yes")).faults,
            Faults{"key: expected true or false, found \"yes\""});
  EXPECT_EQ(Reading<bool>(scalar("true", true)).faults,
            Faults{"key: expected true or false, found text: \"true\" (without quotes)"});
  EXPECT_FALSE(Reading<std::int64_t>(scalar("1.5")).good);
  EXPECT_FALSE(Reading<std::int64_t>(scalar("99999999999999999999")).good);
  EXPECT_FALSE(Reading<double>(scalar("nan")).good);
  EXPECT_FALSE(Reading<double>(scalar("1x")).good);
  EXPECT_FALSE(Reading<Duration>(scalar("5")).good);
  EXPECT_FALSE(Reading<ByteCount>(scalar("0")).good);
  EXPECT_FALSE(Reading<ByteCount>(scalar("-5kB")).good);
  EXPECT_FALSE(Reading<Ratio>(scalar("140%")).good);
  EXPECT_FALSE(Reading<Ratio>(scalar("40")).good);
  EXPECT_FALSE(Reading<std::string>(scalar(std::string("a\0b", 3))).good);
}

TEST(Codec, ReadsEveryItemBeforeGivingUp) {
  const auto reading =
      Reading<std::vector<Duration>>(list({scalar("1s"), scalar("2"), scalar("x")}));
  EXPECT_EQ(reading.faults.size(), 2u);
  EXPECT_EQ(reading.faults[0].substr(0, 7), "key[1]:");
  EXPECT_TRUE(reading.value.empty());
}

TEST(Codec, JudgesPatterns) {
  set_pattern_judge([](std::string_view pattern) {
    return pattern == "(" ? std::string{"missing )"} : std::string{};
  });
  EXPECT_EQ(Reading<Pattern>(scalar("(")).faults,
            Faults{"key: malformed regular expression: missing )"});
  EXPECT_EQ(Reading<Pattern>(scalar("a+")).value.text, "a+");
  set_pattern_judge(nullptr);
}

TEST(Codec, SecretsAreReferences) {
  EXPECT_EQ(Reading<Secret>(map({{"file", {}, scalar("/run/token")}})).value.reveal(),
            "file:/run/token");
  auto beside = map({{"file", {}, scalar("slack.token")}});
  beside.entries[0].value.place.file =
      std::make_shared<const std::string>("/etc/tocsin/tocsin.yaml");
  EXPECT_EQ(Reading<Secret>(beside).value.reveal(), "file:/etc/tocsin/slack.token");
  EXPECT_EQ(Reading<Secret>(map({{"env", {}, scalar("TOKEN")}})).value.reveal(), "env:TOKEN");
  EXPECT_EQ(Reading<Secret>(map({{"credential", {}, scalar("x")}})).faults,
            Faults{"key.credential: no such credential"});
  const auto plain = Reading<Secret>(scalar("xoxb-hunter2"));
  ASSERT_EQ(plain.faults.size(), 1u);
  EXPECT_EQ(plain.faults[0].find("hunter2"), std::string::npos);
  EXPECT_FALSE(Reading<Secret>(map({})).good);
  EXPECT_EQ(Reading<Secret>(map({{"fiel", {}, scalar("x")}})).faults[0].substr(0, 58),
            "key.fiel: unknown key \"fiel\": did you mean \"file\"?; a secr");
}

TEST(Codec, ShowsWhatItReads) {
  EXPECT_EQ(Codec<std::string>::show("plain words"), "plain words");
  for (const auto* text : {"", "true", "5", "1e3", "~", "a: b", "- x", " padded", "#no", "0x1F",
                           "12:30", "*", "a\nb"}) {
    EXPECT_EQ(Codec<std::string>::show(text).front(), '"') << text;
  }
  EXPECT_EQ(Codec<ByteCount>::show({65'536}), "64KiB");
  EXPECT_EQ(Codec<ByteCount>::show({5'000'000'000}), "5GB");
  EXPECT_EQ(Codec<ByteCount>::show({0}), "0B");
  EXPECT_EQ(Codec<Ratio>::show({0.4}), "40%");
  EXPECT_EQ(Codec<Secret>::show(Secret{"hunter2"}), "<secret>");
  EXPECT_EQ(Codec<Secret>::show(Secret{}), "");
  EXPECT_EQ((Codec<std::map<std::string, std::vector<Duration>>>::show({{"a", {90s}}})),
            "{a: [1m30s]}");
}

TEST(QuoteJson, EscapesWhatItMust) {
  EXPECT_EQ(quote_json("a\"\\\n\x01ü"), "\"a\\\"\\\\\\n\\u0001ü\"");
}

struct Inner {
  std::string word{"x"};
  static constexpr auto fields() {
    return std::tuple{required_field("word", &Inner::word, "A word.")};
  }
  friend bool operator==(const Inner&, const Inner&) = default;
};
struct Outer {
  Duration wait{5s};
  Inner inner{};
  std::vector<std::string> names{};
  static constexpr auto fields() {
    return std::tuple{field("wait", &Outer::wait, "How long."),
                      field("inner", &Outer::inner, "A block."),
                      field("names", &Outer::names, "Names.")};
  }
  friend bool operator==(const Outer&, const Outer&) = default;
};

TEST(Fields, DecodeABlock) {
  const auto good = Reading<Outer>(map({{"inner", {}, map({{"word", {}, scalar("hi")}})}}));
  EXPECT_TRUE(good.good);
  EXPECT_EQ(good.value.inner.word, "hi");
  EXPECT_EQ(good.value.wait, Duration{5s});
}

TEST(Fields, ReportEveryFaultOfABlock) {
  const auto bad = Reading<Outer>(
      map({{"wiat", {}, scalar("1s")}, {"zzz", {}, scalar("1")}, {"inner", {}, map({})}}));
  EXPECT_EQ(bad.faults, (Faults{"key.inner: key \"word\" is missing (text)",
                                "key.wiat: unknown key: did you mean \"wait\"?",
                                "key.zzz: unknown key; known here: wait, inner, names"}));
}

TEST(Fields, ShowAndDescribeThemselves) {
  EXPECT_EQ(show_fields(Outer::fields(), Outer{.wait = 1s, .inner = {"a"}, .names = {"b", "c"}}),
            "{wait: 1s, inner: {word: a}, names: [b, c]}");
  const auto docs = document_fields(Inner::fields(), Inner{});
  ASSERT_EQ(docs.size(), 1u);
  EXPECT_TRUE(docs[0].required);
  EXPECT_EQ(
      block_schema(docs),
      R"({"type":"object","additionalProperties":false,"properties":{"word":{"description":"A word.",)"
      R"("type":["string","number","boolean"]}},"required":["word"]})");
}

TEST(Masking, HidesWhatLooksLikeASecretAndNothingElse) {
  const std::pair<const char*, const char*> table[] = {
      {"http://u:hunter2@mq:15672/x", "http://*********@mq:15672/x"},
      {"http://u:hunt/er2@mq", "http://**********@mq"},
      {"'http://u:hunt?er2@mq', x@y", "'http://**********@mq', x@y"},
      {"http://mq:15672/a@b", "http://mq:15672/a@b"},
      {"http://[::1]:80/a@b", "http://[::1]:80/a@b"},
      {"http://mq/a@b and http://", "http://mq/a@b and http://"},
      {"{Authorization: \"Bearer hunter2\"}", "{Authorization: \"Bearer *******\"}"},
      {"Basic dTpw, then basic authentication", "Basic ****, then basic authentication"},
  };
  for (const auto& [text, masked] : table) EXPECT_EQ(mask_credentials(text), masked);
}

}  // namespace
}  // namespace tocsin
