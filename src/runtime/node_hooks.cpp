#include "runtime/node_hooks.hpp"

#include "runtime/admission_target.hpp"
#include "socketio/application_call.hpp"

namespace carillon::runtime {

void NodeHooks::ask(std::uint64_t ticket, const std::shared_ptr<const HandshakeRequest>& request) {
  const Admission admission(std::make_shared<AdmissionTarget>(core_.shard_link(), shard_, ticket));
  const bool returned = socketio::call_application(core_.stats(), "option", "allow_request",
                                                   [&] { options_.allow_request(*request, admission); });
  if (!returned) admission.refuse();
}

void NodeHooks::add_headers(std::vector<http::Header>& headers, const HandshakeRequest& request, bool initial) {
  const auto add = [&](const HeadersHook& hook, std::string_view name) {
    if (hook) socketio::call_application(core_.stats(), "option", name, [&] { hook(headers, request); });
  };
  if (initial) add(options_.initial_headers, "initial_headers");
  add(options_.headers, "headers");
}

}  // namespace carillon::runtime
