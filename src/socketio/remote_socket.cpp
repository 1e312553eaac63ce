#include <carillon/remote_socket.hpp>

namespace carillon {

void RemoteSocket::emit_with_ack(std::string_view event, const Args& args, AckHandler handler,
                                 std::chrono::milliseconds timeout) const {
  itself_.timeout(timeout).emit_with_ack(event, args, [handler = std::move(handler)](const BroadcastAcks& acks) {
    if (!acks.responses.empty()) return handler(acks.responses.front());
    handler(std::unexpected(acks.missing > 0 ? AckError::timeout : AckError::disconnected));
  });
}

}  // namespace carillon
