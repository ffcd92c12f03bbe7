// Text from users and the network, made fit for an HTML page. Pure function; any thread.
#pragma once

#include <string>

namespace hyades {

// One line whatever it held: what cannot be seen is written out as by escape_text, and & < > " '
// as entities, so that it is neither markup nor leaves an attribute.
std::string html_text(const std::string& text);

}  // namespace hyades
