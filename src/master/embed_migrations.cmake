# Writes OUTPUT, a source file that holds schema/NNNN_name.sql for embedded_migrations().
# Run at build time: cmake -DSCHEMA=<dir> -DOUTPUT=<file> -P embed_migrations.cmake
file(GLOB files "${SCHEMA}/[0-9][0-9][0-9][0-9]_*.sql")
list(SORT files)
set(entries "")
set(expected 1)
foreach(file IN LISTS files)
  get_filename_component(name "${file}" NAME_WE)
  string(REGEX MATCH "^0*([0-9]+)_" ignored "${name}")
  set(version "${CMAKE_MATCH_1}")
  if(NOT version EQUAL expected)
    message(FATAL_ERROR "schema/${name}.sql: expected version ${expected}; versions have no gaps")
  endif()
  math(EXPR expected "${expected} + 1")
  file(READ "${file}" sql)
  string(APPEND entries "      {${version}, \"${name}\", R\"sql(${sql})sql\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "// Made from schema/*.sql; do not edit.
#include \"master/migrations.hpp\"

namespace hyades {

const std::vector<Migration>& embedded_migrations() {
  static const std::vector<Migration> migrations = {
${entries}  };
  return migrations;
}

}  // namespace hyades
")
