#include <algorithm>
#include <map>
#include <utility>

#include "checks/queue_rabbitmq.hpp"
#include "checks/rabbitmq_broker.hpp"
#include "checks/reply_by.hpp"
#include "checks/wildcard.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t page_size = 100;  ///< The interface's default; it allows 500.
constexpr std::size_t pages_max = 100;  ///< In one listing.
/// A list that changes while it is read is read again this often.
constexpr int listings_max = 2;
/// Brokers take about 8,000 bytes of a request's first line.
constexpr std::size_t filter_bytes_max = 4000;

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// A regular expression that the texts' queues fit, and perhaps more: the broker may read names as
/// bytes or as characters, so what is not ASCII is left open.
std::string expression_for(const std::vector<std::string>& texts) {
  constexpr std::string_view anything = ".*";
  std::string all;
  for (const auto& text : texts) {
    all += all.empty() ? "" : "|";
    for (const char c : text) {
      const bool is_open = c == '*' || c == '?' || c < ' ' || c > '~';
      if (is_open && !all.ends_with(anything)) all += anything;
      if (is_open) continue;
      if (!is_word_character(c)) all += '\\';
      all += c;
    }
  }
  return "(?s)^(" + all + ")$";
}

/// What the pages of one listing said, of the queues that are meant.
struct Listing {
  std::string failure{};
  std::map<std::string, RabbitmqQueueReply> named{};
  std::map<std::string, RabbitmqQueueReply> others{};  ///< The first of those that globs mean.
  std::vector<bool> has_match{};                       ///< For each glob.
  std::vector<bool> still_there{};                     ///< For each queue that was watched.
  std::size_t beyond{0};  ///< Meant by a glob and not kept, or not read.
  bool changed{false};    ///< While it was read: a queue may have been missed between two pages.
  bool is_cut{false};     ///< There were more pages.
};

class RabbitmqQueues final : public QueueGroup {
 public:
  explicit RabbitmqQueues(const RabbitmqQueue& params) : broker_{params} {
    for (const auto& text : params.queue.values) {
      if (std::find(wanted_.begin(), wanted_.end(), text) != wanted_.end()) continue;
      wanted_.push_back(text);
      (is_queue_glob(text) ? globs_ : names_).push_back(text);
    }
    query_ = "&page_size=" + std::to_string(page_size) + "&pagination=true&sort=name&" +
             std::string{rabbitmq_columns};
    const auto filter = percent_encoded(expression_for(wanted_));
    if (filter.size() <= filter_bytes_max) query_ += "&use_regex=true&name=" + filter;
  }

  std::string name_of(const std::string& queue) const override {
    return broker_.queue_words(queue) + " on " + broker_.place();
  }
  std::string place() const override { return broker_.place(); }
  const std::vector<std::string>& wanted() const override { return wanted_; }

  Task<QueueGroupLook> look(CheckContext& context) override {
    Listing listing;
    for (int i = 0; i < listings_max; ++i) {
      auto listed_by = list(context);
      auto listed = co_await std::move(listed_by);
      if (!listed) co_return listed.error();
      listing = *std::move(listed);
      if (!listing.changed || !listing.failure.empty()) break;
    }
    QueueGroupLook look;
    if (!listing.failure.empty())
      look.failure = std::move(listing.failure);
    else
      report(listing, context.clock.wall(), look);
    co_return look;
  }

  asio::awaitable<std::string> trouble_of_server(CheckContext& context) override {
    return broker_.alarms(context);
  }

 private:
  /// Reads page by page. An Error says nothing of the broker.
  Task<Listing> list(CheckContext& context) {
    Listing listing;
    listing.has_match.resize(globs_.size());
    listing.still_there.resize(watched_.size());
    std::uint64_t listed = 0;
    for (std::size_t number = 1;; ++number) {
      auto request =
          broker_.request(broker_.queues_path() + "?page=" + std::to_string(number) + query_);
      request.deadline = reply_by(context);
      auto asking = context.network.http(std::move(request));
      const auto outcome = co_await std::move(asking);
      if (outcome.failure && says_nothing_of_peer(outcome.failure->error))
        co_return outcome.failure->error;
      const auto page = read(outcome, number, listing);
      if (!page) break;
      if (number == 1) listed = page->listed;
      listing.changed = listing.changed || page->listed != listed;
      for (const auto& one : page->queues) take(one, listing);
      if (page->queues.empty() || number >= page->pages) break;
      if (number == pages_max) {
        listing.is_cut = true;
        // The broker has left out what cannot be meant, if it filtered.
        listing.beyond += page->listed - std::min<std::uint64_t>(page->listed, number * page_size);
        break;
      }
    }
    co_return listing;
  }

