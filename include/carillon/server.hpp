// The server: namespaces, shards, an optional cluster adapter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <carillon/adapter_options.hpp>
#include <carillon/admission.hpp>
#include <carillon/limit_options.hpp>
#include <carillon/namespace.hpp>
#include <carillon/packet_parser.hpp>
#include <carillon/tls_options.hpp>
#include <carillon/transport_options.hpp>

namespace carillon {

// Connection state recovery: a client whose connection broke comes back as the same socket, with its id, its rooms, its
// data and the events that it missed, volatile ones and those with acknowledgement excepted. Where something of that is
// gone it gets a new socket, and its `recovered` is false. Every event without acknowledgement then ends with one more
// argument, a text: the offset that the client brings when it comes back.
struct RecoveryOptions {
  bool enabled = false;
  std::uint32_t max_disconnection_ms = 120'000;
  bool skip_middlewares = false;                // of clients that come back; otherwise they are let in first, then sent
  std::size_t session_bytes_max = 1024 * 1024;  // per client: of events to it alone, and of all that it may have missed
  std::size_t sessions_bytes_max = 256 * 1024 * 1024;  // of all clients together: of events to one of them alone
  std::size_t log_bytes_max = 64 * 1024 * 1024;        // broadcasts of the whole node; beyond it the oldest go
  std::size_t sessions_max = 100'000;                  // waiting for their clients; beyond it the oldest go
};

// Names and defaults follow the Socket.IO documentation where it has the option.
struct ServerOptions {
  // Where clients connect: [http://|https://]HOST:PORT or unix:PATH; port 0 picks a free one. A name is all of its
  // addresses, [::] all of the machine, IPv4 included. Behind it options may stand, as in a URL's query:
  //   proxy_protocol=true   every connection must begin with a PROXY header (v1 or v2) from one of trusted_proxies
  //   mode=660              permissions of a Unix socket; else the umask decides
  std::string listen = "127.0.0.1:3000";
  std::vector<std::string> more_listeners = {};
  TlsOptions tls = {};  // for https://
  // Addresses and networks ("10.0.0.0/8"), and "unix" for those who connect to a Unix socket: their PROXY headers,
  // X-Forwarded-For and X-Forwarded-Proto are believed, other peers' are not.
  std::vector<std::string> trusted_proxies = {};
  std::string path = "/socket.io/";
  unsigned shards = 0;         // 0: one per core that the process may use
  std::string node_name = {};  // empty: host name and four random characters
  std::uint32_t ping_interval_ms = 25'000;
  std::uint32_t ping_timeout_ms = 20'000;
  std::uint32_t upgrade_timeout_ms = 10'000;
  std::uint32_t connect_timeout_ms = 45'000;
  std::size_t max_payload_bytes = 1'000'000;
  PacketParser parser = PacketParser::json;         // of all clients
  bool allow_eio3 = false;                          // Socket.IO v2 clients, which speak Engine.IO 3
  std::uint32_t ack_timeout_ms = 0;                 // Socket::emit_with_ack's default; 0: while the client is there
  std::uint32_t broadcast_ack_timeout_ms = 10'000;  // BroadcastOperator::emit_with_ack's default
  // Namespaces that clients bring about: see Server::of(pattern). Beyond namespaces_max a client gets a connect_error.
  std::size_t namespaces_max = 10'000;
  std::size_t namespace_bytes_max = 256;       // of their names; a longer name is invalid
  bool cleanup_empty_child_namespaces = true;  // forget those that nobody is in (Socket.IO's default is not to)
  std::uint32_t drain_timeout_ms = 10'000;     // stop(): for clients to take their last messages and close
  std::vector<std::string> cors_origins = {};  // empty: no CORS headers; "*" alone: any origin
  // CORS: what web pages of other origins may do by long-polling. A browser that sends cookies along wants the origins
  // named, not "*".
  bool cors_credentials = false;
  std::vector<std::string> cors_methods = {"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"};
  std::vector<std::string> cors_allowed_headers = {};  // of requests; empty: whatever the browser asks for
  std::vector<std::string> cors_exposed_headers = {};  // of answers, for scripts to read
  std::uint32_t cors_max_age_s = 0;  // how long a browser may remember the permission; 0: as long as it likes
  std::optional<CookieOptions> cookie = {};
  AllowRequest allow_request = {};                  // empty: every handshake is allowed
  std::uint32_t allow_request_timeout_ms = 10'000;  // a handshake not answered by then is refused
  HeadersHook initial_headers = {};                 // for the answer to a handshake
  HeadersHook headers = {};                         // for every answer to a session's client, handshakes included
  bool serve_client = true;                         // Socket.IO's scripts for browsers, at PATH/socket.io.js and so on,
  std::string client_files_dir = {};                // from the folder `dist` of the npm package socket.io-client
  HttpCompressionOptions http_compression = {};
  LimitOptions limits = {};
  PerMessageDeflateOptions per_message_deflate = {};
  RecoveryOptions recovery = {};
};

namespace runtime {
class Node;
}

// Configure from one thread, then start() or run(). After that any thread may broadcast.
class Server {
 public:
  explicit Server(ServerOptions options = {});
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Throws std::invalid_argument for a malformed URL, std::logic_error when there is a Notifier already. Does not wait for Redis.
  void adapter(AdapterOptions options);

