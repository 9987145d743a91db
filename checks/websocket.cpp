#include "checks/websocket.hpp"

#include <re2/re2.h>

#include <map>
#include <optional>

#include "checks/net_samples.hpp"
#include "checks/reply_by.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/net/websocket.hpp"

namespace tocsin {

/// A ws or wss URL; the URL inside says http or https.
struct WebSocketUrl {
  Url url{};
};
template <>
struct Codec<WebSocketUrl> {
  static bool read(const Node& node, WebSocketUrl& into, Decoding& decoding) {
    std::string text;
    if (!Codec<std::string>::read(node, text, decoding)) return false;
    const bool is_web_socket = starts_with(text, "ws://") || starts_with(text, "wss://");
    const auto url = parse_url(is_web_socket ? "http" + text.substr(2) : std::string{});
    if (url) into.url = *url;
    if (!url)
      decoding.complain(node, is_web_socket ? url.error().detail
                                            : "expected a URL that begins with ws:// or wss://");
    return static_cast<bool>(url);
  }
  static std::string show(const WebSocketUrl& value) {
    return quote_yaml("ws" + to_string(value.url).substr(4));
  }
  static std::string schema() { return R"({"type":"string","pattern":"^wss?://"})"; }
  static std::string type_name() { return "ws or wss URL"; }
};

namespace {

using namespace checks;

/// So many messages may come before the one that is waited for.
constexpr int messages_max = 1000;
constexpr std::size_t message_bytes_max = 1u << 20;

struct WebSocketParams {
  WebSocketUrl url{};
  std::map<std::string, std::string> headers{};
  std::string send{};
  std::optional<Pattern> expect{};
  TlsParams tls{};
  static constexpr auto fields() {
    using Self = WebSocketParams;
    return std::tuple{
        required_field("url", &Self::url, "What to open."),
        field("headers", &Self::headers, "Headers of the request to open it."),
        field("send", &Self::send, "A text message to send. Without send and expect: a ping."),
        field("expect", &Self::expect,
              "What a message must contain to be the answer; those before it are passed over. Left "
              "out: any message is."),
        field("tls", &Self::tls, "How the certificate is judged.")};
  }
};

enum : std::uint16_t {
  up,
  resolve_seconds,
  connect_seconds,
  tls_seconds,
  upgrade_seconds,
  round_trip_seconds,
  total_seconds,
  status,
  certificate_days
};

const std::vector<SampleSpec>& websocket_specs() {
  static const std::vector<SampleSpec> specs{
      {"up", Unit::none, "1 when it opened and the answer came, else 0."},
      {"resolve_seconds", Unit::seconds, "Time to resolve the name."},
      {"connect_seconds", Unit::seconds, "Time to connect."},
      {"tls_seconds", Unit::seconds, "Time of the TLS handshake."},
      {"upgrade_seconds", Unit::seconds, "Time from the request to open it to its answer."},
      {"round_trip_seconds", Unit::seconds,
       "Time from the ping to its pong, or from the message to its answer."},
      {"total_seconds", Unit::seconds, "Time of the whole."},
      {"status", Unit::none, "HTTP status of the answer; 101 when it opened."},
      {"certificate_days", Unit::days, "Days until a certificate of its chain ends."},
  };
  return specs;
}

class WebSocketCheck final : public Check {
 public:
  WebSocketCheck(std::string /*name*/, WebSocketParams params) : params_{std::move(params)} {
    if (params_.expect) expected_.emplace(params_.expect->text, RE2::Quiet);
  }

  std::span<const SampleSpec> specs() const override { return websocket_specs(); }

