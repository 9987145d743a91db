#include "tocsin/net/certificate.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <memory>

#include "tocsin/base/text.hpp"

namespace tocsin {
namespace {

constexpr std::size_t name_characters_max = 120;
constexpr std::size_t serial_length_max = 64;  // RFC 5280: at most 20 bytes.

struct Free {
  void operator()(X509* it) const { ::X509_free(it); }
  void operator()(BIO* it) const { ::BIO_free(it); }
  void operator()(X509_STORE* it) const { ::X509_STORE_free(it); }
  void operator()(X509_STORE_CTX* it) const { ::X509_STORE_CTX_free(it); }
  void operator()(STACK_OF(X509) * it) const { sk_X509_free(it); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;
using Certificates = std::vector<Owned<X509>>;

Owned<BIO> bio_of(std::string_view text) {
  return Owned<BIO>{::BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

std::string one_line(const X509_NAME* name) {
  const Owned<BIO> out{::BIO_new(::BIO_s_mem())};
  if (!out || name == nullptr) return {};
  ::X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = ::BIO_get_mem_data(out.get(), &text);
  return cut_characters(clean_utf8({text, static_cast<std::size_t>(std::max(size, 0L))}),
                        name_characters_max);
}

std::string serial_of(const X509* certificate) {
  BIGNUM* number = ::ASN1_INTEGER_to_BN(::X509_get0_serialNumber(certificate), nullptr);
  char* text = number == nullptr ? nullptr : ::BN_bn2hex(number);
  std::string out = text == nullptr ? std::string{} : std::string{text};
  ::OPENSSL_free(text);
  ::BN_free(number);
  return out.substr(0, serial_length_max);
}

WallTime wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ::ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return WallTime{std::chrono::seconds{::timegm(&parts)}};
}

/// All that are in the text, at most so many.
Result<Certificates> all_of(std::string_view pem) {
  Certificates found;
  const auto bio = bio_of(pem);
  while (bio && found.size() < 200) {
    Owned<X509> next{::PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
    if (!next) break;
    found.push_back(std::move(next));
  }
  const auto fault = ::ERR_peek_last_error();
  ::ERR_clear_error();
  // "No start line" is how the end of the text looks.
  if (ERR_GET_LIB(fault) != ERR_LIB_PEM || ERR_GET_REASON(fault) != PEM_R_NO_START_LINE) {
    if (fault != 0)
      return Error{Errc::malformed, "certificate " + std::to_string(found.size() + 1) +
                                        " of the file cannot be read"};
  }
  if (found.empty()) return Error{Errc::malformed, "there is no certificate in the file"};
  return found;
}

/// Why the first is not to be trusted; empty when it is.
std::string judge(const Certificates& chain, const Certificates& authorities, WallTime now) {
  const Owned<X509_STORE> store{::X509_STORE_new()};
  const Owned<X509_STORE_CTX> judging{::X509_STORE_CTX_new()};
  const Owned<STACK_OF(X509)> others{sk_X509_new_null()};
  if (!store || !judging || !others) return "it cannot be judged for want of memory";
  for (const auto& authority : authorities) ::X509_STORE_add_cert(store.get(), authority.get());
  for (const auto& one : chain) sk_X509_push(others.get(), one.get());
  ::X509_STORE_CTX_init(judging.get(), store.get(), chain.front().get(), others.get());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  ::X509_VERIFY_PARAM_set_time(::X509_STORE_CTX_get0_param(judging.get()), seconds);
  const bool good = ::X509_verify_cert(judging.get()) == 1;
  const int fault = ::X509_STORE_CTX_get_error(judging.get());
  ::ERR_clear_error();
  return good ? std::string{} : std::string{::X509_verify_cert_error_string(fault)};
}

bool fits(X509* certificate, const std::string& name) {
  if (::X509_check_ip_asc(certificate, name.c_str(), 0) == 1) return true;
  return ::X509_check_host(certificate, name.data(), name.size(),
                           X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, nullptr) == 1;
}

}  // namespace

ChainCertificate describe_certificate(const X509* certificate) {
  return {one_line(::X509_get_subject_name(certificate)),
          one_line(::X509_get_issuer_name(certificate)), serial_of(certificate),
          wall_time(::X509_get0_notBefore(certificate)),
          wall_time(::X509_get0_notAfter(certificate))};
}

Result<PeerCertificate> read_certificates(std::string_view pem, const std::string& server_name,
                                          std::string_view authorities, WallTime now) {
  const auto chain = all_of(pem);
  if (!chain) return chain.error();
  PeerCertificate told;
  for (const auto& one : *chain) {
    const auto words = describe_certificate(one.get());
    if (told.chain.empty()) told.subject = words.subject;
    if (told.chain.empty() || words.not_after < told.not_after) told.not_after = words.not_after;
    if (told.chain.size() < chain_certificates_max) told.chain.push_back(words);
  }
  if (!server_name.empty() && !fits(chain->front().get(), server_name))
    told.wrong_name = "certificate " + told.subject + " is not for " + server_name;
  if (!authorities.empty()) {
    const auto trusted = all_of(authorities);
    if (!trusted)
      return Error{Errc::internal, "the CA file cannot be read: " + trusted.error().detail};
    told.distrust = judge(*chain, *trusted, now);
  }
  return told;
}

}  // namespace tocsin
