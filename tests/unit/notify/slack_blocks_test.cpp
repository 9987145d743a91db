#include "agent/notify/slack_blocks.hpp"

#include <gmock/gmock.h>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "tests/unit/notify/stage.hpp"

namespace tocsin::notify {
namespace {

using namespace testing;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

TEST(Markup, EscapesWhatSlackWouldRead) {
  EXPECT_EQ(escape_markup("a < b & c > d <!channel>"), "a &lt; b &amp; c &gt; d &lt;!channel&gt;");
  EXPECT_EQ(escape_markup(std::string{"bell\x07\x1b[31m \xff"}), "bell[31m \xEF\xBF\xBD");
}

TEST(Markup, IsNeverCutInsideAnEntityOrACharacter) {
  EXPECT_EQ(fit_markup("short", 5), "short");
  EXPECT_EQ(fit_markup("a<<<", 13), "a&lt;&lt;&lt;");
  EXPECT_EQ(fit_markup("a<<<", 12), "a&lt;&lt;…");
  EXPECT_EQ(fit_markup("a<<<", 9), "a&lt;…");
  EXPECT_EQ(fit_markup("ééééé", 3), "éé…");
  EXPECT_EQ(fit_markup("<<", 1), "…");
  EXPECT_EQ(fit_markup("<<", 0), "");
  for (std::size_t most = 0; most < 60; ++most) {
    const auto fitted = fit_markup("x<é&日本>y<<<<&&&&日", most);
    EXPECT_LE(characters(fitted), most);
  }
}

TEST(Plain, KeepsComparisonsAndDefusesMentions) {
  EXPECT_EQ(fit_plain("up 0 < 1 and x <= 2 & y", 250), "up 0 < 1 and x <= 2 & y");
  EXPECT_EQ(fit_plain("<!channel> <@U1> <#C1>", 250), "‹!channel> ‹@U1> ‹#C1>");
  EXPECT_EQ(fit_plain("two\nlines", 250), "two lines");
  EXPECT_EQ(characters(fit_plain(std::string(400, 'x'), 250)), 250u);
}

TEST(Purpose, NeverLosesTheMarker) {
  EXPECT_EQ(fit_purpose("Channel. tocsin:01jd3k7m-x7q2p", "tocsin:"),
            "Channel. tocsin:01jd3k7m-x7q2p");
  const auto cut = fit_purpose(std::string(300, 'x') + " tocsin:01jd3k7m-x7q2p", "tocsin:");
  EXPECT_THAT(cut, StartsWith("tocsin:01jd3k7m-x7q2p "));
  EXPECT_LE(characters(cut), 250u);
  EXPECT_LE(characters(fit_purpose("tocsin:" + std::string(400, 'y'), "tocsin:")), 250u);
}

TEST(SummaryForms, ShowsHeadlineFieldsEvidenceAndFooter) {
  const auto forms = summary_forms(sample_summary());
  const auto blocks = boost::json::parse(forms.blocks).as_array();
  ASSERT_EQ(blocks.size(), 5u);
  EXPECT_EQ(blocks[0].at("text").at("text").as_string(), "CRITICAL · nginx on web-1");
  EXPECT_EQ(blocks[1].at("fields").as_array().size(), 2u);
  EXPECT_EQ(blocks[1].at("fields").at(0).at("text").as_string(), "*Environment*\nproduction");
  EXPECT_EQ(blocks[3].at("text").at("text").as_string(), "```exit status 137```");
  EXPECT_EQ(blocks[4].at("type").as_string(), "context");
  EXPECT_THAT(forms.plain, HasSubstr("Probable cause: UNKNOWN"));
}

TEST(SummaryForms, StaysWithinEveryLimitWhateverItIsGiven) {
  for (const std::size_t fields : {0u, 1u, 13u, 79u, 200u}) {
    for (const std::size_t length : {0u, 10u, 700u, 20'000u}) {
      SCOPED_TRACE(std::to_string(fields) + " fields of " + std::to_string(length));
      DraftPutSummary summary;
      summary.headline = std::string(length, '<');
      for (std::size_t i = 0; i < fields; ++i)
        summary.fields.emplace_back(std::string(length, '&'), std::string(length, '<'));
      summary.evidence = std::vector<std::string>(length / 10, "`````` é日\x01\xff <");
      summary.footer = std::string(length, '>');
      const auto forms = summary_forms(summary);
      const auto blocks = boost::json::parse(forms.blocks).as_array();
      EXPECT_LE(blocks.size(), limits::slack_message_blocks);
      std::size_t total = 0;
      auto count = [&total](const boost::json::value& text, std::size_t most) {
        const auto size = characters(text.at("text").as_string());
        EXPECT_GE(size, 1u);
        EXPECT_LE(size, most);
        total += size;
      };
      for (const auto& block : blocks) {
        const auto& object = block.as_object();
        const bool header = object.at("type").as_string() == "header";
        if (object.contains("text")) {
          count(object.at("text"),
                header ? limits::slack_header_characters : limits::slack_section_characters);
        }
        if (object.contains("fields")) {
          EXPECT_LE(object.at("fields").as_array().size(), 10u);
          for (const auto& field : object.at("fields").as_array()) count(field, 2000);
        }
        if (object.contains("elements")) {
          for (const auto& element : object.at("elements").as_array())
            count(element, limits::slack_section_characters);
        }
      }
      EXPECT_LE(total, limits::slack_blocks_characters);
      EXPECT_LE(characters(forms.plain), limits::slack_update_text_characters);
      EXPECT_LE(characters(forms.text), limits::slack_update_text_characters);
      EXPECT_FALSE(forms.text.empty());
    }
  }
}

TEST(SummaryForms, EvidenceCannotLeaveItsBlockOfCode) {
  auto summary = sample_summary();
  summary.evidence = {"```<!channel>```"};
  const auto forms = summary_forms(summary);
  EXPECT_THAT(forms.blocks, HasSubstr("```'''&lt;!channel&gt;'''```"));
}

TEST(Metadata, NamesEntryAndIncident) {
  const auto value =
      boost::json::parse(message_metadata(draft_of(DraftPost{"x"}, {}, {}, 42), "post"));
  EXPECT_EQ(value.at("event_type").as_string(), "tocsin");
  EXPECT_EQ(value.at("event_payload").at("entry").as_string(), "42");
  EXPECT_EQ(value.at("event_payload").at("incident").as_string(), "01jd3k7m-x7q2p");
}

}  // namespace
}  // namespace tocsin::notify