  Task<Samples> run(CheckContext& context) override {
    const auto began = context.clock.steady();
    WebSocketRequest request;
    request.url = params_.url.url;
    request.headers.assign(params_.headers.begin(), params_.headers.end());
    request.tls = params_.tls.options();
    request.message_bytes_max = message_bytes_max;
    request.deadline = reply_by(context);
    auto opening = context.network.websocket(std::move(request));
    auto opened = co_await std::move(opening);
    if (opened.failure && says_nothing_of_peer(opened.failure->error))
      co_return opened.failure->error;
    heard_.clear();
    failure_ = opened.failure ? opened.failure->error.detail : std::string{};
    std::optional<Duration> round_trip;
    if (opened.socket) {
      const auto asked = context.clock.steady();
      auto answering = answer(*opened.socket);
      const auto answered = co_await std::move(answering);
      if (!answered && answered.error().code == Errc::cancelled) co_return answered.error();
      if (answered)
        round_trip = context.clock.steady() - asked;
      else
        failure_ = answered.error().detail;
    }
    const auto& times = opened.failure ? opened.failure->times : opened.times;
    Samples samples;
    samples.reserve(websocket_specs().size());
    put(samples, up, failure_.empty() ? 1 : 0);
    put_time(samples, resolve_seconds, times.resolve);
    put_time(samples, connect_seconds, times.connect);
    put_time(samples, tls_seconds, times.tls);
    put_time(samples, upgrade_seconds, times.first_byte);
    put_time(samples, round_trip_seconds, round_trip);
    put_time(samples, total_seconds, context.clock.steady() - began);
    if (opened.status != 0) put(samples, status, opened.status);
    put_days(samples, certificate_days,
             opened.failure ? opened.failure->certificate : opened.certificate,
             context.clock.wall());
    co_return samples;
  }

  asio::awaitable<Evidence> evidence(CheckContext&) override {
    Evidence evidence;
    if (!failure_.empty()) evidence.lines.push_back(failure_);
    evidence.probable_cause = failure_;
    if (!failure_.empty() && !heard_.empty())
      evidence.lines.push_back("the last message: " + quoted_answer(heard_));
    for (auto& line : evidence.lines) line = cut_characters(line, limits::evidence_line_characters);
    co_return evidence;
  }

 private:
  Task<void> answer(WebSocket& socket) {
    if (params_.send.empty() && !expected_) {
      auto pinging = socket.ping();
      co_return co_await std::move(pinging);
    }
    if (!params_.send.empty()) {
      auto saying = socket.say(params_.send);
      const auto said = co_await std::move(saying);
      if (!said) co_return said;
    }
    for (int passed = 0; passed < messages_max; ++passed) {
      auto hearing = socket.hear();
      auto heard = co_await std::move(hearing);
      if (!heard)
        co_return heard.error().code == Errc::timed_out ? late(heard.error(), passed)
                                                        : heard.error();
      if (!expected_ || RE2::PartialMatch(*heard, *expected_)) co_return Result<void>{};
      heard_ = cut_bytes(*heard, 4096);
    }
    co_return Error{Errc::protocol, "none of " + std::to_string(messages_max) + " messages of " +
                                        socket.peer() + " matches /" + params_.expect->text + "/"};
  }

  /// What was waited for in vain.
  Error late(Error error, int passed) const {
    if (passed > 0)
      error.detail += "; " + std::to_string(passed) + (passed == 1 ? " message" : " messages") +
                      " came, none matches /" + params_.expect->text + "/";
    return error;
  }

  WebSocketParams params_;
  std::optional<RE2> expected_{};
  std::string failure_{};  ///< Why the last run found it down.
  std::string heard_{};    ///< The last message that was not the answer then.
};

void judge_params(const WebSocketParams& params, const Node& map, Decoding& decoding) {
  for (const auto& [name, value] : params.headers) {
    const bool good = !name.empty() && name.find_first_of(": \r\n") == std::string::npos &&
                      value.find_first_of("\r\n") == std::string::npos;
    if (good) continue;
    auto inner = decoding.at("headers");
    inner.complain(*map.find("headers"), "the header \"" + cut_characters(clean_utf8(name), 40) +
                                             "\" has a character in it that headers may not have");
  }
}

}  // namespace

CheckType websocket_check() {
  return check_type<WebSocketParams, WebSocketCheck>(
      {
          .name = "websocket",
          .summary = "Whether a WebSocket opens and answers a ping or a message, and how fast.",
          .samples = websocket_specs(),
          .default_critical = {"up < 1 for 2 of 3", "certificate_days < 3"},
          .example = "name: realtime\n"
                     "type: websocket\n"
                     "url: wss://realtime.example.com/socket\n"
                     "send: '{\"type\": \"echo\", \"text\": \"tocsin\"}'\n"
                     "expect: tocsin\n"
                     "warning: round_trip_seconds > 500ms for 3 of 5\n",
      },
      judge_params);
}

}  // namespace tocsin
