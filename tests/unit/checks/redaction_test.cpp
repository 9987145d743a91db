#include "checks/redaction.hpp"

#include <gtest/gtest.h>

namespace tocsin::checks {
namespace {

struct Case {
  const char* line;
  const char* shown;
};

TEST(Redaction, TakesAValueWhoseQuoteIsNeverClosed) {
  const Case cases[] = {
      {"login token=\"abc def", "login token=<redacted>"},
      {"login 'token'='abc def\nnext line", "login 'token'=<redacted>\nnext line"},
      {"password: \"", "password: <redacted>"},
      {"password='it's me' ok", "password=<redacted>"},
      {"token=\"abc api_key: \"def ghi\nnext", "token=<redacted>\nnext"},
  };
  for (const auto& [line, shown] : cases) EXPECT_EQ(redacted(line), shown);
}

TEST(Redaction, KnowsThatAValueMayBeMissing) {
  const Case cases[] = {
      {"token= api_key: \"abc def\" x", "token= api_key: <redacted> x"},
      {"token= 'token'='abc' x", "token= 'token'=<redacted> x"},
      {"password= token=abc x", "password= token=<redacted> x"},
      {"password=mytoken=abc x", "password=<redacted> x"},
      {"password=", "password="},
      {"password=, token=abc", "password=, token=<redacted>"},
      {"cookie: ; secret:abc", "cookie: ; secret:<redacted>"},
  };
  for (const auto& [line, shown] : cases) EXPECT_EQ(redacted(line), shown);
}

TEST(Redaction, LeavesWhatIsNoSecret) {
  const Case cases[] = {
      {"Failed password for root from 192.0.2.1", "Failed password for root from 192.0.2.1"},
      {R"({"password":"abc","user":"jane"})", R"({"password":<redacted>,"user":"jane"})"},
      {"authorization: basic abcd1234, user: jane", "authorization: <redacted>, user: jane"},
      {"", ""},
  };
  for (const auto& [line, shown] : cases) EXPECT_EQ(redacted(line), shown);
}

}  // namespace
}  // namespace tocsin::checks
