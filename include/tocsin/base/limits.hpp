#pragma once

#include <chrono>
#include <cstddef>

#include "tocsin/base/time.hpp"

/// Every bound of the program in one place; vendors' limits cite where they come from.
namespace tocsin::limits {

using namespace std::chrono_literals;

// The host.
inline constexpr std::size_t checks_in_flight = 192;          // a thousand a second, 0.19 s each
inline constexpr std::size_t check_memory_bytes = 64u << 10;  // what a check keeps across restarts
inline constexpr std::size_t growing_file_piece_bytes = 64u << 10;
inline constexpr std::size_t log_bytes_per_run = 4u << 20;  // read and matched in one run
inline constexpr std::size_t log_line_bytes = 4096;         // of a line that are matched
inline constexpr std::size_t log_patterns = 32;             // of one check, sets included
inline constexpr std::size_t samples_per_run = 512;
inline constexpr std::size_t beat_note_bytes = 4u << 10;  // of what a job says: its end
inline constexpr std::size_t beat_run_id_characters = 64;
inline constexpr std::size_t host_file_bytes = 4u << 20;
inline constexpr std::size_t plugin_output_bytes = 64u << 10;
inline constexpr std::size_t file_systems_per_check =
    60;  // eight samples each stay below samples_per_run
inline constexpr std::size_t devices_per_check = 64;  // seven samples each
inline constexpr std::size_t disk_trend_points = 64;  // of free space, per file system
inline constexpr std::size_t processes_watched = 64;  // per check; more are counted, not watched
inline constexpr std::size_t processes_scanned = 65'536;  // entries of /proc looked at in one scan
inline constexpr Duration process_scan_every = 60s;       // the slow look for new matches
inline constexpr Duration restart_window = 10min;         // what "restarts" counts
inline constexpr std::size_t restarts_counted = 64;
inline constexpr std::size_t files_found = 128;         // of one glob, the newest ones
inline constexpr std::size_t folder_entries = 200'000;  // looked at for one glob
inline constexpr std::size_t evidence_lines = 12;
inline constexpr std::size_t evidence_line_characters = 300;
inline constexpr Duration evidence_wait = 500ms;

// Configuration.
inline constexpr std::size_t config_file_bytes = 1u << 20;
inline constexpr std::size_t config_files = 512;
inline constexpr std::size_t config_depth = 64;
inline constexpr std::size_t config_nodes = 200'000;  // Values of one file, aliases written out.
inline constexpr std::size_t config_map_keys = 1024;
inline constexpr std::size_t config_checks = 4096;
inline constexpr std::size_t complaints_kept = 10'000;
inline constexpr std::size_t check_name_characters = 80;
inline constexpr std::size_t check_labels = 16;
inline constexpr std::size_t check_label_characters = 200;
inline constexpr Duration check_every_least = 100ms;
inline constexpr Duration check_every_most = std::chrono::hours{24 * 7};
inline constexpr std::size_t complaints_shown = 100;
inline constexpr std::size_t secret_bytes = 64u << 10;

// The network.
inline constexpr std::size_t http_response_bytes = 1u << 20;
inline constexpr std::size_t http_header_bytes = 64u << 10;
inline constexpr std::size_t http_request_bytes = 1u << 20;
inline constexpr std::size_t http_connections = 256;
inline constexpr std::size_t conversation_piece_bytes = 16u << 10;
inline constexpr std::size_t starttls_bytes = 16u << 10;  // heard in the clear before TLS

// Decisions and their trail.
inline constexpr std::size_t members_per_incident = 200;
inline constexpr std::size_t timeline_text_characters = 4000;
inline constexpr std::size_t outbox_entries = 100'000;
inline constexpr std::size_t outbox_payload_bytes = 600u << 10;
inline constexpr std::size_t retired_keys = 8;  // of one PagerDuty service
inline constexpr std::size_t deliveries_in_flight = 16;
inline constexpr Duration delivery_timeout = 20s;
inline constexpr Duration backoff_first = 1s;
inline constexpr Duration backoff_most = 5min;
inline constexpr Duration shutdown_grace = 5s;
inline constexpr Duration closed_incident_retention = std::chrono::hours{24 * 400};

// Slack (contracts: method reference and Block Kit reference pages of docs.slack.dev).
inline constexpr std::size_t slack_channel_name_characters = 80;  // conversations.create
inline constexpr std::size_t slack_topic_characters = 250;     // conversations.setTopic, setPurpose
inline constexpr std::size_t slack_section_characters = 3000;  // section block text
inline constexpr std::size_t slack_header_characters = 150;    // header block
inline constexpr std::size_t slack_message_blocks = 50;        // blocks per message
inline constexpr std::size_t slack_blocks_characters =
    12'000;  // undocumented total near 13,200 (bolt-js#2509)
inline constexpr std::size_t slack_update_text_characters = 4000;    // chat.update text
inline constexpr std::size_t slack_bookmark_title_characters = 256;  // bookmarks.add
inline constexpr std::size_t slack_bookmark_link_bytes = 2048;       // bookmarks.add
inline constexpr std::size_t slack_invite_users = 100;               // conversations.invite
inline constexpr int slack_name_suffixes = 50;

// PagerDuty (Events API v2, developer docs "Send an Event").
inline constexpr std::size_t pagerduty_summary_characters = 1024;
inline constexpr std::size_t pagerduty_payload_bytes = 512'000;
inline constexpr std::size_t pagerduty_dedup_key_characters = 255;

}  // namespace tocsin::limits
