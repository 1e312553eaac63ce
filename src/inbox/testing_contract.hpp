// What every store must do. A test program includes this once and instantiates StoreContract with its stores.
#pragma once

#include "inbox/testing_contract_accept.hpp"
#include "inbox/testing_contract_devices.hpp"
#include "inbox/testing_contract_read.hpp"
