#include <set>

#include <gmock/gmock.h>

#include "agent/notify/pagerduty_notifier.hpp"
#include "agent/notify/slack_notifier.hpp"
#include "tests/unit/notify/stage.hpp"

// One suite that every notifier passes: whatever comes back over the wire, the outcome is of the
// declared class, nothing is thrown, and no secret is in any text.
namespace tocsin::notify {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string secret = "xoxb-0123456789-abcdefabcdef0123";

/// A notifier under test, and what it owes: the class of each status for one draft.
struct Subject {
  std::string name;
  std::function<std::unique_ptr<Notifier>(Network&, Clock&)> make;
  std::vector<std::pair<std::string, DraftBody>> bodies;
  std::function<std::string(int status)> class_of_status;
  std::string class_of_cut_after;   ///< Bytes went out, no answer came.
  std::string class_of_strange_ok;  ///< HTTP 200 that is not the vendor's.
};

std::unique_ptr<Notifier> make_slack(Network& network, Clock& clock) {
  SlackOptions options;
  options.token = Secret{secret + "\n"};  // As read from a file that an editor wrote.
  return std::make_unique<SlackNotifier>(network, clock, std::move(options));
}

std::unique_ptr<Notifier> make_pagerduty(Network& network, Clock& clock) {
  PagerDutyOptions options;
  options.routing_keys.emplace("sre", Secret{secret});
  return std::make_unique<PagerDutyNotifier>(network, clock, std::move(options));
}

// Written out here on their own, so that a slip in the program's tables shows.
std::string slack_status(int status) {
  const std::set<int> halts{401, 402, 403, 404, 405, 407, 410};
  const std::set<int> later{421, 423, 425, 429};
  if (halts.contains(status)) return "halt";
  if (later.contains(status) || (status >= 300 && status < 400)) return "retry";
  if (status < 300 || status == 408 || status >= 500) return "retry, perhaps done";
  return "rejected";
}

std::string pagerduty_status(int status) {
  const std::set<int> halts{401, 402, 403, 404, 405, 407, 410};
  const std::set<int> later{408, 421, 423, 425, 429};
  if (status == 202) return "delivered";
  if (halts.contains(status)) return "halt";
  if (status < 300 || status >= 500) return "retry, perhaps done";
  if (later.contains(status) || status < 400) return "retry";
  return "rejected";
}

Subject slack_subject() {
  return {"slack",
          make_slack,
          {{"create", sample_channel()},
           {"purpose", DraftSetPurpose{"tocsin:01jd3k7m-x7q2p"}},
           {"topic", DraftSetTopic{"nginx"}},
           {"summary", sample_summary()},
           {"pin", DraftPin{}},
           {"bookmark", DraftBookmark{"runbook", "https://runbooks.example.com/nginx"}},
           {"invite", DraftInvite{{"jane@example.com"}}},
           {"invite_group", DraftInvite{{"@sre"}}},
           {"invite_id", DraftInvite{{"U0123456"}}},
           {"post", DraftPost{"hello"}},
           {"archive", DraftArchive{}}},
          slack_status,
          "retry, perhaps done",
          "retry, perhaps done"};
}

Subject pagerduty_subject() {
  return {"pagerduty",
          make_pagerduty,
          {{"trigger", sample_page()},
           {"acknowledge", DraftAcknowledge{"sre", "tocsin/key/g1"}},
           {"resolve", DraftResolve{"sre", "tocsin/key/g1"}}},
          pagerduty_status,
          "retry, perhaps done",
          "retry, perhaps done"};
}

class Conformance : public ::testing::TestWithParam<Subject> {
 protected:
  /// One attempt of one draft against one script, on a fresh notifier.
  Delivery outcome(const DraftBody& body, ScriptedNetwork::Script script) {
    network_.script = std::move(script);
    network_.seen.clear();
    const auto notifier = GetParam().make(network_, clock_);
    auto delivery =
        attempt(loop_, clock_, *notifier, draft_of(body, live_channel(), clock_.wall()));
    EXPECT_THAT(texts_of(delivery), Not(HasSubstr(secret)));
    EXPECT_FALSE(network_.seen.empty()) << "nothing was asked";
    return delivery;
  }
  void expect_all(const std::string& expected, const ScriptedNetwork::Script& script) {
    for (const auto& [name, body] : GetParam().bodies) {
      SCOPED_TRACE(name);
      const auto delivery = outcome(body, script);
      EXPECT_EQ(class_of(delivery), expected) << texts_of(delivery);
    }
  }

