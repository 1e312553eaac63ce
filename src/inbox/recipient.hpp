// Delivery to one socket: a cursor that runs over the user's log.
//
//   open       the device's cursor is asked for, with what it has received beyond
//   follow     a signal for the very next number is sent at once; for a later one the log is read from the cursor, in
//              pages that fit into the window. So replay and live are one path, in order, and a signal that was lost is
//              only a late one.
//   prove      transport: a ping behind the notifications; its pong proves all of them. Application: each acknowledgement.
//              What is proven is saved in the store, which moves the device's cursor.
//   fail       a call to the store that failed is repeated, later each time; what the store does not know as proven comes
//              again on the next connection.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/timer_wheel.hpp"
#include "inbox/delivery_options.hpp"
#include "inbox/delivery_stats.hpp"
#include "inbox/recipient_port.hpp"
#include "inbox/store.hpp"

namespace carillon::inbox {

// What all recipients of a shard share.
struct DeliveryContext {
  const DeliveryOptions& options;
  Store& store;
  TimerWheel& timers;
  std::string node;
  DeliveryStats stats{};
  TimePoint now{};
  UnixMs unix_now = 0;
};

struct RecipientIdentity {
  std::string user;
  std::string device;         // empty: the user's default device
  std::string socket;         // its id
  bool acknowledges = false;  // the application's acknowledgement counts, and nothing else
};

// A message from whoever has accepted a notification, or from another node. May be lost, come late, or twice.
struct Signal {
  std::string user;
  Position position;
  NotificationPtr notification;
};

// Owned by the Deliverer of its shard, which ends it; the store's answers find it gone then.
class Recipient final : public Timer, public std::enable_shared_from_this<Recipient> {
 public:
  Recipient(DeliveryContext& context, RecipientIdentity identity, RecipientPort& port);

  const RecipientIdentity& identity() const { return identity_; }

  void start();
  // The socket is gone: what is proven is still saved, and the port is not called any more.
  void end();

  void on_signal(const Signal& signal);
  // The log has entries up to this number, perhaps.
  void on_head(const Position& head);
  void on_ping_sent();
  void on_pong();
  void on_acknowledged(const Position& position);
  void tell_read(const ReadEvent& event);

  void on_deadline(TimePoint now) override;

  // For tests.
  std::uint64_t proven_to() const { return proven_to_; }
  std::size_t unproven() const { return window_.size(); }

 private:
  enum class State : std::uint8_t { opening, following, reading, ended };
  struct Sent {
    std::uint64_t number;
    NotificationPtr notification;
    TimePoint due;  // with acknowledgement: to be sent again
    unsigned attempts;
  };
  struct Unsaved {
    std::string epoch;
    Range range;
    std::uint64_t begins;  // what was received before it, without a hole
  };

  bool is_over() const { return state_ == State::ended; }
  bool has_room() const;
  std::size_t room_bytes() const;
  void ask_cursor();
  bool must_register() const;
  void register_first();
  void on_opened(Result<DeviceState, StoreError> result);
  void pump();
  void on_page(Result<Page, StoreError> result);
  void start_again(const std::string& epoch);
  void go_on_in(std::string epoch);
  bool knows(const std::string& epoch) const;
  void send(std::uint64_t number, const NotificationPtr& notification);
  void transmit(Sent& sent);
  void want_ping();
  void repeat_overdue();
  void give_up(std::uint64_t number);
  void forget(const std::deque<Sent>::const_iterator& place);
  std::uint64_t received_to() const;
  void prove(Range range);
  void save_next();
  void on_saved(Result<void, StoreError> result);
  Proof proof_of(const Unsaved& unsaved) const;
  void note_store_error();
  void arm();

  DeliveryContext& context_;
  RecipientIdentity identity_;
  RecipientPort& port_;
  State state_ = State::opening;
  bool asking_ = false;  // opening: the call is on its way

  std::string epoch_;               // of the log
  std::deque<std::string> former_;  // earlier epochs of which nothing is lost that was sent
  bool look_ = false;               // somebody has spoken of another epoch: read, to see what it is
  std::uint64_t head_ = 0;          // the highest number that was heard of
  std::uint64_t read_head_ = 0;     // what it was when the page was asked for that is on its way
  std::uint64_t read_ticket_ = 0;   // of that page
  std::uint64_t sent_to_ = 0;       // up to here everything was sent, or need not be
  std::uint64_t proven_to_ = 0;     // up to here everything was received
  std::vector<Range> above_;        // received beyond that, on earlier connections
  bool registered_ = false;         // the store knows the device

  std::deque<Sent> window_;  // sent and not proven, ascending
  std::size_t window_bytes_ = 0;
  std::set<std::uint64_t> given_up_;  // wait for the next connection
  std::uint64_t beyond_memory_ = 0;   // the first one that did not fit in there; 0: all do
  std::uint64_t gap_from_ = 0;        // with acknowledgements: a gap that was told, perhaps not heard,
  std::uint64_t gap_to_ = 0;          // and its end; 0: there is none

  bool ping_out_ = false;
  std::uint64_t pinged_to_ = 0;
  TimePoint ping_at_ = never;

  std::deque<Unsaved> unsaved_;  // proven, in order; the first is on its way while `saving_`
  bool saving_ = false;
  TimePoint save_at_ = never;   // again, after an error
  TimePoint retry_at_ = never;  // open or read again, after an error
  Milliseconds retry_delay_{0};
};

}  // namespace carillon::inbox
