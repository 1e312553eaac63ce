// Notifications that are not lost, from the program that embeds the server: what POST /v1/notifications is over HTTP.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <carillon/handshake.hpp>
#include <carillon/value.hpp>

namespace carillon {

class Server;

namespace runtime {
class Inbox;
class Node;
}  // namespace runtime

// What a client is to its user. Without a name it is the user's default device.
struct NotifiedDevice {
  std::string name = {};      // 1 to 256 bytes; its place in the inbox is kept
  bool acknowledges = false;  // its application acknowledges each notification; else the transport proves the receipt
};

struct NotifierOptions {
  std::string data_dir = "./carillon-data";        // without an adapter; made if it is not there; one process at a time
  std::uint32_t ttl_default_s = 604'800;           // where a notification says none
  std::size_t notifications_per_user_max = 1'000;  // beyond it the oldest is dropped; clients that lack it are told
  std::size_t bytes_per_user_max = 4 * 1024 * 1024;  // as above
  std::size_t devices_per_user_max = 100;            // beyond it the one that was silent longest is forgotten
  std::size_t waiting_bytes_max =
      64 * 1024 * 1024;                       // on their way to the store; beyond it: NotifyError::Kind::unavailable
  std::size_t questions_per_socket_max = 16;  // `inbox:fetch` and `inbox:read` under way; beyond: refused
  std::size_t window = 64;                    // sent to one client and not proven yet
  std::uint32_t ack_timeout_ms = 10'000;      // for a client's application; then it is sent again
  // With an adapter: how often it looks at the log of each user who is here, in case a signal was lost on its way.
  std::uint32_t head_check_interval_ms = 30'000;
  // Of a socket that its middleware has given an identity. Empty: auth.deviceId (text) and auth.ack (true) of the
  // handshake. Called on the socket's shard.
  std::function<NotifiedDevice(const Handshake&)> device_of = {};
};

// Limits are those of the API: docs/api-http.md.
struct OutgoingNotification {
  std::vector<std::string> users = {};  // 1 to 10,000 user ids of 1 to 256 bytes; one that is repeated counts once
  std::string room = {};                // instead of users: its members' users, at the time of acceptance
  std::string event = "notification";   // its name on the socket
  Value data = {};                      // up to 64 KiB of JSON, without binary
  std::uint32_t ttl_s = 0;              // 1 to 31,536,000; 0: the default
  std::string idempotency_key = {};     // up to 256 bytes; empty: none
  std::string collapse_key = {};        // a newer one replaces one that no device has received yet; empty: none
};

struct NotifyReceipt {
  std::string id;  // of GET /v1/notifications/{id}; with a known key that of the first time
  std::size_t recipients = 0;
  bool replayed = false;  // the key was known, and nothing was done
};

struct NotifyError {
  enum class Kind : std::uint8_t {
    invalid,      // it will never be accepted as it is
    conflict,     // the idempotency key was used for another notification
    unavailable,  // the store is full, overloaded, away or damaged: try again later with the same key
  };
  Kind kind = Kind::unavailable;
  std::string message;  // for people: which field, what was expected
};

using NotifyHandler = std::function<void(const std::expected<NotifyReceipt, NotifyError>&)>;

// Keeps the inbox of a server's users: sockets of "/" that a middleware has given an identity (Socket::set_identity())
// get what is for that user id, and what has come while they were away. Sockets that are meant as members of a room are
// found by their rooms "user:<id>".
// Without an adapter everything is on this server's disk. With one it is in the adapter's Redis, under "KEY-inbox:": all
// servers with the same adapter and key, `carillon serve` among them, share the users' inboxes, and any of them may
// notify. How safe it is there is said in docs/inbox.md.
class Notifier {
 public:
  // Before Server::start() and after Server::adapter(), in any other order std::logic_error is thrown, as by a second
  // notifier; the server must outlive it.
  explicit Notifier(Server& server, NotifierOptions options = {});
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // Any thread, after Server::start(); std::logic_error before. `done` is called once, on a shard: when the notification is
  // on the disk, and so survives a crash, or in Redis, or when it was refused. It may be called before this returns. A notification
  // whose `done` was not called, as at Server::stop(), may or may not have been accepted: repeat it with its key.
  void notify(const OutgoingNotification& notification, NotifyHandler done = nullptr) const;

 private:
  runtime::Node& node_;
  runtime::Inbox& inbox_;
  std::uint32_t ttl_default_s_;
};

}  // namespace carillon