  asio::io_context loop_{};
  fakes::ManualClock clock_{};
  ScriptedNetwork network_{[](const HttpRequest&) { return answered(500, ""); }};
};

TEST_P(Conformance, EveryStatusHasItsClass) {
  for (int status = 200; status <= 599; ++status) {
    SCOPED_TRACE(status);
    expect_all(GetParam().class_of_status(status), [status](const HttpRequest&) {
      return answered(status, "<html>the token was " + secret + "</html>", {{"x-echo", secret}});
    });
  }
}

TEST_P(Conformance, RetryAfterIsHonoured) {
  for (const auto& [name, body] : GetParam().bodies) {
    SCOPED_TRACE(name);
    const auto delivery = outcome(body, [](const HttpRequest&) {
      return answered(429, "", {{"retry-after", "37"}});
    });
    ASSERT_TRUE(std::holds_alternative<Retry>(delivery));
    EXPECT_EQ(std::get<Retry>(delivery).no_sooner, Duration{std::chrono::seconds{37}});
  }
}

TEST_P(Conformance, NonsenseInRetryAfterIsIgnored) {
  for (const std::string value : {"", "soon", "-3", "12.5", "Wed, 21 Oct 2026 07:28:00 GMT"}) {
    SCOPED_TRACE(value);
    const auto delivery = outcome(GetParam().bodies.front().second, [&](const HttpRequest&) {
      return answered(429, "", {{"retry-after", value}});
    });
    EXPECT_EQ(std::get<Retry>(delivery).no_sooner, std::nullopt);
  }
}

TEST_P(Conformance, ARetryAfterWithoutBoundIsBounded) {
  const auto delivery = outcome(GetParam().bodies.front().second, [](const HttpRequest&) {
    return answered(429, "", {{"retry-after", "99999999999999999999999"}});
  });
  const auto wait = std::get<Retry>(delivery).no_sooner;
  ASSERT_TRUE(wait);
  EXPECT_LE(*wait, Duration{std::chrono::hours{1}});
}

TEST_P(Conformance, AnUnresolvedNameIsRetried) {
  expect_all("retry", [](const HttpRequest&) {
    return failed(NetPhase::resolve, Errc::unresolved, false,
                  "resolve failed, header Bearer " + secret);
  });
}

TEST_P(Conformance, ARefusedConnectionIsRetried) {
  expect_all("retry", [](const HttpRequest&) {
    return failed(NetPhase::connect, Errc::unreachable, false,
                  "connect failed: Connection refused");
  });
}

TEST_P(Conformance, ATimeoutBeforeSendingIsRetried) {
  expect_all("retry", [](const HttpRequest&) {
    return failed(NetPhase::connect, Errc::timed_out, false, "connect failed: no answer in time");
  });
}

TEST_P(Conformance, AConnectionCutBeforeTheCommitIsRetried) {
  expect_all("retry", [](const HttpRequest&) {
    return failed(NetPhase::send, Errc::disconnected, false, "the connection was closed");
  });
}

TEST_P(Conformance, AConnectionCutAfterTheCommitIsInDoubt) {
  expect_all(GetParam().class_of_cut_after, [](const HttpRequest&) {
    return failed(NetPhase::first_byte, Errc::disconnected, true, "closed before answering");
  });
}

TEST_P(Conformance, SilenceAfterSendingIsInDoubt) {
  expect_all(GetParam().class_of_cut_after, [](const HttpRequest&) {
    return failed(NetPhase::first_byte, Errc::timed_out, true, "no answer in time");
  });
}

TEST_P(Conformance, ASlowBodyIsInDoubt) {
  expect_all(GetParam().class_of_cut_after, [](const HttpRequest&) {
    return failed(NetPhase::body, Errc::timed_out, true, "the answer did not end in time");
  });
}

TEST_P(Conformance, AHugeBodyIsInDoubt) {
  expect_all(GetParam().class_of_cut_after, [](const HttpRequest&) {
    return failed(NetPhase::body, Errc::too_large, true, "the answer is larger than 1048576 bytes");
  });
}

TEST_P(Conformance, ACertificateThatIsNotTrustedHalts) {
  expect_all("halt", [](const HttpRequest&) {
    return failed(NetPhase::tls, Errc::tls, false,
                  "TLS handshake failed: certificate expired 2 days ago");
  });
}

TEST_P(Conformance, AHandshakeThatIsCutIsRetried) {
  expect_all("retry", [](const HttpRequest&) {
    return failed(NetPhase::tls, Errc::disconnected, false, "closed during the handshake");
  });
}

TEST_P(Conformance, AProxyThatRefusesUsHalts) {
  expect_all("halt", [](const HttpRequest&) {
    return failed(NetPhase::proxy, Errc::refused, false, "the proxy answered 407");
  });
}

TEST_P(Conformance, ASuccessThatIsNotTheVendorsIsNotBelieved) {
  const std::vector<std::string> bodies{"",
                                        "<html>welcome to the hotel</html>",
                                        "[]",
                                        "null",
                                        "\"ok\"",
                                        "{",
                                        "{\"status\":\"ok\"}",
                                        "{\"ok\":\"true\"}",
                                        "\xff\xfe",
                                        std::string(100, '[')};
  for (const auto& text : bodies) {
    SCOPED_TRACE(text);
    expect_all(GetParam().class_of_strange_ok,
               [&](const HttpRequest&) { return answered(200, text); });
  }
}

TEST_P(Conformance, NoOutcomeAtAllIsNoSuccess) {
  for (const auto& [name, body] : GetParam().bodies) {
    SCOPED_TRACE(name);
    const auto delivery = outcome(body, [](const HttpRequest&) { return HttpOutcome{}; });
    EXPECT_TRUE(std::holds_alternative<Retry>(delivery));
  }
}

TEST_P(Conformance, AnAnswerThatEchoesTheSecretDoesNotSpreadIt) {
  const std::vector<std::string> echoes{
      R"({"ok":false,"error":")" + secret + R"("})",
      R"({"ok":false,"error":"missing_scope","needed":")" + secret + R"("})",
      R"({"ok":false,"error":"invalid_blocks","response_metadata":{"messages":[")" + secret +
          R"("]}})",
      R"({"ok":false,"error":"user_not_found","errors":[{"user":")" + secret +
          R"(","ok":false,"error":")" + secret + R"("}]})",
      R"({"status":"invalid event","message":"bad )" + secret + R"(","errors":["key )" + secret +
          R"("]})",
  };
  for (const int status : {200, 400, 403, 500}) {
    for (const auto& text : echoes) {
      for (const auto& [name, body] : GetParam().bodies) {
        SCOPED_TRACE(name + " " + text);
        outcome(body, [&](const HttpRequest&) { return answered(status, text); });
      }
    }
  }
}

