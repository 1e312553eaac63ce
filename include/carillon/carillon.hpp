// Everything that a program needs: Server, Namespace, Socket, Emitter, Notifier.
#pragma once

#include <carillon/admission.hpp>
#include <carillon/emitter.hpp>
#include <carillon/namespace.hpp>
#include <carillon/notifier.hpp>
#include <carillon/remote_socket.hpp>
#include <carillon/server.hpp>
#include <carillon/socket.hpp>
#include <carillon/transport_options.hpp>
#include <carillon/value.hpp>
#include <carillon/version.hpp>
