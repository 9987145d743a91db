#include "checks/redis_errors.hpp"

#include "tocsin/base/text.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t words_characters_max = 160;

bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// Those whose first word is ERR, told apart by what Redis 2.8 to 7 write after it.
RedisRefusal classify_generic(std::string_view error) {
  if (holds(error, "invalid password")) return RedisRefusal::wrong_password;
  if (holds(error, "no password is set") || holds(error, "without any password configured"))
    return RedisRefusal::has_no_password;
  if (holds(error, "max number of clients")) return RedisRefusal::no_more_clients;
  if (holds(error, "no such key")) return RedisRefusal::no_such_key;
  if (holds(error, "unknown command") || holds(error, "unknown subcommand") ||
      holds(error, "Unknown subcommand"))
    return RedisRefusal::unknown_command;
  if (holds(error, "DB index is out of range") || holds(error, "invalid DB index") ||
      holds(error, "SELECT is not allowed in cluster mode"))
    return RedisRefusal::no_such_database;
  if (holds(error, "operation not permitted")) return RedisRefusal::wants_password;
  return RedisRefusal::other;
}

std::string meaning(RedisRefusal refusal, std::string_view command) {
  const std::string asked{command};
  switch (refusal) {
    case RedisRefusal::wants_password:
      return "wants a password and none is configured here";
    case RedisRefusal::wrong_password:
      return "refused the user name or password";
    case RedisRefusal::has_no_password:
      return "has no password, but one is configured here";
    case RedisRefusal::not_permitted:
      return "does not let this user run " + asked;
    case RedisRefusal::loading:
      return "is still loading its data from disk";
    case RedisRefusal::primary_down:
      return "is a replica that has lost its primary and serves no stale data";
    case RedisRefusal::cannot_save:
      return "takes no writes because it cannot save to disk";
    case RedisRefusal::busy:
      return "is held up by a script";
    case RedisRefusal::no_more_clients:
      return "takes no more clients";
    case RedisRefusal::protected_mode:
      return "takes local connections only (protected mode)";
    case RedisRefusal::moved:
      return "does not have the key, another node of its cluster does";
    case RedisRefusal::cluster_down:
      return "is in a cluster that is down";
    case RedisRefusal::wrong_type:
      return "holds another type under that key";
    case RedisRefusal::no_such_key:
      return "has no such key";
    case RedisRefusal::unknown_command:
      return "does not know " + asked;
    case RedisRefusal::no_such_database:
      return "has no such database";
    case RedisRefusal::other:
      return "answered " + asked + " with an error";
  }
  return "answered with an error";
}

}  // namespace

RedisRefusal classify_redis_error(std::string_view error) {
  const auto code = error.substr(0, error.find(' '));
  if (code == "NOAUTH") return RedisRefusal::wants_password;
  if (code == "WRONGPASS") return RedisRefusal::wrong_password;
  if (code == "NOPERM") return RedisRefusal::not_permitted;
  if (code == "LOADING") return RedisRefusal::loading;
  if (code == "MASTERDOWN") return RedisRefusal::primary_down;
  if (code == "MISCONF") return RedisRefusal::cannot_save;
  if (code == "BUSY") return RedisRefusal::busy;
  if (code == "DENIED") return RedisRefusal::protected_mode;
  if (code == "MOVED" || code == "ASK") return RedisRefusal::moved;
  if (code == "CLUSTERDOWN") return RedisRefusal::cluster_down;
  if (code == "WRONGTYPE") return RedisRefusal::wrong_type;
  return classify_generic(error);
}

bool is_ours(RedisRefusal refusal) {
  switch (refusal) {
    case RedisRefusal::not_permitted:
    case RedisRefusal::moved:
    case RedisRefusal::wrong_type:
    case RedisRefusal::unknown_command:
    case RedisRefusal::no_such_database:
      return true;
    case RedisRefusal::wants_password:
    case RedisRefusal::wrong_password:
    case RedisRefusal::has_no_password:
    case RedisRefusal::loading:
    case RedisRefusal::primary_down:
    case RedisRefusal::cannot_save:
    case RedisRefusal::busy:
    case RedisRefusal::no_more_clients:
    case RedisRefusal::protected_mode:
    case RedisRefusal::cluster_down:
    case RedisRefusal::no_such_key:
    case RedisRefusal::other:
      return false;
  }
  return false;
}

std::string describe_redis_error(std::string_view peer, std::string_view command,
                                 std::string_view error) {
  return std::string{peer} + " " + meaning(classify_redis_error(error), command) + ": " +
         cut_characters(clean_utf8(trim(error)), words_characters_max);
}

}  // namespace tocsin::checks
