#include "checks/email_delivery.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <utility>

#include "checks/email_delivery_evidence.hpp"
#include "checks/imap_dialog.hpp"
#include "checks/imap_reply.hpp"
#include "checks/mail_server.hpp"
#include "checks/mail_session.hpp"
#include "checks/received_headers.hpp"
#include "checks/reply_by.hpp"
#include "checks/smtp_dialog.hpp"
#include "checks/test_mail.hpp"
#include "checks/test_messages.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/net/digest.hpp"

namespace tocsin {
namespace {

using namespace checks;
using namespace std::chrono_literals;

struct EmailDeliveryParams {
  std::string to{}, from{};
  SmtpServer smtp{};
  ImapServer imap{};
  Duration send_every{5min};
  Duration lost_after{1h};
  static constexpr auto fields() {
    using Self = EmailDeliveryParams;
    return std::tuple{
        required_field("to", &Self::to, "The address whose mail the folder takes."),
        required_field("smtp", &Self::smtp, "The relay that outgoing mail is handed to."),
        required_field("imap", &Self::imap, "The mailbox that it ends up in."),
        field("from", &Self::from, "The address to send from. Left out: the same as to."),
        field("send_every", &Self::send_every, "How often a test message is sent."),
        field("lost_after", &Self::lost_after,
              "A test message that has not come by then is lost, and waited for no more.")};
  }
};

enum : std::uint16_t {
  up,
  smtp_up,
  imap_up,
  delay_seconds,
  accept_seconds,
  slowest_hop_seconds,
  missing,
  lost,
  late,
  duplicates,
  out_of_order
};

const std::vector<SampleSpec>& email_delivery_specs() {
  static const std::vector<SampleSpec> specs{
      {"up", Unit::none,
       "1 when the relay took the last test message and the mailbox could be looked into, else 0."},
      {"smtp_up", Unit::none, "1 when the relay took the last test message, else 0."},
      {"imap_up", Unit::none, "1 when the mailbox could be looked into, else 0."},
      {"delay_seconds", Unit::seconds,
       "Age of the oldest test message that is still missing, or how long the newest to come took, "
       "whichever is more. Absent while the mailbox cannot be looked into."},
      {"accept_seconds", Unit::seconds,
       "From connecting to the relay until it had taken the last test message."},
      {"slowest_hop_seconds", Unit::seconds,
       "The longest that one server on the way held the newest to come, by its Received headers."},
      {"missing", Unit::none, "Test messages that the relay took and that have not come yet."},
      {"lost", Unit::none, "Test messages of the last day that did not come within lost_after."},
      {"late", Unit::none, "Test messages of the last day that came after all, later than that."},
      {"duplicates", Unit::none, "Second copies that came in the last day."},
      {"out_of_order", Unit::none,
       "Test messages of the last day that were overtaken by one sent after them."},
  };
  return specs;
}

/// Nothing was learnt of either server: they must not be called down.
bool is_ours(const Error& error) {
  return says_nothing_of_peer(error) || error.code == Errc::missing;
}

class EmailDeliveryCheck final : public Check {
 public:
  EmailDeliveryCheck(std::string name, EmailDeliveryParams params)
      : name_{std::move(name)}, params_{std::move(params)} {
    if (params_.from.empty()) params_.from = params_.to;
  }

  std::span<const SampleSpec> specs() const override { return email_delivery_specs(); }

  Task<Samples> run(CheckContext& context) override {
    if (!messages_) recall(context);
    const auto by = reply_by(context);
    const auto now = context.clock.steady();
    const bool sends = messages_->due(context.clock.now());
    // A mailbox that hangs must not keep mail from being sent.
    auto looking = look(context, sends ? now + (by - now) / 2 : by);
    const auto looked = co_await std::move(looking);
    if (!looked && is_ours(looked.error())) co_return looked.error();
    route_.mailbox_fault = looked ? "" : looked.error().detail;
    if (sends) {
      auto sending = send(context, by);
      const auto sent = co_await std::move(sending);
      if (!sent && is_ours(sent.error())) co_return sent.error();
      route_.relay_fault = sent ? "" : sent.error().detail;
      relay_was_tried_ = true;
    }
    co_return samples(context.clock.now());
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    if (!messages_) recall(context);
    co_return email_delivery_evidence(*messages_, route_, context.clock.now());
  }

