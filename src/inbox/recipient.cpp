#include "inbox/recipient.hpp"

#include <algorithm>
#include <utility>

#include "inbox/ranges.hpp"

namespace carillon::inbox {

Recipient::Recipient(DeliveryContext& context, RecipientIdentity identity, RecipientPort& port)
    : context_(context), identity_(std::move(identity)), port_(port) {}

void Recipient::start() { ask_cursor(); }

// Without waiting for answers: nobody is left who could repeat a call.
void Recipient::end() {
  if (is_over()) return;
  state_ = State::ended;
  context_.timers.clear(*this);
  if (saving_) unsaved_.pop_front();
  for (const Unsaved& unsaved : std::exchange(unsaved_, {}))
    context_.store.prove(proof_of(unsaved), [](const Result<void, StoreError>&) {});
}

// --- following the log ---

void Recipient::ask_cursor() {
  if (asking_) return;
  asking_ = true;
  context_.store.open(identity_.user, identity_.device,
                      [weak = weak_from_this()](Result<DeviceState, StoreError> result) {
                        if (const auto self = weak.lock(); self && !self->is_over()) self->on_opened(std::move(result));
                      });
}

void Recipient::on_opened(Result<DeviceState, StoreError> result) {
  asking_ = false;
  if (!result) return note_store_error();
  if (!epoch_.empty() && epoch_ != result->epoch) {
    // A log began anew while the answer was on its way, and the answer may be of the old one.
    epoch_.clear();
    head_ = 0;
    return ask_cursor();
  }
  epoch_ = std::move(result->epoch);
  head_ = std::max(head_, result->head);
  sent_to_ = proven_to_ = pinged_to_ = result->cursor;
  above_ = std::move(result->above);
  registered_ = result->known;
  state_ = State::following;
  if (!must_register()) retry_delay_ = Milliseconds(0);
  pump();
}

// A device that begins behind the first number is registered at once, and then the store says where it begins: an earlier
// socket of it may have registered it elsewhere since it was asked, or would do so later. What lies between would come out of
// order then, or not before the next connection.
bool Recipient::must_register() const { return !registered_ && proven_to_ > 0; }

void Recipient::register_first() {
  state_ = State::opening;
  asking_ = true;
  context_.store.prove(proof_of({epoch_, {proven_to_, proven_to_}, proven_to_}),
                       [weak = weak_from_this()](const Result<void, StoreError>& result) {
                         const auto self = weak.lock();
                         if (!self || self->is_over()) return;
                         self->asking_ = false;
                         if (!result) return self->note_store_error();
                         self->ask_cursor();
                       });
}

bool Recipient::has_room() const {
  return window_.empty() ||
         (window_.size() < context_.options.window && window_bytes_ < context_.options.window_bytes_max);
}

std::size_t Recipient::room_bytes() const {
  return context_.options.window_bytes_max - std::min(window_bytes_, context_.options.window_bytes_max);
}

void Recipient::on_signal(const Signal& signal) {
  // The first of a log: what there was to know of its epoch before was nothing.
  const bool begins = state_ == State::following && head_ == 0 && sent_to_ == 0 && signal.position.number == 1;
  if (begins) epoch_ = signal.position.epoch;
  const bool is_next = state_ == State::following && signal.position.epoch == epoch_ &&
                       signal.position.number == sent_to_ + 1 && has_room() && !must_register();
  if (!is_next) return on_head(signal.position);
  head_ = std::max(head_, signal.position.number);
  sent_to_ = signal.position.number;
  if (!holds(proven_to_, above_, sent_to_)) send(sent_to_, signal.notification);
  arm();
}

void Recipient::on_head(const Position& head) {
  if (is_over()) return;
  if (state_ == State::opening) {
    // Which epoch it is to be is not known yet: the answer may be older than this.
    if (epoch_.empty() || epoch_ == head.epoch) {
      epoch_ = head.epoch;
      head_ = std::max(head_, head.number);
    }
    return;
  }
  if (head.epoch != epoch_) {
    look_ = true;
  } else {
    head_ = std::max(head_, head.number);
  }
  pump();
}

// The log was lost and began anew: so does the device.
void Recipient::start_again(const std::string& epoch) {
  context_.stats.gaps.add();
  port_.tell_gap({Gap::Reason::epoch, epoch, 0, 0});
  if (is_over()) return;
  window_.clear();
  window_bytes_ = 0;
  given_up_.clear();
  beyond_memory_ = 0;
  gap_to_ = 0;
  above_.clear();
  former_.clear();
  look_ = false;
  ping_out_ = false;
  epoch_ = epoch;
  head_ = 0;
  state_ = State::opening;
  retry_at_ = never;
  ask_cursor();
  arm();
}

// What has been sent is in the log: it has only become another Redis' log meanwhile.
void Recipient::go_on_in(std::string epoch) {
  static constexpr std::size_t former_max = 16;
  if (!epoch_.empty()) former_.push_back(std::move(epoch_));
  if (former_.size() > former_max) former_.pop_front();
  epoch_ = std::move(epoch);
  head_ = read_head_ = sent_to_;  // what was heard of before may have been lost
}

bool Recipient::knows(const std::string& epoch) const {
  return epoch == epoch_ || std::ranges::find(former_, epoch) != former_.end();
}

void Recipient::pump() {
  if (state_ != State::following || retry_at_ != never) return arm();
  if (must_register()) return register_first();
  if ((head_ <= sent_to_ && !look_) || !has_room()) return arm();
  state_ = State::reading;
  look_ = false;
  read_head_ = head_;
  context_.stats.reads.add();
  context_.store.read({.user = identity_.user,
                       .after = sent_to_,
                       .entries_max = context_.options.window - std::min(window_.size(), context_.options.window - 1),
                       .bytes_max = room_bytes(),
                       .now = context_.unix_now,
                       .epoch = epoch_},
                      [weak = weak_from_this(), ticket = ++read_ticket_](Result<Page, StoreError> result) {
                        const auto self = weak.lock();
                        if (self && self->state_ == State::reading && self->read_ticket_ == ticket)
                          self->on_page(std::move(result));
                      });
}

void Recipient::on_page(Result<Page, StoreError> result) {
  state_ = State::following;
  if (!result) {
    look_ = true;  // if that was the reason
    return note_store_error();
  }
  retry_delay_ = Milliseconds(0);
  if (!result->continues) return start_again(result->epoch);
  if (result->epoch != epoch_) go_on_in(std::move(result->epoch));
  if (result->dropped_to > sent_to_) {
    context_.stats.gaps.add();
    // With acknowledgements nothing proves that it is heard but one for what is sent after it.
    if (identity_.acknowledges) {
      if (gap_to_ == 0) gap_from_ = sent_to_ + 1;
      gap_to_ = result->dropped_to;
    }
    port_.tell_gap({Gap::Reason::limit, epoch_, sent_to_ + 1, result->dropped_to});
  }
  for (const Entry& entry : result->entries) {
    if (is_over()) return;  // the socket has ended in the middle of being sent to
    if (entry.number <= sent_to_) continue;
    sent_to_ = entry.number;
    if (!holds(proven_to_, above_, entry.number)) send(entry.number, entry.notification);
  }
  if (is_over()) return;
  sent_to_ = std::max(sent_to_, result->upto);
  // What was heard of before the log was read and is not in it does not exist; what was heard of since then may.
  head_ = head_ == read_head_ ? result->head : std::max(head_, result->head);
  pump();
}

// --- time ---

void Recipient::note_store_error() {
  context_.stats.store_errors.add();
  retry_delay_ = std::clamp(retry_delay_ * 2, context_.options.retry_min, context_.options.retry_max);
  retry_at_ = context_.now + retry_delay_;
  arm();
}

void Recipient::arm() {
  if (is_over()) return;
  TimePoint next = std::min({ping_at_, save_at_, retry_at_});
  for (const Sent& sent : window_) next = std::min(next, sent.due);
  context_.timers.set(*this, next);
}

void Recipient::on_deadline(TimePoint now) {
  context_.unix_now += (std::max(now, context_.now) - context_.now).count();
  context_.now = std::max(now, context_.now);
  const auto keep = shared_from_this();
  if (ping_at_ <= now) {
    ping_at_ = never;
    context_.stats.pings.add();
    port_.ping();
  }
  if (identity_.acknowledges) repeat_overdue();
  if (is_over()) return;
  if (save_at_ <= now) {
    save_at_ = never;
    save_next();
  }
  if (retry_at_ <= now) {
    retry_at_ = never;
    if (state_ == State::opening) ask_cursor();
  }
  pump();
}

}  // namespace carillon::inbox
