#include "checks/dns.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <optional>

#include "checks/dns_query.hpp"
#include "checks/net_samples.hpp"
#include "checks/one_or_more.hpp"
#include "checks/reply_by.hpp"
#include "tocsin/base/limits.hpp"
#include "tocsin/base/text.hpp"

namespace tocsin {

template <>
struct EnumWords<checks::DnsType> {
  static std::span<const std::pair<checks::DnsType, std::string_view>> names() {
    using T = checks::DnsType;
    static constexpr std::array<std::pair<T, std::string_view>, 9> words{{{T::a, "A"},
                                                                          {T::aaaa, "AAAA"},
                                                                          {T::cname, "CNAME"},
                                                                          {T::mx, "MX"},
                                                                          {T::txt, "TXT"},
                                                                          {T::ns, "NS"},
                                                                          {T::srv, "SRV"},
                                                                          {T::ptr, "PTR"},
                                                                          {T::soa, "SOA"}}};
    return words;
  }
};

namespace {

using namespace checks;

/// As many as the C library asks (resolv.conf(5), MAXNS).
constexpr std::size_t resolvers_max = 3;
constexpr std::size_t name_length_max = 253;  // RFC 1035, without the last dot.
constexpr std::size_t records_shown = 6;
constexpr std::uint16_t dns_port = 53;

struct DnsParams {
  std::string query{};
  DnsType record{DnsType::a};
  std::optional<HostPort> server{};
  OneOrMore expect{};
  std::optional<Pattern> pattern{};
  static constexpr auto fields() {
    using Self = DnsParams;
    return std::tuple{
        required_field("query", &Self::query,
                       "What to ask for; an address when a PTR record is asked for."),
        field("record", &Self::record, "The type of record."),
        field("server", &Self::server,
              "The server to ask: HOST:PORT. Left out: the resolvers of this host, in turn."),
        field("expect", &Self::expect,
              "Records that must be among the answers, as zone files write them."),
        field("pattern", &Self::pattern, "What every record of the answer must match.")};
  }
};

enum : std::uint16_t { up, seconds, answers, response_code, ttl_seconds, servers_failed };

const std::vector<SampleSpec>& dns_specs() {
  static const std::vector<SampleSpec> specs{
      {"up", Unit::none, "1 when the answer came and is as expected, else 0."},
      {"seconds", Unit::seconds, "Time until the answer, those included that did not answer."},
      {"answers", Unit::none, "Records of that type in the answer."},
      {"response_code", Unit::none,
       "The answer's code: 0 no error, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED."},
      {"ttl_seconds", Unit::seconds, "The shortest time that a record of the answer may be kept."},
      {"servers_failed", Unit::none, "Servers that were asked in vain before one answered."},
  };
  return specs;
}

/// The resolvers of resolv.conf(5); this host's own when it names none.
std::vector<HostPort> resolvers_of(std::string_view text) {
  std::vector<HostPort> found;
  for (const auto line : split(text, '\n')) {
    const auto trimmed = trim(line);
    constexpr std::string_view key{"nameserver"};
    if (!starts_with(trimmed, key) || trimmed.size() == key.size()) continue;
    const auto address = trim(trimmed.substr(key.size()));
    if (!address.empty() && found.size() < resolvers_max)
      found.push_back({std::string{address}, dns_port});
  }
  if (found.empty()) found.push_back({"127.0.0.1", dns_port});
  return found;
}

class DnsCheck final : public Check {
 public:
  DnsCheck(std::string /*name*/, DnsParams params) : params_{std::move(params)} {
    if (params_.pattern) pattern_.emplace(params_.pattern->text, RE2::Quiet);
    asked_name_ = params_.record == DnsType::ptr ? reverse_name(params_.query) : params_.query;
    for (auto& wanted : params_.expect.values) wanted = plain_record(params_.record, wanted);
  }

  std::span<const SampleSpec> specs() const override { return dns_specs(); }

  Task<Samples> run(CheckContext& context) override {
    const auto began = context.clock.steady();
    const auto until = reply_by(context);
    silent_.clear();
    records_.clear();
    auto finding = servers(context, until);
    const auto found = co_await std::move(finding);
    if (!found && says_nothing_of_peer(found.error())) co_return found.error();
    std::optional<DnsAnswer> answer;
    if (!found) silent_.push_back(found.error().detail);
    const auto count = found ? found->size() : 0;
    for (std::size_t i = 0; i < count && !answer; ++i) {
      // What time is left is shared by those who were not asked yet.
      const auto now = context.clock.steady();
      const auto share = (until - now) / static_cast<std::int64_t>(count - i);
      const auto& server = (*found)[i];
      auto asking = ask_dns(context.network, context.clock,
                            {asked_name_, params_.record, server, now + share});
      auto told = co_await std::move(asking);
      if (!told && says_nothing_of_peer(told.error())) co_return told.error();
      if (!told) {
        silent_.push_back(told.error().detail);
      } else if (is_failure(told->code) && i + 1 < count) {
        silent_.push_back(code_sentence(to_string(server), told->code));
      } else {
        answer = *std::move(told);
        answered_by_ = to_string(server);
      }
    }
    failure_ = answer ? judge(*answer) : none_answered();
    co_return samples_of(answer, context.clock.steady() - began);
  }

