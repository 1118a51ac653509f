# cmake -D OUTPUT=file.cpp -D INPUTS=0001_a.sql;0002_b.sql -P embed_sql.cmake
# Writes one C++ file with every migration as a byte array, in the order of INPUTS.
set(body "#include \"db/migrations.h\"\n\nnamespace nightshift::db {\n\nnamespace {\n\n")
set(table "")
set(n 0)
foreach(input IN LISTS INPUTS)
    math(EXPR n "${n} + 1")
    get_filename_component(name "${input}" NAME)
    if(NOT name MATCHES "^0*${n}_.*\\.sql$")
        message(FATAL_ERROR "migration ${name} should have number ${n}")
    endif()
    file(READ "${input}" hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    # Comments of the SQL may hold any UTF-8, hence unsigned char.
    string(APPEND body "const unsigned char kSql${n}[] = {${bytes}0x00};\n")
    string(APPEND table "    {\"${name}\", reinterpret_cast<const char*>(kSql${n})},\n")
endforeach()
string(APPEND body "\n}  // namespace\n\nconst std::vector<Migration>& migrations() {\n"
    "    static const std::vector<Migration> kTable{\n${table}    };\n"
    "    return kTable;\n}\n\n}  // namespace nightshift::db\n")
file(WRITE "${OUTPUT}.new" "${body}")
file(RENAME "${OUTPUT}.new" "${OUTPUT}")
