// Every function of libpq.so.5 that is called here, handed on to the library once it is loaded: so
// the program starts without it.
#include <libpq-fe.h>

#include "checks/late_library.hpp"

namespace tocsin::checks {

LateLibrary& libpq() {
  static LateLibrary library{"libpq.so.5", "libpq5"};
  return library;
}

}  // namespace tocsin::checks

using tocsin::checks::found;
using tocsin::checks::libpq;

extern "C" {

void PQclear(PGresult* res) {
  static const auto real = found(libpq(), &PQclear, "PQclear");
  real(res);
}
PostgresPollingStatusType PQconnectPoll(PGconn* conn) {
  static const auto real = found(libpq(), &PQconnectPoll, "PQconnectPoll");
  return real(conn);
}
PGconn* PQconnectStartParams(const char* const* keywords, const char* const* values,
                             int expand_dbname) {
  static const auto real = found(libpq(), &PQconnectStartParams, "PQconnectStartParams");
  return real(keywords, values, expand_dbname);
}
void PQconninfoFree(PQconninfoOption* connOptions) {
  static const auto real = found(libpq(), &PQconninfoFree, "PQconninfoFree");
  real(connOptions);
}
PQconninfoOption* PQconninfoParse(const char* conninfo, char** errmsg) {
  static const auto real = found(libpq(), &PQconninfoParse, "PQconninfoParse");
  return real(conninfo, errmsg);
}
int PQconsumeInput(PGconn* conn) {
  static const auto real = found(libpq(), &PQconsumeInput, "PQconsumeInput");
  return real(conn);
}
char* PQerrorMessage(const PGconn* conn) {
  static const auto real = found(libpq(), &PQerrorMessage, "PQerrorMessage");
  return real(conn);
}
void PQfinish(PGconn* conn) {
  static const auto real = found(libpq(), &PQfinish, "PQfinish");
  real(conn);
}
int PQflush(PGconn* conn) {
  static const auto real = found(libpq(), &PQflush, "PQflush");
  return real(conn);
}
void PQfreemem(void* ptr) {
  static const auto real = found(libpq(), &PQfreemem, "PQfreemem");
  real(ptr);
}
PGresult* PQgetResult(PGconn* conn) {
  static const auto real = found(libpq(), &PQgetResult, "PQgetResult");
  return real(conn);
}
int PQgetisnull(const PGresult* res, int tup_num, int field_num) {
  static const auto real = found(libpq(), &PQgetisnull, "PQgetisnull");
  return real(res, tup_num, field_num);
}
char* PQgetvalue(const PGresult* res, int tup_num, int field_num) {
  static const auto real = found(libpq(), &PQgetvalue, "PQgetvalue");
  return real(res, tup_num, field_num);
}
int PQisBusy(PGconn* conn) {
  static const auto real = found(libpq(), &PQisBusy, "PQisBusy");
  return real(conn);
}
int PQnfields(const PGresult* res) {
  static const auto real = found(libpq(), &PQnfields, "PQnfields");
  return real(res);
}
int PQntuples(const PGresult* res) {
  static const auto real = found(libpq(), &PQntuples, "PQntuples");
  return real(res);
}
char* PQresultErrorField(const PGresult* res, int fieldcode) {
  static const auto real = found(libpq(), &PQresultErrorField, "PQresultErrorField");
  return real(res, fieldcode);
}
char* PQresultErrorMessage(const PGresult* res) {
  static const auto real = found(libpq(), &PQresultErrorMessage, "PQresultErrorMessage");
  return real(res);
}
ExecStatusType PQresultStatus(const PGresult* res) {
  static const auto real = found(libpq(), &PQresultStatus, "PQresultStatus");
  return real(res);
}
int PQsendQuery(PGconn* conn, const char* query) {
  static const auto real = found(libpq(), &PQsendQuery, "PQsendQuery");
  return real(conn, query);
}
int PQsendQueryParams(PGconn* conn, const char* command, int nParams, const Oid* paramTypes,
                      const char* const* paramValues, const int* paramLengths,
                      const int* paramFormats, int resultFormat) {
  static const auto real = found(libpq(), &PQsendQueryParams, "PQsendQueryParams");
  return real(conn, command, nParams, paramTypes, paramValues, paramLengths, paramFormats,
              resultFormat);
}
PGVerbosity PQsetErrorVerbosity(PGconn* conn, PGVerbosity verbosity) {
  static const auto real = found(libpq(), &PQsetErrorVerbosity, "PQsetErrorVerbosity");
  return real(conn, verbosity);
}
PQnoticeReceiver PQsetNoticeReceiver(PGconn* conn, PQnoticeReceiver proc, void* arg) {
  static const auto real = found(libpq(), &PQsetNoticeReceiver, "PQsetNoticeReceiver");
  return real(conn, proc, arg);
}
int PQsetSingleRowMode(PGconn* conn) {
  static const auto real = found(libpq(), &PQsetSingleRowMode, "PQsetSingleRowMode");
  return real(conn);
}
int PQsetnonblocking(PGconn* conn, int arg) {
  static const auto real = found(libpq(), &PQsetnonblocking, "PQsetnonblocking");
  return real(conn, arg);
}
int PQsocket(const PGconn* conn) {
  static const auto real = found(libpq(), &PQsocket, "PQsocket");
  return real(conn);
}
void* PQsslStruct(PGconn* conn, const char* struct_name) {
  static const auto real = found(libpq(), &PQsslStruct, "PQsslStruct");
  return real(conn, struct_name);
}
ConnStatusType PQstatus(const PGconn* conn) {
  static const auto real = found(libpq(), &PQstatus, "PQstatus");
  return real(conn);
}
PGTransactionStatusType PQtransactionStatus(const PGconn* conn) {
  static const auto real = found(libpq(), &PQtransactionStatus, "PQtransactionStatus");
  return real(conn);
}
}  // extern "C"
