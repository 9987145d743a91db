#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checks/mysql_dsn.hpp"
#include "checks/named_queries.hpp"
#include "checks/side_stack.hpp"
#include "tocsin/net/network.hpp"

struct st_mysql;
struct st_mysql_res;

namespace tocsin::checks {

/// One connection of libmariadb and the call that is under way on it, one at a time. The calls do
/// not block: each step says what the socket must be ready for before the next, or that the call
/// has ended. Loop only.
///
/// libmariadb's non-blocking calls leave a gap: during a TLS handshake it puts the socket into
/// blocking mode and polls it itself. So the socket is put back as soon as the first packet goes
/// out, and the handshake runs on a side stack that its polling leaves instead.
class MysqlCall {
 public:
  /// How far connecting came: what it was waiting for when it failed.
  enum class Stage {
    connect,         ///< TCP, or the unix socket.
    greeting,        ///< The server's first packet.
    tls,             ///< The handshake.
    authentication,  ///< The verdict on our credentials.
    ready,           ///< Connected; what fails now is a statement.
  };
  /// What comes in over one connection at most; then it is cut.
  static constexpr std::size_t bytes_max = 4u << 20;
  /// The largest packet (row) that is taken in.
  static constexpr std::size_t packet_bytes_max = 1u << 20;

  /// `address`: what the host was resolved to; empty for a unix socket. The DSN must outlive it.
  MysqlCall(const MysqlDsn& dsn, std::string address);
  /// Brings what is under way to its end and closes: with a goodbye when all went well, else at
  /// once.
  ~MysqlCall();
  MysqlCall(const MysqlCall&) = delete;
  MysqlCall& operator=(const MysqlCall&) = delete;

  /// Each begins a call and makes its first step. True: it has ended; false: wait for `wanted()`,
  /// then `proceed()`.
  bool begin_connect();
  bool begin_query(std::string statement);  ///< Rows, if any, are then fetched one by one.
  bool begin_row();
  bool proceed();
  Readiness wanted() const;
  int descriptor() const;
  /// The deadline has passed: ends the call that is under way, which then has failed. The
  /// connection is of no use afterwards.
  void give_up();

  // What the call that ended came to.
  bool failed() const { return failed_; }
  unsigned number() const;    ///< Of the fault, as servers and client libraries count them.
  std::string words() const;  ///< Of the fault, as the server or the library put it.
  bool has_result() const { return result_ != nullptr; }
  std::vector<std::string> columns() const;
  /// The row that was fetched; nothing after the last.
  std::optional<std::vector<Cell>> row() const;
  /// Drops the result; when rows of it are left, the connection is cut.
  void drop_result();

  Stage stage() const { return stage_; }
  /// It was cut because TLS is wanted and the server offers none.
  bool plain_only() const { return plain_only_; }
  bool flooded() const { return bytes_ > bytes_max; }  ///< It was cut for sending too much.
  std::string server_version() const;

 private:
  enum class Operation { none, connect, query, row };
  struct Hooks;
  static void run_connect(void* self);
  void configure();
  void configure_tls();
  bool advance(int occurred);
  int step(int occurred);
  int step_connect(int occurred);
  void finish();
  void cut();
  void note_stage(int events);
  void read_greeting(std::string_view piece);

  static constexpr std::size_t greeting_bytes_max = 512;

  const MysqlDsn& dsn_;
  std::string address_;
  std::string statement_{};
  st_mysql* mysql_;
  st_mysql_res* result_{nullptr};
  std::unique_ptr<SideStack> stack_{};  ///< While a TLS handshake may come.
  Operation operation_{Operation::none};
  Stage stage_{Stage::connect};
  bool begun_{false};  ///< The call was started and has not ended.
  bool failed_{false};
  bool broken_{false};  ///< No goodbye is due: it was cut, or never came up.
  bool rows_left_{false};
  int wanted_{0};
  int occurred_{0};
  std::size_t bytes_{0};
  std::string greeting_{};  ///< Its beginning, while TLS is wanted.
  bool plain_only_{false};
  st_mysql* connected_{nullptr};
  int query_outcome_{0};
  char** row_{nullptr};
};

}  // namespace tocsin::checks
