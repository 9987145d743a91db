// The elasticsearch check, beside a real web server that answers as a cluster does: Debian has no
// Elasticsearch. What it says turns red, its master goes, and it is killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"
#include "tests/integration/nginx.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;

class Elasticsearch : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Nginx::installed()) GTEST_SKIP() << "nginx is not installed: apt-get install nginx";
    std::filesystem::create_directories(folder_ / "_cluster/allocation");
    tell("green", 0);
    folder_.write("no_master",
                  R"({"error":{"type":"master_not_discovered_exception","reason":null},)"
                  R"("status":503})");
    address_ = "127.0.0.1:" + std::to_string(free_port());
    std::string config = "daemon off;\nworker_processes 1;\npid " + (folder_ / "pid") +
                         ";\nevents {}\nhttp {\n  access_log off;\n";
    for (const auto* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
      config += std::string{"  "} + kind + "_temp_path " + (folder_ / kind) + ";\n";
    folder_.write("nginx.conf", config + "  server {\n    listen " + address_ + ";\n    root " +
                                    folder_.path() +
                                    ";\n    default_type application/json;\n"
                                    "    error_page 404 =503 /no_master;\n  }\n}\n");
    start();
    agent_.configure(
        "checks:\n  - {name: search, type: elasticsearch, every: 300ms, "
        "confirm_every: 100ms, url: \"http://" +
            address_ +
            "\", critical: [status >= 2 for 500ms, up < 1 for 2 of 3], "
            "clear: status < 2}\n",
        "  recover_hold: 1s\n");
    agent_.start();
    ASSERT_TRUE(eventually([&] { return sample("up") == 1; })) << agent_.get("/metrics").body;
  }
  void TearDown() override {
    if (server_) stop();
  }
  void start() {
    // As one process: what is killed takes nothing else along.
    server_ = std::make_unique<Program>(std::vector<std::string>{
        "/usr/sbin/nginx", "-p", folder_.path(), "-c", folder_ / "nginx.conf", "-e", "stderr", "-g",
        "master_process off;"});
    ASSERT_TRUE(eventually([&] { return ask_tcp(address_, {}, 2s).status != 0; }))
        << server_->text();
  }
  void stop() {
    server_->kill();
    server_.reset();
  }
  void tell(const std::string& status, int unassigned) const {
    // By renaming: the server never reads half of it.
    folder_.write("health", R"({"cluster_name":"shop","status":")" + status +
                                R"(","timed_out":false,"number_of_nodes":3,)"
                                R"("number_of_data_nodes":2,"unassigned_shards":)" +
                                std::to_string(unassigned) +
                                R"(,"active_shards_percent_as_number":90.0})");
    std::filesystem::rename(folder_ / "health", folder_ / "_cluster/health");
  }
  double sample(const std::string& name) const {
    return agent_.metric("tocsin_elasticsearch_" + name + "{check=\"search\"}");
  }

  Folder folder_;
  std::string address_;
  std::unique_ptr<Program> server_;
  Agent agent_;
};

TEST_F(Elasticsearch, AClusterThatTurnsRedPagesWithItsShardUntilItIsGreen) {
  EXPECT_EQ(sample("status"), 0);
  EXPECT_EQ(sample("active_shards_ratio"), 0.9);
  folder_.write("_cluster/allocation/explain",
                R"({"index":"orders","shard":0,"primary":true,"current_state":"unassigned",)"
                R"("unassigned_info":{"reason":"NODE_LEFT","at":"2026-11-23T01:00:00.000Z"}})");
  tell("red", 2);
  const auto open = agent_.wait_for_incident("search", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("CRITICAL: search on web-1: status 2 >= 2"));
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr("primary shard 0 of index orders is unassigned since "
                        "2026-11-23T01:00:00.000Z (NODE_LEFT)"));
  EXPECT_THAT(json::serialize(agent_.incident(text_at(open, "id"))),
              HasSubstr("cluster shop on " + address_ +
                        " is red: 3 nodes, 2 with data, 2 unassigned shards"));
  tell("green", 0);
  const auto over = agent_.wait_for_incident("search", "resolved");
  EXPECT_EQ(text_at(over, "summary", "recovery_estimate"), "recovered");
}

TEST_F(Elasticsearch, AClusterWithoutAMasterIsDownAndSaysSo) {
  std::filesystem::remove(folder_ / "_cluster/health");
  const auto open = agent_.wait_for_incident("search", "open");
  EXPECT_THAT(text_at(open, "title"), HasSubstr("up 0 < 1 for 2 of 3"));
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr("answered with status 503: master_not_discovered_exception"));
  tell("yellow", 1);
  agent_.wait_for_incident("search", "resolved");
  EXPECT_EQ(sample("status"), 1);
}

TEST_F(Elasticsearch, AServerThatIsKilledIsRefusedAndComesBack) {
  stop();
  const auto open = agent_.wait_for_incident("search", "open");
  EXPECT_EQ(text_at(open, "summary", "probable_cause"),
            "connect to " + address_ + " failed: Connection refused");
  start();
  agent_.wait_for_incident("search", "resolved");
}

}  // namespace
}  // namespace tocsin::integration
