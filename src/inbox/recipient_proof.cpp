// Recipient: sending, what proves the receipt, and saving it.
#include <algorithm>
#include <utility>

#include "inbox/recipient.hpp"

namespace carillon::inbox {

// --- sending ---

void Recipient::send(std::uint64_t number, const NotificationPtr& notification) {
  if (notification->expires_at <= context_.unix_now) return context_.stats.expired.add();
  if (!registered_) {
    registered_ = true;
    prove({proven_to_, proven_to_});
  }
  window_.push_back({number, notification, never, 0});
  window_bytes_ += notification->bytes();
  transmit(window_.back());
  if (!identity_.acknowledges) want_ping();
}

void Recipient::transmit(Sent& sent) {
  ++sent.attempts;
  if (identity_.acknowledges) sent.due = context_.now + context_.options.ack_timeout;
  context_.stats.sent.add();
  if (sent.attempts > 1) context_.stats.repeated.add();
  const NotificationPtr notification = sent.notification;  // the port may end this recipient
  port_.send(*notification, {epoch_, sent.number});
}

void Recipient::forget(const std::deque<Sent>::const_iterator& place) {
  window_bytes_ -= place->notification->bytes();
  window_.erase(place);
}

// What was not acknowledged in time.
void Recipient::repeat_overdue() {
  for (std::size_t i = 0; i < window_.size() && !is_over();) {
    const auto place = window_.begin() + static_cast<std::ptrdiff_t>(i);
    if (place->due > context_.now) {
      ++i;
    } else if (place->notification->expires_at <= context_.unix_now) {
      context_.stats.expired.add();
      forget(place);
    } else if (place->attempts >= context_.options.attempts_max) {
      give_up(place->number);
      forget(place);
    } else {
      transmit(*place);
      ++i;
    }
  }
}

// An application that acknowledges nothing for weeks must not fill the memory.
void Recipient::give_up(std::uint64_t number) {
  context_.stats.given_up.add();
  if (given_up_.size() < context_.options.given_up_max) {
    given_up_.insert(number);
  } else if (beyond_memory_ == 0 || number < beyond_memory_) {
    beyond_memory_ = number;
  }
}

// --- proof ---

void Recipient::want_ping() {
  if (!ping_out_ && ping_at_ == never) ping_at_ = context_.now + context_.options.ping_delay;
}

void Recipient::on_ping_sent() {
  if (is_over() || identity_.acknowledges) return;
  ping_out_ = true;
  pinged_to_ = sent_to_;
  ping_at_ = never;
  arm();
}

// Also one to a ping that was sent before this recipient was there: it proves nothing, but now there may be another.
void Recipient::on_pong() {
  if (is_over() || identity_.acknowledges) return;
  if (std::exchange(ping_out_, false) && state_ != State::opening && pinged_to_ > proven_to_) {
    while (!window_.empty() && window_.front().number <= pinged_to_) {
      context_.stats.proven.add();
      forget(window_.begin());
    }
    prove({proven_to_, pinged_to_});
    proven_to_ = pinged_to_;
  }
  if (!window_.empty()) want_ping();
  pump();
}

// The highest number up to which nothing is missing.
std::uint64_t Recipient::received_to() const {
  std::uint64_t first_missing = sent_to_ + 1;
  if (!window_.empty()) first_missing = std::min(first_missing, window_.front().number);
  if (!given_up_.empty()) first_missing = std::min(first_missing, *given_up_.begin());
  if (beyond_memory_ != 0) first_missing = std::min(first_missing, beyond_memory_);
  if (gap_to_ != 0) first_missing = std::min(first_missing, gap_from_);
  return first_missing - 1;
}

void Recipient::on_acknowledged(const Position& position) {
  if (is_over() || !identity_.acknowledges || !knows(position.epoch)) return;
  const auto place = std::ranges::find(window_, position.number, &Sent::number);
  if (place != window_.end()) {
    forget(place);
  } else if (given_up_.erase(position.number) == 0) {
    return;  // answered before: it had been sent twice
  }
  context_.stats.proven.add();
  if (position.number > gap_to_) gap_to_ = 0;
  if (const std::uint64_t upto = received_to(); upto > proven_to_) {
    prove({proven_to_, upto});
    proven_to_ = upto;
  } else {
    prove({position.number - 1, position.number});
  }
  pump();
}

void Recipient::prove(Range range) {
  const bool waits = unsaved_.size() > (saving_ ? 1U : 0U);
  if (waits && unsaved_.back().epoch == epoch_ && unsaved_.back().range.upto == range.after) {
    unsaved_.back().range.upto = range.upto;
  } else {
    unsaved_.push_back({epoch_, range, proven_to_});
  }
  save_next();
}

Proof Recipient::proof_of(const Unsaved& unsaved) const {
  return {.user = identity_.user,
          .device = identity_.device,
          .epoch = unsaved.epoch,
          .range = unsaved.range,
          .acknowledged = identity_.acknowledges,
          .node = context_.node,
          .socket = identity_.socket,
          .at = context_.unix_now,
          .begins = unsaved.begins};
}

void Recipient::save_next() {
  if (saving_ || unsaved_.empty() || save_at_ != never) return;
  saving_ = true;
  context_.store.prove(proof_of(unsaved_.front()), [weak = weak_from_this()](const Result<void, StoreError>& result) {
    if (const auto self = weak.lock(); self && !self->is_over()) self->on_saved(result);
  });
}

void Recipient::on_saved(Result<void, StoreError> result) {
  saving_ = false;
  if (result) {
    unsaved_.pop_front();
    return save_next();
  }
  context_.stats.store_errors.add();
  save_at_ = context_.now + context_.options.retry_max;
  arm();
}

void Recipient::tell_read(const ReadEvent& event) {
  if (!is_over() && event.origin != identity_.socket) port_.tell_read(event);
}

}  // namespace carillon::inbox
