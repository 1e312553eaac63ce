// A client's socket and its user's inbox.
#pragma once

#include <memory>
#include <string_view>

#include "inbox/recipient.hpp"
#include "runtime/inbox.hpp"
#include "socketio/socket_core.hpp"

namespace carillon::runtime {

// Emits notifications, takes acknowledgements and pongs, and answers `inbox:fetch` and `inbox:read`. Owned by its socket.
class InboxSocket final : public socketio::SocketWatcher, private inbox::RecipientPort {
 public:
  InboxSocket(ShardInbox& inbox, socketio::SocketCore& socket, NotifiedDevice device);
  ~InboxSocket() override;

 private:
  void on_ping_sent() override { recipient_->on_ping_sent(); }
  void on_pong() override { recipient_->on_pong(); }

  void send(const inbox::Notification& notification, const inbox::Position& position) override;
  void ping() override { socket_.ping(); }
  void tell_gap(const inbox::Gap& gap) override;
  void tell_read(const inbox::ReadEvent& event) override;
  void tell(std::string_view event, const std::string& arguments);

  // One more, as long as what it gives lives. Null: too many are under way, and it has said so.
  std::shared_ptr<const void> begin_question(const Ack& ack);
  void on_fetch(const Args& args, const Ack& ack);
  void on_read(const Args& args, const Ack& ack);

  ShardInbox& inbox_;
  socketio::SocketCore& socket_;
  std::shared_ptr<inbox::Recipient> recipient_;
  std::shared_ptr<const void> questions_ = std::make_shared<const char>();  // held by each that is under way, too
};

}  // namespace carillon::runtime