  // The namespace of that name, made on first use; "/" exists from the start. Before start().
  Namespace& of(std::string_view name);
  // Namespaces that come to be when the first client asks for them, if their name matches the pattern (anywhere: use ^
  // and $), or if the function allows it. Parents are asked in the order in which they were made. Before start().
  // Strangers choose the names: see namespaces_max and namespace_bytes_max, and mind patterns that take exponential time.
  Namespace& of(std::regex pattern);
  Namespace& of(NamespacePredicate predicate);
  // Called when such a namespace has come to be, on the shard of its first client and before that connects. Handlers may
  // be added to it here. The reference is valid during the call, a copy is good for broadcasting. Before start().
  void on_new_namespace(std::function<void(Namespace&)> handler);
  // Everyone in a namespace of any kind, existing or not. Any thread.
  BroadcastOperator everyone_in(std::string_view name_space) const;
  void use(Middleware middleware) { of("/").use(std::move(middleware)); }
  void on_connection(ConnectionHandler handler) { of("/").on_connection(std::move(handler)); }

  // As those of the namespace "/".
  void server_side_emit(std::string_view event, const Args& args) const { root().server_side_emit(event, args); }
  void server_side_emit_with_ack(std::string_view event, const Args& args, ServerAnswersHandler handler) const {
    root().server_side_emit_with_ack(event, args, std::move(handler));
  }
  void on_server_event(std::string_view event, ServerEventHandler handler) {
    of("/").on_server_event(event, std::move(handler));
  }
  void on_any_server_event(AnyServerEventHandler handler) { of("/").on_any_server_event(std::move(handler)); }
  void all_rooms(RoomsHandler handler) const { root().all_rooms(std::move(handler)); }
  void server_count(ServerCountHandler handler) const { root().server_count(std::move(handler)); }

  BroadcastOperator to(std::string_view room) const { return root().to(room); }
  BroadcastOperator to(const std::vector<std::string>& rooms) const { return root().to(rooms); }
  BroadcastOperator in(std::string_view room) const { return root().to(room); }
  BroadcastOperator in(const std::vector<std::string>& rooms) const { return root().to(rooms); }
  BroadcastOperator except(std::string_view room) const { return root().except(room); }
  BroadcastOperator except(const std::vector<std::string>& rooms) const { return root().except(rooms); }
  BroadcastOperator local() const { return root().local(); }
  BroadcastOperator volatile_() const { return root().volatile_(); }
  BroadcastOperator compress(bool on) const { return root().compress(on); }
  BroadcastOperator timeout(std::chrono::milliseconds timeout) const { return root().timeout(timeout); }
  template <class... T>
    requires EventValues<T...>
  void emit(std::string_view event, T&&... values) const {
    root().emit(event, std::forward<T>(values)...);
  }
  void emit(std::string_view event, const Args& args) const { root().emit(event, args); }
  void emit_with_ack(std::string_view event, const Args& args, BroadcastAckHandler handler) const {
    root().emit_with_ack(event, args, std::move(handler));
  }
  void fetch_sockets(FetchHandler handler) const { root().fetch_sockets(std::move(handler)); }
  void sockets_join(const std::vector<std::string>& rooms, SocketsHandler done = nullptr) const {
    root().sockets_join(rooms, std::move(done));
  }
  void sockets_join(std::string_view room, SocketsHandler done = nullptr) const {
    root().sockets_join(room, std::move(done));
  }
  void sockets_leave(const std::vector<std::string>& rooms, SocketsHandler done = nullptr) const {
    root().sockets_leave(rooms, std::move(done));
  }
  void sockets_leave(std::string_view room, SocketsHandler done = nullptr) const {
    root().sockets_leave(room, std::move(done));
  }
  void disconnect_sockets(bool close = false, SocketsHandler done = nullptr) const {
    root().disconnect_sockets(close, std::move(done));
  }

  // Listens and returns. Throws std::system_error when an address cannot be bound, std::invalid_argument for options
  // that cannot be used, files of TLS included.
  void start();
  // start(), then waits for stop() or for SIGTERM or SIGINT, which it handles; at SIGHUP it calls reload_certificates().
  // `listening`, if given, is called in between, when clients can connect.
  void run(const std::function<void()>& listening = nullptr);
  // Closes all connections and joins the shards. Any thread but a shard's.
  void stop();

  // Reads the files of TLS again: for new connections, nobody is dropped. False: one of them cannot be used; that is
  // logged, and the old ones stay. Any thread, after start().
  bool reload_certificates();

  // After start(): HOST:PORT of the first listener, with the real port, or unix:PATH.
  std::string address() const;
  bool ready() const;  // the cluster connection, if any, is subscribed and proven

  runtime::Node& node() { return *node_; }  // for programs inside this project

 private:
  const Namespace& root() const;
  std::unique_ptr<runtime::Node> node_;
};

}  // namespace carillon
