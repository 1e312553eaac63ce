#include "redis/url.hpp"

#include <array>
#include <charconv>

namespace carillon::redis {
namespace {

struct Scheme {
  std::string_view name;
  Url::Kind kind;
  bool tls;
  bool unix_socket;
  std::uint16_t port;
  std::string_view form;  // what is expected
};
constexpr std::array<Scheme, 7> schemes{{
    {"redis://", Url::Kind::single, false, false, 6379, "redis://[user][:password]@host[:port][/database]"},
    {"rediss://", Url::Kind::single, true, false, 6379,
     "rediss://[user][:password]@host[:port][/database][?ca_file=FILE]"},
    {"redis+unix://", Url::Kind::single, false, true, 0, "redis+unix://[[user][:password]@]/path/to/socket[?db=N]"},
    {"redis+sentinel://", Url::Kind::sentinel, false, false, 26379,
     "redis+sentinel://[user][:password]@host[:port],.../master-name[/database]"},
    {"rediss+sentinel://", Url::Kind::sentinel, true, false, 26379,
     "rediss+sentinel://[user][:password]@host[:port],.../master-name[/database]"},
    {"redis+cluster://", Url::Kind::cluster, false, false, 6379, "redis+cluster://[user][:password]@host[:port],..."},
    {"rediss+cluster://", Url::Kind::cluster, true, false, 6379, "rediss+cluster://[user][:password]@host[:port],..."},
}};

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    unsigned byte = 0;
    const char* end = text.data() + i + 3;
    if (std::from_chars(text.data() + i + 1, end, byte, 16).ptr != end) return std::nullopt;
    out.push_back(static_cast<char>(byte));
    i += 2;
  }
  return out;
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Cuts `text` at the separator's place and returns what is behind it.
std::optional<std::string_view> cut(std::string_view& text, std::size_t at) {
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view behind = text.substr(at + 1);
  text = text.substr(0, at);
  return behind;
}

bool has_control_characters(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return true;
  return false;
}

// Reads one URL; the first thing that is wrong stays in `wrong`. Messages never quote the text: what is wrong may well be
// a part of a password.
class Parser {
 public:
  explicit Parser(const Scheme& scheme) : scheme_(scheme) { url.kind = scheme.kind; }

  Url url;
  std::string_view wrong;

  void parse(std::string_view rest) {
    if (rest.find('#') != std::string_view::npos)
      return fail("\"#\" has no meaning here (write it as %23 in a password)");
    if (scheme_.tls) url.tls.emplace();
    const auto options = cut(rest, rest.find('?'));
    if (options && options->find('@') != std::string_view::npos)
      return fail("\"?\" in a password must be written as %3F, and \"@\" in an option as %40");
    if (scheme_.unix_socket) {
      parse_unix(rest);
    } else {
      // From the end, because a password may hold "@" and "/" as they are in other programs' examples.
      if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
        parse_login(rest.substr(0, at));
        rest.remove_prefix(at + 1);
      }
      auto path = cut(rest, rest.find('/'));
      parse_addresses(rest);
      parse_path(path);
    }
    if (options) parse_options(*options);
    if (url.tls && url.tls->cert_file.empty() != url.tls->key_file.empty())
      fail("cert_file and key_file belong together");
  }

 private:
  void fail(std::string_view what) {
    if (wrong.empty()) wrong = what;
  }

  std::string decode(std::string_view text, std::string_view otherwise) {
    auto decoded = percent_decode(text);
    if (!decoded) fail(otherwise);
    return decoded.value_or("");
  }

  void parse_login(std::string_view user) {
    static constexpr std::string_view malformed =
        "a \"%\" in user or password is not followed by two hexadecimal digits";
    const auto password = cut(user, user.find(':'));
    url.user = decode(user, malformed);
    url.password = decode(password.value_or(""), malformed);
  }

