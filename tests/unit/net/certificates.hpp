#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <boost/asio/ssl/context.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "tocsin/base/time.hpp"

namespace tocsin::net::testing {

/// What a certificate of a test says.
struct CertificateWish {
  std::string subject{"test.example"};
  std::string names{"DNS:test.example"};  ///< As openssl.cnf writes subjectAltName.
  WallTime from{};
  WallTime until{};
  bool authority{false};
};

/// A key and a certificate for it, signed by another or by itself.
class Identity {
 public:
  explicit Identity(const CertificateWish& wish, const Identity* issuer = nullptr)
      : key_{::EVP_EC_gen("P-256"), &::EVP_PKEY_free}, x509_{::X509_new(), &::X509_free} {
    auto* cert = x509_.get();
    ::X509_set_version(cert, 2);
    ::ASN1_INTEGER_set(::X509_get_serialNumber(cert), ++serial);
    ::ASN1_TIME_set(::X509_getm_notBefore(cert), seconds(wish.from));
    ::ASN1_TIME_set(::X509_getm_notAfter(cert), seconds(wish.until));
    ::X509_set_pubkey(cert, key_.get());
    const auto* cn = reinterpret_cast<const unsigned char*>(wish.subject.c_str());
    ::X509_NAME_add_entry_by_txt(::X509_get_subject_name(cert), "CN", MBSTRING_UTF8, cn, -1, -1, 0);
    const auto& signer = issuer != nullptr ? *issuer : *this;
    ::X509_set_issuer_name(cert, ::X509_get_subject_name(signer.x509_.get()));
    if (wish.authority)
      extend(NID_basic_constraints, "critical,CA:TRUE");
    else
      extend(NID_subject_alt_name, wish.names);
    ::X509_sign(cert, signer.key_.get(), ::EVP_sha256());
  }

  std::string certificate_pem() const {
    return pem([&](BIO* out) { ::PEM_write_bio_X509(out, x509_.get()); });
  }
  std::string key_pem() const {
    return pem([&](BIO* out) {
      ::PEM_write_bio_PrivateKey(out, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }
  /// As c_rehash(1) names the file of an authority.
  std::string subject_hash() const {
    std::array<char, 9> text{};
    std::snprintf(text.data(), text.size(), "%08lx", ::X509_subject_name_hash(x509_.get()));
    return text.data();
  }
  std::shared_ptr<boost::asio::ssl::context> server_context() const {
    namespace ssl = boost::asio::ssl;
    auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
    const auto certificate = certificate_pem();
    const auto key = key_pem();
    context->use_certificate_chain(boost::asio::buffer(certificate));
    context->use_private_key(boost::asio::buffer(key), ssl::context::pem);
    return context;
  }

 private:
  static std::time_t seconds(WallTime time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  }
  void extend(int which, const std::string& value) {
    auto* extension = ::X509V3_EXT_conf_nid(nullptr, nullptr, which, value.c_str());
    ::X509_add_ext(x509_.get(), extension, -1);
    ::X509_EXTENSION_free(extension);
  }
  template <class Write>
  static std::string pem(Write write) {
    const std::unique_ptr<BIO, decltype(&::BIO_free)> out{::BIO_new(::BIO_s_mem()), &::BIO_free};
    write(out.get());
    char* text = nullptr;
    const long size = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(size)};
  }

  static inline long serial = 0;
  std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> key_;
  std::unique_ptr<X509, decltype(&::X509_free)> x509_;
};

}  // namespace tocsin::net::testing
