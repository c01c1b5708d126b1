// The contact list (RFC 6121 §2), requests to approve (§3), and where everybody is (§4). One immutable `person` a contact, made anew when something about
// them changes, so that who draws them can compare.

import { Model } from '../store.js';
import { bare, nameOf, resource } from './jid.js';
import { KEPT, merge } from './presence.js';
import { Devices } from './devices.js';
import { NS, child, children, stx, text, writable } from './stanza.js';

export class Roster extends Model {
  people = new Map(); // jid → person
  requests = new Map(); // jid → { jid, name, note }
  loaded = false;

  #items = new Map(); // jid → { name, groups, subscription, ask }
  #presences = new Map(); // jid → Map(resource → …)

  constructor(connection, avatars, names) {
    super();
    this.connection = connection;
    this.avatars = avatars;
    this.names = names;
    this.devices = new Devices(connection, (node) => this.#learned(node));
    connection.on('push', (iq) => this.#push(iq));
    connection.on('presence', (stanza) => this.#presence(stanza));
    avatars.on('changed', (jid) => this.#renew(jid));
    names.on('changed', (jid) => this.#renew(jid));
  }

  /** Asks for the list; for a new session, before the first presence. */
  async load() {
    this.#presences.clear();
    this.requests.clear(); // those that are still open come again
    const answer = await this.connection.request((id) => stx`<iq xmlns="jabber:client" type="get" id="${id}"><query xmlns="${NS.roster}"/></iq>`);
    const items = children(child(answer, 'query', NS.roster), 'item', NS.roster).map(read);
    this.#items = new Map(items.map((item) => [item.jid, item]));
    this.people = new Map();
    for (const jid of this.#items.keys()) this.#renew(jid);
    this.loaded = true;
    this.names.learn([this.connection.account, ...items.filter(({ name }) => !name).map(({ jid }) => jid)]);
    this.changed();
  }

  /** A person, also one who is not in the list. */
  get(jid) {
    return this.people.get(bare(jid)) ?? this.#make(bare(jid));
  }

  /** What is known of oneself: the same as of a person. */
  get self() {
    return this.#make(this.connection.account);
  }

  /** Whether somebody is in the list because he was put there (not only because he wanted to be). */
  has(jid) {
    return this.people.has(bare(jid));
  }

  /** Adds somebody and asks to see them. */
  async add(jid, name = nameOf(jid), groups = []) {
    const list = groups.map((group) => stx`<group>${group}</group>`);
    await this.connection.request(
      (id) => stx`<iq xmlns="jabber:client" type="set" id="${id}"><query xmlns="${NS.roster}"><item jid="${jid}" name="${writable(name)}">${list}</item></query></iq>`,
    );
    this.#subscription(jid, 'subscribed'); // what they will ask in return is granted beforehand, where the server knows how
    this.#subscription(jid, 'subscribe');
  }

  remove(jid) {
    return this.connection.request(
      (id) => stx`<iq xmlns="jabber:client" type="set" id="${id}"><query xmlns="${NS.roster}"><item jid="${jid}" subscription="remove"/></query></iq>`,
    );
  }

  /** Lets somebody see us, and asks to see them. Without a connection nothing happens. */
  approve(jid) {
    if (!this.connection.online) return;
    this.#subscription(jid, 'subscribed');
    const item = this.#items.get(jid);
    if (!item || (!['to', 'both'].includes(item.subscription) && item.ask !== 'subscribe')) this.#subscription(jid, 'subscribe');
    this.#done(jid);
  }

  deny(jid) {
    if (!this.connection.online) return;
    this.#subscription(jid, 'unsubscribed');
    this.#done(jid);
  }

  #subscription(jid, type) {
    this.connection.send(stx`<presence xmlns="jabber:client" to="${jid}" type="${type}"/>`);
  }

  #done(jid) {
    this.requests.delete(jid);
    this.changed();
  }

  #push(iq) {
    const query = child(iq, 'query', NS.roster);
    if (!query || iq.getAttribute('type') !== 'set') return;
    const from = iq.getAttribute('from');
    if (from && bare(from) !== this.connection.account) return; // only the server speaks for our list
    this.connection.send(stx`<iq xmlns="jabber:client" type="result" id="${iq.getAttribute('id')}"/>`);
    for (const item of children(query, 'item', NS.roster).map(read)) {
      if (item.subscription === 'remove') {
        this.#items.delete(item.jid);
        this.people.delete(item.jid);
        this.changed();
      } else {
        this.#items.set(item.jid, item);
        if (['from', 'both'].includes(item.subscription)) this.requests.delete(item.jid); // another device of ours has answered
        if (!item.name) this.names.learn([item.jid]);
        this.#renew(item.jid);
      }
    }
  }

  #presence(stanza) {
    const from = stanza.getAttribute('from') ?? this.connection.account;
    const type = stanza.getAttribute('type') ?? 'available';
    const jid = bare(from);
    if (type === 'subscribe') this.#asked(jid, stanza);
    if (type === 'available') this.#here(jid, resource(from), stanza);
    if (type === 'unavailable') {
      if (resource(from)) this.#presences.get(jid)?.delete(resource(from));
      else this.#presences.delete(jid);
      this.#renew(jid);
    }
  }

  #asked(jid, stanza) {
    const nick = text(stanza, 'nick', NS.nick);
    this.requests.set(jid, { jid, name: nick || this.get(jid).name, note: text(stanza, 'status', NS.client) });
    this.changed();
  }

  #here(jid, name, stanza) {
    if (!this.#presences.has(jid)) this.#presences.set(jid, new Map());
    const said = child(stanza, 'c', NS.caps);
    const idle = Date.parse(child(stanza, 'idle', NS.idle)?.getAttribute('since') ?? '');
    const delayed = Date.parse(child(stanza, 'delay', NS.delay)?.getAttribute('stamp') ?? '');
    this.#presences.get(jid).set(name, {
      resource: name,
      show: text(stanza, 'show', NS.client) || 'available',
      note: text(stanza, 'status', NS.client).trim(),
      priority: Number.parseInt(text(stanza, 'priority', NS.client), 10) || 0,
      idleSince: idle || 0,
      at: delayed || Date.now(),
      node: said ? `${said.getAttribute('node')}#${said.getAttribute('ver')}` : '',
      kind: name === KEPT ? '' : this.devices.kind(stanza, name),
    });
    const photo = child(child(stanza, 'x', NS.vcardUpdate), 'photo', NS.vcardUpdate);
    if (photo) this.avatars.announced(jid, photo.textContent.trim());
    this.#renew(jid);
  }

  // Somebody's kind of client became known: everybody with the same is drawn anew.
  #learned(node) {
    const kind = this.devices.ofNode(node);
    if (!kind) return;
    for (const [jid, devices] of this.#presences) {
      const same = [...devices.values()].filter((device) => device.node === node && device.kind !== 'deskphone');
      for (const device of same) devices.set(device.resource, { ...device, kind });
      if (same.length) this.#renew(jid);
    }
  }

  #renew(jid) {
    if (this.#items.has(jid)) this.people.set(jid, this.#make(jid));
    this.changed();
  }

  #make(jid) {
    const item = this.#items.get(jid);
    const devices = [...(this.#presences.get(jid)?.values() ?? [])];
    return {
      jid,
      name: item?.name || this.names.of(jid) || nameOf(jid),
      groups: item?.groups ?? [],
      subscription: item?.subscription ?? 'none',
      asked: item?.ask === 'subscribe',
      avatar: this.avatars.url(jid),
      ...merge(devices),
    };
  }
}

const read = (item) => ({
  jid: bare(item.getAttribute('jid')),
  name: (item.getAttribute('name') ?? '').trim(),
  groups: [...new Set(children(item, 'group', NS.roster).map((group) => group.textContent.trim()).filter(Boolean))],
  subscription: item.getAttribute('subscription') ?? 'none',
  ask: item.getAttribute('ask') ?? '',
});
