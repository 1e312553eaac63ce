// The commands of `carillon`, one file each. They give the exit code: 0 done, 1 failed, 2 asked wrongly.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/assignment.hpp"
#include "app/config.hpp"

namespace carillon::app {

struct ServeArguments {
  std::optional<std::string> config_file;
  std::vector<std::string> sets;  // of --set
  std::vector<Assignment> flags;  // of the settings' own flags, which go before --set
};
int serve(const ServeArguments& arguments);
// The configuration of the node whose place in the cluster is looked at.
int doctor(const ServeArguments& arguments);

struct EmitArguments {
  std::vector<std::string> rooms;
  std::vector<std::string> except;
  std::string name_space = "/";
  std::string event;
  std::string args = "[]";  // JSON: the arguments' array, or the only argument
  std::string api = "http://127.0.0.1:3001";
  std::string redis;               // not empty: through Redis, past the API
  std::string adapter = "pubsub";  // of the servers there
  std::string mode = "dynamic";    // of the sharded adapter
  std::string key;                 // empty: none is sent
};
int emit(const EmitArguments& arguments);

struct NotifyArguments {
  std::vector<std::string> users;
  std::string room;
  std::string event = "notification";
  std::string data;        // JSON
  std::int64_t ttl_s = 0;  // 0: the server's default
  std::string idempotency_key;
  std::string collapse_key;
  std::string api = "http://127.0.0.1:3001";
  std::string key;  // empty: none is sent
};
int notify(const NotifyArguments& arguments);

struct TraceArguments {
  std::string id;
  bool json = false;
  std::string api = "http://127.0.0.1:3001";
  std::string key;
};
int trace(const TraceArguments& arguments);

struct TailArguments {
  std::string user;
  std::string url = "http://127.0.0.1:3000";
  std::string token;  // empty: none is sent
};
int tail(const TailArguments& arguments);

int check_config(const std::string& file);
int print_default_config();
int print_config_reference();

// What a command says when it fails: "carillon emit: <sentence>" on stderr.
void complain(std::string_view command, std::string_view sentence);

}  // namespace carillon::app
