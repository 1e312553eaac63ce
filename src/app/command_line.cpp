#include "app/command_line.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <functional>
#include <map>

#include <CLI/CLI.hpp>
#include <carillon/version.hpp>

#include "api/notify_request.hpp"
#include "app/commands.hpp"

namespace carillon::app {
namespace {

// What the flags of all commands are read into; the chosen command is called with it afterwards.
struct Parsed {
  ServeArguments serve;  // of doctor, too
  std::string doctor_redis;
  std::map<const Setting*, std::vector<std::string>> setting_flags;
  EmitArguments emit;
  NotifyArguments notify;
  TraceArguments trace;
  TailArguments tail;
  std::string config_file;
  std::function<int()> command;
};

// Each use of the flag takes one value: "--room a --room b".
CLI::Option* add_repeated(CLI::App& command, const std::string& flag, std::vector<std::string>& values,
                          const std::string& help) {
  return command.add_option(flag, values, help)
      ->expected(1, CLI::detail::expected_max_vector_size)
      ->allow_extra_args(false);
}

std::string default_note(const Setting& setting) {
  const SettingValue value = setting.get(Config());
  const auto* text = std::get_if<std::string>(&value);
  const auto* list = std::get_if<std::vector<std::string>>(&value);
  if (list != nullptr) return list->empty() ? "" : fmt::format(" [{}]", fmt::join(*list, " "));
  if (text != nullptr) return text->empty() ? "" : fmt::format(" [{}]", *text);
  return fmt::format(" [{}]", to_toml(value));
}

void add_setting_flag(CLI::App& serve, const Setting& setting, std::vector<std::string>& texts) {
  const std::string help = fmt::format("{}{}", setting.help, default_note(setting));
  if (setting.kind == SettingKind::boolean) {
    serve.add_flag_callback(setting.flag.name, [&texts] { texts = {"true"}; }, setting.help);
    return;
  }
  auto* option = setting.kind == SettingKind::list ? add_repeated(serve, setting.flag.name, texts, help)
                                                   : serve.add_option(setting.flag.name, texts, help)
                                                         ->expected(1)
                                                         ->multi_option_policy(CLI::MultiOptionPolicy::Throw);
  option->type_name(setting.flag.type);
}

void add_serve(CLI::App& app, Parsed& parsed) {
  auto& serve = *app.add_subcommand("serve", "Serves clients, the HTTP API and the page");
  serve
      .add_option("--config", parsed.serve.config_file,
                  "A TOML file with settings; `carillon config default` prints one")
      ->type_name("FILE");
  for (const Setting& setting : settings()) {
    if (!setting.flag.name.empty()) add_setting_flag(serve, setting, parsed.setting_flags[&setting]);
  }
  add_repeated(serve, "--set", parsed.serve.sets, "Any setting, with a TOML value")->type_name("SECTION.KEY=VALUE");
  serve.callback([&parsed] {
    for (const auto& [setting, texts] : parsed.setting_flags) {
      if (!texts.empty()) parsed.serve.flags.push_back(assignment_from_flag(*setting, texts));
    }
    parsed.command = [&parsed] { return app::serve(parsed.serve); };
  });
}

void add_doctor(CLI::App& app, Parsed& parsed) {
  auto& doctor = *app.add_subcommand("doctor", "Says what is wrong or risky with Redis; exit 1 if anything is wrong");
  doctor.add_option("--redis", parsed.doctor_redis, "The Redis to look at")->type_name("URL");
  doctor.add_option("--config", parsed.serve.config_file, "The configuration of a node")->type_name("FILE");
  add_repeated(doctor, "--set", parsed.serve.sets, "Any setting, such as cluster.adapter='\"sharded\"'")
      ->type_name("SECTION.KEY=VALUE");
  doctor.callback([&parsed] {
    const Setting* url = find_setting("redis.url");
    if (!parsed.doctor_redis.empty()) parsed.serve.flags.push_back(assignment_from_flag(*url, {parsed.doctor_redis}));
    parsed.command = [&parsed] { return app::doctor(parsed.serve); };
  });
}

void add_emit(CLI::App& app, Parsed& parsed) {
  auto& emit = *app.add_subcommand("emit", "Emits an event to the clients in rooms, or to everyone");
  auto& arguments = parsed.emit;
  add_repeated(emit, "--room", arguments.rooms, "A room that gets it; without any everyone does")->type_name("ROOM");
  add_repeated(emit, "--except", arguments.except, "A room that does not get it")->type_name("ROOM");
  emit.add_option("--namespace", arguments.name_space, "[/]")->type_name("NAMESPACE");
  emit.add_option("--event", arguments.event, "The name of the event")->type_name("EVENT")->required();
  emit.add_option("--args", arguments.args, "The arguments as a JSON array; another JSON value is the only argument")
      ->type_name("JSON");
  auto* api = emit.add_option("--api", arguments.api, fmt::format("The HTTP API to call [{}]", arguments.api))
                  ->type_name("URL");
  auto* redis = emit.add_option("--redis", arguments.redis, "Publish into the cluster of this Redis instead")
                    ->type_name("URL")
                    ->excludes(api);
  emit.add_option("--adapter", arguments.adapter, "With --redis: the adapter of the servers there [pubsub]")
      ->check(CLI::IsMember({"pubsub", "sharded", "streams"}))
      ->needs(redis);
  emit.add_option("--mode", arguments.mode, "With --redis: the mode of the sharded adapter [dynamic]")
      ->check(CLI::IsMember({"static", "dynamic", "dynamic-private"}))
      ->needs(redis);
  emit.add_option("--key", arguments.key, "A key of the API")->type_name("KEY");
  emit.callback([&parsed] { parsed.command = [&parsed] { return app::emit(parsed.emit); }; });
}

void add_notify(CLI::App& app, Parsed& parsed) {
  auto& notify = *app.add_subcommand("notify", "Sends a notification to users, which waits for those who are away");
  auto& arguments = parsed.notify;
  auto* users = add_repeated(notify, "--user", arguments.users, "Who gets it")->type_name("USER");
  auto* room = notify.add_option("--room", arguments.room, "Instead: the users who are in this room now")
                   ->type_name("ROOM")
                   ->excludes(users);
  notify.add_option("--event", arguments.event, "The name of the event [notification]")->type_name("EVENT");
  notify.add_option("--data", arguments.data, "What it carries")->type_name("JSON")->required();
  notify.add_option("--ttl", arguments.ttl_s, "How long it waits, in seconds")
      ->type_name("SECONDS")
      ->check(CLI::Range(std::int64_t{1}, api::ttl_s_max));
  notify.add_option("--idempotency-key", arguments.idempotency_key, "A second call with it does nothing more")
      ->type_name("TEXT");
  notify.add_option("--collapse-key", arguments.collapse_key, "It takes the place of an undelivered one with this key")
      ->type_name("TEXT");
  notify.add_option("--api", arguments.api, fmt::format("The HTTP API to call [{}]", arguments.api))->type_name("URL");
  notify.add_option("--key", arguments.key, "A key of the API")->type_name("KEY");
  notify.callback([&parsed, users, room] {
    if (users->empty() && room->empty()) throw CLI::RequiredError("--user or --room");
    parsed.command = [&parsed] { return app::notify(parsed.notify); };
  });
}

void add_trace(CLI::App& app, Parsed& parsed) {
  auto& trace = *app.add_subcommand("trace", "Says what has become of a notification, step by step");
  auto& arguments = parsed.trace;
  trace.add_option("ID", arguments.id, "Its id")->required();
  trace.add_flag("--json", arguments.json, "As the API has it");
  trace.add_option("--api", arguments.api, fmt::format("The HTTP API to call [{}]", arguments.api))->type_name("URL");
  trace.add_option("--key", arguments.key, "A key of the API")->type_name("KEY");
  trace.callback([&parsed] { parsed.command = [&parsed] { return app::trace(parsed.trace); }; });
}

void add_tail(CLI::App& app, Parsed& parsed) {
  auto& tail = *app.add_subcommand("tail", "Connects as a client and prints what arrives, a line per event");
  auto& arguments = parsed.tail;
  tail.add_option("--user", arguments.user, "Whom to connect as")->type_name("USER")->required();
  tail.add_option("--url", arguments.url, fmt::format("The server [{}]", arguments.url))->type_name("URL");
  tail.add_option("--token", arguments.token, "Sent as auth.token")->type_name("TOKEN");
  tail.callback([&parsed] { parsed.command = [&parsed] { return app::tail(parsed.tail); }; });
}

void add_config(CLI::App& app, Parsed& parsed) {
  auto& config = *app.add_subcommand("config", "Checks a configuration file, or prints one");
  config.require_subcommand(1);
  auto& check = *config.add_subcommand("check", "Says what is wrong with a file, by line; exit 1 if anything is");
  check.add_option("FILE", parsed.config_file)->required();
  check.callback([&parsed] { parsed.command = [&parsed] { return check_config(parsed.config_file); }; });
  config.add_subcommand("default", "Prints a file with every setting at its default")->callback([&parsed] {
    parsed.command = print_default_config;
  });
  config.add_subcommand("reference", "Prints docs/configuration.md")->group("")->callback([&parsed] {
    parsed.command = print_config_reference;
  });
}

int print_version() {
  std::printf("carillon %s\n", std::string(version()).c_str());
  return 0;
}

}  // namespace

void complain(std::string_view command, std::string_view sentence) {
  std::fputs(fmt::format("carillon {}: {}\n", command, sentence).c_str(), stderr);
}

int run_command_line(int argc, char** argv) {
  CLI::App app("Carillon: a real-time notification engine that speaks Socket.IO", "carillon");
  Parsed parsed;
  app.require_subcommand(0, 1);
  add_serve(app, parsed);
  add_doctor(app, parsed);
  add_emit(app, parsed);
  add_notify(app, parsed);
  add_trace(app, parsed);
  add_tail(app, parsed);
  add_config(app, parsed);
  app.add_subcommand("version", "Prints the version")->callback([&parsed] { parsed.command = print_version; });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    std::fputs(fmt::format("carillon: {}; see --help\n", error.what()).c_str(), stderr);
    return 2;
  }
  if (parsed.command) return parsed.command();
  std::fputs(app.help().c_str(), stderr);
  return 2;
}

}  // namespace carillon::app