 private:
  /// Goes on where a former process was. The tag keeps the messages of several checks and hosts in
  /// one mailbox apart.
  void recall(CheckContext& context) {
    const auto name = context.files.read("/proc/sys/kernel/hostname");
    host_ = name ? std::string{trim(*name)} : "localhost";
    messages_.emplace(sha256_hex(host_ + "\n" + name_).substr(0, 16), params_.send_every,
                      params_.lost_after);
    messages_->load(context.memory.recall(), context.clock.now());
    route_.relay = to_string(*params_.smtp.address);
    route_.mailbox = params_.to + " (" + to_string(*params_.imap.address) + ")";
  }

  /// What cannot be kept is still right until the next restart.
  void keep(CheckContext& context) { (void)context.memory.keep(messages_->save()); }

  Task<void> look(CheckContext& context, SteadyTime by) {
    auto opening =
        client_.open(context.network, context.clock, params_.imap, MailProtocol::imap, by);
    const auto session = co_await std::move(opening);
    if (!session) co_return session.error();
    ImapDialog dialog{**session};
    auto selecting = dialog.select(params_.imap.folder);
    const auto selected = co_await std::move(selecting);
    if (!selected) co_return selected.error();
    messages_->open_mailbox(parse_imap_uid_validity(*selected).value_or(0));
    auto searching = dialog.search_subject(messages_->tag());
    const auto lines = co_await std::move(searching);
    if (!lines) co_return lines.error();
    auto found = parse_imap_search(*lines);
    // The newest say how long mail takes; the oldest are cleared away meanwhile.
    if (found.size() > mailbox_messages)
      found.erase(found.begin() + mailbox_oldest, found.end() - mailbox_newest);
    // Of earlier looks only: what is on disk by now will not be missed again after a restart.
    const auto deletable = messages_->to_delete(found, context.clock.now());
    auto taking = take_in(context, dialog, found);
    auto taken = co_await std::move(taking);
    if (taken) messages_->conclude(found, context.clock.now());
    keep(context);
    if (!taken) co_return taken;
    if (!deletable.empty()) {
      auto removing = dialog.remove(deletable);
      auto removed = co_await std::move(removing);
      if (!removed) co_return removed;
    }
    auto leaving = dialog.leave();
    (void)co_await std::move(leaving);
    co_return Result<void>{};
  }

  /// Accounts for those that no look has seen before.
  Task<void> take_in(CheckContext& context, ImapDialog& dialog, const std::vector<ImapUid>& found) {
    std::vector<ImapUid> fresh;
    for (const auto uid : found)
      if (!messages_->knows(uid)) fresh.push_back(uid);
    if (fresh.empty()) co_return Result<void>{};
    auto dating = dialog.fetch_dates(fresh);
    const auto lines = co_await std::move(dating);
    if (!lines) co_return lines.error();
    std::map<ImapUid, WallTime> came;
    for (const auto& one : parse_imap_arrivals(*lines)) came.emplace(one.uid, one.at);
    for (const auto uid : fresh) {
      auto reading = dialog.fetch_header(uid);
      const auto header = co_await std::move(reading);
      if (!header) co_return header.error();
      Arrival arrival{.uid = uid, .id = mail_header(*header, test_mail_header).value_or("")};
      if (const auto at = came.find(uid); at != came.end()) arrival.came = at->second;
      const auto hops = mail_hops(*header);
      if (auto hop = slowest_hop(hops, messages_->sent_of(arrival.id), arrival.came)) {
        arrival.slowest_hop = std::move(hop->host);
        arrival.hop_time = hop->held;
      }
      messages_->arrive(arrival, context.clock.now());
    }
    co_return Result<void>{};
  }

  Task<void> send(CheckContext& context, SteadyTime by) {
    const auto begun = context.clock.now();
    std::random_device chance;
    const auto random = (std::uint64_t{chance()} << 32) | chance();
    const auto& message = messages_->begin(begun, random);
    const auto mail = compose_test_mail(message, messages_->tag(), params_.from, params_.to, host_);
    // Before it goes out: it must be known when it comes, whatever becomes of us.
    keep(context);
    auto opening =
        client_.open(context.network, context.clock, params_.smtp, MailProtocol::smtp, by);
    const auto session = co_await std::move(opening);
    if (!session) {
      messages_->refuse();
      keep(context);
      co_return session.error();
    }
    auto handing = hand_over(**session, mail);
    const auto receipt = co_await std::move(handing);
    if (receipt) {
      messages_->accept(*receipt);
      accept_time_ = context.clock.steady() - begun.steady;
    } else if (receipt.error().code == Errc::refused) {
      messages_->refuse();
    } else {
      messages_->doubt();
    }
    keep(context);
    if (!receipt) co_return receipt.error();
    co_return Result<void>{};
  }

