#include "checks/tls.hpp"

#include <algorithm>
#include <array>

#include "checks/net_samples.hpp"
#include "checks/reply_by.hpp"
#include "checks/starttls.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin {

template <>
struct EnumWords<checks::StartTls> {
  static std::span<const std::pair<checks::StartTls, std::string_view>> names() {
    using checks::StartTls;
    static constexpr std::array<std::pair<StartTls, std::string_view>, 7> words{
        {{StartTls::smtp, "smtp"},
         {StartTls::lmtp, "lmtp"},
         {StartTls::imap, "imap"},
         {StartTls::pop3, "pop3"},
         {StartTls::ftp, "ftp"},
         {StartTls::ldap, "ldap"},
         {StartTls::postgres, "postgres"}}};
    return words;
  }
};

namespace {

using namespace checks;

/// A certificate that ends within this is named as the cause: authorities renew about then.
constexpr auto soon = std::chrono::hours{24 * 30};

struct TlsCheckParams {
  std::optional<HostPort> address{};
  std::optional<StartTls> starttls{};
  std::string file{};
  std::string server_name{};
  std::string ca_file{};
  bool verify{true};
  static constexpr auto fields() {
    using Self = TlsCheckParams;
    return std::tuple{
        field("address", &Self::address, "The server: HOST:PORT. Either this or file."),
        field("starttls", &Self::starttls,
              "The protocol in which the server at the address is asked for TLS. Left out: TLS "
              "from the first byte."),
        field("file", &Self::file, "A file of PEM certificates, the server's own first."),
        field("server_name", &Self::server_name,
              "The name to ask for and to find in the certificate. Left out: the address's host; "
              "for a file, no name is looked for."),
        field("ca_file", &Self::ca_file,
              "PEM file of the authorities to trust. Left out: the system's; for a file, trust is "
              "not judged."),
        field("verify", &Self::verify,
              "Whether a certificate that is not trusted, or for another name, counts as down.")};
  }
};

enum : std::uint16_t {
  up,
  certificate_days,
  verified,
  name_matches,
  resolve_seconds,
  connect_seconds,
  tls_seconds,
  total_seconds
};

const std::vector<SampleSpec>& tls_specs() {
  static const std::vector<SampleSpec> specs{
      {"up", Unit::none,
       "1 when the server agrees to TLS and the handshake succeeds (the file can be read) and, "
       "with verify, "
       "the certificate is trusted and for that name; else 0."},
      {"certificate_days", Unit::days, "Days until the first certificate of the chain ends."},
      {"verified", Unit::none, "1 when the chain leads to an authority that is trusted here."},
      {"name_matches", Unit::none, "1 when the certificate is for the name that was asked for."},
      {"resolve_seconds", Unit::seconds, "Time to resolve the name."},
      {"connect_seconds", Unit::seconds, "Time to connect."},
      {"tls_seconds", Unit::seconds, "Time of the TLS handshake."},
      {"total_seconds", Unit::seconds, "Time of the whole."},
  };
  return specs;
}

std::string on_the_day(WallTime time) { return to_rfc3339(time).substr(0, 10); }

/// "ends in 2d 3h" or "ended 5h ago".
std::string end_of(WallTime end, WallTime now) {
  return end >= now ? "ends in " + describe(end - now) : "ended " + describe(now - end) + " ago";
}

class TlsCheck final : public Check {
 public:
  TlsCheck(std::string /*name*/, TlsCheckParams params) : params_{std::move(params)} {}

  std::span<const SampleSpec> specs() const override { return tls_specs(); }

  Task<Samples> run(CheckContext& context) override {
    if (!params_.address) co_return from_file(context);
    ConnectRequest request;
    request.address = *params_.address;
    request.tls = TlsOptions{params_.verify, params_.ca_file, params_.server_name, true};
    if (params_.starttls) request.before_tls = ask_for_tls(*params_.starttls);
    request.deadline = reply_by(context);
    auto connecting = context.network.connect(std::move(request));
    const auto outcome = co_await std::move(connecting);
    if (outcome.failure && says_nothing_of_peer(outcome.failure->error))
      co_return outcome.failure->error;
    certificate_ = outcome.failure ? outcome.failure->certificate : outcome.certificate;
    failure_ = outcome.failure ? outcome.failure->error.detail : judge(to_string(*params_.address));
    const auto& times = outcome.failure ? outcome.failure->times : outcome.times;
    auto samples = judged(context.clock.wall());
    if (!outcome.failure && certificate_) {
      put(samples, verified, certificate_->distrust.empty() ? 1 : 0);
      put(samples, name_matches, certificate_->wrong_name.empty() ? 1 : 0);
    }
    put_time(samples, resolve_seconds, times.resolve);
    put_time(samples, connect_seconds, times.connect);
    put_time(samples, tls_seconds, times.tls);
    put_time(samples, total_seconds, times.total);
    co_return samples;
  }

