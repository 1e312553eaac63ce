// Logging. Any thread. Messages are whole sentences: what happened, where, what to do.
#pragma once

#include <string_view>

namespace carillon {

enum class LogLevel { debug, info, warn, error, off };
enum class LogFormat { text, json };

// Before other threads log. Output goes to stderr. The level before any call is `warn`, so that a library user sees
// trouble only.
void configure_log(LogLevel level, LogFormat format);

void log(LogLevel level, std::string_view message);
inline void log_debug(std::string_view message) { log(LogLevel::debug, message); }
inline void log_info(std::string_view message) { log(LogLevel::info, message); }
inline void log_warn(std::string_view message) { log(LogLevel::warn, message); }
inline void log_error(std::string_view message) { log(LogLevel::error, message); }

}  // namespace carillon
