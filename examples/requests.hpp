// What carillon-example-cluster and carillon-example-emitter are told: by whom, for whom, with which adapter.
#pragma once

#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <carillon/adapter_options.hpp>
#include <carillon/args.hpp>
#include <carillon/broadcast_operator.hpp>

namespace requests {

// A list of texts; what is no text in it, or no list at all, counts as nothing.
inline std::vector<std::string> strings(const carillon::Value* list) {
  std::vector<std::string> result;
  const carillon::Array* array = list == nullptr ? nullptr : list->as_array();
  if (array == nullptr) return result;
  for (const carillon::Value& value : *array)
    if (const std::string* text = value.as_string()) result.push_back(*text);
  return result;
}

inline const std::string& text(const carillon::Value* value, const char* what) {
  const std::string* text = value == nullptr ? nullptr : value->as_string();
  if (text == nullptr) throw std::invalid_argument(std::string(what) + " must be a text");
  return *text;
}

inline bool flag(const carillon::Value* value) {
  return value != nullptr && value->as_bool() != nullptr && *value->as_bool();
}

// {"args":[]}
inline carillon::Args args(const carillon::Value& request) {
  const carillon::Value* list = request.find("args");
  const carillon::Array* array = list == nullptr ? nullptr : list->as_array();
  return carillon::Args(array == nullptr ? carillon::Array() : *array);
}

// {"rooms":[],"except":[],"flags":{"volatile","local","timeout"}}, of those whom `all` stands for.
inline carillon::BroadcastOperator chosen(const carillon::BroadcastOperator& all, const carillon::Value& request) {
  auto chosen = all.to(strings(request.find("rooms"))).except(strings(request.find("except")));
  const carillon::Value* flags = request.find("flags");
  if (flags == nullptr) return chosen;
  if (flag(flags->find("volatile"))) chosen = chosen.volatile_();
  if (flag(flags->find("local"))) chosen = chosen.local();
  if (const carillon::Value* timeout = flags->find("timeout")) {
    chosen = chosen.timeout(std::chrono::milliseconds(timeout->as_int64()));
  }
  return chosen;
}

// The part of the command line that says what is spoken in Redis.
struct ClusterFlags {
  std::string adapter = "pubsub";
  std::string mode = "dynamic";

  void add_to(CLI::App& app) {
    app.add_option("--adapter", adapter, "What the servers of the cluster speak: pubsub, sharded or streams")
        ->check(CLI::IsMember({"pubsub", "sharded", "streams"}))
        ->type_name("KIND");
    app.add_option("--mode", mode, "Of the sharded adapter: static, dynamic or dynamic-private")
        ->check(CLI::IsMember({"static", "dynamic", "dynamic-private"}))
        ->type_name("MODE");
  }

  carillon::AdapterOptions adapter_of(const std::string& redis) const {
    static const std::map<std::string, carillon::ShardedMode> modes = {
        {"static", carillon::ShardedMode::static_},
        {"dynamic", carillon::ShardedMode::dynamic},
        {"dynamic-private", carillon::ShardedMode::dynamic_private},
    };
    if (adapter == "sharded") return carillon::redis_sharded_adapter(redis, modes.at(mode));
    if (adapter == "streams") return carillon::redis_streams_adapter(redis);
    return carillon::redis_adapter(redis);
  }
};

}  // namespace requests
