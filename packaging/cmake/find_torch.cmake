# Sets NIGHTSHIFT_HAVE_TORCH and the targets nightshift_c10, nightshift_torch_cpu. Two imported libraries
# are enough; libtorch.so itself would pull in libtorch_cuda, which machines without a GPU do not have.
set(NIGHTSHIFT_HAVE_TORCH OFF)
set(NIGHTSHIFT_TORCH_DIR "" CACHE PATH "folder with include/ and lib/ of LibTorch; empty = .deps/")
if(NOT NIGHTSHIFT_TORCH STREQUAL "OFF")
    set(torch_dir ${NIGHTSHIFT_TORCH_DIR})
    if(NOT torch_dir)
        set(torch_dir ${NIGHTSHIFT_DEPS}/site/torch)
    endif()
    if(EXISTS ${torch_dir}/lib/libtorch_cpu.so)
        foreach(name c10 torch_cpu)
            add_library(nightshift_${name} SHARED IMPORTED GLOBAL)
            set_target_properties(nightshift_${name} PROPERTIES
                IMPORTED_LOCATION ${torch_dir}/lib/lib${name}.so)
            target_include_directories(nightshift_${name} SYSTEM INTERFACE
                ${torch_dir}/include ${torch_dir}/include/torch/csrc/api/include)
        endforeach()
        target_link_libraries(nightshift_torch_cpu INTERFACE nightshift_c10)
        set(NIGHTSHIFT_HAVE_TORCH ON)
    elseif(NIGHTSHIFT_TORCH STREQUAL "ON")
        message(FATAL_ERROR "NIGHTSHIFT_TORCH=ON but ${torch_dir}/lib/libtorch_cpu.so is missing. "
            "Run packaging/setup.")
    endif()
endif()
message(STATUS "nightshift: LibTorch ${NIGHTSHIFT_HAVE_TORCH}")
