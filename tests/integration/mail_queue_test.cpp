// A real Postfix that cannot pass its mail on, and then can.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>

#include "tests/integration/agent.hpp"

namespace tocsin::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* master_program = "/usr/lib/postfix/sbin/master";
constexpr const char* sink_program = "/usr/sbin/smtp-sink";

/// A Postfix with queue, configuration and data in a folder of its own, that hands everything to a
/// relay on loopback. It listens nowhere.
class Postfix {
 public:
  Postfix() : relay_port_{free_port()} {
    // Its daemons give up root, and must still reach their queue.
    ::chmod(folder_.path().c_str(), 0755);
    std::filesystem::create_directories(folder_ / "etc");
    std::filesystem::create_directories(folder_ / "spool");
    std::filesystem::create_directories(folder_ / "data");
    folder_.write("etc/main.cf",
                  "compatibility_level = 3.6\nqueue_directory = " + (folder_ / "spool") +
                      "\ndata_directory = " + (folder_ / "data") +
                      "\nmail_owner = postfix\nsetgid_group = postdrop\n"
                      "myhostname = mx.tocsin.test\nmydestination =\nalias_maps =\n"
                      "inet_interfaces = loopback-only\ninet_protocols = ipv4\n"
                      "smtp_host_lookup = native\nrelayhost = [127.0.0.1]:" +
                      std::to_string(relay_port_) + "\nmaillog_file = " + (folder_ / "data/log") +
                      "\nmaillog_file_prefixes = /\n");
    std::string services;
    for (const auto* line :
         {"pickup unix n - n 60 1 pickup", "cleanup unix n - n - 0 cleanup",
          "qmgr unix n - n 300 1 qmgr", "rewrite unix - - n - - trivial-rewrite",
          "bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce",
          "trace unix - - n - 0 bounce", "smtp unix - - n - - smtp", "error unix - - n - - error",
          "retry unix - - n - - error", "showq unix n - n - - showq",
          "flush unix n - n 1000? 0 flush", "postlog unix-dgram n - n - 1 postlogd"})
      services += std::string{line} + "\n";
    folder_.write("etc/master.cf", services);
    run({"/bin/chown", "postfix", folder_ / "data"});
    const auto checked = run({"/usr/sbin/postfix", "-c", folder_ / "etc", "check"});
    if (checked.code != 0) throw std::runtime_error{"postfix check: " + checked.errors};
  }
  ~Postfix() { stop(); }

  void start() {
    master_ = std::make_unique<Program>(
        std::vector<std::string>{master_program, "-c", folder_ / "etc", "-d"});
    if (!eventually([&] { return run(list_command()).errors.empty(); }))
      throw std::runtime_error{"Postfix did not start: " + master_->text()};
  }
  void stop() {
    if (!master_) return;
    master_->signal(SIGTERM);
    master_->wait_for_exit();
    master_.reset();
  }
  std::vector<std::string> list_command() const {
    return {"/usr/sbin/postqueue", "-c", folder_ / "etc", "-j"};
  }
  void send(const std::string& recipients) const {
    const auto letter = folder_.write("letter", "Subject: invoice\n\nsee there\n");
    const auto sent = run({"/bin/sh", "-c",
                           "exec /usr/sbin/sendmail -C " + (folder_ / "etc") +
                               " -f shop@tocsin.test " + recipients + " < " + letter});
    if (sent.code != 0) throw std::runtime_error{"sendmail: " + sent.errors};
  }
  void flush() const { run({"/usr/sbin/postqueue", "-c", folder_ / "etc", "-f"}); }
  void hold_all() const { run({"/usr/sbin/postsuper", "-c", folder_ / "etc", "-h", "ALL"}); }
  int relay_port() const { return relay_port_; }
  std::string log() const { return read_file(folder_ / "data/log"); }

 private:
  Folder folder_;
  int relay_port_;
  std::unique_ptr<Program> master_;
};

