# shellcheck shell=bash disable=SC2034  # who sources it reads the variables
# Sourced by ./quickstart and ./check: what must be installed, and how the tree is configured.
# Everything comes from Debian 12's own packages.

packages_build="g++ cmake ninja-build ccache pkg-config
  libopenmpi-dev openmpi-bin libhwloc-dev libpapi-dev libpfm4-dev libboost-program-options-dev
  libsqlite3-dev libprotobuf-dev protobuf-compiler libtomlplusplus-dev nlohmann-json3-dev libspdlog-dev libssl-dev zlib1g-dev libmunge-dev
  prometheus-cpp-dev
  libgtest-dev libgmock-dev libtorch-dev libopenblas0-pthread libxgboost-dev"
packages_check="clang clang-format clang-tidy libclang-rt-14-dev iproute2 munge faketime glpk-utils"

say() { printf '\n== %s\n' "$*"; }

die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# Installs what is missing of the packages named; without root it says which they are and stops.
need_packages() {
  command -v dpkg-query >/dev/null 2>&1 ||
    die "this is not Debian; install what stands for these packages and build with cmake: $*"
  local missing="" package
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' ||
      missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    die "these packages are missing; have an admin run: apt-get install --no-install-recommends$missing"
  fi
  say "installing$missing"
  apt-get update -qq
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# configure BUILD_DIRECTORY [cmake options]: quiet unless it fails.
configure() {
  local directory=$1
  shift
  mkdir -p "$directory"
  cmake -G Ninja -S . -B "$directory" "$@" >"$directory/configure.log" 2>&1 || {
    cat "$directory/configure.log"
    die "cmake failed"
  }
}
