#pragma once

#include <string>
#include <string_view>

namespace tocsin::checks {

/// The line without what may be a secret: values that follow a word such as password, token or
/// authorization, credentials in URLs, and long runs of letters and digits that are no words. What
/// remains says what happened, to whom and from where.
std::string redacted(std::string_view line);

/// The text with "***" wherever it holds this secret. One of less than four characters is not
/// looked for: that would garble the text and protect nothing.
std::string without_secret(std::string text, std::string_view secret);

}  // namespace tocsin::checks
