#include "agent/net/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <utility>

#include "tocsin/base/text.hpp"

namespace tocsin::net {
namespace {

constexpr std::size_t contexts_max = 16;
constexpr std::size_t sessions_max = 32;
constexpr std::size_t names_shown = 3;

int slot_index() {
  static const int index = ::SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

std::optional<WallTime> wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ::ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return WallTime{std::chrono::seconds{::timegm(&parts)}};
}

std::string one_line(const X509_NAME* name) {
  std::unique_ptr<BIO, decltype(&::BIO_free)> out{::BIO_new(::BIO_s_mem()), &::BIO_free};
  if (!out || name == nullptr) return {};
  ::X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = ::BIO_get_mem_data(out.get(), &text);
  return cut_characters(clean_utf8({text, static_cast<std::size_t>(std::max(size, 0L))}), 200);
}

/// "a.example.com, b.example.com and 3 more", or the subject when there are no names.
std::string names_of(X509* certificate) {
  auto* names = static_cast<GENERAL_NAMES*>(
      ::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  std::string out;
  std::size_t found = 0;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_DNS || ++found > names_shown) continue;
    const auto* bytes = reinterpret_cast<const char*>(::ASN1_STRING_get0_data(name->d.dNSName));
    const auto size = static_cast<std::size_t>(::ASN1_STRING_length(name->d.dNSName));
    out += (out.empty() ? "" : ", ") + cut_characters(clean_utf8({bytes, size}), 100);
  }
  ::GENERAL_NAMES_free(names);
  if (found > names_shown) out += " and " + std::to_string(found - names_shown) + " more";
  return out.empty() ? one_line(::X509_get_subject_name(certificate)) : out;
}

/// Whether a folder has certificates by their hash, as c_rehash(1) links them: "5ad8a5d6.0".
bool has_hashed_certificates(const char* folder) {
  const auto is_hash = [](const std::string& name) {
    return name.size() > 9 && name[8] == '.' &&
           name.find_first_not_of("0123456789abcdef") == std::size_t{8};
  };
  std::error_code fault;
  for (std::filesystem::directory_iterator entry{folder, fault}, end; !fault && entry != end;
       entry.increment(fault))
    if (is_hash(entry->path().filename().string())) return true;
  return false;
}

/// The system's store. By hash where it is kept so: then a certificate is read when it is needed,
/// while the bundle takes 30 ms of the loop and a megabyte, whoever the peer is.
void trust_system(asio::ssl::context& context, boost::system::error_code& fault) {
  const bool by_file = std::getenv(::X509_get_default_cert_file_env()) != nullptr;
  const char* set = std::getenv(::X509_get_default_cert_dir_env());
  const char* folder = set != nullptr ? set : ::X509_get_default_cert_dir();
  if (!by_file && has_hashed_certificates(folder) &&
      ::SSL_CTX_set_default_verify_dir(context.native_handle()) == 1)
    return;
  context.set_default_verify_paths(fault);
}

}  // namespace

SessionSlot::~SessionSlot() {
  if (session_ != nullptr) ::SSL_SESSION_free(session_);
}

void SessionSlot::attach(SSL* ssl) {
  ::SSL_set_ex_data(ssl, slot_index(), this);
  if (session_ != nullptr) ::SSL_set_session(ssl, session_);
}

int SessionSlot::keep(SSL* ssl, SSL_SESSION* session) {
  auto* slot = static_cast<SessionSlot*>(::SSL_get_ex_data(ssl, slot_index()));
  if (slot == nullptr) return 0;
  if (slot->session_ != nullptr) ::SSL_SESSION_free(slot->session_);
  slot->session_ = session;
  return 1;  // The reference is ours now.
}

