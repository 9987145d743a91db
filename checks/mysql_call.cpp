#include "checks/mysql_call.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <mysql.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "tocsin/base/text.hpp"

/// Exported by libmariadb and declared in none of the headers that it installs.
extern "C" int ma_pvio_register_callback(my_bool add, void (*callback)(int direction, MYSQL* mysql,
                                                                       const unsigned char* buffer,
                                                                       size_t length));

namespace tocsin::checks {
namespace {

/// The library's own stack for one call: OpenSSL runs on it, and the default of 60 kB is near.
constexpr std::size_t library_stack_bytes = 256u << 10;
/// How many times a call is told that its time is over before it must have ended.
constexpr int farewells_max = 64;
/// What may judge a password. Not mysql_clear_password nor dialog: whoever answers at that address
/// could ask for it in plain.
constexpr const char* authentications =
    "mysql_native_password,client_ed25519,caching_sha2_password,sha256_password";

/// The one whose step is being made, for the library's hooks, which are not told.
thread_local MysqlCall* current = nullptr;

/// Authentication plugins come from where the library itself was installed, whatever the
/// environment says.
const std::string& plugin_folder() {
  static const std::string folder = [] {
    Dl_info info{};
    if (dladdr(reinterpret_cast<void*>(&mysql_init), &info) == 0 || info.dli_fname == nullptr)
      return std::string{};
    const std::string library{info.dli_fname};
    auto path = library.substr(0, library.rfind('/')) + "/libmariadb3/plugin";
    return access(path.c_str(), X_OK) == 0 ? path : std::string{};
  }();
  return folder;
}

void make_non_blocking(int descriptor) {
  const int flags = fcntl(descriptor, F_GETFL);
  if (flags >= 0 && (flags & O_NONBLOCK) == 0) fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}

}  // namespace

struct MysqlCall::Hooks {
  /// The library would poll the socket here. Leaves the side stack instead.
  static int wait(my_socket, my_bool to_read, int) {
    auto* const self = current;
    if (self == nullptr || self->stack_ == nullptr || !self->stack_->busy()) return 0;
    self->stage_ = Stage::tls;
    self->wanted_ = to_read ? MYSQL_WAIT_READ : MYSQL_WAIT_WRITE;
    self->stack_->leave();
    return (self->occurred_ & MYSQL_WAIT_TIMEOUT) != 0 ? 0 : 1;
  }

  /// Called after each piece that was read (0) or written (1).
  static void note(int direction, MYSQL* mysql, const unsigned char* bytes, size_t length) {
    auto* const self = current;
    if (self == nullptr || self->mysql_ != mysql) return;
    const int descriptor = self->descriptor();
    if (descriptor >= 0 && self->stack_) make_non_blocking(descriptor);
    if (static_cast<ssize_t>(length) <= 0) return;
    if (direction == 0) {
      self->bytes_ += length;
      if (self->bytes_ > bytes_max) self->cut();
      if (self->stack_ && self->stage_ <= Stage::greeting)
        self->read_greeting({reinterpret_cast<const char*>(bytes), length});
      return;
    }
    if (self->stage_ != Stage::connect && self->stage_ != Stage::greeting) return;
    // The first packet of ours: the request for TLS, or the credentials.
    self->stage_ = self->stack_ ? Stage::tls : Stage::authentication;
    // The certificate is compared with the host that the library knows: it was given an address, so
    // that it would not resolve; from here on it knows the name. It frees it itself.
    if (self->stack_ && mysql->host != nullptr && !self->dsn_.host.empty()) {
      if (char* const name = strdup(self->dsn_.host.c_str())) {
        std::free(mysql->host);
        mysql->host = name;
      }
    }
  }

