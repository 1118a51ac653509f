#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <utility>

namespace nightshift::api {

/// Operations give {error code, ...} and throw nothing.
inline constexpr auto kTuple = boost::asio::as_tuple(boost::asio::use_awaitable);

/// Awaits a value that comes through a callback, once, now or later, on the loop's thread.
template <typename T>
boost::asio::awaitable<T> await_value(boost::asio::io_context& loop,
                                      std::function<void(std::function<void(T)>)> begin) {
    auto initiate = [&loop, &begin](auto handler) {
        auto kept = std::make_shared<decltype(handler)>(std::move(handler));
        begin([&loop, kept](T value) {
            boost::asio::post(loop,
                              [kept, value = std::move(value)]() mutable { (*kept)(std::move(value)); });
        });
    };
    co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(T)>(
        initiate, boost::asio::use_awaitable);
}

}  // namespace nightshift::api