Result<std::shared_ptr<asio::ssl::context>> TlsContexts::context(const std::string& ca_file) {
  if (const auto entry = contexts_.find(ca_file); entry != contexts_.end()) return entry->second;
  boost::system::error_code fault;
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  auto* native = context->native_handle();
  ::SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  ::SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  ::SSL_CTX_set_session_cache_mode(native,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  ::SSL_CTX_sess_set_new_cb(native, &SessionSlot::keep);
  if (ca_file.empty())
    trust_system(*context, fault);
  else
    context->load_verify_file(ca_file, fault);
  if (fault) {
    ::ERR_clear_error();
    return Error{Errc::tls, "the CA file " + ca_file + " cannot be read: " + fault.message()};
  }
  if (contexts_.size() >= contexts_max) contexts_.erase(contexts_.begin());
  contexts_.emplace(ca_file, context);
  return context;
}

void TlsContexts::forget(const std::string& ca_file) {
  if (!ca_file.empty()) contexts_.erase(ca_file);
}

std::shared_ptr<SessionSlot> TlsContexts::session(const std::string& peer) {
  if (const auto entry = sessions_.find(peer); entry != sessions_.end()) return entry->second;
  if (sessions_.size() >= sessions_max) sessions_.erase(sessions_.begin());
  return sessions_.emplace(peer, std::make_shared<SessionSlot>()).first->second;
}

void HandshakeNotes::prepare(SSL* ssl, const TlsOptions& options) {
  auto* wanted = ::SSL_get0_param(ssl);
  boost::system::error_code not_an_address;
  const auto address = asio::ip::make_address(host_, not_an_address);
  if (not_an_address) {
    ::SSL_set_tlsext_host_name(ssl, host_.c_str());
    ::X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    ::X509_VERIFY_PARAM_set1_host(wanted, host_.data(), host_.size());
  } else {
    ::X509_VERIFY_PARAM_set1_ip_asc(wanted, address.to_string().c_str());
  }
  ::X509_VERIFY_PARAM_set_time(
      wanted, std::chrono::floor<std::chrono::seconds>(now_).time_since_epoch().count());
  examine_ = options.examine;
  const bool must_fit = options.verify || options.examine;
  ::SSL_set_verify(ssl, must_fit ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
}

bool HandshakeNotes::judge(bool good, asio::ssl::verify_context& context) {
  auto* native = context.native_handle();
  if (!certificate_) note_chain(::X509_STORE_CTX_get0_untrusted(native));
  if (examine_) {
    if (!good)
      object(::X509_STORE_CTX_get_error(native), ::X509_STORE_CTX_get_current_cert(native));
    return true;
  }
  if (!good && complaint_.empty())
    complaint_ =
        describe(::X509_STORE_CTX_get_error(native), ::X509_STORE_CTX_get_current_cert(native));
  return good;
}

/// Notes what is wrong and lets it pass: the first fault of each kind.
void HandshakeNotes::object(int fault, X509* certificate) {
  if (!certificate_) certificate_.emplace();
  const bool is_name =
      fault == X509_V_ERR_HOSTNAME_MISMATCH || fault == X509_V_ERR_IP_ADDRESS_MISMATCH;
  auto& words = is_name ? certificate_->wrong_name : certificate_->distrust;
  if (words.empty()) words = describe(fault, certificate);
}

void HandshakeNotes::note_presented(SSL* ssl) {
  if (!certificate_) note_chain(::SSL_get_peer_cert_chain(ssl));
}

void HandshakeNotes::note_chain(const STACK_OF(X509) * chain) {
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const auto* certificate = sk_X509_value(chain, i);
    const auto ends = wall_time(::X509_get0_notAfter(certificate));
    if (!ends) continue;
    if (!certificate_)
      certificate_ = PeerCertificate{*ends, one_line(::X509_get_subject_name(certificate))};
    certificate_->not_after = std::min(certificate_->not_after, *ends);
    if (examine_ && certificate_->chain.size() < chain_certificates_max)
      certificate_->chain.push_back(describe_certificate(certificate));
  }
}

std::string HandshakeNotes::describe(int fault, X509* certificate) const {
  if (certificate == nullptr) return ::X509_verify_cert_error_string(fault);
  if (fault == X509_V_ERR_CERT_HAS_EXPIRED) {
    const auto ended = wall_time(::X509_get0_notAfter(certificate));
    return ended ? "certificate expired " + tocsin::describe(now_ - *ended) + " ago"
                 : "certificate has expired";
  }
  if (fault == X509_V_ERR_CERT_NOT_YET_VALID) {
    const auto begins = wall_time(::X509_get0_notBefore(certificate));
    return begins ? "certificate becomes valid only in " + tocsin::describe(*begins - now_)
                  : "certificate is not yet valid";
  }
  if (fault == X509_V_ERR_HOSTNAME_MISMATCH || fault == X509_V_ERR_IP_ADDRESS_MISMATCH)
    return "certificate is for " + names_of(certificate) + ", not for " + host_;
  if (fault == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
      fault == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN)
    return "certificate is self-signed and not trusted here (give its CA as ca_file)";
  if (fault == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
      fault == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
      fault == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE)
    return "certificate is signed by \"" + one_line(::X509_get_issuer_name(certificate)) +
           "\", which is not trusted here (give its CA as ca_file)";
  return std::string{"certificate refused: "} + ::X509_verify_cert_error_string(fault);
}

std::string HandshakeNotes::why(const boost::system::error_code& fault) const {
  if (!complaint_.empty()) return complaint_;
  if (fault == asio::ssl::error::stream_truncated || fault == asio::error::eof)
    return "the other side closed the connection";
  if (fault.category() != asio::error::get_ssl_category()) return fault.message();
  const auto code = static_cast<unsigned long>(fault.value());
  const int reason = ERR_GET_REASON(code);
  if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
      reason == SSL_R_PACKET_LENGTH_TOO_LONG)
    return "the other side does not speak TLS";
  const char* words = ::ERR_reason_error_string(code);
  return words != nullptr ? words : fault.message();
}

}  // namespace tocsin::net
