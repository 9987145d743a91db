#include "checks/tcp.hpp"

#include <re2/re2.h>

#include "checks/net_samples.hpp"
#include "checks/reply_by.hpp"

namespace tocsin {
namespace {

using namespace checks;

/// Enough for any greeting.
constexpr std::size_t banner_bytes_max = 4096;

struct TcpParams {
  HostPort address{};
  std::string send{};
  std::optional<Pattern> expect{};
  std::optional<TlsParams> tls{};
  static constexpr auto fields() {
    return std::tuple{
        required_field("address", &TcpParams::address, "Where to connect: HOST:PORT."),
        field("send", &TcpParams::send, "What to say first, once connected."),
        field("expect", &TcpParams::expect, "What the answer must contain."),
        field("tls", &TcpParams::tls, "Speak TLS ({} for its defaults).")};
  }
};

enum : std::uint16_t {
  up,
  resolve_seconds,
  connect_seconds,
  tls_seconds,
  total_seconds,
  certificate_days
};

const std::vector<SampleSpec>& tcp_specs() {
  static const std::vector<SampleSpec> specs{
      {"up", Unit::none, "1 when it accepted the connection and answered as expected, else 0."},
      {"resolve_seconds", Unit::seconds, "Time to resolve the name."},
      {"connect_seconds", Unit::seconds, "Time to connect."},
      {"tls_seconds", Unit::seconds, "Time of the TLS handshake."},
      {"total_seconds", Unit::seconds, "Time of the whole."},
      {"certificate_days", Unit::days, "Days until a certificate of its chain ends."},
  };
  return specs;
}

class TcpCheck final : public Check {
 public:
  TcpCheck(std::string /*name*/, TcpParams params) : params_{std::move(params)} {
    if (params_.expect) expected_.emplace(params_.expect->text, RE2::Quiet);
  }

  std::span<const SampleSpec> specs() const override { return tcp_specs(); }

  Task<Samples> run(CheckContext& context) override {
    ConnectRequest request;
    request.address = params_.address;
    if (params_.tls) request.tls = params_.tls->options();
    request.send = params_.send;
    if (expected_) request.read_max = banner_bytes_max;
    request.deadline = reply_by(context);
    auto connecting = context.network.connect(std::move(request));
    const auto outcome = co_await std::move(connecting);
    if (outcome.failure && says_nothing_of_peer(outcome.failure->error))
      co_return outcome.failure->error;
    failure_.clear();
    if (outcome.failure)
      failure_ = outcome.failure->error.detail;
    else if (expected_ && !RE2::PartialMatch(outcome.answer, *expected_))
      failure_ = to_string(params_.address) + " answered " + quoted_answer(outcome.answer) +
                 ", which does not match /" + params_.expect->text + "/";
    const auto& times = outcome.failure ? outcome.failure->times : outcome.times;
    const auto& certificate = outcome.failure ? outcome.failure->certificate : outcome.certificate;
    Samples samples;
    samples.reserve(tcp_specs().size());
    put(samples, up, failure_.empty() ? 1 : 0);
    put_time(samples, resolve_seconds, times.resolve);
    put_time(samples, connect_seconds, times.connect);
    put_time(samples, tls_seconds, times.tls);
    put_time(samples, total_seconds, times.total);
    put_days(samples, certificate_days, certificate, context.clock.wall());
    co_return samples;
  }

  asio::awaitable<Evidence> evidence(CheckContext&) override {
    Evidence evidence;
    if (!failure_.empty()) {
      evidence.lines.push_back(failure_);
      evidence.probable_cause = failure_;
    }
    co_return evidence;
  }

 private:
  TcpParams params_;
  std::optional<RE2> expected_{};
  std::string failure_{};  ///< Why the last run found it down.
};

}  // namespace

CheckType tcp_check() {
  return check_type<TcpParams, TcpCheck>({
      .name = "tcp",
      .summary = "Whether an address accepts connections and answers as it should.",
      .samples = tcp_specs(),
      .default_critical = {"up < 1 for 2 of 3", "certificate_days < 3"},
      .example = "name: smtp\n"
                 "type: tcp\n"
                 "address: mail.internal:25\n"
                 "expect: ^220\n",
  });
}

}  // namespace tocsin
