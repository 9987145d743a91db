#include "agent/http/tls.hpp"

#include <sys/stat.h>

#include <fmt/format.h>
#include <openssl/ssl.h>

namespace tocsin::http {

std::vector<std::string> TlsFiles::stamps() const {
  std::vector<std::string> found;
  for (const auto* path : {&web_.cert_file, &web_.key_file, &web_.client_ca_file}) {
    struct stat about {};
    if (path->empty() || ::stat(path->c_str(), &about) != 0) {
      found.emplace_back();
      continue;
    }
    found.push_back(fmt::format("{}:{}:{}.{}", about.st_ino, about.st_size, about.st_mtim.tv_sec,
                                about.st_mtim.tv_nsec));
  }
  return found;
}

Result<void> TlsFiles::read() {
  namespace ssl = asio::ssl;
  auto fresh = std::make_shared<ssl::context>(ssl::context::tls_server);
  boost::system::error_code problem;
  const auto fault = [&](const std::string& path) {
    return Error{Errc::tls, "the TLS file " + path + " cannot be used: " + problem.message()};
  };
  fresh->use_certificate_chain_file(web_.cert_file, problem);
  if (problem) return fault(web_.cert_file);
  fresh->use_private_key_file(web_.key_file, ssl::context::pem, problem);
  if (problem) return fault(web_.key_file);
  if (::SSL_CTX_check_private_key(fresh->native_handle()) != 1) {
    return Error{Errc::tls, "the key " + web_.key_file + " does not belong to the certificate " +
                                web_.cert_file};
  }
  const int least = web_.min_version == "TLS13" ? TLS1_3_VERSION : TLS1_2_VERSION;
  ::SSL_CTX_set_min_proto_version(fresh->native_handle(), least);
  if (web_.client_auth_type != "NoClientCert") {
    fresh->load_verify_file(web_.client_ca_file, problem);
    if (problem) return fault(web_.client_ca_file);
    const bool required = web_.client_auth_type == "RequireAndVerifyClientCert";
    fresh->set_verify_mode(ssl::verify_peer | (required ? ssl::verify_fail_if_no_peer_cert : 0),
                           problem);
    // Sessions of clients with certificates need a name of ours to be resumed in.
    static constexpr unsigned char name[] = "tocsin";
    ::SSL_CTX_set_session_id_context(fresh->native_handle(), name, sizeof name - 1);
  }
  context_ = std::move(fresh);
  return {};
}

Result<std::unique_ptr<TlsFiles>> TlsFiles::load(const WebConfig& web) {
  std::unique_ptr<TlsFiles> files{new TlsFiles{web}};
  files->stamps_ = files->stamps();
  if (auto done = files->read(); !done) return done.error();
  return files;
}

std::shared_ptr<asio::ssl::context> TlsFiles::context() {
  auto now = stamps();
  if (now != stamps_) {
    stamps_ = std::move(now);
    const auto done = read();
    last_error_ = done ? "" : done.error().detail;
  }
  return context_;
}

}  // namespace tocsin::http
