// Every function of libmariadb.so.3 that is called here, handed on to the library once it is
// loaded: so the program starts without it.
#include <mysql.h>

#include <cstdarg>

#include "checks/late_library.hpp"

namespace tocsin::checks {

LateLibrary& libmariadb() {
  static LateLibrary library{"libmariadb.so.3", "libmariadb3"};
  return library;
}

}  // namespace tocsin::checks

using tocsin::checks::found;
using tocsin::checks::libmariadb;

using NoteIo = void (*)(int direction, MYSQL* mysql, const unsigned char* buffer, size_t length);

extern "C" {

void mysql_close(MYSQL* sock) {
  static const auto real = found(libmariadb(), &mysql_close, "mysql_close");
  real(sock);
}
unsigned int mysql_errno(MYSQL* mysql) {
  static const auto real = found(libmariadb(), &mysql_errno, "mysql_errno");
  return real(mysql);
}
const char* mysql_error(MYSQL* mysql) {
  static const auto real = found(libmariadb(), &mysql_error, "mysql_error");
  return real(mysql);
}
MYSQL_FIELD* mysql_fetch_fields(MYSQL_RES* res) {
  static const auto real = found(libmariadb(), &mysql_fetch_fields, "mysql_fetch_fields");
  return real(res);
}
unsigned long* mysql_fetch_lengths(MYSQL_RES* result) {
  static const auto real = found(libmariadb(), &mysql_fetch_lengths, "mysql_fetch_lengths");
  return real(result);
}
int mysql_fetch_row_cont(MYSQL_ROW* ret, MYSQL_RES* result, int status) {
  static const auto real = found(libmariadb(), &mysql_fetch_row_cont, "mysql_fetch_row_cont");
  return real(ret, result, status);
}
int mysql_fetch_row_start(MYSQL_ROW* ret, MYSQL_RES* result) {
  static const auto real = found(libmariadb(), &mysql_fetch_row_start, "mysql_fetch_row_start");
  return real(ret, result);
}
void mysql_free_result(MYSQL_RES* result) {
  static const auto real = found(libmariadb(), &mysql_free_result, "mysql_free_result");
  real(result);
}
char* mysql_get_server_info(MYSQL* mysql) {
  static const auto real = found(libmariadb(), &mysql_get_server_info, "mysql_get_server_info");
  return real(mysql);
}
my_socket mysql_get_socket(MYSQL* mysql) {
  static const auto real = found(libmariadb(), &mysql_get_socket, "mysql_get_socket");
  return real(mysql);
}
MYSQL* mysql_init(MYSQL* mysql) {
  static const auto real = found(libmariadb(), &mysql_init, "mysql_init");
  return real(mysql);
}
unsigned int mysql_num_fields(MYSQL_RES* res) {
  static const auto real = found(libmariadb(), &mysql_num_fields, "mysql_num_fields");
  return real(res);
}
int mysql_real_connect_cont(MYSQL** ret, MYSQL* mysql, int status) {
  static const auto real = found(libmariadb(), &mysql_real_connect_cont, "mysql_real_connect_cont");
  return real(ret, mysql, status);
}
int mysql_real_connect_start(MYSQL** ret, MYSQL* mysql, const char* host, const char* user,
                             const char* passwd, const char* db, unsigned int port,
                             const char* unix_socket, unsigned long clientflag) {
  static const auto real =
      found(libmariadb(), &mysql_real_connect_start, "mysql_real_connect_start");
  return real(ret, mysql, host, user, passwd, db, port, unix_socket, clientflag);
}
int mysql_real_query_cont(int* ret, MYSQL* mysql, int status) {
  static const auto real = found(libmariadb(), &mysql_real_query_cont, "mysql_real_query_cont");
  return real(ret, mysql, status);
}
int mysql_real_query_start(int* ret, MYSQL* mysql, const char* q, unsigned long length) {
  static const auto real = found(libmariadb(), &mysql_real_query_start, "mysql_real_query_start");
  return real(ret, mysql, q, length);
}
int mysql_server_init(int argc, char** argv, char** groups) {
  static const auto real = found(libmariadb(), &mysql_server_init, "mysql_server_init");
  return real(argc, argv, groups);
}
MYSQL_RES* mysql_use_result(MYSQL* mysql) {
  static const auto real = found(libmariadb(), &mysql_use_result, "mysql_use_result");
  return real(mysql);
}
/// Takes one value after the option, or two when it adds an attribute of the connection.
int mysql_optionsv(MYSQL* mysql, enum mysql_option option, ...) {
  static const auto real = found(libmariadb(), &mysql_optionsv, "mysql_optionsv");
  std::va_list values;
  va_start(values, option);
  const void* first = va_arg(values, const void*);
  const void* second = option == MYSQL_OPT_CONNECT_ATTR_ADD ? va_arg(values, const void*) : nullptr;
  va_end(values);
  return real(mysql, option, first, second);
}
int ma_pvio_register_callback(my_bool add, NoteIo callback) {
  static const auto real =
      found(libmariadb(), &ma_pvio_register_callback, "ma_pvio_register_callback");
  return real(add, callback);
}

}  // extern "C"