  asio::awaitable<Evidence> evidence(CheckContext& context) override {
    Evidence evidence;
    const auto now = context.clock.wall();
    if (!failure_.empty()) evidence.lines.push_back(failure_);
    evidence.probable_cause = failure_;
    if (!certificate_ || certificate_->chain.empty()) co_return evidence;
    const auto& chain = certificate_->chain;
    const auto first =
        std::min_element(chain.begin(), chain.end(),
                         [](const auto& a, const auto& b) { return a.not_after < b.not_after; });
    for (auto one = chain.begin(); one != chain.end(); ++one) {
      if (evidence.lines.size() == limits::evidence_lines) break;
      auto line = std::to_string(one - chain.begin() + 1) + ". " + one->subject + ", issued by " +
                  one->issuer + ", serial " + one->serial + ", " + end_of(one->not_after, now) +
                  " (" + on_the_day(one->not_after) + ")";
      if (one == first && chain.size() > 1) line += ": the first to end";
      evidence.lines.push_back(cut_characters(line, limits::evidence_line_characters));
    }
    if (failure_.empty() && first->not_after - now < soon)
      evidence.probable_cause =
          (first == chain.begin() ? "the certificate of " : "an authority's certificate behind ") +
          place() + ", " + first->subject + ", " + end_of(first->not_after, now) + " (" +
          on_the_day(first->not_after) + ")";
    co_return evidence;
  }

 private:
  std::string place() const { return params_.address ? to_string(*params_.address) : params_.file; }

  Result<Samples> from_file(CheckContext& context) {
    const auto now = context.clock.wall();
    std::string authorities;
    if (!params_.ca_file.empty()) {
      auto read = context.files.read(params_.ca_file);
      if (!read) return read.error();
      authorities = *std::move(read);
    }
    const auto text = context.files.read(params_.file);
    if (!text && text.error().code != Errc::missing) return text.error();
    certificate_.reset();
    if (!text) {
      failure_ = text.error().detail;
      return judged(now);
    }
    auto told = read_certificates(*text, params_.server_name, authorities, now);
    if (!told) {
      if (says_nothing_of_peer(told.error()) && told.error().code != Errc::malformed)
        return told.error();
      failure_ = params_.file + ": " + told.error().detail;
      return judged(now);
    }
    certificate_ = *std::move(told);
    failure_ = judge(params_.file);
    auto samples = judged(now);
    if (!authorities.empty()) put(samples, verified, certificate_->distrust.empty() ? 1 : 0);
    if (!params_.server_name.empty())
      put(samples, name_matches, certificate_->wrong_name.empty() ? 1 : 0);
    return samples;
  }

  /// What is wrong with the certificate, or nothing.
  std::string judge(const std::string& of) const {
    if (!params_.verify || !certificate_) return {};
    if (!certificate_->distrust.empty())
      return "the certificate of " + of + " is not to be trusted: " + certificate_->distrust;
    if (!certificate_->wrong_name.empty())
      return "the certificate of " + of + " does not fit: " + certificate_->wrong_name;
    return {};
  }

  Samples judged(WallTime now) const {
    Samples samples;
    samples.reserve(tls_specs().size());
    put(samples, up, failure_.empty() ? 1 : 0);
    put_days(samples, certificate_days, certificate_, now);
    return samples;
  }

  TlsCheckParams params_;
  std::optional<PeerCertificate> certificate_{};  ///< Of the last run.
  std::string failure_{};                         ///< Why the last run found it down.
};

void judge_params(const TlsCheckParams& params, const Node& map, Decoding& decoding) {
  if (params.starttls && !params.address) {
    auto inner = decoding.at("starttls");
    inner.complain(*map.find("starttls"), "a server is asked for TLS: this needs an address");
  }
  if (params.address.has_value() == params.file.empty()) {
    if (params.file.empty() || params.file.front() == '/') return;
    auto inner = decoding.at("file");
    return inner.complain(*map.find("file"), "expected an absolute path");
  }
  auto inner = decoding.at(params.address ? "file" : "address");
  const auto* node = map.find("file");
  inner.complain(node != nullptr ? *node : map,
                 "expected either address (HOST:PORT) or file, and not both");
}

}  // namespace

CheckType tls_check() {
  return check_type<TlsCheckParams, TlsCheck>(
      {
          .name = "tls",
          .summary =
              "How long the certificates of a server or of a file last, and whether they are "
              "trusted and for the right name.",
          .samples = tls_specs(),
          .default_critical = {"up < 1 for 2 of 3", "certificate_days < 3"},
          .default_warning = {"certificate_days < 14"},
          .example = "name: mail-certificate\n"
                     "type: tls\n"
                     "every: 10m\n"
                     "address: mail.example.com:25\n"
                     "starttls: smtp\n"
                     "critical: [up < 1 for 2 of 3, certificate_days < 7]\n",
      },
      judge_params);
}

}  // namespace tocsin
