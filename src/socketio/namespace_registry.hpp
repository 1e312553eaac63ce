// The namespaces of a node: those that the application has made, and the children that its parents allow.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <carillon/namespace.hpp>

#include "base/counter.hpp"
#include "socketio/broadcast.hpp"
#include "socketio/namespace_handlers.hpp"
#include "socketio/stats.hpp"

namespace carillon::socketio {

// Configured before the start; then any thread, apart from what is marked. A shard makes the part of a child that it
// needs, and says when it no longer has one.
class NamespaceRegistry {
 public:
  struct Limits {
    std::size_t namespaces_max = 10'000;    // children at a time
    std::size_t namespace_bytes_max = 256;  // of a child's name
    bool cleanup_empty_child_namespaces = true;
  };
  // `port`: where the children's broadcasts go. Both outlive the registry.
  NamespaceRegistry(BroadcastPort& port, const Limits& limits) : port_(port), limits_(limits) {}

  struct Parent {
    std::string name;  // "/_0": of no client
    NamespacePredicate predicate;
    std::shared_ptr<NamespaceHandlers> handlers;
  };

  // --- before the start ---
  std::shared_ptr<NamespaceHandlers> add(std::string_view name);
  // Gives its index. They are asked in the order in which they were added.
  std::size_t add_parent(NamespacePredicate predicate);
  void on_new_namespace(std::function<void(Namespace&)> handler) { new_handlers_.push_back(std::move(handler)); }

  const NamespaceTable& fixed() const { return fixed_; }
  const std::vector<Parent>& parents() const { return parents_; }
  const Limits& limits() const { return limits_; }

  using Handlers = std::shared_ptr<const NamespaceHandlers>;
  // Of a namespace of either kind; null if there is none of that name.
  Handlers find(std::string_view name) const;
  // For a shard that has no part of it yet: the handlers of a child that exists, or nothing.
  Handlers enter(std::string_view name);
  // The same, and makes the child if it does not exist; nothing if there are too many. Tells the application, on the
  // calling shard, before anybody else sees the child.
  Handlers create(std::string_view name, std::size_t parent, Stats& stats);
  // A shard has no part of it any more. The last one forgets the child.
  void leave(std::string_view name);

  std::vector<std::string> children_of(std::size_t parent) const;

  const Gauge& children() const { return child_count_; }
  const Counter& refused() const { return refused_; }

 private:
  struct Child {
    std::size_t parent;
    std::size_t shards;  // that have a part of it
    std::shared_ptr<NamespaceHandlers> handlers;
  };
  std::shared_ptr<NamespaceHandlers> make_handlers(std::string_view name, std::size_t parent, Stats& stats) const;

  BroadcastPort& port_;
  const Limits& limits_;
  NamespaceTable fixed_;
  std::vector<Parent> parents_;
  std::vector<std::function<void(Namespace&)>> new_handlers_;

  std::mutex creation_;       // held while the application hears of a new child; before mutex_
  mutable std::mutex mutex_;  // guards all below
  std::map<std::string, Child, std::less<>> children_;
  Gauge child_count_;
  Counter refused_;  // children beyond namespaces_max
};

}  // namespace carillon::socketio
