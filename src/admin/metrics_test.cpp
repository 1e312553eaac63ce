#include "admin/metrics.hpp"

#include <gtest/gtest.h>

namespace carillon::admin {
namespace {

using Type = Sample::Type;

TEST(Metrics, are_what_prometheus_reads) {
  const std::string text = metrics_text({{"carillon_sockets", "Sockets.", Type::gauge, {}, 7},
                                         {"carillon_bytes_total", "Bytes.", Type::counter, {{"direction", "in"}}, 5e9},
                                         {"carillon_rooms", "Rooms.", Type::gauge, {}, 0},
                                         {"carillon_bytes_total", "Bytes.", Type::counter, {{"direction", "out"}}, 1}});
  EXPECT_EQ(text,
            "# HELP carillon_sockets Sockets.\n"
            "# TYPE carillon_sockets gauge\n"
            "carillon_sockets 7\n"
            "# HELP carillon_bytes_total Bytes.\n"
            "# TYPE carillon_bytes_total counter\n"
            "carillon_bytes_total{direction=\"in\"} 5000000000\n"
            "carillon_bytes_total{direction=\"out\"} 1\n"
            "# HELP carillon_rooms Rooms.\n"
            "# TYPE carillon_rooms gauge\n"
            "carillon_rooms 0\n");
}

TEST(Metrics, label_values_are_escaped) {
  const std::string text = metrics_text({{"carillon_info", "Node.", Type::gauge, {{"node", "a\"b\\c\n"}}, 1}});
  EXPECT_NE(text.find(R"(node="a\"b\\c\n")"), std::string::npos) << text;
}

TEST(Metrics, none_is_an_empty_page) { EXPECT_EQ(metrics_text({}), ""); }

}  // namespace
}  // namespace carillon::admin
