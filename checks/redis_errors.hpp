#pragma once

#include <string>
#include <string_view>

namespace tocsin::checks {

/// What a Redis server means by an error reply: its first word, and for those that only say ERR,
/// the rest.
enum class RedisRefusal {
  wants_password,    ///< NOAUTH: it has a password and was given none.
  wrong_password,    ///< WRONGPASS, or an older server's "invalid password".
  has_no_password,   ///< It was given a password and has none.
  not_permitted,     ///< NOPERM: the user may not run that command or touch that key.
  loading,           ///< LOADING: it reads its data from disk.
  primary_down,      ///< MASTERDOWN: a replica without its primary that serves no stale data.
  cannot_save,       ///< MISCONF: it cannot save and therefore takes no writes.
  busy,              ///< BUSY: a script or function holds it up.
  no_more_clients,   ///< It is at maxclients.
  protected_mode,    ///< DENIED: it has no password and takes local connections only.
  moved,             ///< MOVED or ASK: another node of the cluster has the key.
  cluster_down,      ///< CLUSTERDOWN.
  wrong_type,        ///< WRONGTYPE: the key holds something else.
  no_such_key,       ///< Of XINFO.
  unknown_command,   ///< Too old, or renamed.
  no_such_database,  ///< SELECT beyond `databases`, or in a cluster.
  other,
};

RedisRefusal classify_redis_error(std::string_view error);

/// Whether the refusal says that what is configured here is wrong, rather than that the server is
/// unwell.
bool is_ours(RedisRefusal refusal);

/// "redis-1:6379 refused the user name or password: WRONGPASS …": what it means, then the server's
/// own words. `command` is the first word of what it was asked.
std::string describe_redis_error(std::string_view peer, std::string_view command,
                                 std::string_view error);

}  // namespace tocsin::checks
