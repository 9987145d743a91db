#include "checks/supervisord_reply.hpp"

#include <charconv>
#include <optional>
#include <pugixml.hpp>
#include <utility>

#include "tocsin/base/text.hpp"
#include "tocsin/base/unit.hpp"

namespace tocsin::checks {
namespace {

constexpr std::size_t name_characters_max = 200;
constexpr std::size_t sentence_characters_max = 300;
// A member's value of a program in a list lies eleven elements deep.
constexpr int depth_max = 16;
// Beyond any process id and any time of this century; what lies between two of them still fits into
// 64 bits when counted in nanoseconds.
constexpr std::int64_t number_max = 4'000'000'000;

Error not_as_expected(std::string why) { return {Errc::protocol, std::move(why)}; }

struct DepthJudge final : pugi::xml_tree_walker {
  bool for_each(pugi::xml_node&) override { return depth() < depth_max; }
};

/// The document of an answer, or why it is none.
Result<pugi::xml_node> load(pugi::xml_document& document, std::string_view xml) {
  if (xml.size() > supervisord_reply_bytes_max)
    return Error{
        Errc::too_large,
        "it is larger than " +
            describe_quantity(static_cast<double>(supervisord_reply_bytes_max), Unit::bytes)};
  // Neither entities nor a document type of the other side's making are looked at.
  constexpr auto flags = pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol;
  const auto outcome =
      document.load_buffer(xml.data(), xml.size(), flags, pugi::xml_encoding::encoding_utf8);
  if (!outcome)
    return not_as_expected("it is not XML (" + std::string{outcome.description()} + ")");
  DepthJudge judge;
  if (!document.traverse(judge)) return not_as_expected("it is nested too deeply");
  const auto root = document.child("methodResponse");
  if (!root) return not_as_expected("it is not an XML-RPC answer");
  return root;
}

/// A value that is text: <string>…</string>, or as bare as XML-RPC allows. Nil reads as empty.
std::optional<std::string> text_of(const pugi::xml_node& value) {
  if (!value) return std::nullopt;
  for (const auto& inner : value.children()) {
    if (inner.type() != pugi::node_element) continue;
    const std::string_view type = inner.name();
    if (type == "string") return inner.child_value();
    if (type == "nil") return std::string{};
    return std::nullopt;
  }
  return value.child_value();
}

std::optional<std::int64_t> number_of(const pugi::xml_node& value) {
  for (const char* const type : {"int", "i4", "i8"}) {
    const auto inner = value.child(type);
    if (!inner) continue;
    const auto text = trim(inner.child_value());
    std::int64_t number = 0;
    const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
    if (number > number_max || number < -number_max) return std::nullopt;
    return number;
  }
  return std::nullopt;
}

ProgramState state_of(std::int64_t code) {
  for (const auto state :
       {ProgramState::stopped, ProgramState::starting, ProgramState::running, ProgramState::backoff,
        ProgramState::stopping, ProgramState::exited, ProgramState::fatal})
    if (static_cast<std::int64_t>(state) == code) return state;
  return ProgramState::unknown;
}

/// Reads the members of one program's struct, each of its own type; what is new to us is passed
/// over.
class ProgramReader {
 public:
  Result<SupervisedProgram> read(const pugi::xml_node& structure) {
    for (const auto& member : structure.children("member")) {
      const std::string_view key = member.child_value("name");
      if (!take(key, member.child("value")))
        return not_as_expected("the " + cut_characters(clean_utf8(key), 40) +
                               " of a program has a value of another kind than it should");
    }
    if (program_.name.empty() || program_.group.empty() || !has_state_)
      return not_as_expected("a program has no name, group or state");
    return std::move(program_);
  }

 private:
  bool take(std::string_view key, const pugi::xml_node& value) {
    if (key == "name") return text(value, program_.name, name_characters_max);
    if (key == "group") return text(value, program_.group, name_characters_max);
    if (key == "spawnerr") return text(value, program_.spawn_error, sentence_characters_max);
    if (key == "stdout_logfile") return is_there(value, program_.has_stdout_log);
    if (key == "stderr_logfile") return is_there(value, program_.has_stderr_log);
    if (key == "start") return number(value, program_.start);
    if (key == "stop") return number(value, program_.stop);
    if (key == "now") return number(value, program_.now);
    if (key == "pid") return number(value, program_.pid);
    if (key == "exitstatus") return number(value, program_.exit_status);
    if (key != "state") return true;
    std::int64_t code = 0;
    has_state_ = number(value, code);
    program_.state = state_of(code);
    return has_state_;
  }
  static bool text(const pugi::xml_node& value, std::string& into, std::size_t characters_max) {
    const auto found = text_of(value);
    if (found) into = cut_characters(trim(clean_utf8(*found)), characters_max);
    return found.has_value();
  }
  static bool is_there(const pugi::xml_node& value, bool& into) {
    const auto found = text_of(value);
    into = found && !trim(*found).empty();
    return found.has_value();
  }
  static bool number(const pugi::xml_node& value, std::int64_t& into) {
    const auto found = number_of(value);
    if (found) into = *found;
    return found.has_value();
  }