  void parse_unix(std::string_view rest) {
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos) return fail("there is no path that begins with \"/\"");
    std::string_view login = rest.substr(0, slash);
    if (!login.empty()) {
      if (!login.ends_with('@')) return fail("unexpected text before the path (user and password end with \"@\")");
      login.remove_suffix(1);
      parse_login(login);
    }
    Address& address = url.addresses[0];
    address = {.host = "", .port = 0, .path = decode(rest.substr(slash), "the path is malformed")};
    if (address.path.find('\0') != std::string::npos) return fail("the path is malformed");
    if (address.path.size() > unix_path_bytes_max) fail("the path has more than 107 bytes");
  }

  void parse_addresses(std::string_view list) {
    url.addresses.clear();
    for (std::optional<std::string_view> left = list; left;) {
      std::string_view one = *left;
      left = cut(one, one.find(','));
      if (left && scheme_.kind == Url::Kind::single) return fail("more than one host");
      parse_address(one);
    }
  }

  void parse_address(std::string_view text) {
    Address address{.port = scheme_.port};
    std::optional<std::string_view> port;
    std::string_view host = text;
    if (text.starts_with('[')) {
      const auto behind = cut(text, text.find(']'));
      if (!behind) return fail("\"[\" without \"]\"");
      host = text.substr(1);
      if (!behind->empty()) {
        if (behind->front() != ':') return fail("unexpected text behind \"]\"");
        port = behind->substr(1);
      }
    } else {
      if (text.find(':') != text.rfind(':'))
        return fail("more than one \":\" in host and port (an IPv6 address needs brackets)");
      port = cut(host, host.find(':'));
    }
    address.host = decode(host, "the host is malformed");
    if (has_control_characters(address.host)) return fail("the host is malformed");
    if (address.host.empty()) return fail("there is no host");
    if (port) {
      address.port = number<std::uint16_t>(*port).value_or(0);
      if (address.port == 0) return fail("the port is not a number from 1 to 65535");
    }
    url.addresses.push_back(std::move(address));
  }

  // The name of the master and the database, as far as the kind has them.
  void parse_path(std::optional<std::string_view> path) {
    if (scheme_.kind == Url::Kind::sentinel) {
      std::string_view name = path.value_or("");
      path = cut(name, name.find('/'));
      url.master_name = decode(name, "the master's name is malformed");
      if (url.master_name.empty()) return fail("the master's name is missing");
      if (has_control_characters(url.master_name)) return fail("the master's name is malformed");
    }
    if (!path || path->empty()) return;
    if (scheme_.kind == Url::Kind::cluster) return fail("a Redis Cluster has no databases");
    parse_database(*path);
  }

  void parse_database(std::string_view text) {
    const auto value = number<unsigned>(text);
    if (!value) return fail("the database is not a number");
    url.database = *value;
  }

  void parse_options(std::string_view list) {
    for (std::optional<std::string_view> left = list; left;) {
      std::string_view name = *left;
      left = cut(name, name.find('&'));
      const auto text = cut(name, name.find('='));
      if (!text) return fail("behind \"?\" there is something that is not of the form name=value");
      parse_option(name, decode(*text, "a \"%\" behind \"?\" is not followed by two hexadecimal digits"));
    }
  }

  void parse_option(std::string_view name, std::string value) {
    if (scheme_.unix_socket && name == "db") return parse_database(value);
    if (url.tls && name == "verify") {
      if (value != "true" && value != "false") return fail("verify is neither true nor false");
      url.tls->verify = value == "true";
      return;
    }
    std::string* const field = field_of(name);
    if (field == nullptr) return fail("behind \"?\" there is an option that this kind of URL does not have");
    if (value.empty()) return fail("an option behind \"?\" is empty");
    *field = std::move(value);
  }

  std::string* field_of(std::string_view name) {
    if (url.tls && name == "ca_file") return &url.tls->ca_file;
    if (url.tls && name == "cert_file") return &url.tls->cert_file;
    if (url.tls && name == "key_file") return &url.tls->key_file;
    if (url.tls && name == "server_name") return &url.tls->server_name;
    if (url.kind == Url::Kind::sentinel && name == "sentinel_user") return &url.sentinel_user;
    if (url.kind == Url::Kind::sentinel && name == "sentinel_password") return &url.sentinel_password;
    return nullptr;
  }

  static constexpr std::size_t unix_path_bytes_max = 107;  // of the operating system

  const Scheme& scheme_;
};

Failure<std::string> failure(std::string_view found, std::string_view expected) {
  return Failure("Redis URL: " + std::string(found) + "; expected " + std::string(expected));
}

}  // namespace

Result<Url, std::string> parse_url(std::string_view text) {
  for (const Scheme& scheme : schemes) {
    if (!text.starts_with(scheme.name)) continue;
    Parser parser(scheme);
    parser.parse(text.substr(scheme.name.size()));
    if (!parser.wrong.empty()) return failure(parser.wrong, scheme.form);
    return std::move(parser.url);
  }
  return failure("it does not start with redis:// or one of its relatives",
                 "redis://HOST, rediss://HOST (TLS), redis+unix:///PATH, redis+sentinel://HOST,.../MASTER or "
                 "redis+cluster://HOST,...");
}

std::string endpoint(const Address& address) {
  if (!address.path.empty()) return address.path;
  const bool brackets = address.host.find(':') != std::string::npos;
  return (brackets ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

std::string endpoint(const Url& url) {
  std::string text;
  for (const Address& address : url.addresses) text += (text.empty() ? "" : ",") + endpoint(address);
  return url.kind == Url::Kind::sentinel ? url.master_name + " of sentinels " + text : text;
}

}  // namespace carillon::redis
