#include "runtime/admission_target.hpp"

#include <carillon/admission.hpp>

namespace carillon {

namespace runtime {

void AdmissionTarget::answer(std::optional<std::string> refusal) {
  if (answered_.exchange(true)) return;
  link_->run(
      [&shard = shard_, ticket = ticket_, refusal = std::move(refusal)] { shard.on_admission(ticket, refusal); });
}

}  // namespace runtime

void Admission::allow() const { target_->answer(std::nullopt); }
void Admission::refuse(std::string message) const { target_->answer(std::move(message)); }

}  // namespace carillon
