#include "tocsin/net/basic_auth.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(BasicAuthorization, IsTheUserAndThePasswordInBase64) {
  // The first is RFC 7617's own example; the others end one, two and no bytes short of three.
  EXPECT_EQ(basic_authorization("Aladdin", Secret{"open sesame"}).reveal(),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ(basic_authorization("a", Secret{"b"}).reveal(), "Basic YTpi");
  EXPECT_EQ(basic_authorization("a", Secret{"bc"}).reveal(), "Basic YTpiYw==");
  EXPECT_EQ(basic_authorization("a", Secret{"bcd"}).reveal(), "Basic YTpiY2Q=");
  EXPECT_EQ(basic_authorization("", Secret{}).reveal(), "Basic Og==");
}

TEST(BasicAuthorization, HasNoLineBreakHoweverLongThePassword) {
  const auto value = basic_authorization("user", Secret{std::string(5000, 'x')});
  EXPECT_EQ(value.reveal().find('\n'), std::string::npos);
  EXPECT_EQ(value.reveal().size(), 6u + (5005u + 2u) / 3u * 4u);
}

}  // namespace
}  // namespace tocsin