TEST_P(Conformance, TestingProvesReachabilityOrSaysWhatIsWrong) {
  for (const int status : {200, 202, 302, 400, 401, 403, 404, 429, 500, 503}) {
    SCOPED_TRACE(status);
    network_.script = [status](const HttpRequest&) {
      return answered(status,
                      R"({"ok":true,"user":"tocsin","team":"T","url":")" + secret + R"("})");
    };
    const auto notifier = GetParam().make(network_, clock_);
    const auto proof =
        run(loop_, clock_, notifier->test(clock_.steady() + limits::delivery_timeout));
    EXPECT_EQ(static_cast<bool>(proof), status == (GetParam().name == "slack" ? 200 : 202));
    EXPECT_THAT(proof ? *proof : proof.error().detail, Not(HasSubstr(secret)));
    EXPECT_NE(proof ? *proof : proof.error().detail, "");
  }
}

TEST_P(Conformance, RequestsGoAsAReceiverShould) {
  for (const auto& [name, body] : GetParam().bodies) {
    SCOPED_TRACE(name);
    outcome(body, [](const HttpRequest&) { return answered(503, ""); });
    const auto& request = network_.seen.front();
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.reuse, Reuse::keep_alive);
    EXPECT_TRUE(request.through_proxy);
    EXPECT_TRUE(request.last_good_address);
    EXPECT_TRUE(request.tls.verify);
    EXPECT_EQ(request.deadline, clock_.steady() + limits::delivery_timeout);
    EXPECT_THAT(request.url.target, Not(HasSubstr(secret)));
  }
}

INSTANTIATE_TEST_SUITE_P(Notifiers, Conformance,
                         ::testing::Values(slack_subject(), pagerduty_subject()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace tocsin::notify
