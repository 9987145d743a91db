#include "tocsin/net/network.hpp"

namespace tocsin {

std::string_view to_string(NetPhase phase) {
  switch (phase) {
    case NetPhase::resolve:
      return "resolve";
    case NetPhase::connect:
      return "connect";
    case NetPhase::proxy:
      return "proxy";
    case NetPhase::tls:
      return "tls";
    case NetPhase::send:
      return "send";
    case NetPhase::first_byte:
      return "first byte";
    case NetPhase::body:
      return "body";
  }
  return "?";
}

std::string_view HttpResponse::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers)
    if (name == lower_case_name) return value;
  return {};
}

}  // namespace tocsin
