#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/fwd.hpp>

#include "tocsin/base/time.hpp"

namespace tocsin::checks {

// So that all of it fits into limits::check_memory_bytes.
inline constexpr std::size_t test_messages_under_way = 150;
inline constexpr std::size_t test_messages_lost = 32;     ///< Kept; the oldest are forgotten.
inline constexpr std::size_t test_messages_arrived = 64;  ///< Kept, to know a second copy.
inline constexpr std::size_t mailbox_messages = 500;      ///< Of ours, known by their UID.
inline constexpr std::ptrdiff_t mailbox_oldest = 50;      ///< So many of them when there are more,
inline constexpr std::ptrdiff_t mailbox_newest =          ///< and so many.
    static_cast<std::ptrdiff_t>(mailbox_messages) - mailbox_oldest;
inline constexpr std::size_t receipt_characters = 60;

/// A message that was sent to measure how long mail takes.
struct TestMessage {
  std::string id{};
  WallTime sent{};
  SteadyTime since{};     ///< When it was sent, on the steady clock.
  bool accepted{false};   ///< The relay said that it took it; else that is not known.
  std::string receipt{};  ///< What the relay said then: most name its queue's id.
};

/// A message of ours that lies in the mailbox.
struct Arrival {
  std::uint32_t uid{};
  std::string id{};                ///< Of the message; "" when it has none.
  std::optional<WallTime> came{};  ///< On the mailbox's clock, which counts whole seconds.
  std::string slowest_hop{};       ///< The host that held it longest; "" when that is not known.
  std::optional<Duration> hop_time{};
};

/// The newest message to have come.
struct NewestArrival {
  WallTime sent{};
  Duration delay{};
  std::string slowest_hop{};
  std::optional<Duration> hop_time{};
};

struct MailStanding {
  std::optional<Duration> delay{};  ///< Absent as long as nothing was sent.
  std::size_t missing{0};
  std::size_t lost{0};                                    ///< Of the last day, and not come since.
  std::uint64_t late{0}, duplicates{0}, out_of_order{0};  ///< Of the last day.
};

/// What became of the test messages: which are under way, which came, when and how often. Pure; one
/// loop. Survives a restart as text.
class TestMessages {
 public:
  /// `tag` marks the messages of this check on this host: letters and digits.
  TestMessages(std::string tag, Duration send_every, Duration lost_after);

  /// Goes on from what save() gave; from nothing when that is empty or foreign.
  void load(std::string_view kept, Now now);
  std::string save() const;

  /// Whether it is time for the next one, and no more than test_messages_under_way are missing.
  bool due(Now now) const;
  bool full() const { return missing().size() >= test_messages_under_way; }
  /// Notes the next message, before it is sent; `chance` makes its id one that nobody can guess.
  /// Not while full().
  const TestMessage& begin(Now now, std::uint64_t chance);
  /// What became of the last one that began. The relay took it;
  void accept(std::string_view receipt);
  /// it did not, so there is no such message, and the next one is due;
  void refuse();
  /// or that is not known: it may come, but is not missed, and the next one is due.
  void doubt() { be_due(); }

  /// Begins a look. With another `validity` than that of the look before UIDs name other messages
  /// (RFC 3501 §2.3.1.1): the mailbox was made anew, or its messages were numbered anew, and those
  /// that came before are no second copies.
  void open_mailbox(std::uint32_t validity);
  /// Whether this message of the mailbox was accounted for before.
  bool knows(std::uint32_t uid) const { return mailbox_.contains(uid); }
  /// When a message of this id was sent; nothing when it is none of ours.
  std::optional<WallTime> sent_of(std::string_view id) const;
  /// Accounts for one that was not. Those of one look in the order of their UIDs, which is the one
  /// they came in.
  void arrive(const Arrival& arrival, Now now);
  /// Ends a look that went well, with all of ours that it found: what is missing too long is lost.
  void conclude(std::span<const std::uint32_t> found, Now now);
  /// Those of the mailbox that were accounted for, and whose account may be on disk by now.
  std::vector<std::uint32_t> to_delete(std::span<const std::uint32_t> found, Now now) const;

  MailStanding standing(Now now) const;
  const std::string& tag() const { return tag_; }
  const std::optional<NewestArrival>& newest() const { return newest_; }
  /// That are missing, the oldest first.
  std::vector<const TestMessage*> missing() const;
  const std::deque<TestMessage>& lost() const { return lost_; }

 private:
  struct Counts {
    std::uint64_t late{0}, duplicates{0}, out_of_order{0};
  };
  using Hour = std::int64_t;

  std::optional<TestMessage> restored(const boost::json::object& kept, Now now) const;
  void load_mailbox(const boost::json::object& kept);
  bool take(std::deque<TestMessage>& from, const Arrival& arrival, Now now);
  void forget(Now now);
  Counts& counts(Now now);
  /// Also after a restart: a relay that does not take mail is not well until it is tried again.
  void be_due();

  std::string tag_;
  Duration send_every_, lost_after_;
  std::optional<WallTime> begun_{};  ///< The last one.
  std::optional<SteadyTime> last_begun_{};
  std::optional<NewestArrival> newest_{};
  std::deque<TestMessage> under_way_{}, lost_{};
  std::deque<std::string> arrived_{};
  std::uint32_t validity_{0};                    ///< Of the UIDs; 0 when that is not known.
  bool renumbered_{false};                       ///< In this look.
  std::map<std::uint32_t, WallTime> mailbox_{};  ///< By UID: from when on it may be deleted.
  std::map<Hour, Counts> counts_{};
};

}  // namespace tocsin::checks
