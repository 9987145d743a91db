#include "tests/integration/email_delivery.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <system_error>
#include <utility>

#include <boost/beast/core/detail/base64.hpp>
#include <boost/json/serialize.hpp>

#include "tests/integration/receivers_judge.hpp"

namespace tocsin::integration {
namespace {

std::string base64(std::string_view bytes) {
  namespace codec = boost::beast::detail::base64;
  std::string out(codec::encoded_size(bytes.size()), '\0');
  out.resize(codec::encode(out.data(), bytes.data(), bytes.size()));
  return out;
}

}  // namespace

void EmailDelivery::SetUp() {
  if (const auto missing = MailServer::missing(); !missing.empty()) GTEST_SKIP() << missing;
  mail_ = std::make_unique<MailServer>();
}

EmailDelivery::Place EmailDelivery::relay() const {
  return {mail_->submission(), "starttls", mail_->authority_file(), std::string{MailServer::name}};
}

EmailDelivery::Place EmailDelivery::mailbox() const {
  return {mail_->dovecot().imaps_address(), "tls", mail_->authority_file(), ""};
}

std::string EmailDelivery::check(const std::string& name, const Wish& wish) const {
  const auto server = [](const Place& place, std::string_view user, const std::string& secret) {
    return "\n      address: " + place.address + "\n      security: " + place.security +
           "\n      username: " + std::string{user} + "\n      password: {file: " + secret +
           "}\n      tls: {ca_file: " + place.authority +
           (place.name.empty() ? "" : ", server_name: " + place.name) + "}\n";
  };
  return "  - name: " + name +
         "\n    type: email_delivery\n    every: 1500ms\n    timeout: 1400ms\n    topic: mail\n"
         "    to: " +
         std::string{MailServer::address} + "\n    send_every: " + wish.send_every +
         "\n    lost_after: " + wish.lost_after +
         "\n    smtp:" + server(wish.relay.value_or(relay()), MailServer::sender, "sender.secret") +
         "    imap:" +
         server(wish.mailbox.value_or(mailbox()), MailServer::reader, "reader.secret") +
         "      folder: " + wish.folder + "\n" + wish.rules;
}

void EmailDelivery::configure(const Wish& wish) {
  agent_.folder().write("sender.secret", mail_->sender_password() + "\n");
  agent_.folder().write("reader.secret", mail_->reader_password() + "\n");
  agent_.configure("checks:\n" + check("relay", wish) + wish.more, "  recover_hold: 1s\n");
}

void EmailDelivery::watch(const Wish& wish) {
  configure(wish);
  agent_.start();
  ASSERT_TRUE(eventually([&] { return !std::isnan(sample("slowest_hop_seconds")); }))
      << everything();
}

double EmailDelivery::sample(const std::string& name, const std::string& check) const {
  return agent_.metric("tocsin_email_delivery_" + name + "{check=\"" + check + "\"}");
}

bool EmailDelivery::becomes(const std::string& name, double value) const {
  return eventually([&] { return sample(name) == value; });
}

bool EmailDelivery::nothing_waits() const {
  return eventually([&] { return sample("missing") <= 1; });
}

std::vector<Postfix::Queued> EmailDelivery::wait_for_queue(std::size_t count) const {
  std::vector<Postfix::Queued> queue;
  const auto there = eventually([&] {
    queue = mail_->postfix().queue();
    std::erase_if(queue, [](const auto& each) { return each.queue != "deferred"; });
    return queue.size() >= count;
  });
  EXPECT_TRUE(there) << mail_->log();
  queue.resize(std::max(queue.size(), count));
  return queue;
}

std::string EmailDelivery::told(const json::value& incident) const {
  return json::serialize(agent_.incident(text_at(incident, "id")));
}

std::string EmailDelivery::everything() {
  return agent_.get("/metrics").body + mail_->log() + agent_.program().text();
}

void EmailDelivery::TearDown() {
  if (!mail_) return;
  std::string said = agent_.program().text();
  for (const auto* path : {"/", "/metrics", "/api/v1/status", "/api/v1/checks",
                           "/api/v1/incidents?all=true", "/api/v1/outbox"})
    said += agent_.get(path).body;
  for (const auto& incident : items(agent_.incidents())) said += told(incident);
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"status"}, {"check", "relay"}, {"config", "show"}}) {
    const auto answer = agent_.command(words);
    said += answer.output + answer.errors;
  }
  said += json::serialize(receivers_.state());
  agent_.stop();
  std::error_code none;
  for (const auto& file : std::filesystem::recursive_directory_iterator{agent_.state_dir(), none})
    if (file.is_regular_file()) said += read_file(file.path());
  for (const auto& [user, secret] :
       {std::pair{std::string{MailServer::sender}, mail_->sender_password()},
        std::pair{std::string{MailServer::reader}, mail_->reader_password()}}) {
    const std::string zero(1, '\0');
    EXPECT_EQ(said.find(secret), std::string::npos) << user;
    EXPECT_EQ(said.find(base64(secret)), std::string::npos) << user;
    EXPECT_EQ(said.find(base64(zero + user + zero + secret)), std::string::npos) << user;
  }
  EXPECT_THAT(broken_promises(receivers_.state()), ::testing::IsEmpty());
}

}  // namespace tocsin::integration
