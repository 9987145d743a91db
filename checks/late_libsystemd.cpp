// Every function of libsystemd.so.0 that is called here, handed on to the library once it is
// loaded: so the program starts without it.
#include <systemd/sd-bus.h>

#include "checks/late_library.hpp"

namespace tocsin::checks {

LateLibrary& libsystemd() {
  static LateLibrary library{"libsystemd.so.0", "libsystemd0"};
  return library;
}

}  // namespace tocsin::checks

using tocsin::checks::found;
using tocsin::checks::libsystemd;

extern "C" {

int sd_bus_call_async(sd_bus* bus, sd_bus_slot** slot, sd_bus_message* m,
                      sd_bus_message_handler_t callback, void* userdata, uint64_t usec) {
  static const auto real = found(libsystemd(), &sd_bus_call_async, "sd_bus_call_async");
  return real(bus, slot, m, callback, userdata, usec);
}
sd_bus* sd_bus_close_unref(sd_bus* bus) {
  static const auto real = found(libsystemd(), &sd_bus_close_unref, "sd_bus_close_unref");
  return real(bus);
}
int sd_bus_is_ready(sd_bus* bus) {
  static const auto real = found(libsystemd(), &sd_bus_is_ready, "sd_bus_is_ready");
  return real(bus);
}
int sd_bus_message_append_basic(sd_bus_message* m, char type, const void* p) {
  static const auto real =
      found(libsystemd(), &sd_bus_message_append_basic, "sd_bus_message_append_basic");
  return real(m, type, p);
}
int sd_bus_message_close_container(sd_bus_message* m) {
  static const auto real =
      found(libsystemd(), &sd_bus_message_close_container, "sd_bus_message_close_container");
  return real(m);
}
int sd_bus_message_enter_container(sd_bus_message* m, char type, const char* contents) {
  static const auto real =
      found(libsystemd(), &sd_bus_message_enter_container, "sd_bus_message_enter_container");
  return real(m, type, contents);
}
int sd_bus_message_exit_container(sd_bus_message* m) {
  static const auto real =
      found(libsystemd(), &sd_bus_message_exit_container, "sd_bus_message_exit_container");
  return real(m);
}
const sd_bus_error* sd_bus_message_get_error(sd_bus_message* m) {
  static const auto real =
      found(libsystemd(), &sd_bus_message_get_error, "sd_bus_message_get_error");
  return real(m);
}
int sd_bus_message_new_method_call(sd_bus* bus, sd_bus_message** m, const char* destination,
                                   const char* path, const char* interface, const char* member) {
  static const auto real =
      found(libsystemd(), &sd_bus_message_new_method_call, "sd_bus_message_new_method_call");
  return real(bus, m, destination, path, interface, member);
}
int sd_bus_message_open_container(sd_bus_message* m, char type, const char* contents) {
  static const auto real =
      found(libsystemd(), &sd_bus_message_open_container, "sd_bus_message_open_container");
  return real(m, type, contents);
}
int sd_bus_message_peek_type(sd_bus_message* m, char* type, const char** contents) {
  static const auto real =
      found(libsystemd(), &sd_bus_message_peek_type, "sd_bus_message_peek_type");
  return real(m, type, contents);
}
int sd_bus_message_read_basic(sd_bus_message* m, char type, void* p) {
  static const auto real =
      found(libsystemd(), &sd_bus_message_read_basic, "sd_bus_message_read_basic");
  return real(m, type, p);
}
sd_bus_message* sd_bus_message_ref(sd_bus_message* m) {
  static const auto real = found(libsystemd(), &sd_bus_message_ref, "sd_bus_message_ref");
  return real(m);
}
sd_bus_message* sd_bus_message_unref(sd_bus_message* m) {
  static const auto real = found(libsystemd(), &sd_bus_message_unref, "sd_bus_message_unref");
  return real(m);
}
int sd_bus_negotiate_fds(sd_bus* bus, int b) {
  static const auto real = found(libsystemd(), &sd_bus_negotiate_fds, "sd_bus_negotiate_fds");
  return real(bus, b);
}
int sd_bus_new(sd_bus** ret) {
  static const auto real = found(libsystemd(), &sd_bus_new, "sd_bus_new");
  return real(ret);
}
int sd_bus_process(sd_bus* bus, sd_bus_message** r) {
  static const auto real = found(libsystemd(), &sd_bus_process, "sd_bus_process");
  return real(bus, r);
}
int sd_bus_set_bus_client(sd_bus* bus, int b) {
  static const auto real = found(libsystemd(), &sd_bus_set_bus_client, "sd_bus_set_bus_client");
  return real(bus, b);
}
int sd_bus_set_fd(sd_bus* bus, int input_fd, int output_fd) {
  static const auto real = found(libsystemd(), &sd_bus_set_fd, "sd_bus_set_fd");
  return real(bus, input_fd, output_fd);
}
int sd_bus_start(sd_bus* bus) {
  static const auto real = found(libsystemd(), &sd_bus_start, "sd_bus_start");
  return real(bus);
}

}  // extern "C"
