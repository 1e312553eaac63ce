#include "socketio/application_call.hpp"

#include <exception>
#include <string>

#include "base/log.hpp"

namespace carillon::socketio {

void report_escaped(Stats& stats, std::string_view what, std::string_view name) {
  std::string message = "the application's handler for ";
  message.append(what).append(" '").append(name).append("' threw ");
  try {
    throw;
  } catch (const std::exception& error) {
    message.append("an exception: ").append(error.what());
  } catch (...) {
    message.append("something that is no std::exception");
  }
  log_error(message);
  stats.handler_exceptions.add();
}

}  // namespace carillon::socketio