  asio::awaitable<Evidence> evidence(CheckContext&) override {
    Evidence evidence;
    if (!failure_.empty()) evidence.lines.push_back(failure_);
    evidence.probable_cause = failure_;
    for (const auto& line : silent_)
      if (line != failure_) evidence.lines.push_back(line);
    if (!records_.empty()) evidence.lines.push_back(answered_by_ + " answered: " + listed());
    for (auto& line : evidence.lines) line = cut_characters(line, limits::evidence_line_characters);
    co_return evidence;
  }

 private:
  /// Whether another server is asked after such an answer, as the C library does.
  static bool is_failure(int code) { return code != 0 && code != 3; }

  Task<std::vector<HostPort>> servers(CheckContext& context, SteadyTime until) {
    if (!params_.server) {
      auto text = context.files.read("/etc/resolv.conf");
      if (!text && text.error().code != Errc::missing) co_return text.error();
      co_return resolvers_of(text ? *text : std::string{});
    }
    auto resolving = context.network.resolve(params_.server->host, until);
    const auto addresses = co_await std::move(resolving);
    if (!addresses) co_return addresses.error();
    std::vector<HostPort> found;
    for (const auto& address : *addresses)
      if (found.size() < resolvers_max) found.push_back({address, params_.server->port});
    co_return found;
  }

  std::string question() const {
    return params_.query + " (" + Codec<DnsType>::show(params_.record) + ")";
  }

  std::string none_answered() const {
    if (silent_.size() == 1) return "DNS question for " + question() + ": " + silent_.front();
    return "DNS question for " + question() + ": none of " + std::to_string(silent_.size()) +
           " servers answered; " + silent_.front();
  }

  std::string code_sentence(const std::string& server, int code) const {
    const auto says = server + " answered " + name_of_code(code) + " for " + question();
    switch (code) {
      case 2:
        return says + ": it could not find out, or does not trust what it found";
      case 3:
        return says + ": there is no such name";
      case 5:
        return says + ": it does not serve that name, or not to us";
    }
    return says;
  }

  /// What is not as expected, or nothing. Notes the records.
  std::string judge(const DnsAnswer& answer) {
    for (const auto& record : answer.records)
      if (record.type == static_cast<std::uint16_t>(params_.record)) records_.push_back(record);
    if (answer.code != 0) return code_sentence(answered_by_, answer.code);
    if (records_.empty())
      return answered_by_ + " knows no " + Codec<DnsType>::show(params_.record) + " record of " +
             params_.query;
    for (const auto& wanted : params_.expect.values) {
      const auto is_it = [&](const DnsRecord& record) { return record.text == wanted; };
      if (std::none_of(records_.begin(), records_.end(), is_it))
        return answered_by_ + " answered " + listed() + " for " + question() + ", and not " +
               wanted;
    }
    if (!pattern_) return {};
    for (const auto& record : records_)
      if (!RE2::PartialMatch(record.text, *pattern_))
        return answered_by_ + " answered " + record.text + " for " + question() +
               ", which does not match /" + params_.pattern->text + "/";
    return {};
  }

  std::string listed() const {
    std::string out;
    for (std::size_t i = 0; i < std::min(records_.size(), records_shown); ++i)
      out += (i == 0 ? "" : ", ") + records_[i].text;
    if (records_.size() > records_shown)
      out += " and " + std::to_string(records_.size() - records_shown) + " more";
    return out;
  }

  Samples samples_of(const std::optional<DnsAnswer>& answer, Duration took) const {
    Samples samples;
    samples.reserve(dns_specs().size());
    put(samples, up, failure_.empty() ? 1 : 0);
    put(samples, seconds, std::chrono::duration<double>(took).count());
    if (answer) {
      put(samples, answers, static_cast<double>(records_.size()));
      put(samples, response_code, answer->code);
    }
    const auto shortest =
        std::min_element(records_.begin(), records_.end(),
                         [](const auto& a, const auto& b) { return a.ttl < b.ttl; });
    if (shortest != records_.end()) put(samples, ttl_seconds, shortest->ttl);
    put(samples, servers_failed, static_cast<double>(silent_.size()));
    return samples;
  }

  DnsParams params_;
  std::string asked_name_;
  std::optional<RE2> pattern_{};
  std::string failure_{};              ///< Why the last run found it down.
  std::string answered_by_{};          ///< Who answered then.
  std::vector<std::string> silent_{};  ///< What is to be said of those who did not.
  std::vector<DnsRecord> records_{};   ///< Of the type that was asked for.
};

void judge_params(const DnsParams& params, const Node& map, Decoding& decoding) {
  const auto complain = [&](std::string_view key, std::string message) {
    auto inner = decoding.at(key);
    inner.complain(*map.find(key), std::move(message));
  };
  if (params.query.empty() || params.query.size() > name_length_max ||
      params.query.find_first_of(" \t@/:") != std::string::npos) {
    const bool is_address =
        params.record == DnsType::ptr && reverse_name(params.query) != params.query;
    if (!is_address) complain("query", "expected a name, as in www.example.com");
  }
}

}  // namespace

CheckType dns_check() {
  return check_type<DnsParams, DnsCheck>(
      {
          .name = "dns",
          .summary = "Whether a name is answered for, how fast, and with what it should be.",
          .samples = dns_specs(),
          .default_critical = {"up < 1 for 2 of 3"},
          .example = "name: shop-name\n"
                     "type: dns\n"
                     "query: shop.example.com\n"
                     "expect: 192.0.2.10\n",
      },
      judge_params);
}

}  // namespace tocsin
