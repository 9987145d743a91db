#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tocsin/async/clock.hpp"
#include "tocsin/async/task.hpp"
#include "tocsin/check/beat.hpp"
#include "tocsin/check/host.hpp"
#include "tocsin/check/memory.hpp"
#include "tocsin/config/fields.hpp"
#include "tocsin/model/sample.hpp"
#include "tocsin/net/network.hpp"

namespace tocsin {

/// What a check may reach, and nothing else. All of it outlives the check; all of it is used on the
/// loop only.
struct CheckContext {
  const HostFiles& files;
  Clock& clock;
  Network& network;
  Processes& processes;
  HelperProcess& helper;
  PressureTriggers& pressure;
  const KernelClock& kernel_clock;
  Memory& memory;  ///< This check's own.
  /// Ask to be run now because the kernel said something. Safe to call at any time on the loop
  /// while the check lives.
  const std::function<void()>& nudge;
  SteadyTime deadline{};  ///< When this run is cut off.
  bool gap{false};        ///< The host was suspended since the last run: drop rates that span it.
};

/// One configured measurement. Measures once, with only its context, and returns samples or an
/// error; it never retries, logs, compares or throws. It may keep open files and the previous
/// reading between runs; it never has two runs at once.
class Check {
 public:
  virtual ~Check() = default;
  /// The samples this check yields; the same for its whole life. A failure to measure is an Error,
  /// never an empty success.
  virtual std::span<const SampleSpec> specs() const = 0;
  virtual Task<Samples> run(CheckContext& context) = 0;
  /// What the host looks like now that this check is in breach. Called between runs, bounded by
  /// context.deadline (limits::evidence_wait); what it cannot find out it leaves out.
  virtual asio::awaitable<Evidence> evidence(CheckContext& context);
  /// A job reports to this check (or did, when beat.at is before now), which notes it in its memory
  /// and is run soon after. Called on the loop, also before the first run. False when it is a check
  /// that nobody reports to.
  virtual bool receive(const Beat& beat, Memory& memory, Now now);
};

/// A check type: everything that follows from it is read from here: decoding, threshold names,
/// metrics, docs, schema.
struct CheckType {
  std::string name;
  std::string summary;                          ///< One sentence for docs: what it measures.
  std::vector<FieldDoc> fields{};               ///< Its own keys, beside the common ones.
  std::vector<SampleSpec> samples{};            ///< Of a check with default parameters, for docs.
  std::vector<std::string> default_critical{};  ///< Rules of a check that has none of its own.
  std::vector<std::string> default_warning{};
  std::string example{};  ///< One YAML stanza, for docs; loaded by a test.
  /// Reads the type's own keys. Returns null after complaining. `name` is the check's, for
  /// sentences.
  std::function<std::unique_ptr<Check>(const std::string& name, const Node& map,
                                       Decoding& decoding)>
      build{};
};

/// Makes the type's decoding, docs and factory out of one field list (`P::fields()`) and a check
/// class that is constructed from (std::string name, P params). `validate` may complain of
/// combinations the fields cannot see.
template <class P, class C>
CheckType check_type(CheckType type,
                     std::function<void(const P&, const Node&, Decoding&)> validate = {}) {
  type.fields = document_fields(P::fields(), P{});
  type.build = [validate](const std::string& name, const Node& map,
                          Decoding& decoding) -> std::unique_ptr<Check> {
    P params{};
    const auto before = decoding.complaints.all().size();
    decode_fields(P::fields(), map, params, decoding);
    if (decoding.complaints.all().size() == before && validate) validate(params, map, decoding);
    if (decoding.complaints.all().size() != before) return nullptr;
    return std::make_unique<C>(name, std::move(params));
  };
  return type;
}

/// Sugar for run(): adds a sample.
inline void put(Samples& samples, std::uint16_t spec, double value, std::string instance = {}) {
  samples.push_back({spec, value, std::move(instance)});
}

}  // namespace tocsin
