// The part of one shard in an operation on sockets.
#pragma once

#include "socketio/broadcast.hpp"

namespace carillon::socketio {

class NamespaceCore;

// See ServerCore::operate().
void operate_on_namespace(NamespaceCore& name_space, const Operation& operation, OperationPartDone done);

}  // namespace carillon::socketio
