// The separately compiled bodies of Asio and Beast, once for everything that links this library.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