class MailQueue : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const auto* program : {master_program, sink_program})
      if (access(program, X_OK) != 0)
        GTEST_SKIP() << program << " is not installed: apt-get install postfix";
    if (geteuid() != 0) GTEST_SKIP() << "Postfix can be started by root alone";
    postfix_ = std::make_unique<Postfix>();
    postfix_->start();
    std::string command;
    for (const auto& word : postfix_->list_command())
      command += (command.empty() ? "" : ", ") + word;
    agent_.configure(
        "checks:\n  - name: outgoing-mail\n    type: mail_queue\n    every: 500ms\n"
        "    confirm_every: 200ms\n    command: [" +
            command +
            "]\n    topic: mail\n    critical: oldest_seconds > 2s\n"
            "    clear: oldest_seconds <= 2s\n",
        "  recover_hold: 1s\n");
    agent_.start();
    ASSERT_TRUE(eventually([&] { return sample("depth") == 0; })) << agent_.get("/metrics").body;
  }
  double sample(const std::string& name) const {
    return agent_.metric("tocsin_mail_queue_" + name + "{check=\"outgoing-mail\"}");
  }

  std::unique_ptr<Postfix> postfix_;
  Agent agent_;
};

TEST_F(MailQueue, MailThatCannotLeaveOpensAnIncidentAndItsDeliveryEndsIt) {
  EXPECT_EQ(sample("up"), 1);
  postfix_->send("jane.doe@example.com joe@example.com eve@example.net");
  postfix_->send("jane.doe@example.com");
  const auto open = agent_.wait_for_incident("mail", "open");
  ASSERT_TRUE(eventually([&] { return sample("deferred") == 2; })) << postfix_->log();
  EXPECT_THAT(text_at(open, "title"), HasSubstr("CRITICAL: mail on web-1: oldest_seconds"));
  EXPECT_THAT(text_at(open, "alerts", 0, "why"), HasSubstr("> 2s"));
  const auto relay = "127.0.0.1:" + std::to_string(postfix_->relay_port());
  EXPECT_THAT(text_at(open, "summary", "probable_cause"),
              HasSubstr("connect to " + relay + ": Connection refused"));
  const auto evidence = json::serialize(agent_.incident(text_at(open, "id")));
  EXPECT_THAT(evidence, HasSubstr("2 messages in the queue, 2 deferred; the oldest has waited "));
  EXPECT_THAT(evidence, HasSubstr("4 recipients delayed: connect to " + relay));
  EXPECT_THAT(evidence, HasSubstr("recipients by domain: example.com 3, example.net 1"));
  EXPECT_THAT(evidence, HasSubstr("oldest messages: "));
  EXPECT_THAT(evidence, Not(HasSubstr("jane.doe"))) << "whom it is for is nobody's business";

  const Program sink{{sink_program, "-u", "postfix", "inet:" + relay, "100"}};
  ASSERT_TRUE(eventually([&] {
    postfix_->flush();
    return sample("depth") == 0;
  })) << postfix_->log();
  agent_.wait_for_incident("mail", "resolved");
}

TEST_F(MailQueue, HeldMailIsCountedAndHasNoAgeThatPages) {
  postfix_->send("jane@example.com");
  agent_.wait_for_incident("mail", "open");
  postfix_->hold_all();
  agent_.wait_for_incident("mail", "resolved");
  EXPECT_EQ(sample("held"), 1);
  EXPECT_EQ(sample("depth"), 1);
  EXPECT_EQ(sample("oldest_seconds"), 0);
}

TEST_F(MailQueue, APostfixThatDiedIsSeenAndItsQueueStillRead) {
  postfix_->send("jane@example.com");
  postfix_->stop();
  const auto open = agent_.wait_for_incident("mail", "open");
  EXPECT_EQ(sample("up"), 0);
  EXPECT_EQ(sample("depth"), 1);
  EXPECT_THAT(text_at(open, "summary", "probable_cause"), HasSubstr("Postfix is not running"));
}

}  // namespace
}  // namespace tocsin::integration
