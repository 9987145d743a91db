#include "tests/fakes/receiver.hpp"

#include <algorithm>
#include <cctype>

namespace tocsin::fakes {
namespace {

bool same_name(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  });
}

Played acted_on(Receiver& receiver, const HttpCall& call) {
  Played played{};
  played.reply = receiver.handle(call);
  played.carried_out = true;
  return played;
}

Played unanswered(Played::End end, bool carried_out) {
  return Played{.end = end, .reply = {}, .body_delay = Duration{0}, .carried_out = carried_out};
}

Played failed(const Receiver& receiver, const Fault& fault, bool carried_out) {
  Played played{};
  played.reply = receiver.failing(fault);
  played.carried_out = carried_out;
  return played;
}

Played with_fault(Receiver& receiver, const HttpCall& call, const Fault& fault) {
  using Kind = Fault::Kind;
  switch (fault.kind) {
    case Kind::status:
    case Kind::error:
      return failed(receiver, fault, false);
    case Kind::hang:
      return unanswered(Played::End::silent, false);
    case Kind::cut_before:
      return unanswered(Played::End::cut, false);
    case Kind::cut_after:
      receiver.handle(call);
      return unanswered(Played::End::cut, true);
    case Kind::late_error:
      receiver.handle(call);
      return failed(receiver, fault, true);
    case Kind::slow_body: {
      auto played = acted_on(receiver, call);
      played.body_delay = fault.delay;
      return played;
    }
    case Kind::huge_body: {
      auto played = acted_on(receiver, call);
      if (played.reply.body.size() < fault.bytes) played.reply.body.resize(fault.bytes, ' ');
      return played;
    }
    case Kind::not_json: {
      auto played = acted_on(receiver, call);
      played.reply = {200,
                      {{"content-type", "text/html"}},
                      "<!doctype html><title>Sorry</title><p>We will be back shortly."};
      return played;
    }
  }
  return {};
}

}  // namespace

std::string_view HttpCall::header(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (same_name(known, name)) return value;
  }
  return {};
}

std::string_view HttpCall::path() const {
  return std::string_view{target}.substr(0, target.find('?'));
}

std::string_view HttpCall::query() const {
  const auto mark = target.find('?');
  return mark == std::string::npos ? std::string_view{} : std::string_view{target}.substr(mark + 1);
}

std::pair<std::string, std::string> retry_after_header(Duration wait) {
  const auto whole = std::chrono::ceil<std::chrono::seconds>(wait).count();
  return {"retry-after", std::to_string(whole)};
}

Played play(Receiver& receiver, const HttpCall& call) {
  if (receiver.faults().down()) return unanswered(Played::End::not_accepted, false);
  const auto fault = receiver.faults().draw(receiver.operation(call));
  return fault ? with_fault(receiver, call, *fault) : acted_on(receiver, call);
}

}  // namespace tocsin::fakes
