#include "tocsin/check/check.hpp"

namespace tocsin {

asio::awaitable<Evidence> Check::evidence(CheckContext&) { co_return Evidence{}; }

bool Check::receive(const Beat&, Memory&, Now) { return false; }

}  // namespace tocsin
