#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tocsin/base/secret.hpp"
#include "tocsin/base/time.hpp"
#include "tocsin/check/registry.hpp"
#include "tocsin/config/fields.hpp"
#include "tocsin/model/rule.hpp"
#include "tocsin/net/url.hpp"

namespace tocsin::config {

enum class Unknown { alert, hold, ok };
enum class Scope { host, fleet };
enum class Region { us, eu };

struct OwnersSetting {
  std::string sre{}, developer{};
  static constexpr auto fields() {
    return std::tuple{
        field("sre", &OwnersSetting::sre, "The SRE issue owner: a name, @usergroup or e-mail."),
        field("developer", &OwnersSetting::developer, "The developer issue owner.")};
  }
  friend bool operator==(const OwnersSetting&, const OwnersSetting&) = default;
};

/// A check as configured: the common keys decoded, the type's own keys built into a Check.
struct CheckSetting {
  std::string name;
  std::string type;
  Duration every{};
  Duration timeout{};
  std::string topic;      ///< Never empty: default is the name.
  std::string component;  ///< Default: the name.
  std::map<std::string, std::string> labels{};
  std::vector<Rule> critical{}, warning{};  ///< Bound.
  std::optional<Rule> clear{};
  Unknown unknown{Unknown::alert};
  Scope scope{Scope::host};
  std::vector<std::string> depends_on{};
  OwnersSetting owner{};
  std::string runbook{}, dashboard{};
  Duration confirm_every{};
  std::shared_ptr<Check> check{};  ///< Built; on reload an unchanged check keeps the running one.
  std::string fingerprint{};  ///< Of everything above that the YAML said (secrets by digest): equal
                              ///< means unchanged.
  std::string shown{};        ///< The stanza for "config show", secrets as <secret>.
  Place place{};
};

struct HttpSetting {
  std::string listen{"127.0.0.1:9911"};
  std::string web_config{};
  static constexpr auto fields() {
    return std::tuple{field("listen", &HttpSetting::listen,
                            "Address and port of metrics and API. Port 0 takes any free port."),
                      field("web_config", &HttpSetting::web_config,
                            "A web configuration file in exporter-toolkit's format: TLS and basic "
                            "authentication.")};
  }
  friend bool operator==(const HttpSetting&, const HttpSetting&) = default;
};

struct SlackSetting {
  Secret token{};
  std::optional<Secret> app_token{};
  Url api_url{"https", "slack.com", 443, "/api/"};
  std::vector<std::string> invite{};
  std::string fallback_channel{};
  static constexpr auto fields() {
    return std::tuple{
        required_field("token", &SlackSetting::token, "The bot token (xoxb-…)."),
        field("app_token", &SlackSetting::app_token,
              "Not used yet: the app-level token (xapp-…) for Socket Mode."),
        field("api_url", &SlackSetting::api_url, "Where the Web API is; ends in a slash."),
        field("invite", &SlackSetting::invite,
              "Who joins every channel: e-mails, @usergroups or Slack ids."),
        field("fallback_channel", &SlackSetting::fallback_channel,
              "Where a thread is kept when channels may not be created.")};
  }
  friend bool operator==(const SlackSetting&, const SlackSetting&) = default;
};

struct PagerDutyService {
  Secret routing_key{};
  static constexpr auto fields() {
    return std::tuple{required_field("routing_key", &PagerDutyService::routing_key,
                                     "The integration key of the service (Events API v2).")};
  }
  friend bool operator==(const PagerDutyService&, const PagerDutyService&) = default;
};
struct PagerDutySetting {
  Region region{Region::us};
  std::optional<Url> events_url{};
  std::string web_url{};
  std::map<std::string, PagerDutyService> services{};
  std::string page{};
  Duration page_wait{std::chrono::seconds{2}};
  std::optional<Secret> api_token{};
  std::optional<Secret> webhook_secret{};
  static constexpr auto fields() {
    return std::tuple{
        field("region", &PagerDutySetting::region, "Which service region the account lives in."),
        field("events_url", &PagerDutySetting::events_url,
              "The whole URL of the enqueue endpoint, instead of a region."),
        field("web_url", &PagerDutySetting::web_url,
              "Where people see their pages, linked in the channel; default: the region's own."),
        required_field("services", &PagerDutySetting::services,
                       "The services that can be paged, by a name of yours."),
        required_field("page", &PagerDutySetting::page, "The service that incidents page first."),
        field("page_wait", &PagerDutySetting::page_wait,
              "How long a page waits for the channel's link."),
        field("api_token", &PagerDutySetting::api_token,
              "Not used yet: REST token, to learn of acknowledgements made there."),
        field("webhook_secret", &PagerDutySetting::webhook_secret,
              "Not used yet: secret of a V3 webhook subscription.")};
  }
  friend bool operator==(const PagerDutySetting&, const PagerDutySetting&) = default;
};

struct EscalationSetting {
  Duration after{};
  std::string page{};
  std::vector<std::string> invite{};
  static constexpr auto fields() {
    return std::tuple{
        required_field("after", &EscalationSetting::after, "Time since the incident opened."),
        field("page", &EscalationSetting::page, "PagerDuty service to page at this step."),
        field("invite", &EscalationSetting::invite, "Who is invited to the channel at this step.")};
  }
  friend bool operator==(const EscalationSetting&, const EscalationSetting&) = default;
};

struct IncidentsSetting {
  Duration group_wait{0};
  Duration recover_hold{std::chrono::minutes{2}};
  Duration reopen_window{std::chrono::hours{1}};
  Duration ack_expires{std::chrono::hours{1}};
  Duration remind_every{std::chrono::minutes{10}};
  Duration archive_after{std::chrono::hours{24}};
  OwnersSetting owners{};
  std::vector<EscalationSetting> escalation{};
  static constexpr auto fields() {
    return std::tuple{
        field("group_wait", &IncidentsSetting::group_wait,
              "How long a first alert waits for others before it opens."),
        field("recover_hold", &IncidentsSetting::recover_hold,
              "How long all alerts must stay recovered to resolve."),
        field("reopen_window", &IncidentsSetting::reopen_window,
              "A refire this soon after resolving reopens."),
        field("ack_expires", &IncidentsSetting::ack_expires,
              "An acknowledgement without an update expires after this."),
        field("remind_every", &IncidentsSetting::remind_every, "The reminder's period while open."),
        field("archive_after", &IncidentsSetting::archive_after,
              "Notice period between closing and archiving."),
        field("owners", &IncidentsSetting::owners,
              "Who owns incidents whose check names no owner."),
        field("escalation", &IncidentsSetting::escalation,
              "The escalation matrix, in order of time.")};
  }
  friend bool operator==(const IncidentsSetting&, const IncidentsSetting&) = default;
};

struct DefaultsSetting {
  Duration every{std::chrono::seconds{10}};
  Duration timeout{std::chrono::seconds{5}};
  static constexpr auto fields() {
    return std::tuple{
        field("every", &DefaultsSetting::every, "How often a check runs that does not say."),
        field("timeout", &DefaultsSetting::timeout,
              "When a run is cut off, for checks that do not say.")};
  }
  friend bool operator==(const DefaultsSetting&, const DefaultsSetting&) = default;
};

/// The whole configuration, typed. Const once loaded.
struct Settings {
  std::string environment{"production"};
  std::string timezone{"UTC"};
  std::string host{};  ///< Default: this host's name.
  std::string state_dir{"/var/lib/tocsin"};
  std::string proxy{};  ///< URL of an HTTP proxy for Slack and PagerDuty; default HTTPS_PROXY.
  HttpSetting http{};
  DefaultsSetting defaults{};
  std::optional<SlackSetting> slack{};
  std::optional<PagerDutySetting> pagerduty{};
  IncidentsSetting incidents{};
  std::vector<std::string> include{};
  std::vector<CheckSetting> checks{};
  std::vector<std::string>
      warnings{};  ///< What works but may not be meant: "scope: fleet behaves as host…".
  static constexpr auto fields() {
    return std::tuple{
        field("environment", &Settings::environment,
              "Where this host serves: production, staging…"),
        field("timezone", &Settings::timezone, "IANA zone for channel names and local times."),
        field("host", &Settings::host,
              "This host's name in incidents; default: the kernel's host name."),
        field("state_dir", &Settings::state_dir, "Where the store and the control socket live."),
        field("proxy", &Settings::proxy,
              "HTTP proxy for Slack and PagerDuty; default: HTTPS_PROXY and NO_PROXY."),
        field("http", &Settings::http, "The HTTP listener."),
        field("defaults", &Settings::defaults, "What checks inherit."),
        field("slack", &Settings::slack, "Slack; absent: the local room is the issue channel."),
        field("pagerduty", &Settings::pagerduty,
              "PagerDuty; absent: nobody is paged, and every incident says so."),
        field("incidents", &Settings::incidents, "How incidents behave."),
        field("include", &Settings::include, "More files with checks, by glob.")};
  }
};

/// Loads, includes, decodes and builds. Either Settings or every complaint of every file, with the
/// sources for excerpts.
struct Loaded {
  std::optional<Settings> settings{};
  std::vector<Complaint> complaints{};
  std::string
      report{};  ///< The complaints as people read them: place, path, sentence, source line, caret.
  /// Where the state lives, also when the file is faulty but says so; else empty.
  std::string state_dir{};
};
Loaded load_file(const std::string& path, const CheckRegistry& registry,
                 const SecretSource& secrets);
Loaded load_text(const std::string& file_name, const std::string& text,
                 const CheckRegistry& registry, const SecretSource& secrets);

/// Secrets of the real world: files (mode is checked), environment, $CREDENTIALS_DIRECTORY.
std::unique_ptr<SecretSource> system_secrets();
/// The configuration as it is in force, as YAML, secrets shown as <secret>.
std::string show(const Settings& settings);
/// JSON Schema (draft 2020-12) of the whole, from the same declarations.
std::string schema(const CheckRegistry& registry);
/// The fields of a check of any type, beside its own: for docs.
std::vector<FieldDoc> common_check_fields();

}  // namespace tocsin::config

template <>
struct tocsin::EnumWords<tocsin::config::Unknown> {
  static std::span<const std::pair<config::Unknown, std::string_view>> names();
};
template <>
struct tocsin::EnumWords<tocsin::config::Scope> {
  static std::span<const std::pair<config::Scope, std::string_view>> names();
};
template <>
struct tocsin::EnumWords<tocsin::config::Region> {
  static std::span<const std::pair<config::Region, std::string_view>> names();
};
