#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/agent.hpp"
#include "tests/integration/mail_server.hpp"

namespace tocsin::integration {

/// An agent that watches how long mail takes through a mail server of its own: one check, "relay",
/// under the topic "mail", with a look each 1500 ms.
class EmailDelivery : public ::testing::Test {
 protected:
  /// Where the check speaks to, and how.
  struct Place {
    std::string address{}, security{};
    std::string authority{};  ///< A file.
    std::string name{};       ///< That its certificate is to be for; "" for that of the address.
  };
  /// What of the configuration a test may want otherwise.
  struct Wish {
    std::string send_every{"1s"};  ///< With each look, so that one is missing ever after.
    std::string lost_after{"1m"};
    std::string rules{"    critical: up < 1 for 2 of 3\n    clear: up == 1\n"};
    std::optional<Place> relay{}, mailbox{};  ///< Else relay() and mailbox().
    std::string folder{"INBOX"};
    std::string more{};  ///< Further checks.
  };

  void SetUp() override;
  /// Whatever happened, the passwords are where they came from and nowhere else.
  void TearDown() override;

  Place relay() const;    ///< STARTTLS, trusted by its name.
  Place mailbox() const;  ///< TLS from the start, trusted by its address.
  /// The lines of a check of this name.
  std::string check(const std::string& name, const Wish& wish) const;
  void configure(const Wish& wish);
  /// Starts the agent, and waits until a test message came.
  void watch(const Wish& wish);

  double sample(const std::string& name, const std::string& check = "relay") const;
  bool becomes(const std::string& name, double value) const;
  /// Until no more is missing than the one that was just sent.
  bool nothing_waits() const;
  /// Waits for so many messages in the queue of Postfix, all of them given up for now.
  std::vector<Postfix::Queued> wait_for_queue(std::size_t count) const;
  static std::string cause(const json::value& incident) {
    return text_at(incident, "summary", "probable_cause");
  }
  /// An incident with all its evidence, as JSON.
  std::string told(const json::value& incident) const;
  /// For whoever reads why a test failed.
  std::string everything();

  std::unique_ptr<MailServer> mail_;
  FakeReceivers receivers_;
  Agent agent_{&receivers_};
};

}  // namespace tocsin::integration
