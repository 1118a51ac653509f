# Compiler results are kept between clean builds; paths are made relative so that clones share them.
find_program(NIGHTSHIFT_CCACHE ccache)
if(NIGHTSHIFT_CCACHE)
    set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
        CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_MAXSIZE=5G ${NIGHTSHIFT_CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${launcher})
endif()
# Files with torch or Beast need up to 1.5 GB of compiler memory each.
set_property(GLOBAL PROPERTY JOB_POOLS heavy=2)
