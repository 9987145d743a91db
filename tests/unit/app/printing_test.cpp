#include "agent/app/printing.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace tocsin::app {
namespace {

namespace json = boost::json;

json::value incident() {
  return json::parse(R"({"id": "01jd3k7m-x7q2p", "state": "open", "severity": "critical",
    "topic": "nginx", "title": "nginx on web-1: up 0 < 1", "host": "web-1",
    "opened_at": "2026-11-22T21:37:05Z", "channel": {"name": "issue-nginx-2211", "id": "C1"},
    "page": {"key": "k", "state": "triggered"}})");
}

TEST(Printing, IncidentIsOneLine) {
  EXPECT_EQ(incident_line(incident()),
            "01jd3k7m-x7q2p open critical #issue-nginx-2211: nginx on web-1: up 0 < 1");
}

TEST(Printing, IncidentsAreATable) {
  const auto text = incident_table(json::array{incident()}, 200, false);
  EXPECT_NE(text.find("#issue-nginx-2211"), std::string::npos) << text;
  EXPECT_NE(text.find("triggered"), std::string::npos) << text;
  EXPECT_NE(text.find("11-22 21:37"), std::string::npos) << text;
  EXPECT_EQ(incident_table(json::array{}, 200, false), "");
  EXPECT_EQ(incident_table(json::object{}, 200, false), "") << "not what was asked for";
}

TEST(Printing, WhatIsAbsentIsEmptyAndNumbersAreTexts) {
  const auto value = json::parse(R"({"n": 3, "none": null, "t": "x"})");
  EXPECT_EQ(text_of(value, "n"), "3");
  EXPECT_EQ(text_of(value, "none"), "");
  EXPECT_EQ(text_of(value, "absent"), "");
  EXPECT_EQ(text_of(value, "t"), "x");
  EXPECT_EQ(text_of(json::value{7}, "t"), "");
}

TEST(Printing, PartsOfAUrlAreEncoded) {
  EXPECT_EQ(url_component("#issue/ä?"), "%23issue%2F%C3%A4%3F");
  EXPECT_EQ(url_component("01jd-x_7.~"), "01jd-x_7.~");
}

TEST(Printing, StatusSaysWhatIsWrong) {
  const auto status = json::parse(R"({"version": "tocsin 0.1", "host": "web-1",
    "environment": "test", "uptime": "2m", "checks": 3, "checks_in_breach": 1,
    "incidents_live": 1, "outbox": 2, "outbox_dead": 1, "durable": false,
    "store_error": "the disk is full", "config": "/etc/tocsin/tocsin.yaml",
    "last_reload_ok": false, "last_reload_error": "line 3", "halted": {"slack": "invalid_auth"}})");
  const auto text = status_text(status, false);
  for (const auto* words : {"no: the disk is full", "refused: line 3", "slack: invalid_auth",
                            "2 entries, 1 refused", "3, 1 in breach"})
    EXPECT_NE(text.find(words), std::string::npos) << words << "\n" << text;
}

}  // namespace
}  // namespace tocsin::app
