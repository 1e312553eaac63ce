#include "redis/master_finder.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace carillon::redis {
namespace {

constexpr std::array<std::string_view, 1> news{"+switch-master"};

std::optional<Address> address_of(std::string_view host, std::string_view port_text) {
  Address address{.host = std::string(host), .port = 0};
  const char* end = port_text.data() + port_text.size();
  if (std::from_chars(port_text.data(), end, address.port).ptr != end || address.port == 0 || host.empty())
    return std::nullopt;
  return address;
}

std::string_view next_word(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(word.size() + 1, text.size()));
  return word;
}

}  // namespace

void MasterFinder::ask() {
  master_.reset();
  wanted_ = true;
}

void MasterFinder::start() {
  stop();
  up_ = true;
  ask();
}

void MasterFinder::stop() {
  up_ = asking_ = subscribed_ = false;
  unconfirmed_ = 0;
}

void MasterFinder::talk(Connection& connection, TimePoint now) {
  if (!up_ || asking_ || !wanted_) return;
  if (subscribed_) {
    connection.unsubscribe(ChannelKind::plain, news, now);
    ++unconfirmed_;
  }
  const std::array<std::string, 3> question{"SENTINEL", "GET-MASTER-ADDR-BY-NAME", url_.master_name};
  connection.request(Command::request, question, now);
  asking_ = true;
  // In the same breath: nothing can happen between the answer and the news.
  connection.subscribe(ChannelKind::plain, news, now);
  ++unconfirmed_;
  subscribed_ = true;
}

std::optional<std::string> MasterFinder::on_reply(const Reply& reply) {
  asking_ = false;
  if (reply.type == Reply::Type::nil) return "this sentinel does not know a master \"" + url_.master_name + "\"";
  if (reply.type == Reply::Type::error) return "this sentinel answered \"" + reply.text.substr(0, 200) + "\"";
  if (reply.items.size() == 2) master_ = address_of(reply.items[0].text, reply.items[1].text);
  if (!master_) return "this sentinel's answer is no address";
  wanted_ = false;
  return std::nullopt;
}

// "<name> <old host> <old port> <new host> <new port>"
void MasterFinder::on_message(std::string_view channel, std::string_view payload) {
  if (channel != news[0] || next_word(payload) != url_.master_name) return;
  next_word(payload);
  next_word(payload);
  const std::string_view host = next_word(payload);
  if (auto address = address_of(host, next_word(payload))) {
    master_ = std::move(address);
    wanted_ = false;
  }
}

bool MasterFinder::on_subscription(std::string_view channel) {
  if (channel != news[0] || unconfirmed_ == 0) return false;
  --unconfirmed_;
  return true;
}

}  // namespace carillon::redis
