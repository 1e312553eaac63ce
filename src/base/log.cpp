#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/json.hpp"

namespace carillon {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::off:
      return spdlog::level::off;
  }
  return spdlog::level::off;
}

struct Logger {
  std::shared_ptr<spdlog::logger> out = [] {
    auto logger = std::make_shared<spdlog::logger>("carillon", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_level(spdlog::level::warn);
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    logger->flush_on(spdlog::level::debug);
    return logger;
  }();
  bool json = false;
};

Logger& logger() {
  static Logger instance;
  return instance;
}

}  // namespace

void configure_log(LogLevel level, LogFormat format) {
  Logger& target = logger();
  target.out->set_level(to_spdlog(level));
  target.json = format == LogFormat::json;
  if (target.json) {
    target.out->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%v})",
                            spdlog::pattern_time_type::utc);
  }
}

void log(LogLevel level, std::string_view message) {
  const Logger& target = logger();
  if (!target.out->should_log(to_spdlog(level))) return;
  if (target.json) {
    std::string quoted;
    append_json_string(quoted, message);
    target.out->log(to_spdlog(level), spdlog::string_view_t(quoted.data(), quoted.size()));
  } else {
    target.out->log(to_spdlog(level), spdlog::string_view_t(message.data(), message.size()));
  }
}

}  // namespace carillon