  static void install() {
    static const bool once = [] {
      mysql_server_init(0, nullptr, nullptr);
      ma_pvio_register_callback(1, &Hooks::note);
      return true;
    }();
    (void)once;
  }
};

MysqlCall::MysqlCall(const MysqlDsn& dsn, std::string address)
    : dsn_{dsn}, address_{std::move(address)} {
  Hooks::install();
  mysql_ = mysql_init(nullptr);
  if (mysql_ == nullptr) throw std::bad_alloc{};
  configure();
}

MysqlCall::~MysqlCall() {
  if (begun_) give_up();
  drop_result();
  if (broken_ || stage_ != Stage::ready) cut();
  mysql_close(mysql_);
}

void MysqlCall::configure() {
  // Neither MYSQL_READ_DEFAULT_FILE nor _GROUP: no file of this host decides anything.
  const unsigned int no = 0;
  const std::size_t packet = packet_bytes_max;
  mysql_optionsv(mysql_, MYSQL_OPT_NONBLOCK, &library_stack_bytes);
  mysql_optionsv(mysql_, MARIADB_OPT_IO_WAIT, reinterpret_cast<void*>(&Hooks::wait));
  mysql_optionsv(mysql_, MYSQL_OPT_LOCAL_INFILE, &no);
  mysql_optionsv(mysql_, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
  mysql_optionsv(mysql_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_optionsv(mysql_, MARIADB_OPT_RESTRICTED_AUTH, authentications);
  mysql_optionsv(mysql_, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "tocsin");
  if (!plugin_folder().empty()) mysql_optionsv(mysql_, MYSQL_PLUGIN_DIR, plugin_folder().c_str());
  if (dsn_.tls != MysqlTls::disabled) configure_tls();
}

void MysqlCall::configure_tls() {
  const my_bool yes = 1;
  stack_ = std::make_unique<SideStack>();
  mysql_optionsv(mysql_, MYSQL_OPT_SSL_ENFORCE, &yes);
  mysql_optionsv(mysql_, MARIADB_OPT_TLS_VERSION, "TLSv1.2,TLSv1.3");
  if (!dsn_.ca_file.empty()) mysql_optionsv(mysql_, MYSQL_OPT_SSL_CA, dsn_.ca_file.c_str());
  if (!dsn_.cert_file.empty()) {
    mysql_optionsv(mysql_, MYSQL_OPT_SSL_CERT, dsn_.cert_file.c_str());
    mysql_optionsv(mysql_, MYSQL_OPT_SSL_KEY, dsn_.key_file.c_str());
  }
  if (dsn_.tls == MysqlTls::verify_identity)
    mysql_optionsv(mysql_, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
}

bool MysqlCall::begin_connect() {
  operation_ = Operation::connect;
  return advance(0);
}

bool MysqlCall::begin_query(std::string statement) {
  operation_ = Operation::query;
  statement_ = std::move(statement);
  return advance(0);
}

bool MysqlCall::begin_row() {
  operation_ = Operation::row;
  return advance(0);
}

bool MysqlCall::proceed() { return advance(wanted_ & ~MYSQL_WAIT_TIMEOUT); }

/// One step of the call; true when it has ended.
bool MysqlCall::advance(int occurred) {
  occurred_ = occurred;
  current = this;
  if (stack_ && operation_ == Operation::connect) {
    const bool ended = begun_ ? stack_->resume() : stack_->begin(&MysqlCall::run_connect, this);
    if (ended) wanted_ = 0;
  } else {
    wanted_ = step(occurred);
  }
  current = nullptr;
  begun_ = wanted_ != 0;
  if (!begun_) finish();
  return !begun_;
}

/// On the side stack: the whole of connecting, which is left at each wait.
void MysqlCall::run_connect(void* self) {
  auto& call = *static_cast<MysqlCall*>(self);
  for (call.wanted_ = call.step_connect(0); call.wanted_ != 0;) {
    call.stack_->leave();
    const int occurred = call.occurred_;
    call.begun_ = true;
    call.wanted_ = call.step_connect(occurred);
  }
}

int MysqlCall::step_connect(int occurred) {
  const bool local = !dsn_.socket.empty();
  const int events = begun_ ? mysql_real_connect_cont(&connected_, mysql_, occurred)
                            : mysql_real_connect_start(
                                  &connected_, mysql_, local ? nullptr : address_.c_str(),
                                  dsn_.user.c_str(), dsn_.password.reveal().c_str(),
                                  dsn_.database.empty() ? nullptr : dsn_.database.c_str(),
                                  local ? 0 : dsn_.port, local ? dsn_.socket.c_str() : nullptr, 0);
  note_stage(events);
  return events;
}

void MysqlCall::note_stage(int events) {
  // To write: the connection is being made. To read, before anything of ours went out: the
  // greeting.
  if (stage_ == Stage::connect && (events & MYSQL_WAIT_READ) != 0) stage_ = Stage::greeting;
  if (stage_ == Stage::tls && events != 0) stage_ = Stage::authentication;
}

/// Without this the library would log in over a plain connection when the server offers no TLS,
/// unless it also is to verify the name.
void MysqlCall::read_greeting(std::string_view piece) {
  // Header (4), protocol (1), version up to a NUL, thread (4), salt (8), filler (1), then flags.
  constexpr std::size_t version_at = 5, from_version_to_flags = 1 + 4 + 8 + 1;
  constexpr char tls_in_second_byte = CLIENT_SSL >> 8;
  if (greeting_.size() < greeting_bytes_max)
    greeting_.append(piece.substr(0, greeting_bytes_max - greeting_.size()));
  const bool refusal = greeting_.size() >= version_at && greeting_[version_at - 1] == '\xff';
  const auto end = greeting_.find('\0', version_at);
  if (refusal || end == std::string::npos) return;
  const auto flags_at = end + from_version_to_flags;
  if (greeting_.size() < flags_at + 2 || (greeting_[flags_at + 1] & tls_in_second_byte) != 0)
    return;
  plain_only_ = true;
  cut();
}

int MysqlCall::step(int occurred) {
  switch (operation_) {
    case Operation::none:
      return 0;
    case Operation::connect:
      return step_connect(occurred);
    case Operation::query:
      return begun_ ? mysql_real_query_cont(&query_outcome_, mysql_, occurred)
                    : mysql_real_query_start(&query_outcome_, mysql_, statement_.data(),
                                             statement_.size());
    case Operation::row:
      return begun_ ? mysql_fetch_row_cont(&row_, result_, occurred)
                    : mysql_fetch_row_start(&row_, result_);
  }
  return 0;
}

void MysqlCall::finish() {
  switch (operation_) {
    case Operation::none:
      return;
    case Operation::connect:
      failed_ = connected_ == nullptr;
      if (failed_)
        broken_ = true;
      else
        stage_ = Stage::ready;
      return;
    case Operation::query:
      failed_ = query_outcome_ != 0;
      if (!failed_) result_ = mysql_use_result(mysql_);
      rows_left_ = result_ != nullptr;
      return;
    case Operation::row:
      failed_ = row_ == nullptr && mysql_errno(mysql_) != 0;
      if (row_ == nullptr) rows_left_ = false;
      return;
  }
}

void MysqlCall::give_up() {
  cut();
  for (int i = 0; begun_ && i < farewells_max; ++i) advance(MYSQL_WAIT_TIMEOUT);
  check_that(!begun_, "libmariadb did not end a call whose time was over");
  failed_ = true;
}

void MysqlCall::cut() {
  broken_ = true;
  const int open = descriptor();
  if (open >= 0) shutdown(open, SHUT_RDWR);
}

void MysqlCall::drop_result() {
  if (result_ == nullptr) return;
  if (rows_left_) cut();  // Otherwise it would read all that is left.
  mysql_free_result(result_);
  result_ = nullptr;
  row_ = nullptr;
}

Readiness MysqlCall::wanted() const {
  const bool reads = (wanted_ & MYSQL_WAIT_READ) != 0;
  const bool writes = (wanted_ & MYSQL_WAIT_WRITE) != 0;
  if (reads && writes) return Readiness::either;
  return writes ? Readiness::to_write : Readiness::to_read;
}

int MysqlCall::descriptor() const { return mysql_get_socket(mysql_); }

unsigned MysqlCall::number() const { return mysql_errno(mysql_); }
std::string MysqlCall::words() const { return clean_utf8(mysql_error(mysql_)); }

std::vector<std::string> MysqlCall::columns() const {
  std::vector<std::string> names;
  if (result_ == nullptr) return names;
  const auto count = mysql_num_fields(result_);
  const auto* const fields = mysql_fetch_fields(result_);
  for (unsigned i = 0; i < count; ++i) names.emplace_back(fields[i].name);
  return names;
}

std::optional<std::vector<Cell>> MysqlCall::row() const {
  if (row_ == nullptr) return std::nullopt;
  const auto count = mysql_num_fields(result_);
  const auto* const lengths = mysql_fetch_lengths(result_);
  std::vector<Cell> cells(count);
  for (unsigned i = 0; i < count; ++i)
    if (row_[i] != nullptr) cells[i].emplace(row_[i], lengths[i]);
  return cells;
}

std::string MysqlCall::server_version() const {
  const char* const version = mysql_get_server_info(mysql_);
  return version == nullptr ? std::string{} : clean_utf8(version);
}

}  // namespace tocsin::checks
