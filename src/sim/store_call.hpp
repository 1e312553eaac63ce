// One call to the store, on its way there and back.
#pragma once

#include <functional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "inbox/memory_store.hpp"
#include "sim/history.hpp"

namespace carillon::sim {

class StoreCall {
 public:
  StoreCall(std::string_view name, bool writes) : name_(name), writes_(writes) {}
  virtual ~StoreCall() = default;
  StoreCall(const StoreCall&) = delete;
  StoreCall& operator=(const StoreCall&) = delete;

  std::string_view name() const { return name_; }
  bool writes() const { return writes_; }

  virtual void apply(inbox::MemoryStore& model) = 0;         // and keeps the result
  virtual void replay(inbox::MemoryStore& model) const = 0;  // for its effect only
  virtual void fail(inbox::StoreError error) = 0;            // instead of the result
  virtual bool succeeded() const = 0;
  virtual void complete() = 0;  // the caller hears of the result
  // Once it has been applied, and once the store has let go of its answer.
  virtual void tell_stored(inbox::MemoryStore& model, History& history) const = 0;
  virtual void tell_answered(History& history) const = 0;

 private:
  std::string_view name_;
  bool writes_;
};

template <class T>
class StoreCallOf final : public StoreCall {
 public:
  using Done = inbox::Store::Done<T>;
  using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
  struct Parts {
    std::function<void(inbox::MemoryStore&, Done)> run;
    std::function<void(const Value&, inbox::MemoryStore&, History&)> stored{};
    std::function<void(const Value&, History&)> answered{};
  };
  StoreCallOf(std::string_view name, bool writes, Parts parts, Done done)
      : StoreCall(name, writes), parts_(std::move(parts)), done_(std::move(done)) {}

  void apply(inbox::MemoryStore& model) override {
    parts_.run(model, [this](Result<T, inbox::StoreError> result) { result_ = std::move(result); });
    model.run();
  }
  void replay(inbox::MemoryStore& model) const override {
    parts_.run(model, [](const Result<T, inbox::StoreError>&) {});
    model.run();
  }
  void fail(inbox::StoreError error) override { result_ = Failure(error); }
  bool succeeded() const override { return result_.has_value(); }
  void complete() override { done_(std::move(result_)); }
  void tell_stored(inbox::MemoryStore& model, History& history) const override {
    if (parts_.stored && result_) parts_.stored(value(), model, history);
  }
  void tell_answered(History& history) const override {
    if (parts_.answered && result_) parts_.answered(value(), history);
  }

 private:
  const Value& value() const {
    if constexpr (std::is_void_v<T>) {
      static constexpr Value nothing{};
      return nothing;
    } else {
      return *result_;
    }
  }

  Parts parts_;
  Done done_;
  Result<T, inbox::StoreError> result_ = Failure(inbox::StoreError::unavailable);
};

}  // namespace carillon::sim
