#include "checks/mysql_replica.hpp"

#include <algorithm>

#include "checks/words.hpp"
#include "tocsin/base/text.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t channels_max = 16;
constexpr std::size_t error_characters = 220;
constexpr std::size_t head_characters = 80;

class Row {
 public:
  Row(const MysqlRows& rows, std::size_t at) : rows_{rows}, at_{at} {}
  /// By its old name or its new one.
  std::string text(std::string_view old_name, std::string_view new_name) const {
    const auto* found = rows_.find(at_, new_name);
    if (found == nullptr) found = rows_.find(at_, old_name);
    return found == nullptr ? std::string{} : *found;
  }
  std::string text(std::string_view name) const { return text(name, name); }
  std::optional<double> number(std::string_view old_name, std::string_view new_name) const {
    return to_real(text(old_name, new_name));
  }

 private:
  const MysqlRows& rows_;
  std::size_t at_;
};

std::string error_of(const Row& row, const std::string& number, const std::string& words) {
  const auto code = row.text(number);
  const auto text = clean_utf8(row.text(words));
  if ((code.empty() || code == "0") && text.empty()) return {};
  auto out = "error " + (code.empty() ? "?" : code) + ": " + cut_characters(text, error_characters);
  std::replace(out.begin(), out.end(), '\n', ' ');
  return out;
}

std::optional<double> bytes_behind(const Row& row) {
  const auto read_log = row.text("Master_Log_File", "Source_Log_File");
  const auto applied_log = row.text("Relay_Master_Log_File", "Relay_Source_Log_File");
  const auto read = row.number("Read_Master_Log_Pos", "Read_Source_Log_Pos");
  const auto applied = row.number("Exec_Master_Log_Pos", "Exec_Source_Log_Pos");
  if (read_log.empty() || read_log != applied_log || !read || !applied) return std::nullopt;
  return std::max(0.0, *read - *applied);
}

MysqlChannel channel_of(const Row& row) {
  MysqlChannel channel;
  channel.name = clean_utf8(row.text("Connection_name", "Channel_Name"));
  channel.source = clean_utf8(row.text("Master_Host", "Source_Host")) + ":" +
                   clean_utf8(row.text("Master_Port", "Source_Port"));
  channel.io_state = clean_utf8(row.text("Slave_IO_Running", "Replica_IO_Running"));
  channel.sql_state = clean_utf8(row.text("Slave_SQL_Running", "Replica_SQL_Running"));
  channel.seconds_behind = row.number("Seconds_Behind_Master", "Seconds_Behind_Source");
  channel.bytes_behind = bytes_behind(row);
  channel.io_error = error_of(row, "Last_IO_Errno", "Last_IO_Error");
  channel.sql_error = error_of(row, "Last_SQL_Errno", "Last_SQL_Error");
  channel.delay_seconds = to_real(row.text("SQL_Delay")).value_or(0);
  return channel;
}

std::string named(const MysqlChannel& channel) {
  return "replication from " + channel.source +
         (channel.name.empty() ? std::string{} : " (" + channel.name + ")");
}

std::string stop_of(const MysqlChannel& channel) {
  std::string out = named(channel);
  if (channel.io_state != "Yes" && channel.sql_state != "Yes")
    out += " is stopped";
  else if (channel.sql_state != "Yes")
    out += " receives and does not apply";
  else
    out += channel.io_state == "Connecting" ? " cannot connect to its source"
                                            : " does not receive (it applies what it has)";
  if (!channel.sql_error.empty()) return out + ": " + channel.sql_error;
  if (!channel.io_error.empty()) return out + ": " + channel.io_error;
  return out + ": IO thread " + channel.io_state + ", SQL thread " + channel.sql_state +
         ", no error: somebody stopped it";
}

/// The largest of what every channel knows; nothing when one does not know.
template <class Read>
std::optional<double> largest(const std::vector<MysqlChannel>& channels, const Read& read) {
  std::optional<double> most;
  for (const auto& channel : channels) {
    const std::optional<double> one = read(channel);
    if (!one) return std::nullopt;
    most = std::max(most.value_or(*one), *one);
  }
  return most;
}

}  // namespace

bool MysqlReplica::running() const {
  return std::all_of(channels.begin(), channels.end(),
                     [](const auto& channel) { return channel.running(); });
}

std::optional<double> MysqlReplica::lag_seconds() const {
  if (!running()) return std::nullopt;
  return largest(channels, [](const auto& channel) { return channel.seconds_behind; });
}

std::optional<double> MysqlReplica::lag_bytes() const {
  return largest(channels, [](const auto& channel) { return channel.bytes_behind; });
}

std::vector<std::string> MysqlReplica::lines() const {
  std::vector<std::string> out;
  for (const auto& channel : channels) {
    if (!channel.running()) {
      out.push_back(stop_of(channel));
      continue;
    }
    if (channel.seconds_behind.value_or(1) <= 0) continue;
    auto line = named(channel) + " is " +
                (channel.seconds_behind
                     ? describe_quantity(*channel.seconds_behind, Unit::seconds) + " behind"
                     : std::string{"behind by an unknown time"});
    if (channel.delay_seconds > 0)
      line += ", " + describe_quantity(channel.delay_seconds, Unit::seconds) + " of it on purpose";
    if (channel.bytes_behind)
      line += ", " + describe_quantity(*channel.bytes_behind, Unit::bytes) + " to apply";
    out.push_back(std::move(line));
  }
  return out;
}

std::string MysqlReplica::trouble() const {
  for (const auto& channel : channels)
    if (!channel.running()) return stop_of(channel);
  return {};
}

MysqlReplica read_replica(const MysqlRows& status) {
  MysqlReplica replica;
  const auto count = std::min(status.rows.size(), channels_max);
  for (std::size_t i = 0; i < count; ++i) replica.channels.push_back(channel_of(Row{status, i}));
  return replica;
}

std::string mysql_statement_head(std::string_view statement) {
  std::string out;
  char quote = 0;
  const auto text = clean_utf8(statement.substr(0, 4 * head_characters));
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == '\\') ++i;
      if (c == quote) quote = 0, out += c;
      continue;
    }
    const bool blank = c == ' ' || c == '\n' || c == '\t';
    if (blank && (out.empty() || out.back() == ' ')) continue;
    out += blank ? ' ' : c;
    if (c == '\'' || c == '"') quote = c, out += "…";
  }
  return cut_characters(trim(out), head_characters);
}

}  // namespace tocsin::checks
