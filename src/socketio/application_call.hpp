// The one place where handlers of the application are called.
#pragma once

#include <string_view>
#include <utility>

#include "socketio/stats.hpp"

namespace carillon::socketio {

// Inside a catch (...): logs what was thrown, and by whom ("event", "chat"), and counts it.
void report_escaped(Stats& stats, std::string_view what, std::string_view name);

// Calls a handler. An exception that escapes it is logged, counted and goes no further: it ends the handler, not the connection,
// and the shard goes on. False if there was one.
template <class Call>
bool call_application(Stats& stats, std::string_view what, std::string_view name, Call&& call) {
  try {
    std::forward<Call>(call)();
    return true;
  } catch (...) {
    report_escaped(stats, what, name);
    return false;
  }
}

}  // namespace carillon::socketio
