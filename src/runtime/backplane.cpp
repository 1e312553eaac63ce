#include "runtime/backplane.hpp"

#include <stdexcept>
#include <utility>

#include "base/log.hpp"
#include "runtime/shard.hpp"

namespace carillon::runtime {
namespace {

redis::ClientOptions client_options(const AdapterOptions& options, const std::string& node_name) {
  auto url = redis::parse_url(options.redis_url);
  if (!url) throw std::invalid_argument(url.error());
  redis::ClientOptions client;
  client.url = std::move(*url);
  client.name = "carillon-" + node_name;
  client.queue_bytes_max = options.queue_bytes_max;
  client.queue_age_max_ms = Milliseconds(options.queue_age_max_ms);
  return client;
}

}  // namespace

// Brings a shard's calls to the backplane's shard, and the answers back.
class Backplane::ShardPort final : public socketio::ClusterPort {
 public:
  ShardPort(Backplane& backplane, Shard& shard) : backplane_(backplane), shard_(shard) {}

  void publish(socketio::BroadcastPtr message) override { backplane_.publish(std::move(message)); }

  void open_namespace(std::string_view name_space) override {
    on_home([this, name_space = std::string(name_space)] {
      backplane_.adapter_.open_namespace(shard_.index(), name_space);
    });
  }
  void close_namespace(std::string_view name_space) override {
    on_home([this, name_space = std::string(name_space)] {
      backplane_.adapter_.close_namespace(shard_.index(), name_space);
    });
  }
  void open_room(std::string_view name_space, std::string_view room, Task done) override {
    on_home([this, name_space = std::string(name_space), room = std::string(room),
             done = homing(std::move(done))]() mutable {
      backplane_.adapter_.open_room(shard_.index(), name_space, room, std::move(done));
    });
  }
  void await_room(std::string_view name_space, std::string_view room, Task done) override {
    on_home([this, name_space = std::string(name_space), room = std::string(room),
             done = homing(std::move(done))]() mutable {
      backplane_.adapter_.await_room(name_space, room, std::move(done));
    });
  }
  void close_room(std::string_view name_space, std::string_view room) override {
    on_home([this, name_space = std::string(name_space), room = std::string(room)] {
      backplane_.adapter_.close_room(shard_.index(), name_space, room);
    });
  }

  const Shard& shard() const { return shard_; }

 private:
  void on_home(Task task) {
    if (backplane_.home_.is_current()) {
      task();
    } else {
      backplane_.home_.post(std::move(task));
    }
  }
  // The task, run on this port's shard.
  Task homing(Task done) {
    if (!done) return [] {};
    if (&shard_ == &backplane_.home_) return done;
    return [this, done = std::move(done)]() mutable { shard_.post(std::move(done)); };
  }

  Backplane& backplane_;
  Shard& shard_;
};

Backplane::Backplane(const AdapterOptions& options, std::vector<std::string> namespaces, const std::string& node_name,
                     Shard& home, cluster::DeliveryPort& deliveries)
    : home_(home),
      random_(make_system_random()),
      driver_(home.loop(), client_options(options, node_name), *random_),
      adapter_(driver_.client(), deliveries, *random_, {options.key, std::move(namespaces)}) {
  driver_.client().set_listener(this);
  home.add_guest(driver_);
}

Backplane::~Backplane() = default;

socketio::ClusterPort& Backplane::port_of(Shard& shard) {
  for (const auto& port : ports_)
    if (&port->shard() == &shard) return *port;
  return *ports_.emplace_back(std::make_unique<ShardPort>(*this, shard));
}

void Backplane::publish(socketio::BroadcastPtr message) {
  if (home_.is_current()) return adapter_.publish(*message);
  home_.post([this, message = std::move(message)] { adapter_.publish(*message); });
}

void Backplane::on_message(std::string_view channel, std::string_view payload) {
  adapter_.on_message(channel, payload);
}
void Backplane::on_subscribed(std::string_view channel) { adapter_.on_subscribed(channel); }

void Backplane::on_ready(bool ready) {
  ready_ = ready;
  adapter_.on_ready(ready);
}

}  // namespace carillon::runtime