  /// The page, or nothing where the list ends; the listing then says why, unless it is shorter now
  /// than it was.
  std::optional<RabbitmqPage> read(const HttpOutcome& outcome, std::size_t number,
                                   Listing& listing) const {
    if (outcome.failure) {
      listing.failure = outcome.failure->error.detail;
      return std::nullopt;
    }
    const auto& response = *outcome.response;
    if (number > 1 && response.status == 400 && is_beyond_last_page(response.body)) {
      listing.changed = true;
      return std::nullopt;
    }
    if (response.status < 200 || response.status > 299) {
      listing.failure = broker_.refused(response, broker_.vhost_words());
      return std::nullopt;
    }
    auto page = parse_rabbitmq_page(response.body);
    if (!page) {
      listing.failure = "the answer of " + broker_.place() + " " + page.error().detail;
      return std::nullopt;
    }
    return *std::move(page);
  }

  void take(const RabbitmqListed& one, Listing& listing) const {
    if (std::find(names_.begin(), names_.end(), one.name) != names_.end()) {
      listing.named.insert_or_assign(one.name, one.queue);
      note_matches(one.name, listing);
      return;
    }
    if (!note_matches(one.name, listing)) return;
    const auto last = std::lower_bound(watched_.begin(), watched_.end(), one.name);
    if (last != watched_.end() && *last == one.name)
      listing.still_there[static_cast<std::size_t>(last - watched_.begin())] = true;
    const auto [place, is_new] = listing.others.insert_or_assign(one.name, one.queue);
    if (!is_new || listing.others.size() <= queues_watched_max) return;
    listing.others.erase(std::prev(listing.others.end()));
    ++listing.beyond;
  }

  bool note_matches(const std::string& name, Listing& listing) const {
    bool any = false;
    for (std::size_t i = 0; i < globs_.size(); ++i) {
      if (!matches_wildcard(globs_[i], name)) continue;
      listing.has_match[i] = any = true;
    }
    return any;
  }

  void report(const Listing& listing, WallTime now, QueueGroupLook& look) {
    const bool is_whole = !listing.changed && !listing.is_cut;
    const auto add = [&](const std::string& name, const RabbitmqQueueReply& reply) {
      const auto reading = broker_.reading(reply, name, now);
      look.queues.push_back({name, reading ? std::optional{*reading} : std::nullopt});
    };
    for (const auto& name : names_) {
      const auto found = listing.named.find(name);
      if (found != listing.named.end())
        add(name, found->second);
      else if (is_whole)
        look.queues.push_back({name, RabbitmqBroker::down("there is no " + name_of(name))});
    }
    for (std::size_t i = 0; i < globs_.size() && is_whole; ++i)
      if (!listing.has_match[i]) look.unmatched.push_back(globs_[i]);
    look.unwatched = listing.beyond;
    std::vector<std::string> watched;
    for (const auto& [name, reply] : listing.others) {
      if (look.queues.size() + look.unmatched.size() == queues_watched_max) {
        ++look.unwatched;
        continue;
      }
      add(name, reply);
      watched.push_back(name);
    }
    if (!is_whole) return;
    for (std::size_t i = 0; i < watched_.size(); ++i)
      if (!listing.still_there[i]) look.gone.push_back(watched_[i]);
    watched_ = std::move(watched);
  }

  RabbitmqBroker broker_;
  std::vector<std::string> wanted_{};  ///< Names and globs, none twice.
  std::vector<std::string> names_{};
  std::vector<std::string> globs_{};
  std::string query_{};
  std::vector<std::string> watched_{};  ///< By globs, at the last whole listing; sorted.
};

}  // namespace

std::unique_ptr<QueueGroup> make_group(RabbitmqQueue params) {
  return std::make_unique<RabbitmqQueues>(params);
}

}  // namespace tocsin::checks
