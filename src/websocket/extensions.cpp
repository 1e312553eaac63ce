#include "websocket/extensions.hpp"

#include "http/text.hpp"

namespace carillon::websocket {
namespace {

// Takes the header apart from the front. A step that fails leaves the rest as it is.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) { skip_space(); }

  bool done() const { return rest_.empty(); }

  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    skip_space();
    return true;
  }

  std::optional<std::string_view> token() {
    std::size_t size = 0;
    while (size < rest_.size() && http::is_token_character(rest_[size])) ++size;
    if (size == 0) return std::nullopt;
    const std::string_view token = rest_.substr(0, size);
    rest_.remove_prefix(size);
    skip_space();
    return token;
  }

  // A token in quotes, in which every character may be escaped.
  std::optional<std::string> quoted_token() {
    if (!rest_.starts_with('"')) return std::nullopt;
    std::string value;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        skip_space();
        return value.empty() ? std::nullopt : std::optional(std::move(value));
      }
      if (rest_[i] == '\\' && ++i == rest_.size()) break;
      if (!http::is_token_character(rest_[i])) break;
      value.push_back(rest_[i]);
    }
    return std::nullopt;
  }

 private:
  void skip_space() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
  }

  std::string_view rest_;
};

std::optional<ExtensionParameter> parse_parameter(Scanner& scanner) {
  const auto name = scanner.token();
  if (!name) return std::nullopt;
  ExtensionParameter parameter{*name, std::nullopt};
  if (!scanner.take('=')) return parameter;
  if (const auto token = scanner.token()) {
    parameter.value = std::string(*token);
  } else if (auto quoted = scanner.quoted_token()) {
    parameter.value = std::move(*quoted);
  } else {
    return std::nullopt;
  }
  return parameter;
}

}  // namespace

std::optional<std::vector<ExtensionOffer>> parse_extensions(std::string_view header) {
  std::vector<ExtensionOffer> offers;
  Scanner scanner(header);
  do {
    const auto name = scanner.token();
    if (!name) return std::nullopt;
    ExtensionOffer offer{*name, {}};
    while (scanner.take(';')) {
      auto parameter = parse_parameter(scanner);
      if (!parameter) return std::nullopt;
      offer.parameters.push_back(std::move(*parameter));
    }
    offers.push_back(std::move(offer));
  } while (scanner.take(','));
  if (!scanner.done()) return std::nullopt;
  return offers;
}

}  // namespace carillon::websocket
