// What the test messages are kept as: JSON. An id tells when its message was sent.
#include <limits>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "checks/json_members.hpp"
#include "checks/test_messages.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

namespace json = boost::json;

constexpr std::size_t id_characters = 100;
constexpr std::size_t host_characters = 100;

json::array saved(const std::deque<TestMessage>& messages) {
  json::array all;
  for (const auto& one : messages)
    all.push_back(
        json::object{{"id", one.id}, {"accepted", one.accepted}, {"receipt", one.receipt}});
  return all;
}

bool is_true(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains({name.data(), name.size()});
  return value != nullptr && value->is_bool() && value->get_bool();
}

}  // namespace

std::string TestMessages::save() const {
  json::object out{{"tag", tag_}, {"under_way", saved(under_way_)}, {"lost", saved(lost_)}};
  out["arrived"] = json::array(arrived_.begin(), arrived_.end());
  if (begun_) out["begun"] = number_of(*begun_);
  if (newest_) {
    json::object newest{{"sent", number_of(newest_->sent)},
                        {"delay", newest_->delay.count()},
                        {"slowest_hop", newest_->slowest_hop}};
    if (newest_->hop_time) newest["hop_time"] = newest_->hop_time->count();
    out["newest"] = std::move(newest);
  }
  json::array mailbox;
  for (const auto& [uid, deletable] : mailbox_)
    mailbox.push_back(json::array{uid, number_of(deletable)});
  out["mailbox"] = std::move(mailbox);
  out["validity"] = validity_;
  json::array counts;
  for (const auto& [hour, count] : counts_)
    counts.push_back(json::object{{"hour", hour},
                                  {"late", count.late},
                                  {"duplicates", count.duplicates},
                                  {"out_of_order", count.out_of_order}});
  out["counts"] = std::move(counts);
  return json::serialize(out);
}

std::optional<TestMessage> TestMessages::restored(const json::object& kept, Now now) const {
  const auto id = text_in(kept, "id");
  const auto sent = sent_of(id);
  if (!sent || id.size() > id_characters) return std::nullopt;
  return TestMessage{.id = std::string{id},
                     .sent = *sent,
                     .since = steady_of(*sent, now),
                     .accepted = is_true(kept, "accepted"),
                     .receipt = cut_characters(text_in(kept, "receipt"), receipt_characters)};
}

void TestMessages::load(std::string_view kept, Now now) {
  boost::system::error_code fault;
  const auto value = json::parse({kept.data(), kept.size()}, fault);
  const auto* object = fault ? nullptr : value.if_object();
  if (object == nullptr || text_in(*object, "tag") != tag_) return;
  if ((begun_ = time_in(*object, "begun"))) last_begun_ = steady_of(*begun_, now);
  if (const auto* newest = object_in(*object, "newest")) {
    newest_ = NewestArrival{
        .sent = time_in(*newest, "sent").value_or(now.wall),
        .delay = duration_in(*newest, "delay").value_or(Duration{0}),
        .slowest_hop = cut_characters(text_in(*newest, "slowest_hop"), host_characters),
        .hop_time = duration_in(*newest, "hop_time")};
  }
  const auto fill = [&](std::deque<TestMessage>& into, std::string_view name, std::size_t most) {
    for (const auto& item : items_in(*object, name)) {
      const auto* one = item.if_object();
      auto message = one == nullptr ? std::nullopt : restored(*one, now);
      if (message && into.size() < most) into.push_back(std::move(*message));
    }
  };
  fill(under_way_, "under_way", test_messages_under_way);
  // The former process may have ended before it heard what became of its last one.
  if (!under_way_.empty() && !under_way_.back().accepted) doubt();
  fill(lost_, "lost", test_messages_lost);
  for (const auto& item : items_in(*object, "arrived"))
    if (const auto* id = item.if_string();
        id != nullptr && id->size() <= id_characters && arrived_.size() < test_messages_arrived)
      arrived_.emplace_back(id->data(), id->size());
  load_mailbox(*object);
  for (const auto& item : items_in(*object, "counts")) {
    const auto* one = item.if_object();
    const auto hour = one == nullptr ? std::nullopt : whole_in(*one, "hour");
    if (hour)
      counts_[*hour] = {whole_count_in(*one, "late"), whole_count_in(*one, "duplicates"),
                        whole_count_in(*one, "out_of_order")};
  }
  forget(now);
}

void TestMessages::load_mailbox(const json::object& kept) {
  const auto validity = whole_in(kept, "validity").value_or(0);
  if (validity > 0 && validity <= std::numeric_limits<std::uint32_t>::max())
    validity_ = static_cast<std::uint32_t>(validity);
  for (const auto& item : items_in(kept, "mailbox")) {
    const auto* pair = item.if_array();
    if (pair == nullptr || pair->size() != 2 || mailbox_.size() >= mailbox_messages) continue;
    boost::system::error_code fault;
    const auto uid = pair->at(0).to_number<std::uint32_t>(fault);
    if (fault || uid == 0) continue;
    const auto deletable = pair->at(1).to_number<std::int64_t>(fault);
    if (!fault) mailbox_[uid] = WallTime{WallTime::duration{deletable}};
  }
}

}  // namespace tocsin::checks
