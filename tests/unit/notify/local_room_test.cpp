#include "agent/notify/local_room.hpp"

#include <gmock/gmock.h>

#include "tests/unit/notify/stage.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::notify {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const WallTime opened{std::chrono::seconds{1'700'000'000}};  // 14 Nov 2023, 22:13:20 UTC.

Incident sample_incident() {
  Incident incident;
  incident.id = IncidentId{"01jd3k7m-x7q2p"};
  incident.host = "web-1";
  incident.topic = "nginx";
  incident.state = IncidentState::open;
  incident.title = "CRITICAL: nginx on web-1: up 0 < 1";
  incident.channel.name = "issue-nginx-1411";
  incident.opened_at = opened;
  Member member;
  member.check = "nginx";
  member.why = "up 0 < 1";
  member.host = "web-1";
  member.evidence.lines = {"exit status 137"};
  incident.members = {member};
  incident.pages = {
      {"sre", "tocsin/production/web-1/nginx/01jd3k7m-x7q2p/g1", PageState::triggered}};
  incident.summary[SummaryField::environment].value = "production";
  incident.summary[SummaryField::working_on_it] = {"Jane", "jane"};
  return incident;
}

std::vector<TimelineLine> sample_timeline() {
  return {{{}, opened, TimelineKind::opened, "", "opened by nginx: up 0 < 1", 1},
          {{}, opened + 30s, TimelineKind::message, "jane", "looking at it\nrestarting", 2}};
}

RoomView view_of(const Incident& incident, const std::vector<TimelineLine>& timeline) {
  RoomView view{incident};
  view.timeline = timeline;
  view.topic = "nginx on web-1 | SRE @sre | developer @platform";
  view.now = opened + 125s;
  return view;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (const auto line : split(text, '\n')) lines.emplace_back(line);
  return lines;
}

TEST(LocalRoom, ShowsTheIssueChannel) {
  const auto incident = sample_incident();
  const auto timeline = sample_timeline();
  const auto text = render_room(view_of(incident, timeline));
  const auto lines = lines_of(text);
  EXPECT_THAT(lines[0], StartsWith("#issue-nginx-1411 "));
  EXPECT_THAT(lines[0], HasSubstr("open · critical · 2m 5s"));
  EXPECT_EQ(lines[1], "nginx on web-1 | SRE @sre | developer @platform");
  EXPECT_THAT(text, HasSubstr("  Environment                   production\n"));
  EXPECT_THAT(text, HasSubstr("Jane (jane)"));
  EXPECT_THAT(text, HasSubstr("\nContext\n"));
  EXPECT_THAT(text, HasSubstr("  nginx: up 0 < 1\n    exit status 137\n"));
  EXPECT_THAT(text, HasSubstr("sre: triggered"));
  EXPECT_THAT(text, HasSubstr("  14 Nov 22:13:50 UTC  jane\n    looking at it\n    restarting\n"));
  EXPECT_TRUE(text.ends_with('\n'));
}

TEST(LocalRoom, HasEveryFieldAndSaysUnknownWhereNothingIsKnown) {
  const auto incident = sample_incident();
  const auto text = render_room(view_of(incident, {}));
  std::size_t unknown = 0;
  for (auto at = text.find("UNKNOWN"); at != std::string::npos; at = text.find("UNKNOWN", at + 1))
    ++unknown;
  EXPECT_EQ(unknown, summary_fields - 2);
  for (const auto& name : summary_field_names())
    EXPECT_THAT(text, HasSubstr(std::string{name.title}));
}

TEST(LocalRoom, KeepsWithinItsColumns) {
  auto incident = sample_incident();
  incident.summary[SummaryField::probable_cause].value =
      std::string(500, 'x') + " ééééé " + std::string(300, 'y');
  const auto timeline = sample_timeline();
  for (const std::size_t columns : {0u, 30u, 40u, 64u, 80u, 200u}) {
    auto view = view_of(incident, timeline);
    view.columns = columns;
    for (const auto& line : lines_of(render_room(view))) {
      const auto most = std::max<std::size_t>(columns, RoomView::columns_least);
      EXPECT_EQ(cut_characters(line, most), line) << columns;
    }
  }
}

TEST(LocalRoom, ColoursOnlyWhenAskedAndLetsNoTextSteerTheTerminal) {
  auto incident = sample_incident();
  incident.members[0].why = "\x1b[2J\x07gone";
  auto timeline = sample_timeline();
  timeline[1].text = "\x1b]0;title\x07";
  timeline[1].by = "\x1b[31mjane";
  auto view = view_of(incident, timeline);
  EXPECT_THAT(render_room(view), Not(HasSubstr("\x1b")));
  view.color = true;
  const auto text = render_room(view);
  EXPECT_THAT(text, HasSubstr("\x1b[1m#issue-nginx-1411\x1b[0m"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b[2J")));
  EXPECT_THAT(text, Not(HasSubstr("\x1b]0")));
}

TEST(LocalRoom, WithoutPagerDutySaysSo) {
  auto incident = sample_incident();
  incident.pages.clear();
  incident.channel.name.clear();
  incident.drill = true;
  const auto text = render_room(view_of(incident, {}));
  EXPECT_THAT(text, HasSubstr("nobody is paged"));
  EXPECT_THAT(text, StartsWith("#01jd3k7m-x7q2p"));
  EXPECT_THAT(text, HasSubstr("DRILL"));
}

TEST(LocalRoom, TellsTimeInTheConfiguredZone) {
  const auto incident = sample_incident();
  const auto timeline = sample_timeline();
  auto view = view_of(incident, timeline);
  view.zone = "Asia/Kolkata";
  EXPECT_THAT(render_room(view), HasSubstr("15 Nov 03:43:20"));
}

}  // namespace
}  // namespace tocsin::notify
