# How everything is compiled: one interface target, linked privately by every other.
add_library(rl_options INTERFACE)
target_compile_definitions(rl_options INTERFACE _GNU_SOURCE)
# One list for the compilers and for tools/check_headers.sh.
file(READ ${CMAKE_CURRENT_LIST_DIR}/warnings.flags warnings)
separate_arguments(warnings UNIX_COMMAND "${warnings}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/warnings.flags)
target_compile_options(rl_options INTERFACE ${warnings} -fno-common)
# An output is written only on success, and gcc cannot see in another file that err_set() returns a failure. clang's analyzer looks for
# real uses of unset values (tools/tidy.py), with a model of err_set().
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(rl_options INTERFACE -Wno-maybe-uninitialized)
endif()

if(RESILOG_SANITIZE)
  target_compile_options(rl_options INTERFACE
    -fsanitize=${RESILOG_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(rl_options INTERFACE -fsanitize=${RESILOG_SANITIZE})
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU") # the added checks mislead gcc's flow warnings; the builds without them hold the line
    target_compile_options(rl_options INTERFACE -Wno-error)
  endif()
endif()
if(RESILOG_COVERAGE)
  target_compile_options(rl_options INTERFACE --coverage)
  target_link_options(rl_options INTERFACE --coverage)
endif()

# The OpenSSF compiler hardening guide, for release builds; assertions stay on.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  # Where a call or a jump may land is the processor's to check, and each has its own flag.
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|i[3-6]86)$")
    target_compile_options(rl_options INTERFACE -fcf-protection=full)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    target_compile_options(rl_options INTERFACE -mbranch-protection=standard)
  endif()
  set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
  target_compile_options(rl_options INTERFACE
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection
    -fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing -ftrivial-auto-var-init=zero -fPIE)
  target_link_options(rl_options INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,nodlopen -Wl,--as-needed)
endif()
