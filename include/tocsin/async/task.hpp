#pragma once

#include <boost/asio/awaitable.hpp>

#include "tocsin/base/error.hpp"

namespace tocsin {

namespace asio = boost::asio;

/// A coroutine that ends with a T or an Error; it throws only when it is cancelled.
template <class T>
using Task = asio::awaitable<Result<T>>;

}  // namespace tocsin
