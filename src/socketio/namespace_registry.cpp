#include "socketio/namespace_registry.hpp"

#include <utility>

#include "socketio/application_call.hpp"

namespace carillon::socketio {

std::shared_ptr<NamespaceHandlers> NamespaceRegistry::add(std::string_view name) {
  const auto found = fixed_.find(name);
  if (found != fixed_.end()) return found->second;
  return fixed_.emplace(name, std::make_shared<NamespaceHandlers>()).first->second;
}

std::size_t NamespaceRegistry::add_parent(NamespacePredicate predicate) {
  const std::size_t index = parents_.size();
  parents_.push_back({"/_" + std::to_string(index), std::move(predicate), std::make_shared<NamespaceHandlers>()});
  return index;
}

NamespaceRegistry::Handlers NamespaceRegistry::find(std::string_view name) const {
  if (const auto fixed = fixed_.find(name); fixed != fixed_.end()) return fixed->second;
  const std::lock_guard lock(mutex_);
  const auto child = children_.find(name);
  return child == children_.end() ? nullptr : child->second.handlers;
}

NamespaceRegistry::Handlers NamespaceRegistry::enter(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = children_.find(name);
  if (found == children_.end()) return nullptr;
  ++found->second.shards;
  return found->second.handlers;
}

NamespaceRegistry::Handlers NamespaceRegistry::create(std::string_view name, std::size_t parent, Stats& stats) {
  const std::lock_guard creating(creation_);
  if (auto handlers = enter(name)) return handlers;  // another shard was faster
  {
    const std::lock_guard lock(mutex_);
    if (children_.size() >= limits_.namespaces_max) {
      refused_.add();
      return nullptr;
    }
  }
  auto handlers = make_handlers(name, parent, stats);
  const std::lock_guard lock(mutex_);
  children_.emplace(name, Child{parent, 1, handlers});
  child_count_.add(1);
  return handlers;
}

// Handlers of its own only where the application may add some.
std::shared_ptr<NamespaceHandlers> NamespaceRegistry::make_handlers(std::string_view name, std::size_t parent,
                                                                    Stats& stats) const {
  const auto& of_parent = parents_[parent].handlers;
  if (new_handlers_.empty()) return of_parent;
  auto handlers = std::make_shared<NamespaceHandlers>(*of_parent);
  Namespace face(port_, handlers, std::string(name));
  for (const auto& handler : new_handlers_) call_application(stats, "the new namespace", name, [&] { handler(face); });
  return handlers;
}

void NamespaceRegistry::leave(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = children_.find(name);
  if (found == children_.end() || --found->second.shards > 0) return;
  children_.erase(found);
  child_count_.add(-1);
}

std::vector<std::string> NamespaceRegistry::children_of(std::size_t parent) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, child] : children_)
    if (child.parent == parent) names.push_back(name);
  return names;
}

}  // namespace carillon::socketio
