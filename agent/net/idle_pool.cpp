#include <algorithm>
#include <list>
#include <utility>

#include "agent/net/connection.hpp"

namespace tocsin::net {

struct IdlePool::State {
  struct Entry {
    std::string peer;
    std::shared_ptr<Connection> connection;
  };
  std::list<Entry> entries;  ///< Oldest first.

  void drop(const Connection* which) {
    entries.remove_if([which](const Entry& entry) { return entry.connection.get() == which; });
  }
};

IdlePool::IdlePool(DeadlineWatch& watch, std::size_t connections_max, Duration keep_for)
    : watch_{watch},
      connections_max_{connections_max},
      keep_for_{keep_for},
      state_{std::make_shared<State>()} {}

IdlePool::~IdlePool() { state_->entries.clear(); }

std::shared_ptr<Connection> IdlePool::take(const std::string& peer) {
  auto& entries = state_->entries;
  while (true) {
    // The youngest has the best chance of being alive.
    const auto found = std::find_if(entries.rbegin(), entries.rend(),
                                    [&](const State::Entry& entry) { return entry.peer == peer; });
    if (found == entries.rend()) return nullptr;
    const auto connection = std::move(found->connection);
    entries.erase(std::next(found).base());
    watch_.disarm(*connection);
    if (connection->rouse()) return connection;
  }
}

void IdlePool::give(std::string peer, std::shared_ptr<Connection> connection) {
  auto& entries = state_->entries;
  if (connections_max_ == 0) return;
  if (entries.size() >= connections_max_) entries.pop_front();
  watch_.arm(*connection, watch_.clock().steady() + keep_for_);
  connection->rest([weak = std::weak_ptr<State>{state_}, which = connection.get()] {
    if (const auto state = weak.lock()) state->drop(which);
  });
  entries.push_back({std::move(peer), std::move(connection)});
}

std::size_t IdlePool::size() const { return state_->entries.size(); }

}  // namespace tocsin::net
