#include "tocsin/net/url.hpp"

namespace tocsin {
namespace {

template <class T, class Parse>
bool read_parsed(const Node& node, T& into, Decoding& decoding, Parse parse, const char* wanted) {
  if (!require_kind(node, Node::Kind::scalar, wanted, decoding)) return false;
  auto value = parse(node.text);
  if (!value) {
    decoding.complain(node, value.error().detail);
    return false;
  }
  into = std::move(*value);
  return true;
}

}  // namespace

bool Codec<Url>::read(const Node& node, Url& into, Decoding& decoding) {
  return read_parsed(node, into, decoding, parse_url, "http or https URL");
}
std::string Codec<Url>::show(const Url& url) { return Codec<std::string>::show(to_string(url)); }
std::string Codec<Url>::schema() {
  return R"({"type":"string","format":"uri","pattern":"^[Hh][Tt][Tt][Pp][Ss]?://"})";
}

bool Codec<HostPort>::read(const Node& node, HostPort& into, Decoding& decoding) {
  return read_parsed(node, into, decoding, parse_host_port, "HOST:PORT");
}
std::string Codec<HostPort>::show(const HostPort& address) {
  return Codec<std::string>::show(to_string(address));
}
std::string Codec<HostPort>::schema() { return R"({"type":"string","pattern":":[0-9]+$"})"; }

}  // namespace tocsin
