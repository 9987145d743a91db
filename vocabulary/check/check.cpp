#include "tocsin/check/check.hpp"

namespace tocsin {

asio::awaitable<Evidence> Check::evidence(CheckContext&) { co_return Evidence{}; }

}  // namespace tocsin
