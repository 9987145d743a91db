#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/base/error.hpp"
#include "tocsin/base/time.hpp"

namespace tocsin::fakes {

/// One way in which a receiver fails.
struct Fault {
  enum class Kind {
    status,      ///< Answers with `status` (and Retry-After when set); the call is not carried out.
    error,       ///< The vendor's logical error `error`, as HTTP 200 where the vendor does so; not
                 ///< carried out.
    hang,        ///< Takes the request and never answers; not carried out.
    cut_before,  ///< Closes the connection before acting on the request.
    cut_after,   ///< Acts on the request, then closes the connection: the answer is lost.
    late_error,  ///< Acts on the request and then answers with `status` or `error` all the same.
    slow_body,   ///< Acts; the header comes at once, the body after `delay`.
    huge_body,   ///< Acts; the answer is padded to `bytes`.
    not_json,    ///< Acts; answers 200 with a web page, as a broken proxy would.
  };
  Kind kind{Kind::status};
  std::string operation{"*"};  ///< As Receiver::operation() names it; "*" is any.
  int status{503};
  std::string error{};  ///< "fatal_error", "ratelimited".
  std::optional<Duration> retry_after{};
  Duration delay{std::chrono::seconds{30}};
  std::size_t bytes{8u << 20};
  std::uint64_t times{1};  ///< How many calls it hits before it is spent; 0: until cleared.
  double chance{1.0};      ///< Of hitting a call that fits, drawn from the seed.
};

/// "cut_after" and so on, as the control endpoint writes them.
std::string_view to_string(Fault::Kind kind);
Result<Fault::Kind> fault_kind(std::string_view name);

/// The faults in front of one receiver, first added first drawn. The same seed and calls give the
/// same failures.
class Faults {
 public:
  void add(Fault fault);
  void clear();
  void seed(std::uint64_t seed) { random_.seed(seed); }
  /// Down: connections are refused and nothing is drawn.
  void set_down(bool down) { down_ = down; }
  bool down() const { return down_; }
  std::size_t size() const { return faults_.size(); }
  std::uint64_t hits() const { return hits_; }
  /// The fault for this call, if one hits; it counts as used.
  std::optional<Fault> draw(std::string_view operation);

 private:
  std::vector<Fault> faults_{};
  std::mt19937_64 random_{1};
  std::uint64_t hits_{0};
  bool down_{false};
};

}  // namespace tocsin::fakes