  Samples samples(Now now) const {
    Samples all;
    all.reserve(email_delivery_specs().size());
    const bool relay_well = route_.relay_fault.empty();
    const bool mailbox_well = route_.mailbox_fault.empty();
    put(all, up, relay_well && mailbox_well ? 1 : 0);
    if (relay_was_tried_) put(all, smtp_up, relay_well ? 1 : 0);
    put(all, imap_up, mailbox_well ? 1 : 0);
    put_time(all, accept_seconds, accept_time_);
    const auto standing = messages_->standing(now);
    if (mailbox_well) {
      put_time(all, delay_seconds, standing.delay);
      put(all, missing, static_cast<double>(standing.missing));
    }
    if (messages_->newest()) put_time(all, slowest_hop_seconds, messages_->newest()->hop_time);
    put(all, lost, static_cast<double>(standing.lost));
    put(all, late, static_cast<double>(standing.late));
    put(all, duplicates, static_cast<double>(standing.duplicates));
    put(all, out_of_order, static_cast<double>(standing.out_of_order));
    return all;
  }

  std::string name_;
  EmailDeliveryParams params_;
  std::string host_{};
  MailClient client_{};
  std::optional<TestMessages> messages_{};  ///< From the first run on.
  MailRoute route_{};
  bool relay_was_tried_{false};
  std::optional<Duration> accept_time_{};
};

/// What may stand between < and > without a way to end the line or the brackets.
bool is_address(std::string_view text) {
  const auto at = text.find('@');
  if (text.size() > 254 || at == 0 || at == std::string_view::npos || at + 1 == text.size())
    return false;
  return std::ranges::none_of(text, [](unsigned char c) {
    return c <= 0x20 || c >= 0x7f || c == '<' || c == '>' || c == '"' || c == ',';
  });
}

void judge(const EmailDeliveryParams& params, const Node& map, Decoding& decoding) {
  const auto complain = [&](std::string_view key, const std::string& sentence) {
    auto inner = decoding.at(std::string{key});
    const auto* node = map.find(key);
    inner.complain(node == nullptr ? map : *node, sentence);
  };
  if (!is_address(params.to)) complain("to", "expected a mail address: name@example.com");
  if (!params.from.empty() && !is_address(params.from))
    complain("from", "expected a mail address: name@example.com");
  const auto& folder = params.imap.folder;
  if (folder.empty() || folder.size() > 200 ||
      std::ranges::any_of(folder, [](unsigned char c) { return c < 0x20 || c >= 0x7f; })) {
    complain("imap",
             "folder: expected a name of plain ASCII (others as IMAP writes them, in "
             "modified UTF-7)");
  }
  if (params.send_every < 100ms) complain("send_every", "expected at least 100ms");
  if (params.lost_after < params.send_every)
    complain("lost_after", "expected no less than send_every");
  else if (params.lost_after / params.send_every >= static_cast<long>(test_messages_under_way))
    complain("lost_after", "expected less than " + std::to_string(test_messages_under_way) +
                               " times send_every, for that many may be under way");
  for (const auto key : {"smtp", "imap"}) {
    auto inner = decoding.at(key);
    if (const auto* node = map.find(key); node != nullptr)
      judge_mail_server(key == std::string_view{"smtp"}
                            ? static_cast<const MailServer&>(params.smtp)
                            : static_cast<const MailServer&>(params.imap),
                        *node, inner);
  }
}

}  // namespace

CheckType email_delivery_check() {
  return check_type<EmailDeliveryParams, EmailDeliveryCheck>(
      {
          .name = "email_delivery",
          .summary = "How long mail takes from a relay to a mailbox: it sends test messages over "
                     "SMTP, finds them over IMAP and deletes them.",
          .samples = email_delivery_specs(),
          .default_critical = {"delay_seconds > 10m", "up < 1 for 2 of 3"},
          .default_warning = {"lost > 0"},
          .example = "name: outgoing-mail-delay\n"
                     "type: email_delivery\n"
                     "every: 1m\n"
                     "timeout: 30s\n"
                     "to: tocsin@example.com\n"
                     "smtp:\n"
                     "  address: relay.example.com:587\n"
                     "  username: app\n"
                     "  password: {file: /etc/tocsin/relay.password}\n"
                     "imap:\n"
                     "  address: imap.example.com:993\n"
                     "  username: tocsin\n"
                     "  password: {file: /etc/tocsin/mailbox.password}\n"
                     "critical: [delay_seconds > 10m, up < 1 for 2 of 3]\n",
      },
      judge);
}

}  // namespace tocsin
