#include "agent/notify/slack_errors.hpp"

#include <algorithm>
#include <iterator>

namespace tocsin::notify {
namespace {

struct Row {
  std::string_view code;
  SlackClass kind;
};

// Sources: the method reference pages of docs.slack.dev ("Common error responses" of each method).
// Sorted by code.
constexpr Row rows[] = {
    {"access_denied", SlackClass::forbidden},
    {"accesslimited", SlackClass::ours},
    {"account_inactive", SlackClass::ours},
    {"already_archived", SlackClass::already},
    {"already_in_channel", SlackClass::already},
    {"already_pinned", SlackClass::already},
    {"already_reacted", SlackClass::already},
    {"app_access_restricted", SlackClass::forbidden},
    {"app_cannot_join_channel", SlackClass::forbidden},
    {"as_user_not_supported", SlackClass::refused},
    {"attachment_payload_limit_exceeded", SlackClass::unfit},
    {"bad_timestamp", SlackClass::refused},
    {"block_mismatch", SlackClass::unfit},
    {"blocked_file_type", SlackClass::refused},
    {"cannot_bookmark_from_external_org", SlackClass::forbidden},
    {"cannot_bookmark_restricted_sharing_enabled", SlackClass::forbidden},
    {"cannot_create_channel", SlackClass::forbidden},
    {"cannot_reply_to_message", SlackClass::refused},
    {"cant_archive_general", SlackClass::refused},
    {"cant_archive_required", SlackClass::refused},
    {"cant_broadcast_message", SlackClass::refused},
    {"cant_invite", SlackClass::refused},
    {"cant_invite_self", SlackClass::already},
    {"cant_update_message", SlackClass::message_gone},
    {"canvas_disabled_user_team", SlackClass::forbidden},
    {"channel_is_limited_access", SlackClass::forbidden},
    {"channel_not_found", SlackClass::channel_gone},
    {"deprecated_endpoint", SlackClass::refused},
    {"draft_already_deleted", SlackClass::refused},
    {"draft_already_sent", SlackClass::refused},
    {"draft_has_conflict", SlackClass::refused},
    {"draft_not_found", SlackClass::refused},
    {"duplicate_channel_not_found", SlackClass::refused},
    {"duplicate_message_not_found", SlackClass::refused},
    {"edit_window_closed", SlackClass::message_gone},
    {"ekm_access_denied", SlackClass::forbidden},
    {"enterprise_is_restricted", SlackClass::forbidden},
    {"external_channel_migrating", SlackClass::unavailable},
    {"fatal_error", SlackClass::unclear},
    {"file_already_added", SlackClass::refused},
    {"file_deleted", SlackClass::refused},
    {"file_is_deleted", SlackClass::refused},
    {"file_not_found", SlackClass::refused},
    {"file_not_shared", SlackClass::refused},
    {"file_share_limit_reached", SlackClass::refused},
    {"internal_error", SlackClass::unclear},
    {"invalid_app_action_type", SlackClass::refused},
    {"invalid_arg_name", SlackClass::refused},
    {"invalid_arguments", SlackClass::unfit},
    {"invalid_array_arg", SlackClass::unfit},
    {"invalid_attachments", SlackClass::unfit},
    {"invalid_auth", SlackClass::ours},
    {"invalid_blocks", SlackClass::unfit},
    {"invalid_blocks_format", SlackClass::unfit},
    {"invalid_bookmark_type", SlackClass::refused},
    {"invalid_charset", SlackClass::refused},
    {"invalid_child_type", SlackClass::refused},
    {"invalid_cursor", SlackClass::refused},
    {"invalid_emoji", SlackClass::refused},
    {"invalid_entity_id", SlackClass::refused},
    {"invalid_form_data", SlackClass::refused},
    {"invalid_limit", SlackClass::refused},
    {"invalid_link", SlackClass::refused},
    {"invalid_metadata_filter_keys", SlackClass::refused},
    {"invalid_metadata_format", SlackClass::unfit},
    {"invalid_metadata_schema", SlackClass::unfit},
    {"invalid_name", SlackClass::refused},
    {"invalid_name_maxlength", SlackClass::refused},
    {"invalid_name_punctuation", SlackClass::refused},
    {"invalid_name_required", SlackClass::refused},
    {"invalid_name_specials", SlackClass::refused},
    {"invalid_parent_type", SlackClass::refused},
    {"invalid_post_type", SlackClass::refused},
    {"invalid_shortcut_type", SlackClass::refused},
    {"invalid_team", SlackClass::refused},
    {"invalid_ts_latest", SlackClass::refused},
    {"invalid_ts_oldest", SlackClass::refused},
    {"invalid_types", SlackClass::refused},
    {"invitee_cant_see_channel", SlackClass::refused},
    {"is_archived", SlackClass::channel_gone},
    {"is_inactive", SlackClass::channel_gone},
    {"list_record_comment_fetch_failed", SlackClass::unavailable},
    {"markdown_text_conflict", SlackClass::unfit},
    {"max_file_sharing_exceeded", SlackClass::refused},
    {"message_limit_exceeded", SlackClass::rate},
    {"message_not_found", SlackClass::message_gone},
    {"messages_tab_disabled", SlackClass::forbidden},
    {"metadata_must_be_sent_from_app", SlackClass::unfit},
    {"metadata_too_large", SlackClass::unfit},
    {"method_deprecated", SlackClass::refused},
    {"method_not_supported_for_channel_type", SlackClass::refused},
    {"missing_argument", SlackClass::refused},
    {"missing_file_data", SlackClass::refused},
    {"missing_post_type", SlackClass::refused},
    {"missing_scope", SlackClass::scope},
    {"msg_blocks_too_long", SlackClass::unfit},
    {"msg_too_long", SlackClass::unfit},
    {"name_taken", SlackClass::name_taken},
    {"no_channel", SlackClass::refused},
    {"no_dual_broadcast_content_update", SlackClass::refused},
    {"no_external_invite_permission", SlackClass::forbidden},
    {"no_item_specified", SlackClass::refused},
    {"no_permission", SlackClass::scope},
    {"no_such_subteam", SlackClass::refused},
    {"no_text", SlackClass::unfit},
    {"no_user", SlackClass::refused},
    {"not_allowed_token_type", SlackClass::ours},
    {"not_authed", SlackClass::ours},
    {"not_implemented", SlackClass::refused},
    {"not_in_channel", SlackClass::not_member},
    {"not_pinnable", SlackClass::refused},
    {"org_login_required", SlackClass::unavailable},
    {"org_user_not_in_team", SlackClass::refused},
    {"parent_bookmark_disabled", SlackClass::refused},
    {"parent_with_link", SlackClass::refused},
    {"permission_denied", SlackClass::forbidden},
    {"plan_upgrade_required", SlackClass::forbidden},
    {"posting_to_channel_denied", SlackClass::forbidden},
    {"rate_limited", SlackClass::rate},
    {"ratelimited", SlackClass::rate},
    {"request_timeout", SlackClass::unavailable},
    {"restricted_action", SlackClass::forbidden},
    {"restricted_action_non_threadable_channel", SlackClass::forbidden},
    {"restricted_action_read_only_channel", SlackClass::forbidden},
    {"restricted_action_thread_locked", SlackClass::forbidden},
    {"restricted_action_thread_only_channel", SlackClass::forbidden},
    {"send_on_behalf_not_allowed", SlackClass::forbidden},
    {"service_unavailable", SlackClass::unavailable},
    {"slack_connect_blocked_file_type", SlackClass::refused},
    {"slack_connect_canvas_sharing_blocked", SlackClass::refused},
    {"slack_connect_clip_sharing_blocked", SlackClass::refused},
    {"slack_connect_file_link_sharing_blocked", SlackClass::refused},
    {"slack_connect_file_upload_sharing_blocked", SlackClass::refused},
    {"slack_connect_lists_sharing_blocked", SlackClass::refused},
    {"streaming_state_conflict", SlackClass::refused},
    {"team_access_not_granted", SlackClass::ours},
    {"team_added_to_org", SlackClass::unavailable},
    {"team_not_found", SlackClass::refused},
    {"thread_not_found", SlackClass::refused},
    {"token_expired", SlackClass::ours},
    {"token_revoked", SlackClass::ours},
    {"too_long", SlackClass::unfit},
    {"too_many_attachments", SlackClass::unfit},
    {"too_many_bookmarks", SlackClass::refused},
    {"too_many_contact_cards", SlackClass::unfit},
    {"too_many_members", SlackClass::refused},
    {"too_many_pins", SlackClass::refused},
    {"too_many_requests", SlackClass::rate},
    {"too_many_tabs", SlackClass::refused},
    {"two_factor_setup_required", SlackClass::ours},
    {"unable_to_share_files", SlackClass::refused},
    {"update_failed", SlackClass::unclear},
    {"ura_max_channels", SlackClass::refused},
    {"user_is_restricted", SlackClass::forbidden},
    {"user_not_found", SlackClass::refused},
    {"users_not_found", SlackClass::refused},
};

constexpr bool before(const Row& row, std::string_view code) { return row.code < code; }

constexpr bool in_order() {
  for (std::size_t i = 1; i < std::size(rows); ++i) {
    if (rows[i - 1].code >= rows[i].code) return false;
  }
  return true;
}
static_assert(in_order(), "the table is searched by halves");

const Row* find(std::string_view code) {
  const auto* row = std::lower_bound(std::begin(rows), std::end(rows), code, before);
  return row != std::end(rows) && row->code == code ? row : nullptr;
}

}  // namespace

bool may_succeed_later(SlackClass kind) {
  switch (kind) {
    case SlackClass::rate:
    case SlackClass::held:
    case SlackClass::unclear:
    case SlackClass::unavailable:
    case SlackClass::ours:
      return true;
    case SlackClass::ok:
    case SlackClass::already:
    case SlackClass::name_taken:
    case SlackClass::forbidden:
    case SlackClass::scope:
    case SlackClass::unfit:
    case SlackClass::channel_gone:
    case SlackClass::not_member:
    case SlackClass::message_gone:
    case SlackClass::refused:
      return false;
  }
  return false;
}

SlackClass classify_slack_code(std::string_view code) {
  const auto* row = find(code);
  return row ? row->kind : SlackClass::refused;
}

bool is_known_slack_code(std::string_view code) { return find(code) != nullptr; }

SlackClass classify_slack_status(int status) {
  if (status == 429) return SlackClass::rate;
  if (status == 408 || status >= 500) return SlackClass::unclear;
  if (status < 300)
    return SlackClass::unclear;  // Not Slack's way to say yes: something else answered.
  if (status < 400)
    return SlackClass::unavailable;  // A portal or a moved proxy: nothing reached Slack.
  switch (status) {
    case 401:
    case 402:
    case 403:
    case 404:
    case 405:
    case 407:
    case 410:
      return SlackClass::ours;
    case 413:
    case 414:
    case 431:
      return SlackClass::unfit;
    case 421:
    case 423:
    case 425:
      return SlackClass::unavailable;
    default:
      return SlackClass::refused;
  }
}

}  // namespace tocsin::notify
