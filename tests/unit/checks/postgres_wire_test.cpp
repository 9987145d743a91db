#include "checks/postgres_wire.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string>

namespace tocsin::checks {
namespace {

/// A library's socket and the server's end of it.
struct Ends {
  int library{-1};
  int server{-1};
  Ends() {
    std::array<int, 2> pair{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair.data()) != 0)
      throw std::runtime_error{"socketpair"};
    library = pair[0];
    server = pair[1];
  }
  ~Ends() {
    close(library);
    if (server >= 0) close(server);
  }
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;
};

std::string read_all(int socket) {
  std::string all;
  std::array<char, 65536> piece{};
  for (;;) {
    const auto came = recv(socket, piece.data(), piece.size(), MSG_DONTWAIT);
    if (came <= 0) return all;
    all.append(piece.data(), static_cast<std::size_t>(came));
  }
}

void say(int socket, const std::string& text) {
  ASSERT_EQ(send(socket, text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
}

TEST(PostgresWire, PassesOnBothWaysAndAPieceAtATime) {
  Ends ends;
  PostgresWire wire;
  EXPECT_FALSE(wire.serves(ends.library));
  ASSERT_TRUE(wire.interpose(ends.library));
  EXPECT_TRUE(wire.serves(ends.library));
  say(ends.library, "hello");
  EXPECT_EQ(read_all(ends.server), "") << "not yet";
  EXPECT_TRUE(wire.pass_on());
  EXPECT_EQ(read_all(ends.server), "hello");

  say(ends.server, std::string(50'000, 'x'));
  EXPECT_EQ(read_all(ends.library), "");
  wire.feed();
  EXPECT_EQ(wire.unread(), 16u << 10);
  EXPECT_EQ(read_all(ends.library).size(), 16u << 10) << "and no more, however much there is";
  EXPECT_EQ(wire.unread(), 0u);
  for (int i = 0; i < 5; ++i) wire.feed();
  EXPECT_EQ(read_all(ends.library).size(), 50'000u - (16u << 10));
  EXPECT_EQ(wire.received(), 50'000u);
}

TEST(PostgresWire, TellsOfTheEnd) {
  Ends ends;
  PostgresWire wire;
  ASSERT_TRUE(wire.interpose(ends.library));
  say(ends.server, "bye");
  close(ends.server);
  ends.server = -1;
  wire.feed();
  wire.feed();
  EXPECT_EQ(read_all(ends.library), "bye");
  std::array<char, 8> nothing{};
  EXPECT_EQ(recv(ends.library, nothing.data(), nothing.size(), MSG_DONTWAIT), 0);
  say(ends.library, "too late");
  EXPECT_TRUE(wire.pass_on());
}

TEST(PostgresWire, SaysTheLastWordsAndLetsGo) {
  Ends ends;
  {
    PostgresWire wire;
    ASSERT_TRUE(wire.interpose(ends.library));
    say(ends.library, "terminate");
  }
  EXPECT_EQ(read_all(ends.server), "terminate");
  std::array<char, 8> nothing{};
  EXPECT_EQ(recv(ends.server, nothing.data(), nothing.size(), MSG_DONTWAIT), 0) << "it is closed";
}

TEST(PostgresWire, HoldsWhatTheServerDoesNotTake) {
  Ends ends;
  PostgresWire wire;
  ASSERT_TRUE(wire.interpose(ends.library));
  const std::string much(100'000, 'y');
  std::string taken;
  // The server's side is full before long.
  while (wire.pass_on()) {
    const auto sent = send(ends.library, much.data(), much.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) taken.append(much, 0, static_cast<std::size_t>(sent));
    ASSERT_LT(taken.size(), 10u << 20);
  }
  std::string arrived;
  do {
    arrived += read_all(ends.server);
  } while (!wire.pass_on());
  arrived += read_all(ends.server);
  EXPECT_EQ(arrived.size(), taken.size());
}

TEST(PostgresWire, KnowsItsOwnDescriptor) {
  Ends ends;
  Ends others;
  PostgresWire wire;
  ASSERT_TRUE(wire.interpose(ends.library));
  // The library closed it and opened another of the same number.
  ASSERT_GE(dup3(others.library, ends.library, O_CLOEXEC), 0);
  EXPECT_FALSE(wire.serves(ends.library));
  EXPECT_FALSE(PostgresWire{}.interpose(-1));
}

}  // namespace
}  // namespace tocsin::checks
