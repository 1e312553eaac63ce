// carillon::Emitter: a thread with a loop and a publish-only Redis client.
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include <carillon/emitter.hpp>

#include "base/random.hpp"
#include "cluster/emission.hpp"
#include "io/loop.hpp"
#include "runtime/redis_driver.hpp"
#include "socketio/broadcast.hpp"
#include "socketio/packet.hpp"

namespace carillon {
namespace {

constexpr std::chrono::milliseconds farewell{2000};  // for the queue to empty when the emitter is destroyed

std::string with_slash(std::string_view name_space) {
  return name_space.starts_with('/') ? std::string(name_space) : "/" + std::string(name_space);
}

cluster::EmitterFormat format_of(const EmitterOptions& options) {
  return {.kind = options.kind,
          .key = options.key,
          .mode = options.mode,
          .stream_name = options.stream_name,
          .stream_count = options.stream_count};
}

redis::ClientOptions client_options(std::string_view url_text, const EmitterOptions& options) {
  auto url = redis::parse_url(url_text);
  if (!url) throw std::invalid_argument(url.error());
  redis::ClientOptions client;
  client.url = std::move(*url);
  client.name = "carillon-emitter";
  client.subscribes = false;
  client.queue_bytes_max = options.queue_bytes_max;
  return client;
}

}  // namespace

class Emitter::Impl final : public socketio::BroadcastPort, private io::LoopHooks {
 public:
  Impl(std::string_view redis_url, const EmitterOptions& options)
      : format_(format_of(options)),
        stream_length_max_(options.stream_length_max),
        random_(make_system_random()),
        driver_(loop_, client_options(redis_url, options), *random_),
        thread_([this] { loop_.run(*this); }) {}

  ~Impl() override {
    if (!gave_up_) flush(farewell);
    loop_.stop();
    thread_.join();
  }

  void broadcast(socketio::BroadcastPtr message) override {
    auto emission = cluster::emission_of(format_, *message);
    if (!emission) throw std::invalid_argument("the arguments of '" + message->event + "' are nested too deeply");
    send(std::move(*emission), nullptr);
  }

  void operate(socketio::OperationPtr operation, socketio::OperationDone done) override {
    switch (operation->kind) {
      case socketio::Operation::Kind::join:
      case socketio::Operation::Kind::leave:
      case socketio::Operation::Kind::disconnect:
        break;
      case socketio::Operation::Kind::server_side_emit:
        if (!operation->wants_answers) break;
        [[fallthrough]];
      case socketio::Operation::Kind::emit_with_ack:
      case socketio::Operation::Kind::fetch:
      case socketio::Operation::Kind::all_rooms:
      case socketio::Operation::Kind::server_count:
        throw std::logic_error("an Emitter holds no sockets and cannot get answers: ask a Server");
    }
    auto emission = cluster::emission_of(format_, *operation);
    if (!emission) throw std::invalid_argument("the arguments of '" + operation->event + "' are nested too deeply");
    send(std::move(*emission), std::move(done));
  }

  bool flush(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    const std::uint64_t ticket = ++tickets_;
    loop_.post([this, ticket] { pending_ticket_ = ticket; });
    const bool done = flushed_.wait_for(lock, timeout, [&] { return done_ticket_ >= ticket; });
    gave_up_ = !done;
    return done;
  }

  std::size_t dropped() const { return dropped_; }

 private:
  void send(cluster::Emission emission, socketio::OperationDone done) {
    loop_.post([this, emission = std::move(emission), done = std::move(done)]() mutable {
      redis::Link& link = driver_.link();
      if (emission.entry.empty()) {
        link.publish(std::move(emission.place), std::move(emission.payload), emission.kind);
      } else {
        link.append(std::move(emission.place), std::move(emission.entry), stream_length_max_, {});
      }
      if (done) done({});
    });
  }

  void on_turn_begin(TimePoint) override {}
  void on_turn_end(TimePoint now) override {
    driver_.on_turn_end(now);
    dropped_ = driver_.link().dropped();
    if (driver_.link().unanswered() > 0) return;
    const std::lock_guard lock(mutex_);
    done_ticket_ = pending_ticket_;
    flushed_.notify_all();
  }
  TimePoint next_deadline() const override { return driver_.next_deadline(); }

  const cluster::EmitterFormat format_;
  const std::size_t stream_length_max_;
  io::Loop loop_;
  std::unique_ptr<Random> random_;
  runtime::RedisDriver driver_;
  std::atomic<std::size_t> dropped_{0};
  std::uint64_t pending_ticket_ = 0;  // the loop's thread: the latest flush that it has seen
  std::mutex mutex_;
  std::condition_variable flushed_;
  std::uint64_t tickets_ = 0;      // guarded by mutex_
  std::uint64_t done_ticket_ = 0;  // guarded by mutex_
  bool gave_up_ = false;           // the last flush() ran out of time: the farewell would, too. Guarded by mutex_
  std::thread thread_;
};

Emitter::Emitter(std::string_view redis_url, const EmitterOptions& options)
    : impl_(std::make_unique<Impl>(redis_url, options)) {}
Emitter::~Emitter() = default;

BroadcastOperator Emitter::of(std::string_view name_space) const {
  return BroadcastOperator(*impl_, with_slash(name_space));
}
void Emitter::server_side_emit(std::string_view event, const Args& args, std::string_view name_space) const {
  socketio::check_text(event);
  socketio::check_text(args);
  auto operation = std::make_shared<socketio::Operation>();
  operation->kind = socketio::Operation::Kind::server_side_emit;
  operation->selection.name_space = with_slash(name_space);
  operation->event = event;
  operation->args = args;
  impl_->operate(std::move(operation), nullptr);
}
bool Emitter::flush(std::chrono::milliseconds timeout) { return impl_->flush(timeout); }
std::size_t Emitter::dropped() const { return impl_->dropped(); }

}  // namespace carillon
