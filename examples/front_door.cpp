// Everything that a server can say at its door: who may connect, what is said in headers, what is compressed.
// It has two pages' origins in its CORS options, asks for a ticket in the query, and sets a cookie.
#include <chrono>
#include <iostream>
#include <string>
#include <thread>

#include <carillon/carillon.hpp>

#include "options.hpp"

namespace {

// ?ticket=no is refused at once, ?ticket=later is looked up elsewhere and let in, ?ticket=never is never answered.
void allow_request(const carillon::HandshakeRequest& request, const carillon::Admission& admission) {
  const std::string ticket = request.query("ticket").value_or("");
  if (ticket == "no") return admission.refuse();
  if (ticket == "why") return admission.refuse("the show is sold out");
  if (ticket == "never") return;
  if (ticket != "later") return admission.allow();
  std::thread([admission] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    admission.allow();
  }).detach();
}

}  // namespace

int main(int argc, char** argv) try {
  const Options options = parse_options(argc, argv);
  carillon::Server io({
      .listen = options.listen(),
      .path = "/live",
      .cors_origins = {"https://app.example", "https://admin.example"},
      .cors_credentials = true,
      .cors_methods = {"GET", "POST"},
      .cors_allowed_headers = {"x-request-id"},
      .cors_exposed_headers = {"x-served-by"},
      .cors_max_age_s = 600,
      .cookie = carillon::CookieOptions{.name = "sticky"},
      .allow_request = allow_request,
      .allow_request_timeout_ms = 500,
      .initial_headers = [](carillon::Headers& headers, const auto&) { headers.emplace_back("x-welcome", "hello"); },
      .headers = [](carillon::Headers& headers, const auto&) { headers.emplace_back("x-served-by", "front-door"); },
      .http_compression = {.threshold_bytes = 500},
      .per_message_deflate = {.enabled = true, .threshold_bytes = 500},
  });

  io.on_connection([&io](carillon::Socket& socket) {
    socket.on("message", [&socket](const carillon::Args& args) { socket.emit("message-back", args); });
    socket.on("pub", [&io](const carillon::Args& args) { io.emit("n", args); });
    socket.on("pub-plain", [&io](const carillon::Args& args) { io.compress(false).emit("n", args); });
  });

  io.run([&io] { std::cout << "ready " << io.address() << "\n" << std::flush; });
} catch (const std::exception& error) {
  return complain(error);
}