  SupervisedProgram program_{};
  bool has_state_{false};
};

std::optional<Result<RpcFault>> fault_of(const pugi::xml_node& root) {
  const auto fault = root.child("fault");
  if (!fault) return std::nullopt;
  RpcFault out;
  bool has_code = false;
  for (const auto& member : fault.child("value").child("struct").children("member")) {
    const std::string_view key = member.child_value("name");
    if (key == "faultCode") {
      const auto code = number_of(member.child("value"));
      has_code = code.has_value();
      out.code = code.value_or(0);
    } else if (key == "faultString") {
      const auto text = text_of(member.child("value")).value_or("");
      out.text = cut_characters(trim(clean_utf8(text)), sentence_characters_max);
    }
  }
  if (!has_code) return not_as_expected("it is a fault without a code");
  return out;
}

pugi::xml_node value_of(const pugi::xml_node& root) {
  return root.child("params").child("param").child("value");
}

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

std::string call(std::string_view method, std::string_view params) {
  std::string body = "<?xml version=\"1.0\"?><methodCall><methodName>supervisor.";
  body.append(method).append("</methodName><params>").append(params);
  return body + "</params></methodCall>";
}

}  // namespace

std::string_view to_string(ProgramState state) {
  switch (state) {
    case ProgramState::stopped:
      return "STOPPED";
    case ProgramState::starting:
      return "STARTING";
    case ProgramState::running:
      return "RUNNING";
    case ProgramState::backoff:
      return "BACKOFF";
    case ProgramState::stopping:
      return "STOPPING";
    case ProgramState::exited:
      return "EXITED";
    case ProgramState::fatal:
      return "FATAL";
    case ProgramState::unknown:
      return "UNKNOWN";
  }
  return "UNKNOWN";
}

Result<ProgramListReply> parse_program_list(std::string_view xml) {
  pugi::xml_document document;
  const auto root = load(document, xml);
  if (!root) return root.error();
  if (auto fault = fault_of(*root)) {
    if (!*fault) return fault->error();
    return ProgramListReply{**std::move(fault)};
  }
  const auto data = value_of(*root).child("array").child("data");
  if (!data) return not_as_expected("it is not a list of programs");
  std::vector<SupervisedProgram> programs;
  for (const auto& value : data.children("value")) {
    if (programs.size() == supervised_programs_max)
      return Error{Errc::too_large,
                   "it has more than " + std::to_string(supervised_programs_max) + " programs"};
    const auto structure = value.child("struct");
    if (!structure) return not_as_expected("one of its programs is not a struct");
    auto program = ProgramReader{}.read(structure);
    if (!program) return program.error();
    programs.push_back(*std::move(program));
  }
  return ProgramListReply{std::move(programs)};
}

Result<TextReply> parse_text_reply(std::string_view xml) {
  pugi::xml_document document;
  const auto root = load(document, xml);
  if (!root) return root.error();
  if (auto fault = fault_of(*root)) {
    if (!*fault) return fault->error();
    return TextReply{**std::move(fault)};
  }
  auto text = text_of(value_of(*root));
  if (!text) return not_as_expected("it is not a text");
  return TextReply{*std::move(text)};
}

std::string program_list_request() { return call("getAllProcessInfo", ""); }

std::string log_request(ProgramLog log, std::string_view program, std::size_t bytes) {
  // A negative offset and no length: that many bytes from the end.
  const auto params = "<param><value><string>" + escaped(program) +
                      "</string></value></param><param><value><int>-" + std::to_string(bytes) +
                      "</int></value></param><param><value><int>0</int></value></param>";
  return call(log == ProgramLog::standard_error ? "readProcessStderrLog" : "readProcessStdoutLog",
              params);
}

}  // namespace tocsin::checks
