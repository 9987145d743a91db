#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tocsin/async/clock.hpp"
#include "tocsin/async/task.hpp"
#include "tocsin/async/task_group.hpp"

namespace tocsin::http {

/// A request after routing and authentication.
struct Request {
  std::string method;
  std::string path;                                 ///< Decoded, without query.
  std::map<std::string, std::string> parameters{};  ///< From the route's {name} parts, decoded.
  std::map<std::string, std::string> query{};
  std::map<std::string, std::string> headers{};  ///< Lower-case names.
  std::string body{};
  std::string user{};   ///< Authenticated user; "" without; peer's uid name on the socket.
  bool trusted{false};  ///< Came over the unix socket, or with credentials: may write.
};
struct Response {
  int status{200};
  std::string content_type{"application/json"};
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};
};
/// JSON object {"error": sentence} with the status.
Response error_response(int status, std::string sentence);

using Handler = std::function<asio::awaitable<Response>(Request)>;
enum class Access {
  read,   ///< Anyone who reaches the listener.
  write,  ///< The unix socket, or credentials.
};

/// What is served: "GET" + "/api/v1/incidents/{id}" → handler. Unknown paths are 404 with the
/// nearest known one, wrong methods 405 with Allow, HEAD is answered from GET.
class Router {
 public:
  void add(std::string method, std::string pattern, Access access, Handler handler);
  asio::awaitable<Response> route(Request request) const;

 private:
  struct Route;
  std::vector<std::shared_ptr<const Route>> routes_;
};

/// exporter-toolkit's web configuration, the part we honour: tls_server_config (cert_file,
/// key_file, client_ca_file, client_auth_type, min_version) and basic_auth_users (bcrypt). Unknown
/// keys are errors. Paths are absolute once loaded: relative ones are taken from the file's own
/// folder.
struct WebConfig {
  std::string cert_file{}, key_file{}, client_ca_file{}, client_auth_type{"NoClientCert"},
      min_version{"TLS12"};
  std::map<std::string, std::string> basic_auth_users{};
  /// Whether those who get in are known: by password, or by a certificate that is required.
  bool authenticates() const {
    return !basic_auth_users.empty() || client_auth_type == "RequireAndVerifyClientCert";
  }
};
Result<WebConfig> load_web_config(const std::string& path);

/// Told of what went wrong inside ("GET /metrics: …"), for the log: the client only learns that
/// something did.
using FaultSink = std::function<void(const std::string&)>;

/// The server: any number of TCP and unix listeners over one router. Bounded connections, header
/// and body sizes, idle and request time-outs; a slow client costs its own connection only.
/// Connections run in the task group; the router must outlive it. Costs nothing while nobody is
/// connected.
class Server {
 public:
  Server(asio::any_io_executor executor, Clock& clock, TaskGroup& tasks, const Router& router,
         FaultSink on_fault = {});
  ~Server();
  /// Starts listening on "HOST:PORT" (an address or "localhost"; port 0: any); returns the address
  /// bound. Anything but loopback is refused unless the web configuration authenticates.
  /// Certificate files are read again when they change.
  Result<std::string> listen_tcp(const std::string& address, const std::optional<WebConfig>& web);
  /// A socket file with mode 0660; a stale one is replaced, a live one is an error.
  Result<void> listen_unix(const std::string& path);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tocsin::http
