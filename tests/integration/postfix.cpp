#include "tests/integration/postfix.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/parse.hpp>

#include "tests/integration/http_client.hpp"

namespace tocsin::integration {
namespace {

constexpr const char* master_program = "/usr/lib/postfix/sbin/master";

std::string lines(const std::vector<std::string>& all) {
  std::string out;
  for (const auto& line : all) out += line + "\n";
  return out;
}

void must_succeed(const Answer& answer, const std::string& what) {
  if (answer.code != 0)
    throw std::runtime_error{what + " failed: " + answer.output + answer.errors};
}

}  // namespace

std::string Postfix::missing() {
  if (access(master_program, X_OK) != 0)
    return std::string{master_program} + " is not installed: apt-get install postfix";
  return geteuid() == 0 ? "" : "Postfix can be started by root alone";
}

Postfix::Postfix(const std::vector<std::string>& settings,
                 const std::vector<std::string>& services) {
  // Its daemons give up root, and must still reach their queue.
  ::chmod(folder_.path().c_str(), 0755);
  for (const auto* name : {"etc", "spool", "data"})
    std::filesystem::create_directories(folder_ / name);
  folder_.write(
      "etc/main.cf",
      lines({"compatibility_level = 3.6", "queue_directory = " + (folder_ / "spool"),
             "data_directory = " + (folder_ / "data"), "mail_owner = postfix",
             "setgid_group = postdrop", "myhostname = mx.tocsin.test", "mydestination =",
             "alias_maps =", "local_recipient_maps =", "inet_interfaces = loopback-only",
             "inet_protocols = ipv4", "smtp_host_lookup = native", "enable_long_queue_ids = yes",
             "maillog_file = " + (folder_ / "data/log"), "maillog_file_prefixes = /",
             // A daemon that cannot start, for want of a Dovecot, is tried again soon.
             "service_throttle_time = 1s"}) +
          lines(settings));
  folder_.write("etc/master.cf",
                lines({"pickup unix n - n 60 1 pickup", "cleanup unix n - n - 0 cleanup",
                       "qmgr unix n - n 300 1 qmgr", "rewrite unix - - n - - trivial-rewrite",
                       "bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce",
                       "trace unix - - n - 0 bounce", "smtp unix - - n - - smtp",
                       "lmtp unix - - n - - lmtp", "error unix - - n - - error",
                       "retry unix - - n - - error", "showq unix n - n - - showq",
                       "flush unix n - n 1000? 0 flush", "tlsmgr unix - - n 1000? 1 tlsmgr",
                       "anvil unix - - n - 1 anvil", "postlog unix-dgram n - n - 1 postlogd"}) +
                    lines(services));
  must_succeed(run({"/bin/chown", "postfix", folder_ / "data"}), "chown");
  must_succeed(run({"/usr/sbin/postfix", "-c", folder_ / "etc", "check"}), "postfix check");
}

Postfix::~Postfix() {
  try {
    stop();
  } catch (const std::exception&) {
    // Its object ends it for good.
  }
}

void Postfix::start() {
  master_ = std::make_unique<Program>(
      std::vector<std::string>{master_program, "-c", folder_ / "etc", "-d"});
  const auto up =
      eventually([&] { return !master_->running() || run(list_command()).errors.empty(); });
  if (!up || !master_->running())
    throw std::runtime_error{"Postfix did not start: " + master_->text() + log()};
}

void Postfix::stop() {
  if (!master_) return;
  const auto children = children_of(master_->pid());
  master_->signal(SIGTERM);
  master_->wait_for_exit();
  master_.reset();
  // Those that are in the middle of something would try to finish it.
  end_all(children);
}

void Postfix::kill() {
  kill_with_children(*master_);
  master_.reset();
}

std::vector<std::string> Postfix::list_command() const {
  return {"/usr/sbin/postqueue", "-c", folder_ / "etc", "-j"};
}

std::vector<Postfix::Queued> Postfix::queue() const {
  std::vector<Queued> out;
  std::istringstream listing{run(list_command()).output};
  for (std::string line; std::getline(listing, line);) {
    const auto message = json::parse(line);
    out.push_back({text_at(message, "queue_id"), text_at(message, "queue_name")});
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return out;
}

std::string Postfix::text_of(const std::string& id) const {
  const auto read = run({"/usr/sbin/postcat", "-c", folder_ / "etc", "-bh", "-q", id});
  must_succeed(read, "postcat " + id);
  return read.output;
}

void Postfix::send(const std::string& recipients, const std::string& text) const {
  const auto letter = folder_.write("letter", text);
  must_succeed(run({"/bin/sh", "-c",
                    "exec /usr/sbin/sendmail -C " + (folder_ / "etc") + " -f shop@tocsin.test " +
                        recipients + " < " + letter}),
               "sendmail");
}

void Postfix::flush() const {
  must_succeed(run({"/usr/sbin/postqueue", "-c", folder_ / "etc", "-f"}), "postqueue -f");
}

void Postfix::change(const std::string& option, const std::string& id) const {
  must_succeed(run({"/usr/sbin/postsuper", "-c", folder_ / "etc", option, id}),
               "postsuper " + option);
}

std::string Postfix::log() const { return read_file(folder_ / "data/log"); }

}  // namespace tocsin::integration
