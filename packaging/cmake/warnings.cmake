# Interface target every library of ours links PRIVATE: warnings and the include root.
add_library(nightshift_options INTERFACE)
target_include_directories(nightshift_options INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
target_compile_options(nightshift_options INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual>)
# GCC 12 sees overlaps in "literal" + std::string that are not there (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(nightshift_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
endif()
if(NIGHTSHIFT_WERROR)
    target_compile_options(nightshift_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
