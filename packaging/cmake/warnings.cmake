# Interface target every library of ours links PRIVATE: warnings and the include root.
add_library(nightshift_options INTERFACE)
target_include_directories(nightshift_options INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
target_compile_options(nightshift_options INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual>)
if(NIGHTSHIFT_WERROR)
    target_compile_options(nightshift_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
