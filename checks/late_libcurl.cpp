// Every function of libcurl.so.4 that is called here, handed on to the library once it is loaded:
// so the program starts without it.
#include <curl/curl.h>

#include <cstdarg>

#include "checks/late_library.hpp"

// These exist to count arguments; here the functions themselves are meant.
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

namespace tocsin::checks {

LateLibrary& libcurl() {
  static LateLibrary library{"libcurl.so.4", "libcurl4"};
  return library;
}

}  // namespace tocsin::checks

using tocsin::checks::found;
using tocsin::checks::libcurl;

namespace {

/// Hands on one value of an option, whose number tells its type: curl.h, CURLOPTTYPE_*.
template <class Call>
auto hand_on(int option, std::va_list values, const Call& call) {
  if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB)
    return call(va_arg(values, curl_off_t));
  if (option >= CURLOPTTYPE_OBJECTPOINT) return call(va_arg(values, void*));
  return call(va_arg(values, long));
}

}  // namespace

extern "C" {

CURLcode curl_global_init(long flags) {
  static const auto real = found(libcurl(), &curl_global_init, "curl_global_init");
  return real(flags);
}
CURL* curl_easy_init() {
  static const auto real = found(libcurl(), &curl_easy_init, "curl_easy_init");
  return real();
}
void curl_easy_cleanup(CURL* curl) {
  static const auto real = found(libcurl(), &curl_easy_cleanup, "curl_easy_cleanup");
  real(curl);
}
CURLcode curl_easy_setopt(CURL* curl, CURLoption option, ...) {
  static const auto real = found(libcurl(), &curl_easy_setopt, "curl_easy_setopt");
  std::va_list values;
  va_start(values, option);
  const auto result =
      hand_on(option, values, [&](auto value) { return real(curl, option, value); });
  va_end(values);
  return result;
}
CURLcode curl_easy_getinfo(CURL* curl, CURLINFO info, ...) {
  static const auto real = found(libcurl(), &curl_easy_getinfo, "curl_easy_getinfo");
  std::va_list values;
  va_start(values, info);
  void* const into = va_arg(values, void*);
  va_end(values);
  return real(curl, info, into);
}
CURLcode curl_easy_recv(CURL* curl, void* buffer, size_t size, size_t* taken) {
  static const auto real = found(libcurl(), &curl_easy_recv, "curl_easy_recv");
  return real(curl, buffer, size, taken);
}
CURLcode curl_easy_send(CURL* curl, const void* buffer, size_t size, size_t* given) {
  static const auto real = found(libcurl(), &curl_easy_send, "curl_easy_send");
  return real(curl, buffer, size, given);
}
const char* curl_easy_strerror(CURLcode code) {
  static const auto real = found(libcurl(), &curl_easy_strerror, "curl_easy_strerror");
  return real(code);
}
CURLM* curl_multi_init() {
  static const auto real = found(libcurl(), &curl_multi_init, "curl_multi_init");
  return real();
}
CURLMcode curl_multi_cleanup(CURLM* multi) {
  static const auto real = found(libcurl(), &curl_multi_cleanup, "curl_multi_cleanup");
  return real(multi);
}
CURLMcode curl_multi_add_handle(CURLM* multi, CURL* curl) {
  static const auto real = found(libcurl(), &curl_multi_add_handle, "curl_multi_add_handle");
  return real(multi, curl);
}
CURLMcode curl_multi_remove_handle(CURLM* multi, CURL* curl) {
  static const auto real = found(libcurl(), &curl_multi_remove_handle, "curl_multi_remove_handle");
  return real(multi, curl);
}
CURLMsg* curl_multi_info_read(CURLM* multi, int* left) {
  static const auto real = found(libcurl(), &curl_multi_info_read, "curl_multi_info_read");
  return real(multi, left);
}
CURLMcode curl_multi_socket_action(CURLM* multi, curl_socket_t socket, int events, int* running) {
  static const auto real = found(libcurl(), &curl_multi_socket_action, "curl_multi_socket_action");
  return real(multi, socket, events, running);
}
CURLMcode curl_multi_setopt(CURLM* multi, CURLMoption option, ...) {
  static const auto real = found(libcurl(), &curl_multi_setopt, "curl_multi_setopt");
  std::va_list values;
  va_start(values, option);
  const auto result =
      hand_on(option, values, [&](auto value) { return real(multi, option, value); });
  va_end(values);
  return result;
}
curl_slist* curl_slist_append(curl_slist* list, const char* text) {
  static const auto real = found(libcurl(), &curl_slist_append, "curl_slist_append");
  return real(list, text);
}
void curl_slist_free_all(curl_slist* list) {
  static const auto real = found(libcurl(), &curl_slist_free_all, "curl_slist_free_all");
  real(list);
}

}  // extern "C"
