// Drives the fake Slack through Slack's own client, so that the fake is not merely what its author believes of Slack.
// usage: node drive_slack.js PROGRAM   (the fake_receivers program)
'use strict';

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const readline = require('node:readline');
const { WebClient, ErrorCode, LogLevel } = require('@slack/web-api');

async function start(program) {
  const child = spawn(program, [], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = readline.createInterface({ input: child.stdout });
  const [line] = await Promise.race([
    new Promise((resolve) => lines.once('line', (first) => resolve([first]))),
    new Promise((_, reject) => child.once('exit', (code) => reject(new Error(`fake_receivers exited: ${code}`)))),
  ]);
  return { child, where: JSON.parse(line) };
}

async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    assert.equal(error.code, ErrorCode.PlatformError, `not an answer of Slack's: ${error.stack}`);
    return error.data;
  }
  throw new assert.AssertionError({ message: 'the call was accepted' });
}

async function control(where, name, body) {
  const reply = await fetch(`${where.control}/${name}`, { method: 'POST', body: JSON.stringify(body) });
  assert.equal(reply.status, 200, await reply.text());
}

function clientFor(where, token, options = {}) {
  return new WebClient(token, { slackApiUrl: where.slack, logLevel: LogLevel.ERROR, retryConfig: { retries: 0 }, ...options });
}

