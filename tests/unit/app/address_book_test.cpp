#include "agent/app/address_book.hpp"

#include <stdlib.h>

#include <filesystem>

#include <gtest/gtest.h>

namespace tocsin::app {
namespace {

class AddressBookTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "tocsin-book-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ + "/addresses"; }
  std::string folder_;
};

TEST_F(AddressBookTest, RemembersAcrossARestart) {
  AddressBook book{path()};
  book.keep("slack.com", "192.0.2.1");
  EXPECT_FALSE(std::filesystem::exists(path())) << "the book itself touches no disk";
  const auto text = book.take_unwritten();
  ASSERT_TRUE(text);
  book.write(*text);
  const AddressBook again{path()};
  EXPECT_EQ(again.find("slack.com"), "192.0.2.1");
  EXPECT_EQ(again.find("other.test"), std::nullopt);
}

TEST_F(AddressBookTest, IsWrittenOnlyWhenAnAddressChanged) {
  AddressBook book{path()};
  EXPECT_FALSE(book.take_unwritten());
  book.keep("slack.com", "192.0.2.1");
  EXPECT_TRUE(book.take_unwritten());
  book.keep("slack.com", "192.0.2.1");
  EXPECT_FALSE(book.take_unwritten());
  book.keep("slack.com", "192.0.2.2");
  EXPECT_EQ(book.take_unwritten(), "slack.com 192.0.2.2\n");
}

TEST_F(AddressBookTest, IsBounded) {
  AddressBook book{path()};
  for (std::size_t i = 0; i < AddressBook::hosts_most + 5; ++i)
    book.keep("host" + std::to_string(i) + ".test", "192.0.2.1");
  EXPECT_EQ(book.find("host" + std::to_string(AddressBook::hosts_most) + ".test"), std::nullopt);
}

TEST_F(AddressBookTest, AFolderThatTakesNoFileCostsNothing) {
  AddressBook book{folder_ + "/absent/addresses"};
  book.keep("slack.com", "192.0.2.1");
  book.write(*book.take_unwritten());
  EXPECT_EQ(book.find("slack.com"), "192.0.2.1");
}

}  // namespace
}  // namespace tocsin::app
