// The text of hsub --help, made from the table of its options.
#pragma once

#include <string>

namespace hyades {

std::string hsub_help();

}  // namespace hyades
