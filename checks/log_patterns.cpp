#include "checks/log_patterns.hpp"

#include <algorithm>

namespace tocsin::checks {

std::span<const PatternSet> pattern_sets() {
  // The words are those that the programs write: OpenSSH's auth.c, Linux-PAM's pam_unix and
  // pam_faillock, sudo's logging.c, Postfix's and Exim's delivery log, and the reply codes of RFC
  // 5321 and RFC 3463.
  static const std::vector<PatternSet> sets{
      {"failed_logins",
       "Logins that were refused: many of them are somebody guessing.",
       {{"failed_logins",
         R"((?i)failed (password|publickey|keyboard-interactive\S*|none) for |authentication failure;|invalid user \S+ from |maximum authentication attempts exceeded)"},
        {"locked_accounts",
         R"((?i)consecutive login failures for user|account (temporarily )?locked)"}}},
      {"sudo_abuse",
       "People who try to become somebody they may not be.",
       {{"sudo_abuse",
         R"(user NOT in sudoers|incorrect password attempts?|command not allowed|sudo: .*authentication failure|FAILED SU \(to )"}}},
      {"mail_bounces",
       "Mail of ours that was refused or came back.",
       {{"mail_bounces", R"(status=bounced|\bdsn=5\.|\*\* \S+@\S+ .*: 5\d\d )"},
        {"mail_deferrals", R"(status=deferred|\bdsn=4\.|== \S+@\S+ )"}}},
      {"spam_complaints",
       "Receivers that take us for spammers, and people who complain of us.",
       {{"spam_complaints",
         R"((?i)(blocked|rejected|refused|listed).{0,80}(spamhaus|spamcop|barracuda|sorbs|blocklist|blacklist|dnsbl)|5\.7\.1.{0,120}(spam|reputation|policy)|feedback-type:\s*abuse|message (rejected|blocked|looks like).{0,40}spam)"}}},
      {"signup_failures",
       "People who wanted to sign up and could not.",
       {{"signup_failures",
         R"((?i)(sign[- _]?up|registration|trial)[a-z_ .:-]{0,40}(fail|error|exception|timed? ?out|rejected)|(fail\w*|error|exception)[a-z_ .:-]{0,40}(sign[- _]?up|registration|trial)|(post|put) \S*/(sign[-_]?up|register|trials?)\S* http/[0-9.]+" 5\d\d)"}}},
  };
  return sets;
}

const PatternSet* find_pattern_set(std::string_view name) {
  const auto sets = pattern_sets();
  const auto found =
      std::find_if(sets.begin(), sets.end(), [&](const auto& set) { return set.name == name; });
  return found == sets.end() ? nullptr : &*found;
}

bool is_pattern_name(std::string_view name) {
  constexpr std::size_t characters_most = 40;
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name.size() <= characters_most && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(), fits);
}

}  // namespace tocsin::checks
