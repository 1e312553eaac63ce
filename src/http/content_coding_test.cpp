#include "http/content_coding.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace carillon::http {
namespace {

// Of either format: zlib looks which it is.
std::string decoded(std::string encoded, std::size_t size) {
  z_stream stream{};
  inflateInit2(&stream, 15 + 32);
  std::string out(size + 1, 0);
  stream.next_in = reinterpret_cast<Bytef*>(encoded.data());
  stream.avail_in = static_cast<uInt>(encoded.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  inflateEnd(&stream);
  return out;
}

TEST(ContentCoding, comes_back) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{16 * 1024}, std::size_t{1'000'000}}) {
    std::string body(size, 0);
    for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>(i * i >> 7);
    const std::string gzip = encode(body, Coding::gzip, 6);
    EXPECT_EQ(gzip.substr(0, 2), "\x1f\x8b");
    EXPECT_EQ(decoded(gzip, size), body);
    const std::string deflate = encode(body, Coding::deflate, 1);
    EXPECT_EQ(deflate[0], '\x78') << "the zlib format";
    EXPECT_EQ(decoded(deflate, size), body);
    EXPECT_EQ(encode(body, Coding::identity, 6), body);
  }
}

TEST(ContentCoding, the_client_chooses) {
  const auto chosen = [](std::string_view header) { return to_string(preferred_coding(header)); };
  EXPECT_EQ(chosen(""), "identity");
  EXPECT_EQ(chosen("br"), "identity");
  EXPECT_EQ(chosen("identity"), "identity");
  EXPECT_EQ(chosen("gzip"), "gzip");
  EXPECT_EQ(chosen("deflate"), "deflate");
  EXPECT_EQ(chosen("gzip, deflate, br"), "gzip");
  EXPECT_EQ(chosen("deflate, gzip"), "deflate") << "of equals the first";
  EXPECT_EQ(chosen("br, *"), "gzip");
  EXPECT_EQ(chosen("GZip"), "gzip");
}

TEST(ContentCoding, weights_count) {
  const auto chosen = [](std::string_view header) { return to_string(preferred_coding(header)); };
  EXPECT_EQ(chosen("gzip;q=0.5, deflate;q=0.8"), "deflate");
  EXPECT_EQ(chosen("gzip;q=0.8,deflate ; q=0.5"), "gzip");
  EXPECT_EQ(chosen("gzip;q=0, deflate"), "deflate");
  EXPECT_EQ(chosen("gzip;q=0, *"), "deflate") << "the star does not mean what is named";
  EXPECT_EQ(chosen("*;q=0"), "identity");
  EXPECT_EQ(chosen("*;q=0, gzip"), "gzip");
  EXPECT_EQ(chosen("*;q=0.9, deflate;q=0.1"), "gzip");
  EXPECT_EQ(chosen("*, deflate"), "deflate") << "named before meant";
  EXPECT_EQ(chosen("gzip;q=0.000"), "identity");
  EXPECT_EQ(chosen("gzip;Q=0.3;x=1, deflate;x=1;q=0.4"), "deflate");
}

TEST(ContentCoding, odd_headers_do_no_harm) {
  const auto chosen = [](std::string_view header) { return to_string(preferred_coding(header)); };
  for (const std::string_view header :
       {"gzip;q=", "gzip;q=x", "gzip;q=-1", "gzip;q=2", "gzip;q=nan", ",,;;=", "gzip;q=1e9", "gz ip", ";q=1", "q=1"})
    EXPECT_EQ(chosen(header), "identity") << header;
  EXPECT_EQ(chosen(",,gzip,,"), "gzip");
  EXPECT_EQ(chosen("gzip;;;"), "gzip");
}

}  // namespace
}  // namespace carillon::http
