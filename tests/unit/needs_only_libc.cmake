# Fails when PROGRAM is linked against more than the C library (and its linker and libm).
file(GET_RUNTIME_DEPENDENCIES EXECUTABLES ${PROGRAM} RESOLVED_DEPENDENCIES_VAR resolved
  UNRESOLVED_DEPENDENCIES_VAR unresolved)
message(STATUS "${PROGRAM} needs: ${resolved} ${unresolved}")
if(NOT "${resolved}" MATCHES "/libc\\.so")
  message(FATAL_ERROR "not even the C library was found: is this check still one?")
endif()
foreach(library ${resolved} ${unresolved})
  if(NOT library MATCHES "/(libc|libm|ld-linux[^/]*)\\.so\\.[0-9]+$")
    message(FATAL_ERROR "it needs ${library}, too, which each fork of the launcher would pay for")
  endif()
endforeach()
