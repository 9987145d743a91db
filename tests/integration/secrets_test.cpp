// After all that an agent does, its secrets are nowhere but in the files that they came from.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/integration/agent.hpp"
#include "tests/integration/target.hpp"

namespace tocsin::integration {
namespace {

TEST(Secrets, AreInNoLogAnswerMetricOrFile) {
  FakeReceivers receivers;
  Target target{"shop"};
  Agent agent{&receivers};
  agent.configure("checks:\n" + target.check(), "  recover_hold: 1s\n");
  agent.start();
  // Faults of each kind, so that errors are written about.
  for (const auto* kind : {"status", "cut_after", "not_json"})
    receivers.control("fault", json::object{{"kind", kind}});
  target.breach();
  const auto id = text_at(agent.wait_for_incident("shop", "open"), "id");
  std::string said;
  const auto collect = [&] {
    for (const auto* path : {"/", "/metrics", "/api/v1/status", "/api/v1/checks",
                             "/api/v1/incidents?all=true", "/api/v1/outbox"})
      said += agent.get(path).body;
    said += agent.get("/api/v1/incidents/" + id).body +
            agent.get("/api/v1/incidents/" + id + "/room").body;
  };
  ASSERT_TRUE(eventually([&] {
    return agent.get("/api/v1/outbox").body.find("last_error\":\"") != std::string::npos;
  }));
  collect();
  ASSERT_TRUE(eventually([&] { return agent.get("/api/v1/outbox").json() == json::array{}; }, 60s));
  for (const auto& words : std::vector<std::vector<std::string>>{{"notify", "test"},
                                                                 {"status"},
                                                                 {"config", "show"},
                                                                 {"incident", "show", id},
                                                                 {"incident", "list"},
                                                                 {"queue", "list"}}) {
    const auto answer = agent.command(words);
    said += answer.output + answer.errors;
  }
  // A token that is refused, and what is said about that.
  const std::string wrong{"xoxb-once-more-with-feeling"};
  agent.folder().write("slack.token", wrong + "\n");
  agent.post("/-/reload");
  target.mend();
  agent.wait_for_incident("shop", "resolved");
  ASSERT_TRUE(eventually([&] {
    return agent.get("/api/v1/status").body.find("\"halted\":{\"slack\"") != std::string::npos;
  })) << agent.get("/api/v1/status").body;
  said += agent.command({"notify", "test"}).output;
  collect();
  agent.stop();
  said += agent.program().text();
  for (const auto& file : std::filesystem::recursive_directory_iterator{agent.state_dir()}) {
    if (!file.is_regular_file()) continue;
    said += file.path().string() + read_file(file.path());
  }
  EXPECT_GT(said.size(), 10'000u);
  for (const auto& secret : {receivers.slack_token(), std::string{Agent::routing_key}, wrong})
    EXPECT_EQ(said.find(secret), std::string::npos) << secret << " was said";
}

}  // namespace
}  // namespace tocsin::integration
