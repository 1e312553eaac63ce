#include "app/identity.hpp"

#include <gtest/gtest.h>

namespace carillon::app {
namespace {

std::string id_of(Value user) {
  const auto id = user_id(Object{{"userId", std::move(user)}});
  return id ? id->value_or("none") : "refused";
}

TEST(Identity, is_what_the_client_says) {
  EXPECT_EQ(id_of("ada"), "ada");
  EXPECT_EQ(id_of("Ädä 鐘"), "Ädä 鐘");
  EXPECT_EQ(id_of(std::string(256, 'x')), std::string(256, 'x'));
}

TEST(Identity, whole_number_counts_as_its_digits) {
  EXPECT_EQ(id_of(42), "42");
  EXPECT_EQ(id_of(-1), "-1");
  EXPECT_EQ(id_of(18'446'744'073'709'551'615U), "18446744073709551615");
}

TEST(Identity, may_be_missing) {
  EXPECT_EQ(user_id(Object{})->has_value(), false);
  EXPECT_EQ(user_id(Object{{"user", "ada"}})->has_value(), false);
  EXPECT_EQ(user_id(nullptr)->has_value(), false);
}

TEST(Identity, anything_else_is_refused_with_a_sentence) {
  const std::vector<Value> odd = {"",      std::string(257, 'x'),
                                  "a\nb",  std::string("a\0b", 3),
                                  "a\x7f", "a\xc2\x85",
                                  "\xff",  "\xc2",
                                  nullptr, true,
                                  4.5,     Array{},
                                  Object{}};
  for (const Value& user : odd) EXPECT_EQ(id_of(user), "refused") << to_json(user);
  EXPECT_EQ(user_id(Object{{"userId", ""}}).error(),
            "auth.userId should be a text of 1 to 256 bytes without control characters");
}

TEST(Identity, a_device_has_an_id_of_the_same_kind) {
  EXPECT_EQ(device_id(Object{{"deviceId", "phone"}})->value_or("none"), "phone");
  EXPECT_EQ(device_id(Object{{"deviceId", 7}})->value_or("none"), "7");
  EXPECT_EQ(device_id(Object{})->value_or("none"), "none");
  EXPECT_EQ(device_id(Object{{"deviceId", "a\nb"}}).error(),
            "auth.deviceId should be a text of 1 to 256 bytes without control characters");
}

TEST(Identity, says_whether_the_application_acknowledges) {
  const auto request = std::make_shared<HandshakeRequest>();
  request->url = "/socket.io/?EIO=4";
  const auto device = [&](Value auth) { return device_of(Handshake(std::move(auth), request)); };
  EXPECT_TRUE(device(Object{{"ack", true}}).acknowledges);
  EXPECT_FALSE(device(Object{{"ack", "true"}}).acknowledges);
  EXPECT_FALSE(device(Object{}).acknowledges);
  EXPECT_EQ(device(Object{{"deviceId", "phone"}}).name, "phone");
  request->url = "/socket.io/?EIO=3&deviceId=old&ack=true";
  EXPECT_EQ(device(Object{}).name, "old");
  EXPECT_TRUE(device(Object{}).acknowledges);
}

}  // namespace
}  // namespace carillon::app
