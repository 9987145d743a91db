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
  std::map<std::string, std::string> headers{};     ///< Lower-case names.
  std::string body{};
  std::string user{};                               ///< Authenticated user; "" without; peer's uid name on the socket.
  bool trusted{false};                              ///< Came over the unix socket, or with credentials: may write.
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

/// What is served: "GET" + "/api/v1/incidents/{id}" → handler. Unknown paths are 404 with the nearest known one, wrong
/// methods 405 with Allow, HEAD is answered from GET.
class Router {
 public:
  void add(std::string method, std::string pattern, Access access, Handler handler);
  asio::awaitable<Response> route(Request request) const;

 private:
  struct Route;
  std::vector<std::shared_ptr<const Route>> routes_;
};

/// exporter-toolkit's web configuration, the part we honour: tls_server_config (cert_file, key_file, client_ca_file,
/// client_auth_type, min_version) and basic_auth_users (bcrypt). Unknown keys are errors.
struct WebConfig {
  std::string cert_file{}, key_file{}, client_ca_file{}, client_auth_type{"NoClientCert"}, min_version{"TLS12"};
  std::map<std::string, std::string> basic_auth_users{};
};
Result<WebConfig> load_web_config(const std::string& path);

/// The server: any number of TCP and unix listeners over one router. Bounded connections, header and body sizes, idle and
/// request time-outs; a slow client costs its own connection only.
class Server {
 public:
  Server(asio::any_io_executor executor, Clock& clock, TaskGroup& tasks, const Router& router);
  ~Server();
  /// Starts listening on "HOST:PORT" (port 0: any); returns the address bound.
  Result<std::string> listen_tcp(const std::string& address, const std::optional<WebConfig>& web);
  /// A socket file with mode 0660; a stale one is replaced, a live one is an error.
  Result<void> listen_unix(const std::string& path);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tocsin::http