const steps = {
  async 'auth.test tells who the bot is'({ slack }) {
    const me = await slack.auth.test();
    assert.equal(me.user_id, 'U0FAKEBOT');
    assert.ok(me.bot_id);
  },

  async 'tokens are required and checked'({ where }) {
    assert.equal((await refusal(clientFor(where, undefined).auth.test())).error, 'not_authed');
    assert.equal((await refusal(clientFor(where, 'xoxb-wrong').auth.test())).error, 'invalid_auth');
    const app = clientFor(where, 'xapp-fake-app-token');
    assert.equal((await refusal(app.auth.test())).error, 'not_allowed_token_type');
  },

  async 'names of channels have rules'({ slack }) {
    const create = (name) => refusal(slack.conversations.create({ name }));
    assert.equal((await create('Upper')).error, 'invalid_name_specials');
    assert.equal((await create('with space')).error, 'invalid_name_specials');
    assert.equal((await create('--_')).error, 'invalid_name_punctuation');
    assert.equal((await create('x'.repeat(81))).error, 'invalid_name_maxlength');
    await slack.conversations.create({ name: 'x'.repeat(80) });
  },

  async 'an issue channel from creation to archive'({ slack }) {
    const { channel } = await slack.conversations.create({ name: 'issue-nginx-2211' });
    assert.ok(channel.is_member);
    assert.equal(channel.creator, 'U0FAKEBOT');
    const id = channel.id;
    await slack.conversations.setPurpose({ channel: id, purpose: 'tocsin:abc' });
    await slack.conversations.setTopic({ channel: id, topic: 'nginx is down & out' });
    const long = await refusal(slack.conversations.setTopic({ channel: id, topic: 'x'.repeat(251) }));
    assert.equal(long.error, 'too_long');
    const info = await slack.conversations.info({ channel: id });
    assert.equal(info.channel.purpose.value, 'tocsin:abc');
    assert.equal(info.channel.topic.value, 'nginx is down & out');

    const blocks = [
      { type: 'header', text: { type: 'plain_text', text: 'CRITICAL · nginx' } },
      { type: 'section', text: { type: 'mrkdwn', text: '*Environment*\nproduction' } },
    ];
    const metadata = { event_type: 'tocsin', event_payload: { entry: 7 } };
    const posted = await slack.chat.postMessage({ channel: id, text: 'summary', blocks, metadata });
    assert.match(posted.ts, /^\d+\.\d{6}$/);
    await slack.pins.add({ channel: id, timestamp: posted.ts });
    assert.equal((await refusal(slack.pins.add({ channel: id, timestamp: posted.ts }))).error, 'already_pinned');
    const pins = await slack.pins.list({ channel: id });
    assert.equal(pins.items[0].message.ts, posted.ts);
    await slack.chat.update({ channel: id, ts: posted.ts, text: 'summary, edited', blocks });
    const link = await slack.chat.getPermalink({ channel: id, message_ts: posted.ts });
    assert.match(link.permalink, new RegExp(`/archives/${id}/p\\d+$`));
    const bookmark = await slack.bookmarks.add({ channel_id: id, title: 'Runbook', type: 'link', link: 'https://example.com/' });
    assert.ok(bookmark.bookmark.id);
    assert.equal((await slack.bookmarks.list({ channel_id: id })).bookmarks.length, 1);

    const history = await slack.conversations.history({ channel: id, include_all_metadata: true });
    assert.equal(history.messages[0].text, 'summary, edited', 'newest first');
    assert.deepEqual(history.messages[0].metadata, metadata);
    assert.deepEqual(history.messages[0].blocks, blocks);

    await slack.conversations.archive({ channel: id });
    assert.equal((await refusal(slack.conversations.archive({ channel: id }))).error, 'already_archived');
    assert.equal((await refusal(slack.conversations.history({ channel: id }))).error, 'not_in_channel');
    assert.equal((await refusal(slack.conversations.unarchive({ channel: id }))).error, 'not_in_channel');
    assert.equal((await refusal(slack.conversations.join({ channel: id }))).error, 'is_archived');
    assert.equal((await refusal(slack.chat.postMessage({ channel: id, text: 'late' }))).error, 'is_archived');
    assert.equal((await refusal(slack.conversations.create({ name: 'issue-nginx-2211' }))).error, 'name_taken');
  },

  async 'a person can read and reopen what the bot archived'({ slack, where }) {
    const { channel } = await slack.conversations.create({ name: 'reopened' });
    await slack.conversations.archive({ channel: channel.id });
    const person = clientFor(where, 'xoxp-fake-user-token');
    const history = await person.conversations.history({ channel: channel.id });
    assert.equal(history.messages[0].subtype, 'channel_archive');
  },

  async 'invitations name what is wrong with each guest'({ slack }) {
    const { channel } = await slack.conversations.create({ name: 'invitations' });
    const id = channel.id;
    const mixed = await refusal(slack.conversations.invite({ channel: id, users: 'U0JANE,U0NOBODY' }));
    assert.equal(mixed.error, 'user_not_found');
    assert.equal(mixed.errors[0].user, 'U0NOBODY');
    assert.deepEqual((await slack.conversations.members({ channel: id })).members, ['U0FAKEBOT'], 'all or nothing');
    const forced = await slack.conversations.invite({ channel: id, users: 'U0JANE,U0NOBODY', force: true });
    assert.equal(forced.errors.length, 1);
    assert.equal((await refusal(slack.conversations.invite({ channel: id, users: 'U0JANE' }))).error, 'already_in_channel');
    assert.equal((await refusal(slack.conversations.invite({ channel: id, users: 'U0FAKEBOT' }))).error, 'cant_invite_self');
  },

  async 'joining twice is a warning'({ slack }) {
    await slack.conversations.join({ channel: 'C0GENERAL' });
    const again = await slack.conversations.join({ channel: 'C0GENERAL' });
    assert.equal(again.warning, 'already_in_channel');
    assert.deepEqual(again.response_metadata.warnings, ['already_in_channel']);
  },

  async 'people and groups are found'({ slack }) {
    assert.equal((await slack.users.lookupByEmail({ email: 'jane@example.com' })).user.id, 'U0JANE');
    const gone = await refusal(slack.users.lookupByEmail({ email: 'kim@example.com' }));
    assert.equal(gone.error, 'users_not_found');
    assert.equal((await slack.users.info({ user: 'U0LI' })).user.name, 'li');
    const groups = await slack.usergroups.list();
    const sre = groups.usergroups.find((group) => group.handle === 'sre');
    assert.deepEqual((await slack.usergroups.users.list({ usergroup: sre.id })).users, ['U0JANE', 'U0OMAR']);
    assert.equal((await refusal(slack.usergroups.users.list({ usergroup: 'S0NONE' }))).error, 'no_such_subteam');
  },

  async 'lists come in pages, short ones included'({ slack, where }) {
    await control(where, 'options', { slack: { page_most: 2 } });
    for (const name of ['page-a', 'page-b', 'page-c']) {
      const { channel } = await slack.conversations.create({ name });
      if (name !== 'page-c') await slack.conversations.archive({ channel: channel.id });
    }
    const names = [];
    let short = 0;
    for await (const page of slack.paginate('conversations.list', { limit: 200, exclude_archived: true })) {
      if (page.channels.length < 2) short += 1;
      names.push(...page.channels.map((channel) => channel.name));
    }
    assert.ok(names.includes('page-c'));
    assert.ok(!names.includes('page-a'));
    assert.ok(short > 0);
    assert.equal((await refusal(slack.conversations.list({ cursor: 'nonsense' }))).error, 'invalid_cursor');
    await control(where, 'options', { slack: {} });
  },

  async 'messages have limits'({ slack }) {
    const { channel } = await slack.conversations.create({ name: 'limits' });
    const post = (message) => slack.chat.postMessage({ channel: channel.id, text: 't', ...message });
    const section = (text) => ({ type: 'section', text: { type: 'mrkdwn', text } });
    assert.equal((await refusal(post({ text: '' }))).error, 'no_text');
    assert.equal((await refusal(post({ blocks: [section('x'.repeat(3001))] }))).error, 'invalid_blocks');
    assert.equal((await refusal(post({ blocks: Array(51).fill(section('x')) }))).error, 'invalid_blocks');
    assert.equal((await refusal(post({ blocks: Array(5).fill(section('x'.repeat(2700))) }))).error, 'msg_blocks_too_long');
    const long = await post({ text: 'x'.repeat(40001) });
    assert.equal(long.message ? long.warning : '', 'message_truncated');
    const { ts } = await post({ text: 'short' });
    const update = await refusal(slack.chat.update({ channel: channel.id, ts, text: 'x'.repeat(4001) }));
    assert.equal(update.error, 'msg_too_long');
  },

  async 'the client sees a rate limit as one, and tries again when told'({ slack, where }) {
    await control(where, 'fault', { receiver: 'slack', kind: 'status', status: 429, retry_after: 1, operation: 'conversations.info' });
    const strict = clientFor(where, 'xoxb-fake-bot-token', { rejectRateLimitedCalls: true });
    await assert.rejects(strict.conversations.info({ channel: 'C0SRE' }), (error) => error.code === ErrorCode.RateLimitedError && error.retryAfter === 1);
    await control(where, 'fault', { receiver: 'slack', kind: 'status', status: 429, retry_after: 1, operation: 'conversations.info' });
    const patient = clientFor(where, 'xoxb-fake-bot-token', { retryConfig: { retries: 1, minTimeout: 1 } });
    assert.ok((await patient.conversations.info({ channel: 'C0SRE' })).ok);
  },

  async 'tiers are enforced when they are switched on'({ where }) {
    await control(where, 'options', { slack: { rate_limits: true } });
    const strict = clientFor(where, 'xoxb-fake-bot-token', { rejectRateLimitedCalls: true });
    const calls = Array.from({ length: 22 }, () => strict.conversations.list({ limit: 1 }));
    const limited = (await Promise.allSettled(calls)).filter((result) => result.status === 'rejected');
    assert.equal(limited.length, 2, 'twenty a minute');
    assert.ok(limited.every((result) => result.reason.retryAfter >= 1));
    await control(where, 'options', { slack: {} });
  },

  async 'a lost answer is a request error, and the channel is there'({ slack, where }) {
    await control(where, 'fault', { receiver: 'slack', kind: 'cut_after', operation: 'conversations.create' });
    await assert.rejects(slack.conversations.create({ name: 'half-made' }), (error) => error.code === ErrorCode.RequestError);
    assert.equal((await refusal(slack.conversations.create({ name: 'half-made' }))).error, 'name_taken');
    await control(where, 'fault', { receiver: 'slack', kind: 'cut_before', operation: 'conversations.create' });
    await assert.rejects(slack.conversations.create({ name: 'never-made' }), (error) => error.code === ErrorCode.RequestError);
    await slack.conversations.create({ name: 'never-made' });
  },

  async 'statuses other than 200 reach the client as such'({ slack, where }) {
    await control(where, 'fault', { receiver: 'slack', kind: 'status', status: 503 });
    await assert.rejects(slack.auth.test(), (error) => error.code === ErrorCode.HTTPError && error.statusCode === 503);
    await control(where, 'fault', { receiver: 'slack', kind: 'error', error: 'fatal_error' });
    assert.equal((await refusal(slack.auth.test())).error, 'fatal_error');
  },

  async 'methods without JSON refuse it'({ where }) {
    const call = (method, body) =>
      fetch(`${where.slack}${method}`, {
        method: 'POST',
        headers: { authorization: 'Bearer xoxb-fake-bot-token', 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }).then((reply) => reply.json());
    assert.equal((await call('conversations.info', { channel: 'C0SRE' })).error, 'invalid_post_type');
    const topic = await call('conversations.setTopic', { channel: 'C0SRE', topic: 'json' });
    assert.ok(topic.ok);
    assert.equal(topic.warning, 'missing_charset');
    const missing = await call('conversations.setTopic', { channel: 'C0SRE' });
    assert.equal(missing.response_metadata.messages[0], '[ERROR] missing required field: topic');
  },
};

async function main() {
  const { child, where } = await start(process.argv[2]);
  const slack = clientFor(where, 'xoxb-fake-bot-token');
  let failures = 0;
  for (const [name, step] of Object.entries(steps)) {
    try {
      await step({ slack, where });
      console.log(`ok      ${name}`);
    } catch (error) {
      failures += 1;
      console.log(`FAILED  ${name}\n${error.stack}`);
      await control(where, 'clear', {});
    }
  }
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
  child.kill('SIGTERM');
  const code = await ended;
  if (code !== 0) {
    failures += 1;
    console.log(`FAILED  fake_receivers ended with ${code}`);
  }
  console.log(failures === 0 ? 'the fake Slack holds against @slack/web-api' : `${failures} failed`);
  process.exitCode = failures === 0 ? 0 : 1;
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
